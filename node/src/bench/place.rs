//! The folder in which a benchmark runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    failure::{Ending, Failure},
    store::random,
};

/// A folder that is taken away when this is dropped.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new() -> Result<Self, Failure> {
        let name = format!("kith-bench-{:016x}", u64::from_be_bytes(random()));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).map_err(|error| failure(&error))?;
        Ok(Self(folder))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the benchmark's folder stays");
        }
    }
}

/// The bytes of a file, or of all files in a folder.
pub(super) fn bytes_below(path: &Path) -> Result<u64, Failure> {
    let about = fs::metadata(path).map_err(|error| failure(&error))?;
    if !about.is_dir() {
        return Ok(about.len());
    }
    let mut len = 0;
    for entry in fs::read_dir(path).map_err(|error| failure(&error))? {
        len += bytes_below(&entry.map_err(|error| failure(&error))?.path())?;
    }
    Ok(len)
}

pub(super) fn failure(error: &io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!(
            "The benchmark cannot work in {}.",
            std::env::temp_dir().display()
        ),
        "Check that there is room and that you may write there, or name another folder in TMPDIR.",
    )
    .because(error)
}
