//! Two nodes that do not know each other, over a record that one has and whose emergency page the
//! other holds. Whoever proves the secret gets what it takes to sign that the record is opened;
//! once that was signed and holds, both go on as nodes that have the record in common.

use std::collections::BTreeSet;

use kith_protocol::{
    consent::approval::{holds_emergency_secret, prove_emergency_secret},
    id::{DeviceId, RecordId},
    identity::{NameCard, SecretKey},
    intake,
    limits::CLOCK_SKEW_MS,
    logs::{Act, CoreAct, LogId},
    record::{Record, event_item},
    store::{Item, Store},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{EmergencyLink, Node, is_open};
use crate::{
    api::{OpenRequest, OpenedLine},
    failure::{Ending, Failure},
    node::{guest::Guest, now_ms, peers::Peer},
};

/// What somebody with the code of an emergency page says to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmergencyAsk {
    /// The first word.
    Prove {
        /// The record.
        record: RecordId,
        /// The time, milliseconds since 1970 UTC.
        time_ms: u64,
        /// The proof that they hold the secret, for them, their device and this time.
        #[serde(with = "serde_bytes")]
        proof: Vec<u8>,
        /// Who they are.
        card: ByteBuf,
        /// Their principal log.
        log: Vec<ByteBuf>,
        /// Where they listen.
        addresses: Vec<String>,
    },
    /// The signed event that opens the record.
    Open {
        /// Its bytes.
        #[serde(with = "serde_bytes")]
        event: Vec<u8>,
    },
}

/// What the node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmergencyAnswer {
    /// The secret is the one: what it takes to sign.
    Rights {
        /// Who answers.
        card: ByteBuf,
        /// The record's core log, and the logs of those whom it names.
        events: Vec<ByteBuf>,
    },
    /// The record is open to them.
    Opened,
    /// Nothing is opened: the same for a record that is not here.
    Refused,
}

/// Somebody with the code, whose card and log were checked against the device that speaks.
#[derive(Clone)]
pub struct Caller {
    record: RecordId,
    guest: Guest,
    addresses: Vec<String>,
}

impl Caller {
    fn check(device: DeviceId, ask: &EmergencyAsk) -> Option<Self> {
        let EmergencyAsk::Prove {
            record,
            card,
            log,
            addresses,
            ..
        } = ask
        else {
            return None;
        };
        Some(Self {
            record: *record,
            guest: Guest::check(device, card, log)?,
            addresses: addresses.clone(),
        })
    }

    fn peer(&self, known: Option<Peer>) -> Peer {
        self.guest
            .peer(known, self.addresses.clone(), Some(self.record))
    }
}

impl Node {
    /// What this node's owner says to a node that may hold the record.
    pub fn emergency_ask(&self, link: &EmergencyLink) -> Result<EmergencyAsk, Failure> {
        let secret = SecretKey::from_seed(link.secret);
        let (principal, device, now) = (self.identity.principal, self.device(), now_ms());
        let events = self.store.events(&LogId::Principal(principal))?;
        Ok(EmergencyAsk::Prove {
            record: link.record,
            time_ms: now,
            proof: prove_emergency_secret(&secret, link.record, principal, device, now),
            card: ByteBuf::from(self.identity.name_card()),
            log: events
                .into_iter()
                .map(|(_, bytes)| ByteBuf::from(bytes))
                .collect(),
            addresses: self.addresses.clone(),
        })
    }

    /// Somebody who may be anyone says that they hold the code of an emergency page.
    pub fn emergency_asked(
        &mut self,
        device: DeviceId,
        ask: &EmergencyAsk,
    ) -> Result<Option<(Caller, EmergencyAnswer)>, Failure> {
        let (Some(caller), EmergencyAsk::Prove { time_ms, proof, .. }) =
            (Caller::check(device, ask), ask)
        else {
            return Ok(None);
        };
        let id = caller.record;
        if time_ms.abs_diff(now_ms()) > CLOCK_SKEW_MS || !self.record_is_here(id)? {
            return Ok(None);
        }
        self.with_record(id, |node, record| {
            let policies = record.ledger().policies();
            let mut secrets = policies.iter().filter_map(|rules| rules.emergency_secret);
            let by = (caller.guest.principal(), device, *time_ms);
            if !secrets.any(|public| holds_emergency_secret(public, id, by, proof)) {
                return Ok(None);
            }
            let answer = EmergencyAnswer::Rights {
                card: ByteBuf::from(node.identity.name_card()),
                events: node.rights_to_sign(record)?,
            };
            Ok(Some((caller, answer)))
        })
    }

