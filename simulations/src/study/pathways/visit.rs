//! A fall, or an admission that was planned: from the call to the visit at the practice afterwards.

use kith_crdt::Section;

use super::{State as Any, Turn};
use crate::study::scenario::Visit;

/// Where a patient is.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// It happened, or the day came.
    Noticed,
    /// Help is there.
    Arrived,
    /// In hospital.
    Admitted(u8),
    /// Home again.
    Discharged(u8),
    /// Somebody looks at the medicines.
    FollowedUp(u8),
}

/// The sections that are touched.
pub const SECTIONS: [Section; 5] = [
    Section::Allergies,
    Section::Plans,
    Section::Medicines,
    Section::Encounters,
    Section::DailyCare,
];
/// What those who come need to know at once.
const NEEDED: [Section; 3] = [Section::Allergies, Section::Plans, Section::Medicines];
/// From the home to the hospital.
const CONVEYED_AFTER_MS: u64 = 75 * 60_000;
/// A note, a list of medicines, an encounter.
const NOTE_LEN: u32 = 600;
const LIST_LEN: u32 = 2_500;
const ENCOUNTER_LEN: u32 = 1_200;

pub(super) fn enter(visit: &Visit, state: State, turn: &mut Turn<'_>) {
    match state {
        State::Noticed => {
            noticed(visit, turn);
            turn.again(Any::Visit(State::Noticed));
        }
        State::Arrived => {
            let called = visit.called.and_then(|kind| turn.meets(kind));
            if let Some(called) = called {
                turn.reads(called, &NEEDED, true);
                turn.gives_notice(called, Section::Encounters, ENCOUNTER_LEN);
            }
            if turn.settings.happens(visit.conveyed, turn.chance)
                && let Some(to) = turn.meets(visit.admits)
            {
                turn.then(CONVEYED_AFTER_MS, Any::Visit(State::Admitted(to)));
            }
        }
        State::Admitted(to) => {
            turn.reads(to, &NEEDED, false);
            turn.gives_notice(to, Section::Encounters, ENCOUNTER_LEN);
            let stay = turn.settings.ms(visit.stay, turn.chance);
            turn.then(stay, Any::Visit(State::Discharged(to)));
        }
        State::Discharged(from) => discharged(visit, from, turn),
        State::FollowedUp(by) => turn.reads(by, &[Section::Medicines], false),
    }
}

fn noticed(visit: &Visit, turn: &mut Turn<'_>) {
    let by = visit.noticed_by.and_then(|kind| turn.patient.usual(kind));
    if let Some(by) = by {
        turn.gives_notice(by, Section::DailyCare, NOTE_LEN);
    }
    let after = match visit.called {
        Some(_) => turn.settings.ms(visit.arrives, turn.chance),
        None => 0,
    };
    turn.then(after, Any::Visit(State::Arrived));
}

fn discharged(visit: &Visit, from: u8, turn: &mut Turn<'_>) {
    if turn.settings.happens(visit.changes, turn.chance) {
        let is_material = turn.settings.happens(visit.material, turn.chance);
        turn.writes(from, Section::Medicines, LIST_LEN, is_material);
    }
    turn.gives_notice(from, Section::Encounters, ENCOUNTER_LEN);
    for kind in &visit.followed_by {
        let after = turn.settings.ms(visit.follow_up, turn.chance);
        if let Some(by) = turn.patient.usual(*kind) {
            turn.then(after, Any::Visit(State::FollowedUp(by)));
        }
    }
}
