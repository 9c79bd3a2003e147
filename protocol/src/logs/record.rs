//! What a record's core log and label logs can say.

use kith_crdt::{Label, Section};
use serde::{Deserialize, Serialize};

use crate::{
    consent::{cut::Cut, grant::Grant},
    id::{DeviceId, EventId, PrincipalId, RecordId, StaffId},
    logs::principal::{Approval, RecoverySet},
};

/// An act in a record's core log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CoreAct {
    /// The first event. Its hash is the record's id.
    Genesis {
        /// Makes the id unguessable.
        #[serde(with = "crate::codec::array")]
        nonce: [u8; 16],
        /// The first controller; the event's author.
        controller: PrincipalId,
        /// Who may recover the record.
        recovery: RecoverySet,
        /// The first policy.
        policy: Policy,
    },
    /// Replaces the policy: by a controller with one member of the recovery set, or the quorum.
    Policy {
        /// The new policy.
        policy: Policy,
        /// At least one member beside a controller, or the quorum.
        approvals: Vec<Approval>,
    },
    /// Replaces the recovery set, on the same terms as the policy.
    RecoverySet {
        /// The new set.
        set: RecoverySet,
        /// At least one member of the old set beside a controller, or the quorum.
        approvals: Vec<Approval>,
    },
    /// Adds a co-controller, hands over, or lets someone act for the person.
    Control(Control),
    /// The quorum revokes the root and installs the next controller.
    Recover {
        /// The Recover that it follows, if any.
        previous: Option<EventId>,
        /// What of the old controllers' doing stands.
        cut: Cut,
        /// Grants that stay with everything below them.
        keep: Vec<EventId>,
        /// Revocations that it had seen and that no longer stand.
        void: Vec<EventId>,
        /// The next controller.
        controller: PrincipalId,
        /// The quorum.
        approvals: Vec<Approval>,
    },
    /// Proposes, confirms or withdraws that two records are about one person.
    SamePerson {
        /// The other record.
        other: RecordId,
        /// What is said of it.
        link: LinkState,
        /// Why, in words shown to whoever decides.
        evidence: String,
    },
    /// Emergency access by someone whom the policy names.
    BreakGlass {
        /// Why, in the words of whoever opened it.
        reason: String,
        /// The end, 4 to 24 hours after the claimed time; milliseconds since 1970 UTC.
        until_ms: u64,
        /// Proof of the secret printed on the emergency page: a signature, with the key that the
        /// secret is the seed of, over (record, author, device, time); `None` where the policy
        /// names the author.
        secret_proof: Option<serde_bytes::ByteBuf>,
        /// The sections asked for.
        sections: Vec<Section>,
    },
}

/// Standing rules of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Principals that may break the glass, strictly ascending.
    pub emergency: Vec<PrincipalId>,
    /// The public key whose seed is the secret on the printed emergency page: who reads the log
    /// can check a proof and cannot make one.
    #[serde(with = "crate::codec::optional_array")]
    pub emergency_secret: Option<[u8; 32]>,
    /// Labels that an emergency opens, strictly ascending.
    pub emergency_labels: Vec<Label>,
}

/// A change in who controls the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// Another controller beside the present ones.
    Add {
        /// Who.
        controller: PrincipalId,
        /// In what capacity.
        capacity: Capacity,
    },
    /// The signing controller gives its control to another.
    HandOver {
        /// Who.
        controller: PrincipalId,
        /// In what capacity.
        capacity: Capacity,
    },
    /// The signing controller stops being one.
    Leave,
}

/// Why someone controls a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capacity {
    /// The patient.
    Self_,
    /// An organisation that keeps the record.
    Keeper,
    /// Someone who acts for the patient.
    ActingFor {
        /// On what ground.
        ground: ActingGround,
        /// The end, milliseconds since 1970 UTC.
        until_ms: Option<u64>,
        /// A document that shows it, by its words.
        evidence: String,
    },
}

/// The ground on which someone acts for a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActingGround {
    /// Parental responsibility.
    Parent,
    /// Lasting power of attorney or its like.
    PowerOfAttorney,
    /// Best interests decision.
    BestInterests,
}

/// What a SamePerson event says of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Someone noticed.
    Proposed,
    /// A person decided that it is so.
    Confirmed,
    /// It is not, or no longer, so.
    Withdrawn,
}

/// An act in a record's log for one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LabelAct {
    /// Gives a right.
    Grant(Grant),
    /// Takes a right, with a cut.
    Revoke(Revoke),
    /// The audience gives its own right back, from now on: no cut, contests nothing.
    Renounce {
        /// The grant.
        grant: EventId,
    },
    /// Says that a grant's end has passed.
    Lapse {
        /// The grant.
        grant: EventId,
        /// What was written in time.
        cut: Cut,
    },
    /// An issuer's word on a suspended revocation beneath it.
    Confirm {
        /// The suspended revocation.
        revocation: EventId,
    },
}

/// A revocation of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// What is revoked.
    pub link: Link,
    /// What was written under it and stands.
    pub cut: Cut,
    /// Grants below the link that stay with all below them, strictly ascending.
    pub keep: Vec<EventId>,
    /// Revocations issued by whoever is hit that it had seen and that no longer stand, strictly
    /// ascending.
    pub void: Vec<EventId>,
    /// Whether revocations by whoever is hit that it had not seen are void too.
    pub is_final: bool,
}

/// A link of an entry's chain of authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Link {
    /// A grant.
    Grant(EventId),
    /// A device.
    Device(DeviceId),
    /// A member of staff.
    Staff(StaffId),
    /// The root: every controller there was, revoked by a Recover.
    Root,
}
