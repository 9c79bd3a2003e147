//! The ways to open a sealed file.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, inout::InOutBuf,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Key, TAG_LEN, commitment};
use crate::limits::{PASSPHRASE_MEMORY_KIB_MAX, PASSPHRASE_PASSES_MAX, SEAL_SLOTS_MAX};

const HPKE_INFO: &[u8] = b"kith v1 bundle";

const WRAPPED_LEN: usize = 32 + TAG_LEN;

/// An X25519 public key to which bundles are sealed: the one in a principal log's Begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealingKey(pub [u8; 32]);

/// The secret half of a sealing key; wiped when dropped, never printed.
pub struct SealingSecret(Zeroizing<[u8; 32]>);

impl SealingSecret {
    /// The secret with these random bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The public half.
    pub fn public(&self) -> SealingKey {
        SealingKey(
            X25519HkdfSha256::sk_to_pk(&self.private())
                .to_bytes()
                .into(),
        )
    }

    fn private(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.0.as_slice())
            .expect("any 32 bytes are an X25519 secret")
    }
}

impl fmt::Debug for SealingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingSecret of {:?}", self.public())
    }
}

/// What trying a passphrase costs (Argon2id).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassphraseCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl PassphraseCost {
    /// 64 MiB and three passes (RFC 9106, 4, the second recommended choice, in one lane).
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
    };

    /// Whether no more is asked for than a reader gives.
    pub const fn is_bearable(self) -> bool {
        self.memory_kib <= PASSPHRASE_MEMORY_KIB_MAX && self.passes <= PASSPHRASE_PASSES_MAX
    }
}

/// One way to open a sealed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slot {
    /// With a receiver's sealing key.
    Receiver {
        /// The encapsulated key (RFC 9180).
        #[serde(with = "crate::codec::array")]
        encapsulated: [u8; 32],
        /// The wrapped content key.
        #[serde(with = "crate::codec::array")]
        wrapped: [u8; WRAPPED_LEN],
    },
    /// With a passphrase.
    Passphrase {
        /// Makes the same passphrase another key in another file.
        #[serde(with = "crate::codec::array")]
        salt: [u8; 16],
        /// What trying costs.
        cost: PassphraseCost,
        /// The wrapped content key.
        #[serde(with = "crate::codec::array")]
        wrapped: [u8; WRAPPED_LEN],
    },
}

/// All ways to open a file, and the hash of what they open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slots {
    #[serde(with = "crate::codec::array")]
    pub(super) commitment: [u8; 32],
    pub(super) slots: Vec<Slot>,
}

impl Slots {
    /// Whether they are few enough to be tried: one passphrase at most, since each costs seconds.
    pub(super) fn is_sound(&self) -> bool {
        let passphrases = self.slots.iter().filter(|slot| slot.cost().is_some());
        (1..=SEAL_SLOTS_MAX).contains(&self.slots.len()) && passphrases.count() <= 1
    }

    /// What trying a passphrase costs, where the file has one.
    pub(super) fn cost(&self) -> Option<PassphraseCost> {
        self.slots.iter().find_map(Slot::cost)
    }
}

/// What somebody opens a file with.
#[derive(Clone, Copy, Debug)]
pub enum Unlock<'a> {
    /// A receiver's secret.
    Secret(&'a SealingSecret),
    /// A passphrase, as it was typed.
    Passphrase(&'a str),
}

impl Slot {
    /// Wraps `content_key` for a receiver; `None` when `receiver` is no key to which anything can
    /// be sealed.
    pub(super) fn for_receiver(
        content_key: &Key,
        receiver: SealingKey,
        rng: &mut impl CryptoRng,
    ) -> Option<Self> {
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&receiver.0).ok()?;
        let mut key = content_key.clone();
        let (encapsulated, tag) = hpke::single_shot_seal_inout_detached_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(
            &OpModeS::Base,
            &public,
            HPKE_INFO,
            InOutBuf::from(key.as_mut_slice()),
            &commitment(content_key),
            rng,
        )
        .ok()?;
        Some(Self::Receiver {
            encapsulated: encapsulated.to_bytes().into(),
            wrapped: joined(&key, &tag.to_bytes()),
        })
    }

    /// Wraps `content_key` under a passphrase; `None` when the cost is out of bounds.
    pub(super) fn for_passphrase(
        content_key: &Key,
        passphrase: &str,
        cost: PassphraseCost,
        rng: &mut impl CryptoRng,
    ) -> Option<Self> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let cipher = passphrase_cipher(passphrase, &salt, cost)?;
        let sealed = cipher
            .encrypt(&XNonce::default(), content_key.as_slice())
            .expect("32 bytes can be sealed");
        Some(Self::Passphrase {
            salt,
            cost,
            wrapped: sealed.try_into().expect("32 bytes and a tag"),
        })
    }

    pub(super) const fn cost(&self) -> Option<PassphraseCost> {
        match self {
            Self::Receiver { .. } => None,
            Self::Passphrase { cost, .. } => Some(*cost),
        }
    }

    /// The content key, where `with` opens this slot and it is what `committed` says.
    pub(super) fn open(&self, with: Unlock<'_>, committed: &[u8; 32]) -> Option<Key> {
        let key = match (self, with) {
            (
                Self::Receiver {
                    encapsulated,
                    wrapped,
                },
                Unlock::Secret(secret),
            ) => unwrap(encapsulated, wrapped, secret, committed)?,
            (
                Self::Passphrase {
                    salt,
                    cost,
                    wrapped,
                },
                Unlock::Passphrase(passphrase),
            ) => {
                let cipher = passphrase_cipher(passphrase, salt, *cost)?;
                let key = cipher
                    .decrypt(&XNonce::default(), wrapped.as_slice())
                    .ok()?;
                key_of(&Zeroizing::new(key))?
            }
            (Self::Receiver { .. }, Unlock::Passphrase(_))
            | (Self::Passphrase { .. }, Unlock::Secret(_)) => return None,
        };
        (commitment(&key) == *committed).then_some(key)
    }
}

fn unwrap(
    encapsulated: &[u8; 32],
    wrapped: &[u8; WRAPPED_LEN],
    secret: &SealingSecret,
    committed: &[u8; 32],
) -> Option<Key> {
    let (key, tag) = wrapped.split_at(32);
    let mut key = key_of(key)?;
    let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    hpke::single_shot_open_inout_detached::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.private(),
        &encapsulated,
        HPKE_INFO,
        InOutBuf::from(key.as_mut_slice()),
        committed,
        &hpke::aead::AeadTag::from_bytes(tag).ok()?,
    )
    .ok()?;
    Some(key)
}

/// A passphrase's cipher. It seals one thing, ever, since the salt is fresh: its nonce is zero.
fn passphrase_cipher(
    passphrase: &str,
    salt: &[u8; 16],
    cost: PassphraseCost,
) -> Option<XChaCha20Poly1305> {
    if !cost.is_bearable() {
        return None;
    }
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .ok()?;
    XChaCha20Poly1305::new_from_slice(key.as_slice()).ok()
}

fn key_of(bytes: &[u8]) -> Option<Key> {
    bytes.try_into().ok().map(Zeroizing::new)
}

fn joined(key: &Key, tag: &[u8]) -> [u8; WRAPPED_LEN] {
    let mut wrapped = [0; WRAPPED_LEN];
    wrapped[..32].copy_from_slice(key.as_slice());
    wrapped[32..].copy_from_slice(tag);
    wrapped
}
