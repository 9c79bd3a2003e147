//! Sealing with XChaCha20-Poly1305 under random nonces.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

/// Bytes that sealing adds: nonce and tag.
pub(super) const OVERHEAD: usize = 24 + 16;

/// A 256-bit key; wiped when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// `nonce || ciphertext || tag`.
///
/// # Panics
/// When the system has no randomness, without which nothing can be sealed.
pub(super) fn seal(key: &[u8; 32], context: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; 24] = random();
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload {
        msg: plain,
        aad: context,
    };
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a message far below the cipher's limit is sealed");
    [&nonce[..], &sealed].concat()
}

/// What [`seal`] sealed; nothing when the key, the context or a bit is another.
pub(super) fn open(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(24)?;
    let nonce: [u8; 24] = nonce.try_into().ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload {
        msg: body,
        aad: context,
    };
    cipher.decrypt(&XNonce::from(nonce), payload).ok()
}

/// Random bytes of the system.
///
/// # Panics
/// When the system has none.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A key for one use, from a key for several.
pub(super) fn derive(key: &[u8; 32], context: &str) -> Key {
    Zeroizing::new(blake3::derive_key(context, key))
}
