//! Which epoch of a document stands, what came into an earlier one too late to be carried over,
//! and beginning the next.
//!
//! An epoch takes the place of the one that its first entry names when a controller signed that
//! entry and it counts unmarked. Whoever can only add cannot put anything out of sight by
//! beginning an epoch: what stands in such a document is shown beside the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kith_crdt::{Document, DocumentId, Edit, Held, Resource, refile};
use rand_core::CryptoRng;

use super::{
    Pen, Record, WriteError,
    write::{change_facts, entry_item, payload},
};
use crate::{
    author::{EntryDraft, actor},
    consent::{Status, Writer},
    envelope::Content,
    id::{EnvelopeId, PrincipalId},
    limits::{EPOCH_ENTRIES_MAX, EPOCH_LEN_MAX, EPOCH_TRIED_EVERY},
    planted::{self, Planted},
    store::Item,
};

/// What a retraction says of a resource of an earlier epoch that was looked at and, where it was
/// wanted, written into the present one.
pub const SETTLED: &str = "looked at and settled in the part that was begun anew";

/// Epochs leave room between their numbers, so that two that are begun at the same time are two
/// documents and not two beginnings of one.
const EPOCH_STEP_MAX: u32 = 1 << 20;

/// An epoch that takes the place of another.
struct Succession {
    entry: EnvelopeId,
    from: DocumentId,
    heads: Vec<EnvelopeId>,
    to: DocumentId,
}

/// A carry-over, held against what it carries over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryOver {
    /// The entry.
    pub entry: EnvelopeId,
    /// The epoch before.
    pub from: DocumentId,
    /// The epoch that it begins.
    pub to: DocumentId,
    /// How many resources it carries.
    pub carried: usize,
    /// How many resources of the epoch before it leaves out or gives otherwise; nothing where that
    /// epoch is not held to the heads that it names.
    pub differing: Option<usize>,
}

impl Record {
    /// The epoch of a document's part of the record that stands now: what is written goes there.
    pub fn current(&mut self, document: &DocumentId) -> DocumentId {
        let family = self.ledger.epochs(document);
        let mut current = match family.as_slice() {
            [] => return document.clone(),
            [only] => return only.clone(),
            [first, ..] => first.clone(),
        };
        let successions = self.successions(&family);
        let begins = |id: &DocumentId| {
            let mut to = successions.iter().filter(|next| next.to == *id);
            to.any(|next| !family.contains(&next.from))
        };
        if current.epoch > 0
            && let Some(first) = family.iter().find(|id| begins(id))
        {
            current = first.clone();
        }
        // Each step goes to a higher epoch.
        while let Some(next) = successions
            .iter()
            .filter(|next| next.from == current)
            .min_by_key(|next| next.to.epoch)
        {
            current = next.to.clone();
        }
        current
    }

    /// Whether a document is an epoch that no longer stands.
    pub fn is_past(&mut self, document: &DocumentId) -> bool {
        self.current(document) != *document
    }

    /// Whether a principal may have an epoch that no longer stands: it is for those who control the
    /// record, and for those with whom it was shared when its successor was begun.
    pub fn may_have_past(&mut self, document: &DocumentId, principal: PrincipalId) -> bool {
        if self.ledger.controllers().contains(&principal) {
            return true;
        }
        let family = self.ledger.epochs(document);
        let successions = self.successions(&family);
        let mut onward = successions.iter().filter(|next| next.from == *document);
        onward.any(|next| self.ledger.saw_share_with(&next.entry, principal))
    }

    fn successions(&mut self, family: &[DocumentId]) -> Vec<Succession> {
        let mut found = Vec::new();
        for to in family.iter().filter(|id| id.epoch > 0) {
            for (entry, status) in self.ledger.entries(to) {
                let Some(header) = self.ledger.header(&entry) else {
                    continue;
                };
                if let Content::CarryOver { from, heads, .. } = &header.content
                    && header.grant.is_none()
                    && status == Status::Accepted
                    && from.epoch < to.epoch
                    && from.family() == to.family()
                {
                    found.push(Succession {
                        entry,
                        from: from.clone(),
                        heads: heads.clone(),
                        to: to.clone(),
                    });
                }
            }
        }
        found
    }

    /// The entries of a past epoch that the one that stands has taken in.
    pub(super) fn taken_over(&mut self, document: &DocumentId) -> BTreeSet<EnvelopeId> {
        let family = self.ledger.epochs(document);
        let successions = self.successions(&family);
        let onward = successions.iter().filter(|next| next.from == *document);
        let heads: Vec<_> = onward.flat_map(|next| next.heads.clone()).collect();
        let begun = successions.iter().filter(|next| next.to == *document);
        let begun: Vec<_> = begun.map(|next| next.entry).collect();
        let mut taken = self.below(&heads);
        taken.extend(begun);
        taken
    }

    /// Entries with everything that they build on.
    pub(super) fn below(&self, heads: &[EnvelopeId]) -> BTreeSet<EnvelopeId> {
        let mut below = BTreeSet::new();
        let mut next = heads.to_vec();
        while let Some(id) = next.pop() {
            if let Some(header) = self.ledger.header(&id)
                && below.insert(id)
            {
                next.extend(&header.deps);
            }
        }
        below
    }

