//! On which chain a device's next entry in a document goes: the one that it has, or a new one.

use std::collections::BTreeMap;

use kith_crdt::DocumentId;

use super::{
    Ledger,
    entries::Nth,
    need::{Coverage, Need},
};
use crate::{consent::status::Cause, id::DeviceId};

impl Ledger {
    /// The chain epoch of the next entry that a device writes into a document, as far as this
    /// ledger knows: that of its newest chain there, or the one after it when that chain has ended.
    ///
    /// A chain ends when its device forked it, which one that was restored from an older copy does
    /// unknowingly, when something is held above its last valid entry, or when what its last entry
    /// was written under was stopped or has lapsed. What is written then under a new right stands
    /// on a chain of its own, which no cut of the old one names.
    pub fn chain_epoch(&mut self, device: DeviceId, document: &DocumentId) -> u32 {
        self.entries.refresh(&mut self.authority, document);
        let chain = |epoch: u32| (document.clone(), device, epoch);
        let mut chains = self.entries.chains.range(chain(0)..=chain(u32::MAX));
        match chains.next_back() {
            None => 0,
            Some(((_, _, epoch), links)) if self.has_ended(document, links) => {
                epoch.saturating_add(1)
            }
            Some(((_, _, epoch), _)) => *epoch,
        }
    }

    fn has_ended(&self, document: &DocumentId, links: &BTreeMap<u64, Vec<Nth>>) -> bool {
        let forked = links.values().any(|branches| branches.len() > 1);
        let last = links.values().next_back().and_then(|last| last.first());
        let basis = last.and_then(|at| self.entries.held[*at].verdict.as_ref());
        let Some(Ok(basis)) = basis else {
            return true;
        };
        forked || self.was_stopped(document, *basis)
    }

    /// Whether what entries on this basis were written under was stopped, whatever a cut keeps.
    fn was_stopped(&self, document: &DocumentId, basis: usize) -> bool {
        let hit = |need: &Need| {
            let cause = need.weigh(&|at| self.authority.id(at), &mut |_| Coverage::Uncovered);
            cause.is_some_and(Cause::is_hard)
        };
        let place = self.entries.documents.get(document);
        place.is_some_and(|place| place.standing.need(basis).is_some_and(hit))
    }
}
