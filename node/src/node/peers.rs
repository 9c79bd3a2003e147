//! The other nodes that this one knows, and what may go to each of them.

mod reach;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    codec,
    consent::{Status, Whoever, cut::CutPlace, grant::Purposes},
    id::{BlobId, DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    limits::{AUTHORITY_EVENTS_MAX, DISCLOSURE_LEN_MAX, FRAME_LEN_MAX},
    logs::{Act, CoreAct, LabelAct, LogId, PrincipalAct},
    record::{ArrivalError, Record, event_item},
    store::{ChainPosition, Item, JournalPosition, Store, StoreError},
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    audit::{Outgoing, runs},
    identity::{RowKind, read_row, read_rows, row},
    now_ms,
    people::Known,
};
use crate::{failure::Failure, store::DiskStore};
use reach::Reach;

/// Bytes of items in one disclosure (`consent.md`, "Audit of reads").
const BATCH_LEN_MAX: usize = 256 * 1024;
/// Bytes of an attachment that fits in one frame, its wrapping left aside.
const BLOB_LEN_MAX: usize = FRAME_LEN_MAX - 64 * 1024;

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its device key's public half.
    pub device: DeviceId,
    /// Its signed name card.
    #[serde(with = "serde_bytes")]
    pub card: Vec<u8>,
    /// Where it was last said to listen.
    pub addresses: Vec<String>,
    /// Records that this node shares with it or has from it.
    pub records: BTreeSet<RecordId>,
    /// The end of the journal when it last had everything.
    pub sent_through: Option<JournalPosition>,
}

/// What a node holds of a record, within what the other side may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// Events.
    pub events: Vec<EventId>,
    /// Entries.
    pub entries: Vec<EnvelopeId>,
    /// Hashes of parts of cuts.
    pub parts: Vec<EventId>,
    /// Attachments.
    pub blobs: Vec<BlobId>,
}

/// What is sent in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Events, entries and parts.
    pub items: Vec<Item>,
    /// Attachments.
    pub blobs: Vec<serde_bytes::ByteBuf>,
    /// Whether nothing more is there for now.
    pub is_last: bool,
}

/// Every known node.
pub(super) fn all(store: &DiskStore) -> Result<Vec<(PrincipalId, Peer)>, StoreError> {
    let rows = read_rows::<Peer>(store, RowKind::Peers)?;
    Ok(rows
        .into_iter()
        .filter_map(|(name, peer)| {
            let principal = <[u8; 32]>::try_from(name).ok()?;
            Some((PrincipalId::from_bytes(principal), peer))
        })
        .collect())
}

impl Node {
    /// Whose device this is, if it is known.
    pub fn peer(&self, device: DeviceId) -> Result<Option<(PrincipalId, Peer)>, Failure> {
        let peers = all(&self.store)?;
        Ok(peers.into_iter().find(|(_, peer)| peer.device == device))
    }

    /// Every known node.
    pub fn peers(&self) -> Result<Vec<Peer>, Failure> {
        let peers = all(&self.store)?;
        Ok(peers.into_iter().map(|(_, peer)| peer).collect())
    }

    /// Notes a node, or more about it.
    pub(super) fn note_peer(
        &mut self,
        principal: PrincipalId,
        change: impl FnOnce(Option<Peer>) -> Peer,
    ) -> Result<Item, Failure> {
        let known = read_row(&self.store, RowKind::Peers, principal.as_bytes())?;
        Ok(row(RowKind::Peers, principal.as_bytes(), &change(known)))
    }

    /// The end of the journal, the access log left out: nothing later is for others.
    pub(super) const fn journal_end(&self) -> JournalPosition {
        self.changed
    }

    /// Says that a node has everything up to the present end of the journal.
    pub fn has_everything(
        &mut self,
        device: DeviceId,
        through: JournalPosition,
    ) -> Result<(), Failure> {
        let Some((principal, peer)) = self.peer(device)? else {
            return Ok(());
        };
        if peer.sent_through == Some(through) {
            return Ok(());
        }
        let item = self.note_peer(principal, |_| Peer {
            sent_through: Some(through),
            ..peer
        })?;
        self.commit(vec![item])
    }

