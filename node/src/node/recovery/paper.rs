//! What goes from hand to hand when several people agree to one act: a signed question, and each
//! agreement, as text that can be sent, pasted or read from a file.

use kith_protocol::{
    codec,
    consent::{
        Ledger,
        approval::{Member, approval_subject},
        devices,
    },
    id::{DeviceId, PrincipalId, RecordId},
    intake,
    logs::{Act, Event, Frontiers, LogId, principal::Approval},
    signed::{Domain, Verified, seal, unseal},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::{
    failure::{Ending, Failure},
    node::{identity::Identity, scheme},
};

const ASKED: &str = "kith:asked/";
const AGREED: &str = "kith:agreed/";
/// Bytes of such a text: an organisation's log of its devices and staff is in it.
const LEN_MAX: usize = 1 << 20;

/// An act that others are to agree to, with what its author had seen: they agree to that one act
/// at that one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proposal {
    pub(super) record: RecordId,
    pub(super) author: PrincipalId,
    pub(super) frontiers: Frontiers,
    pub(super) act: Act,
    /// Whose record it is, in the words of whoever asks.
    pub(super) person: String,
    /// What whoever asks calls the people whom it is about.
    pub(super) names: Vec<(PrincipalId, String)>,
}

impl Proposal {
    pub(super) fn subject(&self) -> [u8; 32] {
        let log = LogId::Core(Some(self.record));
        approval_subject(&log, &self.frontiers, &self.act)
    }
}

/// A question, with the log that certifies whoever asks.
#[derive(Serialize, Deserialize)]
struct Asked {
    device: DeviceId,
    signed: ByteBuf,
    log: Vec<ByteBuf>,
}

/// One member's agreement, with the log that certifies its device.
#[derive(Serialize, Deserialize)]
pub(in crate::node) struct Agreement {
    #[serde(with = "codec::array")]
    pub(in crate::node) subject: [u8; 32],
    pub(in crate::node) approval: Approval,
    log: Vec<ByteBuf>,
    /// Where the member's node is, for somebody who knows nobody any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::node) place: Option<Place>,
}

/// A node that somebody may go to.
#[derive(Serialize, Deserialize)]
pub(in crate::node) struct Place {
    /// Its owner's signed name card.
    pub(in crate::node) card: ByteBuf,
    /// Where it listens.
    pub(in crate::node) addresses: Vec<String>,
}

impl Agreement {
    /// Of this node's owner, whose log it is: the approval cites its heads, and all of it goes
    /// along.
    pub(super) fn of(identity: &Identity, subject: [u8; 32], log: &[Verified<Event>]) -> Self {
        let own = identity.principal;
        // Which record it is of does not matter for that.
        let mut ledger = Ledger::new(RecordId::from_bytes([0; 32]));
        for event in log {
            ledger.add_event(event.clone());
        }
        let heads = ledger.frontiers_for(&LogId::Principal(own), &own).principal;
        let member = Member {
            principal: own,
            key: &identity.device,
        };
        Self {
            subject,
            approval: member.approve(subject, heads),
            log: bytes_of(log),
            place: None,
        }
    }

    /// The same to a new key for somebody, who needs no other log to show it, and is told where
    /// this node is; nothing where the owner's own log is too long to show.
    pub(in crate::node) fn to_key(
        identity: &Identity,
        subject: [u8; 32],
        log: &[Verified<Event>],
        addresses: Vec<String>,
    ) -> Option<Self> {
        let member = Member {
            principal: identity.principal,
            key: &identity.device,
        };
        Some(Self {
            subject,
            approval: member.vouch(subject, log)?,
            log: bytes_of(log),
            place: Some(Place {
                card: ByteBuf::from(identity.name_card()),
                addresses,
            }),
        })
    }

    /// The member's log, where it certifies the device that signed for this subject.
    pub(in crate::node) fn checked(&self) -> Result<Vec<Verified<Event>>, Failure> {
        let log = read_log(&self.log, self.approval.member)?;
        let theirs = devices::certifies(&log, self.approval.member, self.approval.device);
        if theirs && self.approval.signs(self.subject) {
            Ok(log)
        } else {
            Err(not_understood("an agreement"))
        }
    }

    pub(in crate::node) fn to_text(&self) -> String {
        scheme::written(AGREED, self)
    }

    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        read(AGREED, text).ok_or_else(|| not_understood("an agreement"))
    }
}

/// A question of this node's owner, as text.
pub(super) fn ask(identity: &Identity, proposal: &Proposal, log: &[Verified<Event>]) -> String {
    let asked = Asked {
        device: identity.device.device(),
        signed: ByteBuf::from(seal(
            Domain::Proposal,
            codec::encode(proposal),
            &identity.device,
        )),
        log: bytes_of(log),
    };
    scheme::written(ASKED, &asked)
}

/// What a question asks, once its signature holds and its author's own log knows the device.
pub(super) fn read_question(text: &str) -> Result<Proposal, Failure> {
    let wrong = || not_understood("a question about a record");
    let asked: Asked = read(ASKED, text).ok_or_else(wrong)?;
    let signed = unseal(Domain::Proposal, &asked.signed, asked.device).map_err(|_| wrong())?;
    let proposal: Proposal = codec::decode(&signed).map_err(|_| wrong())?;
    let log = read_log(&asked.log, proposal.author)?;
    if devices::certifies(&log, proposal.author, asked.device) {
        Ok(proposal)
    } else {
        Err(wrong())
    }
}

/// Whether a text is meant to be an agreement.
pub(super) fn is_agreement(text: &str) -> bool {
    text.trim().starts_with(AGREED)
}

pub(in crate::node) fn bytes_of(log: &[Verified<Event>]) -> Vec<ByteBuf> {
    let bytes = log.iter().map(|event| ByteBuf::from(event.bytes()));
    bytes.collect()
}

pub(in crate::node) fn read_log(
    log: &[ByteBuf],
    of: PrincipalId,
) -> Result<Vec<Verified<Event>>, Failure> {
    log.iter()
        .map(|bytes| {
            let event = intake::event(bytes).ok();
            event
                .filter(|event| event.value().log == LogId::Principal(of))
                .ok_or_else(|| not_understood("what was sent"))
        })
        .collect()
}

/// Line breaks and spaces are left out: a letter or a mail program may have put some in.
pub(in crate::node) fn read<T: DeserializeOwned + Serialize>(
    scheme: &str,
    text: &str,
) -> Option<T> {
    if text.len() > LEN_MAX {
        return None;
    }
    let text: String = text.split_whitespace().collect();
    scheme::read(scheme, &text)
}

pub(in crate::node) fn not_understood(what: &str) -> Failure {
    Failure::new(
        Ending::NotUnderstood,
        format!("That is not {what}, or a part of it is missing or was changed."),
        "Have it sent again, from kith: to its end. Nothing was changed.",
    )
}
