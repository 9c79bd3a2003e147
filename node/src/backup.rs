//! A backup: a sealed copy of a node's folder in another one, of which only what is new is written
//! the next time.
//!
//! The copy holds what the store's folder holds, under the same seals, and the slots that open it;
//! a key file is not among them, so that whoever finds a backup cannot read it. Segments of the
//! log only ever grow and attachments never change, so that a copy of their first bytes stays
//! good while the node goes on. A list of all parts with their lengths and hashes is written last
//! and carries a seal of its own: a backup that was broken off is the one before it.

mod folder;
mod list;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    api::{BackedUp, Progress},
    failure::{Ending, Failure},
    store::{DiskStore, StoreKey},
};

pub use list::BackupError;

use folder::{Draft, hash_of};
use list::{List, Part};

/// Where the slots stand in a backup, and in a home.
const KEYS: &str = "keys";
/// Where the store's parts stand in both.
const STORE: &str = "store";

/// What a backup is made of, as it was at one moment.
pub struct Snapshot {
    home: PathBuf,
    parts: Vec<Part>,
    seal: Seal,
    taken_ms: u64,
}

/// The key under which lists of one store are sealed, and the name of that store outside.
#[derive(Clone)]
pub struct Seal {
    key: Zeroizing<[u8; 32]>,
    store: [u8; 16],
}

impl Seal {
    /// Of the store that this key opens.
    pub fn of(key: &StoreKey) -> Self {
        let key = key.for_backups();
        let name = blake3::derive_key("kith v1 name of a backed up store", &*key);
        let mut store = [0; 16];
        store.copy_from_slice(&name[..16]);
        Self { key, store }
    }
}

impl Snapshot {
    /// What a store holds now; the node may go on while it is copied.
    ///
    /// # Errors
    /// When the store's folder cannot be read.
    pub fn of(store: &DiskStore, home: &Path, taken_ms: u64) -> Result<Self, Failure> {
        let mut parts = vec![Part::whole(home, KEYS).map_err(|error| unread(&error))?];
        for (name, len) in store.files()? {
            parts.push(Part::new(Path::new(STORE).join(name), len));
        }
        Ok(Self {
            home: home.to_owned(),
            parts,
            seal: store.backup_seal(),
            taken_ms,
        })
    }

