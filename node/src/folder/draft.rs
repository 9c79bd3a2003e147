//! A folder that is being written: beside its place under another name, moved there when all of it
//! is on the disk, so that what is found there is whole.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{SUMS, sha256};
use crate::failure::{Ending, Failure};

/// A folder that is being written; what is not finished is taken away again.
pub(crate) struct Draft {
    root: PathBuf,
    sums: BTreeMap<String, String>,
    is_done: bool,
}

impl Draft {
    /// Begins one for this place.
    ///
    /// # Errors
    /// When nothing can be written beside it.
    pub(crate) fn begin(place: &Path) -> Result<Self, Failure> {
        let name = place.file_name().ok_or_else(|| no_name(place))?;
        let parent = parent_of(place);
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce)
            .map_err(|error| not_written(place, &io::Error::other(error)))?;
        // A name with a dot in front is passed over by an import of the folder around it.
        let root = parent.join(format!(
            ".{}.unfinished-{}",
            name.to_string_lossy(),
            data_encoding::HEXLOWER.encode(&nonce)
        ));
        fs::create_dir_all(parent)
            .and_then(|()| fs::create_dir(&root))
            .map_err(|error| not_written(place, &error))?;
        Ok(Self {
            root,
            sums: BTreeMap::new(),
            is_done: false,
        })
    }

    /// Writes a file, once: the same one again is passed over. Gives its hash.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<String, Failure> {
        let sum = sha256(bytes);
        if self.sums.get(name) == Some(&sum) {
            return Ok(sum);
        }
        let path = self.root.join(name);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|error| not_written(&path, &error))?;
        self.sums.insert(name.to_owned(), sum.clone());
        Ok(sum)
    }

    /// Writes the hashes of all files and moves the folder to its place; `replaces` one that is
    /// there.
    ///
    /// # Errors
    /// When the disk does not take it; the place is then as it was.
    pub(crate) fn finish(mut self, place: &Path, replaces: bool) -> Result<(), Failure> {
        let sums: String = self
            .sums
            .iter()
            .map(|(name, sum)| format!("{sum}  {name}\n"))
            .collect();
        let failed = |error: io::Error| not_written(place, &error);
        fs::write(self.root.join(SUMS), sums).map_err(failed)?;
        let folder = File::open(&self.root).map_err(failed)?;
        rustix::fs::syncfs(&folder).map_err(|error| failed(error.into()))?;
        let how = match replaces {
            true => RenameFlags::EXCHANGE,
            false => {
                // An empty folder may stand there; a full one is not removed by this.
                let _empty = fs::remove_dir(place);
                RenameFlags::NOREPLACE
            }
        };
        renameat_with(CWD, &self.root, CWD, place, how).map_err(|error| failed(error.into()))?;
        // The old one stands where the draft was, and goes with it.
        self.is_done = !replaces;
        let parent = File::open(parent_of(place)).map_err(failed)?;
        parent.sync_all().map_err(failed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_done {
            // Its name says that it is unfinished, should it stay.
            let _gone = fs::remove_dir_all(&self.root);
        }
    }
}

fn parent_of(place: &Path) -> &Path {
    match place.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    }
}

fn no_name(place: &Path) -> Failure {
    Failure::new(
        Ending::Usage,
        format!("{} is not the name of a folder.", place.display()),
        "Name a folder that does not exist yet. Nothing was written.",
    )
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("{} could not be written.", path.display()),
        "Check that you may write there and that the disk has room. The record is untouched.",
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    use super::Draft;

    #[test]
    fn what_is_not_finished_is_not_there() {
        let beside = tempfile::tempdir().expect("a folder");
        let place = beside.path().join("record");
        let mut draft = Draft::begin(&place).expect("room");
        draft.write("README.txt", b"half").expect("room");
        assert!(!place.exists());
        drop(draft);
        let left = std::fs::read_dir(beside.path()).expect("a folder").count();
        assert_eq!(left, 0);
    }

    #[test]
    fn nothing_that_is_there_is_written_over() {
        let beside = tempfile::tempdir().expect("a folder");
        let place = beside.path().join("record");
        std::fs::create_dir(&place).expect("room");
        std::fs::write(place.join("mine"), "mine").expect("room");
        let draft = Draft::begin(&place).expect("room");
        assert!(draft.finish(&place, false).is_err());
        assert_eq!(
            std::fs::read(place.join("mine")).expect("it is there"),
            b"mine"
        );
    }

    #[test]
    fn a_folder_takes_the_place_of_another_at_once() {
        let beside = tempfile::tempdir().expect("a folder");
        let place = beside.path().join("record");
        for words in ["one", "two"] {
            let mut draft = Draft::begin(&place).expect("room");
            draft.write("README.txt", words.as_bytes()).expect("room");
            draft.finish(&place, place.exists()).expect("room");
            let read = std::fs::read(place.join("README.txt")).expect("it is there");
            assert_eq!(read, words.as_bytes());
        }
        let left = std::fs::read_dir(beside.path()).expect("a folder").count();
        assert_eq!(left, 1, "the old one is gone");
    }
}
