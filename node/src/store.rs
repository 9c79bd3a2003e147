//! The store on a disk: sealed segments are the truth, redb holds the index, blobs are files.
//!
//! A commit is one append to the segment and one `fdatasync`; the index follows without waiting
//! and is caught up from the segments when the store is opened, or rebuilt when it is gone.

mod blobs;
mod cache;
mod index;
mod keystore;
mod reserve;
mod seal;
mod segments;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use kith_crdt::{DocumentId, Label};
use kith_protocol::{
    id::{BlobId, DeviceId, EnvelopeId, EventId, RecordId},
    limits::{DISK_RESERVE, DISK_RESERVE_LAST, LARGE_WRITE_LEN},
    logs::LogId,
    store::{
        ChainEnd, Damage, Item, JournalPosition, NamedRow, ReadLog, ReadLogs, RowKey, Store,
        StoreError, read_log,
    },
};

use crate::backup::Seal;
use cache::BlockCache;
use index::{Index, Location};
use reserve::Reserve;
use segments::{Block, Segments};

pub use keystore::{KeySlot, Keystore, KeystoreError, SheetSealed, StoreKey};
pub use seal::random;
pub(crate) use seal::{open as unsealed, seal as sealed};

/// A block of items is closed at this size, in bytes before compression.
const BLOCK_LEN_MAX: usize = 512 * 1024;
/// The same of blocks that hold rights alone.
const RIGHTS_BLOCK_LEN_MAX: usize = 16 * 1024;

/// Signed bytes of logs that are kept at hand while records are given or taken: those of some
/// thousands of records, each of which is asked for several times.
const READ_LOGS_LEN_MAX: usize = 8 * 1024 * 1024;
/// Bytes of what was read that are kept when there is nothing to do: what a note needs.
const RESTING_LEN: usize = 512 * 1024;

/// Bytes that a link of the access log wants beside its own, for the index that follows it.
const ACCESS_LOG_NEEDS: u64 = 96 * 1024;

/// The durable store in one folder. Several threads may read it at once.
pub struct DiskStore {
    segments: Segments,
    index: Index,
    cache: Mutex<BlockCache>,
    logs: Mutex<ReadLogs>,
    blobs: blobs::Blobs,
    damage: Mutex<Vec<Damage>>,
    folder: PathBuf,
    /// Whether a commit is in the log that the index does not know of.
    behind: bool,
    /// Bytes of the largest write that there was no room for.
    refused: AtomicU64,
    backup_seal: Seal,
    reserve: Reserve,
    #[cfg(feature = "trace")]
    given_out: Mutex<BTreeSet<BlobId>>,
    _lock: Lock,
}

/// Held by the one process that has the store.
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock ends with its file")] File);

impl DiskStore {
    /// Opens the store in `folder`, or begins one there.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it.
    pub fn open(folder: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        Self::open_locked(folder, lock(folder)?, key)
    }