    /// The present end of the journal.
    pub fn position(&self) -> JournalPosition {
        self.journal_end()
    }

    /// What this node holds of a record within what a peer may see.
    pub fn have(&mut self, device: DeviceId, id: RecordId) -> Result<Have, Failure> {
        let Some(who) = self.known(device, id)? else {
            return Ok(Have::default());
        };
        let known = self.store.records()?.contains(&id);
        if !known {
            return Ok(Have::default());
        }
        self.with_record(id, |node, record| {
            let (items, blobs) = node.within(record, &who)?;
            let mut have = Have::default();
            for blob in blobs {
                // What is named and not here yet is still wanted.
                if node.store.blob(&blob)?.is_some() {
                    have.blobs.push(blob);
                }
            }
            for item in &items {
                match item {
                    Item::Event { id, .. } => have.events.push(*id),
                    Item::Entry { id, .. } => have.entries.push(*id),
                    Item::Part { bytes, .. } => have.parts.push(part_hash(bytes)),
                    Item::Row { .. } | Item::Audit { .. } => {}
                }
            }
            Ok(have)
        })
    }

    /// The next things that a peer may see and does not have. Rights are looked at now, and the
    /// disclosure is in the access log, on the disk, before this returns.
    pub fn batch(&mut self, device: DeviceId, id: RecordId, have: &Have) -> Result<Batch, Failure> {
        let nothing = Batch {
            items: Vec::new(),
            blobs: Vec::new(),
            is_last: true,
        };
        let Some(who) = self.known(device, id)? else {
            return Ok(nothing);
        };
        self.with_record(id, |node, record| {
            let (items, blobs) = node.within(record, &who)?;
            let held = Held::of(have);
            let mut batch = nothing;
            let mut len = 0;
            for item in items.into_iter().filter(|item| held.lacks(item)) {
                let item_len = item_len(&item);
                if len + item_len > BATCH_LEN_MAX && !batch.items.is_empty() {
                    batch.is_last = false;
                    break;
                }
                len += item_len;
                batch.items.push(item);
            }
            if batch.is_last {
                node.add_blobs(&mut batch, &blobs, &held, &mut len)?;
            }
            node.note_batch(id, &who, &batch, len as u64)?;
            Ok(batch)
        })
    }

    /// Links of the access log for a batch. An entry that is longer than a disclosure may be has as
    /// many links as it takes: the log counts every byte.
    fn note_batch(
        &mut self,
        id: RecordId,
        who: &Whoever,
        batch: &Batch,
        len: u64,
    ) -> Result<(), Failure> {
        let documents = runs(&batch.items);
        let attachments: Vec<_> = batch.blobs.iter().map(|blob| blob_id(blob)).collect();
        if documents.is_empty() && attachments.is_empty() {
            return Ok(());
        }
        let mut rest = len;
        loop {
            let part = rest.min(DISCLOSURE_LEN_MAX);
            rest -= part;
            let outgoing = Outgoing {
                documents: documents.clone(),
                attachments: attachments.clone(),
                grant: None,
                len: part,
            };
            self.disclose_to_peer(id, who, outgoing)?;
            if rest == 0 {
                return Ok(());
            }
        }
    }

    fn add_blobs(
        &self,
        batch: &mut Batch,
        blobs: &[BlobId],
        held: &Held,
        len: &mut usize,
    ) -> Result<(), Failure> {
        for id in blobs.iter().filter(|id| !held.blobs.contains(id)) {
            let Some(bytes) = self.store.blob(id)? else {
                continue;
            };
            if bytes.len() > BLOB_LEN_MAX {
                tracing::warn!("an attachment is too long to be sent; a bundle file carries it");
                continue;
            }
            if *len + bytes.len() > BATCH_LEN_MAX
                && !(batch.items.is_empty() && batch.blobs.is_empty())
            {
                batch.is_last = false;
                return Ok(());
            }
            *len += bytes.len();
            batch.blobs.push(serde_bytes::ByteBuf::from(bytes));
        }
        Ok(())
    }

