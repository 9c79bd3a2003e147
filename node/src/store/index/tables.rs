//! The tables of the index and how items are noted in them.

use kith_crdt::DocumentId;
use kith_protocol::{
    codec,
    id::{DeviceId, EnvelopeId, RecordId},
    logs::LogId,
    store::{ChainPosition, Item, RowKey},
};
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use serde_bytes::ByteBuf;

use super::{Location, Placed};
use crate::store::seal::{self, Key};

type Hash = &'static [u8; 32];
type Place = &'static [u8; 12];
type IdAndPlace = &'static [u8; 44];
/// (record, document or log) to nothing.
pub(super) type OfRecord = TableDefinition<'static, (u32, u32), ()>;
/// Handle to sealed name.
pub(super) type Names = TableDefinition<'static, u32, &'static [u8]>;

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const EVENTS: TableDefinition<'_, Hash, Place> = TableDefinition::new("events");
pub(super) const ENTRIES: TableDefinition<'_, Hash, Place> = TableDefinition::new("entries");
pub(super) const RECORDS: TableDefinition<'_, Hash, u32> = TableDefinition::new("records");
pub(super) const LOGS: TableDefinition<'_, Hash, u32> = TableDefinition::new("logs");
pub(super) const LOG_NAMES: Names = TableDefinition::new("log names");
pub(super) const RECORD_LOGS: OfRecord = TableDefinition::new("record logs");
pub(super) const LOG_EVENTS: TableDefinition<'_, (u32, u64), IdAndPlace> =
    TableDefinition::new("log events");
pub(super) const DOCUMENTS: TableDefinition<'_, Hash, u32> = TableDefinition::new("documents");
pub(super) const DOCUMENT_NAMES: Names = TableDefinition::new("document names");
pub(super) const RECORD_DOCUMENTS: OfRecord = TableDefinition::new("record documents");
pub(super) const DOCUMENT_ENTRIES: TableDefinition<'_, (u32, u64), IdAndPlace> =
    TableDefinition::new("document entries");
pub(super) const CHAINS: TableDefinition<'_, &[u8], &[u8; 40]> = TableDefinition::new("chains");
pub(super) const PARTS: TableDefinition<'_, (u32, u64), Place> = TableDefinition::new("parts");
pub(super) const PART_HASHES: TableDefinition<'_, Hash, ()> = TableDefinition::new("part hashes");
pub(super) const JOURNAL: TableDefinition<'_, u64, Place> = TableDefinition::new("journal");
pub(super) const AUDIT: TableDefinition<'_, u64, Place> = TableDefinition::new("audit");
pub(super) const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// Makes every table, so that reading never meets one that is not there.
pub(super) fn create(t: &WriteTransaction) -> Result<(), redb::Error> {
    t.open_table(META)?;
    t.open_table(EVENTS)?;
    t.open_table(ENTRIES)?;
    t.open_table(RECORDS)?;
    t.open_table(LOGS)?;
    t.open_table(LOG_NAMES)?;
    t.open_table(RECORD_LOGS)?;
    t.open_table(LOG_EVENTS)?;
    t.open_table(DOCUMENTS)?;
    t.open_table(DOCUMENT_NAMES)?;
    t.open_table(RECORD_DOCUMENTS)?;
    t.open_table(DOCUMENT_ENTRIES)?;
    t.open_table(CHAINS)?;
    t.open_table(PARTS)?;
    t.open_table(PART_HASHES)?;
    t.open_table(JOURNAL)?;
    t.open_table(AUDIT)?;
    t.open_table(ROWS)?;
    Ok(())
}

/// A keyed hash of a name, so that the file shows none.
pub(super) fn hashed(key: &Key, name: &[u8]) -> [u8; 32] {
    *blake3::keyed_hash(key, name).as_bytes()
}

/// The key of a row: its kind, and a keyed hash of its name.
pub(super) fn row_key(key: &Key, row: &RowKey) -> Vec<u8> {
    let mut bytes = vec![row.kind];
    bytes.extend_from_slice(&hashed(key, &row.name)[..16]);
    bytes
}

/// What tells one part of a record from another.
pub(super) fn part_hash(record: &RecordId, bytes: &[u8]) -> [u8; 32] {
    *blake3::keyed_hash(record.as_bytes(), bytes).as_bytes()
}

fn joined(id: &[u8; 32], at: Location) -> [u8; 44] {
    let mut bytes = [0; 44];
    bytes[..32].copy_from_slice(id);
    bytes[32..].copy_from_slice(&at.to_bytes());
    bytes
}

