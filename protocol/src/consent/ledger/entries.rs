//! The entries that are held, each judged by its own past.

mod basis;
mod content;
mod interned;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};

use self::basis::basis;
pub(super) use self::{
    basis::{allows, closure, until},
    interned::Interned,
};
use super::{
    ContentFacts,
    authority::{Acting, At, Authority, Chain},
    document::{Fate, Standings},
    judge,
    past::Past,
};
use crate::{
    consent::{
        grant::Actions,
        status::{Fault, Missing},
    },
    envelope::{Content, Header},
    id::{DeviceId, EnvelopeId, EventId, PrincipalId, StaffId},
    logs::Frontiers,
    planted::{self, Planted},
    signed::Verified,
};

/// Numbers entries by the order of their arrival; nothing that is told depends on it.
pub(super) type Nth = usize;

/// Every entry of a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    pub(super) held: Vec<Held>,
    pub(super) index: BTreeMap<EnvelopeId, Nth>,
    waiting: BTreeMap<Missing, BTreeSet<Nth>>,
    pub(super) documents: BTreeMap<DocumentId, Place>,
    /// Everything held of a chain: (device, epoch, document) and seq.
    pub(super) chains: BTreeMap<(DocumentId, DeviceId, u32), BTreeMap<u64, Vec<Nth>>>,
    pasts: Interned<Past>,
    cited: BTreeMap<(Frontiers, Option<EventId>), usize>,
    united: BTreeMap<(usize, usize), usize>,
    pub(super) bases: Interned<Basis>,
    judged: BTreeMap<Signing, Result<usize, Fault>>,
}

/// What of one document is held and whole, in causal order.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Judged entries; everything that one names stands before it.
    pub(super) order: Vec<Nth>,
    /// Everything, in any order.
    pub(super) all: Vec<Nth>,
    by_hash: BTreeMap<[u8; 32], Vec<Nth>>,
    pub(super) by_actor: BTreeMap<([u8; 16], u64), Vec<Nth>>,
    /// Whether some actor used a seq twice.
    pub(super) twins: bool,
    /// Who adopts what, by the entry adopted.
    pub(super) adopters: BTreeMap<EnvelopeId, Vec<Nth>>,
    pub(super) standing: Standings,
}

/// An entry with what was found out about it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) id: EnvelopeId,
    pub(super) header: Verified<Header>,
    pub(super) facts: ContentFacts,
    pub(super) deps: Vec<Nth>,
    /// Steps from the beginning of the document; 0 while it waits.
    pub(super) generation: u32,
    cited: usize,
    past: usize,
    /// `None` while it waits; otherwise the number of its basis.
    pub(super) verdict: Option<Result<usize, Fault>>,
    pub(super) fate: Fate,
}

/// On what authority an entry stands, and until when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Basis {
    pub(super) chain: Chain,
    pub(super) until_ms: Option<u64>,
    pub(super) late: bool,
}

/// Who signed, under what, having seen what.
type Signing = (
    usize,
    PrincipalId,
    DeviceId,
    Option<StaffId>,
    Option<EventId>,
    Label,
);

impl Entries {
    /// Takes an entry in and judges it and whatever waited for it. Tells whether it was new.
    pub(super) fn add(
        &mut self,
        a: &mut Authority,
        header: Verified<Header>,
        facts: ContentFacts,
    ) -> bool {
        let id = header.id();
        if let Some(at) = self.index.get(&id)
            && !planted::is(Planted::ReplayTaken)
        {
            return self.learn(*at, facts);
        }
        let at = self.held.len();
        let named = header.value();
        let chain = (named.document.clone(), named.device, named.epoch);
        let links = self.chains.entry(chain).or_default();
        links.entry(named.seq).or_default().push(at);
        let place = self.documents.entry(named.document.clone()).or_default();
        place.all.push(at);
        self.held.push(Held {
            id,
            header,
            facts,
            deps: Vec::new(),
            generation: 0,
            cited: 0,
            past: 0,
            verdict: None,
            fate: Fate::default(),
        });
        self.index.insert(id, at);
        self.judge_from(a, vec![at]);
        true
    }

    /// An entry that this build could not read, or whose payload was erased, may come again with
    /// other facts: the newest build's word counts.
    pub(super) fn learn(&mut self, at: Nth, facts: ContentFacts) -> bool {
        if self.held[at].facts == facts {
            return false;
        }
        self.held[at].facts = facts;
        true
    }

    /// Whether some entry had seen an event.
    pub(super) fn any_saw(&self, at: At) -> bool {
        self.pasts.values.iter().any(|past| past.contains(at))
    }

    /// Whether an entry had seen an event.
    pub(super) fn saw(&self, entry: &EnvelopeId, event: At) -> bool {
        let at = self.index.get(entry).map(|at| &self.held[*at]);
        at.is_some_and(|held| {
            matches!(held.verdict, Some(Ok(_))) && self.pasts.get(held.past).contains(event)
        })
    }

