//! The choices that people have when they stop someone: what of it stands.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Label;

use super::{
    Ledger,
    authority::{Acting, At, Authority, Chain, place_of},
    entries::{Entries, Nth},
};
use crate::{
    consent::{
        cut::{CutPart, CutPlace, CutPosition, CutTree},
        status::{Cause, Status},
    },
    id::{DeviceId, EnvelopeId, EventId},
    logs::record::Link,
};

impl Ledger {
    /// "Keep everything they did so far": the parts of a cut at the last entry of each chain that
    /// is loaded and not marked, and at the last event.
    pub fn keep_everything(&mut self, link: Link) -> Vec<CutPart> {
        self.keep_until(link, u64::MAX, &[])
    }

    /// "Keep nothing after DATE": the same up to the first entry or event that claims to be later.
    pub fn keep_none_after(&mut self, link: Link, date_ms: u64) -> Vec<CutPart> {
        self.keep_until(link, date_ms, &[])
    }

    /// The same up to a date, in an event that takes the place of some of `awaited` and says of the
    /// others that they do not hold: what is marked because of one of them alone counts.
    pub fn keep_instead(&mut self, link: Link, date_ms: u64, awaited: &[EventId]) -> Vec<CutPart> {
        self.keep_until(link, date_ms, awaited)
    }

    pub(super) fn keep_until(
        &mut self,
        link: Link,
        date_ms: u64,
        awaited: &[EventId],
    ) -> Vec<CutPart> {
        let documents = self.documents();
        for document in &documents {
            self.entries.refresh(&mut self.authority, document);
        }
        let mut places = self.logs();
        for (document, device, epoch) in self.entries.chains.keys() {
            let chain = (document, *device, *epoch);
            let kept = self
                .entries
                .kept(&self.authority, link, chain, date_ms, awaited);
            if !kept.is_empty() {
                let place = CutPlace::Document(document.clone());
                places.entry(place).or_default().extend(kept);
            }
        }
        for (place, position) in self.authority.kept(link, date_ms) {
            places.entry(place).or_default().insert(position);
        }
        let record = self.authority.record;
        let part = |(place, chains): (_, BTreeSet<_>)| CutPart {
            record,
            place,
            chains: chains.into_iter().collect(),
            documents: Vec::new(),
        };
        CutTree::new(places.into_iter().map(part)).parts().to_vec()
    }

    /// Every log of the record with no position yet: a part that says "nothing" ends the waiting
    /// for one.
    fn logs(&self) -> BTreeMap<CutPlace, BTreeSet<CutPosition>> {
        let documents = self.entries.documents.keys();
        let labels = documents.map(|document| CutPlace::Label(document.label.clone()));
        let events = self.authority.valid.iter();
        let logs = events.filter_map(|at| place_of(&self.authority.event(at).log));
        let known = [CutPlace::Core, CutPlace::Label(Label::general())];
        labels
            .chain(logs)
            .chain(known)
            .map(|place| (place, BTreeSet::new()))
            .collect()
    }
}