    /// The resources of a past epoch that are not as they were when it was carried over: somebody
    /// wrote there without knowing that it had ended. Those that a person has settled are left out.
    pub(super) fn late(&mut self, document: &DocumentId) -> Vec<Arc<Held>> {
        let taken = self.taken_over(document);
        let main = self.ledger.loaded(document).main;
        if main.iter().all(|entry| taken.contains(entry)) {
            return Vec::new();
        }
        let before = self.as_of(&taken, &main);
        let now = self.opened(document).held().iter();
        now.filter(|held| before.get(&held.id) != Some(held.as_ref()) && !is_settled(held))
            .cloned()
            .collect()
    }

    /// The resources that some of a document's loaded entries make.
    fn as_of(
        &mut self,
        taken: &BTreeSet<EnvelopeId>,
        main: &[EnvelopeId],
    ) -> BTreeMap<kith_crdt::ResourceId, Held> {
        let then: Vec<_> = main
            .iter()
            .copied()
            .filter(|id| taken.contains(id))
            .collect();
        let document = self.apply(Document::new(), &then);
        let held = document.resources().into_iter();
        held.map(|held| (held.id.clone(), held)).collect()
    }

    /// The edits that settle a resource of a past epoch: those for the epoch that stands, which
    /// are none when it is not `wanted`, and the word in the past one that it was looked at.
    pub fn settle(
        &mut self,
        document: &DocumentId,
        held: &Held,
        wanted: bool,
    ) -> BTreeMap<DocumentId, Vec<Edit>> {
        let mut edits: BTreeMap<_, Vec<Edit>> = BTreeMap::new();
        let current = self.current(document);
        if wanted {
            let there = self.opened(&current).resource(&held.id);
            let resource = Resource {
                meta: held.meta.clone(),
                body: held.body(0),
            };
            let mut bring = match &there {
                Some(there) => refile::difference(there, &resource),
                None => vec![Edit::Create(resource)],
            };
            let said = held.retractions.iter().find(|said| !said.superseded);
            if let (Some(said), Some(there)) = (said, &there)
                && !there.is_retracted()
            {
                bring.push(Edit::Retract {
                    resource: held.id.clone(),
                    reason: said.reason.clone(),
                });
            }
            if !bring.is_empty() {
                edits.insert(current, bring);
            }
        }
        let settled = Edit::Retract {
            resource: held.id.clone(),
            reason: SETTLED.to_owned(),
        };
        edits.entry(document.clone()).or_default().push(settled);
        edits
    }

    /// Whether a document is so large that its next epoch should begin, and may: everything in it
    /// counts unmarked, and nothing stands aside.
    pub fn is_outgrown(&mut self, document: &DocumentId) -> bool {
        if !self
            .ledger
            .count(document)
            .is_multiple_of(EPOCH_TRIED_EVERY)
        {
            return false;
        }
        let entries = self.ledger.entries(document);
        let payload = |id: &EnvelopeId| {
            let payload = self
                .ledger
                .header(id)
                .and_then(crate::envelope::Header::payload);
            payload.map_or(0, |payload| u64::from(payload.len))
        };
        let first = entries.first().map_or(0, |(id, _)| payload(id));
        let len = entries.iter().map(|(id, _)| payload(id)).sum();
        outgrown(entries.len(), len, first) && self.may_begin_from(document)
    }

    fn may_begin_from(&mut self, document: &DocumentId) -> bool {
        let material = self.ledger.loaded(document);
        let entries = self.ledger.entries(document);
        let counts = |(_, status): &(_, Status)| *status == Status::Accepted;
        material.sides.is_empty() && !entries.is_empty() && entries.iter().all(counts)
    }

    /// The name of the epoch that would follow the one that stands.
    pub fn next_epoch(&mut self, document: &DocumentId, rng: &mut impl CryptoRng) -> DocumentId {
        let newest = self.ledger.epochs(document).last().map_or(0, |id| id.epoch);
        let step = 1 + rng.next_u32() % EPOCH_STEP_MAX;
        DocumentId {
            epoch: newest.saturating_add(step),
            ..document.clone()
        }
    }

