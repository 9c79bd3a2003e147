//! How a node is, and how far its work has come.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::node::Role;

/// How far long work has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub doing: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// A node that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetUp {
    /// Its name.
    pub name: String,
    /// What its owner is.
    pub kind: Role,
    /// The device key's public half.
    pub node: String,
    /// The owner's public key.
    pub owner: String,
    /// Its folder.
    pub home: PathBuf,
    /// What goes on the recovery sheet; shown once.
    pub recovery: String,
    /// The unit by which the system runs it, where one was asked for.
    pub service: Option<PathBuf>,
}

/// How a node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// What its owner is.
    pub kind: Role,
    /// The device key's public half.
    pub node: String,
    /// Its folder.
    pub home: PathBuf,
    /// How many records are here.
    pub records: usize,
    /// Where it listens, while it runs.
    pub addresses: Vec<String>,
    /// What is wrong, each with the command that mends it.
    pub problems: Vec<Problem>,
    /// How many things wait for a decision.
    pub to_review: usize,
    /// How many entries this build could not read: our fault.
    pub unreadable: usize,
    /// The other nodes it knows.
    pub connections: Vec<Connection>,
    /// What goes on and needs nothing done here, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// How many tasks are late that this node's owner is asked for, asked for, or has to see to.
    #[serde(default)]
    pub late: usize,
}

/// Something wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What.
    pub what: String,
    /// What mends it.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its name.
    pub name: String,
    /// In words: `up to date`, `waiting to send`, `not connected`.
    pub state: String,
    /// Whether there is something that it does not have yet.
    pub waits: bool,
    /// Why it is not up to date, in words.
    pub why: Option<String>,
    /// When it is called again: a time, or `now`.
    pub next_try: Option<String>,
}

impl Connection {
    /// Whether nothing can be heard from it now.
    pub fn is_away(&self) -> bool {
        self.state == "not connected"
    }
}

/// A node that goes on from a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestoredNode {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub home: PathBuf,
    /// Its new device key's public half.
    pub node: String,
    /// The one that it had before.
    pub before: String,
    /// When the backup was taken, RFC 3339.
    pub taken: String,
    /// How many records it has.
    pub records: usize,
}
