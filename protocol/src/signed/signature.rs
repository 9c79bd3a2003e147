//! Whether signatures hold, one by one or many at once.
//!
//! Both follow one rule, that of [ZIP 215](https://zips.z.cash/zip-0215): the equation of RFC 8032
//! (5.1.7) with its factor 8, for which one and many never disagree, as they may without it. Keys
//! of small order are refused besides: what they sign is signed for any bytes.

use std::cell::Cell;

use coset::{
    HeaderBuilder, ProtectedHeader, SignatureContext, iana::Algorithm, sig_structure_data,
};
use ed25519_dalek::{Signature, VerifyingKey};
use ed25519_zebra::{VerificationKey, batch};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::{Domain, SignatureError};
use crate::id::DeviceId;

/// Signatures that are checked at once: more save next to nothing.
const TOGETHER_MAX: usize = 512;

const WEIGHTS_CONTEXT: &str = "kith v1 weights of signatures that are checked at once";

/// A signature with what it is of.
pub(super) struct Claim {
    key: VerificationKey,
    message: Vec<u8>,
    signature: Signature,
}

impl Claim {
    /// Reads a signature of `payload` in `domain`.
    pub(super) fn read(
        domain: Domain,
        signer: DeviceId,
        payload: &[u8],
        signature: &[u8],
    ) -> Result<Self, SignatureError> {
        Ok(Self {
            key: key_of(signer)?,
            message: sig_structure_data(
                SignatureContext::CoseSign1,
                protected(),
                None,
                domain.aad(),
                payload,
            ),
            signature: Signature::from_slice(signature).map_err(|_| SignatureError::Signature)?,
        })
    }

    /// Whether it holds.
    pub(super) fn check(&self) -> Result<(), SignatureError> {
        self.key
            .verify(&self.signature, &self.message)
            .map_err(|_| SignatureError::Signature)
    }
}

/// Whether each holds: what [`Claim::check`] says of it, in a quarter of the time where all do.
pub(super) fn check_all(claims: &[Claim]) -> Vec<Result<(), SignatureError>> {
    let mut checked = Vec::with_capacity(claims.len());
    for together in claims.chunks(TOGETHER_MAX) {
        if together.len() > 1 && hold_at_once(together) {
            checked.extend(together.iter().map(|_| Ok(())));
        } else {
            checked.extend(together.iter().map(Claim::check));
        }
    }
    checked
}

/// Whether all of these hold. Each gets a weight that follows from every one of them, so that what
/// does not hold cannot be made to outweigh something else.
fn hold_at_once(claims: &[Claim]) -> bool {
    let mut weights = blake3::Hasher::new_derive_key(WEIGHTS_CONTEXT);
    let mut verifier = batch::Verifier::new();
    for claim in claims {
        weights.update(claim.key.as_ref());
        weights.update(&claim.signature.to_bytes());
        weights.update(&(claim.message.len() as u64).to_le_bytes());
        weights.update(&claim.message);
        verifier.queue((claim.key.into(), claim.signature, &claim.message));
    }
    let weights = ChaCha20Rng::from_seed(*weights.finalize().as_bytes());
    verifier.verify(weights).is_ok()
}

thread_local! {
    /// The key that was used last: most of what comes together is by the same device, and to read a
    /// key costs an eighth of checking a signature.
    static LAST_KEY: Cell<Option<(DeviceId, VerificationKey)>> = const { Cell::new(None) };
}

fn key_of(signer: DeviceId) -> Result<VerificationKey, SignatureError> {
    if let Some((last, key)) = LAST_KEY.get()
        && last == signer
    {
        return Ok(key);
    }
    let bytes = *signer.as_bytes();
    let is_weak = VerifyingKey::from_bytes(&bytes).map(|key| key.is_weak());
    if is_weak.map_err(|_| SignatureError::Key)? {
        return Err(SignatureError::Key);
    }
    let key = VerificationKey::try_from(bytes).map_err(|_| SignatureError::Key)?;
    LAST_KEY.set(Some((signer, key)));
    Ok(key)
}

