//! Files of a backup: written beside their place, moved there when they are whole and on the disk.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What people find beside the parts.
const READ_ME: &str = "READ-ME.txt";

/// Bytes that are copied at once.
const STEP: usize = 256 * 1024;

/// Whether a folder is new, empty, or one in which a backup of this store was broken off before it
/// had a list.
pub(super) fn is_free(folder: &Path, store: Option<&[u8; 16]>) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else {
        return !folder.exists();
    };
    let begun = store.is_some_and(|store| {
        fs::read_to_string(folder.join(READ_ME)).is_ok_and(|words| words.contains(&number(store)))
    });
    begun
        || entries.all(|entry| {
            entry.is_ok_and(|entry| {
                Path::new(&entry.file_name()) == Path::new(READ_ME).with_extension("draft")
            })
        })
}

fn number(store: &[u8; 16]) -> String {
    data_encoding::HEXLOWER.encode(store)
}

/// Makes the folder of a backup, with words for whoever finds it.
pub(super) fn make(folder: &Path, store: [u8; 16]) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let words = format!(
        "This folder is a backup of a kith node (number {}).\n\
         It is sealed. With the node's passphrase or the code of its recovery sheet:\n\
         \n    kith --home NEW-FOLDER restore THIS-FOLDER\n\
         \nCheck it with: kith backup --check THIS-FOLDER\n\
         Change nothing in it by hand.\n",
        number(&store)
    );
    let draft = Draft::beside(&folder.join(READ_ME))?;
    draft.fill(&mut words.as_bytes(), words.len() as u64)?;
    draft.become_final()
}

/// Whether a file has at least so many bytes.
pub(super) fn has(path: &Path, len: u64) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() >= len)
}

/// The hash of the first `len` bytes of a file; nothing where it is shorter or not there.
pub(super) fn hash_of(path: &Path, len: u64) -> io::Result<Option<[u8; 32]>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match copied(&mut file.take(len), &mut io::sink(), len) {
        Ok(hash) => Ok(Some(hash)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies `len` bytes and gives their hash.
fn copied(from: &mut impl Read, to: &mut impl Write, len: u64) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; STEP];
    let mut left = len;
    while left > 0 {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        left = left.saturating_sub(read as u64);
    }
    Ok(*hasher.finalize().as_bytes())
}

/// A file on its way to its place; what is not finished is taken away.
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    place: PathBuf,
    is_final: bool,
}

impl Draft {
    pub(super) fn beside(place: &Path) -> io::Result<Self> {
        if let Some(folder) = place.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let path = place.with_extension("draft");
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            place: place.to_owned(),
            is_final: false,
        })
    }

    /// Writes `len` bytes and gives their hash.
    pub(super) fn fill(&self, from: &mut impl Read, len: u64) -> io::Result<[u8; 32]> {
        let mut file = &self.file;
        let hash = copied(from, &mut file, len)?;
        self.file.sync_all()?;
        Ok(hash)
    }

    /// Moves it to its place.
    pub(super) fn become_final(mut self) -> io::Result<()> {
        fs::rename(&self.path, &self.place)?;
        self.is_final = true;
        match self.place.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_final
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "a draft was gone already");
        }
    }
}
