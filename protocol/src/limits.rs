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

/// Files in one folder that a record was exported into: ten times a long life's.
pub const FOLDER_FILES_MAX: usize = 500_000;

/// Folders within such a folder, one in the other: the deepest that is written has three.
pub const FOLDER_DEPTH_MAX: usize = 4;

/// Bytes of all resources of such a folder: they are read whole, as one file to import is.
pub const FOLDER_LEN_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Bytes of one HL7 v2 message: one with a scanned letter in it has some MiB.
pub const HL7_MESSAGE_LEN_MAX: usize = 16 * 1024 * 1024;

/// Systems that may be connected by MLLP at the same time: the interfaces of a hospital.
pub const MLLP_CONNECTIONS_MAX: usize = 64;

/// Messages of other systems that wait in the inbox: a week of a hospital whose every message needs
/// a person; beyond that senders keep them.
pub const INBOX_OPEN_MAX: usize = 100_000;

/// Bytes of one frame on a stream; its length is checked before anything is allocated.
pub const FRAME_LEN_MAX: usize = 20 * 1024 * 1024;

/// Bytes of one frame from someone who presents an invitation, who may be anyone: a name card and
/// a principal log of some 1,000 devices and staff.
pub const JOIN_FRAME_LEN_MAX: usize = 512 * 1024;

/// Addresses that a peer may name for itself, and bytes of one: it is dialled at all of them.
pub const ADDRESSES_MAX: usize = 8;

/// Bytes of one address: a relay's multiaddress with two keys is under 200.
pub const ADDRESS_LEN_MAX: usize = 256;

/// Conversations at the same time with those who knock with an invitation and have proved nothing
/// yet: anyone.
pub const JOINS_MAX: usize = 8;

/// Conversations at the same time with those who have proved that they were invited: each may wait
/// for a person.
pub const GUESTS_MAX: usize = 64;

/// Bytes of a frame from whoever has not proved yet that they were invited: half of a key is 33.
pub const KNOCK_LEN_MAX: usize = 128;

/// Milliseconds within which whoever knocks has to prove that they were invited.
pub const KNOCK_LASTS_MS: u64 = 20_000;

/// Milliseconds for which four words can be used (`sync.md`).
pub const WORDS_LAST_MS: u64 = 15 * 60 * 1000;

/// Milliseconds for which the link of an invitation can be used (`sync.md`).
pub const LINK_LASTS_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Attempts with words in [`WORD_ATTEMPTS_EVERY_MS`], right or wrong, by whomever: a guesser who
/// keeps at it finds which word an invitation begins with once in seven times that it is open, and
/// then ends it; the three other words are one guess in 2^30.
pub const WORD_ATTEMPTS_MAX: usize = 10;

/// Milliseconds in which [`WORD_ATTEMPTS_MAX`] may be made.
pub const WORD_ATTEMPTS_EVERY_MS: u64 = 60_000;

/// Invitations that wait at the same time: a practice that invites 50 families a week.
pub const INVITATIONS_MAX: usize = 256;

/// Milliseconds for which one side of a pairing waits for the other's person to answer: less than
/// a stranger's connection lasts. Whoever waits longer asks again.
pub const PERSON_LASTS_MS: u64 = 4 * 60 * 1000;

/// Other nodes that a new device of somebody's is told of: a hospital's; it meets the rest as they
/// call.
pub const ACQUAINTANCES_MAX: usize = 1024;

/// Bytes of their principals' logs, which go in one frame.
pub const ACQUAINTANCES_LEN_MAX: usize = 8 * 1024 * 1024;

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

/// Pieces of one attachment: as many as the longest has.
pub const ATTACHMENT_PIECES_MAX: usize = 1024;

/// Bytes of a disk that no large write takes: the index follows what is written, and reading (which
/// writes its link of the access log) and stopping a share go on when there is no room for more.
pub const DISK_RESERVE: u64 = 1024 * 1024;

/// Bytes of [`DISK_RESERVE`] that small writes leave too, for the index that follows them.
pub const DISK_RESERVE_LAST: u64 = 256 * 1024;

