//! What becomes of the entries of one document (C, D and E).
//!
//! An entry is loaded if it is clear, adopted, or has a loaded child. An entry that changes no
//! other's fate gets its own and costs nothing more: one on loaded ancestors, or one that is
//! contested. Anything else works the document out again, in one pass upward and one downward.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kith_crdt::DocumentId;

use super::{
    ContentFacts,
    authority::{At, Authority},
    custodians::{Bounded, OwnPart, Said, is_entrusted, own_part},
    entries::{Entries, Held, Nth},
    need::{Coverage, Need},
};
use crate::{
    consent::{
        cut::{CutPlace, CutPosition},
        status::{Cause, Status},
    },
    envelope::Content,
    id::{DeviceId, EnvelopeId, EventId},
    planted::{self, Planted},
};

/// What the present view makes of an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    /// What is against it on its own.
    pub(super) own: Option<Cause>,
    pub(super) loaded: bool,
    /// Whether someone's adoption counts, and whether that adoption is itself unmarked.
    pub(super) adopted: Option<bool>,
    pub(super) status: Option<Status>,
}

/// What was worked out of a document, and from what.
#[derive(Clone, Debug, Default)]
pub(super) struct Standings {
    needs: BTreeMap<usize, Arc<Need>>,
    changes: u64,
    part_changes: u64,
    /// How many of its entries in order have their fate.
    done: usize,
    dirty: bool,
    memo: Memo,
    /// Of each device, how many entries are contested or break a rule.
    aside: BTreeMap<DeviceId, usize>,
}

/// What was read of the cuts of revocations in one document.
#[derive(Clone, Debug, Default)]
struct Memo {
    positions: BTreeMap<At, Option<Vec<Bounded>>>,
    /// What custodians say of the document that counts.
    words: BTreeMap<EventId, Said>,
    branches: BTreeMap<EnvelopeId, BTreeSet<Nth>>,
    /// Entries that a cut names and that are not held: when one comes, what lies below it is known.
    awaited: BTreeSet<EnvelopeId>,
}

/// What the cuts of revocations say of one document.
struct Cuts<'a> {
    entries: &'a Entries,
    authority: &'a Authority,
    place: CutPlace,
    memo: &'a mut Memo,
}

impl Standings {
    /// How many entries of a device are contested or break a rule.
    pub(super) fn set_aside(&self, device: DeviceId) -> usize {
        self.aside.get(&device).copied().unwrap_or(0)
    }

    /// What a basis in use needs to be clear.
    pub(super) fn need(&self, basis: usize) -> Option<&Need> {
        self.needs.get(&basis).map(Arc::as_ref)
    }

    fn put_aside(&mut self, device: DeviceId) {
        *self.aside.entry(device).or_default() += 1;
    }
}

impl Entries {
    /// Brings the fates of a document's entries up to date.
    pub(super) fn refresh(&mut self, a: &mut Authority, document: &DocumentId) {
        let Some(place) = self.documents.get_mut(document) else {
            return;
        };
        let order = std::mem::take(&mut place.order);
        let mut standing = std::mem::take(&mut place.standing);
        self.renew_needs(a, document, &order, &mut standing);
        while !standing.dirty && standing.done < order.len() {
            let at = order[standing.done];
            if self.add_alone(a, at, &mut standing) {
                standing.done += 1;
            } else {
                standing.dirty = true;
            }
        }
        if standing.dirty {
            self.work_out(a, document, &order, &mut standing);
            standing.done = order.len();
            standing.dirty = false;
        }
        if let Some(place) = self.documents.get_mut(document) {
            place.order = order;
            place.standing = standing;
        }
    }

