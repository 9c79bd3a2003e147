//! What a link says.

use kith_crdt::DocumentId;
use serde::{Deserialize, Serialize};

use crate::{
    consent::grant::Purposes,
    id::{AuditLinkId, BlobId, DeviceId, EnvelopeId, EventId, PrincipalId, RecordId, StaffId},
};

/// A link of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The version, 1.
    pub version: u8,
    /// Its number, from 0.
    pub seq: u64,
    /// The link before it; `None` only at 0.
    pub prev: Option<AuditLinkId>,
    /// When, by the node's own clock, milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// What happened.
    pub what: What,
}

/// What a link is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A device began its access log.
    Begun {
        /// Which.
        device: DeviceId,
        /// Makes the chain one of its own.
        #[serde(with = "crate::codec::array")]
        nonce: [u8; 16],
    },
    /// Something of a record was given out.
    Disclosure(Disclosure),
    /// The device signed all links before this one.
    Checkpoint {
        /// The signed [`super::Checkpoint`].
        #[serde(with = "serde_bytes")]
        signed: Vec<u8>,
    },
}

/// One batch of one record that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// To whom.
    pub to: Audience,
    /// The record.
    pub record: RecordId,
    /// What of it.
    pub documents: Vec<DisclosedDocument>,
    /// Attachments.
    pub attachments: Vec<BlobId>,
    /// The grant under which it was asked for; `None` for a controller.
    pub grant: Option<EventId>,
    /// What for.
    pub purpose: Purposes,
    /// In which way.
    pub how: How,
    /// Content bytes.
    pub len: u64,
}

/// To whom something was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// To these; several only for a bundle that is sealed to several.
    Named(Vec<Recipient>),
    /// To whoever knows a passphrase.
    Passphrase,
    /// To whoever gets hold of it: a plain file, a print.
    Anyone,
}

/// One who was given something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The person or organisation.
    pub principal: PrincipalId,
    /// The device that asked, where one did.
    pub device: Option<DeviceId>,
    /// The member of staff who was signed in.
    pub staff: Option<StaffId>,
}

/// What of one document was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosedDocument {
    /// The document.
    pub document: DocumentId,
    /// Up to where.
    pub extent: Extent,
}

/// How much of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// Its state at these heads, strictly ascending.
    State(Vec<EnvelopeId>),
    /// These entries.
    Entries(Vec<DisclosedRun>),
}

/// Entries of one chain that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosedRun {
    /// The chain's device.
    pub device: DeviceId,
    /// The chain's epoch.
    pub epoch: u32,
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// In which way something was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// Shown on a page or in a terminal.
    Show,
    /// Found by a search that returned the person.
    Search,
    /// Read through the FHIR interface.
    Fhir,
    /// Exported to a file that is no bundle.
    Export,
    /// Printed.
    Print,
    /// Written into a bundle.
    Bundle,
    /// Sent to a peer.
    Sync,
}
