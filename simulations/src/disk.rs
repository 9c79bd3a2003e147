//! A disk that loses what was not synced, tears a write, is full, rots, or is an old copy.
//!
//! The node's store appends sealed blocks and syncs once for each commit, so that a power loss
//! leaves a commit whole or not at all, and a flipped bit is found by the seal of its block and
//! never served. This disk has the same behaviour without the bytes: a block that rotted answers
//! with [`StoreError::Damaged`]. Rows lie in an index with seals of its own and are not flipped.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kith_crdt::{DocumentId, Label};
use kith_protocol::{
    consent::cut::CutPlace,
    id::{BlobId, DeviceId, EnvelopeId, EventId, RecordId},
    logs::LogId,
    store::{
        ChainEnd, ChainPosition, Damage, Item, JournalPosition, NamedRow, ReadLog, ReadLogs,
        RowKey, Store, StoreError, read_log,
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

/// What a power loss leaves of the commit in whose middle it comes. None of it was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Nothing reached the platter.
    Nothing,
    /// A piece of it, which is cut off when the disk is opened again.
    Torn,
    /// All of it.
    Whole,
}

/// A disk in memory. A clone is the disk as it is now: what a crash leaves, or a backup.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    journal: Vec<Kept>,
    places: BTreeMap<[u8; 32], usize>,
    came: BTreeMap<RecordId, u64>,
    documents: BTreeMap<RecordId, BTreeMap<DocumentId, Vec<usize>>>,
    logs: BTreeMap<LogId, Vec<usize>>,
    logs_of: BTreeMap<RecordId, BTreeSet<LogId>>,
    parts: BTreeMap<RecordId, Vec<usize>>,
    audit: Vec<usize>,
    rows: BTreeMap<RowKey, Vec<u8>>,
    blobs: BTreeMap<BlobId, Vec<u8>>,
    read_logs: RefCell<ReadLogs>,
    rotten: BTreeSet<u64>,
    trouble: Trouble,
    commits: u64,
    power_loss: Option<(u64, Leaves)>,
    is_dark: bool,
}

/// An item with the commit that it came in.
#[derive(Clone, Debug)]
struct Kept {
    item: Arc<Item>,
    commit: u64,
}

impl Disk {
    /// Breaks or mends it.
    pub const fn set_trouble(&mut self, trouble: Trouble) {
        self.trouble = trouble;
    }

    /// What is wrong with it.
    pub const fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// How many commits it took.
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    /// The power goes in the middle of a commit, `commits` from now: 0 is the next.
    pub const fn lose_power_at(&mut self, commits: u64, leaves: Leaves) {
        self.power_loss = Some((commits, leaves));
    }

    /// Whether the power is gone: nothing is answered until the disk is opened again.
    pub const fn is_dark(&self) -> bool {
        self.is_dark
    }

    /// Opens it after a crash: what was torn is cut off, and the power is back.
    pub const fn reopen(&mut self) {
        self.is_dark = false;
        self.power_loss = None;
    }

    /// Flips a bit in one of the blocks; whether there is any. `nth` is taken modulo their number.
    pub fn flip_a_bit(&mut self, nth: u64) -> bool {
        let commits: BTreeSet<_> = self.journal.iter().map(|kept| kept.commit).collect();
        let Some(nth) = nth.checked_rem(commits.len() as u64) else {
            return false;
        };
        let at = usize::try_from(nth).unwrap_or(0);
        self.rotten.extend(commits.into_iter().nth(at));
        true
    }

    /// Whether anything in it rotted.
    pub fn is_rotten(&self) -> bool {
        !self.rotten.is_empty()
    }

    /// The number of items in it, rows left out.
    pub const fn len(&self) -> usize {
        self.journal.len()
    }

    /// Whether nothing is in it but rows.
    pub const fn is_empty(&self) -> bool {
        self.journal.is_empty()
    }

    /// Everything in the journal after the first `from` items, as it was committed: what lies on
    /// the platter, whether it can be read or not.
    pub fn items(&self, from: usize) -> impl Iterator<Item = &Item> {
        self.journal.iter().skip(from).map(|kept| &*kept.item)
    }

    /// At which place of the journal something with this name lies.
    pub fn place_of(&self, id: &[u8; 32]) -> Option<usize> {
        self.places.get(id).copied()
    }

    fn works(&self) -> Result<(), StoreError> {
        if self.is_dark {
            return Err(StoreError::Io(std::io::Error::other("no power")));
        }
        match self.trouble {
            Trouble::None => Ok(()),
            Trouble::Full => Err(StoreError::Full),
            Trouble::Broken => Err(StoreError::Io(std::io::Error::other("a broken disk"))),
        }
    }

    /// Whether the power goes in this commit, and what of it is on the platter then.
    const fn power_goes(&mut self) -> Option<Leaves> {
        match self.power_loss {
            None => None,
            Some((0, leaves)) => {
                self.is_dark = true;
                self.power_loss = None;
                Some(leaves)
            }
            Some((commits, leaves)) => {
                self.power_loss = Some((commits - 1, leaves));
                None
            }
        }
    }

