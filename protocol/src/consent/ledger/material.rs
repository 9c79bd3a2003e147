//! What of a document is materialised, and where the next link of a chain goes.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};

use super::{
    ContentFacts, Material,
    authority::{At, Authority},
    entries::{Entries, Nth},
};
use crate::{
    author::NextLink,
    consent::status::Status,
    id::{DeviceId, EnvelopeId, EventId, PrincipalId},
    limits::FRONTIER_MAX,
    logs::{Frontiers, LogId},
    planted::{self, Planted},
};

impl Entries {
    /// The status of an entry whose document is up to date.
    pub(super) fn status(&self, a: &Authority, at: Nth) -> Status {
        let held = &self.held[at];
        match &held.verdict {
            None => Status::Pending(self.missing(a, at)),
            Some(Err(fault)) => Status::Invalid(fault.clone()),
            Some(Ok(_)) => held.fate.status.clone().unwrap_or(Status::Accepted),
        }
    }

    /// Every entry of a document: by steps from the beginning and id, waiting ones last.
    pub(super) fn in_order(&self, document: &DocumentId) -> Vec<Nth> {
        let place = self.documents.get(document);
        let mut all = place.map(|place| place.all.clone()).unwrap_or_default();
        all.sort_by_key(|at| {
            let held = &self.held[*at];
            (held.verdict.is_none(), held.generation, held.id)
        });
        all
    }

    /// The loaded entries in causal order, those that cannot be read left out.
    fn loaded(&self, document: &DocumentId) -> Vec<Nth> {
        let loaded = |at: &Nth| {
            let held = &self.held[*at];
            held.fate.loaded
                && matches!(held.verdict, Some(Ok(_)))
                && !matches!(held.fate.status, Some(Status::Unreadable(_)))
        };
        self.in_order(document).into_iter().filter(loaded).collect()
    }

    pub(super) fn material(&self, document: &DocumentId) -> Material {
        let loaded = self.loaded(document);
        let losers = self.losers(document, &loaded);
        let ids = |all: Vec<Nth>| all.into_iter().map(|at| self.held[at].id).collect();
        let sides = losers
            .iter()
            .map(|loser| ids(self.side(*loser, &losers, &loaded)))
            .collect();
        Material {
            main: ids(self.without(&losers, &loaded)),
            sides,
        }
    }

    pub(super) fn heads(&self, document: &DocumentId) -> Vec<EnvelopeId> {
        let loaded = self.loaded(document);
        let losers = self.losers(document, &loaded);
        let main = self.without(&losers, &loaded);
        let built_on: BTreeSet<_> = main.iter().flat_map(|at| &self.held[*at].deps).collect();
        let heads = main.iter().filter(|at| !built_on.contains(at));
        let mut heads: Vec<_> = heads.map(|at| self.held[*at].id).collect();
        heads.sort_unstable();
        heads
    }

    /// Of each set of loaded changes with one actor and seq, all but the one with the lowest id.
    fn losers(&self, document: &DocumentId, loaded: &[Nth]) -> Vec<Nth> {
        let twins = self
            .documents
            .get(document)
            .is_some_and(|place| place.twins);
        if !twins {
            return Vec::new();
        }
        let mut by_actor = BTreeMap::<_, Vec<Nth>>::new();
        for at in loaded {
            let held = &self.held[*at];
            if let ContentFacts::Change { actor_seq, .. } = held.facts {
                let actor = (held.header.value().actor().0, actor_seq);
                by_actor.entry(actor).or_default().push(*at);
            }
        }
        let mut losers = Vec::new();
        for mut twins in by_actor.into_values() {
            twins.sort_by_key(|at| self.held[*at].id);
            losers.extend(twins.into_iter().skip(1));
        }
        losers.sort_by_key(|at| self.held[*at].id);
        losers
    }

    /// What does not build on a loser.
    fn without(&self, losers: &[Nth], loaded: &[Nth]) -> Vec<Nth> {
        if losers.is_empty() {
            return loaded.to_vec();
        }
        let mut out: BTreeSet<_> = losers.iter().copied().collect();
        let mut main = Vec::new();
        for at in loaded {
            let held = &self.held[*at];
            if out.contains(at) || held.deps.iter().any(|dep| out.contains(dep)) {
                out.insert(*at);
            } else {
                main.push(*at);
            }
        }
        main
    }

