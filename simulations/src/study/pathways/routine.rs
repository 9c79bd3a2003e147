//! What is written and read now and then.

use super::{State as Any, Turn};
use crate::study::scenario::Pathway;

/// Where it is.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// The patient is known, and there is a first entry.
    Registered,
    /// Something is written.
    Written,
    /// One of the readers looks: its place among them.
    Read(u8),
}

pub(super) fn enter(pathway: &Pathway, state: State, turn: &mut Turn<'_>) {
    let Pathway::Routine {
        writer,
        readers,
        section,
        reads,
        entry,
    } = pathway
    else {
        return;
    };
    let reads = turn.settings.value(*reads);
    match state {
        State::Registered | State::Written => {
            let len = turn.settings.len(*entry, turn.chance);
            if let Some(writer) = turn.patient.usual(*writer) {
                turn.writes(writer, *section, len, false);
            }
            turn.again(Any::Routine(State::Written));
            if matches!(state, State::Registered) {
                for reader in 0..readers.len() {
                    let reader = u8::try_from(reader).expect("no more than kinds");
                    turn.after(reads, Any::Routine(State::Read(reader)));
                }
            }
        }
        State::Read(reader) => {
            if let Some(by) = turn.meets(readers[usize::from(reader)]) {
                turn.reads(by, &[*section], false);
            }
            turn.after(reads, Any::Routine(state));
        }
    }
}
