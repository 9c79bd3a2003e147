//! Sync: what two nodes tell each other so that both hold what both may hold.
//!
//! One state machine, [`Engine`], that two shells drive: the node with real sockets and a real
//! disk, the simulator with virtual ones. It reads no clock and does no IO: [`Engine::handle`]
//! takes what happened, with the time, [`Engine::poll_output`] says what to do, and
//! [`Engine::poll_timeout`] when to come again. Its store is read and written through the
//! [`Shell`] at once; a write that fails ends the conversation that needed it, and nothing of it
//! is acknowledged.
//!
//! A conversation (`link`) goes through phases. Both say hello with how far they took in the
//! other's journal. Where both know it they go on; otherwise they compare what both may have
//! (`ranges`), and give each other what is missing. Rights go before content, and what an
//! emergency needs before the rest. What a peer may have is found out from the record at the
//! moment at which each item goes (`view`), never remembered from the peer's word, and the access
//! log has it before it leaves. Absent and forbidden are the same.
//!
//! A cursor counts parcels that were sent, so that it tells nothing of what was not. When a peer
//! may have more than before, the added documents are given from their start before the cursor
//! moves on. What is taken in is on the disk before it is said to be.

mod calling;
mod chances;
mod engine;
mod heard;
mod input;
mod link;
mod links;
mod message;
mod output;
mod progress;
mod ranges;
mod reach;
mod shell;
pub mod trace;
mod view;
mod weighed;

pub use engine::Engine;
pub use heard::Heard;
pub use input::{Input, LinkId};
pub use message::{
    Carried, Cursor, Farewell, JournalId, KeptBack, Kind, Message, NotTaken, OfRecord, PieceHash,
    SYNC_VERSION,
};
pub use output::{News, Output, Standing, Together};
pub use progress::{given_through, journal_row};
pub use ranges::{Fingerprint, Found, Listed, Range, Said, Set, Sum};
pub use reach::certified;
pub use shell::{Peer, Shell, Taken, is_of_principal, peer_of};
