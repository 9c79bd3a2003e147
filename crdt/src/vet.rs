//! Whether bytes from outside are a change that kith could have written.
//!
//! An own strict walk over one uncompressed change chunk, before any call into automerge, which
//! panics, hangs or fills memory on crafted input. It is a pure function of the bytes, so that
//! every node refuses the same, and it allocates in proportion to the bytes, never to a count that
//! they claim. What cannot be known from the bytes alone (whether an object that was made
//! elsewhere is there, and of which kind) is left to the guard (`document/guard.rs`).
//!
//! Format: <https://automerge.org/automerge-binary-format-spec/>.

mod column;
mod condensed;
mod creations;
mod layout;
mod made;
mod operation;
mod reader;
mod refusal;

use automerge::ChangeHash;
use sha2::{Digest, Sha256};

use crate::document::{Actor, Held};

pub use condensed::Condensed;
pub use refusal::Refusal;

use operation::{Columns, Head};
use reader::Reader;

/// The version of these rules; an envelope states the one that its author applied.
pub const VETTING_VERSION: u8 = 1;

/// Bytes of one change: a first import of a large record is about 2 MB.
pub const CHANGE_LEN_MAX: usize = 16 * 1024 * 1024;

/// Direct ancestors of one change: as many devices may have written at the same time.
pub const DEPS_MAX: usize = 64;

/// Operations of one change, and what they replace: automerge needs up to 465 bytes for each, so
/// that the worst change costs 61 MB; a first import of 5,000 resources has about 75,000.
pub const OPERATIONS_MAX: usize = 128 * 1024;

/// Operations that one change may hold beyond one for each of its bytes: an honest operation
/// brings a text, a name or a place of its own; only removing a long list is shorter.
pub const OPERATIONS_FREE: usize = 4096;

/// The largest counter and sequence number: automerge keeps them in 32 bits, some with a sign.
pub const COUNTER_MAX: u64 = i32::MAX as u64;

/// The last millisecond of the year 9999.
pub const TIME_MAX_MS: u64 = 253_402_300_799_999;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE_CHUNK: u8 = 1;

/// A change that passed; only [`vet`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vetted {
    bytes: Vec<u8>,
    hash: ChangeHash,
    deps: Vec<ChangeHash>,
    actor: Actor,
    actor_seq: u64,
    start_op: u64,
    op_count: u64,
    time_ms: u64,
    carries_over: bool,
    names_attachments: bool,
}

impl Vetted {
    /// The chunk.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its hash.
    pub const fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// What it builds on, ascending.
    pub fn deps(&self) -> &[ChangeHash] {
        &self.deps
    }

    /// Who wrote it, to automerge.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Its place among the changes of its actor, from 1.
    pub const fn actor_seq(&self) -> u64 {
        self.actor_seq
    }

    /// The counter of its first operation, from 1.
    pub const fn start_op(&self) -> u64 {
        self.start_op
    }

    /// How many operations it holds, at least one.
    pub const fn op_count(&self) -> u64 {
        self.op_count
    }

    /// The claimed time.
    pub const fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// Whether it carries the elements of an earlier epoch over: only the first entry of an epoch
    /// may.
    pub const fn carries_over(&self) -> bool {
        self.carries_over
    }

    /// Whether a resource that it makes names an attachment.
    pub const fn names_attachments(&self) -> bool {
        self.names_attachments
    }

    /// The resources that it makes, as a document holds them that was not changed since, where that
    /// is all that it does; nothing of a change that does anything else. In the order of making.
    pub fn creations(&self) -> Option<Vec<Held>> {
        let change = chunk(&self.bytes).and_then(|chunk| Change::read(&chunk));
        creations::read(change.ok()?, self.hash)
    }
}

/// Walks over one change chunk.
///
/// # Errors
/// When it is anything but what kith writes, in any other than the one form in which it is
/// written.
pub fn vet(bytes: &[u8]) -> Result<Vetted, Refusal> {
    let chunk = chunk(bytes)?;
    let hash: [u8; 32] = Sha256::digest(chunk.hashed).into();
    if hash[..4] != chunk.checksum {
        return Err(Refusal::Checksum);
    }
    let change = Change::read(&chunk)?;
    let walked = layout::walk(&change.head, change.columns)?;
    Ok(Vetted {
        bytes: bytes.to_vec(),
        hash: ChangeHash(hash),
        deps: change.deps,
        actor: change.head.actors[0],
        actor_seq: change.actor_seq,
        start_op: change.head.start_op,
        op_count: walked.op_count,
        time_ms: change.time_ms,
        carries_over: walked.carries_over,
        names_attachments: walked.names_attachments,
    })
}