/// An id and a place.
pub(super) fn split(bytes: &[u8; 44]) -> ([u8; 32], Location) {
    let (mut id, mut at) = ([0; 32], [0; 12]);
    id.copy_from_slice(&bytes[..32]);
    at.copy_from_slice(&bytes[32..]);
    (id, Location::from_bytes(&at))
}

fn chain(position: &ChainPosition, document: u32) -> Vec<u8> {
    let mut key = position.device.as_bytes().to_vec();
    key.extend_from_slice(&document.to_be_bytes());
    key.extend_from_slice(&position.epoch.to_be_bytes());
    key
}

/// The first and last key of a device's chains.
pub(super) fn chains_of(device: &DeviceId) -> (Vec<u8>, Vec<u8>) {
    let from = device.as_bytes().to_vec();
    let to = [device.as_bytes().as_slice(), &[0xff; 8]].concat();
    (from, to)
}

/// The document handle and epoch in a chain's key.
pub(super) fn chain_key(key: &[u8]) -> (u32, u32) {
    let number = |at: usize| {
        let bytes = key.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or([0xff; 4]))
    };
    (number(32), number(36))
}

fn chain_end(seq: u64, id: &EnvelopeId) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(&seq.to_be_bytes());
    bytes[8..].copy_from_slice(id.as_bytes());
    bytes
}

/// The position and id of a chain's last entry.
pub(super) fn chain_value(bytes: &[u8; 40]) -> (u64, EnvelopeId) {
    let (mut seq, mut id) = ([0; 8], [0; 32]);
    seq.copy_from_slice(&bytes[..8]);
    id.copy_from_slice(&bytes[8..]);
    (u64::from_be_bytes(seq), EnvelopeId::from_bytes(id))
}

/// One transaction's worth of noting.
pub(super) struct Adding<'t> {
    names: &'t Key,
    values: &'t Key,
    meta: Table<'t, &'static str, u64>,
    events: Table<'t, Hash, Place>,
    entries: Table<'t, Hash, Place>,
    records: Table<'t, Hash, u32>,
    logs: Table<'t, Hash, u32>,
    log_names: Table<'t, u32, &'static [u8]>,
    record_logs: Table<'t, (u32, u32), ()>,
    log_events: Table<'t, (u32, u64), IdAndPlace>,
    documents: Table<'t, Hash, u32>,
    document_names: Table<'t, u32, &'static [u8]>,
    record_documents: Table<'t, (u32, u32), ()>,
    document_entries: Table<'t, (u32, u64), IdAndPlace>,
    chains: Table<'t, &'static [u8], &'static [u8; 40]>,
    parts: Table<'t, (u32, u64), Place>,
    part_hashes: Table<'t, Hash, ()>,
    journal: Table<'t, u64, Place>,
    audit: Table<'t, u64, Place>,
    rows: Table<'t, &'static [u8], &'static [u8]>,
    last: u64,
    end: (u32, u32),
}

impl<'t> Adding<'t> {
    pub(super) fn begin(
        t: &'t WriteTransaction,
        names: &'t Key,
        values: &'t Key,
    ) -> Result<Self, redb::Error> {
        let meta = t.open_table(META)?;
        let last = meta.get("last")?.map_or(0, |last| last.value());
        Ok(Self {
            names,
            values,
            meta,
            events: t.open_table(EVENTS)?,
            entries: t.open_table(ENTRIES)?,
            records: t.open_table(RECORDS)?,
            logs: t.open_table(LOGS)?,
            log_names: t.open_table(LOG_NAMES)?,
            record_logs: t.open_table(RECORD_LOGS)?,
            log_events: t.open_table(LOG_EVENTS)?,
            documents: t.open_table(DOCUMENTS)?,
            document_names: t.open_table(DOCUMENT_NAMES)?,
            record_documents: t.open_table(RECORD_DOCUMENTS)?,
            document_entries: t.open_table(DOCUMENT_ENTRIES)?,
            chains: t.open_table(CHAINS)?,
            parts: t.open_table(PARTS)?,
            part_hashes: t.open_table(PART_HASHES)?,
            journal: t.open_table(JOURNAL)?,
            audit: t.open_table(AUDIT)?,
            rows: t.open_table(ROWS)?,
            last,
            end: (0, 0),
        })
    }