    /// Adds what these entries had seen.
    pub(super) fn unite_pasts(&self, entries: &[EnvelopeId], past: &mut Past) {
        for at in entries.iter().filter_map(|id| self.index.get(id)) {
            past.unite(self.pasts.get(self.held[*at].past));
        }
    }

    /// Judges what waited for events that were judged now.
    pub(super) fn wake(&mut self, a: &mut Authority, events: &[EventId]) {
        let mut ready = Vec::new();
        for id in events {
            ready.extend(
                self.waiting
                    .remove(&Missing::Event(*id))
                    .unwrap_or_default(),
            );
        }
        if !ready.is_empty() {
            self.judge_from(a, ready);
        }
    }

    /// Judges everything anew, after the events were.
    pub(super) fn judge_again(&mut self, a: &mut Authority) {
        let (cited, judged) = (std::mem::take(&mut self.cited), &mut self.judged);
        drop(cited);
        judged.clear();
        self.united.clear();
        self.pasts = Interned::default();
        self.bases = Interned::default();
        self.waiting.clear();
        for place in self.documents.values_mut() {
            let all = std::mem::take(&mut place.all);
            *place = Place {
                all,
                ..Place::default()
            };
        }
        for held in &mut self.held {
            held.verdict = None;
        }
        self.judge_from(a, (0..self.held.len()).rev().collect());
    }

    fn judge_from(&mut self, a: &mut Authority, mut ready: Vec<Nth>) {
        while let Some(at) = ready.pop() {
            if self.held[at].verdict.is_some() {
                continue;
            }
            if let Some(missing) = self.missing(a, at).into_iter().next() {
                self.waiting.entry(missing).or_default().insert(at);
                continue;
            }
            let verdict = self.judge(a, at);
            self.held[at].verdict = Some(verdict);
            self.enter(at);
            let id = Missing::Entry(self.held[at].id);
            ready.extend(self.waiting.remove(&id).unwrap_or_default());
        }
    }

    /// What an entry waits for, ascending.
    pub(super) fn missing(&self, a: &Authority, at: Nth) -> Vec<Missing> {
        let header = self.held[at].header.value();
        let event = |id: &&EventId| {
            let at = a.at(id);
            at.is_none_or(|at| a.known[at].judged.is_none())
        };
        let entry = |id: &&EnvelopeId| {
            let at = self.index.get(id);
            at.is_none_or(|at| self.held[*at].verdict.is_none())
        };
        let events = header.frontiers.iter().chain(&header.grant);
        let entries = header.deps.iter().chain(&header.prev);
        let events = events.filter(event).map(|id| Missing::Event(*id));
        let entries = entries.filter(entry).map(|id| Missing::Entry(*id));
        let missing: BTreeSet<_> = events.chain(entries).collect();
        missing.into_iter().collect()
    }

    /// Gives a judged entry its place in the order of its document.
    fn enter(&mut self, at: Nth) {
        let held = &self.held[at];
        let place = self
            .documents
            .entry(held.header.value().document.clone())
            .or_default();
        place.order.push(at);
        if held.verdict.as_ref().is_none_or(Result::is_err) {
            return;
        }
        if let ContentFacts::Change {
            hash, actor_seq, ..
        } = &held.facts
        {
            place.by_hash.entry(*hash).or_default().push(at);
            let actor = (held.header.value().actor().0, *actor_seq);
            let twins = place.by_actor.entry(actor).or_default();
            twins.push(at);
            place.twins |= twins.len() > 1;
        }
        if let Content::Adopt { entries } = &held.header.value().content {
            for id in entries {
                place.adopters.entry(*id).or_default().push(at);
            }
        }
    }

    fn judge(&mut self, a: &mut Authority, at: Nth) -> Result<usize, Fault> {
        let header = self.held[at].header.clone();
        let header = header.value();
        let named = header.deps.iter().chain(&header.prev);
        let named: Vec<_> = named.map(|id| self.index[id]).collect();
        let deps: Vec<_> = header.deps.iter().map(|id| self.index[id]).collect();
        let generation = named.iter().map(|at| self.held[*at].generation).max();
        self.held[at].generation = generation.unwrap_or(0) + 1;
        self.held[at].deps.clone_from(&deps);
        let built_on_fault = |at: &Nth| !matches!(self.held[*at].verdict, Some(Ok(_)));
        if named.iter().any(built_on_fault) {
            return Err(Fault::BuildsOnFault);
        }
        self.names_fit(a, header, &named)?;
        let past = self.seen(a, at, &named)?;
        let basis = self.authority(a, header, past)?;
        self.in_scope(a, header, basis)?;
        self.content_fits(at, &deps)?;
        Ok(basis)
    }

