//! The access log: who was shown what, as a chain of links that nobody changes unseen.
//!
//! One disclosure is one link, and the link is durable **before** the first byte leaves:
//!
//! 1. Before anything is sent, shown, printed or written, the node takes a copy of its
//!    [`AuditChain`] and appends the [`Disclosure`] to the copy.
//! 2. It commits the link (`store::Item::Audit`) and the copy (a row) in one commit. Several
//!    disclosures may share a commit; a full disk means that nothing is disclosed.
//! 3. When the commit has returned, it keeps the copy as its chain and lets the bytes go. When the
//!    commit fails, it drops the copy: the chain is where it was.
//!
//! ```
//! # use kith_protocol::{audit::*, consent::grant::Purposes, id::*, identity::SecretKey};
//! # use kith_protocol::store::Item;
//! # let key = SecretKey::from_seed([1; 32]);
//! # let disclosure = Disclosure {
//! #     to: Audience::Passphrase, record: RecordId::from_bytes([2; 32]), documents: vec![],
//! #     attachments: vec![], grant: None, purpose: Purposes::CARE, how: How::Bundle, len: 0,
//! # };
//! # fn commit(_: Vec<Item>) -> Result<(), std::io::Error> { Ok(()) }
//! let (mut chain, first) = AuditChain::begin(key.device(), [7; 16], 1_700_000_000_000);
//! commit(vec![Item::Audit { bytes: first }])?;
//!
//! let mut next = chain.clone();
//! let link = next.append(1_700_000_000_500, disclosure)?;
//! commit(vec![Item::Audit { bytes: link }])?;
//! chain = next;
//! // Only now do the bytes leave.
//! # assert_eq!(chain.head().seq, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every so many links a [`checkpoint`](AuditChain::checkpoint) is signed. It stands in the chain
//! as a link of its own: a later change of anything before it needs the key, and where somebody
//! else keeps it, their silence too. Nodes do not give each other checkpoints yet. What came after
//! the last one can be cut off unseen, which [`Audited::vouched`] says.
//!
//! A recipient's own further reading is not seen here.

mod entry;
mod verify;

use serde::{Deserialize, Serialize};

use crate::{
    codec,
    id::{AuditLinkId, DeviceId},
    identity::SecretKey,
    limits::{AUDIT_CHECKPOINT_EVERY, AUDIT_LINK_LEN_MAX, DISCLOSURE_LEN_MAX},
    signed::{Domain, SignatureError, seal, unseal},
};

pub use entry::{
    Audience, AuditEntry, DisclosedDocument, DisclosedRun, Disclosure, Extent, How, Recipient, What,
};
pub use verify::{AuditError, Audited, verify};

/// The version that is written into links and checkpoints.
pub const AUDIT_VERSION: u8 = 1;

/// The last link of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Its number, from 0.
    pub seq: u64,
    /// The hash of its bytes.
    pub id: AuditLinkId,
}

/// Where a device's access log stands. A device has one, which begins with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChain {
    device: DeviceId,
    head: AuditHead,
    checkpoint: u64,
}

/// Why a disclosure has no link: it must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much in one batch.
    #[error("a batch holds {DISCLOSURE_LEN_MAX} bytes at most, this one has {0}: send it in parts")]
    Batch(u64),
    /// Too long a list.
    #[error("the link has {0} bytes, at most {AUDIT_LINK_LEN_MAX} are taken: disclose it in parts")]
    Link(usize),
}

/// What a checkpoint signs (domain `kith/v1/audit`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The version, 1.
    pub version: u8,
    /// Whose access log.
    pub device: DeviceId,
    /// The link that was last, which covers all before it.
    pub head: AuditHead,
    /// Claimed time, milliseconds since 1970 UTC.
    pub time_ms: u64,
}

/// A signed checkpoint and the link that keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The COSE_Sign1, for peers to keep.
    pub signed: Vec<u8>,
    /// The link, for the store.
    pub link: Vec<u8>,
}

impl AuditChain {
    /// Begins a device's access log: the chain and its first link, for `store::Item::Audit`.
    pub fn begin(device: DeviceId, nonce: [u8; 16], time_ms: u64) -> (Self, Vec<u8>) {
        let entry = AuditEntry {
            version: AUDIT_VERSION,
            seq: 0,
            prev: None,
            time_ms,
            what: What::Begun { device, nonce },
        };
        let bytes = codec::encode(&entry);
        let chain = Self {
            device,
            head: AuditHead {
                seq: 0,
                id: link_id(&bytes),
            },
            checkpoint: 0,
        };
        (chain, bytes)
    }

    /// Appends a disclosure: its link, for `store::Item::Audit`. On an error nothing is appended.
    pub fn append(&mut self, time_ms: u64, what: Disclosure) -> Result<Vec<u8>, AppendError> {
        if what.how == How::Sync && what.len > DISCLOSURE_LEN_MAX {
            return Err(AppendError::Batch(what.len));
        }
        self.link(time_ms, What::Disclosure(what))
    }

    /// Whether enough links were appended for the next checkpoint.
    pub const fn wants_checkpoint(&self) -> bool {
        self.head.seq - self.checkpoint >= AUDIT_CHECKPOINT_EVERY
    }

    /// Signs what is here and appends the checkpoint as a link.
    ///
    /// # Panics
    /// When `key` is not the device's, which is a defect of the caller.
    pub fn checkpoint(&mut self, time_ms: u64, key: &SecretKey) -> SignedCheckpoint {
        assert!(key.device() == self.device, "signed with another key");
        let checkpoint = Checkpoint {
            version: AUDIT_VERSION,
            device: self.device,
            head: self.head,
            time_ms,
        };
        let signed = seal(Domain::Audit, codec::encode(&checkpoint), key);
        let what = What::Checkpoint {
            signed: signed.clone(),
        };
        let link = self.link(time_ms, what).expect("a checkpoint is short");
        self.checkpoint = self.head.seq;
        SignedCheckpoint { signed, link }
    }

    /// The last link.
    pub const fn head(&self) -> AuditHead {
        self.head
    }

    /// Whose access log it is.
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    fn link(&mut self, time_ms: u64, what: What) -> Result<Vec<u8>, AppendError> {
        let seq = self.head.seq + 1;
        let bytes = codec::encode(&AuditEntry {
            version: AUDIT_VERSION,
            seq,
            prev: Some(self.head.id),
            time_ms,
            what,
        });
        if bytes.len() > AUDIT_LINK_LEN_MAX {
            return Err(AppendError::Link(bytes.len()));
        }
        let id = link_id(&bytes);
        self.head = AuditHead { seq, id };
        Ok(bytes)
    }
}

impl Checkpoint {
    /// Reads a checkpoint that `device` signed.
    pub fn read(signed: &[u8], device: DeviceId) -> Result<Self, SignatureError> {
        let checkpoint: Self = codec::decode(&unseal(Domain::Audit, signed, device)?)?;
        if checkpoint.device == device && checkpoint.version == AUDIT_VERSION {
            Ok(checkpoint)
        } else {
            Err(SignatureError::Signature)
        }
    }
}

/// The hash of a link's bytes.
pub fn link_id(bytes: &[u8]) -> AuditLinkId {
    AuditLinkId::from_bytes(blake3::derive_key("kith v1 audit link", bytes))
}
