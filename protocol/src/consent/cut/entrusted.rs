//! What an issuer entrusts to a custodian: an issuer who cannot read a document cannot say which
//! of its entries stand, and names somebody who can.

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Section};
use serde::{Deserialize, Serialize};

use super::{CutPart, CutPlace, PartProof, ProvenPart, ascends};
use crate::{
    codec,
    id::{DeviceId, EventId, PrincipalId},
    identity::SecretKey,
    logs::{Event, LogId},
    signed::{Domain, seal, unseal},
};

/// Whose word an issuer accepts, and for what.
///
/// It is about documents that the issuer has no part for; never about events, which decide what
/// else stands. In a label's log it is about that label, elsewhere about all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Custody {
    /// The custodian.
    pub custodian: PrincipalId,
    /// The sections, strictly ascending.
    pub sections: Vec<Section>,
    /// No entry stands by this custodian's word that claims to be later (milliseconds since 1970
    /// UTC), nor any that the custodian wrote: nobody says of their own entries what stands.
    pub until_ms: u64,
}

impl Custody {
    /// Whether it is about a document, where an event in `log` entrusts it.
    pub fn concerns(&self, log: &LogId, document: &DocumentId) -> bool {
        let here = match log {
            LogId::Label(_, label) => *label == document.label,
            LogId::Core(_) | LogId::Principal(_) => true,
        };
        here && self.sections.contains(&document.section)
    }
}

/// A custodian's signature under a part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CustodianWord {
    /// The custodian.
    pub custodian: PrincipalId,
    /// Its device, which signed.
    pub device: DeviceId,
    /// Over the hash of revocation, custodian, device and part.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// Whoever signs parts as a custodian.
#[derive(Clone, Copy, Debug)]
pub struct Custodian<'a> {
    /// The custodian.
    pub principal: PrincipalId,
    /// Its device.
    pub key: &'a SecretKey,
}

impl Custodian<'_> {
    /// Says what of a document stands under a revocation that names this custodian.
    pub fn sign(&self, revocation: EventId, part: CutPart) -> ProvenPart {
        let device = self.key.device();
        let subject = subject(revocation, self.principal, device, &part);
        ProvenPart {
            revocation,
            part,
            proof: PartProof::Custodian(CustodianWord {
                custodian: self.principal,
                device,
                signature: seal(Domain::CutPart, subject.to_vec(), self.key),
            }),
        }
    }
}

impl CustodianWord {
    /// Whether its device signed this part for this revocation, and the part is one that a
    /// custodian can sign: about a document.
    pub fn signs(&self, revocation: EventId, part: &CutPart) -> bool {
        let about_document = matches!(part.place, CutPlace::Document(_));
        let expected = subject(revocation, self.custodian, self.device, part);
        about_document
            && part.documents.is_empty()
            && ascends(&part.chains)
            && unseal(Domain::CutPart, &self.signature, self.device)
                .is_ok_and(|signed| signed == expected)
    }
}

/// What the custodians of an event's cut may say of a document.
pub(in crate::consent) fn entrusted<'a>(
    event: &'a Event,
    document: &DocumentId,
) -> BTreeSet<&'a Custody> {
    let custodies = super::of_act(&event.act).map_or(&[][..], super::Cut::custodies);
    let concerns = |custody: &&Custody| custody.concerns(&event.log, document);
    custodies.iter().filter(concerns).collect()
}

fn subject(
    revocation: EventId,
    custodian: PrincipalId,
    device: DeviceId,
    part: &CutPart,
) -> [u8; 32] {
    blake3::derive_key(
        "kith v1 custodian part",
        &codec::encode(&(revocation, custodian, device, part)),
    )
}