/// Bytes from which a write is a large one: a note or a link of the access log is under 10 KiB.
pub const LARGE_WRITE_LEN: u64 = 32 * 1024;

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

/// Items of one parcel between two nodes: 256 KiB of the smallest entries is under 600.
pub const ITEMS_MAX: usize = 1024;

/// Keys of what came from a peer while both catch up, which is not given back to it; what is beyond
/// is given back, and known there. 4 MiB.
pub const FROM_PEER_MAX: usize = 1 << 16;

/// Content bytes of one parcel: on either side it is one commit, and what is urgent waits behind no
/// more than those that are on their way already.
pub const PARCEL_LEN_MAX: u64 = 512 * 1024;

/// Batches of one parcel, each of which has a record loaded: the rights of so many new records are
/// about half as much as it may hold.
pub const BATCHES_MAX: usize = 256;

/// Parcels on their way to one peer that are not on its disk yet: 2 MiB, enough for a link of
/// 100 Mbit/s and 160 ms.
pub const PARCELS_AHEAD_MAX: usize = 4;

/// Parcels that go or come before what was found out of rights is on the disk: where a
/// conversation breaks off after more, both compare instead of giving them once more.
pub const UNSAVED_PARCELS_MAX: usize = 2;

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

/// A clock that went back by more than this was put right: what was to happen at times that are far
/// away now begins again. Less is waited out.
pub const CLOCK_PUT_BACK_MS: u64 = 60_000;

/// Milliseconds before a node that was not reached is called again, at first and at most.
pub const CALL_WAIT_FIRST_MS: u64 = 1_000;

/// The longest of these waits.
pub const CALL_WAIT_MAX_MS: u64 = 5 * 60_000;

/// Milliseconds between two calls, in the mean, when everyone is called again at once after sleep:
/// a laptop's few at the same moment, a hub's thousand within twenty seconds.
pub const CALL_APART_MS: u64 = 20;

/// Milliseconds after which two nodes that are connected compare what they hold, whatever their
/// cursors say: once a day (`sync.md`).
pub const COMPARE_EVERY_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds by which a comparison is put off while there is much to give.
pub const COMPARE_AGAIN_MS: u64 = 10 * 60 * 1000;

/// Milliseconds for which a conversation that catches up keeps others waiting for their turn.
pub const TURN_MS: u64 = 10 * 60 * 1000;

/// Records of which a conversation remembers what of each may go: finding that out once more takes
/// less than loading the record, and thousands of them would fill the memory.
pub const VIEWS_MAX: usize = 1024;

/// Places of which the engine keeps what is in them as a sum, over all records and peers. Each is 64
/// bytes: 2 MiB at most.
pub const WEIGHED_PLACES_MAX: usize = 1 << 15;

/// Records of which the engine keeps what this node itself may have, for comparisons. Each is a few
/// hundred bytes, for the people whom it names.
pub const WEIGHED_RECORDS_MAX: usize = 4096;

/// Records of which it was found out anew what a peer may have, before that is kept again in a
/// conversation: the row is one for all records in common.
pub const FOUND_KEPT_AFTER_MIN: usize = 64;

/// Events of a principal's log that a stranger may show: some 1,000 devices and staff.
pub const DEVICES_MAX: usize = 2048;

/// Events of a member's log that an approval of a change of key carries: a few, or a person's
/// whole log where their own key was changed.
pub const CERTIFICATES_MAX: usize = 64;

/// How deep such approvals stand within each other: a member whose own key was changed shows who
/// agreed to that.
pub const VOUCHING_DEPTH_MAX: usize = 3;

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

/// Handshakes of connections that come in at the same time: who comes is not proved yet. Each
/// holds a socket and some 10 KiB.
pub const GREETINGS_MAX: usize = 256;

/// Of those, from one internet address: a hospital behind one address whose devices all come back
/// at once; the others try again.
pub const GREETINGS_PER_PLACE_MAX: usize = 32;