    /// A loser with its ancestors, and what builds on it and on no other twin beside it.
    fn side(&self, loser: Nth, losers: &[Nth], loaded: &[Nth]) -> Vec<Nth> {
        let mut below = BTreeSet::new();
        self.walk(&[loser], |at| below.insert(at));
        let others: Vec<_> = losers
            .iter()
            .copied()
            .filter(|other| !below.contains(other))
            .collect();
        let mut inside = below;
        let mut above: BTreeSet<_> = [loser].into();
        for at in loaded {
            let deps = &self.held[*at].deps;
            if !others.contains(at) && deps.iter().any(|dep| above.contains(dep)) {
                above.insert(*at);
                self.walk(&[*at], |at| inside.insert(at));
            }
        }
        loaded
            .iter()
            .copied()
            .filter(|at| inside.contains(at))
            .collect()
    }

    pub(super) fn next(
        &self,
        device: DeviceId,
        epoch: u32,
        document: &DocumentId,
    ) -> NextLink<EnvelopeId> {
        let chain = self.chains.get(&(document.clone(), device, epoch));
        let chain = chain.filter(|_| !planted::is(Planted::SequenceReused));
        let valid = |at: &&Nth| matches!(self.held[**at].verdict, Some(Ok(_)));
        let last = chain
            .into_iter()
            .flat_map(|links| links.iter().rev())
            .find_map(|(_, branches)| {
                let ids = branches.iter().filter(valid).copied();
                ids.min_by_key(|at| self.held[*at].id)
            });
        last.map_or(NextLink::FIRST, |at| {
            NextLink::after(self.held[at].header.value().seq, self.held[at].id)
        })
    }
}

impl Authority {
    /// The heads of the core log, of a label's log and of a principal's own log.
    pub(super) fn frontiers(&self, label: Option<&Label>, principal: &PrincipalId) -> Frontiers {
        let core = self.log_heads(|log| matches!(log, LogId::Core(_)));
        let label = self.log_heads(
            |log| matches!((log, label), (LogId::Label(_, of), Some(label)) if of == label),
        );
        let mut frontiers = Frontiers {
            core,
            label,
            principal: self.own_frontiers(principal).principal,
        };
        trim(&mut frontiers);
        frontiers
    }

    /// The heads of a principal's own log.
    pub(super) fn own_frontiers(&self, principal: &PrincipalId) -> Frontiers {
        Frontiers {
            principal: self.log_heads(|log| matches!(log, LogId::Principal(of) if of == principal)),
            ..Frontiers::default()
        }
    }

    /// The valid events of some log that no other of them has seen, ascending.
    fn log_heads(&self, is_in: impl Fn(&LogId) -> bool) -> Vec<EventId> {
        let inside: Vec<At> = self
            .valid
            .iter()
            .filter(|at| is_in(&self.event(*at).log))
            .collect();
        let mut seen = super::past::Past::default();
        for past in inside.iter().filter_map(|at| self.past(*at)) {
            seen.unite(past);
        }
        let heads = inside.into_iter().filter(|at| !seen.contains(*at));
        let mut heads: Vec<_> = heads.map(|at| self.id(at)).collect();
        heads.sort_unstable();
        heads
    }

    pub(super) fn next(&self, device: DeviceId, log: &LogId) -> NextLink<EventId> {
        let same = |at: &At| {
            let event = self.event(*at);
            let begins = event.log == LogId::Core(None)
                && matches!(log, LogId::Core(Some(record)) if *record == self.record);
            event.device == device && (event.log == *log || begins)
        };
        let last = self.valid.iter().filter(same);
        let last = last.max_by_key(|at| (self.event(*at).seq, std::cmp::Reverse(self.id(*at))));
        last.map_or(NextLink::FIRST, |at| {
            NextLink::after(self.event(at).seq, self.id(at))
        })
    }
}

/// An author cites at most 16 heads: of more, those of its own log and of the core log first.
fn trim(frontiers: &mut Frontiers) {
    let own = frontiers.principal.len().min(FRONTIER_MAX);
    frontiers.principal.truncate(own);
    frontiers.core.truncate(FRONTIER_MAX - own);
    let left = FRONTIER_MAX - own - frontiers.core.len();
    frontiers.label.truncate(left);
}
