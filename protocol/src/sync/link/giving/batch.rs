//! A batch of one record under one share, its links in the access log, and the parcel in which it
//! goes with others.

use std::collections::BTreeMap;

use kith_crdt::{DocumentId, Label};

use crate::{
    audit::{Audience, DisclosedDocument, DisclosedRun, Disclosure, Extent, How, Recipient},
    condensed,
    consent::{Reader, Whoever, grant::Purposes},
    id::{EventId, RecordId},
    limits::{BATCHES_MAX, DISCLOSURE_LEN_MAX, ITEMS_MAX, PARCEL_LEN_MAX},
    planted::{self, Planted},
    store::ChainPosition,
    sync::message::{Carried, Kind, OfRecord},
};

/// What goes in one frame: batches whose contents have one label, so that how well they compress
/// together tells nothing of one label's content to whoever knows another's.
#[derive(Default)]
pub(super) struct Parcel {
    pub(super) batches: Vec<Batch>,
    label: Option<Label>,
    items: usize,
    len: usize,
}

/// What still fits into a parcel.
#[derive(Clone, Copy)]
pub(super) struct Room {
    items: usize,
    len: u64,
    /// The first item always fits.
    is_empty: bool,
}

impl Parcel {
    pub(super) const fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) const fn room(&self) -> Room {
        let is_full = self.batches.len() >= BATCHES_MAX;
        Room {
            items: if is_full { 0 } else { ITEMS_MAX - self.items },
            len: PARCEL_LEN_MAX.saturating_sub(self.len as u64),
            is_empty: self.is_empty(),
        }
    }

    /// The label of what is in it; none of rights alone.
    pub(super) const fn label(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    /// Whether something of a label, or rights, may go with what is in it.
    pub(super) fn takes(&self, label: Option<&Label>) -> bool {
        self.is_empty() || self.label.as_ref() == label
    }

    /// Takes in a batch that is done, if there is something in it.
    pub(super) fn close(&mut self, batch: &mut Option<Batch>) {
        if let Some(batch) = batch.take().filter(|batch| !batch.items.is_empty()) {
            self.add(batch);
        }
    }

    pub(super) fn add(&mut self, batch: Batch) {
        self.label = batch.label().cloned();
        self.items += batch.items.len();
        self.len += batch.len;
        self.batches.push(batch);
    }

    /// The documents that its entries are of.
    pub(super) fn documents(&self) -> Vec<(RecordId, DocumentId)> {
        let documents = self.batches.iter().flat_map(Batch::documents);
        let mut documents: Vec<_> = documents.collect();
        documents.sort_unstable();
        documents.dedup();
        documents
    }

    /// Links of the access log for all that content is read in.
    pub(super) fn disclosures(&self, who: &Whoever) -> Vec<Disclosure> {
        let of_entries = self
            .batches
            .iter()
            .filter(|batch| !batch.entries.is_empty());
        of_entries
            .flat_map(|batch| batch.disclosures(who))
            .collect()
    }

    pub(super) fn into_batches(self) -> Vec<OfRecord> {
        let batch = |batch: Batch| OfRecord {
            record: batch.record,
            items: batch.items,
        };
        self.batches.into_iter().map(batch).collect()
    }
}

/// A batch of one record under one share.
pub(super) struct Batch {
    pub(super) record: RecordId,
    grant: Option<Option<EventId>>,
    purpose: Purposes,
    pub(super) items: Vec<Carried>,
    pub(super) entries: Vec<(DocumentId, ChainPosition)>,
    len: usize,
    room: Room,
    /// Whether each document may be read, found out once: nothing changes while a batch is made.
    readers: BTreeMap<DocumentId, Option<Reader>>,
}

impl Batch {
    pub(super) const fn new(record: RecordId, room: Room) -> Self {
        Self {
            record,
            grant: None,
            purpose: Purposes::CARE,
            items: Vec::new(),
            entries: Vec::new(),
            len: 0,
            room,
            readers: BTreeMap::new(),
        }
    }

