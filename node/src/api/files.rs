//! Files that come in, and checks.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use kith_crdt::flag::Flag;
use serde::{Deserialize, Serialize};

use crate::failure::{Ending, Failure};

use super::Alike;

/// What to import.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Into this record.
    pub record: Option<String>,
    /// The file's Patient is this record's person, although it does not look so.
    pub same_person: bool,
    /// What opens a bundle among the files.
    pub passphrase: Option<String>,
    /// Not to propose that a new record may be of somebody who has one already.
    pub no_proposals: bool,
    /// The files are readings of the device of this name.
    pub device: Option<String>,
    /// To take a record's folder also where it is not as it was written; what differs is flagged.
    pub even_if_changed: bool,
}

impl fmt::Debug for ImportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportRequest(..)")
    }
}

/// What was filed of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// The record.
    pub record: String,
    /// Whose.
    pub person: String,
    /// Resources new or changed, by section.
    pub filed: BTreeMap<String, usize>,
    /// Resources that were here already.
    pub unchanged: usize,
    /// Other records here that may be of the same person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<Alike>,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// By record.
    pub records: Vec<Filed>,
    /// What is odd, where.
    pub flagged: Vec<Flag>,
    /// Files of which nothing was filed.
    pub refused: Vec<Refused>,
}

/// A file of which nothing was filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The file.
    pub file: String,
    /// Why, and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Imported {
    /// How the command ends.
    pub fn ending(&self) -> Ending {
        match (self.records.is_empty(), self.refused.as_slice()) {
            (_, []) => Ending::Done,
            (true, [only]) => only.failure.ending,
            (true, _) => Ending::NotUnderstood,
            (false, _) => Ending::Partly,
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verified {
    /// What was checked.
    pub what: String,
    /// Signed events checked.
    pub events: usize,
    /// Signed entries checked.
    pub entries: usize,
    /// How many entries have each status.
    pub status: BTreeMap<String, usize>,
    /// Parts of the record that were begun anew, in sentences.
    pub begun_anew: Vec<String>,
    /// What does not hold.
    pub faults: Vec<String>,
}

/// A backup that was made or brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// Where it is.
    pub folder: PathBuf,
    /// How many parts it has.
    pub parts: usize,
    /// How long it is, bytes.
    pub bytes: u64,
    /// How much of that was written now, bytes.
    pub written: u64,
    /// Whether there was none before.
    pub is_new: bool,
}
