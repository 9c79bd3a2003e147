//! The tables of the index and how items are noted in them.

use kith_crdt::{DocumentId, Label};
use kith_protocol::{
    codec,
    consent::cut::CutPlace,
    id::{DeviceId, RecordId},
    logs::LogId,
    store::{ChainPosition, Item, RowKey},
};
use redb::{
    Database, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError, WriteTransaction,
};
use serde_bytes::ByteBuf;

use super::{Keys, Location, Placed};
use crate::store::seal::{self, Key};

type Hash = &'static [u8; 32];
/// The first half of a keyed hash: nobody without the key finds two names of one.
type Name = &'static [u8; 16];
type Place = &'static [u8; 12];
type SealedNumber = &'static [u8; seal::NUMBER_LEN];
/// (record, document or log) to the sealed handle of its place.
pub(super) type OfRecord = TableDefinition<'static, (u32, u32), SealedNumber>;
/// Handle to sealed name.
pub(super) type Names = TableDefinition<'static, u32, &'static [u8]>;

/// Keyed hash of a name to its handle.
pub(super) type Handles = TableDefinition<'static, Name, u32>;
/// Id to position in the journal.
pub(super) type Positions = TableDefinition<'static, Hash, u64>;
/// (document or log, position in the journal) to the id of what was taken in.
pub(super) type InOrder = TableDefinition<'static, (u32, u64), Hash>;

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const EVENTS: Positions = TableDefinition::new("events");
pub(super) const ENTRIES: Positions = TableDefinition::new("entries");
pub(super) const DEVICES: TableDefinition<'_, Hash, u32> = TableDefinition::new("devices");
pub(super) const RECORDS: TableDefinition<'_, Hash, u32> = TableDefinition::new("records");
pub(super) const LOGS: Handles = TableDefinition::new("logs");
pub(super) const LABELS: Handles = TableDefinition::new("labels");
pub(super) const LABEL_NAMES: Names = TableDefinition::new("label names");
pub(super) const RECORD_LABELS: TableDefinition<'_, (u32, u32), ()> =
    TableDefinition::new("record labels");
pub(super) const PLACES: Handles = TableDefinition::new("places");
pub(super) const PLACE_NAMES: Names = TableDefinition::new("place names");
pub(super) const LOG_PLACES: OfRecord = TableDefinition::new("log places");
pub(super) const LOG_EVENTS: InOrder = TableDefinition::new("log events");
pub(super) const DOCUMENTS: Handles = TableDefinition::new("documents");
pub(super) const DOCUMENT_PLACES: OfRecord = TableDefinition::new("document places");
pub(super) const DOCUMENT_ENTRIES: InOrder = TableDefinition::new("document entries");
pub(super) const CHAINS: Chains = TableDefinition::new("chains");
pub(super) const PARTS: TableDefinition<'_, (u32, u64), Place> = TableDefinition::new("parts");
pub(super) const PART_HASHES: TableDefinition<'_, Hash, ()> = TableDefinition::new("part hashes");
pub(super) const JOURNAL: TableDefinition<'_, u64, Place> = TableDefinition::new("journal");
pub(super) const AUDIT: TableDefinition<'_, u64, Place> = TableDefinition::new("audit");
pub(super) const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// (device, what the links are, document or log, epoch) to where the chain ends.
pub(super) type Chains = TableDefinition<'static, (u32, u8, u32, u32), &'static [u8; 41]>;

/// The form of these tables. An index of another form is made again from the log.
pub(super) const FORM: u64 = 3;

