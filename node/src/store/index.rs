//! Where in the log everything is: redb, whose loss costs a rebuild and nothing else.
//!
//! Keys are random ids, keyed hashes and counters; names of documents and logs and the values of
//! rows are sealed. Every call into the engine is guarded: a panic in it becomes an error, and an
//! index that does not open is set aside and made again from the log.

macro_rules! open {
    ($transaction:expr, $table:expr) => {
        $transaction.open_table($table).map_err(boxed)?
    };
}

#[cfg(test)]
mod flipped;
mod places;
mod tables;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Mutex,
};

use kith_crdt::DocumentId;
use kith_protocol::{
    codec,
    consent::cut::CutPlace,
    id::{EnvelopeId, EventId, RecordId},
    logs::LogId,
    store::{Damage, JournalPosition, NamedRow, RowKey, StoreError},
};
use redb::{Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};

use super::{
    keystore::StoreKey,
    seal::{self, Key},
    segments::{Placed, Segments},
};
use tables::{
    AUDIT, DOCUMENT_ENTRIES, DOCUMENTS, ENTRIES, EVENTS, JOURNAL, LOG_EVENTS, LOGS, META,
    PART_HASHES, PARTS, RECORDS, ROWS,
};

/// Bytes of pages that redb keeps in memory (its own default is 1 GiB): enough for the upper levels
/// of its trees and for what one commit writes. The system keeps the rest of the file at hand.
const CACHE_LEN: usize = 4 * 1024 * 1024;
/// Commits between two that wait for the index file to be written out.
const COMMITS_PER_FLUSH: u32 = 128;
/// Items that may come in, beside a quarter of those that are there, until pages are moved together.
const LOOSE: u64 = 1000;

/// The place of an item in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) item: u32,
}

impl Location {
    fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..].copy_from_slice(&self.item.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; 12]) -> Self {
        let number = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            segment: number(0),
            offset: number(4),
            item: number(8),
        }
    }
}

/// What hides names.
struct Keys {
    /// Of keyed hashes.
    names: Key,
    /// Of sealed values.
    values: Key,
    /// Of sealed handles of places.
    places: Key,
}

/// The index over the log.
pub(super) struct Index {
    database: Database,
    keys: Keys,
    /// The names of places that were read, by their handles.
    places: Mutex<HashMap<u32, CutPlace>>,
    last: JournalPosition,
    unflushed: u32,
}

impl Index {
    /// Opens the index and brings it up to the end of the log; an index that does not open, or
    /// that knows more than the log has, is set aside and made again.
    pub(super) fn open(
        path: &Path,
        key: &StoreKey,
        segments: &Segments,
    ) -> Result<(Self, Vec<Damage>), StoreError> {
        let opened = Self::try_open(path, key).and_then(|mut index| {
            let damage = index.catch_up(segments)?;
            Ok((index, damage))
        });
        match opened {
            Ok(opened) => Ok(opened),
            Err(StoreError::Index(why)) => {
                let aside = path.with_extension("damaged");
                std::fs::rename(path, &aside)?;
                let mut index = Self::try_open(path, key)?;
                let mut damage = index.catch_up(segments)?;
                damage.push(Damage {
                    place: "the index".to_owned(),
                    what: format!("it did not open ({why}); it was made again from the log"),
                });
                Ok((index, damage))
            }
            Err(error) => Err(error),
        }
    }

    /// Opens the index. One of another form goes before any of its tables is opened, which may be of
    /// other types: it is nothing that the log does not say.
    fn try_open(path: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        let create = || Database::builder().set_cache_size(CACHE_LEN).create(path);
        let database = guarded(|| {
            let mut database = create()?;
            if tables::form(&database)?.is_some_and(|form| form != tables::FORM) {
                drop(database);
                std::fs::remove_file(path)?;
                database = create()?;
            }
            let transaction = database.begin_write()?;
            tables::create(&transaction)?;
            transaction.commit()?;
            Ok(database)
        })?;
        let mut index = Self {
            database,
            keys: Keys {
                names: seal::derive(key.bytes(), "kith v1 index names"),
                values: seal::derive(key.bytes(), "kith v1 index values"),
                places: seal::derive(key.bytes(), "kith v1 index places"),
            },
            places: Mutex::default(),
            last: JournalPosition::default(),
            unflushed: 0,
        };
        index.last = JournalPosition(index.read(|t| meta(t, "last"))?);
        Ok(index)
    }

