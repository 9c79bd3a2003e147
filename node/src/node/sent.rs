//! Files that come and go through a page: in a folder of their own in the node's home, for as long
//! as they are worked on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Node, show};
use crate::{
    failure::{Ending, Failure},
    store::random,
};

/// A file that was sent.
pub(crate) struct Upload {
    /// As the sender's machine calls it, without folders.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A folder that is taken away again.
pub(super) struct Passing(PathBuf);

impl Passing {
    fn begin(home: &Path) -> Result<Self, Failure> {
        let name = show::hex(&random::<8>());
        let folder = home.join(format!("passing-{name}"));
        fs::create_dir(&folder).map_err(|error| not_kept(&error))?;
        Ok(Self(folder))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "files that were sent to a page stay in the node's folder");
        }
    }
}

impl Node {
    /// Works on files that were sent; each has a folder of its own, so that two of one name stay two.
    ///
    /// # Errors
    /// When they cannot be written, and when the work fails.
    pub(crate) fn with_sent_files<T>(
        &mut self,
        files: &[Upload],
        work: impl FnOnce(&mut Self, Vec<PathBuf>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (_passing, paths) = self.keep_sent(files)?;
        work(self, paths)
    }

    /// Keeps files that were sent for as long as the folder is kept that they are in.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn keep_sent(&self, files: &[Upload]) -> Result<(Passing, Vec<PathBuf>), Failure> {
        let passing = Passing::begin(self.home.folder())?;
        let mut paths = Vec::new();
        for (n, Upload { name, bytes }) in files.iter().enumerate() {
            let folder = passing.0.join(n.to_string());
            fs::create_dir(&folder).map_err(|error| not_kept(&error))?;
            // Neither hidden nor the name of a folder.
            let name = name.trim_start_matches('.');
            let path = folder.join(if name.is_empty() { "file" } else { name });
            fs::write(&path, bytes).map_err(|error| not_kept(&error))?;
            paths.push(path);
        }
        Ok((passing, paths))
    }

    /// The bytes of a file that the work writes.
    ///
    /// # Errors
    /// When the work fails or the file cannot be read.
    pub(crate) fn as_bytes(
        &mut self,
        work: impl FnOnce(&mut Self, PathBuf) -> Result<(), Failure>,
    ) -> Result<Vec<u8>, Failure> {
        let passing = Passing::begin(self.home.folder())?;
        let path = passing.0.join("file");
        work(self, path.clone())?;
        fs::read(&path).map_err(|error| not_kept(&error))
    }

    /// Takes away what a node that was broken off left.
    pub(crate) fn clear_passing(home: &Path) {
        let Ok(inside) = fs::read_dir(home) else {
            return;
        };
        for entry in inside.flatten() {
            let is_left = entry.file_name().to_string_lossy().starts_with("passing-");
            if is_left && let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::warn!(%error, "files that were sent to a page stay in the node's folder");
            }
        }
    }
}

fn not_kept(error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::TryAgain,
        "The files could not be kept while they are worked on.",
        "Make room on the disk of this node and try again. Nothing was changed.",
    )
    .because(error)
}