    /// Takes in what a peer sent of a record that both hold: what proves rights first, and the rest
    /// only from someone who, by what is held then, shares the record.
    pub fn take(&mut self, device: DeviceId, id: RecordId, batch: &Batch) -> Result<(), Failure> {
        let Some(who) = self.known(device, id)? else {
            return Ok(());
        };
        if self.is_closed_to(&who, id)? {
            return Ok(());
        }
        let (events, rest): (Vec<_>, Vec<_>) = batch
            .items
            .iter()
            .cloned()
            .partition(|item| matches!(item, Item::Event { .. }));
        let events = self.worth_keeping(&events)?;
        self.take_items(id, &events)?;
        if self.is_closed_to(&who, id)? {
            return Ok(());
        }
        self.take_items(id, &rest)?;
        self.take_blobs(id, &batch.blobs)
    }

    /// Whether a record is here already and the peer never shared it.
    fn is_closed_to(&mut self, who: &Whoever, id: RecordId) -> Result<bool, Failure> {
        if self.store.logs(&id)?.is_empty() {
            return Ok(false);
        }
        self.with_record(id, |_, record| Ok(!Reach::of(record, who).is_any()))
    }

    /// Events of principals' logs only where the log knows the signer.
    fn worth_keeping(&self, events: &[Item]) -> Result<Vec<Item>, Failure> {
        let bytes = events.iter().filter_map(|item| match item {
            Item::Event { bytes, .. } => Some(bytes.as_slice()),
            Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
        });
        let sent = reach::events_that_hold(bytes);
        let certified = reach::certified(&self.store, &sent, AUTHORITY_EVENTS_MAX)?;
        let of_principals: BTreeMap<_, _> = sent
            .iter()
            .map(|event| {
                let principal = matches!(event.value().log, LogId::Principal(_));
                (event.bytes(), !principal || certified.contains(&event.id()))
            })
            .collect();
        Ok(events
            .iter()
            .filter(|item| match item {
                Item::Event { bytes, .. } => of_principals
                    .get(bytes.as_slice())
                    .copied()
                    .unwrap_or(false),
                Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {
                    false
                }
            })
            .cloned()
            .collect())
    }

    /// Keeps the attachments that a resource here names, and no others.
    fn take_blobs(&mut self, id: RecordId, blobs: &[serde_bytes::ByteBuf]) -> Result<(), Failure> {
        if blobs.is_empty() {
            return Ok(());
        }
        let named: BTreeSet<_> = self.with_record(id, |node, record| {
            let placed = node.read_all(record)?;
            let named = placed
                .iter()
                .flat_map(|placed| &placed.held.meta.attachments);
            Ok(named
                .filter_map(|named| BlobId::from_hex(&named.blob))
                .collect())
        })?;
        for blob in blobs.iter().filter(|blob| named.contains(&blob_id(blob))) {
            self.store.put_blob(blob)?;
        }
        Ok(())
    }

    /// Takes in items of a record: each is checked from its bytes; those that do not hold are left
    /// out and counted.
    pub(super) fn take_items(&mut self, id: RecordId, items: &[Item]) -> Result<usize, Failure> {
        if items.is_empty() {
            return Ok(0);
        }
        let (refused, over) = self.with_record(id, |node, record| {
            let mut commit = Vec::with_capacity(items.len());
            let (mut refused, mut over) = (0, 0);
            for item in items {
                match record.arrive(item) {
                    Ok(arrived) => {
                        if let Some(author) = arrived.author {
                            record.load_principals(&node.store, [author])?;
                        }
                        commit.push(arrived.item);
                    }
                    Err(error @ ArrivalError::Full(_)) => {
                        over += 1;
                        tracing::warn!(%error, "something that arrived was not taken");
                    }
                    Err(error) => {
                        refused += 1;
                        tracing::warn!(%error, "something that arrived does not hold");
                    }
                }
            }
            if !commit.is_empty() && has_doubtful(record, node.identity.principal) {
                commit.extend(node.doubt(&id)?);
            }
            let touched = commit.iter().any(|item| {
                matches!(item, Item::Entry { document, .. }
                    if document.section == kith_crdt::Section::Identity)
            });
            if touched || node.people.get(&id).is_none() {
                let said = node.said_of(record)?;
                let library = node.people.get(&id).is_some_and(|known| known.library);
                commit.push(node.people.note(id, Known { library, said }));
            }
            let stops = commit.iter().any(ends_something);
            node.commit_noting(commit)?;
            node.stops += u64::from(stops);
            Ok((refused, over))
        })?;
        Ok(refused + over)
    }

