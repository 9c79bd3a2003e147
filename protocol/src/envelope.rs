//! One commit, one signed envelope.
//!
//! The signed part is the header; the payload and its 16 random bytes travel beside it, so that
//! they can be compressed, sealed or one day erased while chain and signature still verify.

use kith_crdt::DocumentId;
use serde::{Deserialize, Serialize};

use crate::{
    consent::grant::Purposes,
    id::{DeviceId, EnvelopeId, EventId, PayloadHash, PrincipalId, RecordId, StaffId},
    logs::Frontiers,
};

/// The signed part of an envelope. A chain is (device, epoch, document): `seq` and `prev` count
/// there and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Format version, 1.
    pub version: u8,
    /// The version of the vetting rules that the author applied.
    pub vetting: u8,
    /// The record.
    pub record: RecordId,
    /// The document, with the document's own epoch.
    pub document: DocumentId,
    /// On whose behalf it was written.
    pub author: PrincipalId,
    /// The member of staff who wrote it, where the author is an organisation with staff.
    pub staff: Option<StaffId>,
    /// The key that signed it.
    pub device: DeviceId,
    /// The chain's epoch: a device opens a new one after a restore or a re-grant.
    pub epoch: u32,
    /// Position in its chain, from 0.
    pub seq: u64,
    /// The envelope before it in its chain; `None` only at 0.
    pub prev: Option<EnvelopeId>,
    /// The envelopes of this document that it builds on, strictly ascending.
    pub deps: Vec<EnvelopeId>,
    /// What its author had seen of the core log, the label's log and its own principal log.
    pub frontiers: Frontiers,
    /// The grant it acts under; `None` for a controller.
    pub grant: Option<EventId>,
    /// What for; exactly one bit.
    pub purpose: Purposes,
    /// Claimed time, milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Makes the Automerge actor, with device, document and epoch.
    #[serde(with = "crate::codec::array")]
    pub actor_nonce: [u8; 8],
    /// What it carries.
    pub content: Content,
}

/// What an envelope carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// An uncompressed Automerge change.
    Change(PayloadRef),
    /// An Automerge change that begins an epoch with what survived of the one before; the payload
    /// names the envelope that wrote each element.
    CarryOver {
        /// The change.
        payload: PayloadRef,
        /// The epoch that it continues, and the heads there.
        from: DocumentId,
        /// The loaded heads of that epoch, strictly ascending.
        heads: Vec<EnvelopeId>,
    },
    /// Makes contested or marked entries of this document count.
    Adopt {
        /// Which, strictly ascending.
        entries: Vec<EnvelopeId>,
    },
    /// Says that the payloads of entries were erased.
    Erased {
        /// Which, strictly ascending.
        entries: Vec<EnvelopeId>,
        /// Why, in words for people; nothing clinical.
        reason: String,
    },
}

/// The payload that belongs to an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadRef {
    /// Its length in bytes.
    pub len: u32,
    /// H(16 random bytes || payload).
    pub hash: PayloadHash,
}

/// An envelope as it is stored and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// COSE_Sign1 over the header, domain `kith/v1/envelope`, as received.
    #[serde(with = "serde_bytes")]
    pub signed: Vec<u8>,
    /// What travels beside it; `None` when there is no payload or it was erased.
    pub payload: Option<Payload>,
}

/// A payload with the random bytes that keep its hash from being guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The 16 random bytes.
    #[serde(with = "crate::codec::array")]
    pub salt: [u8; 16],
    /// The change.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}