    fn keep(&mut self, item: Item) {
        if let Item::Row { key, value } = item {
            match value {
                Some(value) => self.rows.insert(key, value.into_vec()),
                None => self.rows.remove(&key),
            };
            return;
        }
        let at = self.journal.len();
        if let Some(name) = name(&item) {
            if self.places.contains_key(&name) {
                return;
            }
            self.places.insert(name, at);
        }
        if let Some(record) = record_in(&item) {
            let next = self.came.len() as u64;
            self.came.entry(record).or_insert(next);
        }
        match &item {
            Item::Entry {
                record, document, ..
            } => {
                let documents = self.documents.entry(*record).or_default();
                documents.entry(document.clone()).or_default().push(at);
            }
            Item::Event { log, .. } => {
                self.logs.entry(log.clone()).or_default().push(at);
                if let Some(record) = record_of(log) {
                    self.logs_of.entry(record).or_default().insert(log.clone());
                }
            }
            Item::Part { record, .. } => self.parts.entry(*record).or_default().push(at),
            Item::Audit { .. } => self.audit.push(at),
            Item::Row { .. } => {}
        }
        self.journal.push(Kept {
            item: Arc::new(item),
            commit: self.commits,
        });
    }

    fn read(&self, at: usize) -> Result<&Item, StoreError> {
        if self.is_dark {
            return Err(StoreError::Io(std::io::Error::other("no power")));
        }
        let kept = &self.journal[at];
        if self.rotten.contains(&kept.commit) {
            return Err(StoreError::Damaged(damage_of(kept.commit)));
        }
        Ok(&kept.item)
    }

    fn at(&self, id: &[u8; 32]) -> Result<Option<&Item>, StoreError> {
        let at = self.places.get(id);
        at.map(|at| self.read(*at)).transpose()
    }

    fn read_all(&self, places: Option<&Vec<usize>>) -> Result<Vec<&Item>, StoreError> {
        let places = places.map(Vec::as_slice).unwrap_or_default();
        places.iter().map(|at| self.read(*at)).collect()
    }

