//! Whether what an entry carries fits what it builds on.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;

use super::{ContentFacts, Entries, Nth};
use crate::{consent::status::Fault, envelope::Content};

impl Entries {
    pub(super) fn content_fits(&self, at: Nth, deps: &[Nth]) -> Result<(), Fault> {
        let held = &self.held[at];
        match &held.facts {
            ContentFacts::Refused(why) => Err(Fault::Content(why.clone())),
            ContentFacts::Change { deps: built_on, .. } => {
                let carried =
                    |hash: &[u8; 32]| self.carries(&held.header.value().document, deps, hash);
                if !built_on.iter().all(carried) {
                    return Err(Fault::ForeignChange);
                }
                self.no_twins_below(at)
            }
            ContentFacts::None | ContentFacts::Erased | ContentFacts::Unreadable(_) => {
                self.erases_own(at)?;
                self.no_twins_below(at)
            }
        }
    }

    /// Whether one of these entries or an ancestor carries the change with this hash. The hash of
    /// an erased change is not known: it may be any.
    fn carries(&self, document: &DocumentId, deps: &[Nth], hash: &[u8; 32]) -> bool {
        let place = self.documents.get(document);
        let known = place.and_then(|place| place.by_hash.get(hash));
        let direct = |at: &Nth| known.is_some_and(|known| known.contains(at));
        if deps.iter().any(direct) {
            return true;
        }
        let least = known
            .into_iter()
            .flatten()
            .map(|at| self.held[*at].generation);
        let mut found = false;
        if let Some(least) = least.min() {
            self.walk(deps, |at| {
                found |= direct(&at);
                !found && self.held[at].generation > least
            });
        }
        found || self.is_above_unknown(deps)
    }

    fn is_above_unknown(&self, deps: &[Nth]) -> bool {
        let mut found = false;
        self.walk(deps, |at| {
            found |= match self.held[at].facts {
                ContentFacts::Erased | ContentFacts::Unreadable(_) => true,
                ContentFacts::None | ContentFacts::Change { .. } | ContentFacts::Refused(_) => {
                    false
                }
            };
            !found
        });
        found
    }

    /// Visits entries and their ancestors once each, while `on` says so.
    pub(in crate::consent::ledger) fn walk(&self, from: &[Nth], mut on: impl FnMut(Nth) -> bool) {
        let mut seen = BTreeSet::new();
        let mut next = from.to_vec();
        while let Some(at) = next.pop() {
            if seen.insert(at) && on(at) {
                next.extend(&self.held[at].deps);
            }
        }
    }

    /// An entry above two changes with one actor and seq cannot be materialised by anyone.
    fn no_twins_below(&self, at: Nth) -> Result<(), Fault> {
        let held = &self.held[at];
        let Some(place) = self.documents.get(&held.header.value().document) else {
            return Ok(());
        };
        let mut actors = BTreeSet::new();
        if let ContentFacts::Change { actor_seq, .. } = held.facts {
            actors.insert((held.header.value().actor().0, actor_seq));
        }
        // Each dependency has no twins below it: only a merge or its own change can bring two
        // together.
        let merges = place.twins && held.deps.len() > 1;
        if !merges && !actors.iter().any(|own| place.by_actor.contains_key(own)) {
            return Ok(());
        }
        let mut twice = false;
        self.walk(&held.deps, |at| {
            let held = &self.held[at];
            if let ContentFacts::Change { actor_seq, .. } = held.facts {
                twice |= !actors.insert((held.header.value().actor().0, actor_seq));
            }
            !twice
        });
        (!twice).then_some(()).ok_or(Fault::Sense)
    }

    /// Only its author's organisation or a controller erases an entry, and only one that it has
    /// seen.
    fn erases_own(&self, at: Nth) -> Result<(), Fault> {
        let held = &self.held[at];
        let Content::Erased { entries, .. } = &held.header.value().content else {
            return Ok(());
        };
        let controls = held.header.value().grant.is_none();
        let mut left: BTreeSet<_> = entries.iter().copied().collect();
        self.walk(&held.deps, |at| {
            let below = &self.held[at];
            if controls || below.header.value().author == held.header.value().author {
                left.remove(&below.id);
            }
            !left.is_empty()
        });
        left.is_empty().then_some(()).ok_or(Fault::Scope)
    }
}