impl Entries {
    /// The last entry to keep of each branch of a chain. What is marked only because a part of
    /// the cut of one of `awaited` is not held, or because that waits itself, is kept too.
    pub(super) fn kept(
        &self,
        a: &Authority,
        link: Link,
        chain: (&kith_crdt::DocumentId, DeviceId, u32),
        date_ms: u64,
        awaited: &[EventId],
    ) -> Vec<CutPosition> {
        let (document, device, epoch) = chain;
        let links = self.chains.get(&(document.clone(), device, epoch));
        let all: Vec<Nth> = links
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .copied()
            .collect();
        let mut in_time = BTreeSet::new();
        for at in &all {
            let header = self.held[*at].header.value();
            let before = header.prev.and_then(|id| self.index.get(&id));
            if header.time_ms <= date_ms && before.is_none_or(|at| in_time.contains(at)) {
                in_time.insert(*at);
            }
        }
        let keeps = |at: &Nth| {
            let held = &self.held[*at];
            let concerned = match &held.verdict {
                Some(Ok(basis)) => touches(a, &self.bases.get(*basis).chain, link),
                Some(Err(_)) | None => false,
            };
            let counts = match &held.fate.status {
                Some(Status::Accepted) => true,
                Some(Status::Marked(Cause::PartMissing(of) | Cause::Suspended(of))) => {
                    awaited.contains(of)
                }
                Some(
                    Status::Marked(_)
                    | Status::Contested(_)
                    | Status::Invalid(_)
                    | Status::Pending(_)
                    | Status::Unreadable(_),
                )
                | None => false,
            };
            concerned && counts && in_time.contains(at)
        };
        let mut below = BTreeSet::new();
        let mut last = Vec::new();
        for at in all.iter().rev().copied().filter(keeps) {
            if below.contains(&at) {
                continue;
            }
            last.push(at);
            let before = |at: &Nth| {
                self.index
                    .get(&self.held[*at].header.value().prev?)
                    .copied()
            };
            below.extend(std::iter::successors(Some(at), before));
        }
        let position = |at: Nth| CutPosition {
            device,
            epoch,
            seq: self.held[at].header.value().seq,
            id: self.held[at].id,
        };
        last.into_iter().map(position).collect()
    }
}

impl Authority {
    /// The last event to keep of each branch of the chains that a link signed or stands above.
    fn kept(&self, link: Link, date_ms: u64) -> Vec<(CutPlace, CutPosition)> {
        let concerned = |at: &At| {
            let standing = self.standing(*at);
            standing.is_some_and(|standing| touches(self, &standing.chain, link))
                && place_of(&self.event(*at).log).is_some()
        };
        let mut events: Vec<_> = self.valid.iter().filter(concerned).collect();
        events.sort_by_key(|at| self.event(*at).seq);
        let before = |at: &At| self.event(*at).prev.and_then(|id| self.at(&id));
        let mut in_time = BTreeSet::new();
        for at in &events {
            let timely = |at: At| self.event(at).time_ms <= date_ms;
            if std::iter::successors(Some(*at), before).all(timely) {
                in_time.insert(*at);
            }
        }
        let mut below = BTreeSet::new();
        let mut last = Vec::new();
        for at in events.into_iter().rev().filter(|at| in_time.contains(at)) {
            if below.contains(&at) {
                continue;
            }
            below.extend(std::iter::successors(Some(at), before));
            let event = self.event(at);
            let position = CutPosition {
                device: event.device,
                epoch: 0,
                seq: event.seq,
                id: EnvelopeId::from_bytes(*self.id(at).as_bytes()),
            };
            last.extend(place_of(&event.log).map(|place| (place, position)));
        }
        last
    }
}

/// Whether a chain passes through a link.
pub(super) fn touches(a: &Authority, chain: &Chain, link: Link) -> bool {
    let grants = match &chain.acting {
        Acting::Grant(grant) => a.right(*grant).map(|right| right.lineage.clone()),
        Acting::Root(_) | Acting::Own | Acting::Quorum => None,
    };
    let grants = grants.unwrap_or_default();
    let signed = |by: &dyn Fn(&Chain) -> bool| {
        by(chain)
            || grants
                .iter()
                .any(|at| a.standing(*at).is_some_and(|standing| by(&standing.chain)))
    };
    match link {
        Link::Grant(id) => grants.iter().any(|at| a.id(*at) == id),
        Link::Device(device) => signed(&|chain| descends(a, chain, device)),
        Link::Staff(staff) => signed(&|chain| chain.staff == Some(staff)),
        Link::Root => chain.acting != Acting::Own && chain.acting != Acting::Quorum,
    }
}

/// Whether a signer is this device, or was added by it or by a device that it added.
fn descends(a: &Authority, chain: &Chain, device: DeviceId) -> bool {
    let certs = chain.device_certs.iter().chain(&chain.staff_certs);
    let mut above = certs.filter_map(|cert| a.standing(*cert));
    chain.device == device || above.any(|standing| descends(a, &standing.chain, device))
}
