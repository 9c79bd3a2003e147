//! Large values as files of their own, named by a keyed hash of their id.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use kith_protocol::{
    id::BlobId,
    store::{Damage, StoreError},
};

use super::{
    keystore::StoreKey,
    seal::{self, Key},
    segments::io_error,
};
use crate::packing;

/// Bytes from which a value is compressed quickly instead of well.
const QUICK_FROM: usize = 1024 * 1024;

/// The folder of blobs.
pub(super) struct Blobs {
    folder: PathBuf,
    key: Key,
    names: Key,
}

impl Blobs {
    pub(super) fn open(folder: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            key: seal::derive(key.bytes(), "kith v1 store blobs"),
            names: seal::derive(key.bytes(), "kith v1 store blob names"),
        })
    }

    pub(super) fn put(&self, bytes: &[u8]) -> Result<BlobId, StoreError> {
        let id = BlobId::from_bytes(*blake3::hash(bytes).as_bytes());
        let path = self.path(&id);
        if path.exists() {
            return Ok(id);
        }
        let packed = packing::pack(bytes, level(bytes)).map_err(io_error)?;
        let sealed = seal::seal(&self.key, id.as_bytes(), &packed);
        let parent = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent).map_err(io_error)?;
        let draft = path.with_extension("draft");
        write_durably(&draft, &sealed)
            .and_then(|()| std::fs::rename(&draft, &path))
            .and_then(|()| std::fs::File::open(parent)?.sync_all())
            .map_err(io_error)?;
        Ok(id)
    }

    pub(super) fn get(&self, id: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let sealed = match std::fs::read(self.path(id)) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let plain = seal::open(&self.key, id.as_bytes(), &sealed)
            .and_then(|packed| packing::unpack(&packed, usize::MAX))
            .filter(|bytes| blake3::hash(bytes).as_bytes() == id.as_bytes());
        plain.map(Some).ok_or_else(|| {
            StoreError::Damaged(Damage {
                place: "an attachment".to_owned(),
                what: "its seal does not hold".to_owned(),
            })
        })
    }

    /// Every file, by its place below the folder, with its length in bytes.
    pub(super) fn files(&self) -> std::io::Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for shelf in std::fs::read_dir(&self.folder)? {
            let shelf = shelf?;
            if !shelf.file_type()?.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(shelf.path())? {
                let file = file?;
                let path = Path::new(&shelf.file_name()).join(file.file_name());
                if path.extension().is_none() {
                    files.push((path, file.metadata()?.len()));
                }
            }
        }
        files.sort();
        Ok(files)
    }

    fn path(&self, id: &BlobId) -> PathBuf {
        let name = blake3::keyed_hash(&self.names, id.as_bytes()).to_hex();
        self.folder.join(&name[..2]).join(&name[2..40])
    }
}

/// How hard zstd tries. Large values are pictures, which do not shrink, and trees of hashes, for
/// which people wait.
const fn level(bytes: &[u8]) -> i32 {
    if bytes.len() < QUICK_FROM { 3 } else { -3 }
}

fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    if written.is_err() {
        std::fs::remove_file(path)?;
    }
    written
}
