//! A disk that keeps what was committed, and can be full or broken.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};
use kith_protocol::{
    consent::cut::CutPlace,
    id::{BlobId, DeviceId, EnvelopeId, EventId, RecordId},
    logs::LogId,
    store::{
        ChainEnd, ChainPosition, Damage, Item, JournalPosition, NamedRow, RowKey, Store, StoreError,
    },
};

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// It takes nothing more.
    Full,
    /// It takes nothing and says that it cannot.
    Broken,
}

/// A disk in memory. A clone is the disk as it is now: what a crash leaves, or a backup.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    journal: Vec<Item>,
    places: BTreeMap<[u8; 32], usize>,
    rows: BTreeMap<RowKey, Vec<u8>>,
    blobs: BTreeMap<BlobId, Vec<u8>>,
    trouble: Trouble,
    commits: u64,
}

impl Disk {
    /// Breaks or mends it.
    pub const fn set_trouble(&mut self, trouble: Trouble) {
        self.trouble = trouble;
    }

    /// How many commits it took.
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    fn works(&self) -> Result<(), StoreError> {
        match self.trouble {
            Trouble::None => Ok(()),
            Trouble::Full => Err(StoreError::Full),
            Trouble::Broken => Err(StoreError::Io(std::io::Error::other("a broken disk"))),
        }
    }

    fn at(&self, id: &[u8; 32]) -> Option<&Item> {
        self.journal.get(*self.places.get(id)?)
    }

    fn entries_of<'a>(
        &'a self,
        of: &'a RecordId,
        wanted: &'a DocumentId,
    ) -> impl Iterator<Item = (EnvelopeId, &'a [u8])> {
        self.journal.iter().filter_map(move |item| match item {
            Item::Entry {
                record,
                document,
                id,
                bytes,
                ..
            } if record == of && document == wanted => Some((*id, bytes.as_slice())),
            Item::Entry { .. }
            | Item::Event { .. }
            | Item::Part { .. }
            | Item::Row { .. }
            | Item::Audit { .. } => None,
        })
    }

    fn links(&self) -> impl Iterator<Item = (RecordId, CutPlace, ChainPosition, [u8; 32])> {
        self.journal.iter().filter_map(|item| match item {
            Item::Entry {
                record,
                document,
                id,
                position,
                ..
            } => Some((
                *record,
                CutPlace::Document(document.clone()),
                *position,
                *id.as_bytes(),
            )),
            Item::Event {
                log, id, position, ..
            } => {
                let (record, place) = match log {
                    LogId::Core(Some(record)) => (*record, CutPlace::Core),
                    LogId::Label(record, label) => (*record, CutPlace::Label(label.clone())),
                    LogId::Core(None) | LogId::Principal(_) => return None,
                };
                Some((record, place, *position, *id.as_bytes()))
            }
            Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
        })
    }
}

/// The name under which an item is held once; nothing for what may be held many times.
fn name(item: &Item) -> Option<[u8; 32]> {
    match item {
        Item::Event { id, .. } => Some(*id.as_bytes()),
        Item::Entry { id, .. } => Some(*id.as_bytes()),
        Item::Part { bytes, .. } => Some(*blake3::hash(bytes).as_bytes()),
        Item::Row { .. } | Item::Audit { .. } => None,
    }
}

fn record_of(item: &Item) -> Option<RecordId> {
    match item {
        Item::Entry { record, .. } | Item::Part { record, .. } => Some(*record),
        Item::Event { log, .. } => match log {
            LogId::Core(record) => *record,
            LogId::Label(record, _) => Some(*record),
            LogId::Principal(_) => None,
        },
        Item::Row { .. } | Item::Audit { .. } => None,
    }
}

impl Store for Disk {
    fn commit(&mut self, items: Vec<Item>) -> Result<JournalPosition, StoreError> {
        self.works()?;
        self.commits += 1;
        for item in items {
            if let Item::Row { key, value } = item {
                match value {
                    Some(value) => self.rows.insert(key, value.into_vec()),
                    None => self.rows.remove(&key),
                };
                continue;
            }
            if let Some(name) = name(&item) {
                if self.places.contains_key(&name) {
                    continue;
                }
                self.places.insert(name, self.journal.len());
            }
            self.journal.push(item);
        }
        Ok(JournalPosition(self.journal.len() as u64))
    }

    fn has_event(&self, id: &EventId) -> Result<bool, StoreError> {
        Ok(self.places.contains_key(id.as_bytes()))
    }

    fn has_entry(&self, id: &EnvelopeId) -> Result<bool, StoreError> {
        Ok(self.places.contains_key(id.as_bytes()))
    }