    /// What each basis in use needs in the present view; where that changed, the document is
    /// worked out again.
    fn renew_needs(
        &self,
        a: &mut Authority,
        document: &DocumentId,
        order: &[Nth],
        standing: &mut Standings,
    ) {
        let changed = standing.changes != a.changes;
        let bases = |at: &Nth| self.held[*at].verdict.as_ref()?.as_ref().ok().copied();
        let mut wanted: BTreeSet<_> = order[standing.done..].iter().filter_map(bases).collect();
        if changed {
            wanted.extend(standing.needs.keys().copied());
        } else {
            wanted.retain(|basis| !standing.needs.contains_key(basis));
        }
        for basis in wanted {
            let chain = self.bases.get(basis).chain.clone();
            let need = a.in_present_view(|view, a| {
                Need::all([view.need(a, &chain), view.lapses(a, &chain)])
            });
            let before = standing.needs.insert(basis, Arc::clone(&need));
            standing.dirty |= before.is_some_and(|before| before != need);
        }
        if changed {
            let words = a.words_on(document);
            if words != standing.memo.words {
                standing.memo.words = words;
                standing.memo.positions.clear();
                standing.dirty = true;
            }
        }
        let cut = standing.needs.values().any(|need| !need.is_clear());
        standing.dirty |= cut && standing.part_changes != a.part_changes;
        if standing.part_changes != a.part_changes {
            standing.memo.positions.clear();
        }
        standing.changes = a.changes;
        standing.part_changes = a.part_changes;
    }

    /// Gives an entry its fate where that changes no other's.
    fn add_alone(&mut self, a: &Authority, at: Nth, standing: &mut Standings) -> bool {
        let held = &self.held[at];
        if standing.memo.awaited.contains(&held.id) {
            return false;
        }
        let device = held.header.value().device;
        let Some(Ok(basis)) = held.verdict else {
            standing.put_aside(device);
            return true;
        };
        if !is_plain(held) || self.is_named_by_an_adoption(held) {
            return false;
        }
        let own = self.own_cause(a, at, basis, standing);
        let loaded = !own.is_some_and(Cause::is_hard);
        let readable = |at: &Nth| {
            let fate = &self.held[*at].fate;
            fate.loaded && !matches!(fate.status, Some(Status::Unreadable(_)))
        };
        if loaded && !held.deps.iter().all(readable) {
            return false;
        }
        let status = match own {
            None => Status::Accepted,
            Some(cause) if loaded => Status::Marked(cause),
            Some(cause) => Status::Contested(cause),
        };
        if !loaded {
            standing.put_aside(device);
        }
        self.held[at].fate = Fate {
            own,
            loaded,
            adopted: None,
            status: Some(status),
        };
        true
    }

    fn is_named_by_an_adoption(&self, held: &Held) -> bool {
        let place = self.documents.get(&held.header.value().document);
        place.is_some_and(|place| place.adopters.contains_key(&held.id))
    }

    /// What is against one entry on its own.
    fn own_cause(
        &self,
        a: &Authority,
        at: Nth,
        basis: usize,
        standing: &mut Standings,
    ) -> Option<Cause> {
        let held = &self.held[at];
        let need = standing.needs.get(&basis)?;
        let hit = if need.is_clear() {
            None
        } else {
            let mut cuts = Cuts {
                entries: self,
                authority: a,
                place: CutPlace::Document(held.header.value().document.clone()),
                memo: &mut standing.memo,
            };
            need.weigh(&|rev| a.id(rev), &mut |rev| cuts.cover(rev, at))
        };
        hit.max(self.after_end(held, basis))
    }

    fn after_end(&self, held: &Held, basis: usize) -> Option<Cause> {
        let basis = self.bases.get(basis);
        let basis = Some(basis).filter(|_| !planted::is(Planted::MarkForgotten))?;
        let after = basis.late
            || basis
                .until_ms
                .is_some_and(|end| held.header.value().time_ms > end);
        after.then_some(Cause::AfterEnd)
    }

    fn work_out(
        &mut self,
        a: &Authority,
        document: &DocumentId,
        order: &[Nth],
        standing: &mut Standings,
    ) {
        standing.aside.clear();
        standing.memo.awaited.clear();
        let valid = |at: &Nth| matches!(self.held[*at].verdict, Some(Ok(_)));
        let (order, faulty): (Vec<_>, Vec<_>) = order.iter().copied().partition(valid);
        for at in faulty {
            standing.put_aside(self.held[at].header.value().device);
        }
        let own: Vec<_> = order
            .iter()
            .map(|at| match self.held[*at].verdict {
                Some(Ok(basis)) => self.own_cause(a, *at, basis, standing),
                Some(Err(_)) | None => None,
            })
            .collect();
        for (at, own) in order.iter().zip(own) {
            self.held[*at].fate = Fate {
                own,
                ..Fate::default()
            };
        }
        self.load(&order);
        self.adopt(document, &order);
        for at in order {
            let status = self.status_of(at);
            if matches!(status, Status::Contested(_)) {
                standing.put_aside(self.held[at].header.value().device);
            }
            self.held[at].fate.status = Some(status);
        }
    }

