//! The formats that leave a node, from outside: golden bytes, every damage named, every mutation
//! refused.
//!
//! `KITH_WRITE_GOLDEN=1 cargo test -p kith-protocol --test golden` writes the golden files anew.
//! Their bytes change only with a new version number.

#[path = "golden/audit.rs"]
mod audit;
#[path = "golden/bundle.rs"]
mod bundle;
#[path = "golden/bytes.rs"]
mod bytes;
#[path = "golden/condensed.rs"]
mod condensed;
#[path = "golden/seal.rs"]
mod seal;
#[path = "golden/story.rs"]
mod story;
#[path = "golden/sync.rs"]
mod sync;
