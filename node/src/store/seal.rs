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
pub(crate) fn seal(key: &[u8; 32], context: &[u8], plain: &[u8]) -> Vec<u8> {
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
pub(crate) fn open(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(24)?;
    let nonce: [u8; 24] = nonce.try_into().ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload {
        msg: body,
        aad: context,
    };
    cipher.decrypt(&XNonce::from(nonce), payload).ok()
}

/// Bytes of a sealed number: tag and ciphertext.
pub(super) const NUMBER_LEN: usize = 8 + 4;

/// A number that only the key opens, and only for this context: for tables with tens of thousands of
/// them, of which all are opened at once. The tag is over the context and the number, and what hides
/// the number is made from the tag (SIV, RFC 5297, with BLAKE3 as the pseudorandom function), so
/// that the same number under the same context is sealed the same, and nothing else is.
pub(super) fn seal_number(key: &[u8; 32], context: &[u8; 9], number: u32) -> [u8; NUMBER_LEN] {
    let tag = tag_of(key, context, number);
    let mut sealed = [0; NUMBER_LEN];
    sealed[..8].copy_from_slice(&tag);
    sealed[8..].copy_from_slice(&(number ^ mask_of(key, tag)).to_be_bytes());
    sealed
}

/// What [`seal_number`] sealed; nothing when the key, the context or a bit is another.
pub(super) fn open_number(
    key: &[u8; 32],
    context: &[u8; 9],
    sealed: &[u8; NUMBER_LEN],
) -> Option<u32> {
    let (tag, hidden) = sealed.split_first_chunk::<8>()?;
    let number = u32::from_be_bytes(hidden.try_into().ok()?) ^ mask_of(key, *tag);
    (tag_of(key, context, number) == *tag).then_some(number)
}

fn tag_of(key: &[u8; 32], context: &[u8; 9], number: u32) -> [u8; 8] {
    let mut input = [0; 1 + 9 + 4];
    input[1..10].copy_from_slice(context);
    input[10..].copy_from_slice(&number.to_be_bytes());
    first(&blake3::keyed_hash(key, &input))
}

fn mask_of(key: &[u8; 32], tag: [u8; 8]) -> u32 {
    let mut input = [1; 1 + 8];
    input[1..].copy_from_slice(&tag);
    u32::from_be_bytes(first(&blake3::keyed_hash(key, &input)))
}

fn first<const N: usize>(hash: &blake3::Hash) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash.as_bytes()[..N]);
    bytes
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{open_number, seal_number};

    proptest! {
        #[test]
        fn a_number_opens_with_its_key_for_its_context_and_whole(
            key: [u8; 32], other_key: [u8; 32], context: [u8; 9], other: [u8; 9], number: u32,
            bit in 0_usize..96,
        ) {
            let sealed = seal_number(&key, &context, number);
            prop_assert_eq!(open_number(&key, &context, &sealed), Some(number));
            if key != other_key {
                prop_assert_eq!(open_number(&other_key, &context, &sealed), None);
            }
            if context != other {
                prop_assert_eq!(open_number(&key, &other, &sealed), None);
            }
            let mut flipped = sealed;
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open_number(&key, &context, &flipped), None);
        }
    }
}
