//! What those who go tell those who come.

use kith_crdt::Section;

use super::{State as Any, Turn};
use crate::study::scenario::Pathway;

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// It is written down.
    HandedOver,
    /// Those who take over look.
    TakenOver,
}

const HANDOVER_LEN: u32 = 1_000;

pub(super) fn enter(pathway: &Pathway, state: State, turn: &mut Turn<'_>) {
    let Pathway::HandOver { from, to, looks } = pathway else {
        return;
    };
    match state {
        State::HandedOver => {
            if let Some(from) = turn.patient.usual(*from) {
                turn.writes(from, Section::Tasks, HANDOVER_LEN, false);
                let looks = turn.settings.ms(*looks, turn.chance);
                turn.then(looks, Any::HandOver(State::TakenOver));
            }
            turn.again(Any::HandOver(State::HandedOver));
        }
        State::TakenOver => {
            if let Some(to) = turn.patient.usual(*to) {
                turn.reads(to, &[Section::Tasks], false);
            }
        }
    }
}
