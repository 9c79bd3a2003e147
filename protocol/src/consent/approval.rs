//! A member's agreement to an act of the quorum, and the proof of the secret on the emergency page.

use super::devices;
use crate::{
    codec,
    id::{DeviceId, EventId, PrincipalId, RecordId},
    identity::SecretKey,
    intake,
    limits::{CERTIFICATES_MAX, VOUCHING_DEPTH_MAX},
    logs::{Act, CoreAct, Event, Frontiers, LogId, PrincipalAct, principal::Approval},
    signed::{Domain, Verified, seal, unseal},
};

/// What a member signs: the act without its approvals, its log, and what its author had seen, so
/// that an approval serves one act at one time.
pub fn approval_subject(log: &LogId, frontiers: &Frontiers, act: &Act) -> [u8; 32] {
    let mut bare = act.clone();
    if let Some(approvals) = approvals_mut(&mut bare) {
        approvals.clear();
    }
    blake3::derive_key(
        "kith v1 approval subject",
        &codec::encode(&(log, frontiers, bare)),
    )
}

/// Whoever approves: a member of the recovery set.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The member.
    pub principal: PrincipalId,
    /// Its device.
    pub key: &'a SecretKey,
}

impl Member<'_> {
    /// Approves an act; `principal_frontier` are the heads that certify the device.
    pub fn approve(&self, subject: [u8; 32], principal_frontier: Vec<EventId>) -> Approval {
        Approval {
            member: self.principal,
            device: self.key.device(),
            principal_frontier,
            signature: seal(Domain::Approval, subject.to_vec(), self.key),
            certificates: Vec::new(),
        }
    }

    /// Approves a change of somebody's root key, with what of the member's own log certifies the
    /// device; nothing where that log does not.
    pub fn vouch(&self, subject: [u8; 32], log: &[Verified<Event>]) -> Option<Approval> {
        let certificates = devices::certificates(log, self.principal, self.key.device())?;
        Some(Approval {
            certificates,
            ..self.approve(subject, Vec::new())
        })
    }
}

impl Approval {
    /// Whether it shows by itself that its device acts for the member, as one that stands `depth`
    /// approvals within others.
    pub(super) fn is_certified(&self, depth: usize) -> bool {
        if self.certificates.len() > CERTIFICATES_MAX || depth > VOUCHING_DEPTH_MAX {
            return false;
        }
        let log = self.certificates.iter().map(|bytes| intake::event(bytes));
        let log: Result<Vec<_>, _> = log.collect();
        log.is_ok_and(|log| devices::shows(self, &log, depth))
    }

    /// Whether its device signed this subject.
    pub fn signs(&self, subject: [u8; 32]) -> bool {
        unseal(Domain::Approval, &self.signature, self.device).is_ok_and(|signed| signed == subject)
    }
}

/// The approvals that an act carries.
pub fn approvals(act: &Act) -> &[Approval] {
    match act {
        Act::Core(
            CoreAct::Policy { approvals, .. }
            | CoreAct::RecoverySet { approvals, .. }
            | CoreAct::Recover { approvals, .. },
        )
        | Act::Principal(PrincipalAct::KeyChange { approvals, .. }) => approvals,
        Act::Core(_) | Act::Principal(_) | Act::Label(_) => &[],
    }
}

fn approvals_mut(act: &mut Act) -> Option<&mut Vec<Approval>> {
    match act {
        Act::Core(
            CoreAct::Policy { approvals, .. }
            | CoreAct::RecoverySet { approvals, .. }
            | CoreAct::Recover { approvals, .. },
        )
        | Act::Principal(PrincipalAct::KeyChange { approvals, .. }) => Some(approvals),
        Act::Core(_) | Act::Principal(_) | Act::Label(_) => None,
    }
}

/// Proof that whoever opens the record in an emergency holds the secret of its emergency page.
pub fn prove_emergency_secret(
    secret: &SecretKey,
    record: RecordId,
    author: PrincipalId,
    device: DeviceId,
    time_ms: u64,
) -> Vec<u8> {
    let subject = codec::encode(&(record, author, device, time_ms));
    seal(Domain::Emergency, subject, secret)
}

/// Whether a BreakGlass proves the secret whose public key the policy names.
pub(super) fn proves_emergency_secret(
    public: [u8; 32],
    record: RecordId,
    event: &Event,
    proof: &[u8],
) -> bool {
    holds_emergency_secret(
        public,
        record,
        (event.author, event.device, event.time_ms),
        proof,
    )
}

/// Whether somebody's device proved at a time that it holds the secret whose public key this is.
pub fn holds_emergency_secret(
    public: [u8; 32],
    record: RecordId,
    (author, device, time_ms): (PrincipalId, DeviceId, u64),
    proof: &[u8],
) -> bool {
    let subject = codec::encode(&(record, author, device, time_ms));
    unseal(Domain::Emergency, proof, DeviceId::from_bytes(public))
        .is_ok_and(|signed| signed == subject)
}