    /// Begins the epoch that `writer` is for with everything that stands in the present one.
    ///
    /// # Errors
    /// When the writer does not control the record, when something in the present epoch waits for
    /// a decision, or when there is nothing to carry or too much for one entry. Then nothing is
    /// written.
    pub fn begin_epoch(
        &mut self,
        pen: &Pen<'_>,
        writer: &Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<Item, WriteError> {
        let document = writer.document().clone();
        let from = self.current(&document);
        let is_new = from.epoch < document.epoch && !self.ledger.documents().contains(&document);
        if writer.grant().is_some() || !is_new || !self.may_begin_from(&from) {
            return Err(WriteError::Epoch);
        }
        let heads = self.ledger.heads(&from);
        let device = pen.author.key.device();
        let epoch = self.ledger.chain_epoch(device, &document);
        let actor = actor(self.id, &document, device, epoch, pen.nonce);
        let envelopes: BTreeMap<_, _> = self
            .changes
            .iter()
            .filter(|(id, _)| {
                let header = self.ledger.header(id);
                header.is_some_and(|header| header.document == from)
            })
            .map(|(id, change)| (change.hash(), *id.as_bytes()))
            .collect();
        if planted::is(Planted::CarryOverHalved) {
            let main = self.ledger.loaded(&from).main;
            let half = self.apply(Document::new(), &main[..main.len().div_ceil(2)]);
            let opened = self.open.entry(from.clone()).or_default();
            opened.document = Some(half);
            opened.held = None;
        }
        let present = match planted::is(Planted::CarryOverHalved) {
            true => {
                let opened = self.open.entry(from.clone()).or_default();
                opened.document.get_or_insert_default()
            }
            false => self.made(&from),
        };
        let (_, written) = present.carry_over(actor, pen.time_ms, &envelopes)?;
        let payload = payload(&written, rng);
        let content = Content::CarryOver {
            payload: payload.reference(),
            from,
            heads,
        };
        let draft = EntryDraft {
            record: self.id,
            epoch,
            link: self.ledger.next_entry(device, epoch, &document),
            deps: Vec::new(),
            frontiers: self
                .ledger
                .frontiers(&document.label, &pen.author.principal),
            document,
            grant: None,
            purpose: writer.purpose(),
            time_ms: pen.time_ms,
            actor_nonce: pen.nonce,
        };
        let entry = pen.author.entry(draft, content, Some(payload));
        let item = entry_item(&entry);
        self.add_vetted(entry, change_facts(&written.vetted), Some(written.vetted));
        Ok(item)
    }

    /// Every carry-over that took effect, held against the epoch before it.
    pub fn carry_overs(&mut self) -> Vec<CarryOver> {
        let mut found = Vec::new();
        for document in self.ledger.documents() {
            for next in self.successions(std::slice::from_ref(&document)) {
                let main = self.ledger.loaded(&document).main;
                let carried = self.as_of(&BTreeSet::from([next.entry]), &main);
                let whole = next.heads.iter().all(|head| self.ledger.holds_entry(head));
                let differing = whole.then(|| {
                    let taken = self.below(&next.heads);
                    let main = self.ledger.loaded(&next.from).main;
                    let before = self.as_of(&taken, &main);
                    let same = |held: &&Held| {
                        let carried = carried.get(&held.id);
                        carried.is_some_and(|carried| reads_alike(carried, held))
                    };
                    let kept = before.values().filter(same).count();
                    before.len().max(carried.len()) - kept
                });
                found.push(CarryOver {
                    entry: next.entry,
                    from: next.from,
                    to: next.to,
                    carried: carried.len(),
                    differing,
                });
            }
        }
        found
    }

    /// The entry that began the epoch of a document, where it took the place of an earlier one.
    pub fn begun_by(&mut self, document: &DocumentId) -> Option<EnvelopeId> {
        let begun = self.successions(std::slice::from_ref(document));
        begun.into_iter().map(|next| next.entry).next()
    }
}

/// Whether a document of so many entries and bytes, of which the first entry has `first` bytes, is
/// to be begun anew. One that is large because what stands in it is large gains nothing by it.
const fn outgrown(entries: usize, len: u64, first: u64) -> bool {
    let many = entries >= EPOCH_ENTRIES_MAX;
    let long = len > EPOCH_LEN_MAX && len > first.saturating_mul(4);
    (many || long) && entries.is_multiple_of(EPOCH_TRIED_EVERY)
}

fn is_settled(held: &Held) -> bool {
    let said = &held.retractions;
    said.iter()
        .any(|said| !said.superseded && said.reason == SETTLED)
}

/// Whether two epochs hold the same of a resource: every version, every author, every word on it.
fn reads_alike(one: &Held, other: &Held) -> bool {
    one.meta == other.meta
        && one.created == other.created
        && one.order == other.order
        && one.units == other.units
        && one.retractions == other.retractions
}

#[cfg(test)]
mod tests {
    use super::outgrown;
    use crate::limits::{EPOCH_ENTRIES_MAX, EPOCH_LEN_MAX, EPOCH_TRIED_EVERY};

    #[test]
    fn a_document_is_outgrown_by_many_entries_or_by_bytes_that_a_fresh_start_would_save() {
        let (few, len) = (EPOCH_TRIED_EVERY, EPOCH_LEN_MAX);
        assert!(!outgrown(EPOCH_ENTRIES_MAX - EPOCH_TRIED_EVERY, 0, 0));
        assert!(outgrown(EPOCH_ENTRIES_MAX, 0, 0));
        assert!(!outgrown(EPOCH_ENTRIES_MAX + 1, 0, 0), "not at every write");
        assert!(outgrown(few, len + 1, 1000));
        assert!(!outgrown(few, len, 1000));
        assert!(
            !outgrown(few, len + 1, len / 2),
            "what stands in it is large"
        );
    }
}
