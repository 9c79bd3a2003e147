//! The texts by which somebody gets a new key: what is known of a person, and the question.

use kith_protocol::{
    author::{EventDraft, NextLink},
    codec,
    consent::{approval::approval_subject, devices},
    id::{DeviceId, PrincipalId},
    identity::{NameCard, SecretKey, agreed_to_stand_for},
    logs::{Act, Event, Frontiers, LogId, PrincipalAct, principal::Approval},
    signed::{Domain, Verified, seal, unseal},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    failure::Failure,
    node::{
        identity::Role,
        recovery::paper::{bytes_of, not_understood, read, read_log},
        scheme,
    },
    pairing::words::phrase_of_hash,
};

const PERSON: &str = "kith:person/";
const LOST: &str = "kith:lost/";

/// What somebody's people know of them: their log, and their name card with the device that signed
/// it.
#[derive(Serialize, Deserialize)]
struct Told {
    device: DeviceId,
    card: ByteBuf,
    log: Vec<ByteBuf>,
    /// What whoever tells it calls the people who were named.
    names: Names,
}

/// What people are called somewhere.
pub(super) type Names = Vec<(PrincipalId, String)>;

/// The same, checked.
pub(super) struct Person {
    pub(super) principal: PrincipalId,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) log: Vec<Verified<Event>>,
    pub(super) names: Names,
}

impl Person {
    pub(super) fn to_text(
        (device, card): (DeviceId, &[u8]),
        log: &[Verified<Event>],
        names: Names,
    ) -> String {
        let told = Told {
            device,
            card: ByteBuf::from(card),
            log: bytes_of(log),
            names,
        };
        scheme::written(PERSON, &told)
    }

    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let wrong = || not_understood("what kith recover person prints");
        let told: Told = read(PERSON, text).ok_or_else(wrong)?;
        let card = NameCard::verify(&told.card, told.device).map_err(|_| wrong())?;
        let log = read_log(&told.log, card.principal)?;
        let acted = devices::ever(&log, card.principal);
        let is_theirs = acted.contains(&told.device)
            && log
                .iter()
                .all(|event| acted.contains(&event.value().device));
        let role = Role::named(&card.role).filter(|_| is_theirs);
        Ok(Self {
            principal: card.principal,
            name: card.name,
            role: role.ok_or_else(wrong)?,
            log,
            names: told.names,
        })
    }
}

/// A change of somebody's key that their people are to agree to, with what it cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) principal: PrincipalId,
    pub(super) frontiers: Frontiers,
    pub(super) act: PrincipalAct,
}

impl Question {
    pub(super) fn subject(&self) -> [u8; 32] {
        let log = LogId::Principal(self.principal);
        approval_subject(&log, &self.frontiers, &Act::Principal(self.act.clone()))
    }

    /// The event that is agreed to, before it is signed.
    pub(super) fn draft(&self, given: &[Approval], time_ms: u64) -> EventDraft {
        let mut act = self.act.clone();
        if let PrincipalAct::KeyChange { approvals, .. } = &mut act {
            *approvals = given.to_vec();
            approvals.sort_by_key(|given| given.member);
        }
        EventDraft {
            log: LogId::Principal(self.principal),
            link: NextLink::FIRST,
            frontiers: self.frontiers.clone(),
            grant: None,
            time_ms,
            act: Act::Principal(act),
        }
    }

    /// What the person reads out to each who is to agree: of all that is agreed to.
    pub(super) fn check_words(&self) -> String {
        phrase_of_hash(&blake3::derive_key(
            "kith v1 new key check words",
            &self.subject(),
        ))
    }

    /// The new root key, where this is a change to one that agreed to stand for the person.
    fn key(&self) -> Option<DeviceId> {
        let PrincipalAct::KeyChange {
            key,
            proof,
            approvals,
            ..
        } = &self.act
        else {
            return None;
        };
        let key = DeviceId::from_bytes(*key);
        (approvals.is_empty() && agreed_to_stand_for(self.principal, key, proof)).then_some(key)
    }

    /// As a text, signed by the new key itself, with the log that it is about.
    pub(super) fn to_text(&self, root: &SecretKey, log: &[Verified<Event>]) -> String {
        let asked = Asked {
            signed: ByteBuf::from(seal(Domain::Proposal, codec::encode(self), root)),
            key: root.device(),
            log: bytes_of(log),
        };
        scheme::written(LOST, &asked)
    }

    /// A question, once the new key's own signatures hold, and the log that it is about.
    pub(super) fn read(text: &str) -> Result<(Self, Vec<Verified<Event>>), Failure> {
        let wrong = || not_understood("a question about somebody's new key");
        let asked: Asked = read(LOST, text).ok_or_else(wrong)?;
        let signed = unseal(Domain::Proposal, &asked.signed, asked.key).map_err(|_| wrong())?;
        let question: Self = codec::decode(&signed).map_err(|_| wrong())?;
        if question.key() != Some(asked.key) {
            return Err(wrong());
        }
        let log = read_log(&asked.log, question.principal)?;
        Ok((question, log))
    }
}

#[derive(Serialize, Deserialize)]
struct Asked {
    key: DeviceId,
    signed: ByteBuf,
    log: Vec<ByteBuf>,
}

/// Whether a text is meant to be a question about somebody's new key.
pub(in crate::node) fn is_question(text: &str) -> bool {
    text.trim().starts_with(LOST)
}
