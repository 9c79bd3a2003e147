//! A node's folder: its keys, its store, its socket.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    api::Progress,
    failure::{Ending, Failure},
    store::{self, DiskStore, KeySlot, Keystore, KeystoreError, StoreKey},
};

/// The folder of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

/// What opens a home.
#[derive(Clone)]
pub enum Unlock {
    /// Words that a person typed.
    Passphrase(String),
    /// The key file in the home, which only its owner can read.
    KeyFile,
}

/// From here on every file that this process makes is its owner's alone: keys, store, socket, and
/// what is exported.
pub fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

impl Home {
    /// The node in this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Whether a node was set up here.
    pub fn exists(&self) -> bool {
        self.slots().exists()
    }

    /// The socket over which commands reach the running node.
    pub fn socket(&self) -> PathBuf {
        self.0.join("kith.sock")
    }

    fn slots(&self) -> PathBuf {
        self.0.join("keys")
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("key")
    }

    /// Makes the folder and the store key, which `unlock` and the recovery code open.
    pub(crate) fn create(&self, unlock: &Unlock, recovery: &str) -> Result<StoreKey, Failure> {
        if self.exists() {
            return Err(self.is_taken());
        }
        self.make_folder()?;
        let key_file = self.key_file();
        let first = match unlock {
            Unlock::Passphrase(words) => KeySlot::Passphrase(words),
            Unlock::KeyFile => KeySlot::KeyFile(&key_file),
        };
        Keystore::create(&self.slots(), &[first, KeySlot::Passphrase(recovery)])
            .map_err(|error| self.not_writable(&error))
    }

    /// Fills an empty home from a backup, and gives the store key that `code` opens there and when
    /// the backup was taken, milliseconds since 1970 UTC. A key file that opened the node before
    /// is made anew, since none is in a backup.
    pub(crate) fn fill(
        &self,
        backup: &Path,
        code: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(StoreKey, u64), Failure> {
        if self.exists() {
            return Err(self.is_taken());
        }
        let slots = crate::backup::slots(backup)?;
        let key =
            Keystore::open(&slots, &KeySlot::Passphrase(code)).map_err(|error| locked(&error))?;
        // Parts of two copies of one store would fit each other, and must not meet.
        if self.store_folder().exists() {
            return Err(self.holds_parts());
        }
        self.make_folder()?;
        let seal = crate::backup::Seal::of(&key);
        let unpacked = crate::backup::unpack(backup, &self.0, &seal, progress);
        let taken_ms = unpacked.inspect_err(|_| self.empty())?;
        let had_key_file =
            Keystore::knew_key_file(&self.slots()).map_err(|error| locked(&error))?;
        if had_key_file {
            Keystore::add_key_file(&self.slots(), &key, &self.key_file())
                .map_err(|error| self.not_writable(&error))?;
        }
        Ok((key, taken_ms))
    }

    /// Whether a passphrase has to be asked for.
    pub fn wants_passphrase(&self) -> Result<bool, Failure> {
        self.must_exist()?;
        Ok(!self.key_file().exists())
    }

    /// Opens the store.
    pub(crate) fn open(&self, unlock: &Unlock) -> Result<DiskStore, Failure> {
        self.must_exist()?;
        let key_file = self.key_file();
        let slot = match unlock {
            Unlock::Passphrase(words) => KeySlot::Passphrase(words),
            Unlock::KeyFile => KeySlot::KeyFile(&key_file),
        };
        // Who waits for the store does not work on a passphrase for each look.
        let folder = self.store_folder();
        let lock = store::lock(&folder)?;
        let key = Keystore::open(&self.slots(), &slot).map_err(|error| locked(&error))?;
        Ok(DiskStore::open_locked(&folder, lock, &key)?)
    }

    pub(crate) fn store(&self, key: &StoreKey) -> Result<DiskStore, Failure> {
        Ok(DiskStore::open(&self.store_folder(), key)?)
    }

    fn store_folder(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Takes away what a restore that failed had written.
    fn empty(&self) {
        for path in [self.slots(), self.store_folder()] {
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match removed {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%error, "a part of a failed restore stays"),
            }
        }
    }

    fn holds_parts(&self) -> Failure {
        Failure::new(
            Ending::Failed,
            format!(
                "{} holds parts of a node already, so nothing was restored there.",
                self.0.display()
            ),
            "Choose a new folder with --home; keep the old one until all is well.",
        )
    }

    fn make_folder(&self) -> Result<(), Failure> {
        let folder = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0);
        folder.map_err(|error| self.not_writable(&error))?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))
            .map_err(|error| self.not_writable(&error))
    }

    fn is_taken(&self) -> Failure {
        Failure::new(
            Ending::Failed,
            format!("There is a node in {} already.", self.0.display()),
            "Use it as it is, or choose another folder with --home.",
        )
    }

    fn must_exist(&self) -> Result<(), Failure> {
        if self.exists() {
            return Ok(());
        }
        Err(Failure::new(
            Ending::NoNode,
            format!("There is no node in {}.", self.0.display()),
            "Run kith setup to make one, or name another folder with --home.",
        ))
    }

    fn not_writable(&self, error: &dyn std::error::Error) -> Failure {
        Failure::new(
            Ending::Failed,
            format!("The node could not be made in {}.", self.0.display()),
            "Check that you may write there and that the disk has room, or choose another folder with --home.",
        )
        .because(error)
    }
}

fn locked(error: &KeystoreError) -> Failure {
    let failure = match error {
        KeystoreError::Wrong => Failure::new(
            Ending::Locked,
            "That does not open this node.",
            "Try again; the recovery code from the recovery sheet opens it too.",
        ),
        KeystoreError::Exposed { path, .. } => Failure::new(
            Ending::Locked,
            "The key file can be read by others, so it is not used.",
            format!("Run chmod 600 {} and try again.", path.display()),
        ),
        KeystoreError::Damaged => Failure::new(
            Ending::Locked,
            "The file with this node's key slots is damaged.",
            "Put it back from a backup; the store itself is untouched.",
        ),
        KeystoreError::Io(_) => Failure::new(
            Ending::Locked,
            "This node's keys cannot be read.",
            "Check the folder's permissions and run the command as the user who set the node up.",
        ),
    };
    failure.because(error)
}