    /// Every clear entry and all its ancestors (D).
    fn load(&mut self, order: &[Nth]) {
        for at in order.iter().rev() {
            let held = &mut self.held[*at];
            held.fate.loaded |= !held.fate.own.is_some_and(Cause::is_hard);
            if held.fate.loaded && !planted::is(Planted::ClosureBroken) {
                for dep in held.deps.clone() {
                    self.held[dep].fate.loaded = true;
                }
            }
        }
    }

    /// Every entry adopted by a clear entry of someone else, once all its ancestors are loaded.
    fn adopt(&mut self, document: &DocumentId, order: &[Nth]) {
        let Some(place) = self.documents.get(document) else {
            return;
        };
        if place.adopters.is_empty() {
            return;
        }
        let adopters = place.adopters.clone();
        for at in order {
            let held = &self.held[*at];
            let Some(by) = adopters.get(&held.id) else {
                continue;
            };
            let counts = |by: &&Nth| {
                let adopter = &self.held[**by];
                !adopter.fate.own.is_some_and(Cause::is_hard) && is_by_another(adopter, held)
            };
            let unmarked = by
                .iter()
                .filter(counts)
                .map(|by| self.held[*by].fate.own.is_none());
            let adopted = unmarked.max();
            let rooted = held.deps.iter().all(|dep| self.held[*dep].fate.loaded);
            if adopted.is_some() && rooted {
                let fate = &mut self.held[*at].fate;
                fate.adopted = adopted;
                fate.loaded = true;
            }
        }
    }

    /// E.
    fn status_of(&self, at: Nth) -> Status {
        let held = &self.held[at];
        if let ContentFacts::Unreadable(why) = &held.facts {
            return Status::Unreadable(why.clone());
        }
        let fate = &held.fate;
        if !fate.loaded {
            return Status::Contested(fate.own.unwrap_or(Cause::Ancestor));
        }
        let unreadable = held
            .deps
            .iter()
            .find_map(|dep| match &self.held[*dep].fate.status {
                Some(Status::Unreadable(why)) => Some(why.clone()),
                Some(
                    Status::Accepted
                    | Status::Marked(_)
                    | Status::Contested(_)
                    | Status::Invalid(_)
                    | Status::Pending(_),
                )
                | None => None,
            });
        if let Some(why) = unreadable {
            return Status::Unreadable(why);
        }
        match (fate.own, fate.adopted) {
            (None, _) | (Some(_), Some(true)) => Status::Accepted,
            (Some(cause), Some(false)) if cause.is_hard() => Status::Marked(Cause::Ancestor),
            (Some(cause), None) if cause.is_hard() => Status::Marked(Cause::Ancestor),
            (Some(cause), Some(false) | None) => Status::Marked(cause),
        }
    }
}

/// Whether an adoption is by someone other than the author: another principal, or another member
/// of the same organisation's staff.
fn is_by_another(adopter: &Held, of: &Held) -> bool {
    let (by, author) = (adopter.header.value(), of.header.value());
    let other_staff = match (by.staff, author.staff) {
        (Some(by), Some(author)) => by != author,
        (None, _) | (_, None) => false,
    };
    by.author != author.author || other_staff
}

/// Whether it carries a change, and nothing that says something of other entries.
fn is_plain(held: &Held) -> bool {
    let content = match held.header.value().content {
        Content::Change(_) | Content::CarryOver { .. } => true,
        Content::Adopt { .. } | Content::Erased { .. } => false,
    };
    let facts = match held.facts {
        ContentFacts::Change { .. } | ContentFacts::None | ContentFacts::Erased => true,
        ContentFacts::Refused(_) | ContentFacts::Unreadable(_) => false,
    };
    content && facts
}