    /// Copies what `folder` lacks, reads it again and only then says in its list that it is there.
    ///
    /// # Errors
    /// When the folder holds something else, cannot be written, or does not give back what was
    /// written; the backup that it held before stays good.
    pub fn copy_to(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BackedUp, Failure> {
        let before = List::read(folder, Some(&self.seal)).map_err(|error| error.told(folder))?;
        let is_new = before.is_none();
        if is_new {
            folder::make(folder, self.seal.store).map_err(|error| unwritten(folder, &error))?;
        }
        let before = before.unwrap_or_else(|| List::empty(self.seal.store));
        let mut list = List::empty(self.seal.store);
        list.taken_ms = self.taken_ms;
        let (mut written, total) = (0, self.parts.len() as u64);
        for (done, part) in (0..).zip(&self.parts) {
            let known = before.of(&part.path).filter(|known| {
                known.len == part.len && folder::has(&folder.join(&part.path), part.len)
            });
            let hash = match known {
                Some(known) if part.path != Path::new(KEYS) => known.hash,
                Some(_) | None => {
                    written += part.len;
                    self.copy(part, folder)?
                }
            };
            list.add(part, hash);
            progress(Progress {
                doing: "Copying".to_owned(),
                done: done + 1,
                total,
            });
        }
        list.write(folder, &self.seal)
            .map_err(|error| unwritten(folder, &error))?;
        Ok(BackedUp {
            folder: folder.to_owned(),
            parts: self.parts.len(),
            bytes: self.parts.iter().map(|part| part.len).sum(),
            written,
            is_new,
        })
    }

    /// Copies one part and reads the copy again.
    fn copy(&self, part: &Part, folder: &Path) -> Result<[u8; 32], Failure> {
        let to = folder.join(&part.path);
        let source = File::open(self.home.join(&part.path)).map_err(|error| unread(&error))?;
        let draft = Draft::beside(&to).map_err(|error| unwritten(folder, &error))?;
        let hash = draft
            .fill(&mut source.take(part.len), part.len)
            .map_err(|error| unwritten(folder, &error))?;
        draft
            .become_final()
            .map_err(|error| unwritten(folder, &error))?;
        let read = hash_of(&to, part.len).map_err(|error| unwritten(folder, &error))?;
        if read != Some(hash) {
            return Err(Failure::new(
                Ending::Failed,
                format!(
                    "{} does not give back what was written to it.",
                    folder.display()
                ),
                "Use another disk for the backup. The backup that was there before is not touched; the node is safe.",
            ));
        }
        Ok(hash)
    }
}

/// Reads every part of a backup and compares it with the list; the list's own seal is checked where
/// the key is known.
///
/// # Errors
/// When there is no backup in the folder, or its list is damaged.
pub fn check(folder: &Path, seal: Option<&Seal>) -> Result<Checked, Failure> {
    let list = List::read(folder, seal)
        .map_err(|error| error.told(folder))?
        .ok_or_else(|| BackupError::None.told(folder))?;
    let mut faults = Vec::new();
    for part in list.parts() {
        let hash = hash_of(&folder.join(&part.path), part.len).map_err(|error| unread(&error))?;
        if hash != Some(part.hash) {
            faults.push(format!("{} is missing or damaged", part.path.display()));
        }
    }
    Ok(Checked {
        taken_ms: list.taken_ms,
        parts: list.parts().count(),
        faults,
    })
}

/// What a check of a backup found.
pub struct Checked {
    /// When it was taken, milliseconds since 1970 UTC.
    pub taken_ms: u64,
    /// How many parts it has.
    pub parts: usize,
    /// What is missing or damaged.
    pub faults: Vec<String>,
}

/// Copies a backup into a home that holds nothing yet. What is there at the end is whole, or the
/// home holds nothing.
///
/// # Errors
/// When the backup is damaged, which is found before anything is kept, or the home cannot be written.
pub fn unpack(
    folder: &Path,
    home: &Path,
    seal: &Seal,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, Failure> {
    let list = List::read(folder, Some(seal))
        .map_err(|error| error.told(folder))?
        .ok_or_else(|| BackupError::None.told(folder))?;
    // The slots come last: a home that has them is one in which everything else is.
    let (slots, rest): (Vec<_>, Vec<_>) =
        list.parts().partition(|part| part.path == Path::new(KEYS));
    let total = (slots.len() + rest.len()) as u64;
    for (done, part) in (0..).zip(rest.iter().chain(&slots)) {
        let to = home.join(&part.path);
        let draft = Draft::beside(&to).map_err(|error| unwritten(home, &error))?;
        let source = File::open(folder.join(&part.path)).map_err(|_| damaged(&part.path))?;
        let hash = draft
            .fill(&mut source.take(part.len), part.len)
            .map_err(|error| {
                if error.kind() == std::io::ErrorKind::UnexpectedEof {
                    damaged(&part.path)
                } else {
                    unwritten(home, &error)
                }
            })?;
        if hash != part.hash {
            return Err(damaged(&part.path));
        }
        draft
            .become_final()
            .map_err(|error| unwritten(home, &error))?;
        progress(Progress {
            doing: "Restoring".to_owned(),
            done: done + 1,
            total,
        });
    }
    Ok(list.taken_ms)
}

/// The slots of the node that a backup is of.
///
/// # Errors
/// When there is no backup in the folder.
pub fn slots(folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join(KEYS);
    if path.exists() {
        Ok(path)
    } else {
        Err(BackupError::None.told(folder))
    }
}

fn damaged(part: &Path) -> Failure {
    Failure::new(
        Ending::Failed,
        format!(
            "{} of this backup is missing or damaged, so nothing was restored.",
            part.display()
        ),
        "Use another copy of the backup. What others hold of the records comes back from them when they share again.",
    )
}

fn unread(error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "What is to be copied cannot be read.",
        "Check that the folder is there and that you may read it.",
    )
    .because(error)
}

fn unwritten(folder: &Path, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull, WriteZero};
    let full = [StorageFull, QuotaExceeded, FileTooLarge, WriteZero];
    let what = if full.contains(&error.kind()) {
        format!("There is no room left in {}.", folder.display())
    } else {
        format!("{} cannot be written.", folder.display())
    };
    Failure::new(
        Ending::Failed,
        what,
        "Make room or check that you may write there, then try again. What was there before is not touched; the node is safe.",
    )
    .because(error)
}
