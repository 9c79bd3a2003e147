//! Somebody is watched at home from afar.

use kith_crdt::Section;

use super::{State as Any, Turn};
use crate::study::scenario::Pathway;

/// Where a patient is.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// The watching begins.
    Admitted,
    /// A reading is taken; the stay ends at this time, milliseconds.
    Measured(u64),
    /// Somebody looks; the stay ends at this time, milliseconds.
    Looked(u64),
}

pub(super) fn enter(pathway: &Pathway, state: State, turn: &mut Turn<'_>) {
    let Pathway::VirtualWard {
        measures,
        watches,
        readings,
        reading,
        looks,
        stay,
    } = pathway
    else {
        return;
    };
    let readings = 365.0 * turn.settings.value(*readings);
    let looks = 365.0 * turn.settings.value(*looks);
    match state {
        State::Admitted => {
            let ends = turn.now_ms + turn.settings.ms(*stay, turn.chance);
            goes_on(
                readings,
                Any::VirtualWard(State::Measured(ends)),
                ends,
                turn,
            );
            goes_on(looks, Any::VirtualWard(State::Looked(ends)), ends, turn);
            turn.again(Any::VirtualWard(State::Admitted));
        }
        State::Measured(ends) => {
            let len = turn.settings.len(*reading, turn.chance);
            if let Some(measures) = turn.patient.usual(*measures) {
                turn.writes(measures, Section::Monitoring, len, false);
            }
            goes_on(readings, Any::VirtualWard(state), ends, turn);
        }
        State::Looked(ends) => {
            if let Some(watches) = turn.patient.usual(*watches) {
                turn.reads(watches, &[Section::Monitoring], false);
            }
            goes_on(looks, Any::VirtualWard(state), ends, turn);
        }
    }
}

fn goes_on(per_year: f64, state: Any, ends_ms: u64, turn: &mut Turn<'_>) {
    if let Some(after) = turn.settings.until_next(per_year, turn.chance)
        && turn.now_ms + after < ends_ms
    {
        turn.then(after, state);
    }
}
