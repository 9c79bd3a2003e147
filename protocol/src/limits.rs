//! Every bound in one place, each with its unit and reason.

/// Nesting of CBOR in a signed structure: the deepest of ours has 9 levels.
pub const CBOR_DEPTH_MAX: usize = 16;

/// Signed bytes of one event or envelope header: the largest of ours (16 frontier heads, 64 deps,
/// a grant of 14 sections) is under 6 KiB; a cut root keeps revocations small.
pub const SIGNED_LEN_MAX: usize = 64 * 1024;

/// Bytes of one Automerge change: a first import of a large practice record is about 2 MB.
pub const CHANGE_LEN_MAX: usize = 16 * 1024 * 1024;

/// Heads of logs that one event or entry may name (`consent.md`).
pub const FRONTIER_MAX: usize = 16;

/// Direct ancestors of one entry: as many devices may have written at the same time.
pub const DEPS_MAX: usize = 64;

/// Grants from an author up to a controller (`consent.md`).
pub const CHAIN_DEPTH_MAX: usize = 8;

/// Authority events of one record (`consent.md`).
pub const AUTHORITY_EVENTS_MAX: usize = 4096;

/// Of [`AUTHORITY_EVENTS_MAX`], those that only controllers and members of the recovery set may
/// use: whoever else fills a record with events cannot keep them from stopping it.
pub const AUTHORITY_EVENTS_RESERVE: usize = 512;

/// Entries of one document that wait for something that is not held.
pub const PENDING_MAX: usize = 1024;

/// Milliseconds by which a serving node's clock may be wrong before expiry is in doubt.
pub const CLOCK_SKEW_MS: u64 = 10 * 60 * 1000;

/// Base64 longer than this leaves the document for the blob store (`health.md`).
pub const INLINE_ATTACHMENT_LEN_MAX: usize = 16 * 1024;

/// Bytes of one file to import: it is read whole.
pub const IMPORT_FILE_LEN_MAX: u64 = 512 * 1024 * 1024;

/// Bytes of one frame on a stream; its length is checked before anything is allocated.
pub const FRAME_LEN_MAX: usize = 20 * 1024 * 1024;

/// Bytes of one frame from someone who presents an invitation, who may be anyone: a name card and
/// a principal log of some 1,000 devices and staff.
pub const JOIN_FRAME_LEN_MAX: usize = 512 * 1024;

/// Addresses that a peer may name for itself, and bytes of one: it is dialled at all of them.
pub const ADDRESSES_MAX: usize = 8;

/// Bytes of one address: a relay's multiaddress with two keys is under 200.
pub const ADDRESS_LEN_MAX: usize = 256;

/// Conversations at the same time with those who present an invitation.
pub const JOINS_MAX: usize = 8;

/// Bytes of a bundle file: beyond any practice's backup, and far below what the piece numbers of
/// a seal can count.
pub const BUNDLE_LEN_MAX: u64 = 1 << 40;

/// Items of one bundle: 12,000 records of 5,000 entries.
pub const BUNDLE_ITEMS_MAX: u64 = 1 << 26;

/// Records that one bundle may be of: a large practice's backup; the manifest stays under 3 MiB.
pub const BUNDLE_RECORDS_MAX: usize = 1 << 16;

/// Bytes of one part of a cut with its proof: 10,000 chains.
pub const CUT_PART_LEN_MAX: usize = 1024 * 1024;

/// Bytes of one piece of an attachment: what is held in memory until its hash is checked.
pub const ATTACHMENT_PIECE_LEN_MAX: usize = 256 * 1024;

/// Bytes of one attachment: a scanned letter of some hundred pages, a short video.
pub const ATTACHMENT_LEN_MAX: u64 = 256 * 1024 * 1024;

/// Ways to open one sealed bundle: every receiver tries each of them.
pub const SEAL_SLOTS_MAX: usize = 64;

/// Kibibytes that a sealed file may ask for to try a passphrase: a phone has them.
pub const PASSPHRASE_MEMORY_KIB_MAX: u32 = 256 * 1024;

/// Passes over that memory that a sealed file may ask for: a few seconds.
pub const PASSPHRASE_PASSES_MAX: u32 = 10;

/// Content bytes of one disclosure: the most that leaves under one link of the access log
/// (`consent.md`).
pub const DISCLOSURE_LEN_MAX: u64 = 256 * 1024;

