//! Signed bytes and the proof that they were checked.
//!
//! Every signed structure is a tagged `COSE_Sign1` (RFC 9052, 4.2) with EdDSA (RFC 9053, 2.2) in
//! the protected header, an empty unprotected header and the domain as external AAD, so that any
//! COSE library can check it and no signature can be taken for one of another kind. Ids are hashes
//! of **the bytes as received**. [`Signed`] is what arrived; only [`Signed::verify`] makes a
//! [`Verified`], and only that carries a value.

mod signature;

use std::sync::Arc;

use coset::{CoseSign1Builder, HeaderBuilder, TaggedCborSerializable, iana::Algorithm};
use ed25519_dalek::{SIGNATURE_LENGTH, Signer};
use serde::{Serialize, de::DeserializeOwned};

use self::signature::Claim;
use crate::{
    codec::{self, DecodeError},
    envelope::Header,
    id::{DeviceId, EnvelopeId, EventId},
    identity::SecretKey,
    limits::SIGNED_LEN_MAX,
    logs::Event,
};

/// What a signature is for: the external AAD, `kith/v1/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The header of an entry.
    Envelope,
    /// An event of a principal, core or label log.
    Event,
    /// A device's agreement to act for a principal.
    Device,
    /// A new root key's agreement.
    KeyChange,
    /// A member's agreement to an act of the quorum.
    Approval,
    /// Proof of the secret on the emergency page.
    Emergency,
    /// A custodian's word on what of a document stands.
    CutPart,
    /// A checkpoint of the access log.
    Audit,
    /// The tree over a bundle file.
    Bundle,
    /// A self-description.
    NameCard,
    /// An act that is put to the members of a recovery set.
    Proposal,
    /// One side's word on a household or support link.
    Household,
}

impl Domain {
    /// The external AAD.
    pub const fn aad(self) -> &'static [u8] {
        match self {
            Self::Envelope => b"kith/v1/envelope",
            Self::Event => b"kith/v1/event",
            Self::Device => b"kith/v1/device",
            Self::KeyChange => b"kith/v1/key-change",
            Self::Approval => b"kith/v1/approval",
            Self::Emergency => b"kith/v1/emergency",
            Self::CutPart => b"kith/v1/cut-part",
            Self::Audit => b"kith/v1/audit",
            Self::Bundle => b"kith/v1/bundle",
            Self::NameCard => b"kith/v1/name-card",
            Self::Proposal => b"kith/v1/proposal",
            Self::Household => b"kith/v1/household",
        }
    }
}

/// A structure that is signed as a whole by a key that it names.
pub trait Signable: Serialize + DeserializeOwned {
    /// What its hash is called.
    type Id: Copy;
    /// What its signature is for.
    const DOMAIN: Domain;
    /// The derive-key context of its id (BLAKE3).
    const ID_CONTEXT: &'static str;

    /// The key that must have signed it.
    fn signer(&self) -> DeviceId;

    /// Wraps the hash of the signed bytes.
    fn id(hash: [u8; 32]) -> Self::Id;
}

impl Signable for Header {
    type Id = EnvelopeId;
    const DOMAIN: Domain = Domain::Envelope;
    const ID_CONTEXT: &'static str = "kith v1 envelope id";

    fn signer(&self) -> DeviceId {
        self.device
    }

    fn id(hash: [u8; 32]) -> EnvelopeId {
        EnvelopeId::from_bytes(hash)
    }
}

impl Signable for Event {
    type Id = EventId;
    const DOMAIN: Domain = Domain::Event;
    const ID_CONTEXT: &'static str = "kith v1 event id";

    fn signer(&self) -> DeviceId {
        self.device
    }

    fn id(hash: [u8; 32]) -> EventId {
        EventId::from_bytes(hash)
    }
}

/// Signed bytes as they arrived; nothing about them has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    bytes: Vec<u8>,
    value: std::marker::PhantomData<T>,
}

/// A value whose signature was checked over the very bytes that are kept with it. A clone is the
/// same once more, not a copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T: Signable>(Arc<Checked<T>>);