    fn catch_up(&mut self, segments: &Segments) -> Result<Vec<Damage>, StoreError> {
        let from = self.read(|t| Ok((meta(t, "segment")?, meta(t, "offset")?)))?;
        let place = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let from = (place(from.0), place(from.1));
        if !segments.reaches(from) {
            let what = "it knows more than the log holds".to_owned();
            return Err(StoreError::Index(what));
        }
        let damage = segments.scan(from, |placed| self.add(std::slice::from_ref(placed)))?;
        self.flush()?;
        Ok(damage)
    }

    /// The position of the last item.
    pub(super) const fn last(&self) -> JournalPosition {
        self.last
    }

    /// Notes where items are.
    pub(super) fn add(&mut self, placed: &[Placed]) -> Result<(), StoreError> {
        let durability = if self.unflushed >= COMMITS_PER_FLUSH {
            Durability::Immediate
        } else {
            Durability::None
        };
        let last = guarded(|| {
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(durability)?;
            let mut adding = tables::Adding::begin(&transaction, &self.keys)?;
            for block in placed {
                adding.block(block)?;
            }
            let last = adding.finish()?;
            transaction.commit()?;
            Ok(last)
        })?;
        self.last = JournalPosition(last);
        let flushed = matches!(durability, Durability::Immediate);
        self.unflushed = if flushed { 0 } else { self.unflushed + 1 };
        Ok(())
    }

