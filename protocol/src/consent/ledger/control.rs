//! Who controls the record, in what capacity, since when and until when.

use std::collections::BTreeSet;

use super::{Ledger, authority::At, judge};
use crate::{
    id::{EventId, PrincipalId},
    logs::{
        Act, CoreAct,
        record::{Capacity, Control},
    },
};

/// Somebody who controls the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// Who.
    pub who: PrincipalId,
    /// In what capacity; nothing where they began the record or a recovery installed them.
    pub capacity: Option<Capacity>,
    /// Since when, by the word of whoever made them one: milliseconds since 1970 UTC.
    pub since_ms: u64,
    /// Until when; nothing where it is open-ended.
    pub until_ms: Option<u64>,
}

impl Ledger {
    /// The recovery that a next one follows: the last, or one of those that did not know of each
    /// other.
    pub fn last_recover(&mut self) -> Option<EventId> {
        let a = &mut self.authority;
        let last = a.in_present_view(|view, a| view.recoveries(a));
        last.first().map(|at| a.id(*at))
    }

    /// Whether somebody controlled the record until its recovery set took it out of their hands.
    pub fn is_recovered_from(&self, who: PrincipalId) -> bool {
        let a = &self.authority;
        let certs = a.targets.root_certs.get(&who);
        let after = |cert: At| {
            let mut recovers = a.targets.recovers.iter();
            recovers.any(|recover| *recover != cert && !a.saw(cert, *recover))
        };
        certs.into_iter().flatten().any(|cert| after(*cert))
    }

    /// Whoever controls the record or once did, by an event that counts.
    pub fn ever_in_control(&self) -> BTreeSet<PrincipalId> {
        let a = &self.authority;
        let named = a.valid.iter().filter_map(|at| match &a.event(at).act {
            Act::Core(
                CoreAct::Genesis { controller, .. }
                | CoreAct::Recover { controller, .. }
                | CoreAct::Control(
                    Control::Add { controller, .. } | Control::HandOver { controller, .. },
                ),
            ) => Some(*controller),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => None,
        });
        named.collect()
    }

    /// Who controls the record, ascending; those whose time has passed too. Of several ways in
    /// which somebody does, the one that lasts longest.
    pub fn control(&mut self) -> Vec<Controller> {
        let a = &mut self.authority;
        let all: Vec<_> = a.targets.root_certs.keys().copied().collect();
        let valid = a.valid.clone();
        let mut control = Vec::new();
        for who in all {
            let Ok(certs) = judge::controls(a, who, &valid) else {
                continue;
            };
            let ways = certs.into_iter().map(|cert| {
                let event = a.event(cert);
                let capacity = capacity(&event.act);
                let until_ms = match &capacity {
                    Some(Capacity::ActingFor { until_ms, .. }) => *until_ms,
                    Some(Capacity::Self_ | Capacity::Keeper) | None => None,
                };
                Controller {
                    who,
                    capacity,
                    since_ms: event.time_ms,
                    until_ms,
                }
            });
            control.extend(ways.max_by_key(|way| way.until_ms.unwrap_or(u64::MAX)));
        }
        control
    }
}

fn capacity(act: &Act) -> Option<Capacity> {
    match act {
        Act::Core(CoreAct::Control(
            Control::Add { capacity, .. } | Control::HandOver { capacity, .. },
        )) => Some(capacity.clone()),
        Act::Core(_) | Act::Label(_) | Act::Principal(_) => None,
    }
}