/// The form of the tables that a file holds; nothing where it holds none.
pub(super) fn form(database: &Database) -> Result<Option<u64>, redb::Error> {
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(Some(meta.get("form")?.map_or(0, |form| form.value()))),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes every table, so that reading never meets one that is not there.
pub(super) fn create(t: &WriteTransaction) -> Result<(), redb::Error> {
    let mut meta = t.open_table(META)?;
    if meta.get("last")?.is_none() {
        meta.insert("form", FORM)?;
    }
    t.open_table(EVENTS)?;
    t.open_table(ENTRIES)?;
    t.open_table(RECORDS)?;
    t.open_table(LOGS)?;
    t.open_table(LABELS)?;
    t.open_table(LABEL_NAMES)?;
    t.open_table(RECORD_LABELS)?;
    t.open_table(PLACES)?;
    t.open_table(PLACE_NAMES)?;
    t.open_table(LOG_PLACES)?;
    t.open_table(LOG_EVENTS)?;
    t.open_table(DOCUMENTS)?;
    t.open_table(DOCUMENT_PLACES)?;
    t.open_table(DOCUMENT_ENTRIES)?;
    t.open_table(DEVICES)?;
    t.open_table(CHAINS)?;
    t.open_table(PARTS)?;
    t.open_table(PART_HASHES)?;
    t.open_table(JOURNAL)?;
    t.open_table(AUDIT)?;
    t.open_table(ROWS)?;
    Ok(())
}

/// A keyed hash of a name, so that the file shows none.
pub(super) fn hashed(key: &Key, name: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::keyed_hash(key, name).as_bytes()[..16]);
    half
}

/// The key of a row: its kind, and a keyed hash of its name.
pub(super) fn row_key(key: &Key, row: &RowKey) -> Vec<u8> {
    let mut bytes = vec![row.kind];
    bytes.extend_from_slice(&hashed(key, &row.name));
    bytes
}

/// What tells one part of a record from another.
pub(super) fn part_hash(record: &RecordId, bytes: &[u8]) -> [u8; 32] {
    *blake3::keyed_hash(record.as_bytes(), bytes).as_bytes()
}

/// What the links of a chain are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// Entries of a document.
    Entries = 0,
    /// Events of a log.
    Events = 1,
}

/// What a place is sealed for: a document or log of a record, by their handles.
pub(super) fn place_context(links: Links, (record, of): (u32, u32)) -> [u8; 9] {
    let mut context = [links as u8; 9];
    context[1..5].copy_from_slice(&record.to_be_bytes());
    context[5..].copy_from_slice(&of.to_be_bytes());
    context
}

/// The table of the places of documents or logs.
pub(super) const fn places_of(links: Links) -> OfRecord {
    match links {
        Links::Entries => DOCUMENT_PLACES,
        Links::Events => LOG_PLACES,
    }
}

/// Where a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) seq: u64,
    pub(super) id: [u8; 32],
    /// Whether each link came right after the one before it.
    pub(super) is_straight: bool,
}

impl End {
    /// The end of a chain once another link has come.
    fn after(known: Option<Self>, seq: u64, id: [u8; 32]) -> Self {
        let next = known.map_or(0, |known| known.seq.saturating_add(1));
        let is_straight = seq == next && known.is_none_or(|known| known.is_straight);
        match known {
            Some(known) if known.seq >= seq => Self {
                is_straight,
                ..known
            },
            Some(_) | None => Self {
                seq,
                id,
                is_straight,
            },
        }
    }

    fn to_bytes(self) -> [u8; 41] {
        let mut bytes = [0; 41];
        bytes[..8].copy_from_slice(&self.seq.to_be_bytes());
        bytes[8..40].copy_from_slice(&self.id);
        bytes[40] = u8::from(self.is_straight);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; 41]) -> Self {
        let (mut seq, mut id) = ([0; 8], [0; 32]);
        seq.copy_from_slice(&bytes[..8]);
        id.copy_from_slice(&bytes[8..40]);
        Self {
            seq: u64::from_be_bytes(seq),
            id,
            is_straight: bytes[40] == 1,
        }
    }
}