    /// Who a device acts for, when it and this node hold a record together.
    fn known(&self, device: DeviceId, record: RecordId) -> Result<Option<Whoever>, Failure> {
        let peer = self.peer(device)?;
        Ok(peer
            .filter(|(_, peer)| peer.records.contains(&record))
            .map(|(principal, _)| Whoever {
                principal,
                device,
                staff: None,
            }))
    }

    /// Everything of a record that a peer may see at this moment.
    fn within(
        &mut self,
        record: &mut Record,
        who: &Whoever,
    ) -> Result<(Vec<Item>, Vec<BlobId>), Failure> {
        let (now, id) = (now_ms(), record.id());
        let reach = Reach::of(record, who);
        if !reach.is_any() {
            // The same as for a record that is not here.
            return Ok((Vec::new(), Vec::new()));
        }
        let mut authors = BTreeSet::from([who.principal, self.identity.principal]);
        let (mut entries, mut blobs) = (Vec::new(), BTreeSet::new());
        for document in record.ledger().documents() {
            let decided = record
                .ledger()
                .decide_read(who, &document, Purposes::CARE, now);
            let Ok(reader) = decided else {
                continue;
            };
            let statuses: BTreeMap<_, _> = record.ledger().entries(&document).into_iter().collect();
            for (entry, bytes) in self.store.entries(&id, &document)? {
                let header = record.ledger().header(&entry);
                let Some(header) = header else { continue };
                // Until it is judged, an author is only what a signer says.
                let unproven = matches!(
                    statuses.get(&entry),
                    Some(Status::Invalid(_) | Status::Pending(_)) | None
                );
                if !unproven {
                    authors.insert(header.author);
                }
                entries.push(Item::Entry {
                    record: id,
                    document: document.clone(),
                    id: entry,
                    position: ChainPosition {
                        device: header.device,
                        epoch: header.epoch,
                        seq: header.seq,
                    },
                    bytes,
                });
            }
            for placed in record.read(&reader) {
                let named = placed.held.meta.attachments.iter();
                blobs.extend(named.filter_map(|attachment| BlobId::from_hex(&attachment.blob)));
            }
        }
        let mut items = self.authority(record, who, &reach, &mut authors)?;
        items.extend(entries);
        Ok((items, blobs.into_iter().collect()))
    }

    /// The events that prove what entries rest on: principal logs, the core log, and the logs of
    /// labels, as far as the peer reaches.
    fn authority(
        &self,
        record: &mut Record,
        who: &Whoever,
        reach: &Reach,
        authors: &mut BTreeSet<PrincipalId>,
    ) -> Result<Vec<Item>, Failure> {
        let mut of_record = Vec::new();
        for (log, id, bytes) in reach.events(&self.store, record)? {
            let Some(event) = event_of(&bytes) else {
                continue;
            };
            if !authors.contains(&event.author)
                && reach::ever_acted_for(
                    &reach::held(&self.store, event.author)?,
                    event.author,
                    &event,
                )
            {
                authors.insert(event.author);
            }
            let position = ChainPosition {
                device: event.device,
                epoch: 0,
                seq: event.seq,
            };
            of_record.push(Item::Event {
                log,
                id,
                bytes,
                position,
            });
        }
        let mut items = Vec::new();
        for author in authors.iter() {
            let log = reach::held(&self.store, *author)?;
            items.extend(log.iter().map(event_item));
        }
        items.extend(of_record);
        for bytes in self.parts_of(&record.id())? {
            items.extend(self.visible_part(record, who, reach, bytes));
        }
        Ok(items)
    }