#[derive(Debug, PartialEq, Eq)]
struct Checked<T> {
    bytes: Vec<u8>,
    value: T,
    hash: [u8; 32],
}

/// Why signed bytes are not believed.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// Longer than anything that is signed here.
    #[error("the signed part has {0} bytes; none is longer than {SIGNED_LEN_MAX}")]
    Long(usize),
    /// Not a tagged COSE_Sign1 with exactly the headers that are written here.
    #[error("the signature has another form than COSE_Sign1 with EdDSA")]
    Cose,
    /// What was signed is not understood.
    #[error("what was signed is not understood")]
    Content(#[from] DecodeError),
    /// The named key is no key.
    #[error("the key that it names is no Ed25519 key")]
    Key,
    /// The signature does not fit.
    #[error("the signature does not fit the bytes and the key")]
    Signature,
}

impl<T: Signable> Signed<T> {
    /// Takes bytes from outside.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            value: std::marker::PhantomData,
        }
    }

    /// Checks form, content and signature (no keys of small order, no second spelling of a
    /// signature; `docs/decisions/0117`).
    pub fn verify(self) -> Result<Verified<T>, SignatureError> {
        let (value, claim) = self.read()?;
        claim.check()?;
        Ok(self.witness(value))
    }

    /// Checks many: of each what [`Self::verify`] would say, in less time where all of them hold.
    pub fn verify_all(all: Vec<Self>) -> Vec<Result<Verified<T>, SignatureError>> {
        let mut claims = Vec::with_capacity(all.len());
        let mut read = Vec::with_capacity(all.len());
        for signed in all {
            read.push(signed.read().map(|(value, claim)| {
                claims.push(claim);
                (signed, value)
            }));
        }
        let mut checked = signature::check_all(&claims).into_iter();
        let verified = read.into_iter().map(|read| {
            let (signed, value) = read?;
            checked.next().expect("each claim is checked")?;
            Ok(signed.witness(value))
        });
        verified.collect()
    }

    /// Its content, and the signature that is still to be checked.
    fn read(&self) -> Result<(T, Claim), SignatureError> {
        let (payload, signature) = parse(&self.bytes)?;
        let value: T = codec::decode(payload)?;
        let claim = Claim::read(T::DOMAIN, value.signer(), payload, signature)?;
        Ok((value, claim))
    }

    /// Takes bytes that this node verified before it wrote them into its own sealed store.
    ///
    /// The store's seal (an AEAD) stands for the signature. `kith verify` does not use this.
    pub fn trust_own_store(self) -> Result<Verified<T>, SignatureError> {
        let value = self.claimed()?;
        Ok(self.witness(value))
    }

    /// What stands in it, which nobody need have signed.
    pub(crate) fn claimed(&self) -> Result<T, SignatureError> {
        let (payload, _) = parse(&self.bytes)?;
        Ok(codec::decode_trusted(payload)?)
    }

    fn witness(self, value: T) -> Verified<T> {
        Verified::new(self.bytes, value)
    }
}

impl<T: Signable> Verified<T> {
    fn new(bytes: Vec<u8>, value: T) -> Self {
        let hash = blake3::derive_key(T::ID_CONTEXT, &bytes);
        Self(Arc::new(Checked { bytes, value, hash }))
    }

    /// Signs `value` with the key that it names.
    ///
    /// # Panics
    /// When `key` is not the key that `value` names, which is a defect of the caller.
    pub fn sign(value: T, key: &SecretKey) -> Self {
        assert!(value.signer() == key.device(), "signed with another key");
        let bytes = seal(T::DOMAIN, codec::encode(&value), key);
        Self::new(bytes, value)
    }

    /// The hash of the signed bytes.
    pub fn id(&self) -> T::Id {
        T::id(self.0.hash)
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.0.value
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The signed bytes, without a copy where nobody else has them.
    pub fn into_bytes(self) -> Vec<u8> {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.bytes.clone(), |own| own.bytes)
    }
}

impl<T: Signable + Clone> Verified<T> {
    /// The value, without a copy where nobody else has it.
    pub fn into_value(self) -> T {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.value.clone(), |own| own.value)
    }
}

