//! Invitations, shares, and the end of shares.

mod link;
mod scopes;

use std::collections::BTreeMap;

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::{
        GrantFate, GrantState,
        cut::CutTree,
        grant::{Actions, Basis, Grant, Purposes},
    },
    id::{DeviceId, PrincipalId, RecordId},
    identity::NameCard,
    intake,
    limits::{ADDRESS_LEN_MAX, ADDRESSES_MAX},
    logs::{
        Act, Event, LabelAct, LogId,
        record::{Link, Revoke},
    },
    record::{Record, event_item},
    signed::Verified,
    store::{Item, Store},
};
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_row, row},
    now_ms,
    peers::Peer,
    show,
};
use crate::{
    api::{Keep, ShareLine, ShareRequest, Shared, Sharing, Stopped},
    failure::{Ending, Failure},
};

pub use link::Invited;
use scopes::Scopes;

/// An invitation by link can be used for this long, once.
const INVITATION_LASTS_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// An invitation that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Invitation {
    record: RecordId,
    see: Scopes,
    add: Scopes,
    until_ms: u64,
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
    pub(super) fn share(&mut self, request: &ShareRequest) -> Result<Shared, Failure> {
        let record = self.record_named(&request.record)?;
        let see: Scopes = request.see.parse()?;
        let add: Scopes = match &request.add {
            Some(add) => add.parse()?,
            None => Scopes::default(),
        };
        let until_ms = end_of(&request.until)?;
        let now = now_ms();
        if until_ms <= now {
            return Err(Failure::new(
                Ending::Usage,
                format!("{} has passed.", request.until),
                "Name a day in the future. Nothing was shared.",
            ));
        }
        if self.addresses.is_empty() {
            return Err(Failure::new(
                Ending::NotRunning,
                "This node is not running, so nobody could reach it with an invitation.",
                "Start it with kith run --listen ADDRESS, then share. Nothing was shared.",
            ));
        }
        self.with_record(record, |node, record| node.may_share(record, &see, &add))?;
        let mut secret = [0; 16];
        self.rng.fill_bytes(&mut secret);
        let ends_ms = (now + INVITATION_LASTS_MS).min(until_ms);
        let invitation = Invitation {
            record,
            see,
            add,
            until_ms,
            ends_ms,
        };
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

    /// Only a controller shares in this version; sharing on comes with the engine's delegation.
    fn may_share(&self, record: &mut Record, see: &Scopes, add: &Scopes) -> Result<(), Failure> {
        if see.is_empty() && add.is_empty() {
            return Err(Failure::new(
                Ending::Usage,
                "Nothing is named that they could see.",
                "Name sections, such as --see allergies,medicines,plans, or --see all.",
            ));
        }
        if record
            .ledger()
            .controllers()
            .contains(&self.identity.principal)
        {
            return Ok(());
        }
        Err(Failure::new(
            Ending::NotAllowed,
            "This record is controlled elsewhere, so it cannot be shared from here.",
            "Ask whoever shares it with you.",
        ))
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
        let record = invitation.record;
        // Committed while the record is out: a failed write leaves no grant in memory.
        self.with_record(record, |node, loaded| {
            let mut items = node.grant(loaded, &guest, &invitation)?;
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
            see: invitation.see.to_string(),
            add: invitation.add.to_string(),
        })
    }

    /// The grants of an invitation: one for each label and set of actions.
    fn grant(
        &mut self,
        record: &mut Record,
        guest: &Guest,
        invitation: &Invitation,
    ) -> Result<Vec<Item>, Failure> {
        let now = now_ms();
        let mut items: Vec<_> = Vec::new();
        for event in &guest.log {
            record.ledger().add_event(event.clone());
        }
        for (label, actions, sections) in rights(&invitation.see, &invitation.add) {
            let grant = Grant {
                audience: guest.principal,
                sections,
                actions,
                from_ms: now,
                until_ms: Some(invitation.until_ms),
                purposes: Purposes::CARE.union(Purposes::EMERGENCY),
                basis: Basis::Consent,
                depth: 0,
                parent: None,
                custodians: Vec::new(),
            };
            let act = Act::Label(LabelAct::Grant(grant));
            let (_, item) = self.act(record, Some(&label), act, now)?;
            items.push(item);
        }
        Ok(items)
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
    pub fn welcomed(
        &mut self,
        invited: &Invited,
        answer: JoinAnswer,
    ) -> Result<crate::api::Joined, Failure> {
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
        Ok(crate::api::Joined {
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

    pub(super) fn sharing(&mut self, word: &str) -> Result<Sharing, Failure> {
        let id = self.record_named(word)?;
        let shares = self.with_record(id, |_, record| Ok(shares(record)))?;
        let shares = shares
            .into_iter()
            .map(|share| self.share_line(&share))
            .collect();
        Ok(Sharing { shares })
    }

    fn share_line(&self, share: &Share) -> ShareLine {
        let scopes = |with: Actions| {
            let grants = share
                .grants
                .iter()
                .filter(|grant| grant.grant.actions.contains(with));
            grants
                .map(|grant| (grant.label.clone(), grant.grant.sections.clone()))
                .collect::<Scopes>()
                .to_string()
        };
        ShareLine {
            id: share.id(),
            who: share.audience.to_string(),
            name: self.name_of(share.audience),
            see: scopes(Actions::READ),
            add: scopes(Actions::APPEND),
            until: share
                .grants
                .first()
                .and_then(|grant| grant.grant.until_ms)
                .map(show::time),
            state: share.state(now_ms()).to_owned(),
        }
    }

    pub(super) fn stop(&mut self, word: &str, share: &str, keep: Keep) -> Result<Stopped, Failure> {
        let id = self.record_named(word)?;
        let audience = self.with_record(id, |node, record| {
            let share = node.share_named(record, share)?;
            let now = now_ms();
            let mut items = Vec::new();
            for grant in share
                .grants
                .iter()
                .filter(|grant| grant.state == GrantFate::Active)
            {
                items.extend(node.revoke(record, grant, keep, now)?);
            }
            node.commit(items)?;
            Ok((share.audience, share.id()))
        })?;
        let name = self.name_of(audience.0);
        Ok(Stopped {
            share: audience.1,
            note: format!(
                "Nothing more goes to {name}. kith cannot take back what {name} already has."
            ),
            name,
        })
    }

    fn revoke(
        &mut self,
        record: &mut Record,
        grant: &GrantState,
        keep: Keep,
        now: u64,
    ) -> Result<Vec<Item>, Failure> {
        let link = Link::Grant(grant.id);
        let parts = match keep {
            Keep::All => record.ledger().keep_everything(link),
            Keep::NoneAfter(time_ms) => record.ledger().keep_none_after(link, time_ms),
        };
        let cut = CutTree::new(parts);
        let act = Act::Label(LabelAct::Revoke(Revoke {
            link,
            cut: cut.cut(),
            keep: Vec::new(),
            void: Vec::new(),
            is_final: false,
        }));
        let (event, item) = self.act(record, Some(&grant.label), act, now)?;
        let mut items = vec![item];
        for part in cut.proven(event) {
            items.push(Item::Part {
                record: record.id(),
                revocation: event,
                bytes: kith_protocol::codec::encode(&part),
            });
            record.ledger().add_part(part);
        }
        Ok(items)
    }

    fn share_named(&self, record: &mut Record, word: &str) -> Result<Share, Failure> {
        let lower = word.to_lowercase();
        let mut found: Vec<_> = shares(record)
            .into_iter()
            .filter(Share::is_active)
            .filter(|share| {
                share.id() == word
                    || share.audience.to_string() == word
                    || self.name_of(share.audience).to_lowercase() == lower
            })
            .collect();
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(Failure::new(
                Ending::Failed,
                format!("There is no share called {word:?} that could be stopped."),
                "Run kith sharing RECORD to see who can see what.",
            )),
            n => Err(Failure::new(
                Ending::NeedsPerson,
                format!("{word:?} fits {n} shares."),
                "Name one by its id: kith sharing RECORD lists them.",
            )),
        }
    }
}

/// Grants that were issued together to one principal.
struct Share {
    audience: PrincipalId,
    grants: Vec<GrantState>,
}

impl Share {
    fn id(&self) -> String {
        let first = self.grants.iter().map(|grant| grant.id).min();
        first.map_or_else(String::new, |id| id.to_string()[..12].to_owned())
    }

    fn is_active(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.state == GrantFate::Active)
    }

    fn state(&self, now: u64) -> &'static str {
        let ended = self
            .grants
            .iter()
            .all(|grant| grant.grant.until_ms.is_some_and(|until| until < now));
        match (self.is_active(), ended) {
            (true, false) => "active",
            (true, true) => "ended",
            (false, _) => "stopped",
        }
    }
}

fn shares(record: &mut Record) -> Vec<Share> {
    let mut shares: BTreeMap<(PrincipalId, PrincipalId, u64), Share> = BTreeMap::new();
    for grant in record.ledger().grants() {
        let key = (grant.issuer, grant.grant.audience, grant.grant.from_ms);
        let audience = grant.grant.audience;
        let share = shares.entry(key).or_insert_with(|| Share {
            audience,
            grants: Vec::new(),
        });
        share.grants.push(grant);
    }
    shares.into_values().collect()
}

/// Labels with the sections that can be seen, and those that can be added to.
fn rights(see: &Scopes, add: &Scopes) -> Vec<(Label, Actions, Vec<Section>)> {
    let mut rights = Vec::new();
    for label in see
        .labels()
        .chain(add.labels())
        .cloned()
        .collect::<std::collections::BTreeSet<_>>()
    {
        let adding: Vec<_> = add.sections(&label);
        let seeing: Vec<_> = see
            .sections(&label)
            .into_iter()
            .filter(|section| !adding.contains(section))
            .collect();
        if !seeing.is_empty() {
            rights.push((label.clone(), Actions::READ, seeing));
        }
        if !adding.is_empty() {
            rights.push((label, Actions::READ.union(Actions::APPEND), adding));
        }
    }
    rights
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

/// The end of a day, or an instant, in milliseconds since 1970 UTC.
pub(super) fn end_of(text: &str) -> Result<u64, Failure> {
    moment(text, |day| day.tomorrow().ok())
}

/// The beginning of a day, or an instant, in milliseconds since 1970 UTC.
pub fn start_of(text: &str) -> Result<u64, Failure> {
    moment(text, Some)
}

fn moment(
    text: &str,
    midnight_of: impl Fn(jiff::civil::Date) -> Option<jiff::civil::Date>,
) -> Result<u64, Failure> {
    let instant = text.parse::<jiff::Timestamp>().ok();
    let day = || {
        let midnight = midnight_of(text.parse().ok()?)?.at(0, 0, 0, 0);
        jiff::tz::Offset::UTC.to_timestamp(midnight).ok()
    };
    let time = instant.or_else(day).ok_or_else(|| {
        Failure::new(
            Ending::Usage,
            format!("{text:?} is not a day."),
            "Write it as 2027-06-30. Nothing was changed.",
        )
    })?;
    Ok(u64::try_from(time.as_millisecond()).unwrap_or(0))
}