    fn visible_part(
        &self,
        record: &mut Record,
        who: &Whoever,
        reach: &Reach,
        bytes: Vec<u8>,
    ) -> Option<Item> {
        let part: kith_protocol::consent::cut::ProvenPart = codec::decode_trusted(&bytes).ok()?;
        let visible = match &part.part.place {
            CutPlace::Document(document) => record
                .ledger()
                .decide_read(who, document, Purposes::CARE, now_ms())
                .is_ok(),
            CutPlace::Core => reach.sees_core(),
            CutPlace::Label(label) => reach.sees_label(label),
        };
        // Whoever was stopped learns what of their own stands, and nothing of anybody else's.
        let own = || {
            let ends = self.store.event(&part.revocation).ok().flatten();
            ends.and_then(|bytes| event_of(&bytes))
                .is_some_and(|event| reach.is_ended_by(&event))
                && part
                    .part
                    .chains
                    .iter()
                    .all(|chain| chain.device == who.device)
        };
        (visible || own()).then(|| Item::Part {
            record: record.id(),
            revocation: part.revocation,
            bytes,
        })
    }
}

/// Whether something that was shared may end with it.
fn ends_something(item: &Item) -> bool {
    let Item::Event { bytes, .. } = item else {
        return false;
    };
    event_of(bytes).is_some_and(|event| match event.act {
        Act::Label(act) => !matches!(act, LabelAct::Grant(_)),
        Act::Principal(act) => matches!(
            act,
            PrincipalAct::DeviceRetire { .. } | PrincipalAct::StaffEnd { .. }
        ),
        Act::Core(act) => matches!(act, CoreAct::Recover { .. } | CoreAct::Control(_)),
    })
}

/// Whether something by this node's owner does not simply count.
fn has_doubtful(record: &mut Record, owner: PrincipalId) -> bool {
    record.ledger().documents().iter().any(|document| {
        let mut entries = record.ledger().entries(document);
        entries.retain(|(_, status)| *status != Status::Accepted);
        entries.iter().any(|(id, _)| {
            let header = record.ledger().header(id);
            header.is_some_and(|header| header.author == owner)
        })
    })
}

/// What the other side has, to look things up in.
struct Held {
    events: BTreeSet<EventId>,
    entries: BTreeSet<EnvelopeId>,
    parts: BTreeSet<EventId>,
    blobs: BTreeSet<BlobId>,
}

impl Held {
    fn of(have: &Have) -> Self {
        Self {
            events: have.events.iter().copied().collect(),
            entries: have.entries.iter().copied().collect(),
            parts: have.parts.iter().copied().collect(),
            blobs: have.blobs.iter().copied().collect(),
        }
    }

    fn lacks(&self, item: &Item) -> bool {
        match item {
            Item::Event { id, .. } => !self.events.contains(id),
            Item::Entry { id, .. } => !self.entries.contains(id),
            Item::Part { bytes, .. } => !self.parts.contains(&part_hash(bytes)),
            Item::Row { .. } | Item::Audit { .. } => false,
        }
    }
}

fn event_of(bytes: &[u8]) -> Option<kith_protocol::logs::Event> {
    let event = kith_protocol::signed::Signed::<kith_protocol::logs::Event>::new(bytes.to_vec());
    Some(event.trust_own_store().ok()?.into_parts().1)
}

pub(super) fn author_of(bytes: &[u8]) -> Option<PrincipalId> {
    Some(event_of(bytes)?.author)
}

fn part_hash(bytes: &[u8]) -> EventId {
    EventId::from_bytes(*blake3::hash(bytes).as_bytes())
}

fn item_len(item: &Item) -> usize {
    match item {
        Item::Event { bytes, .. }
        | Item::Entry { bytes, .. }
        | Item::Part { bytes, .. }
        | Item::Audit { bytes } => bytes.len(),
        Item::Row { .. } => 0,
    }
}

fn blob_id(bytes: &[u8]) -> BlobId {
    BlobId::from_bytes(*blake3::hash(bytes).as_bytes())
}

impl Have {
    /// Takes what a batch holds as held.
    pub fn include(&mut self, batch: &Batch) {
        for item in &batch.items {
            match item {
                Item::Event { id, .. } => self.events.push(*id),
                Item::Entry { id, .. } => self.entries.push(*id),
                Item::Part { bytes, .. } => self.parts.push(part_hash(bytes)),
                Item::Row { .. } | Item::Audit { .. } => {}
            }
        }
        self.blobs
            .extend(batch.blobs.iter().map(|blob| blob_id(blob)));
    }
}

impl Batch {
    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty() && self.blobs.is_empty()
    }
}

#[cfg(test)]
pub(super) mod tests;