/// Handshakes beyond [`GREETINGS_MAX`] from addresses at which somebody known was last said to be:
/// a flood from elsewhere keeps none of them out.
pub const GREETINGS_RESERVE: usize = 256;

/// Milliseconds that a handshake may take: five round trips over a satellite, and no more, since
/// it takes up room.
pub const GREETING_LASTS_MS: u64 = 10_000;

/// Connections of strangers that are open at the same time: everyone who is just joining.
pub const STRANGERS_CONNECTED_MAX: usize = 64;

/// Of those, from one internet address.
pub const STRANGERS_PER_PLACE_MAX: usize = 16;

/// Milliseconds after which a stranger's connection ends, whatever it does: joining takes seconds,
/// and a person who has to look and agree a few minutes.
pub const STRANGER_LASTS_MS: u64 = 5 * 60_000;

/// Milliseconds after which a connection ends on which nothing is open: a stranger has that long
/// to ask for something, and whoever just connected to begin.
pub const IDLE_LASTS_MS: u64 = 10_000;

/// Connections of one known device: one for each of its networks, and some that it lost and this
/// node has not noticed yet.
pub const CONNECTIONS_PER_DEVICE_MAX: usize = 8;

/// Part of the machine's memory (0 to 1) from which on this process takes no new connection: the
/// rest is for what is already under way, and for whatever else runs there.
pub const MEMORY_OF_MACHINE_MAX: f64 = 0.75;

/// Nodes on the same network that are remembered while somebody looks around.
pub const NEARBY_MAX: usize = 64;

/// Addresses of nodes nearby after which looking begins anew: more than 64 real nodes have, and a
/// search through all of them for each that comes is still quick.
pub const NEARBY_ADDRESSES_MAX: usize = 1024;

/// Devices that a relay keeps a way open to: all devices of the families of a practice's patients
/// who are away from home at the same time.
pub const RESERVATIONS_MAX: usize = 1024;

/// Of those, for one device: one for each of its networks.
pub const RESERVATIONS_PER_DEVICE_MAX: usize = 4;

/// Connections that a relay carries at the same time.
pub const CIRCUITS_MAX: usize = 256;

/// Of those, from one device: one to each other device of a family, and some to spare.
pub const CIRCUITS_PER_DEVICE_MAX: usize = 16;

/// Milliseconds after which a carried connection ends and is made again, so that a way that became
/// direct meanwhile is found: a working day's half.
pub const CIRCUIT_LASTS_MS: u64 = 4 * 60 * 60 * 1000;

/// Bytes that one carried connection may take: a record of 20,000 entries with its scans.
pub const CIRCUIT_LEN_MAX: u64 = 1 << 30;

/// Milliseconds for which it is remembered that an invitation was presented.
pub const JOINS_COUNTED_FOR_MS: u64 = 60_000;

/// Invitations that may be presented from one internet address in that time: a household or a
/// practice that joins, and nobody who tries secrets out.
pub const JOINS_PER_PLACE_MAX: usize = 20;

/// And from everywhere: each is remembered, and takes a moment of the one thread that answers.
pub const JOINS_COUNTED_MAX: usize = 200;

/// Bytes of what a node says about where it can be reached: 8 addresses of 256 bytes.
pub const WHERE_FRAME_LEN_MAX: usize = 4096;

/// Milliseconds for which the direct ways to a device are tried before a relay is asked as well.
pub const DIRECT_FIRST_MS: u64 = 2_500;

/// Relays that keep a way open to this node: its practice's and one more.
pub const RELAYS_MAX: usize = 2;

/// Addresses through relays among those that a node tells of itself: two of one relay, such as its
/// name and its number, and one of another.
pub const CARRIED_ADDRESSES_MAX: usize = 3;

/// Public addresses that the owner of a node may name: a name and its IPv4 and IPv6 addresses.
pub const REACHABLE_AT_MAX: usize = 4;

/// Milliseconds by which the clock of the world may run ahead of the machine's own before that
/// counts as sleep: less happens when the clock is set.
pub const SLEPT_MS: u64 = 10_000;