/// One transaction's worth of noting.
pub(super) struct Adding<'t> {
    keys: &'t Keys,
    meta: Table<'t, &'static str, u64>,
    events: Table<'t, Hash, u64>,
    entries: Table<'t, Hash, u64>,
    records: Table<'t, Hash, u32>,
    logs: Table<'t, Name, u32>,
    labels: Table<'t, Name, u32>,
    label_names: Table<'t, u32, &'static [u8]>,
    record_labels: Table<'t, (u32, u32), ()>,
    places: Table<'t, Name, u32>,
    place_names: Table<'t, u32, &'static [u8]>,
    log_places: Table<'t, (u32, u32), SealedNumber>,
    log_events: Table<'t, (u32, u64), Hash>,
    documents: Table<'t, Name, u32>,
    document_places: Table<'t, (u32, u32), SealedNumber>,
    document_entries: Table<'t, (u32, u64), Hash>,
    devices: Table<'t, Hash, u32>,
    chains: Table<'t, (u32, u8, u32, u32), &'static [u8; 41]>,
    parts: Table<'t, (u32, u64), Place>,
    part_hashes: Table<'t, Hash, ()>,
    journal: Table<'t, u64, Place>,
    audit: Table<'t, u64, Place>,
    rows: Table<'t, &'static [u8], &'static [u8]>,
    last: u64,
    end: (u32, u32),
}

