//! Writing as somebody: the one place where events and entries get their chain positions, their
//! frontiers and their signature.

use std::collections::BTreeSet;

use kith_crdt::{Actor, DocumentId};

use crate::{
    consent::grant::Purposes,
    envelope::{Content, Envelope, Header, Payload, PayloadRef},
    id::{DeviceId, EnvelopeId, EventId, PayloadHash, PrincipalId, RecordId, StaffId},
    identity::SecretKey,
    limits::FRONTIER_MAX,
    logs::{Act, Event, Frontiers, LogId, PrincipalAct},
    signed::Verified,
};

/// The version that is written into events and headers.
pub const FORMAT_VERSION: u8 = 1;

/// Whoever signs.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// On whose behalf.
    pub principal: PrincipalId,
    /// With which key: a device's, or a principal's root key.
    pub key: &'a SecretKey,
    /// As which member of staff.
    pub staff: Option<StaffId>,
}

/// Where the next link of a chain goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextLink<Id> {
    /// Its position, from 0.
    pub seq: u64,
    /// What stands before it.
    pub prev: Option<Id>,
}

impl<Id> NextLink<Id> {
    /// The beginning of a chain.
    pub const FIRST: Self = Self { seq: 0, prev: None };

    /// After the link at `seq`.
    pub const fn after(seq: u64, id: Id) -> Self {
        Self {
            seq: seq + 1,
            prev: Some(id),
        }
    }
}

/// An event before it is signed.
#[derive(Clone, Debug)]
pub struct EventDraft {
    /// The log that it joins.
    pub log: LogId,
    /// Its place in the signing key's chain there.
    pub link: NextLink<EventId>,
    /// What its author has seen.
    pub frontiers: Frontiers,
    /// The grant that it acts under.
    pub grant: Option<EventId>,
    /// Claimed time, milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// What it does.
    pub act: Act,
}

/// An entry before it is signed.
#[derive(Clone, Debug)]
pub struct EntryDraft {
    /// The record.
    pub record: RecordId,
    /// The document.
    pub document: DocumentId,
    /// The chain's epoch.
    pub epoch: u32,
    /// Its place in its chain.
    pub link: NextLink<EnvelopeId>,
    /// What it builds on, in any order.
    pub deps: Vec<EnvelopeId>,
    /// What its author has seen.
    pub frontiers: Frontiers,
    /// The grant that it acts under.
    pub grant: Option<EventId>,
    /// What for.
    pub purpose: Purposes,
    /// Claimed time, milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// The nonce of its Automerge actor.
    pub actor_nonce: [u8; 8],
}

impl Author<'_> {
    /// Signs an event.
    pub fn event(&self, draft: EventDraft) -> Verified<Event> {
        let event = Event {
            version: FORMAT_VERSION,
            log: draft.log,
            author: self.principal,
            staff: self.staff,
            device: self.key.device(),
            seq: draft.link.seq,
            prev: draft.link.prev,
            frontiers: draft.frontiers,
            grant: draft.grant,
            time_ms: draft.time_ms,
            act: draft.act,
        };
        Verified::sign(event, self.key)
    }

    /// Signs an act in the author's own principal log, on top of everything that is in it.
    pub fn own_event(
        &self,
        log: &[Verified<Event>],
        time_ms: u64,
        act: PrincipalAct,
    ) -> Verified<Event> {
        let own = |event: &&Verified<Event>| event.value().device == self.key.device();
        let last = log.iter().filter(own).max_by_key(|event| event.value().seq);
        let link = last.map_or(NextLink::FIRST, |event| {
            NextLink::after(event.value().seq, event.id())
        });
        self.event(EventDraft {
            log: LogId::Principal(self.principal),
            link,
            frontiers: Frontiers {
                principal: heads_of(log),
                ..Frontiers::default()
            },
            grant: None,
            time_ms,
            act: Act::Principal(act),
        })
    }

    /// Signs an entry that carries an Automerge change.
    pub fn change(&self, draft: EntryDraft, payload: Payload) -> Entry {
        let content = Content::Change(payload.reference());
        self.entry(draft, content, Some(payload))
    }

    /// Signs an entry.
    pub fn entry(&self, draft: EntryDraft, content: Content, payload: Option<Payload>) -> Entry {
        let mut deps = draft.deps;
        deps.sort_unstable();
        deps.dedup();
        let header = Header {
            version: FORMAT_VERSION,
            vetting: 1,
            record: draft.record,
            document: draft.document,
            author: self.principal,
            staff: self.staff,
            device: self.key.device(),
            epoch: draft.epoch,
            seq: draft.link.seq,
            prev: draft.link.prev,
            deps,
            frontiers: draft.frontiers,
            grant: draft.grant,
            purpose: draft.purpose,
            time_ms: draft.time_ms,
            actor_nonce: draft.actor_nonce,
            content,
        };
        Entry {
            header: Verified::sign(header, self.key),
            payload,
        }
    }
}