    fn entry(
        &self,
        id: &EnvelopeId,
    ) -> Result<Option<(RecordId, DocumentId, Vec<u8>)>, StoreError> {
        Ok(match self.at(id.as_bytes()) {
            Some(Item::Entry {
                record,
                document,
                bytes,
                ..
            }) => Some((*record, document.clone(), bytes.clone())),
            Some(
                Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. },
            )
            | None => None,
        })
    }

    fn event(&self, id: &EventId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(match self.at(id.as_bytes()) {
            Some(Item::Event { bytes, .. }) => Some(bytes.clone()),
            Some(
                Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. },
            )
            | None => None,
        })
    }

    fn events(&self, of: &LogId) -> Result<Vec<(EventId, Vec<u8>)>, StoreError> {
        let events = self.journal.iter().filter_map(|item| match item {
            Item::Event { log, id, bytes, .. } if log == of => Some((*id, bytes.clone())),
            Item::Event { .. }
            | Item::Entry { .. }
            | Item::Part { .. }
            | Item::Row { .. }
            | Item::Audit { .. } => None,
        });
        Ok(events.collect())
    }

    fn entries(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let entries = self.entries_of(record, document);
        Ok(entries.map(|(id, bytes)| (id, bytes.to_vec())).collect())
    }

    fn entry_ids(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        Ok(self
            .entries_of(record, document)
            .map(|(id, _)| id)
            .collect())
    }

    fn parts(&self, of: &RecordId) -> Result<Vec<Vec<u8>>, StoreError> {
        let parts = self.journal.iter().filter_map(|item| match item {
            Item::Part { record, bytes, .. } if record == of => Some(bytes.clone()),
            Item::Part { .. }
            | Item::Event { .. }
            | Item::Entry { .. }
            | Item::Row { .. }
            | Item::Audit { .. } => None,
        });
        Ok(parts.collect())
    }

    fn records(&self) -> Result<Vec<RecordId>, StoreError> {
        let records: BTreeSet<_> = self.journal.iter().filter_map(record_of).collect();
        Ok(records.into_iter().collect())
    }

    fn documents(&self, of: &RecordId) -> Result<Vec<DocumentId>, StoreError> {
        let documents: BTreeSet<_> = self
            .journal
            .iter()
            .filter_map(|item| match item {
                Item::Entry {
                    record, document, ..
                } if record == of => Some(document.clone()),
                Item::Entry { .. }
                | Item::Event { .. }
                | Item::Part { .. }
                | Item::Row { .. }
                | Item::Audit { .. } => None,
            })
            .collect();
        Ok(documents.into_iter().collect())
    }

    fn logs(&self, of: &RecordId) -> Result<Vec<LogId>, StoreError> {
        let logs: BTreeSet<_> = self
            .journal
            .iter()
            .filter(|item| record_of(item) == Some(*of))
            .filter_map(|item| match item {
                Item::Event { log, .. } => Some(log.clone()),
                Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {
                    None
                }
            })
            .collect();
        Ok(logs.into_iter().collect())
    }

    fn labels(&self) -> Result<BTreeMap<RecordId, BTreeSet<Label>>, StoreError> {
        let mut labels = BTreeMap::<_, BTreeSet<Label>>::new();
        for item in &self.journal {
            let Some(record) = record_of(item) else {
                continue;
            };
            let own = labels.entry(record).or_default();
            match item {
                Item::Entry { document, .. } => {
                    own.insert(document.label.clone());
                }
                Item::Event {
                    log: LogId::Label(_, label),
                    ..
                } => {
                    own.insert(label.clone());
                }
                Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {}
            }
        }
        Ok(labels)
    }

    fn chains(
        &self,
        device: &DeviceId,
        of: Option<&RecordId>,
    ) -> Result<Vec<ChainEnd>, StoreError> {
        let mut ends: BTreeMap<_, ChainEnd> = BTreeMap::new();
        for (record, place, position, id) in self.links() {
            if position.device != *device || of.is_some_and(|of| *of != record) {
                continue;
            }
            let end = ChainEnd {
                record,
                place: place.clone(),
                position,
                id: EnvelopeId::from_bytes(id),
                is_straight: position.seq == 0,
            };
            match ends.entry((record, place, position.epoch)) {
                std::collections::btree_map::Entry::Vacant(first) => {
                    first.insert(end);
                }
                std::collections::btree_map::Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    let follows = position.seq == known.position.seq + 1;
                    let is_straight = known.is_straight && follows;
                    if position.seq > known.position.seq {
                        *known = end;
                    }
                    known.is_straight = is_straight;
                }
            }
        }
        let mut ends: Vec<_> = ends.into_values().collect();
        ends.sort_unstable();
        Ok(ends)
    }

    fn journal(
        &self,
        after: JournalPosition,
        limit: usize,
    ) -> Result<Vec<(JournalPosition, Item)>, StoreError> {
        let from = usize::try_from(after.0).unwrap_or(usize::MAX);
        let items = self.journal.iter().enumerate().skip(from).take(limit);
        Ok(items
            .map(|(at, item)| (JournalPosition(at as u64 + 1), item.clone()))
            .collect())
    }

    fn audit(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let links = self.journal.iter().filter_map(|item| match item {
            Item::Audit { bytes } => Some(bytes.clone()),
            Item::Event { .. } | Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } => None,
        });
        Ok(links.collect())
    }

    fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn rows(&self, kind: u8) -> Result<Vec<NamedRow>, StoreError> {
        let rows = self.rows.iter().filter(|(key, _)| key.kind == kind);
        Ok(rows
            .map(|(key, value)| (key.name.clone(), value.clone()))
            .collect())
    }

    fn put_blob(&mut self, bytes: &[u8]) -> Result<BlobId, StoreError> {
        self.works()?;
        let id = BlobId::from_bytes(*blake3::hash(bytes).as_bytes());
        self.blobs.insert(id, bytes.to_vec());
        Ok(id)
    }

    fn blob(&self, id: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.blobs.get(id).cloned())
    }

    fn damage(&self) -> Vec<Damage> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        collections::{BTreeMap, BTreeSet},
        rc::Rc,
    };

    use kith_protocol::store::{Store, StoreError, conformance};

    use super::{Disk, Trouble};

    /// Opens the one disk again and again: what is dropped was on it.
    struct Kept(Rc<RefCell<Disk>>);

    impl conformance::Harness for Kept {
        type Store = Shared;

        fn open(&mut self) -> Shared {
            Shared(Rc::clone(&self.0), self.0.borrow().clone())
        }
    }

    /// A disk whose state is written back when it is closed.
    struct Shared(Rc<RefCell<Disk>>, Disk);

    impl Drop for Shared {
        fn drop(&mut self) {
            self.0.replace(self.1.clone());
        }
    }

    macro_rules! forwards {
        ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
            $(fn $name(&self, $($arg: $type),*) -> $out { self.1.$name($($arg),*) })*
        };
    }

    use kith_crdt::{DocumentId, Label};
    use kith_protocol::{
        id::{BlobId, DeviceId, EnvelopeId, EventId, RecordId},
        logs::LogId,
        store::{ChainEnd, Damage, Item, JournalPosition, NamedRow, RowKey},
    };

    impl Store for Shared {
        fn commit(&mut self, items: Vec<Item>) -> Result<JournalPosition, StoreError> {
            self.1.commit(items)
        }

        fn put_blob(&mut self, bytes: &[u8]) -> Result<BlobId, StoreError> {
            self.1.put_blob(bytes)
        }

        forwards! {
            has_event(id: &EventId) -> Result<bool, StoreError>;
            has_entry(id: &EnvelopeId) -> Result<bool, StoreError>;
            entry(id: &EnvelopeId) -> Result<Option<(RecordId, DocumentId, Vec<u8>)>, StoreError>;
            event(id: &EventId) -> Result<Option<Vec<u8>>, StoreError>;
            events(log: &LogId) -> Result<Vec<(EventId, Vec<u8>)>, StoreError>;
            entries(record: &RecordId, document: &DocumentId) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError>;
            entry_ids(record: &RecordId, document: &DocumentId) -> Result<Vec<EnvelopeId>, StoreError>;
            parts(record: &RecordId) -> Result<Vec<Vec<u8>>, StoreError>;
            records() -> Result<Vec<RecordId>, StoreError>;
            documents(record: &RecordId) -> Result<Vec<DocumentId>, StoreError>;
            logs(record: &RecordId) -> Result<Vec<LogId>, StoreError>;
            labels() -> Result<BTreeMap<RecordId, BTreeSet<Label>>, StoreError>;
            chains(device: &DeviceId, record: Option<&RecordId>) -> Result<Vec<ChainEnd>, StoreError>;
            journal(after: JournalPosition, limit: usize) -> Result<Vec<(JournalPosition, Item)>, StoreError>;
            audit() -> Result<Vec<Vec<u8>>, StoreError>;
            row(key: &RowKey) -> Result<Option<Vec<u8>>, StoreError>;
            rows(kind: u8) -> Result<Vec<NamedRow>, StoreError>;
            blob(id: &BlobId) -> Result<Option<Vec<u8>>, StoreError>;
            damage() -> Vec<Damage>;
        }
    }

    #[test]
    fn it_does_what_every_store_does() {
        conformance::run(|| Kept(Rc::default()));
    }

    #[test]
    fn a_full_disk_keeps_what_it_has_and_takes_nothing() {
        let mut disk = Disk::default();
        let items = vec![conformance::entry(
            1,
            kith_crdt::Section::Plans,
            1,
            b"a plan",
        )];
        disk.commit(items.clone()).expect("room");
        disk.set_trouble(Trouble::Full);
        assert!(matches!(disk.commit(items), Err(StoreError::Full)));
        assert_eq!(disk.records().expect("records").len(), 1);
    }
}