    /// The core log, and the logs of those who control the record or signed in it.
    fn rights_to_sign(&self, record: &mut Record) -> Result<Vec<ByteBuf>, Failure> {
        let id = record.id();
        let mut people: BTreeSet<_> = record.ledger().controllers().into_iter().collect();
        people.insert(self.identity.principal);
        let mut events = Vec::new();
        for log in self.store.logs(&id)? {
            if !matches!(log, LogId::Core(_)) {
                continue;
            }
            for (_, bytes) in self.store.events(&log)? {
                people.extend(super::super::peers::signers_of(&bytes));
                events.push(ByteBuf::from(bytes));
            }
        }
        for who in people {
            let log = self.store.events(&LogId::Principal(who))?;
            events.extend(log.into_iter().map(|(_, bytes)| ByteBuf::from(bytes)));
        }
        Ok(events)
    }

    /// The other node has the record and sent what it takes: signs that it is opened, notes the
    /// node, and gives the bytes of the event.
    pub fn emergency_shown(
        &mut self,
        (link, hub): (&EmergencyLink, DeviceId),
        answer: &EmergencyAnswer,
        asked: &OpenRequest,
    ) -> Result<(Vec<u8>, OpenedLine), Failure> {
        let EmergencyAnswer::Rights { card, events } = answer else {
            return Err(not_opened());
        };
        let named = NameCard::verify(card, hub).map_err(|_| not_opened())?;
        let sent: Vec<_> = events
            .iter()
            .map(|bytes| intake::event(bytes))
            .collect::<Result<_, _>>()
            .map_err(|_| not_opened())?;
        let own = sent
            .iter()
            .filter(|event| event.value().log == LogId::Principal(named.principal));
        let guest = Guest::of(hub, card, own.cloned().collect()).ok_or_else(not_opened)?;
        let addresses = link.hubs.iter().find(|(device, _)| *device == hub);
        let caller = Caller {
            record: link.record,
            guest,
            addresses: addresses.map(|(_, at)| at.clone()).unwrap_or_default(),
        };
        self.with_record(link.record, |node, record| {
            let known = kith_protocol::sync::certified(
                &node.store,
                &sent,
                kith_protocol::limits::AUTHORITY_EVENTS_MAX,
            )?;
            let mut items = Vec::new();
            for event in sent {
                let of_principal = matches!(event.value().log, LogId::Principal(_));
                if of_principal && !known.contains(&event.id()) {
                    continue;
                }
                items.push(record.arrive_event(event).map_err(|_| not_opened())?);
            }
            record.load_principals(&node.store, [node.identity.principal, named.principal])?;
            let secret = SecretKey::from_seed(link.secret);
            let (opened, item) = node.breaks_glass(record, asked, Some(&secret))?;
            let Item::Event { bytes, .. } = &item else {
                return Err(not_opened());
            };
            let bytes = bytes.clone();
            items.push(item);
            items.extend(node.note_peer(named.principal, |known| caller.peer(known))?);
            items.extend(node.noted(record, &items)?);
            node.commit_noting(items)?;
            let line = node.opened_line(record, &opened)?;
            Ok((bytes, line))
        })
    }

    /// Whoever proved the secret signed that the record is opened.
    pub fn emergency_opened(
        &mut self,
        caller: &Caller,
        ask: &EmergencyAsk,
    ) -> Result<EmergencyAnswer, Failure> {
        let EmergencyAsk::Open { event } = ask else {
            return Ok(EmergencyAnswer::Refused);
        };
        let Ok(event) = intake::event(event) else {
            return Ok(EmergencyAnswer::Refused);
        };
        let value = event.value();
        let opens = value.log == LogId::Core(Some(caller.record))
            && (value.author, value.device) == (caller.guest.principal(), caller.guest.device)
            && matches!(value.act, Act::Core(CoreAct::BreakGlass { .. }));
        if !opens {
            return Ok(EmergencyAnswer::Refused);
        }
        let id = event.id();
        let done = self.with_record(caller.record, |node, record| {
            let mut items: Vec<_> = caller.guest.log.iter().map(event_item).collect();
            for event in &caller.guest.log {
                record.ledger().add_event(event.clone());
            }
            items.push(record.arrive_event(event).map_err(|_| not_opened())?);
            // A failure drops the record, which is loaded again without what was not kept.
            is_open(record, id).ok_or_else(not_opened)?;
            items.extend(node.note_peer(caller.guest.principal(), |known| caller.peer(known))?);
            node.commit(items)
        });
        match done {
            Ok(()) => Ok(EmergencyAnswer::Opened),
            Err(failure) if failure.ending == Ending::NotAllowed => Ok(EmergencyAnswer::Refused),
            Err(failure) => Err(failure),
        }
    }
}

/// The node has no such record, or the code opens nothing any more: it does not say which.
pub(in crate::node) fn not_opened() -> Failure {
    Failure::new(
        Ending::NotAllowed,
        "The record was not opened.",
        "The page may be an old one, or the node may not hold the record: ask the practice by telephone. Nothing was changed.",
    )
}