/// Bytes of one link of the access log: a view of 1,000 documents.
pub const AUDIT_LINK_LEN_MAX: usize = 256 * 1024;

/// Links of the access log between two signed checkpoints.
pub const AUDIT_CHECKPOINT_EVERY: u64 = 256;

/// Siblings from a part of a cut up to its root: a practice with 2^32 documents.
pub const CUT_PATH_MAX: usize = 32;

/// Entries of one device in one document that are contested or break a rule, kept as evidence and
/// for review: a device that lost its right writes no more than this before it is told.
pub const SET_ASIDE_MAX: usize = 512;

/// Branches of one chain that are kept: two prove that it forked.
pub const BRANCHES_MAX: usize = 2;

/// Parts into which a range that differs is split: 96,000 documents are told apart in three round
/// trips (`sync.md`).
pub const RANGE_FAN_OUT: usize = 16;

/// Keys of a range that are listed and not split further: a list of 32 costs less than the round
/// trip that it saves.
pub const RANGE_LIST_MAX: usize = 32;

/// Ranges and listed keys in one message of a comparison: 3 MiB, as many as 96,000 documents that
/// all differ make.
pub const RANGES_MAX: usize = 1 << 17;

/// Questions of a comparison that wait for an answer at the same time: places that differ are asked
/// about so many at once.
pub const QUESTIONS_MAX: usize = 32;

/// Answers that wait for a stream to take them. Whoever keeps to the rules has at most its
/// questions and its batches unanswered.
pub const ANSWERS_MAX: usize = 64;

/// Items of one batch between two nodes: 256 KiB of the smallest entries is under 600.
pub const ITEMS_MAX: usize = 1024;

/// Batches on their way to one peer that are not on its disk yet: 1 MiB, enough for a link of
/// 100 Mbit/s and 80 ms.
pub const BATCHES_AHEAD_MAX: usize = 4;

/// Pieces of attachments that a peer asks for before it has the first: it asks for one at a time.
pub const WANTS_MAX: usize = 4;

/// Devices that nobody knows yet and that may say who they are at the same time.
pub const STRANGERS_MAX: usize = 16;

/// Milliseconds without a word after which a peer that owes one is given up.
pub const SILENCE_MS: u64 = 60_000;

/// Records that one other node and this one have to do with both: beyond any hospital's, and no
/// more can be begun by somebody known who shares unasked.
pub const RECORDS_IN_COMMON_MAX: usize = 1 << 16;

/// Conversations that catch up at the same time; others wait for their turn, so that a hub whose
/// thousand devices come back at once serves each of them soon and none of them slowly.
pub const CATCHING_UP_MAX: usize = 16;

/// Milliseconds before a node that was not reached is called again, at first and at most.
pub const CALL_WAIT_FIRST_MS: u64 = 1_000;

/// The longest of these waits.
pub const CALL_WAIT_MAX_MS: u64 = 5 * 60_000;

/// Milliseconds after which two nodes that are connected compare what they hold, whatever their
/// cursors say: once a day (`sync.md`).
pub const COMPARE_EVERY_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds by which a comparison is put off while there is much to give.
pub const COMPARE_AGAIN_MS: u64 = 10 * 60 * 1000;

/// Milliseconds for which a conversation that catches up keeps others waiting for their turn.
pub const TURN_MS: u64 = 10 * 60 * 1000;

/// Events of a principal's log that a stranger may show: some 1,000 devices and staff.
pub const DEVICES_MAX: usize = 2048;

/// Entries of one epoch of a document: whoever it is shared with later gets one entry in their
/// place, and what was written over and taken back no longer weighs on it.
pub const EPOCH_ENTRIES_MAX: usize = 2048;

/// Bytes of the changes of one epoch of a document: what stands in it must fit in one change when
/// it is carried over.
pub const EPOCH_LEN_MAX: u64 = 8 * 1024 * 1024;

/// Entries between two attempts to begin an epoch that is due: one that cannot begin, since
/// something waits for a decision or too much stands there, must not cost every write.
pub const EPOCH_TRIED_EVERY: usize = 64;

/// Entries from which on a document is saved as a whole: applying fewer takes under 10 ms.
pub const SAVED_ENTRIES_MIN: usize = 256;
