//! A bundle file sealed to named receivers, to a passphrase, or to both.
//!
//! A sealed file is a preamble, one frame with the ways to open it, and pieces of 64 KiB. Each way
//! (a [`Slot`]) wraps one content key: by HPKE (RFC 9180; base mode, X25519, HKDF-SHA256,
//! ChaCha20-Poly1305) to the sealing key in a receiver's principal log, or under a key that
//! Argon2id (RFC 9106) makes from a passphrase. Receivers are not named: each slot is tried. How
//! many there are, and the length of the file, show.
//!
//! Pieces are sealed with XChaCha20-Poly1305 in the STREAM construction (Hoang, Reyhanitabar,
//! Rogaway and Vizár, 2015): the nonce holds the piece's number and whether it is the last, so
//! that missing, moved and repeated pieces are found. Their key is derived from the content key
//! and the hash of the slots, so that nobody changes the slots unseen. The slots commit to the
//! content key, so that one file cannot open to different contents for different receivers.
//!
//! What a piece opens to was written by somebody who knows the content key, which is every
//! receiver: who made the bundle is what its own trailer proves.

mod opener;
mod sealer;
mod slot;

pub use opener::{OpenError, Opener, UnlockError, Ways};

pub use sealer::{SealError, Sealer};
pub use slot::{PassphraseCost, SealingKey, SealingSecret, Slot, Unlock};

use std::fmt;

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use zeroize::Zeroizing;

/// Bytes of a piece before it is sealed.
pub const PIECE_LEN: usize = 64 * 1024;

/// Bytes that the seal adds to a piece.
const TAG_LEN: usize = 16;

/// A key that is wiped when dropped.
type Key = Zeroizing<[u8; 32]>;

/// The key and nonces of the pieces, and the number of the next.
struct Pieces {
    cipher: XChaCha20Poly1305,
    prefix: [u8; 19],
    next: u32,
}

impl Pieces {
    fn new(content_key: &Key, slots_hash: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 bundle pieces");
        hasher.update(content_key.as_slice());
        hasher.update(slots_hash);
        let mut derived = Zeroizing::new([0; 32 + 19]);
        hasher.finalize_xof().fill(derived.as_mut_slice());
        let (key, prefix) = derived.split_at(32);
        let mut pieces = Self {
            cipher: XChaCha20Poly1305::new_from_slice(key).expect("a key has 32 bytes"),
            prefix: [0; 19],
            next: 0,
        };
        pieces.prefix.copy_from_slice(prefix);
        pieces
    }

    fn nonce(&self, is_last: bool) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..19].copy_from_slice(&self.prefix);
        nonce[19..23].copy_from_slice(&self.next.to_be_bytes());
        nonce[23] = u8::from(is_last);
        XNonce::from(nonce)
    }

    /// Seals the next piece.
    ///
    /// # Panics
    /// After 2^32 pieces, which is 256 times `BUNDLE_LEN_MAX`.
    fn seal(&mut self, plain: &[u8], is_last: bool) -> Vec<u8> {
        let sealed = self
            .cipher
            .encrypt(&self.nonce(is_last), plain)
            .expect("a piece of 64 KiB can be sealed");
        self.go_on();
        sealed
    }

    /// Goes on to the next piece.
    fn go_on(&mut self) {
        self.next = self.next.checked_add(1).expect("files are bounded");
    }

    /// The number of the next piece.
    const fn index(&self) -> u64 {
        self.next as u64
    }

    fn open(&self, sealed: &[u8], is_last: bool) -> Option<Vec<u8>> {
        self.cipher.decrypt(&self.nonce(is_last), sealed).ok()
    }
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pieces from {}", self.next)
    }
}

/// What the slots say of the content key without giving it away.
fn commitment(content_key: &Key) -> [u8; 32] {
    blake3::derive_key("kith v1 bundle content key", content_key.as_slice())
}