    /// Opens the store in `folder`, whose lock is held.
    pub(crate) fn open_locked(
        folder: &Path,
        lock: Lock,
        key: &StoreKey,
    ) -> Result<Self, StoreError> {
        let reserve = Reserve::open(&folder.join("reserve"));
        if let Some(free) = free(folder) {
            // Opening writes a little too.
            if free < ACCESS_LOG_NEEDS && !reserve.give() {
                tracing::warn!("nothing is left of what was kept for the access log");
            }
            reserve.fill(free);
        }
        let (segments, mut damage) = Segments::open(&folder.join("log"), key)?;
        let (index, noted) = Index::open(&folder.join("index.redb"), key, &segments)?;
        damage.extend(noted);
        Ok(Self {
            segments,
            index,
            cache: Mutex::default(),
            logs: Mutex::new(ReadLogs::of(READ_LOGS_LEN_MAX)),
            blobs: blobs::Blobs::open(&folder.join("blobs"), key)?,
            damage: Mutex::new(damage),
            folder: folder.to_owned(),
            behind: false,
            refused: AtomicU64::new(0),
            backup_seal: Seal::of(key),
            reserve,
            #[cfg(feature = "trace")]
            given_out: Mutex::default(),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a backup has to hold: files below the folder with as many of their bytes as are on the
    /// disk for good. The index is not among them: it is made again from the rest.
    pub fn files(&self) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        let log = self.segments.files();
        let log = log.map(|(name, len)| (Path::new("log").join(name), len));
        let blobs = self.blobs.files()?.into_iter();
        let blobs = blobs.map(|(path, len)| (Path::new("blobs").join(path), len));
        Ok(log.chain(blobs).collect())
    }

    /// The large values that were given out since this was asked last, in the order of their ids.
    #[cfg(feature = "trace")]
    pub(crate) fn given_out(&self) -> BTreeSet<BlobId> {
        std::mem::take(&mut *held(&self.given_out))
    }

    /// What seals the lists of this store's backups.
    pub fn backup_seal(&self) -> Seal {
        self.backup_seal.clone()
    }

    /// Lets go of what was read and is not asked for soon, when there is nothing to do.
    pub fn rest(&self) {
        held(&self.logs).trim(RESTING_LEN);
        held(&self.cache).trim(RESTING_LEN);
    }

    /// Writes the index out, so that the next start has nothing to catch up with.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.index.flush()
    }

    /// Whether there is room for a write of so many bytes, and for the index that follows it. What
    /// is large is refused first.
    ///
    /// # Errors
    /// [`StoreError::Full`] where there is none.
    fn has_room_for(&self, len: u64) -> Result<(), StoreError> {
        let Some(free) = free(&self.folder) else {
            return Ok(());
        };
        let reserve = if len < LARGE_WRITE_LEN {
            DISK_RESERVE_LAST
        } else {
            DISK_RESERVE
        };
        if free < len.saturating_add(reserve) {
            self.refused.fetch_max(len, Ordering::Relaxed);
            return Err(StoreError::Full);
        }
        if self.reserve.is_short() {
            self.reserve.fill(free - len);
        }
        Ok(())
    }

    /// Whether there is room for these items: links of the access log are written with what is kept
    /// for them.
    ///
    /// # Errors
    /// [`StoreError::Full`] where there is none.
    fn has_room_for_items(&self, items: &[Item]) -> Result<(), StoreError> {
        let len = items.iter().map(|item| item_len(item) as u64).sum();
        let refused = match self.has_room_for(len) {
            Err(StoreError::Full) if is_of_access_log(items) => StoreError::Full,
            answer => return answer,
        };
        let needed = len.saturating_add(ACCESS_LOG_NEEDS);
        while free(&self.folder).is_some_and(|free| free < needed) {
            if !self.reserve.give() {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Whether there is room for everything that was refused since the store was opened.
    pub fn has_room(&self) -> bool {
        self.has_room_for(self.refused.load(Ordering::Relaxed))
            .is_ok()
    }

    /// The position of the last item.
    pub fn last(&self) -> JournalPosition {
        self.index.last()
    }

    /// Flips a bit of a row as the index keeps it; tells whether there is such a row.
    #[cfg(test)]
    pub(crate) fn flip_in_row(&self, key: &RowKey, at: usize) -> Result<bool, StoreError> {
        self.index.flip_in_row(key, at)
    }

    fn item(&self, at: Location) -> Result<Item, StoreError> {
        let block = self.block(at)?;
        let item = block.item(at.item);
        item.ok_or_else(|| self.note(at, "an item that the index names is not there"))
    }

    fn block(&self, at: Location) -> Result<Arc<Block>, StoreError> {
        let place = (at.segment, at.offset);
        if let Some(block) = held(&self.cache).get(place) {
            return Ok(block);
        }
        let block = self
            .segments
            .read(at.segment, at.offset)?
            .ok_or_else(|| self.note(at, "its seal does not hold"))?;
        let block = Arc::new(block);
        held(&self.cache).put(place, Arc::clone(&block));
        Ok(block)
    }

    fn note(&self, at: Location, what: &str) -> StoreError {
        let damage = Damage {
            place: format!("log segment {} at byte {}", at.segment, at.offset),
            what: what.to_owned(),
        };
        let mut noted = held(&self.damage);
        if !noted.contains(&damage) {
            noted.push(damage.clone());
        }
        StoreError::Damaged(damage)
    }

    fn is_new(&self, item: &Item) -> Result<bool, StoreError> {
        Ok(match item {
            Item::Event { id, .. } => self.index.event_position(id)?.is_none(),
            Item::Entry { id, .. } => self.index.entry_position(id)?.is_none(),
            Item::Part { record, bytes, .. } => !self.index.has_part(record, bytes)?,
            Item::Row { .. } | Item::Audit { .. } => true,
        })
    }

    fn bytes_at(&self, at: Location) -> Result<Vec<u8>, StoreError> {
        match self.item(at)? {
            Item::Event { bytes, .. }
            | Item::Entry { bytes, .. }
            | Item::Part { bytes, .. }
            | Item::Audit { bytes } => Ok(bytes),
            Item::Row { .. } => Err(self.note(at, "a row stands where something signed should")),
        }
    }
}

/// What one thread at a time works with; nothing in it is left half done by one that ended.
fn held<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the store in `folder` for this process.
///
/// # Errors
/// [`StoreError::InUse`] when another process has it.
pub(crate) fn lock(folder: &Path) -> Result<Lock, StoreError> {
    use rustix::fs::{FlockOperation, flock};
    std::fs::create_dir_all(folder)?;
    let file = File::create(folder.join("lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse),
        Err(error) => Err(StoreError::Io(error.into())),
    }
}

/// Bytes that are free on the disk of a folder; nothing where it does not say, and the write itself
/// finds out.
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    (disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether these are links of the access log, with the rows that belong to them.
fn is_of_access_log(items: &[Item]) -> bool {
    let signed = |item: &Item| {
        matches!(
            item,
            Item::Event { .. } | Item::Entry { .. } | Item::Part { .. }
        )
    };
    let link = |item: &Item| matches!(item, Item::Audit { .. });
    items.iter().any(link) && !items.iter().any(signed)
}

/// Cuts items into blocks, so that reading one does not open all. Rights are read far more often
/// than content and are small, so that they stand apart, unless all of it is small.
fn blocks(items: Vec<Item>) -> Vec<Vec<Item>> {
    let is_small = items.iter().map(item_len).sum::<usize>() <= RIGHTS_BLOCK_LEN_MAX;
    let mut blocks = vec![Vec::new()];
    let mut len = 0;
    let mut of_rights = None;
    for item in items {
        len += item_len(&item);
        let is_right = matches!(item, Item::Event { .. });
        let is_other = of_rights.replace(is_right).is_some_and(|of| of != is_right);
        let len_max = match is_right {
            true => RIGHTS_BLOCK_LEN_MAX,
            false => BLOCK_LEN_MAX,
        };
        let is_full = len > len_max || (is_other && !is_small);
        if is_full && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(Vec::new());
            len = item_len(&item);
        }
        if let Some(block) = blocks.last_mut() {
            block.push(item);
        }
    }
    blocks
}

fn item_len(item: &Item) -> usize {
    match item {
        Item::Event { bytes, .. }
        | Item::Entry { bytes, .. }
        | Item::Part { bytes, .. }
        | Item::Audit { bytes } => bytes.len(),
        Item::Row { value, .. } => value.as_ref().map_or(0, |value| value.len()),
    }
}

/// Drops items that stand twice in one commit, keeping the first of the signed ones.
fn without_repeats(items: Vec<Item>) -> Vec<Item> {
    let mut seen = BTreeSet::new();
    let name = |item: &Item| match item {
        Item::Event { id, .. } => Some((0_u8, id.as_bytes().to_vec())),
        Item::Entry { id, .. } => Some((1, id.as_bytes().to_vec())),
        Item::Part { bytes, .. } => Some((2, bytes.clone())),
        Item::Row { .. } | Item::Audit { .. } => None,
    };
    items
        .into_iter()
        .filter(|item| name(item).is_none_or(|name| seen.insert(name)))
        .collect()
}

impl DiskStore {
    /// The place of an entry in the journal.
    pub(crate) fn position_of_entry(
        &self,
        id: &EnvelopeId,
    ) -> Result<Option<JournalPosition>, StoreError> {
        self.index.entry_position(id)
    }

    /// The place of an event in the journal.
    pub(crate) fn position_of_event(
        &self,
        id: &EventId,
    ) -> Result<Option<JournalPosition>, StoreError> {
        self.index.event_position(id)
    }
}

impl Store for DiskStore {
    fn commit(&mut self, items: Vec<Item>) -> Result<JournalPosition, StoreError> {
        if self.behind {
            let what = "it fell behind the log; end this program and start it again".to_owned();
            return Err(StoreError::Index(what));
        }
        let mut new = Vec::with_capacity(items.len());
        for item in without_repeats(items) {
            if self.is_new(&item)? {
                new.push(item);
            }
        }
        if new.is_empty() {
            return Ok(self.index.last());
        }
        // An index that could not follow would have to be made up for by opening the store again.
        self.has_room_for_items(&new)?;
        held(&self.logs).forget_added(&new);
        let written = self.segments.append(blocks(new))?;
        if let Err(error) = self.index.add(&written) {
            // The commit is in the log and the index does not know it: opening again catches up.
            self.behind = true;
            return Err(error);
        }
        // What was written last is asked for next: whoever follows is told of it, and others are
        // given it.
        let mut cache = held(&self.cache);
        for placed in written {
            cache.put((placed.segment, placed.offset), Arc::new(placed.block));
        }
        Ok(self.index.last())
    }

    fn has_event(&self, id: &EventId) -> Result<bool, StoreError> {
        Ok(self.index.event_position(id)?.is_some())
    }

    fn has_entry(&self, id: &EnvelopeId) -> Result<bool, StoreError> {
        Ok(self.index.entry_position(id)?.is_some())
    }

    fn entry(
        &self,
        id: &EnvelopeId,
    ) -> Result<Option<(RecordId, DocumentId, Vec<u8>)>, StoreError> {
        let Some(at) = self.index.entry(id)? else {
            return Ok(None);
        };
        match self.item(at)? {
            Item::Entry {
                record,
                document,
                bytes,
                ..
            } => Ok(Some((record, document, bytes))),
            Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {
                Err(self.note(at, "something else stands where an entry should"))
            }
        }
    }

    fn event(&self, id: &EventId) -> Result<Option<Vec<u8>>, StoreError> {
        let at = self.index.event(id)?;
        at.map(|at| self.bytes_at(at)).transpose()
    }

    fn events(&self, log: &LogId) -> Result<Vec<(EventId, Vec<u8>)>, StoreError> {
        let ids = self.index.log_events(log)?;
        ids.into_iter()
            .map(|(id, at)| Ok((id, self.bytes_at(at)?)))
            .collect()
    }

    fn log(&self, log: &LogId) -> Result<ReadLog, StoreError> {
        let known = held(&self.logs).known(log);
        if let Some(known) = known {
            return Ok(known);
        }
        let read = read_log(self, log)?;
        held(&self.logs).keep(log, &read);
        Ok(read)
    }

    fn entries(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        let ids = self.index.document_entries(record, document)?;
        ids.into_iter()
            .map(|(id, at)| Ok((id, self.bytes_at(at)?)))
            .collect()
    }

    fn entry_ids(
        &self,
        record: &RecordId,
        document: &DocumentId,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        self.index.entry_ids(record, document)
    }

    fn parts(&self, record: &RecordId) -> Result<Vec<Vec<u8>>, StoreError> {
        let places = self.index.parts(record)?;
        places.into_iter().map(|at| self.bytes_at(at)).collect()
    }

    fn records(&self) -> Result<Vec<RecordId>, StoreError> {
        self.index.records()
    }

    fn came(&self, record: &RecordId) -> Result<u64, StoreError> {
        self.index.came(record)
    }

    fn documents(&self, record: &RecordId) -> Result<Vec<DocumentId>, StoreError> {
        self.index.documents(record)
    }

    fn logs(&self, record: &RecordId) -> Result<Vec<LogId>, StoreError> {
        self.index.logs(record)
    }

    fn labels(&self) -> Result<BTreeMap<RecordId, BTreeSet<Label>>, StoreError> {
        self.index.labels()
    }

    fn chains(
        &self,
        device: &DeviceId,
        record: Option<&RecordId>,
    ) -> Result<Vec<ChainEnd>, StoreError> {
        self.index.chains(device, record)
    }

    fn journal(
        &self,
        after: JournalPosition,
        limit: usize,
    ) -> Result<Vec<(JournalPosition, Item)>, StoreError> {
        let places = self.index.journal(after, limit)?;
        places
            .into_iter()
            .map(|(position, at)| Ok((position, self.item(at)?)))
            .collect()
    }

    fn audit(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let places = self.index.audit()?;
        places.into_iter().map(|at| self.bytes_at(at)).collect()
    }

    fn row(&self, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.index.row(key)
    }

    fn rows(&self, kind: u8) -> Result<Vec<NamedRow>, StoreError> {
        self.index.rows(kind)
    }

    fn put_blob(&mut self, bytes: &[u8]) -> Result<BlobId, StoreError> {
        self.has_room_for(bytes.len() as u64)?;
        self.blobs.put(bytes)
    }

    fn blob(&self, id: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.blobs.get(id);
        if let Err(StoreError::Damaged(damage)) = &found {
            let mut noted = held(&self.damage);
            if !noted.contains(damage) {
                noted.push(damage.clone());
            }
        }
        #[cfg(feature = "trace")]
        if matches!(found, Ok(Some(_))) {
            held(&self.given_out).insert(*id);
        }
        found
    }

    fn damage(&self) -> Vec<Damage> {
        held(&self.damage).clone()
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        if let Err(error) = self.index.close() {
            tracing::warn!(%error, "the index was not written out; it is caught up at the next start");
        }
    }
}

#[cfg(test)]
mod tests;