impl Cuts<'_> {
    /// What the cut of a revocation says of an entry.
    fn cover(&mut self, revoke: At, at: Nth) -> Coverage {
        if planted::is(Planted::CutIgnored) {
            return Coverage::Covered;
        }
        if planted::is(Planted::CutEmptied) {
            return Coverage::Uncovered;
        }
        let header = self.entries.held[at].header.value();
        let chain = (header.device, header.epoch);
        let (author, time_ms) = (header.author, header.time_ms);
        let Some(positions) = self.positions(revoke) else {
            return Coverage::Unknown;
        };
        let of = |bounded: &Bounded| (bounded.position.device, bounded.position.epoch);
        let from = positions.partition_point(|bounded| of(bounded) < chain);
        let own: Vec<_> = positions[from..]
            .iter()
            .take_while(|bounded| of(bounded) == chain)
            .filter(|bounded| bounded.reaches(author, time_ms))
            .map(|bounded| bounded.position)
            .collect();
        let covers = own.iter().map(|position| self.cover_at(position, at));
        covers.max().unwrap_or(Coverage::Uncovered)
    }

    /// The positions of a revocation's cut in this document; nothing while its part is not held.
    fn positions(&mut self, revoke: At) -> Option<&[Bounded]> {
        let (a, place) = (self.authority, &self.place);
        let words = &self.memo.words;
        let positions = self.memo.positions.entry(revoke).or_insert_with(|| {
            let source = a.id(a.source(revoke));
            match own_part(a, source, place) {
                OwnPart::Unknown => None,
                OwnPart::Held(positions) => Some(positions.into_iter().map(Bounded::own).collect()),
                OwnPart::None if !is_entrusted(a, source, place) => Some(Vec::new()),
                OwnPart::None => {
                    let said = words.get(&source)?;
                    Some(said.positions.iter().copied().collect())
                }
            }
        });
        positions.as_deref()
    }

    fn cover_at(&mut self, position: &CutPosition, at: Nth) -> Coverage {
        let held = &self.entries.held[at];
        if position.id == held.id {
            return Coverage::Covered;
        }
        if held.header.value().seq >= position.seq {
            return Coverage::Uncovered;
        }
        let last = self.entries.index.get(&position.id).copied();
        let here = |last: &Nth| {
            let last = &self.entries.held[*last];
            last.verdict.is_some() && last.header.value().document == held.header.value().document
        };
        let Some(last) = last.filter(here) else {
            self.memo.awaited.insert(position.id);
            return Coverage::Unknown;
        };
        let entries = self.entries;
        let branch = self
            .memo
            .branches
            .entry(position.id)
            .or_insert_with(|| branch(entries, last));
        if branch.contains(&at) {
            Coverage::Covered
        } else {
            Coverage::Uncovered
        }
    }
}

impl Entries {
    /// What custodians say of a document on a revocation, of what counts.
    pub(super) fn said_of(&self, revocation: EventId, document: &DocumentId) -> Option<&Said> {
        let place = self.documents.get(document)?;
        place.standing.memo.words.get(&revocation)
    }

    /// What revokes something that an entry hangs on.
    pub(super) fn hitting(&self, at: Nth) -> BTreeSet<At> {
        let held = &self.held[at];
        let place = self.documents.get(&held.header.value().document);
        let basis = match &held.verdict {
            Some(Ok(basis)) => Some(*basis),
            Some(Err(_)) | None => None,
        };
        let need = basis.and_then(|basis| place?.standing.need(basis));
        let hits = need.map(Need::hits).unwrap_or_default();
        hits.into_iter()
            .flat_map(|hit| hit.hitting.iter().copied())
            .collect()
    }

    /// What the cut of a revocation says of an entry of a document that is up to date.
    pub(super) fn coverage(&self, a: &Authority, revoke: At, at: Nth) -> Coverage {
        let document = &self.held[at].header.value().document;
        let place = self.documents.get(document);
        let mut memo = place
            .map(|place| place.standing.memo.clone())
            .unwrap_or_default();
        let mut cuts = Cuts {
            entries: self,
            authority: a,
            place: CutPlace::Document(document.clone()),
            memo: &mut memo,
        };
        cuts.cover(revoke, at)
    }
}

/// An entry and everything before it in its chain.
fn branch(entries: &Entries, last: Nth) -> BTreeSet<Nth> {
    let before = |at: &Nth| {
        let prev = entries.held[*at].header.value().prev?;
        entries.index.get(&prev).copied()
    };
    std::iter::successors(Some(last), before).collect()
}
