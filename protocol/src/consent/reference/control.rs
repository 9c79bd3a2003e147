//! Who controls the record, and what the quorum said.

use std::collections::BTreeSet;

use super::{Cover, Hurt, Model, Set, View};
use crate::{
    consent::approval::{approval_subject, approvals},
    id::{EventId, PrincipalId},
    logs::{Act, CoreAct, Event, principal::RecoverySet, record::Control},
};

impl Model {
    pub(super) fn last_recovers(&self, set: &Set) -> Vec<EventId> {
        let recovers = set
            .iter()
            .filter(|id| matches!(self.events[*id].act, Act::Core(CoreAct::Recover { .. })));
        let recovers: Vec<_> = recovers.copied().collect();
        let last = |id: &EventId| !recovers.iter().any(|later| self.pasts[later].contains(id));
        recovers.iter().copied().filter(last).collect()
    }

    pub(super) fn recovery_sets(&self, view: &View) -> Vec<RecoverySet> {
        let sets = view.set.iter().filter(|id| {
            let genesis = matches!(self.events[*id].act, Act::Core(CoreAct::Genesis { .. }));
            let set = matches!(self.events[*id].act, Act::Core(CoreAct::RecoverySet { .. }));
            genesis || (set && self.counts(**id, view))
        });
        let sets: Vec<_> = sets.copied().collect();
        let last = |id: &&EventId| !sets.iter().any(|later| self.pasts[later].contains(*id));
        let content = |id: &EventId| match &self.events[id].act {
            Act::Core(
                CoreAct::Genesis { recovery: set, .. } | CoreAct::RecoverySet { set, .. },
            ) => Some(set.clone()),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => None,
        };
        sets.iter().filter(last).filter_map(content).collect()
    }

    pub(super) fn agreeing(&self, event: &Event, set: &RecoverySet) -> usize {
        let subject = approval_subject(&event.log, &event.frontiers, &event.act);
        let good = approvals(&event.act)
            .iter()
            .filter(|approval| set.members.contains(&approval.member) && approval.signs(subject));
        let members: BTreeSet<_> = good.map(|approval| approval.member).collect();
        members.len()
    }

    /// Whether an event that is no revocation counts in a view.
    pub(super) fn counts(&self, id: EventId, view: &View) -> bool {
        let ways = self.ways.get(&id).cloned().unwrap_or_default();
        let mut cover = |revoke: EventId| self.covers_event(revoke, id);
        self.worst(view, &ways, &mut cover) < Hurt::Out
    }

    /// The events by which someone controls the record in a view.
    pub(super) fn controls(&self, who: PrincipalId, view: &View) -> Vec<EventId> {
        let makes = |id: &&EventId| match &self.events[*id].act {
            Act::Core(
                CoreAct::Genesis { controller, .. }
                | CoreAct::Recover { controller, .. }
                | CoreAct::Control(
                    Control::Add { controller, .. } | Control::HandOver { controller, .. },
                ),
            ) => *controller == who,
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => false,
        };
        let leaves = |id: &&EventId| {
            let event = &self.events[*id];
            let left = matches!(
                event.act,
                Act::Core(CoreAct::Control(Control::Leave | Control::HandOver { .. }))
            );
            left && event.author == who && self.counts(**id, view)
        };
        let left: Vec<_> = view.set.iter().filter(leaves).copied().collect();
        view.set
            .iter()
            .filter(makes)
            .copied()
            .filter(|cert| !left.iter().any(|leave| self.pasts[leave].contains(cert)))
            .filter(|cert| {
                let ways = self.ways_to_root(*cert, &[]);
                self.worst(view, &ways, &mut |_| Cover::No) < Hurt::Out
            })
            .collect()
    }
}
