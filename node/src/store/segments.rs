//! The log: append-only files of sealed, compressed blocks.
//!
//! A segment begins with `KITHSEG1`, its number and its own key wrapped by the store key. A block
//! is `KBLK`, a length, and the seal over flags and compressed items, bound to its segment and
//! offset. A commit is one or more blocks, the last one flagged; what follows the last flagged
//! block of the log when it is opened is a commit that never finished, and is cut off. A block
//! whose seal does not hold anywhere else is damage: it is named and skipped.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use kith_protocol::{
    codec,
    store::{Damage, Item, StoreError},
};

use super::{
    index::Location,
    item_len,
    keystore::StoreKey,
    seal::{self, Key},
};
use crate::packing;

/// A new segment is begun when the present one is longer, in bytes.
const SEGMENT_LEN_MAX: u64 = 8 * 1024 * 1024;
const MAGIC: &[u8; 8] = b"KITHSEG1";
const HEADER_LEN: u64 = 8 + 4 + 32 + seal::OVERHEAD as u64;
const BLOCK_MAGIC: &[u8; 4] = b"KBLK";
const BLOCK_HEADER_LEN: u64 = 8;
/// How hard a block is compressed. More makes it no shorter: what repeats in it is found by the
/// quickest of zstd's ways too.
const COMPRESS_LEVEL: i32 = 1;
/// No sealed block is longer: a block holds one item or at most half a megabyte.
const BLOCK_SEALED_LEN_MAX: u32 = 32 * 1024 * 1024;

const WRAP_CONTEXT: &[u8] = b"kith segment key";

/// An opened block. Its items are read one by one: most of the time one is asked for of many.
pub(super) struct Block {
    /// Before compression: an array of items.
    plain: Vec<u8>,
    places: Vec<Range<usize>>,
    /// Whether a commit ends with it.
    ends_commit: bool,
}

impl Block {
    fn of(plain: Vec<u8>, ends_commit: bool) -> Option<Self> {
        Some(Self {
            places: codec::places_in_array(&plain).ok()?,
            plain,
            ends_commit,
        })
    }

    /// Bytes before compression.
    pub(super) const fn len(&self) -> usize {
        self.plain.len()
    }

    /// An item by its number from 0; nothing where it has none of this number that is understood.
    pub(super) fn item(&self, number: u32) -> Option<Item> {
        let place = self.places.get(number as usize)?.clone();
        codec::decode_trusted(self.plain.get(place)?).ok()
    }

    fn items(&self) -> Option<Vec<Item>> {
        codec::decode_trusted(&self.plain).ok()
    }

    /// One without items.
    #[cfg(test)]
    pub(super) fn of_len(len: usize) -> Self {
        Self {
            plain: vec![0; len],
            places: Vec::new(),
            ends_commit: true,
        }
    }
}

/// A block in its place.
pub(super) struct Placed {
    pub(super) segment: u32,
    pub(super) offset: u32,
    /// Where the next block would stand.
    pub(super) end: u32,
    pub(super) block: Block,
    items: Vec<Item>,
}

impl Placed {
    /// Items with their places.
    pub(super) fn items(&self) -> impl Iterator<Item = (Location, &Item)> {
        (0..).zip(&self.items).map(|(item, value)| {
            let at = Location {
                segment: self.segment,
                offset: self.offset,
                item,
            };
            (at, value)
        })
    }
}

struct Segment {
    file: File,
    key: Key,
    len: u64,
}

/// All segments, the last one open for appending.
pub(super) struct Segments {
    folder: PathBuf,
    store_key: Key,
    segments: BTreeMap<u32, Segment>,
}

impl Segments {
    /// Opens the log, cuts off a commit that never finished, and names what is damaged.
    pub(super) fn open(folder: &Path, key: &StoreKey) -> Result<(Self, Vec<Damage>), StoreError> {
        std::fs::create_dir_all(folder)?;
        let mut log = Self {
            folder: folder.to_owned(),
            store_key: seal::derive(key.bytes(), "kith v1 store segments"),
            segments: BTreeMap::new(),
        };
        let mut damage = Vec::new();
        for number in numbers(folder)? {
            match log.open_segment(number)? {
                Some(segment) => {
                    log.segments.insert(number, segment);
                }
                None => damage.push(named(number, 0, "its beginning does not open")),
            }
        }
        damage.extend(log.cut_unfinished()?);
        Ok((log, damage))
    }

