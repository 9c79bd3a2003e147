//! Who may say what to whom: identity, signed envelopes, consent and sync, without IO.

pub mod audit;
pub mod author;
pub mod bundle;
pub mod codec;
pub mod condensed;
pub mod consent;
pub mod envelope;
pub mod household;
pub mod id;
pub mod identity;
pub mod intake;
pub mod limits;
pub mod logs;
pub mod record;
pub mod signed;
pub mod store;
pub mod sync;

pub use kith_crdt::planted;
