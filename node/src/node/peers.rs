//! The other nodes that this one knows, and what may go to each of them.

use std::collections::BTreeSet;

use kith_protocol::{
    codec,
    consent::{Whoever, cut::CutPlace, grant::Purposes},
    id::{BlobId, DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    logs::{Act, LabelAct, LogId},
    record::Record,
    store::{Item, JournalPosition, Store, StoreError},
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

/// Bytes of items in one disclosure (`consent.md`, "Audit of reads").
const BATCH_LEN_MAX: usize = 256 * 1024;

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
            let mut have = Have {
                blobs,
                ..Have::default()
            };
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
            let missing = items.into_iter().filter(|item| match item {
                Item::Event { id, .. } => !have.events.contains(id),
                Item::Entry { id, .. } => !have.entries.contains(id),
                Item::Part { bytes, .. } => !have.parts.contains(&part_hash(bytes)),
                Item::Row { .. } | Item::Audit { .. } => false,
            });
            let mut batch = nothing;
            let mut len = 0;
            for item in missing {
                len += item_len(&item);
                if len > BATCH_LEN_MAX && !batch.items.is_empty() {
                    batch.is_last = false;
                    break;
                }
                batch.items.push(item);
            }
            if batch.is_last {
                node.add_blobs(&mut batch, &blobs, have, len)?;
            }
            let outgoing = Outgoing {
                documents: runs(&batch.items),
                attachments: batch.blobs.iter().map(|blob| blob_id(blob)).collect(),
                grant: None,
                len: len as u64,
            };
            if !outgoing.documents.is_empty() || !outgoing.attachments.is_empty() {
                node.disclose_to_peer(id, &who, outgoing)?;
            }
            Ok(batch)
        })
    }

    fn add_blobs(
        &self,
        batch: &mut Batch,
        blobs: &[BlobId],
        have: &Have,
        mut len: usize,
    ) -> Result<(), Failure> {
        for id in blobs.iter().filter(|id| !have.blobs.contains(id)) {
            let Some(bytes) = self.store.blob(id)? else {
                continue;
            };
            len += bytes.len();
            if len > BATCH_LEN_MAX && !(batch.items.is_empty() && batch.blobs.is_empty()) {
                batch.is_last = false;
                return Ok(());
            }
            batch.blobs.push(serde_bytes::ByteBuf::from(bytes));
        }
        Ok(())
    }

    /// Takes in what a peer sent of a record that both hold; says how much of it was new.
    pub fn take(&mut self, device: DeviceId, id: RecordId, batch: &Batch) -> Result<(), Failure> {
        if self.known(device, id)?.is_none() {
            return Ok(());
        }
        for blob in &batch.blobs {
            self.store.put_blob(blob)?;
        }
        self.take_items(id, &batch.items).map(|_| ())
    }

    /// Takes in items of a record: each is checked from its bytes; those that do not hold are left
    /// out and counted.
    pub(super) fn take_items(&mut self, id: RecordId, items: &[Item]) -> Result<usize, Failure> {
        let refused = self.with_record(id, |node, record| {
            let mut commit = Vec::with_capacity(items.len());
            let mut refused = 0;
            for item in items {
                match record.arrive(item) {
                    Ok(arrived) => {
                        if let Some(author) = arrived.author {
                            record.load_principals(&node.store, [author])?;
                        }
                        commit.push(arrived.item);
                    }
                    Err(error) => {
                        refused += 1;
                        tracing::warn!(%error, "something that arrived does not hold");
                    }
                }
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
            node.commit_noting(commit)?;
            Ok(refused)
        })?;
        Ok(refused)
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
        let mut authors = BTreeSet::from([who.principal, self.identity.principal]);
        let (mut entries, mut blobs) = (Vec::new(), BTreeSet::new());
        for document in record.ledger().documents() {
            let decided = record
                .ledger()
                .decide_read(who, &document, Purposes::CARE, now);
            let Ok(reader) = decided else {
                continue;
            };
            for (entry, bytes) in self.store.entries(&id, &document)? {
                let header = record.ledger().header(&entry);
                let Some(header) = header else { continue };
                authors.insert(header.author);
                entries.push(Item::Entry {
                    record: id,
                    document: document.clone(),
                    id: entry,
                    position: kith_protocol::store::ChainPosition {
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
        let mut items = self.authority(record, who, &mut authors)?;
        items.extend(entries);
        Ok((items, blobs.into_iter().collect()))
    }

    /// The events that prove what entries rest on: principal logs, the core log, and the logs of
    /// labels in which the peer was ever given anything.
    fn authority(
        &self,
        record: &mut Record,
        who: &Whoever,
        authors: &mut BTreeSet<PrincipalId>,
    ) -> Result<Vec<Item>, Failure> {
        let id = record.id();
        let mut of_record = Vec::new();
        for log in self.store.logs(&id)? {
            let events = self.store.events(&log)?;
            let visible = matches!(log, LogId::Core(_))
                || events
                    .iter()
                    .any(|(_, bytes)| grants_to(bytes, who.principal));
            if !visible {
                continue;
            }
            for (event, bytes) in events {
                authors.extend(author_of(&bytes));
                of_record.push(Item::Event {
                    log: log.clone(),
                    id: event,
                    bytes,
                });
            }
        }
        let mut items = Vec::new();
        for author in authors.iter() {
            let log = LogId::Principal(*author);
            for (id, bytes) in self.store.events(&log)? {
                items.push(Item::Event {
                    log: log.clone(),
                    id,
                    bytes,
                });
            }
        }
        items.extend(of_record);
        for bytes in self.store.parts(&id)? {
            items.extend(self.visible_part(record, who, id, bytes));
        }
        Ok(items)
    }

    fn visible_part(
        &self,
        record: &mut Record,
        who: &Whoever,
        id: RecordId,
        bytes: Vec<u8>,
    ) -> Option<Item> {
        let part: kith_protocol::consent::cut::ProvenPart = codec::decode_trusted(&bytes).ok()?;
        let visible = match &part.part.place {
            CutPlace::Document(document) => record
                .ledger()
                .decide_read(who, document, Purposes::CARE, now_ms())
                .is_ok(),
            CutPlace::Core | CutPlace::Label(_) => true,
        };
        // Whoever was stopped learns what of their own stands, and nothing of anybody else's.
        let own = part
            .part
            .chains
            .iter()
            .all(|chain| chain.device == who.device);
        let visible = visible || own;
        visible.then_some(Item::Part {
            record: id,
            revocation: part.revocation,
            bytes,
        })
    }
}

fn event_of(bytes: &[u8]) -> Option<kith_protocol::logs::Event> {
    let event = kith_protocol::signed::Signed::<kith_protocol::logs::Event>::new(bytes.to_vec());
    Some(event.trust_own_store().ok()?.into_parts().1)
}

pub(super) fn author_of(bytes: &[u8]) -> Option<PrincipalId> {
    Some(event_of(bytes)?.author)
}

fn grants_to(bytes: &[u8], principal: PrincipalId) -> bool {
    event_of(bytes).is_some_and(|event| {
        matches!(event.act, Act::Label(LabelAct::Grant(grant)) if grant.audience == principal)
    })
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