    /// The token to read a document with at the moment of this batch, where the peer may.
    pub(super) fn reader(
        &mut self,
        document: &DocumentId,
        find: impl FnOnce() -> Option<Reader>,
    ) -> Option<Reader> {
        if let Some(known) = self.readers.get(document) {
            return known.clone();
        }
        let found = find();
        self.readers.insert(document.clone(), found.clone());
        found
    }

    /// Whether something of a record, with a label or rights, may go with what is in it.
    pub(super) fn is_of(&self, record: RecordId, label: Option<&Label>) -> bool {
        self.record == record && (self.items.is_empty() || self.label() == label)
    }

    /// The label of its content; nothing where it is all rights.
    fn label(&self) -> Option<&Label> {
        self.entries.first().map(|(document, _)| &document.label)
    }

    /// Whether one more still fits; the first of a parcel always does.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.room.is_empty && self.items.is_empty()
            || self.items.len() < self.room.items && (self.len + len) as u64 <= self.room.len
    }

    pub(super) fn add(&mut self, carried: Carried) {
        self.len += carried.bytes.len();
        self.items.push(carried);
    }

    /// Adds an entry that may be read under `reader`; not where another share opens it.
    pub(super) fn add_entry(
        &mut self,
        reader: &Reader,
        position: ChainPosition,
        bytes: Vec<u8>,
    ) -> bool {
        let grant = reader.grant();
        if !self.has_room(bytes.len()) || self.grant.is_some_and(|of| of != grant) {
            return false;
        }
        self.grant = Some(grant);
        self.purpose = reader.purpose();
        self.entries.push((reader.document().clone(), position));
        self.add(Carried {
            kind: Kind::Entry,
            bytes,
        });
        true
    }

    /// The documents that its entries are of, once for each entry.
    fn documents(&self) -> impl Iterator<Item = (RecordId, DocumentId)> {
        let entries = self.entries.iter();
        entries.map(|(document, _)| (self.record, document.clone()))
    }

    /// Links of the access log for this batch. An entry that is longer than a disclosure may be has as
    /// many links as it takes: the log counts every byte.
    fn disclosures(&self, who: &Whoever) -> Vec<Disclosure> {
        let len = self.len as u64;
        let parts = len.div_ceil(DISCLOSURE_LEN_MAX).max(1);
        let whole = Disclosure {
            to: Audience::Named(vec![Recipient {
                principal: who.principal,
                device: Some(who.device).filter(|_| !planted::is(Planted::AuditNamesNoDevice)),
                staff: who.staff,
            }]),
            record: self.record,
            documents: runs(&self.entries),
            attachments: Vec::new(),
            grant: self.grant.flatten(),
            purpose: self.purpose,
            how: How::Sync,
            len: DISCLOSURE_LEN_MAX,
        };
        let last = len - (parts - 1) * DISCLOSURE_LEN_MAX;
        let part = |nth| Disclosure {
            len: if nth + 1 == parts { last } else { whole.len },
            ..whole.clone()
        };
        (0..parts).map(part).collect()
    }
}

/// Where the entry of our own store stands in its chain.
pub(super) fn position_of(bytes: &[u8]) -> Option<ChainPosition> {
    let header = condensed::own_header(bytes).ok()?;
    Some(ChainPosition {
        device: header.device,
        epoch: header.epoch,
        seq: header.seq,
    })
}

/// The entries of one batch as runs of their chains.
fn runs(entries: &[(DocumentId, ChainPosition)]) -> Vec<DisclosedDocument> {
    let mut documents = BTreeMap::<_, Vec<DisclosedRun>>::new();
    for (document, position) in entries {
        let runs = documents.entry(document.clone()).or_default();
        let before = runs.iter_mut().find(|run| {
            run.device == position.device
                && run.epoch == position.epoch
                && run.last + 1 == position.seq
        });
        match before {
            Some(run) => run.last = position.seq,
            None => runs.push(DisclosedRun {
                device: position.device,
                epoch: position.epoch,
                first: position.seq,
                last: position.seq,
            }),
        }
    }
    documents
        .into_iter()
        .map(|(document, runs)| DisclosedDocument {
            document,
            extent: Extent::Entries(runs),
        })
        .collect()
}
