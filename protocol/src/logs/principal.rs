//! What a principal's own log can say: its keys, its devices, its staff.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    consent::cut::Cut,
    id::{DeviceId, EventId, PrincipalId, StaffId},
};

/// An act in a principal log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalAct {
    /// The first event, signed by the root key whose bytes are the principal's id.
    Begin {
        /// Person or organisation.
        kind: PrincipalKind,
        /// X25519 public key to which bundles for this principal are sealed.
        #[serde(with = "crate::codec::array")]
        sealing_key: [u8; 32],
    },
    /// A device joins, added by the signing device or by the root key; one parent each.
    DeviceAdd {
        /// The new device's key.
        device: DeviceId,
        /// Its own signature over (principal, device, the adding key), domain `kith/v1/device`:
        /// proof that the key agreed to this parent and no other.
        #[serde(with = "serde_bytes")]
        proof: Vec<u8>,
    },
    /// A device leaves, with a cut over what it wrote.
    DeviceRetire {
        /// The device.
        device: DeviceId,
        /// The last of its own events in this log that stands.
        last: Option<EventId>,
        /// What of its entries and of its events in records stands.
        cut: Cut,
        /// Stops that it signed, unknown to whoever retired it first, which do not hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        void: Vec<EventId>,
    },
    /// A member of staff may act for this organisation.
    StaffAdd {
        /// A random id, meaning nothing outside.
        staff: StaffId,
        /// The device that this person signs with, or `None` where they sign in at the
        /// organisation's own node.
        device: Option<DeviceId>,
        /// The role in plain words, such as `nurse`.
        role: String,
        /// What the role may do.
        may: crate::consent::grant::Actions,
        /// No longer from then on, milliseconds since 1970 UTC.
        until_ms: Option<u64>,
    },
    /// A member of staff leaves: one event for all records.
    StaffEnd {
        /// Who.
        staff: StaffId,
        /// What of their entries stands.
        cut: Cut,
        /// Stops that they signed, unknown to whoever ended them first, which do not hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        void: Vec<EventId>,
    },
    /// A new root key, signed by the one before or by the recovery quorum.
    KeyChange {
        /// The new root public key.
        #[serde(with = "crate::codec::array")]
        key: [u8; 32],
        /// Its own signature over (principal, key), domain `kith/v1/key-change`.
        #[serde(with = "serde_bytes")]
        proof: Vec<u8>,
        /// Approvals of the recovery set, where the old key is lost.
        approvals: Vec<Approval>,
        /// What the old key wrote in records and stands; its events in this log stand where
        /// this event has seen them. Without approvals the old key ends and nothing is cut.
        cut: Cut,
        /// X25519 public key to which bundles for this principal are sealed from now on, where it
        /// changes too: whoever lost every device lost the secret half of the one before.
        #[serde(
            default,
            with = "crate::codec::optional_array",
            skip_serializing_if = "Option::is_none"
        )]
        sealing_key: Option<[u8; 32]>,
    },
    /// Who may recover this principal.
    RecoverySet(RecoverySet),
}

/// Whether a principal is a human being or an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// A patient or carer.
    Person,
    /// A practice, hospital, care home, laboratory or service.
    Organisation,
}

/// `needed` of `members` together may recover; `needed` is more than half.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySet {
    /// How many must agree.
    pub needed: u8,
    /// Who, strictly ascending.
    pub members: Vec<PrincipalId>,
}

/// One member's signature over the body of a quorum act, domain `kith/v1/approval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The member of the set.
    pub member: PrincipalId,
    /// The device of that member which signed.
    pub device: DeviceId,
    /// The heads of the member's principal log that certify the device.
    pub principal_frontier: Vec<EventId>,
    /// COSE_Sign1 over what [`approval_subject`](crate::consent::approval::approval_subject) says.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// In a KeyChange, in place of the frontier: the signed events of the member's log that
    /// certify its device, so that whoever reads the principal's log needs no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<ByteBuf>,
}
