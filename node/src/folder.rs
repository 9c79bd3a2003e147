//! A record as a folder that people and other programs read without kith, and that kith takes back:
//! one JSON file for each resource, documents as files named by their SHA-256, a journal in which
//! each line names the hash of the one before it, and the hash of every file.
//!
//! The layout is in `docs/formats.md`. It follows the idea of GitEHR (a record as files whose
//! history is a chain of hashes), not its bytes.

mod compared;
mod draft;
mod journal;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
};

use kith_crdt::Label;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::{Ending, Failure};

pub(crate) use compared::{Compared, compare};
pub(crate) use draft::Draft;
pub(crate) use journal::{Journal, Line, Touched};

/// For people who find the folder.
pub(crate) const README: &str = "README.txt";
/// What the folder says of itself: [`About`].
pub(crate) const ABOUT: &str = "kith-folder.json";
/// One change a line: [`Line`].
pub(crate) const JOURNAL: &str = "journal.ndjson";
/// The SHA-256 of every other file, as `sha256sum` writes and checks it. Written last, so that a
/// folder without it is not whole.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// The layout that this build writes and reads.
const FORMAT: u32 = 1;

/// What a folder says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// The layout, 1.
    pub(crate) format: u32,
    /// The record's id.
    pub(crate) record: String,
    /// Whether it holds what belongs to no patient.
    pub(crate) library: bool,
    /// When it was written, RFC 3339.
    pub(crate) made: String,
    /// Who wrote it.
    pub(crate) by: String,
    /// Whether whoever wrote it was shown all of the record.
    pub(crate) whole: bool,
    /// Its resources, in the order in which they came into the record.
    pub(crate) resources: Vec<Listed>,
}

/// A resource of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its file, exactly as it was received.
    pub(crate) file: String,
    /// What the Bundle in which it came said of it, as the text of a JSON object: its full URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<String>,
    /// Its documents, as files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<String>,
    /// Whether somebody said that it was entered in error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) was_taken_back: bool,
}

impl Listed {
    /// How private it is, by the place of its file: `resources/SECTION/LABEL/FILE`.
    pub(crate) fn label(&self) -> Option<Label> {
        let label = self.file.split('/').nth(2)?;
        Label::try_from(label.to_owned()).ok()
    }
}

impl About {
    /// What a folder of this layout says.
    pub(crate) fn of(record: String, made: String, by: String) -> Self {
        Self {
            format: FORMAT,
            record,
            library: false,
            made,
            by,
            whole: true,
            resources: Vec::new(),
        }
    }

    /// Reads what a folder says of itself.
    ///
    /// # Errors
    /// When it is not there, is not understood, or is of a newer layout.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let bytes = tree::bytes_of(&folder.join(ABOUT))?;
        let about: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(
                Ending::NotUnderstood,
                format!("{ABOUT} in {} is not understood.", folder.display()),
                "Get the folder again from where it was made. Nothing was changed.",
            )
            .because(&error)
        })?;
        if about.format > FORMAT {
            return Err(Failure::new(
                Ending::NewerVersion,
                format!(
                    "{} was written by a newer version of kith.",
                    folder.display()
                ),
                "Update kith and try again. Nothing was changed.",
            ));
        }
        Ok(about)
    }
}

/// Whether a folder is one that kith wrote, whole or not.
pub(crate) fn is_one(folder: &Path) -> bool {
    let has = |name: &str| fs::symlink_metadata(folder.join(name)).is_ok();
    has(ABOUT) || (has(SUMS) && has(JOURNAL))
}

/// The bytes of one of its files: no link is followed, and nothing is read that is not a file.
///
/// # Errors
/// When it cannot be read, or is longer than a file to import may be.
pub(crate) fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let path: PathBuf = folder.join(tree::checked(name)?);
    tree::bytes_of(&path)
}

/// The hash by which files are listed.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
