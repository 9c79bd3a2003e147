//! A folder for work that is thrown away: a demo, a benchmark.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{
    failure::{Ending, Failure},
    store::random,
};

/// A folder that is taken away when this is dropped, at the latest.
pub struct Place(PathBuf);

impl Place {
    /// A new folder among this machine's temporary ones, named for what it is for.
    ///
    /// # Errors
    /// When there is no room, or nobody may write there.
    pub fn new(work: &str) -> Result<Self, Failure> {
        let name = format!("kith-{work}-{:016x}", u64::from_be_bytes(random()));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).map_err(|error| failure(&error))?;
        Ok(Self(folder))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, and says where it is.
    ///
    /// # Errors
    /// When there is no room.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        fs::write(&path, bytes).map_err(|error| failure(&error))?;
        Ok(path)
    }

    /// Takes the folder away.
    ///
    /// # Errors
    /// When something of it stays.
    pub fn remove(self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.0).map_err(|error| {
            Failure::new(
                Ending::Failed,
                format!("The folder {} could not be removed.", self.0.display()),
                "Remove it by hand: nothing in it is needed any more.",
            )
            .because(&error)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, folder = %self.0.display(), "a folder stays");
            }
        }
    }
}

/// What the system counts blocks of a file in, bytes, whatever the disk does.
const BLOCK_LEN: u64 = 512;

/// The bytes of a file, or of all files in a folder.
pub(crate) fn bytes_below(path: &Path) -> Result<u64, Failure> {
    below(path, fs::Metadata::len)
}

/// The same as they take of the disk: a hole in a file takes nothing.
pub(crate) fn taken_below(path: &Path) -> Result<u64, Failure> {
    below(path, |about| about.blocks() * BLOCK_LEN)
}

fn below(path: &Path, len_of: fn(&fs::Metadata) -> u64) -> Result<u64, Failure> {
    let about = fs::metadata(path).map_err(|error| failure(&error))?;
    if !about.is_dir() {
        return Ok(len_of(&about));
    }
    let mut len = 0;
    for entry in fs::read_dir(path).map_err(|error| failure(&error))? {
        let entry = entry.map_err(|error| failure(&error))?;
        len += below(&entry.path(), len_of)?;
    }
    Ok(len)
}

pub(crate) fn failure(error: &io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("There is no working in {}.", std::env::temp_dir().display()),
        "Check that there is room and that you may write there, or name another folder in TMPDIR.",
    )
    .because(error)
}
