//! A plan for emergencies near the end of life (ReSPECT), and the calls at which it is needed.

use kith_crdt::Section;

use super::{State as Any, Turn};
use crate::study::scenario::Pathway;

/// Where a patient is.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// The first plan is written.
    Planned,
    /// The plan is written anew.
    Revised,
    /// Somebody is called.
    Called,
    /// They are there and need to know the plan.
    Arrived,
    /// The patient was taken somewhere, where they need to know it too.
    Conveyed(u8),
    /// Nothing more happens.
    Died,
}

/// A plan and its text.
const PLAN_LEN: u32 = 4_000;
/// From the home to the hospital.
const CONVEYED_AFTER_MS: u64 = 75 * 60_000;

pub(super) fn enter(pathway: &Pathway, state: State, turn: &mut Turn<'_>) {
    let Pathway::EndOfLife {
        author,
        reviser,
        revisions,
        material,
        crises,
        called,
        arrives,
        admits,
        conveyed,
        lives,
        ..
    } = pathway
    else {
        return;
    };
    let revisions = turn.settings.value(*revisions);
    let crises = turn.settings.value(*crises);
    match state {
        State::Planned => {
            if let Some(author) = turn.patient.usual(*author) {
                turn.writes(author, Section::Plans, PLAN_LEN, false);
                turn.after(revisions, Any::EndOfLife(State::Revised));
                turn.after(crises, Any::EndOfLife(State::Called));
                let lives = turn.settings.ms(*lives, turn.chance);
                turn.then(lives, Any::EndOfLife(State::Died));
            }
        }
        State::Revised => {
            let is_material = turn.settings.happens(*material, turn.chance);
            if let Some(reviser) = turn.meets(*reviser) {
                turn.writes(reviser, Section::Plans, PLAN_LEN, is_material);
            }
            turn.after(revisions, Any::EndOfLife(State::Revised));
        }
        State::Called => {
            let arrives = turn.settings.ms(*arrives, turn.chance);
            turn.then(arrives, Any::EndOfLife(State::Arrived));
            turn.after(crises, Any::EndOfLife(State::Called));
        }
        State::Arrived => {
            if let Some(called) = turn.meets(*called) {
                turn.reads(called, &[Section::Plans], true);
            }
            if turn.settings.happens(*conveyed, turn.chance)
                && let Some(to) = turn.meets(*admits)
            {
                turn.then(CONVEYED_AFTER_MS, Any::EndOfLife(State::Conveyed(to)));
            }
        }
        State::Conveyed(to) => turn.reads(to, &[Section::Plans], false),
        State::Died => turn.end(),
    }
}
