//! Invitations: made, presented, accepted.

use kith_protocol::{
    id::{DeviceId, PrincipalId, RecordId},
    identity::NameCard,
    intake,
    limits::{ADDRESS_LEN_MAX, ADDRESSES_MAX},
    logs::{Event, LogId},
    record::event_item,
    signed::Verified,
    store::{Item, Store},
};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{giving::Terms, link::Invited};
use crate::{
    api::{Joined, ShareRequest, Shared},
    failure::{Ending, Failure},
    node::{
        Node,
        identity::{RowKind, read_row, row},
        now_ms,
        peers::Peer,
        show,
    },
};

/// An invitation by link can be used for this long, once.
const INVITATION_LASTS_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// An invitation that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Invitation {
    terms: Terms,
    ends_ms: u64,
}

/// What a node says when it accepts an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinAsk {
    /// The secret of the invitation; the channel is encrypted to the key that the link names.
    #[serde(with = "kith_protocol::codec::array")]
    pub secret: [u8; 16],
    /// Who joins.
    pub card: serde_bytes::ByteBuf,
    /// Their principal log.
    pub log: Vec<serde_bytes::ByteBuf>,
    /// Where they listen.
    pub addresses: Vec<String>,
}

/// What the inviting node answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinAnswer {
    /// The invitation is good.
    Welcome {
        /// The record.
        record: RecordId,
        /// Who shares it.
        card: serde_bytes::ByteBuf,
        /// Their principal log.
        log: Vec<serde_bytes::ByteBuf>,
        /// In words for people.
        see: String,
        /// In words for people.
        add: String,
    },
    /// It is not, with the reason.
    Refused(String),
}

impl Node {
    pub(in crate::node) fn share(&mut self, request: &ShareRequest) -> Result<Shared, Failure> {
        let record = self.record_named(&request.record)?;
        let terms = self.terms(record, request)?;
        let (now, until_ms) = (now_ms(), terms.until_ms);
        if self.addresses.is_empty() {
            return Err(Failure::new(
                Ending::NotRunning,
                "This node is not running, so nobody could reach it with an invitation.",
                "Start it with kith run --listen ADDRESS, then share. Nothing was shared.",
            ));
        }
        self.with_record(record, |node, record| node.may_share(record, &terms))?;
        let mut secret = [0; 16];
        self.rng.fill_bytes(&mut secret);
        let ends_ms = (now + INVITATION_LASTS_MS).min(until_ms);
        let invitation = Invitation { terms, ends_ms };
        let link = Invited {
            device: self.device(),
            addresses: self.addresses.clone(),
            secret,
        };
        self.commit(vec![row(
            RowKind::Invitations,
            &name_of(&secret),
            &invitation,
        )])?;
        Ok(Shared {
            words: None,
            link: link.to_string(),
            until: show::time(until_ms),
            invitation_ends: show::time(ends_ms),
        })
    }

    /// Somebody presents an invitation: once, in time, with a secret that is known.
    pub fn accept(&mut self, device: DeviceId, ask: &JoinAsk) -> Result<JoinAnswer, Failure> {
        let name = name_of(&ask.secret);
        let invitation: Option<Invitation> = read_row(&self.store, RowKind::Invitations, &name)?;
        let refused = |why: &str| Ok(JoinAnswer::Refused(why.to_owned()));
        let Some(invitation) = invitation else {
            return refused("This invitation was used already, or was never made here.");
        };
        if invitation.ends_ms < now_ms() {
            return refused("This invitation has ended. Ask for a new one.");
        }
        let Some(guest) = Guest::check(device, ask) else {
            return refused(
                "Who you are could not be checked. Both sides may need the same version of kith.",
            );
        };
        let record = invitation.terms.record;
        // Committed while the record is out: a failed write leaves no grant in memory.
        self.with_record(record, |node, loaded| {
            let mut items = node.grant(loaded, (guest.principal, &guest.log), &invitation.terms)?;
            items.extend(guest.log.iter().map(event_item));
            items.push(Item::Row {
                key: RowKind::Invitations.key(&name),
                value: None,
            });
            items.push(node.note_peer(guest.principal, |known| {
                guest.peer(known, ask.addresses.clone(), record)
            })?);
            node.commit(items)
        })?;
        Ok(JoinAnswer::Welcome {
            record,
            card: serde_bytes::ByteBuf::from(self.identity.name_card()),
            log: self.own_log()?,
            see: invitation.terms.see.to_string(),
            add: invitation.terms.add.to_string(),
        })
    }