/// The heads of a log, ascending: what no other event of it names; at most as many as may be named.
pub(crate) fn heads_of(log: &[Verified<Event>]) -> Vec<EventId> {
    let named: BTreeSet<_> = log
        .iter()
        .flat_map(|event| {
            let value = event.value();
            value
                .prev
                .into_iter()
                .chain(value.frontiers.iter().copied())
        })
        .collect();
    let heads = log.iter().map(Verified::id);
    let heads: BTreeSet<_> = heads.filter(|id| !named.contains(id)).collect();
    heads.into_iter().take(FRONTIER_MAX).collect()
}

/// A checked header with what travels beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The signed part.
    pub header: Verified<Header>,
    /// The payload; `None` when there is none or it was erased.
    pub payload: Option<Payload>,
}

impl Entry {
    /// Its id.
    pub fn id(&self) -> EnvelopeId {
        self.header.id()
    }

    /// As it is stored and sent.
    pub fn into_envelope(self) -> Envelope {
        Envelope {
            signed: self.header.into_bytes(),
            payload: self.payload,
        }
    }
}

impl Payload {
    /// What the header says of it.
    ///
    /// # Panics
    /// When the payload has 4 GiB or more: limits are far below.
    pub fn reference(&self) -> PayloadRef {
        PayloadRef {
            len: u32::try_from(self.bytes.len()).expect("a payload is bounded by CHANGE_LEN_MAX"),
            hash: self.hash(),
        }
    }

    /// H(16 random bytes || payload).
    pub fn hash(&self) -> PayloadHash {
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 payload");
        hasher.update(&self.salt);
        hasher.update(&self.bytes);
        PayloadHash::from_bytes(*hasher.finalize().as_bytes())
    }
}

impl Header {
    /// The Automerge actor that must have made the change.
    pub fn actor(&self) -> Actor {
        actor(
            self.record,
            &self.document,
            self.device,
            self.epoch,
            self.actor_nonce,
        )
    }

    /// What the header says of its payload, where it has one.
    pub const fn payload(&self) -> Option<PayloadRef> {
        match &self.content {
            Content::Change(payload) | Content::CarryOver { payload, .. } => Some(*payload),
            Content::Adopt { .. } | Content::Erased { .. } => None,
        }
    }
}

/// H(device, record, document, chain epoch, nonce), its first 16 bytes.
pub fn actor(
    record: RecordId,
    document: &DocumentId,
    device: DeviceId,
    epoch: u32,
    nonce: [u8; 8],
) -> Actor {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 automerge actor");
    hasher.update(device.as_bytes());
    hasher.update(record.as_bytes());
    hasher.update(&crate::codec::encode(document));
    hasher.update(&epoch.to_be_bytes());
    hasher.update(&nonce);
    let mut actor = [0; 16];
    hasher.finalize_xof().fill(&mut actor);
    Actor(actor)
}
