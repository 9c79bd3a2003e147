//! The list of a backup's parts: what makes files in a folder a backup.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::{Component, Path, PathBuf},
};

use kith_protocol::codec;
use serde::{Deserialize, Serialize};

use super::{Seal, folder::Draft};
use crate::failure::{Ending, Failure};

/// The list's file.
pub(super) const LIST: &str = "backup.list";

/// The longest list that is read, in bytes: some millions of parts.
const LIST_LEN_MAX: u64 = 1024 * 1024 * 1024;

/// One part, by its place under the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

impl Part {
    pub(super) fn new(path: PathBuf, len: u64) -> Self {
        Self { path, len }
    }

    /// A file as it is now.
    pub(super) fn whole(home: &Path, name: &str) -> io::Result<Self> {
        let len = std::fs::metadata(home.join(name))?.len();
        Ok(Self::new(PathBuf::from(name), len))
    }
}

/// A part with the hash of its bytes.
pub(super) struct Listed {
    pub(super) path: PathBuf,
    pub(super) len: u64,
    pub(super) hash: [u8; 32],
}

/// Why a folder is not the backup that was meant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BackupError {
    /// There is none.
    #[error("the folder has no list of a backup's parts")]
    None,
    /// It has files of something else.
    #[error("the folder is not empty and holds no backup")]
    NotEmpty,
    /// It is of another node.
    #[error("the backup is of another node")]
    OfAnother,
    /// Its list is damaged.
    #[error("the list of the backup's parts is damaged")]
    Damaged,
    /// A newer version made it.
    #[error("the backup was made by a newer version of kith")]
    Newer,
    /// It cannot be read.
    #[error("the list of the backup's parts cannot be read: {0}")]
    Io(ErrorKind),
}

impl BackupError {
    pub(super) fn told(&self, folder: &Path) -> Failure {
        let place = folder.display();
        let (ending, what, remedy) = match self {
            Self::None => (
                Ending::Failed,
                format!("There is no backup in {place}."),
                "Name the folder that kith backup wrote to.",
            ),
            Self::NotEmpty => (
                Ending::Usage,
                format!("{place} holds other things, so no backup was begun there."),
                "Name a new or empty folder, or one that holds a backup of this node. Nothing was changed.",
            ),
            Self::OfAnother => (
                Ending::NotAllowed,
                format!("The backup in {place} is of another node, or was changed."),
                "Name another folder. Nothing was changed.",
            ),
            Self::Damaged => (
                Ending::Failed,
                format!("The list of the backup in {place} is damaged."),
                "Use another copy of the backup; kith backup into a new folder makes a new one.",
            ),
            Self::Newer => (
                Ending::NewerVersion,
                format!("The backup in {place} was made by a newer version of kith."),
                "Install that version. Nothing was changed.",
            ),
            Self::Io(_) => (
                Ending::Failed,
                format!("The backup in {place} cannot be read."),
                "Check that the folder is there and that you may read it.",
            ),
        };
        Failure::new(ending, what, remedy).because(self)
    }
}

/// All parts of a backup.
pub(super) struct List {
    store: [u8; 16],
    pub(super) taken_ms: u64,
    parts: BTreeMap<String, (u64, [u8; 32])>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u8,
    #[serde(with = "codec::array")]
    store: [u8; 16],
    taken_ms: u64,
    parts: Vec<StoredPart>,
}

#[derive(Serialize, Deserialize)]
struct StoredPart {
    path: String,
    len: u64,
    #[serde(with = "codec::array")]
    hash: [u8; 32],
}

/// Bytes of the seal before the list.
const SEAL_LEN: usize = 32;

impl List {
    pub(super) const fn empty(store: [u8; 16]) -> Self {
        Self {
            store,
            taken_ms: 0,
            parts: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, part: &Part, hash: [u8; 32]) {
        let path = part.path.to_string_lossy().into_owned();
        self.parts.insert(path, (part.len, hash));
    }

    pub(super) fn of(&self, path: &Path) -> Option<Listed> {
        let (len, hash) = self.parts.get(path.to_string_lossy().as_ref())?;
        Some(Listed {
            path: path.to_owned(),
            len: *len,
            hash: *hash,
        })
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Listed> + '_ {
        self.parts.iter().map(|(path, (len, hash))| Listed {
            path: PathBuf::from(path),
            len: *len,
            hash: *hash,
        })
    }

    /// The list in a folder; nothing where the folder is empty or not there.
    pub(super) fn read(folder: &Path, seal: Option<&Seal>) -> Result<Option<Self>, BackupError> {
        let path = folder.join(LIST);
        let bytes = match std::fs::metadata(&path) {
            Ok(about) if about.len() > LIST_LEN_MAX => return Err(BackupError::Damaged),
            Ok(_) => std::fs::read(&path).map_err(|error| BackupError::Io(error.kind()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return if super::folder::is_free(folder, seal.map(|seal| &seal.store)) {
                    Ok(None)
                } else {
                    Err(BackupError::NotEmpty)
                };
            }
            Err(error) => return Err(BackupError::Io(error.kind())),
        };
        let (sealed, body) = bytes
            .split_at_checked(SEAL_LEN)
            .ok_or(BackupError::Damaged)?;
        let stored: Stored = codec::decode(body).map_err(|_| BackupError::Damaged)?;
        if stored.version != 1 {
            return Err(BackupError::Newer);
        }
        if let Some(seal) = seal {
            if stored.store != seal.store {
                return Err(BackupError::OfAnother);
            }
            let says = blake3::Hash::from_slice(sealed).map_err(|_| BackupError::Damaged)?;
            // Compared in constant time, as hashes of this library are.
            if blake3::keyed_hash(&seal.key, body) != says {
                return Err(BackupError::Damaged);
            }
        }
        let mut parts = BTreeMap::new();
        for part in stored.parts {
            if !is_below(&part.path) {
                return Err(BackupError::Damaged);
            }
            parts.insert(part.path, (part.len, part.hash));
        }
        Ok(Some(Self {
            store: stored.store,
            taken_ms: stored.taken_ms,
            parts,
        }))
    }

    /// Puts the list in the place of the one before it.
    pub(super) fn write(&self, folder: &Path, seal: &Seal) -> io::Result<()> {
        let stored = Stored {
            version: 1,
            store: self.store,
            taken_ms: self.taken_ms,
            parts: self
                .parts
                .iter()
                .map(|(path, (len, hash))| StoredPart {
                    path: path.clone(),
                    len: *len,
                    hash: *hash,
                })
                .collect(),
        };
        let body = codec::encode(&stored);
        let sealed = blake3::keyed_hash(&seal.key, &body);
        let bytes = [sealed.as_bytes().as_slice(), &body].concat();
        let draft = Draft::beside(&folder.join(LIST))?;
        draft.fill(&mut bytes.as_slice(), bytes.len() as u64)?;
        draft.become_final()
    }
}

/// Whether a path of a list leads into the folder and nowhere else.
fn is_below(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_list_leads_nowhere_else() {
        assert!(is_below("store/log/00000000.seg"));
        for path in ["", "/etc/passwd", "../keys", "store/../../keys", "./keys"] {
            assert!(!is_below(path), "{path}");
        }
    }
}