/// `{1: -8}`.
fn protected() -> ProtectedHeader {
    ProtectedHeader {
        original_data: None,
        header: HeaderBuilder::new().algorithm(Algorithm::EdDSA).build(),
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::{
        Scalar, constants::EIGHT_TORSION, edwards::EdwardsPoint, traits::Identity,
    };
    use ed25519_dalek::{Signature, Signer, VerifyingKey};
    use proptest::prelude::*;
    use sha2::{Digest, Sha512};

    use super::{Claim, check_all, sig_structure_data};
    use crate::{
        id::DeviceId,
        identity::SecretKey,
        signed::{Domain, SignatureError},
    };

    const PAYLOAD: &[u8] = b"what was signed";

    fn claim(signer: [u8; 32], signature: &[u8]) -> Result<Claim, SignatureError> {
        let signer = DeviceId::from_bytes(signer);
        Claim::read(Domain::Event, signer, PAYLOAD, signature)
    }

    fn message() -> Vec<u8> {
        sig_structure_data(
            super::SignatureContext::CoseSign1,
            super::protected(),
            None,
            Domain::Event.aad(),
            PAYLOAD,
        )
    }

    /// By the key of this seed; `damaged` is a byte of it that is changed.
    fn signed(seed: u8, damaged: Option<usize>) -> Claim {
        let key = SecretKey::from_seed([seed; 32]);
        let mut signature = key.signing().sign(&message()).to_bytes();
        if let Some(at) = damaged {
            signature[at] ^= 1;
        }
        claim(*key.device().as_bytes(), &signature).expect("it is read")
    }

    /// A signature that only the holder of a key can make, and on which checkers of Ed25519 do not
    /// agree: a part of small order is added to its point.
    fn odd(secret: Scalar, nonce: Scalar, torsion: usize) -> ([u8; 32], [u8; 64]) {
        let key = EdwardsPoint::mul_base(&secret).compress().to_bytes();
        let point = EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[torsion];
        let point = point.compress().to_bytes();
        let hash = Sha512::new().chain_update(point).chain_update(key);
        let hash: [u8; 64] = hash.chain_update(message()).finalize().into();
        let hash = Scalar::from_bytes_mod_order_wide(&hash);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&point);
        signature[32..].copy_from_slice((nonce + hash * secret).as_bytes());
        (key, signature)
    }

    #[test]
    fn odd_signatures_hold_by_themselves_as_among_others() {
        for torsion in 0..8 {
            let odd = |nonce: u64| {
                let (key, signature) = odd(Scalar::from(77_u64), Scalar::from(nonce), torsion);
                let strict = VerifyingKey::from_bytes(&key).expect("a key");
                let signature = Signature::from_bytes(&signature);
                let strict = strict.verify_strict(&message(), &signature);
                assert_eq!(strict.is_ok(), torsion == 0);
                claim(key, &signature.to_bytes()).expect("it is read")
            };
            for together in [1, 2, 3, 9] {
                let mut claims: Vec<_> = (1..=together).map(odd).collect();
                claims.push(signed(1, None));
                assert!(check_all(&claims).iter().all(Result::is_ok));
                assert!(claims.iter().all(|claim| claim.check().is_ok()));
            }
        }
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        for point in EIGHT_TORSION {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(EdwardsPoint::identity().compress().as_bytes());
            let refused = claim(point.compress().to_bytes(), &signature);
            assert!(matches!(refused, Err(SignatureError::Key)));
        }
    }

    #[test]
    fn a_second_spelling_of_a_signature_does_not_hold() {
        // The order of the group, little-endian, is added to the number of a signature.
        let order = (Scalar::ZERO - Scalar::ONE).to_bytes();
        let key = SecretKey::from_seed([1; 32]);
        let mut signature = key.signing().sign(&message()).to_bytes();
        let mut carry = 1;
        for (byte, more) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        let second = claim(*key.device().as_bytes(), &signature).expect("it is read");
        assert!(second.check().is_err());
        let results = check_all(&[signed(1, None), second]);
        assert!(results[0].is_ok() && results[1].is_err());
    }

    proptest! {
        #[test]
        fn many_at_once_are_as_each_by_itself(
            claims in proptest::collection::vec((0_u8..3, proptest::option::weighted(0.1, 0_usize..64)), 0..40)
        ) {
            let claims: Vec<_> = claims.into_iter().map(|(seed, damaged)| signed(seed, damaged)).collect();
            let alone: Vec<_> = claims.iter().map(|claim| claim.check().is_ok()).collect();
            let together: Vec<_> = check_all(&claims).iter().map(Result::is_ok).collect();
            prop_assert_eq!(alone, together);
        }
    }
}