impl<'t> Adding<'t> {
    pub(super) fn begin(t: &'t WriteTransaction, keys: &'t Keys) -> Result<Self, redb::Error> {
        let meta = t.open_table(META)?;
        let last = meta.get("last")?.map_or(0, |last| last.value());
        Ok(Self {
            keys,
            meta,
            events: t.open_table(EVENTS)?,
            entries: t.open_table(ENTRIES)?,
            records: t.open_table(RECORDS)?,
            logs: t.open_table(LOGS)?,
            labels: t.open_table(LABELS)?,
            label_names: t.open_table(LABEL_NAMES)?,
            record_labels: t.open_table(RECORD_LABELS)?,
            places: t.open_table(PLACES)?,
            place_names: t.open_table(PLACE_NAMES)?,
            log_places: t.open_table(LOG_PLACES)?,
            log_events: t.open_table(LOG_EVENTS)?,
            documents: t.open_table(DOCUMENTS)?,
            document_places: t.open_table(DOCUMENT_PLACES)?,
            document_entries: t.open_table(DOCUMENT_ENTRIES)?,
            devices: t.open_table(DEVICES)?,
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
            Item::Event {
                log, id, position, ..
            } => {
                if self.events.get(id.as_bytes())?.is_none() {
                    self.journalled(at)?;
                    self.events.insert(id.as_bytes(), self.last)?;
                    let log = self.log(log)?;
                    self.log_events.insert((log, self.last), id.as_bytes())?;
                    self.chain(position, Links::Events, log, *id.as_bytes())?;
                }
            }
            Item::Entry {
                record,
                document,
                id,
                position,
                ..
            } => {
                if self.entries.get(id.as_bytes())?.is_none() {
                    self.journalled(at)?;
                    self.entries.insert(id.as_bytes(), self.last)?;
                    let document = self.document(record, document)?;
                    self.document_entries
                        .insert((document, self.last), id.as_bytes())?;
                    self.chain(position, Links::Entries, document, *id.as_bytes())?;
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
        let hashed = row_key(&self.keys.names, key);
        match value {
            Some(value) => {
                let plain = codec::encode(&(ByteBuf::from(key.name.clone()), value));
                let sealed = seal::seal(&self.keys.values, b"row", &plain);
                self.rows.insert(hashed.as_slice(), sealed.as_slice())?;
            }
            None => {
                self.rows.remove(hashed.as_slice())?;
            }
        }
        Ok(())
    }

    fn record(&mut self, record: &RecordId) -> Result<u32, redb::Error> {
        let id = record.as_bytes();
        Ok(handle(&mut self.records, &mut self.meta, "records", id)?.0)
    }

    fn device(&mut self, device: &DeviceId) -> Result<u32, redb::Error> {
        let id = device.as_bytes();
        Ok(handle(&mut self.devices, &mut self.meta, "devices", id)?.0)
    }

    fn log(&mut self, log: &LogId) -> Result<u32, redb::Error> {
        let name = codec::encode(log);
        let hash = hashed(&self.keys.names, &name);
        let (handle, is_new) = handle(&mut self.logs, &mut self.meta, "logs", &hash)?;
        if !is_new {
            return Ok(handle);
        }
        let (record, place) = match log {
            LogId::Core(Some(record)) => (record, CutPlace::Core),
            LogId::Label(record, label) => (record, CutPlace::Label(label.clone())),
            LogId::Core(None) | LogId::Principal(_) => return Ok(handle),
        };
        let record = self.record(record)?;
        if let LogId::Label(_, label) = log {
            self.label(record, label)?;
        }
        let sealed = self.sealed_place(&place, Links::Events, (record, handle))?;
        self.log_places.insert((record, handle), &sealed)?;
        Ok(handle)
    }

    fn document(&mut self, record: &RecordId, document: &DocumentId) -> Result<u32, redb::Error> {
        let name = codec::encode(&(record, document));
        let hash = hashed(&self.keys.names, &name);
        let (handle, is_new) = handle(&mut self.documents, &mut self.meta, "documents", &hash)?;
        if !is_new {
            return Ok(handle);
        }
        let record = self.record(record)?;
        self.label(record, &document.label)?;
        let place = CutPlace::Document(document.clone());
        let sealed = self.sealed_place(&place, Links::Entries, (record, handle))?;
        self.document_places.insert((record, handle), &sealed)?;
        Ok(handle)
    }

    /// What says where in its record a document or log is.
    fn sealed_place(
        &mut self,
        place: &CutPlace,
        links: Links,
        of: (u32, u32),
    ) -> Result<[u8; seal::NUMBER_LEN], redb::Error> {
        let name = codec::encode(place);
        let hash = hashed(&self.keys.names, &name);
        let (handle, is_new) = handle(&mut self.places, &mut self.meta, "places", &hash)?;
        if is_new {
            let sealed = seal::seal(&self.keys.values, b"name", &name);
            self.place_names.insert(handle, sealed.as_slice())?;
        }
        let context = place_context(links, of);
        Ok(seal::seal_number(&self.keys.places, &context, handle))
    }

    fn label(&mut self, record: u32, label: &Label) -> Result<(), redb::Error> {
        let name = codec::encode(label);
        let hash = hashed(&self.keys.names, &name);
        let (handle, is_new) = handle(&mut self.labels, &mut self.meta, "labels", &hash)?;
        if is_new {
            let sealed = seal::seal(&self.keys.values, b"name", &name);
            self.label_names.insert(handle, sealed.as_slice())?;
        }
        self.record_labels.insert((record, handle), ())?;
        Ok(())
    }

    fn chain(
        &mut self,
        position: &ChainPosition,
        links: Links,
        handle: u32,
        id: [u8; 32],
    ) -> Result<(), redb::Error> {
        let device = self.device(&position.device)?;
        let key = (device, links as u8, handle, position.epoch);
        let known = self.chains.get(key)?;
        let known = known.map(|end| End::from_bytes(end.value()));
        let end = End::after(known, position.seq, id);
        self.chains.insert(key, &end.to_bytes())?;
        Ok(())
    }
}

/// The handle of a thing, and whether it was given now: handles of a kind follow one another.
fn handle<const N: usize>(
    handles: &mut Table<'_, &'static [u8; N], u32>,
    meta: &mut Table<'_, &'static str, u64>,
    kind: &'static str,
    of: &[u8; N],
) -> Result<(u32, bool), redb::Error> {
    if let Some(handle) = handles.get(of)? {
        return Ok((handle.value(), false));
    }
    let next = meta.get(kind)?.map_or(1, |next| next.value() + 1);
    meta.insert(kind, next)?;
    let handle = u32::try_from(next).unwrap_or(u32::MAX);
    handles.insert(of, handle)?;
    Ok((handle, true))
}
