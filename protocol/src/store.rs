//! Where everything signed is kept: the contract that the node's disk and the simulator's disk
//! both fulfil.
//!
//! The log is the truth: what was committed is never changed and never lost, and comes back in
//! the order in which it was taken in. Rows are small sealed values of the node itself, saved
//! documents are caches. Nothing that keeps bytes here looks into them.

pub mod conformance;
mod logs;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};
use serde::{Deserialize, Serialize};

pub use logs::{ReadLog, ReadLogs, read_log};

use crate::{
    consent::cut::CutPlace,
    id::{BlobId, DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    logs::LogId,
};

/// One thing to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A signed event of a log.
    Event {
        /// Its log, by the record's id even for a Genesis.
        log: LogId,
        /// Its id.
        id: EventId,
        /// The signed bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        /// Its place in its chain; the chain's epoch is 0.
        position: ChainPosition,
    },
    /// An entry of a document.
    Entry {
        /// The record.
        record: RecordId,
        /// The document.
        document: DocumentId,
        /// Its id.
        id: EnvelopeId,
        /// Its place in its chain.
        position: ChainPosition,
        /// The encoded envelope.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// The part of a cut that concerns one document, with its proof.
    Part {
        /// The record.
        record: RecordId,
        /// The revocation that carries the root.
        revocation: EventId,
        /// The encoded part.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// A small value of the node's own; replaces the one before it under its key.
    Row {
        /// Its key.
        key: RowKey,
        /// The value; `None` takes it away.
        value: Option<serde_bytes::ByteBuf>,
    },
    /// A link of the access log.
    Audit {
        /// The encoded link.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
}

/// The chain of an entry or event and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChainPosition {
    /// The key that signs the chain.
    pub device: DeviceId,
    /// The chain's epoch; 0 for events.
    pub epoch: u32,
    /// Position from 0.
    pub seq: u64,
}

/// Names a row: what kind of value, and which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowKey {
    /// The kind, by a number of the node's own.
    pub kind: u8,
    /// Which.
    #[serde(with = "serde_bytes")]
    pub name: Vec<u8>,
}

/// A position in the journal of everything taken in; the first item has 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct JournalPosition(pub u64);

/// The last link of a chain of entries or of events of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainEnd {
    /// The record.
    pub record: RecordId,
    /// The document, or the log.
    pub place: CutPlace,
    /// The chain and the place of its last link.
    pub position: ChainPosition,
    /// The last link, an event's id for a log; of two with the highest position the one that came
    /// first.
    pub id: EnvelopeId,
    /// Whether each link of the chain came right after the one before it. Where not, the chain may
    /// have branches or holes, and what of it stands is for the status rule to say.
    pub is_straight: bool,
}

/// Something that was found damaged: it is never served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which part of the store.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

/// Why the store did not do what was asked; what it held before it still holds.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room.
    #[error("the disk is full: nothing was written, and what was stored before is intact")]
    Full,
    /// What was asked for is damaged.
    #[error("{place} is damaged: {what}", place = .0.place, what = .0.what)]
    Damaged(Damage),
    /// Another process has the store.
    #[error("another kith process is using this store")]
    InUse,
    /// The disk refuses.
    #[error("the disk does not do it")]
    Io(#[from] std::io::Error),
    /// The index refuses.
    #[error("the index does not do it: {0}")]
    Index(String),
}

/// A row's name and value.
pub type NamedRow = (Vec<u8>, Vec<u8>);

/// A durable store.
pub trait Store {
    /// Keeps all items or none. What is here already (events and entries by id, parts by their
    /// bytes) is skipped. When it returns, everything is on the disk.
    fn commit(&mut self, items: Vec<Item>) -> Result<JournalPosition, StoreError>;

    /// Whether an event is here.
    fn has_event(&self, id: &EventId) -> Result<bool, StoreError>;

    /// Whether an entry is here.
    fn has_entry(&self, id: &EnvelopeId) -> Result<bool, StoreError>;

    /// The record, document and bytes of an entry.
    fn entry(&self, id: &EnvelopeId)
    -> Result<Option<(RecordId, DocumentId, Vec<u8>)>, StoreError>;

    /// An event's bytes.
    fn event(&self, id: &EventId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The events of a log, oldest first.
    fn events(&self, log: &LogId) -> Result<Vec<(EventId, Vec<u8>)>, StoreError>;

    /// A log, oldest event first, as it is read. A store keeps those at hand that it read last.
    fn log(&self, log: &LogId) -> Result<ReadLog, StoreError> {
        read_log(self, log)
    }

    /// A principal's log.
    fn principal_log(&self, principal: &PrincipalId) -> Result<ReadLog, StoreError> {
        self.log(&LogId::Principal(*principal))
    }

    /// The entries of a document, oldest first.
    fn entries(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError>;

    /// The ids of the entries of a document, oldest first.
    fn entry_ids(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<EnvelopeId>, StoreError>;

    /// The parts of cuts held for a record.
    fn parts(&self, record: &RecordId) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Every record of which anything is here, ascending.
    fn records(&self) -> Result<Vec<RecordId>, StoreError>;

    /// When a record came: of two, the one of which something was taken in first has the lower
    /// number. What came together lies together, so that this is the order in which reading many
    /// costs least. One that is not here comes last.
    fn came(&self, record: &RecordId) -> Result<u64, StoreError>;

    /// The documents of a record, ascending.
    fn documents(&self, record: &RecordId) -> Result<Vec<DocumentId>, StoreError>;

    /// The core and label logs of a record, ascending.
    fn logs(&self, record: &RecordId) -> Result<Vec<LogId>, StoreError>;

    /// The labels of which each record has a log or a document here; a record whose core log is
    /// all that is here has none.
    fn labels(&self) -> Result<BTreeMap<RecordId, BTreeSet<Label>>, StoreError>;

    /// The end of every chain of entries, and of events of core and label logs, that a device
    /// signed, for one record or for all, ascending.
    fn chains(
        &self,
        device: &DeviceId,
        record: Option<&RecordId>,
    ) -> Result<Vec<ChainEnd>, StoreError>;

    /// What was taken in after a position, at most `limit` items, rows left out.
    fn journal(
        &self,
        after: JournalPosition,
        limit: usize,
    ) -> Result<Vec<(JournalPosition, Item)>, StoreError>;

    /// The links of the access log, oldest first.
    fn audit(&self) -> Result<Vec<Vec<u8>>, StoreError>;

    /// A row.
    fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// All rows of a kind, by name.
    fn rows(&self, kind: u8) -> Result<Vec<NamedRow>, StoreError>;

    /// Keeps a large value under the hash of its bytes.
    fn put_blob(&mut self, bytes: &[u8]) -> Result<BlobId, StoreError>;

    /// A large value; damage is found before a byte is given out.
    fn blob(&self, id: &BlobId) -> Result<Option<Vec<u8>>, StoreError>;

    /// What was found damaged since the store was opened.
    fn damage(&self) -> Vec<Damage>;
}