    /// Writes the index file out for the last time. Pages that are no longer in use stay in a file
    /// that grew: where much came in since that was done last, those in use are moved together. It
    /// is noted before, since each write after it makes the file grow again by as much as it has.
    ///
    /// # Errors
    /// When the file cannot be written; what it says is what it said before. That pages stay where
    /// they are, as on a full disk, is none.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        let last = self.last.0;
        let before = self.read(|t| meta(t, "compacted"))?;
        if last < before + before / 4 + LOOSE {
            return self.flush();
        }
        guarded(|| {
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.open_table(META)?.insert("compacted", last)?;
            transaction.commit()?;
            if let Err(error) = self.database.compact() {
                tracing::debug!(%error, "the pages of the index were not moved together");
            }
            Ok(())
        })
    }

    /// Waits until the index file is written out.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        guarded(|| {
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.commit()?;
            Ok(())
        })?;
        self.unflushed = 0;
        Ok(())
    }

    fn read<T>(
        &self,
        f: impl FnOnce(&ReadTransaction) -> Result<T, Box<redb::Error>>,
    ) -> Result<T, StoreError> {
        guarded(|| {
            let transaction = self.database.begin_read()?;
            f(&transaction).map_err(|error| *error)
        })
    }

    pub(super) fn event(&self, id: &EventId) -> Result<Option<Location>, StoreError> {
        self.location(EVENTS, id.as_bytes())
    }

    pub(super) fn entry(&self, id: &EnvelopeId) -> Result<Option<Location>, StoreError> {
        self.location(ENTRIES, id.as_bytes())
    }

    fn location(
        &self,
        positions: tables::Positions,
        id: &[u8; 32],
    ) -> Result<Option<Location>, StoreError> {
        self.read(|t| {
            let position = position(t, positions, id)?;
            let journal = open!(t, JOURNAL);
            position
                .map(|position| place(&journal, position))
                .transpose()
        })
    }

    /// Where in the journal an event is.
    pub(super) fn event_position(
        &self,
        id: &EventId,
    ) -> Result<Option<JournalPosition>, StoreError> {
        let found = self.read(|t| position(t, EVENTS, id.as_bytes()))?;
        Ok(found.map(JournalPosition))
    }

    /// Where in the journal an entry is.
    pub(super) fn entry_position(
        &self,
        id: &EnvelopeId,
    ) -> Result<Option<JournalPosition>, StoreError> {
        let found = self.read(|t| position(t, ENTRIES, id.as_bytes()))?;
        Ok(found.map(JournalPosition))
    }

    pub(super) fn has_part(&self, record: &RecordId, bytes: &[u8]) -> Result<bool, StoreError> {
        let hash = tables::part_hash(record, bytes);
        self.read(|t| {
            let found = open!(t, PART_HASHES).get(&hash).map_err(boxed)?;
            Ok(found.is_some())
        })
    }

    pub(super) fn log_events(&self, log: &LogId) -> Result<Vec<(EventId, Location)>, StoreError> {
        let name = tables::hashed(&self.keys.names, &codec::encode(log));
        let found = self.read(|t| located(t, in_order(t, &name, LOGS, LOG_EVENTS)?))?;
        let event = |(id, at)| (EventId::from_bytes(id), at);
        Ok(found.into_iter().map(event).collect())
    }

    pub(super) fn document_entries(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<(EnvelopeId, Location)>, StoreError> {
        let name = self.document_name(record, document);
        let found = self.read(|t| located(t, in_order(t, &name, DOCUMENTS, DOCUMENT_ENTRIES)?))?;
        let entry = |(id, at)| (EnvelopeId::from_bytes(id), at);
        Ok(found.into_iter().map(entry).collect())
    }

    /// The entries of a document, as they were taken in.
    pub(super) fn entry_ids(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        let name = self.document_name(record, document);
        let found = self.read(|t| in_order(t, &name, DOCUMENTS, DOCUMENT_ENTRIES))?;
        let ids = found.into_iter().map(|(_, id)| EnvelopeId::from_bytes(id));
        Ok(ids.collect())
    }

    fn document_name(&self, record: &RecordId, document: &DocumentId) -> [u8; 16] {
        tables::hashed(&self.keys.names, &codec::encode(&(record, document)))
    }

    /// Records have their handles in the order in which they came.
    pub(super) fn came(&self, record: &RecordId) -> Result<u64, StoreError> {
        let handle = self.read(|t| record_handle(t, record))?;
        Ok(handle.map_or(u64::MAX, u64::from))
    }

    pub(super) fn parts(&self, record: &RecordId) -> Result<Vec<Location>, StoreError> {
        self.read(|t| {
            let Some(handle) = record_handle(t, record)? else {
                return Ok(Vec::new());
            };
            let table = open!(t, PARTS);
            let range = table
                .range((handle, 0)..=(handle, u64::MAX))
                .map_err(boxed)?;
            range
                .map(|row| Ok(Location::from_bytes(row.map_err(boxed)?.1.value())))
                .collect()
        })
    }

    pub(super) fn records(&self) -> Result<Vec<RecordId>, StoreError> {
        self.read(|t| {
            let table = open!(t, RECORDS);
            let rows = table.iter().map_err(boxed)?;
            rows.map(|row| Ok(RecordId::from_bytes(*row.map_err(boxed)?.0.value())))
                .collect()
        })
    }

    pub(super) fn journal(
        &self,
        after: JournalPosition,
        limit: usize,
    ) -> Result<Vec<(JournalPosition, Location)>, StoreError> {
        self.read(|t| {
            let table = open!(t, JOURNAL);
            let range = table.range(after.0 + 1..).map_err(boxed)?;
            range
                .take(limit)
                .map(|row| {
                    let (position, at) = row.map_err(boxed)?;
                    Ok((
                        JournalPosition(position.value()),
                        Location::from_bytes(at.value()),
                    ))
                })
                .collect()
        })
    }

    pub(super) fn audit(&self) -> Result<Vec<Location>, StoreError> {
        self.read(|t| {
            let table = open!(t, AUDIT);
            let links = table.iter().map_err(boxed)?;
            links
                .map(|row| Ok(Location::from_bytes(row.map_err(boxed)?.1.value())))
                .collect()
        })
    }

    pub(super) fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError> {
        let hashed = tables::row_key(&self.keys.names, key);
        self.read(|t| {
            let found = open!(t, ROWS).get(hashed.as_slice()).map_err(boxed)?;
            Ok(found
                .and_then(|sealed| self.open_row(sealed.value()))
                .map(|row| row.1))
        })
    }

    pub(super) fn rows(&self, kind: u8) -> Result<Vec<NamedRow>, StoreError> {
        let mut rows = self.read(|t| {
            let table = open!(t, ROWS);
            let (from, to) = ([kind], [kind + 1]);
            let range = table.range(from.as_slice()..to.as_slice()).map_err(boxed)?;
            let mut rows = Vec::new();
            for row in range {
                rows.extend(self.open_row(row.map_err(boxed)?.1.value()));
            }
            Ok(rows)
        })?;
        rows.sort();
        Ok(rows)
    }

    fn open_row(&self, sealed: &[u8]) -> Option<NamedRow> {
        let plain = seal::open(&self.keys.values, b"row", sealed)?;
        let (name, value): (serde_bytes::ByteBuf, serde_bytes::ByteBuf) =
            codec::decode_trusted(&plain).ok()?;
        Some((name.into_vec(), value.into_vec()))
    }
}