    fn names_fit(&self, a: &Authority, header: &Header, named: &[Nth]) -> Result<(), Fault> {
        let here = |at: &Nth| self.held[*at].header.value().document == header.document;
        let label = Some(&header.document.label);
        let fits = header.record == a.record
            && named.iter().all(here)
            && judge::frontiers_fit(a, &header.frontiers, header.author, label);
        if !fits {
            return Err(Fault::Elsewhere);
        }
        let follows = match header
            .prev
            .map(|id| self.held[self.index[&id]].header.value())
        {
            None => header.seq == 0,
            Some(prev) => {
                prev.device == header.device
                    && prev.epoch == header.epoch
                    && prev.seq.checked_add(1) == Some(header.seq)
            }
        };
        follows.then_some(()).ok_or(Fault::Chain)
    }

    /// The number of an entry's past, which must cite no less than what it builds on cited.
    fn seen(&mut self, a: &Authority, at: Nth, named: &[Nth]) -> Result<usize, Fault> {
        let header = self.held[at].header.value();
        let cited = self.cited(a, &header.frontiers.clone(), header.grant);
        let genesis = EventId::from_bytes(*a.record.as_bytes());
        let begun = a
            .at(&genesis)
            .is_some_and(|at| self.pasts.get(cited).contains(at));
        if !begun {
            return Err(Fault::Elsewhere);
        }
        let author = self.held[at].header.value().author;
        let mut past = cited;
        for before in named {
            let held = &self.held[*before];
            if held.cited != cited && !self.cites_all(a, cited, held.header.value(), author) {
                return Err(Fault::OldFrontier);
            }
            past = self.unite(past, self.held[*before].past);
        }
        self.held[at].cited = cited;
        self.held[at].past = past;
        Ok(past)
    }

    fn cites_all(&self, a: &Authority, cited: usize, of: &Header, author: PrincipalId) -> bool {
        let cited = self.pasts.get(cited);
        let own = if of.author == author {
            of.frontiers.principal.as_slice()
        } else {
            &[]
        };
        let heads = of.frontiers.core.iter().chain(&of.frontiers.label);
        let mut heads = heads.chain(own);
        heads.all(|id| a.at(id).is_some_and(|at| cited.contains(at)))
    }

    fn cited(&mut self, a: &Authority, frontiers: &Frontiers, grant: Option<EventId>) -> usize {
        let key = (frontiers.clone(), grant);
        if let Some(number) = self.cited.get(&key) {
            return *number;
        }
        let heads = frontiers.iter().chain(&grant);
        let past = closure(a, heads);
        let number = self.pasts.number(past);
        self.cited.insert(key, number);
        number
    }

    fn unite(&mut self, one: usize, other: usize) -> usize {
        if one == other {
            return one;
        }
        let key = (one.min(other), one.max(other));
        if let Some(number) = self.united.get(&key) {
            return *number;
        }
        let mut past = self.pasts.get(one).clone();
        past.unite(self.pasts.get(other));
        let number = self.pasts.number(past);
        self.united.insert(key, number);
        number
    }

    /// The number of the authority on which an entry stands.
    fn authority(
        &mut self,
        a: &mut Authority,
        header: &Header,
        past: usize,
    ) -> Result<usize, Fault> {
        let key = (
            past,
            header.author,
            header.device,
            header.staff,
            header.grant,
            header.document.label.clone(),
        );
        if let Some(known) = self.judged.get(&key) {
            return known.clone();
        }
        let seen = self.pasts.get(past).clone();
        let basis = basis(a, header, &seen).map(|basis| self.bases.number(basis));
        self.judged.insert(key, basis.clone());
        basis
    }

    fn in_scope(&self, a: &Authority, header: &Header, basis: usize) -> Result<(), Fault> {
        let chain = &self.bases.get(basis).chain;
        let wants: &[Actions] = match &header.content {
            Content::Adopt { .. } if planted::is(Planted::AdoptedUnasked) => &[Actions::APPEND],
            Content::Adopt { .. } => &[Actions::REVIEW.union(Actions::APPEND)],
            Content::Change(_) | Content::CarryOver { .. } | Content::Erased { .. } => {
                &[Actions::APPEND, Actions::EDIT]
            }
        };
        let allowed = |action: &Actions| allows(a, chain, &header.document, *action);
        if !wants.iter().any(allowed) || !header.purpose.is_one() {
            return Err(Fault::Scope);
        }
        match &chain.acting {
            Acting::Grant(grant) => {
                let right = a.right(*grant).ok_or(Fault::Grant)?;
                let fits = right.purposes.contains(header.purpose);
                fits.then_some(()).ok_or(Fault::Scope)
            }
            Acting::Root(_) | Acting::Own | Acting::Quorum => Ok(()),
        }
    }
}
