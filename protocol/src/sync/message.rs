//! What two nodes say to each other on `/kith/sync/1`. Each message is one frame, deterministic
//! CBOR with a length before it; the channel below has proved which device speaks.

use kith_crdt::DocumentId;
use serde::{Deserialize, Serialize};

use super::ranges::Range;
use crate::{
    id::{BlobId, RecordId},
    limits::{ATTACHMENT_PIECES_MAX, AUTHORITY_EVENTS_MAX, BATCHES_MAX, ITEMS_MAX, RANGES_MAX},
};

/// The version of the conversation.
pub const SYNC_VERSION: u8 = 2;

/// Names a journal: a new one when a node was restored from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JournalId(#[serde(with = "crate::codec::array")] pub [u8; 16]);

/// How far someone has taken in what another node sent them: a count of parcels, which tells
/// nothing of what they were not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Of which journal.
    pub journal: JournalId,
    /// How many parcels are on the disk.
    pub count: u64,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// The first word of both sides, at once.
    Hello {
        /// The speaker's version.
        version: u8,
        /// What the speaker can do beyond the version, as bits; none yet.
        features: u32,
        /// The speaker's journal.
        journal: JournalId,
        /// How far the speaker took in the other's journal.
        held: Option<Cursor>,
    },
    /// The speaker does not know the other device.
    WhoAreYou,
    /// The speaker's own principal log: it proves the device to whoever knows the principal.
    Introduction {
        /// Signed events.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, AUTHORITY_EVENTS_MAX>")]
        log: Vec<serde_bytes::ByteBuf>,
    },
    /// What follows from the other's first word.
    Ready {
        /// Whether the speaker knows where to go on. Where one does not, both compare.
        resumes: bool,
    },
    /// The speaker has sent what it had of rights; content may follow.
    Proven,
    /// A parcel: events, parts of cuts and entries of one record or of several, which are taken
    /// together.
    Items {
        /// The count of parcels with this one.
        through: u64,
        /// One for each record, or more where several shares open it.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, BATCHES_MAX>")]
        batches: Vec<OfRecord>,
    },
    /// Nothing is missing up to this count.
    Through {
        /// The count.
        through: u64,
    },
    /// A parcel is on the disk.
    Taken {
        /// Its count.
        through: u64,
        /// What of it was not taken.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, ITEMS_MAX>")]
        kept_back: Vec<KeptBack>,
    },
    /// A step of a comparison.
    Compare {
        /// Makes the fingerprints of this comparison its own.
        #[serde(with = "crate::codec::array")]
        session: [u8; 16],
        /// Within which place; nothing for all places together.
        #[serde(with = "crate::codec::optional_array")]
        place: Option<[u8; 32]>,
        /// What is held, by ranges of keys.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, RANGES_MAX>")]
        ranges: Vec<Range>,
    },
    /// Whoever began the comparison knows everything that it needs.
    Compared,
    /// Asks for a piece of an attachment.
    Want {
        /// The record.
        record: RecordId,
        /// The document that names it.
        document: DocumentId,
        /// Which.
        blob: BlobId,
        /// The number of the piece, from 0; nothing for its outline.
        piece: Option<u32>,
    },
    /// The hashes of an attachment's pieces, which prove themselves against its name.
    Outline {
        /// Which.
        blob: BlobId,
        /// Its length in bytes.
        len: u64,
        /// One for each piece.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, ATTACHMENT_PIECES_MAX>")]
        pieces: Vec<PieceHash>,
    },
    /// A piece of an attachment.
    Piece {
        /// Which attachment.
        blob: BlobId,
        /// Which piece.
        piece: u32,
        /// At most 256 KiB.
        bytes: serde_bytes::ByteBuf,
    },
    /// There is no such attachment here, or not for the other.
    Absent {
        /// Which.
        blob: BlobId,
    },
    /// The speaker has nothing more for now, and everything it sent was taken.
    Settled,
    /// The speaker ends the conversation.
    Bye {
        /// Why.
        why: Farewell,
    },
}

/// The hash of a piece of an attachment: the chaining value of its subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PieceHash(#[serde(with = "crate::codec::array")] pub [u8; 32]);

/// What a parcel has of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfRecord {
    /// The record.
    pub record: RecordId,
    /// What of it.
    #[serde(deserialize_with = "crate::codec::at_most::<_, _, ITEMS_MAX>")]
    pub items: Vec<Carried>,
}

/// Something signed, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// What is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// An event of a principal's, a core or a label's log.
    Event,
    /// A part of a cut.
    Part,
    /// An entry.
    Entry,
}

/// Something that was not taken: the sender keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBack {
    /// Its place in the parcel, all batches counted through.
    pub nth: u32,
    /// Why.
    pub why: NotTaken,
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotTaken {
    /// There is no more room for what waits for a person or for something that is missing.
    Full,
    /// Its bytes do not hold.
    Unsound,
}

/// Why a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Farewell {
    /// The node stops.
    Stopping,
    /// There is another conversation between the two.
    Twice,
    /// The other's version is not understood.
    Version,
    /// The other said something that does not belong there.
    Misspoke,
    /// The other was silent for too long.
    Silent,
    /// This node has no room or its store does not do it.
    Store,
    /// Nothing is shared with the other, or not any more.
    NothingShared,
}
