//! What becomes of revocations of one link, and what they hit.

use super::{
    super::{
        authority::{At, Authority},
        need::{Coverage, Hit, Need},
    },
    CUSTODIAN, State, View,
};
use crate::{
    id::EventId,
    logs::{Act, CoreAct, LabelAct, record::Revoke},
};

impl View {
    /// Those of some revocations of one link that are held, stand, and were not replaced.
    pub(in crate::consent::ledger) fn group(&mut self, a: &Authority, revokes: &[At]) -> Group {
        let mut group = Group::default();
        let held: Vec<_> = revokes
            .iter()
            .copied()
            .filter(|at| self.holds(*at))
            .collect();
        for at in held {
            match self.state(a, at) {
                State::Standing => group.standing.push(at),
                State::Suspended => group.suspended.push(at),
                State::Void => {}
            }
        }
        let all = group.standing.clone();
        let stays = |at: &At| !all.iter().any(|other| replaces(a, *other, *at));
        group.standing.retain(stays);
        group.suspended.retain(stays);
        group
    }

    /// What becomes of a revocation or lapse (B2).
    pub(in crate::consent::ledger) fn state(&mut self, a: &Authority, at: At) -> State {
        if let Some(state) = self.states.get(&at) {
            return *state;
        }
        let Some(standing) = a.standing(at) else {
            return State::Void;
        };
        let chain = standing.chain.clone();
        let need = self.need(a, &chain);
        let state = state_of(a, &need, at);
        self.states.insert(at, state);
        state
    }
}

/// Revocations of one link.
#[derive(Debug, Default)]
pub(in crate::consent::ledger) struct Group {
    pub(in crate::consent::ledger) standing: Vec<At>,
    pub(in crate::consent::ledger) suspended: Vec<At>,
}

impl Group {
    /// What hits a chain with these grants below the link; `links` are events that the revoked
    /// link signed: a cut that covers one of them keeps what hangs on it.
    pub(super) fn hit(self, a: &Authority, grants: &[EventId], links: &[At]) -> Hit {
        let mut hit = Hit {
            covering: self.standing.clone(),
            ..Hit::default()
        };
        for (from, to) in [
            (self.standing, &mut hit.hitting),
            (self.suspended, &mut hit.suspended),
        ] {
            for at in from {
                let covered = links.iter().map(|link| a.covers(at, *link)).max();
                if covered == Some(Coverage::Covered) || keeps(a, at, grants) {
                    continue;
                }
                hit.unsure |= covered == Some(Coverage::Unknown);
                to.push(at);
            }
        }
        hit
    }
}

/// B2 over everything that hits the issuer of a revocation.
fn state_of(a: &Authority, need: &Need, at: At) -> State {
    match need {
        Need::All(needs) => {
            let states = needs.iter().map(|need| state_of(a, need, at));
            states.min().unwrap_or(State::Standing)
        }
        Need::Any(needs) => {
            let states = needs.iter().map(|need| state_of(a, need, at));
            states.max().unwrap_or(State::Standing)
        }
        Need::Hit(hit) => state_under(a, hit, at),
    }
}

fn state_under(a: &Authority, hit: &Hit, at: At) -> State {
    let id = a.id(at);
    let stands =
        |by: &At| !a.voids(*by, id) && (a.saw(*by, at) || a.covers(*by, at) == Coverage::Covered);
    let under_suspended = if hit.suspended.iter().all(stands) {
        State::Standing
    } else {
        State::Suspended
    };
    let under_hard = if hit.hitting.is_empty() || hit.unsure {
        State::Standing
    } else if hit.hitting.iter().any(|by| a.voids(*by, id)) {
        State::Void
    } else if hit.covering.iter().any(stands) {
        State::Standing
    } else if hit.hitting.iter().any(|by| a.is_final(*by))
        && !hit
            .covering
            .iter()
            .any(|by| a.covers(*by, at) == Coverage::Unknown)
    {
        State::Void
    } else {
        State::Suspended
    };
    let unsure = if hit.unsure && !hit.covering.iter().any(stands) {
        State::Suspended
    } else {
        State::Standing
    };
    under_hard.min(under_suspended).min(unsure)
}

/// Whether one standing revocation takes the place of another of the same link: a later one by
/// the same or a higher issuer, or a higher one that the lower issuer knew. Custodians are nobody's
/// issuers: each replaces only its own word.
fn replaces(a: &Authority, other: At, at: At) -> bool {
    let rank = |at: At| a.standing(at).map_or(CUSTODIAN, |standing| standing.rank);
    let peers = rank(other) == CUSTODIAN && rank(at) == CUSTODIAN;
    let same_or_higher = if peers {
        a.event(other).author == a.event(at).author
    } else {
        rank(other) <= rank(at)
    };
    (a.saw(other, at) && same_or_higher) || (a.saw(at, other) && rank(other) < rank(at))
}

fn keeps(a: &Authority, at: At, grants: &[EventId]) -> bool {
    let keep = match &a.event(a.source(at)).act {
        Act::Label(LabelAct::Revoke(Revoke { keep, .. }))
        | Act::Core(CoreAct::Recover { keep, .. }) => keep,
        Act::Label(_) | Act::Core(_) | Act::Principal(_) => return false,
    };
    grants.iter().any(|grant| keep.contains(grant))
}