/// Where in the journal something is.
fn position(
    t: &ReadTransaction,
    positions: tables::Positions,
    id: &[u8; 32],
) -> Result<Option<u64>, Box<redb::Error>> {
    let found = open!(t, positions).get(id).map_err(boxed)?;
    Ok(found.map(|position| position.value()))
}

/// What a log or document holds, as it was taken in: positions in the journal, and ids.
fn in_order(
    t: &ReadTransaction,
    name: &[u8; 16],
    handles: tables::Handles,
    links: tables::InOrder,
) -> Result<Vec<(u64, [u8; 32])>, Box<redb::Error>> {
    let found = open!(t, handles).get(name).map_err(boxed)?;
    let Some(handle) = found.map(|handle| handle.value()) else {
        return Ok(Vec::new());
    };
    let table = open!(t, links);
    let range = table
        .range((handle, 0)..=(handle, u64::MAX))
        .map_err(boxed)?;
    range
        .map(|row| {
            let (key, id) = row.map_err(boxed)?;
            Ok((key.value().1, *id.value()))
        })
        .collect()
}

/// The same with their places in the log.
fn located(
    t: &ReadTransaction,
    links: Vec<(u64, [u8; 32])>,
) -> Result<Vec<([u8; 32], Location)>, Box<redb::Error>> {
    let journal = open!(t, JOURNAL);
    let links = links.into_iter();
    links
        .map(|(position, id)| Ok((id, place(&journal, position)?)))
        .collect()
}

/// Where in the log something is that has this position.
fn place(
    journal: &ReadOnlyTable<u64, &'static [u8; 12]>,
    position: u64,
) -> Result<Location, Box<redb::Error>> {
    let at = journal.get(position).map_err(boxed)?;
    let at = at.map(|at| Location::from_bytes(at.value()));
    at.ok_or_else(|| {
        boxed(redb::Error::Corrupted(
            "a position leads nowhere".to_owned(),
        ))
    })
}

fn record_handle(t: &ReadTransaction, record: &RecordId) -> Result<Option<u32>, Box<redb::Error>> {
    let found = open!(t, RECORDS).get(record.as_bytes()).map_err(boxed)?;
    Ok(found.map(|handle| handle.value()))
}

fn meta(t: &ReadTransaction, name: &str) -> Result<u64, Box<redb::Error>> {
    let found = open!(t, META).get(name).map_err(boxed)?;
    Ok(found.map_or(0, |value| value.value()))
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}

/// Runs a call into redb so that neither its errors nor its panics get further.
fn guarded<T>(f: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(redb::Error::DatabaseAlreadyOpen)) => Err(StoreError::InUse),
        // redb says so when the file is no database of its own: damage, not a disk that refuses.
        Ok(Err(redb::Error::Io(error))) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(StoreError::Index(error.to_string()))
        }
        Ok(Err(redb::Error::Io(error))) => Err(super::segments::io_error(error)),
        Ok(Err(error)) => Err(StoreError::Index(error.to_string())),
        Err(_) => Err(StoreError::Index("the index engine panicked".to_owned())),
    }
}