/// A COSE_Sign1 over `payload` in `domain`.
pub fn seal(domain: Domain, payload: Vec<u8>, key: &SecretKey) -> Vec<u8> {
    CoseSign1Builder::new()
        .protected(HeaderBuilder::new().algorithm(Algorithm::EdDSA).build())
        .payload(payload)
        .create_signature(domain.aad(), |message| {
            key.signing().sign(message).to_bytes().to_vec()
        })
        .build()
        .to_tagged_vec()
        .expect("a COSE_Sign1 of byte strings is written to memory")
}

/// Checks a COSE_Sign1 in `domain` by `signer` and returns what was signed.
pub fn unseal(domain: Domain, bytes: &[u8], signer: DeviceId) -> Result<Vec<u8>, SignatureError> {
    let (payload, signature) = parse(bytes)?;
    Claim::read(domain, signer, payload, signature)?.check()?;
    Ok(payload.to_vec())
}

/// The bytes before the payload: tag 18, an array of four, `{1: -8}` as a byte string, no
/// unprotected header.
const PREFIX: &[u8] = &[0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0];

/// The payload and the signature of exactly what [`seal`] writes: one spelling, nothing
/// unprotected, nothing after it.
fn parse(bytes: &[u8]) -> Result<(&[u8], &[u8]), SignatureError> {
    if bytes.len() > SIGNED_LEN_MAX {
        return Err(SignatureError::Long(bytes.len()));
    }
    let rest = bytes.strip_prefix(PREFIX);
    let strings = rest.and_then(codec::two_byte_strings);
    let (payload, signature) = strings.ok_or(SignatureError::Cose)?;
    if signature.len() == SIGNATURE_LENGTH {
        Ok((payload, signature))
    } else {
        Err(SignatureError::Cose)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Domain, SignatureError, Signed, Verified, seal, unseal};
    use crate::{
        id::PrincipalId,
        identity::SecretKey,
        logs::{Act, Event, Frontiers, LogId, PrincipalAct, principal::PrincipalKind},
    };

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    /// The beginning of the log of whoever has this key.
    pub(crate) fn event(key: &SecretKey) -> Event {
        let author = PrincipalId::from_bytes(*key.device().as_bytes());
        Event {
            version: 1,
            log: LogId::Principal(author),
            author,
            staff: None,
            device: key.device(),
            seq: 0,
            prev: None,
            frontiers: Frontiers::default(),
            grant: None,
            time_ms: 1_700_000_000_000,
            act: Act::Principal(PrincipalAct::Begin {
                kind: PrincipalKind::Person,
                sealing_key: [9; 32],
            }),
        }
    }

    #[test]
    fn a_signed_event_verifies_and_keeps_its_id() {
        let verified = Verified::sign(event(&key(1)), &key(1));
        let again = Signed::<Event>::new(verified.bytes().to_vec()).verify();
        let again = again.expect("it was signed");
        assert_eq!(again, verified);
        assert_eq!(again.id(), verified.id());
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let verified = Verified::sign(event(&key(1)), &key(1));
        for bit in 0..verified.bytes().len() * 8 {
            let mut bytes = verified.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Signed::<Event>::new(bytes).verify().is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_signature_is_good_in_its_own_domain_only() {
        let bytes = seal(Domain::Device, b"words".to_vec(), &key(1));
        let device = key(1).device();
        assert_eq!(
            unseal(Domain::Device, &bytes, device).ok(),
            Some(b"words".to_vec())
        );
        assert!(matches!(
            unseal(Domain::Approval, &bytes, device),
            Err(SignatureError::Signature)
        ));
        assert!(unseal(Domain::Device, &bytes, key(2).device()).is_err());
    }

    #[test]
    fn an_event_in_the_name_of_another_key_does_not_verify() {
        let mut forged = event(&key(1));
        forged.device = key(2).device();
        let bytes = seal(Domain::Event, crate::codec::encode(&forged), &key(1));
        assert!(Signed::<Event>::new(bytes).verify().is_err());
    }
}