/// A change chunk, opened.
struct Chunk<'a> {
    checksum: [u8; 4],
    hashed: &'a [u8],
    content: &'a [u8],
    /// Bytes of all of it.
    len: usize,
}

fn chunk(bytes: &[u8]) -> Result<Chunk<'_>, Refusal> {
    if bytes.len() > CHANGE_LEN_MAX {
        return Err(Refusal::TooLong);
    }
    let mut reader = Reader::new(bytes);
    if reader.array()? != MAGIC {
        return Err(Refusal::NoChunk);
    }
    let checksum = reader.array()?;
    let hashed = reader.rest();
    let kind = reader.byte()?;
    if kind != CHANGE_CHUNK {
        return Err(Refusal::ChunkType(kind));
    }
    let content = reader.prefixed()?;
    if !reader.is_empty() {
        return Err(Refusal::Trailing);
    }
    Ok(Chunk {
        checksum,
        hashed,
        content,
        len: bytes.len(),
    })
}

/// What stands in a change, its operations still in columns.
struct Change<'a> {
    deps: Vec<ChangeHash>,
    actor_seq: u64,
    time_ms: u64,
    head: Head,
    columns: Columns<'a>,
}

impl<'a> Change<'a> {
    fn read(chunk: &Chunk<'a>) -> Result<Self, Refusal> {
        let mut reader = Reader::new(chunk.content);
        let deps = deps(&mut reader)?;
        let actor = actor(&mut reader)?;
        let actor_seq = counter(reader.unsigned()?, Refusal::Sequence)?;
        let start_op = counter(reader.unsigned()?, Refusal::Counter)?;
        let time_ms = time(reader.signed()?)?;
        if !reader.prefixed()?.is_empty() {
            return Err(Refusal::Message);
        }
        let head = Head {
            actors: actors(&mut reader, actor)?,
            first_of_document: deps.is_empty() && actor_seq == 1 && start_op == 1,
            start_op,
            operations_max: OPERATIONS_MAX.min(OPERATIONS_FREE + chunk.len),
        };
        let columns = Columns::read(&mut reader)?;
        if !reader.is_empty() {
            return Err(Refusal::Trailing);
        }
        Ok(Self {
            deps,
            actor_seq,
            time_ms,
            head,
            columns,
        })
    }
}

fn deps(reader: &mut Reader<'_>) -> Result<Vec<ChangeHash>, Refusal> {
    let mut deps: Vec<ChangeHash> = Vec::new();
    for _ in 0..bounded(reader.unsigned()?, DEPS_MAX, Refusal::ManyDeps)? {
        let dep = ChangeHash(reader.array()?);
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(Refusal::DepsOrder);
        }
        deps.push(dep);
    }
    Ok(deps)
}

/// The author and then everybody whose operations it refers to.
fn actors(reader: &mut Reader<'_>, author: Actor) -> Result<Vec<Actor>, Refusal> {
    let mut actors = vec![author];
    for _ in 0..bounded(reader.unsigned()?, OPERATIONS_MAX, Refusal::ManyOperations)? {
        let other = actor(reader)?;
        let ascends = actors.len() == 1 || actors.last().is_some_and(|last| *last < other);
        if other == author || !ascends {
            return Err(Refusal::ActorsOrder);
        }
        actors.push(other);
    }
    Ok(actors)
}

fn actor(reader: &mut Reader<'_>) -> Result<Actor, Refusal> {
    let bytes = reader.prefixed()?;
    let bytes = bytes.try_into().map_err(|_| Refusal::ActorLength)?;
    Ok(Actor(bytes))
}

fn counter(value: u64, refusal: Refusal) -> Result<u64, Refusal> {
    if (1..=COUNTER_MAX).contains(&value) {
        Ok(value)
    } else {
        Err(refusal)
    }
}

fn time(value: i64) -> Result<u64, Refusal> {
    let time = u64::try_from(value).map_err(|_| Refusal::Time)?;
    if time <= TIME_MAX_MS {
        Ok(time)
    } else {
        Err(Refusal::Time)
    }
}

fn bounded(count: u64, max: usize, refusal: fn(usize) -> Refusal) -> Result<usize, Refusal> {
    let count = usize::try_from(count).map_err(|_| refusal(max))?;
    if count <= max {
        Ok(count)
    } else {
        Err(refusal(max))
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
