//! Something is asked for, and the result comes back.

use kith_crdt::Section;

use super::{State as Any, Turn};
use crate::study::scenario::Pathway;

/// Where an order is.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// It is asked for.
    Ordered,
    /// The result is there.
    Reported,
    /// Whoever asked looks for it.
    LookedFor,
}

const ORDER_LEN: u32 = 900;
const RESULT_LEN: u32 = 2_000;

pub(super) fn enter(pathway: &Pathway, state: State, turn: &mut Turn<'_>) {
    let Pathway::Order {
        orderer,
        performer,
        turnaround,
        looks,
    } = pathway
    else {
        return;
    };
    match state {
        State::Ordered => {
            if let Some(orderer) = turn.patient.usual(*orderer) {
                turn.writes(orderer, Section::Tasks, ORDER_LEN, false);
                let reported = turn.settings.ms(*turnaround, turn.chance);
                turn.then(reported, Any::Order(State::Reported));
                let looked = turn.settings.ms(*looks, turn.chance);
                turn.then(looked, Any::Order(State::LookedFor));
            }
            turn.again(Any::Order(State::Ordered));
        }
        State::Reported => {
            if let Some(performer) = turn.patient.usual(*performer) {
                turn.reads(performer, &[Section::Tasks], false);
                turn.writes(performer, Section::Results, RESULT_LEN, false);
            }
        }
        State::LookedFor => {
            if let Some(orderer) = turn.patient.usual(*orderer) {
                turn.reads(orderer, &[Section::Results], false);
            }
        }
    }
}
