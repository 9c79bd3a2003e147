//! Real `kith` processes, each with a folder of its own, and the words in which stories are told.

mod bytes;
mod data;
pub mod json;
mod kith;
mod moments;
mod networks;
pub mod pages;
mod small_disk;
mod systemd;
mod wait;

pub use bytes::{all_files, contains, flipped};
pub use data::data;
pub use kith::{Node, Ran, Running, kith, signal};
pub use moments::Moments;
pub use networks::Networks;
pub use small_disk::{SmallDisk, incompressible};
pub use systemd::Systemd;
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

/// A port that nobody uses now, as an address of this machine.
pub fn free_address() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("it has an address");
    format!("127.0.0.1:{}", address.port())
}

/// Waits until each of them holds the same record.
#[track_caller]
pub fn all_hold_the_same(nodes: &[&Node], record: &str) {
    until("all hold the same record", || {
        let mut digests = nodes.iter().map(|node| node.digest(record));
        let first = digests.next();
        digests.all(|digest| Some(&digest) == first.as_ref())
    });
}

/// How many, where a variable of the environment says so; otherwise so many.
pub fn how_many(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |said| {
        said.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number"))
    })
}
