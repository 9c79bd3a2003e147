//! The store key, and the slots that open it.
//!
//! A slot wraps the store key: by a passphrase (Argon2id, its parameters in the slot) or by a key
//! file, which is refused when anyone but its owner can read it.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use kith_protocol::{
    codec,
    limits::{PASSPHRASE_MEMORY_KIB_MAX, PASSPHRASE_PASSES_MAX},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::seal::{self, Key};

/// The key that everything in a store is sealed under; wiped when dropped, never printed.
pub struct StoreKey(Key);

impl StoreKey {
    pub(super) const fn bytes(&self) -> &Key {
        &self.0
    }

    /// The key under which the lists of this store's backups are sealed.
    pub(crate) fn for_backups(&self) -> Zeroizing<[u8; 32]> {
        seal::derive(&self.0, "kith v1 store backups")
    }
}

/// What opens a slot.
pub enum KeySlot<'a> {
    /// Words that a person knows.
    Passphrase(&'a str),
    /// A file that only its owner can read.
    KeyFile(&'a Path),
}

/// Why a store stays locked.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The passphrase or key file opens no slot.
    #[error("that does not open this node's store")]
    Wrong,
    /// Others can read the key file.
    #[error("{} can be read by others (mode {mode:03o}); run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file of slots is not understood.
    #[error("the file of key slots is damaged")]
    Damaged,
    /// The disk refuses.
    #[error("the key slots cannot be read or written")]
    Io(#[from] std::io::Error),
}

#[derive(Serialize, Deserialize)]
struct Slots {
    version: u8,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    kind: SlotKind,
    #[serde(with = "serde_bytes")]
    wrapped: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum SlotKind {
    Passphrase {
        #[serde(with = "serde_bytes")]
        salt: Vec<u8>,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    KeyFile,
}

/// RFC 9106, 4: the second recommended setting (64 MiB, 3 passes, 4 lanes).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The file of key slots of one node.
pub struct Keystore;

impl Keystore {
    /// Makes a new store key that each of these slots opens, in a file that only its owner can
    /// read.
    pub fn create(path: &Path, slots: &[KeySlot<'_>]) -> Result<StoreKey, KeystoreError> {
        let key = Key::new(seal::random());
        let slots = slots.iter().map(|slot| wrap(&key, slot));
        let slots = Slots {
            version: 1,
            slots: slots.collect::<Result<_, _>>()?,
        };
        write_private(path, &codec::encode(&slots))?;
        Ok(StoreKey(key))
    }

    /// Lets a key file open the store too.
    pub fn add_key_file(path: &Path, key: &StoreKey, file: &Path) -> Result<(), KeystoreError> {
        let mut slots: Slots =
            codec::decode(&fs::read(path)?).map_err(|_| KeystoreError::Damaged)?;
        slots
            .slots
            .retain(|slot| !matches!(slot.kind, SlotKind::KeyFile));
        slots.slots.push(wrap(&key.0, &KeySlot::KeyFile(file))?);
        let draft = path.with_extension("draft");
        write_private(&draft, &codec::encode(&slots))?;
        fs::rename(&draft, path)?;
        Ok(())
    }

    /// Whether a key file was among what opened the store.
    pub fn knew_key_file(path: &Path) -> Result<bool, KeystoreError> {
        let slots: Slots = codec::decode(&fs::read(path)?).map_err(|_| KeystoreError::Damaged)?;
        let mut kinds = slots.slots.iter().map(|slot| &slot.kind);
        Ok(kinds.any(|kind| matches!(kind, SlotKind::KeyFile)))
    }

    /// Opens the store key with whatever slot fits.
    pub fn open(path: &Path, with: &KeySlot<'_>) -> Result<StoreKey, KeystoreError> {
        let slots: Slots = codec::decode(&fs::read(path)?).map_err(|_| KeystoreError::Damaged)?;
        for slot in &slots.slots {
            let Some(wrapping) = wrapping_key(&slot.kind, with)? else {
                continue;
            };
            let opened = seal::open(&wrapping, b"kith store key", &slot.wrapped);
            if let Some(key) = opened.and_then(|key| <[u8; 32]>::try_from(key).ok()) {
                return Ok(StoreKey(Key::new(key)));
            }
        }
        Err(KeystoreError::Wrong)
    }
}

/// A secret that the code of a recovery sheet opens, apart from any store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetSealed(Slot);

impl SheetSealed {
    /// Seals a secret to the code of a recovery sheet.
    pub fn seal(secret: &[u8; 32], code: &str) -> Result<Self, KeystoreError> {
        let kind = passphrase_slot();
        let wrapping = wrapping_key(&kind, &KeySlot::Passphrase(code))?;
        let wrapping = wrapping.ok_or(KeystoreError::Damaged)?;
        let wrapped = seal::seal(&wrapping, SHEET_SEALED, secret);
        Ok(Self(Slot { kind, wrapped }))
    }

    /// The secret, where the code is the one to which it was sealed. It may come from another
    /// device, which does not say how much work this one does for it.
    pub fn open(&self, code: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        if !self.0.kind.is_bounded() {
            return Err(KeystoreError::Damaged);
        }
        let wrapping = wrapping_key(&self.0.kind, &KeySlot::Passphrase(code))?;
        let wrapping = wrapping.ok_or(KeystoreError::Damaged)?;
        let opened = seal::open(&wrapping, SHEET_SEALED, &self.0.wrapped);
        let secret = opened.and_then(|secret| <[u8; 32]>::try_from(secret).ok());
        secret.map(Zeroizing::new).ok_or(KeystoreError::Wrong)
    }
}

const SHEET_SEALED: &[u8] = b"kith root key";

impl SlotKind {
    /// Whether opening it takes no more memory and time than any slot that comes from outside may.
    const fn is_bounded(&self) -> bool {
        match self {
            Self::Passphrase {
                memory_kib,
                passes,
                lanes,
                ..
            } => {
                *memory_kib <= PASSPHRASE_MEMORY_KIB_MAX
                    && *passes <= PASSPHRASE_PASSES_MAX
                    && *lanes <= LANES
            }
            Self::KeyFile => true,
        }
    }
}

fn passphrase_slot() -> SlotKind {
    SlotKind::Passphrase {
        salt: seal::random::<16>().to_vec(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
    }
}

fn wrap(key: &Key, slot: &KeySlot<'_>) -> Result<Slot, KeystoreError> {
    let kind = match slot {
        KeySlot::Passphrase(_) => passphrase_slot(),
        KeySlot::KeyFile(file) => {
            write_private(file, &*Key::new(seal::random()))?;
            SlotKind::KeyFile
        }
    };
    let wrapping = wrapping_key(&kind, slot)?.ok_or(KeystoreError::Wrong)?;
    let wrapped = seal::seal(&wrapping, b"kith store key", &**key);
    Ok(Slot { kind, wrapped })
}

/// The key that wraps a slot; nothing when the slot is of another kind.
fn wrapping_key(kind: &SlotKind, with: &KeySlot<'_>) -> Result<Option<Key>, KeystoreError> {
    match (kind, with) {
        (
            SlotKind::Passphrase {
                salt,
                memory_kib,
                passes,
                lanes,
            },
            KeySlot::Passphrase(words),
        ) => {
            let params = Params::new(*memory_kib, *passes, *lanes, Some(32))
                .map_err(|_| KeystoreError::Damaged)?;
            let mut key = Key::new([0; 32]);
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(words.as_bytes(), salt, &mut *key)
                .map_err(|_| KeystoreError::Damaged)?;
            Ok(Some(key))
        }
        (SlotKind::KeyFile, KeySlot::KeyFile(path)) => {
            let bytes = read_private(path)?;
            Ok(Some(seal::derive(
                bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| KeystoreError::Wrong)?,
                "kith v1 key file",
            )))
        }
        (SlotKind::Passphrase { .. }, KeySlot::KeyFile(_))
        | (SlotKind::KeyFile, KeySlot::Passphrase(_)) => Ok(None),
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let about = fs::metadata(path)?;
    let mode = about.permissions().mode() & 0o777;
    let ours = about.uid() == rustix::process::geteuid().as_raw();
    if mode & 0o077 != 0 || !ours {
        return Err(KeystoreError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(Zeroizing::new(fs::read(path)?))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{KeystoreError, PASSPHRASE_MEMORY_KIB_MAX, SheetSealed, SlotKind};

    #[test]
    fn a_sheet_opens_what_was_sealed_to_it_and_no_other_does_much_work() {
        let sealed = SheetSealed::seal(&[7; 32], "a code").expect("sealed");
        let opened = sealed.open("a code").expect("the right code");
        assert_eq!(*opened, [7; 32]);
        let wrong = sealed.open("another code");
        assert!(matches!(wrong, Err(KeystoreError::Wrong)));
        let mut costly = sealed;
        let SlotKind::Passphrase { memory_kib, .. } = &mut costly.0.kind else {
            panic!("a code opens it")
        };
        *memory_kib = PASSPHRASE_MEMORY_KIB_MAX + 1;
        let refused = costly.open("a code");
        assert!(matches!(refused, Err(KeystoreError::Damaged)));
    }
}