    /// Every segment's file with the bytes of it that are on the disk for good.
    pub(super) fn files(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        let files = self.segments.iter();
        files.map(|(number, segment)| (format!("{number:08}.seg"), segment.len))
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:08}.seg"))
    }

    fn open_segment(&self, number: u32) -> Result<Option<Segment>, StoreError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.path(number))?;
        let len = file.metadata()?.len();
        let mut header = vec![0; usize::try_from(HEADER_LEN).unwrap_or(usize::MAX)];
        if len < HEADER_LEN || file.read_exact_at(&mut header, 0).is_err() {
            return Ok(None);
        }
        let (fixed, wrapped) = header.split_at(12);
        let expected = [&MAGIC[..], &number.to_be_bytes()].concat();
        let context = [WRAP_CONTEXT, &number.to_be_bytes()].concat();
        let key = seal::open(&self.store_key, &context, wrapped)
            .and_then(|key| <[u8; 32]>::try_from(key).ok())
            .filter(|_| fixed == expected);
        Ok(key.map(|key| Segment {
            file,
            key: Key::new(key),
            len,
        }))
    }

    fn begin_segment(&mut self) -> Result<u32, StoreError> {
        let number = self.segments.keys().last().map_or(0, |last| last + 1);
        let number = numbers(&self.folder)?
            .last()
            .map_or(number, |last| number.max(last + 1));
        let key = Key::new(seal::random());
        let context = [WRAP_CONTEXT, &number.to_be_bytes()].concat();
        let wrapped = seal::seal(&self.store_key, &context, &*key);
        let header = [&MAGIC[..], &number.to_be_bytes(), &wrapped].concat();
        let path = self.path(number);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(io_error)?;
        let begun = file
            .write_all_at(&header, 0)
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(&self.folder)?.sync_all());
        if let Err(error) = begun {
            std::fs::remove_file(&path)?;
            return Err(io_error(error));
        }
        let segment = Segment {
            file,
            key,
            len: HEADER_LEN,
        };
        self.segments.insert(number, segment);
        Ok(number)
    }

    /// Appends one commit; it is on the disk when this returns, or not there at all.
    pub(super) fn append(&mut self, blocks: Vec<Vec<Item>>) -> Result<Vec<Placed>, StoreError> {
        let number = match self.segments.last_key_value() {
            Some((number, segment)) if segment.len < SEGMENT_LEN_MAX => *number,
            Some(_) | None => self.begin_segment()?,
        };
        let segment = self.segments.get_mut(&number).ok_or(StoreError::InUse)?;
        let start = segment.len;
        let mut bytes = Vec::new();
        let mut placed = Vec::new();
        let count = blocks.len();
        for (n, items) in blocks.into_iter().enumerate() {
            let offset = u32::try_from(start + bytes.len() as u64)
                .map_err(|_| StoreError::Index("a commit is too long".to_owned()))?;
            let ends_commit = n + 1 == count;
            let block = block_of(&items, ends_commit)?;
            seal_block(&segment.key, number, offset, &block, &mut bytes)?;
            let end = u32::try_from(start + bytes.len() as u64)
                .map_err(|_| StoreError::Index("a commit is too long".to_owned()))?;
            placed.push(Placed {
                segment: number,
                offset,
                end,
                block,
                items,
            });
        }
        let written = segment
            .file
            .write_all_at(&bytes, start)
            .and_then(|()| segment.file.sync_data());
        if let Err(error) = written {
            // Nobody was told that this commit stands: what of it reached the file goes.
            segment.file.set_len(start)?;
            return Err(io_error(error));
        }
        segment.len = start + bytes.len() as u64;
        Ok(placed)
    }

    /// Opens the block at a place; nothing when its seal does not hold.
    pub(super) fn read(&self, number: u32, offset: u32) -> Result<Option<Block>, StoreError> {
        let Some(segment) = self.segments.get(&number) else {
            return Ok(None);
        };
        Ok(read_block(segment, number, offset)?.map(|(block, _)| block))
    }

    /// Whether the log has all that comes before a place.
    pub(super) fn reaches(&self, (number, offset): (u32, u32)) -> bool {
        let known = self.segments.get(&number);
        offset == 0 || known.is_some_and(|segment| u64::from(offset) <= segment.len)
    }

    /// Every block from a place on, in order, with the damage between them.
    pub(super) fn scan(
        &self,
        from: (u32, u32),
        mut each: impl FnMut(&Placed) -> Result<(), StoreError>,
    ) -> Result<Vec<Damage>, StoreError> {
        let mut damage = Vec::new();
        for (number, segment) in self.segments.range(from.0..) {
            let start = if *number == from.0 { from.1 } else { 0 };
            let mut offset = start.max(header_len());
            while u64::from(offset) < segment.len {
                let found = read_block(segment, *number, offset)?;
                let found = found.and_then(|(block, end)| Some((block.items()?, block, end)));
                if let Some((items, block, end)) = found {
                    each(&Placed {
                        segment: *number,
                        offset,
                        end,
                        block,
                        items,
                    })?;
                    offset = end;
                } else {
                    let next = next_block(segment, *number, offset + 1)?;
                    damage.push(named(*number, offset, "its seal does not hold"));
                    match next {
                        Some(next) => offset = next,
                        None => break,
                    }
                }
            }
        }
        Ok(damage)
    }

    /// Cuts the last segment back to the end of its last finished commit. What is cut off is
    /// kept in a file beside the log: if it was complete, it is damage and not a torn write.
    fn cut_unfinished(&mut self) -> Result<Option<Damage>, StoreError> {
        let Some((&number, _)) = self.segments.last_key_value() else {
            return Ok(None);
        };
        let mut finished = header_len();
        self.scan((number, 0), |placed| {
            if placed.block.ends_commit {
                finished = placed.end;
            }
            Ok(())
        })?;
        let segment = self.segments.get_mut(&number).ok_or(StoreError::InUse)?;
        if u64::from(finished) >= segment.len {
            return Ok(None);
        }
        let tail = segment.read(finished)?;
        let damage = is_complete(&tail)
            .then(|| named(number, finished, "its seal does not hold; it was set aside"));
        if damage.is_some() {
            let aside = self.folder.join(format!("{number:08}-{finished}.damaged"));
            std::fs::write(aside, &tail)?;
        }
        segment.file.set_len(u64::from(finished))?;
        segment.file.sync_data()?;
        segment.len = u64::from(finished);
        Ok(damage)
    }
}

