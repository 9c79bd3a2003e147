//! Rules about the tree itself: who may import whom, what the pure crates never touch, which
//! versions are too old, and where things are called what.
//!
//! Every rule is a function from text or a graph to the list of its violations. It is run on this
//! tree, where the list must be empty, and on a made-up offender, where it must not be.

mod decisions;
mod features;
mod graph;
mod hazards;
mod lock;
mod purity;
mod tree;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the crate is in a folder").to_owned()
}

/// The text of a file of the repository.
fn text(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with all violations at once.
fn none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// The folders of the crates.
const CRATES: [&str; 6] = ["crdt", "protocol", "node", "cli", "simulations", "tests"];
