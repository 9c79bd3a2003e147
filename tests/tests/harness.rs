//! Real `kith` processes, each with a folder of its own, and the words in which stories are told.

mod bytes;
mod kith;
mod wait;

pub use bytes::{all_files, contains, flipped};
pub use kith::{Node, Ran, Running, kith};
pub use wait::{never, until};

use std::path::{Path, PathBuf};

/// A sample of our own.
pub fn sample(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/samples")).join(name)
}

/// Says loudly that something was not tested.
pub fn skipped(what: &str) {
    eprintln!("\n!!!! NOT TESTED HERE: {what}\n");
}

/// A path as a word of a command.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("the test's folder has a plain name")
}