    fn links(&self) -> impl Iterator<Item = (RecordId, CutPlace, ChainPosition, [u8; 32])> {
        self.items(0).filter_map(|item| match item {
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

fn damage_of(commit: u64) -> Damage {
    Damage {
        place: format!("block {commit}"),
        what: "its seal does not hold".to_owned(),
    }
}

/// The record that a log belongs to.
const fn record_of(log: &LogId) -> Option<RecordId> {
    match log {
        LogId::Core(record) => *record,
        LogId::Label(record, _) => Some(*record),
        LogId::Principal(_) => None,
    }
}

/// The record that an item is of.
const fn record_in(item: &Item) -> Option<RecordId> {
    match item {
        Item::Event { log, .. } => record_of(log),
        Item::Entry { record, .. } | Item::Part { record, .. } => Some(*record),
        Item::Row { .. } | Item::Audit { .. } => None,
    }
}

/// The id and bytes of what is signed.
fn signed(item: &Item) -> Option<([u8; 32], Vec<u8>)> {
    match item {
        Item::Event { id, bytes, .. } => Some((*id.as_bytes(), bytes.clone())),
        Item::Entry { id, bytes, .. } => Some((*id.as_bytes(), bytes.clone())),
        Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
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

impl Store for Disk {
    fn commit(&mut self, items: Vec<Item>) -> Result<JournalPosition, StoreError> {
        self.works()?;
        match self.power_goes() {
            None => {}
            Some(Leaves::Whole) => {
                self.commits += 1;
                self.read_logs.borrow_mut().forget_added(&items);
                items.into_iter().for_each(|item| self.keep(item));
                return Err(StoreError::Io(std::io::Error::other("no power")));
            }
            // What is torn is cut off on opening, like what never left the memory.
            Some(Leaves::Nothing | Leaves::Torn) => {
                return Err(StoreError::Io(std::io::Error::other("no power")));
            }
        }
        self.commits += 1;
        self.read_logs.borrow_mut().forget_added(&items);
        items.into_iter().for_each(|item| self.keep(item));
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
        Ok(match self.at(id.as_bytes())? {
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
        Ok(match self.at(id.as_bytes())? {
            Some(Item::Event { bytes, .. }) => Some(bytes.clone()),
            Some(
                Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. },
            )
            | None => None,
        })
    }

    fn events(&self, of: &LogId) -> Result<Vec<(EventId, Vec<u8>)>, StoreError> {
        let events = self.read_all(self.logs.get(of))?.into_iter();
        let events = events.filter_map(signed);
        Ok(events
            .map(|(id, bytes)| (EventId::from_bytes(id), bytes))
            .collect())
    }

    fn log(&self, log: &LogId) -> Result<ReadLog, StoreError> {
        if self.is_dark || self.is_rotten() {
            return read_log(self, log);
        }
        let known = self.read_logs.borrow().known(log);
        if let Some(known) = known {
            return Ok(known);
        }
        let read = read_log(self, log)?;
        self.read_logs.borrow_mut().keep(log, &read);
        Ok(read)
    }

    fn entries(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let documents = self.documents.get(record);
        let places = documents.and_then(|documents| documents.get(document));
        let entries = self.read_all(places)?.into_iter().filter_map(signed);
        Ok(entries
            .map(|(id, bytes)| (EnvelopeId::from_bytes(id), bytes))
            .collect())
    }

    fn entry_ids(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        let documents = self.documents.get(record);
        let places = documents.and_then(|documents| documents.get(document));
        let places = places.map(Vec::as_slice).unwrap_or_default();
        let ids = places.iter().filter_map(|at| name(&self.journal[*at].item));
        Ok(ids.map(EnvelopeId::from_bytes).collect())
    }

    fn parts(&self, of: &RecordId) -> Result<Vec<Vec<u8>>, StoreError> {
        let parts = self.read_all(self.parts.get(of))?.into_iter();
        let parts = parts.filter_map(|item| match item {
            Item::Part { bytes, .. } => Some(bytes.clone()),
            Item::Event { .. } | Item::Entry { .. } | Item::Row { .. } | Item::Audit { .. } => None,
        });
        Ok(parts.collect())
    }

    fn records(&self) -> Result<Vec<RecordId>, StoreError> {
        let mut records: BTreeSet<_> = self.logs_of.keys().copied().collect();
        records.extend(self.documents.keys());
        records.extend(self.parts.keys());
        Ok(records.into_iter().collect())
    }

    fn came(&self, record: &RecordId) -> Result<u64, StoreError> {
        Ok(self.came.get(record).copied().unwrap_or(u64::MAX))
    }

    fn documents(&self, of: &RecordId) -> Result<Vec<DocumentId>, StoreError> {
        let documents = self.documents.get(of).into_iter().flatten();
        Ok(documents.map(|(document, _)| document.clone()).collect())
    }

    fn logs(&self, of: &RecordId) -> Result<Vec<LogId>, StoreError> {
        let logs = self.logs_of.get(of).into_iter().flatten();
        Ok(logs.cloned().collect())
    }

    fn labels(&self) -> Result<BTreeMap<RecordId, BTreeSet<Label>>, StoreError> {
        let mut labels = BTreeMap::<_, BTreeSet<Label>>::new();
        for record in self.records()? {
            let own = labels.entry(record).or_default();
            let documents = self.documents.get(&record).into_iter().flatten();
            own.extend(documents.map(|(document, _)| document.label.clone()));
        }
        for log in self.logs.keys() {
            if let LogId::Label(record, label) = log {
                labels.entry(*record).or_default().insert(label.clone());
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
        let places = (from..self.journal.len()).take(limit);
        places
            .map(|at| Ok((JournalPosition(at as u64 + 1), self.read(at)?.clone())))
            .collect()
    }

    fn audit(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let links = self.read_all(Some(&self.audit))?.into_iter();
        let links = links.filter_map(|item| match item {
            Item::Audit { bytes } => Some(bytes.clone()),
            Item::Event { .. } | Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } => None,
        });
        Ok(links.collect())
    }

    fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn rows(&self, kind: u8) -> Result<Vec<NamedRow>, StoreError> {
        let name = Vec::new();
        let from = self.rows.range(RowKey { kind, name }..);
        let rows = from.take_while(|(key, _)| key.kind == kind);
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
        self.rotten
            .iter()
            .map(|commit| damage_of(*commit))
            .collect()
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

    use super::{Disk, Leaves, Trouble};

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
            came(record: &RecordId) -> Result<u64, StoreError>;
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

    fn plan(n: u32) -> Vec<Item> {
        vec![conformance::entry(
            1,
            kith_crdt::Section::Plans,
            n,
            b"a plan",
        )]
    }

    #[test]
    fn a_power_loss_leaves_a_commit_whole_or_not_at_all() {
        for (leaves, left) in [(Leaves::Nothing, 1), (Leaves::Torn, 1), (Leaves::Whole, 2)] {
            let mut disk = Disk::default();
            disk.lose_power_at(1, leaves);
            disk.commit(plan(1)).expect("power");
            assert!(matches!(disk.commit(plan(2)), Err(StoreError::Io(_))));
            assert!(disk.is_dark());
            assert!(matches!(disk.commit(plan(3)), Err(StoreError::Io(_))));
            disk.reopen();
            assert_eq!(disk.len(), left, "{leaves:?}");
            disk.commit(plan(3)).expect("power");
        }
    }

    #[test]
    fn a_flipped_bit_is_named_and_never_served() {
        let mut disk = Disk::default();
        disk.commit(plan(1)).expect("room");
        disk.commit(plan(2)).expect("room");
        assert!(disk.flip_a_bit(0));
        let id = |n| EnvelopeId::from_bytes(conformance::bytes(n));
        assert!(matches!(disk.entry(&id(1)), Err(StoreError::Damaged(_))));
        assert!(disk.entry(&id(2)).expect("intact").is_some());
        assert_eq!(disk.damage().len(), 1);
    }
}