impl Segment {
    /// Everything from `offset` on.
    fn read(&self, offset: u32) -> Result<Vec<u8>, StoreError> {
        let start = u64::from(offset);
        let len = usize::try_from(self.len.saturating_sub(start)).unwrap_or(0);
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }
}

/// Whether a tail has the length that its first block says: a torn write is shorter, or zero
/// where nothing was written.
fn is_complete(tail: &[u8]) -> bool {
    let Some(len) = tail.get(4..8).and_then(|len| len.try_into().ok()) else {
        return false;
    };
    let len = u32::from_be_bytes(len) as usize;
    let all = tail.len() >= len.saturating_add(8);
    tail.starts_with(BLOCK_MAGIC) && all && !tail.ends_with(&[0; 64])
        || !tail.starts_with(BLOCK_MAGIC) && tail.len() > 8 && !tail[..8].iter().all(|b| *b == 0)
}

fn header_len() -> u32 {
    u32::try_from(HEADER_LEN).unwrap_or(u32::MAX)
}

fn named(segment: u32, offset: u32, what: &str) -> Damage {
    Damage {
        place: format!("log segment {segment} at byte {offset}"),
        what: what.to_owned(),
    }
}

/// The numbers of the segment files in a folder, ascending.
fn numbers(folder: &Path) -> Result<Vec<u32>, StoreError> {
    let mut numbers = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let name = file?.file_name();
        let number: Option<u32> = name
            .to_str()
            .and_then(|name| name.strip_suffix(".seg")?.parse::<u32>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn context(number: u32, offset: u32) -> [u8; 8] {
    (u64::from(number) << 32 | u64::from(offset)).to_be_bytes()
}

fn block_of(items: &Vec<Item>, ends_commit: bool) -> Result<Block, StoreError> {
    // Room for what is signed, and for what it is found by.
    let len = items.iter().map(|item| item_len(item) + 256).sum();
    let mut plain = Vec::with_capacity(len);
    codec::encode_onto(&mut plain, items);
    let odd = || StoreError::Index("an item cannot be read again".to_owned());
    Block::of(plain, ends_commit).ok_or_else(odd)
}

fn seal_block(
    key: &Key,
    number: u32,
    offset: u32,
    block: &Block,
    to: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let mut packed = vec![u8::from(block.ends_commit)];
    packed.extend(packing::pack(&block.plain, COMPRESS_LEVEL).map_err(io_error)?);
    let sealed = seal::seal(key, &context(number, offset), &packed);
    let len = u32::try_from(sealed.len())
        .ok()
        .filter(|len| *len <= BLOCK_SEALED_LEN_MAX)
        .ok_or_else(|| StoreError::Index("an item is too long".to_owned()))?;
    to.extend_from_slice(BLOCK_MAGIC);
    to.extend_from_slice(&len.to_be_bytes());
    to.extend_from_slice(&sealed);
    Ok(())
}

/// The block at `offset` and where the next one begins.
fn read_block(
    segment: &Segment,
    number: u32,
    offset: u32,
) -> Result<Option<(Block, u32)>, StoreError> {
    let mut header = [0; 8];
    let body = u64::from(offset) + BLOCK_HEADER_LEN;
    if body > segment.len {
        return Ok(None);
    }
    segment.file.read_exact_at(&mut header, u64::from(offset))?;
    let (magic, len) = header.split_at(4);
    let len = u32::from_be_bytes(len.try_into().unwrap_or_default());
    let fits = len <= BLOCK_SEALED_LEN_MAX && body + u64::from(len) <= segment.len;
    if magic != BLOCK_MAGIC || !fits {
        return Ok(None);
    }
    let mut sealed = vec![0; len as usize];
    segment.file.read_exact_at(&mut sealed, body)?;
    let block = seal::open(&segment.key, &context(number, offset), &sealed)
        .and_then(|packed| unpack(&packed));
    let end = u32::try_from(body + u64::from(len)).unwrap_or(u32::MAX);
    Ok(block.map(|block| (block, end)))
}

fn unpack(packed: &[u8]) -> Option<Block> {
    let (flag, body) = packed.split_first()?;
    Block::of(packing::unpack(body, usize::MAX)?, *flag == 1)
}

/// The next place from `offset` on where a block opens.
fn next_block(segment: &Segment, number: u32, offset: u32) -> Result<Option<u32>, StoreError> {
    let rest = segment.read(offset)?;
    for at in 0..rest.len().saturating_sub(BLOCK_MAGIC.len()) {
        if &rest[at..at + BLOCK_MAGIC.len()] == BLOCK_MAGIC {
            let place = offset + u32::try_from(at).unwrap_or(u32::MAX - offset);
            if read_block(segment, number, place)?.is_some() {
                return Ok(Some(place));
            }
        }
    }
    Ok(None)
}

/// Tells a full disk from other trouble.
pub(super) fn io_error(error: std::io::Error) -> StoreError {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull, WriteZero};
    let full = [StorageFull, QuotaExceeded, FileTooLarge, WriteZero];
    if full.contains(&error.kind()) {
        StoreError::Full
    } else {
        StoreError::Io(error)
    }
}
