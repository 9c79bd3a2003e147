//! An envelope as it is stored and sent: whole, or with nothing in it that follows from the rest.
//!
//! Of an entry that only makes resources the change is made again from what it makes
//! ([`kith_crdt::Condensed`]), and the hash that was signed from the change. Only what gives back
//! the very bytes is condensed, and whoever takes it checks signature and hash of what came of it,
//! as of any other: it is a spelling and proves nothing. Which of the two it is, the first byte
//! says.

use kith_crdt::{ChangeHash, Condensed};
use serde::{Deserialize, Serialize};

use crate::{
    author::Entry,
    codec::{self, DecodeError},
    envelope::{Envelope, Header, Payload},
    id::PayloadHash,
    intake::IntakeError,
    signed::Signed,
};

/// The first byte of an envelope that is whole: a map of its two fields.
const WHOLE: u8 = 0xa2;

/// What stands behind the hash of the payload in what is signed, for an entry that carries a
/// change: the signature, after its own length.
const BEHIND_HASH_LEN: usize = 2 + 64;
const HASH_LEN: usize = 32;

/// An envelope without what follows from the rest.
#[derive(Serialize, Deserialize)]
struct CondensedEnvelope {
    /// What was signed, without the hash of the payload.
    #[serde(with = "serde_bytes")]
    signed: Vec<u8>,
    /// The 16 random bytes beside the payload.
    #[serde(with = "crate::codec::array")]
    salt: [u8; 16],
    /// What the change builds on, ascending.
    deps: Vec<Hash>,
    /// Its place among the changes of its actor.
    actor_seq: u64,
    /// The counter of its first operation.
    start_op: u64,
    /// The time that it claims.
    time_ms: u64,
    /// The layout of its operations.
    one_by_one: bool,
    /// What it makes.
    made: String,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Hash(#[serde(with = "crate::codec::array")] [u8; HASH_LEN]);

/// The bytes of an entry: condensed where that gives it back.
pub fn encode(entry: &Entry) -> Vec<u8> {
    let condensed = CondensedEnvelope::of(entry);
    condensed.map_or_else(
        || codec::encode(&entry.clone().into_envelope()),
        |condensed| codec::encode(&condensed),
    )
}

/// Reads an envelope of either spelling.
///
/// # Errors
/// When it is neither. Nothing else of it is checked.
pub fn decode(bytes: &[u8]) -> Result<Envelope, IntakeError> {
    Ok(decode_hashed(bytes)?.0)
}

/// The same, with the hash of the payload where it was made to read it.
pub(crate) fn decode_hashed(bytes: &[u8]) -> Result<(Envelope, Option<PayloadHash>), IntakeError> {
    match Spelling::read(bytes)? {
        Spelling::Whole(envelope) => Ok((envelope, None)),
        Spelling::Condensed(condensed) => {
            let (envelope, hash) = condensed.expand()?;
            Ok((envelope, Some(hash)))
        }
    }
}

/// Reads an envelope that this node checked before it wrote it into its own sealed store.
pub(crate) fn decode_own(bytes: &[u8]) -> Result<Envelope, IntakeError> {
    match Spelling::read_own(bytes)? {
        Spelling::Whole(envelope) => Ok(envelope),
        Spelling::Condensed(condensed) => Ok(condensed.expand()?.0),
    }
}

/// The same envelope, whole.
///
/// # Errors
/// As for [`decode`].
pub fn whole(bytes: Vec<u8>) -> Result<Vec<u8>, IntakeError> {
    if is_whole(&bytes) {
        Ok(bytes)
    } else {
        Ok(codec::encode(&decode(&bytes)?))
    }
}

/// The header of an envelope that this node checked before it wrote it into its own sealed store;
/// of a condensed one it does not say the hash of the payload.
pub(crate) fn own_header(bytes: &[u8]) -> Result<Header, IntakeError> {
    match Spelling::read_own(bytes)? {
        Spelling::Whole(envelope) => header(envelope.signed),
        Spelling::Condensed(condensed) => header(condensed.signed_with(&[0; HASH_LEN])?),
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.first() == Some(&WHOLE)
}

/// An envelope as it is written.
enum Spelling {
    Whole(Envelope),
    Condensed(CondensedEnvelope),
}

impl Spelling {
    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        match is_whole(bytes) {
            true => codec::decode(bytes).map(Self::Whole),
            false => codec::decode(bytes).map(Self::Condensed),
        }
    }

    fn read_own(bytes: &[u8]) -> Result<Self, DecodeError> {
        match is_whole(bytes) {
            true => codec::decode_trusted(bytes).map(Self::Whole),
            false => codec::decode_trusted(bytes).map(Self::Condensed),
        }
    }
}

impl CondensedEnvelope {
    fn of(entry: &Entry) -> Option<Self> {
        let (signed, payload) = (entry.header.bytes(), entry.payload.as_ref()?);
        let hash_at = signed.len().checked_sub(BEHIND_HASH_LEN + HASH_LEN)?;
        let (front, rest) = signed.split_at(hash_at);
        let (hash, back) = rest.split_at(HASH_LEN);
        if hash != payload.hash().as_bytes() {
            return None;
        }
        let change = Condensed::of(&payload.bytes, &entry.header.value().actor())?;
        Some(Self {
            signed: [front, back].concat(),
            salt: payload.salt,
            deps: change.deps.into_iter().map(|dep| Hash(dep.0)).collect(),
            actor_seq: change.actor_seq,
            start_op: change.start_op,
            time_ms: change.time_ms,
            one_by_one: change.one_by_one,
            made: change.made,
        })
    }

    fn expand(mut self) -> Result<(Envelope, PayloadHash), IntakeError> {
        let header = header(self.signed_with(&[0; HASH_LEN])?)?;
        let change = Condensed {
            deps: self.deps.iter().map(|dep| ChangeHash(dep.0)).collect(),
            actor_seq: self.actor_seq,
            start_op: self.start_op,
            time_ms: self.time_ms,
            one_by_one: self.one_by_one,
            made: std::mem::take(&mut self.made),
        };
        let bytes = change.expand(&header.actor());
        let payload = Payload {
            salt: self.salt,
            bytes: bytes.ok_or(IntakeError::Payload)?,
        };
        let hash = payload.hash();
        let envelope = Envelope {
            signed: self.signed_with(hash.as_bytes())?,
            payload: Some(payload),
        };
        Ok((envelope, hash))
    }

    /// What was signed, if this is the hash of the payload.
    fn signed_with(&self, hash: &[u8; HASH_LEN]) -> Result<Vec<u8>, IntakeError> {
        let hash_at = self.signed.len().checked_sub(BEHIND_HASH_LEN);
        let (front, back) = self.signed.split_at(hash_at.ok_or(IntakeError::Payload)?);
        Ok([front, hash, back].concat())
    }
}

/// What stands in a header whose signature was not checked.
fn header(signed: Vec<u8>) -> Result<Header, IntakeError> {
    Ok(Signed::new(signed).claimed()?)
}

#[cfg(test)]
mod tests {
    use kith_crdt::{Body, Document, DocumentId, Edit, Label, Meta, Resource, Section};

    use super::{CondensedEnvelope, encode, own_header, whole};
    use crate::{
        author::{Author, Entry, EntryDraft, NextLink, actor},
        codec,
        consent::grant::Purposes,
        envelope::Payload,
        id::RecordId,
        identity::SecretKey,
        intake::{self, IntakeError},
        logs::Frontiers,
    };

    const NONCE: [u8; 8] = [5; 8];

    /// An entry whose change is by the actor that a nonce makes.
    fn entry(nonce: [u8; 8], edits: &[Edit]) -> Entry {
        let key = SecretKey::from_seed([2; 32]);
        let record = RecordId::from_bytes([1; 32]);
        let document = DocumentId::first(Section::Plans, Label::general());
        let actor = actor(record, &document, key.device(), 0, nonce);
        let written = Document::new().write(actor, 1_700_000_000_000, edits);
        let payload = Payload {
            salt: [9; 16],
            bytes: written.expect("it is written").bytes,
        };
        let author = Author {
            principal: key.principal(),
            key: &key,
            staff: None,
        };
        let draft = EntryDraft {
            record,
            document,
            epoch: 0,
            link: NextLink::FIRST,
            deps: Vec::new(),
            frontiers: Frontiers::default(),
            grant: None,
            purpose: Purposes::CARE,
            time_ms: 1_700_000_000_000,
            actor_nonce: NONCE,
        };
        author.change(draft, payload)
    }

    fn plan(words: &str) -> Edit {
        let text = format!(r#"{{"resourceType":"CarePlan","status":"active","title":"{words}"}}"#);
        Edit::Create(Resource {
            meta: Meta {
                kind: "CarePlan".to_owned(),
                ..Meta::default()
            },
            body: Body::parse(&text, Section::Plans).expect("JSON"),
        })
    }

    #[test]
    fn what_is_condensed_is_the_same_entry_and_shorter() {
        let entry = entry(NONCE, &[plan("at home"), plan("in hospital")]);
        let condensed = encode(&entry);
        let written = codec::encode(&entry.clone().into_envelope());
        assert!(condensed.len() < written.len());
        assert_eq!(intake::entry(&condensed).expect("it holds"), entry);
        assert_eq!(intake::own_entry(&condensed).expect("ours"), entry);
        assert_eq!(whole(condensed.clone()).expect("it was condensed"), written);
        assert_eq!(whole(written.clone()).expect("it is whole"), written);
        let header = own_header(&condensed).expect("ours");
        assert_eq!((header.device, header.seq), {
            let header = entry.header.value();
            (header.device, header.seq)
        });
        assert_eq!(own_header(&written).expect("ours"), *entry.header.value());
    }

    #[test]
    fn a_change_by_another_actor_than_the_headers_stays_whole() {
        let entry = entry([6; 8], &[plan("at home")]);
        let written = codec::encode(&entry.clone().into_envelope());
        assert_eq!(encode(&entry), written);
    }

    #[test]
    fn whatever_is_changed_in_it_the_signature_finds_it() {
        let bytes = encode(&entry(NONCE, &[plan("at home")]));
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(intake::entry(&changed).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn many_at_once_are_read_as_each_by_itself() {
        let good =
            [plan("at home"), plan("in hospital")].map(|made| encode(&entry(NONCE, &[made])));
        let mut all = vec![good[0].clone(), Vec::new(), good[1].clone()];
        for bit in (0..good[0].len() * 8).step_by(61) {
            let mut changed = good[0].clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            all.extend([changed, good[1].clone()]);
        }
        let together = intake::entries(all.iter().map(Vec::as_slice));
        assert_eq!(together.len(), all.len());
        for (bytes, read) in all.iter().zip(together) {
            let alone = intake::entry(bytes);
            assert_eq!(read.is_ok(), good.contains(bytes));
            assert_eq!(read.ok(), alone.ok());
        }
    }

    #[test]
    fn counters_that_no_change_has_are_refused() {
        let bytes = encode(&entry(NONCE, &[plan("at home")]));
        for counter in [0, 1 << 31, u64::MAX - 1, u64::MAX] {
            for of in [0, 1, 2] {
                let mut condensed: CondensedEnvelope = codec::decode(&bytes).expect("condensed");
                let all = [
                    &mut condensed.actor_seq,
                    &mut condensed.start_op,
                    &mut condensed.time_ms,
                ];
                *all.into_iter().nth(of).expect("one of three") = counter;
                assert!(intake::entry(&codec::encode(&condensed)).is_err());
            }
        }
    }

    #[test]
    fn what_makes_no_change_or_too_much_of_one_is_refused() {
        let bytes = encode(&entry(NONCE, &[plan("at home")]));
        for made in [
            "",
            "x",
            "\u{1f}",
            "\u{1f}I",
            "\u{1f}R{}\u{1f}Nname",
            &"\u{1f}R".repeat(1 << 20),
        ] {
            let mut condensed: CondensedEnvelope = codec::decode(&bytes).expect("condensed");
            condensed.made = made.to_owned();
            let refused = intake::entry(&codec::encode(&condensed));
            assert!(
                matches!(
                    refused,
                    Err(IntakeError::Payload | IntakeError::Signature(_))
                ),
                "{refused:?}"
            );
        }
    }
}