    pub(super) fn block(&mut self, placed: &Placed) -> Result<(), redb::Error> {
        for (at, item) in placed.items() {
            self.item(at, item)?;
        }
        self.end = (placed.segment, placed.end);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<u64, redb::Error> {
        self.meta.insert("last", self.last)?;
        self.meta.insert("segment", u64::from(self.end.0))?;
        self.meta.insert("offset", u64::from(self.end.1))?;
        Ok(self.last)
    }

    fn item(&mut self, at: Location, item: &Item) -> Result<(), redb::Error> {
        match item {
            Item::Event { log, id, .. } => {
                if self.events.insert(id.as_bytes(), &at.to_bytes())?.is_none() {
                    self.journalled(at)?;
                    let log = self.log(log)?;
                    let value = joined(id.as_bytes(), at);
                    self.log_events.insert((log, self.last), &value)?;
                }
            }
            Item::Entry {
                record,
                document,
                id,
                position,
                ..
            } => {
                if self
                    .entries
                    .insert(id.as_bytes(), &at.to_bytes())?
                    .is_none()
                {
                    self.journalled(at)?;
                    let document = self.document(record, document)?;
                    let value = joined(id.as_bytes(), at);
                    self.document_entries
                        .insert((document, self.last), &value)?;
                    self.chain(position, document, id)?;
                }
            }
            Item::Part { record, bytes, .. } => {
                if self
                    .part_hashes
                    .insert(&part_hash(record, bytes), ())?
                    .is_none()
                {
                    self.journalled(at)?;
                    let record = self.record(record)?;
                    self.parts.insert((record, self.last), &at.to_bytes())?;
                }
            }
            Item::Audit { .. } => {
                self.journalled(at)?;
                self.audit.insert(self.last, &at.to_bytes())?;
            }
            Item::Row { key, value } => self.row(key, value.as_ref())?,
        }
        Ok(())
    }

    fn journalled(&mut self, at: Location) -> Result<(), redb::Error> {
        self.last += 1;
        self.journal.insert(self.last, &at.to_bytes())?;
        Ok(())
    }

    fn row(&mut self, key: &RowKey, value: Option<&ByteBuf>) -> Result<(), redb::Error> {
        let hashed = row_key(self.names, key);
        match value {
            Some(value) => {
                let plain = codec::encode(&(ByteBuf::from(key.name.clone()), value));
                let sealed = seal::seal(self.values, b"row", &plain);
                self.rows.insert(hashed.as_slice(), sealed.as_slice())?;
            }
            None => {
                self.rows.remove(hashed.as_slice())?;
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &RecordId) -> Result<u32, redb::Error> {
        if let Some(handle) = self.records.get(record.as_bytes())? {
            return Ok(handle.value());
        }
        let handle = self.next("records")?;
        self.records.insert(record.as_bytes(), handle)?;
        Ok(handle)
    }

    fn log(&mut self, log: &LogId) -> Result<u32, redb::Error> {
        let name = codec::encode(log);
        let hash = hashed(self.names, &name);
        if let Some(handle) = self.logs.get(&hash)? {
            return Ok(handle.value());
        }
        let handle = self.next("logs")?;
        self.logs.insert(&hash, handle)?;
        let sealed = seal::seal(self.values, b"name", &name);
        self.log_names.insert(handle, sealed.as_slice())?;
        let record = match log {
            LogId::Core(Some(record)) | LogId::Label(record, _) => Some(record),
            LogId::Core(None) | LogId::Principal(_) => None,
        };
        if let Some(record) = record {
            let record = self.record(record)?;
            self.record_logs.insert((record, handle), ())?;
        }
        Ok(handle)
    }

    fn document(&mut self, record: &RecordId, document: &DocumentId) -> Result<u32, redb::Error> {
        let name = codec::encode(&(record, document));
        let hash = hashed(self.names, &name);
        if let Some(handle) = self.documents.get(&hash)? {
            return Ok(handle.value());
        }
        let handle = self.next("documents")?;
        self.documents.insert(&hash, handle)?;
        let sealed = seal::seal(self.values, b"name", &name);
        self.document_names.insert(handle, sealed.as_slice())?;
        let record = self.record(record)?;
        self.record_documents.insert((record, handle), ())?;
        Ok(handle)
    }

    fn chain(
        &mut self,
        position: &ChainPosition,
        document: u32,
        id: &EnvelopeId,
    ) -> Result<(), redb::Error> {
        let key = chain(position, document);
        let known = self
            .chains
            .get(key.as_slice())?
            .map(|end| chain_value(end.value()).0);
        if known.is_none_or(|seq| seq < position.seq) {
            let end = chain_end(position.seq, id);
            self.chains.insert(key.as_slice(), &end)?;
        }
        Ok(())
    }

    /// A fresh handle.
    fn next(&mut self, kind: &'static str) -> Result<u32, redb::Error> {
        let next = self.meta.get(kind)?.map_or(1, |next| next.value() + 1);
        self.meta.insert(kind, next)?;
        Ok(u32::try_from(next).unwrap_or(u32::MAX))
    }
}