    /// What this node says to accept an invitation.
    pub fn ask(&self, invited: &Invited) -> Result<JoinAsk, Failure> {
        Ok(JoinAsk {
            secret: invited.secret,
            card: serde_bytes::ByteBuf::from(self.identity.name_card()),
            log: self.own_log()?,
            addresses: self.addresses.clone(),
        })
    }

    /// The invitation was good: notes the record and whoever shares it.
    pub fn welcomed(&mut self, invited: &Invited, answer: JoinAnswer) -> Result<Joined, Failure> {
        let (record, card, log, see, add) = match answer {
            JoinAnswer::Welcome {
                record,
                card,
                log,
                see,
                add,
            } => (record, card, log, see, add),
            JoinAnswer::Refused(why) => {
                return Err(Failure::new(
                    Ending::NotAllowed,
                    why,
                    "Ask whoever invited you for a new invitation. Nothing was changed.",
                ));
            }
        };
        let ask = JoinAsk {
            secret: invited.secret,
            card,
            log,
            addresses: invited.addresses.clone(),
        };
        let host = Guest::check(invited.device, &ask).ok_or_else(|| {
            Failure::new(
                Ending::NotAllowed,
                "Whoever answered could not be checked.",
                "Ask for a new invitation. Nothing was changed.",
            )
        })?;
        let mut items: Vec<_> = host.log.iter().map(event_item).collect();
        items.push(self.note_peer(host.principal, |known| {
            host.peer(known, invited.addresses.clone(), record)
        })?);
        self.commit(items)?;
        Ok(Joined {
            record: record.to_string(),
            from: self.name_of(host.principal),
            see,
            add,
        })
    }

    fn own_log(&self) -> Result<Vec<serde_bytes::ByteBuf>, Failure> {
        let log = LogId::Principal(self.identity.principal);
        let events = self.store.events(&log)?;
        Ok(events
            .into_iter()
            .map(|(_, bytes)| serde_bytes::ByteBuf::from(bytes))
            .collect())
    }
}

/// Somebody whose card and principal log were checked against the device that speaks.
struct Guest {
    principal: PrincipalId,
    device: DeviceId,
    card: Vec<u8>,
    log: Vec<Verified<Event>>,
}

impl Guest {
    fn check(device: DeviceId, ask: &JoinAsk) -> Option<Self> {
        let card = NameCard::verify(&ask.card, device).ok()?;
        let log: Vec<_> = ask
            .log
            .iter()
            .map(|bytes| intake::event(bytes))
            .collect::<Result<_, _>>()
            .ok()?;
        let of_principal = LogId::Principal(card.principal);
        let own = log.iter().all(|event| event.value().log == of_principal);
        let certified = kith_protocol::consent::devices::certifies(&log, card.principal, device);
        (own && certified).then(|| Self {
            principal: card.principal,
            device,
            card: ask.card.to_vec(),
            log,
        })
    }

    fn peer(&self, known: Option<Peer>, addresses: Vec<String>, record: RecordId) -> Peer {
        let mut peer = known.unwrap_or_else(|| Peer {
            device: self.device,
            card: Vec::new(),
            addresses: Vec::new(),
            records: std::collections::BTreeSet::new(),
            sent_through: None,
        });
        peer.device = self.device;
        peer.card.clone_from(&self.card);
        if !addresses.is_empty() {
            peer.addresses = addresses
                .into_iter()
                .filter(|address| address.len() <= ADDRESS_LEN_MAX)
                .take(ADDRESSES_MAX)
                .collect();
        }
        peer.records.insert(record);
        peer
    }
}
/// An invitation is stored under the hash of its secret.
fn name_of(secret: &[u8; 16]) -> [u8; 32] {
    blake3::derive_key("kith v1 invitation", secret)
}
