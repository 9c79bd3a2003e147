//! Writing into a record: the one place where edits become signed entries, and acts events.

use kith_crdt::{DocumentId, Edit, Vetted, Written, document::EditError};
use rand_core::CryptoRng;

use super::Record;
use crate::{
    author::{Author, Entry, EntryDraft, EventDraft, actor, heads_of},
    condensed,
    consent::{ContentFacts, Issuer, Writer},
    envelope::{Content, Header, Payload},
    id::{EnvelopeId, EventId, RecordId},
    intake,
    logs::{Act, CoreAct, Event, Frontiers, LogId, principal::RecoverySet, record::Policy},
    signed::Verified,
    store::{ChainPosition, Item},
};

/// Whoever writes, with what its entries need besides a key.
#[derive(Clone, Copy, Debug)]
pub struct Pen<'a> {
    /// Who signs.
    pub author: Author<'a>,
    /// The nonce of its Automerge actors: fresh at every process start.
    pub nonce: [u8; 8],
    /// Claimed time, milliseconds since 1970 UTC.
    pub time_ms: u64,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The document does not take the edits.
    #[error("the record does not take this")]
    Edit(#[from] EditError),
    /// A part of the record cannot be begun anew now.
    #[error(
        "only someone who controls the record begins a part of it anew, once nothing in it waits for a decision"
    )]
    Epoch,
}

impl Record {
    /// Begins a record: its Genesis, with the author as controller.
    pub fn begin(
        pen: &Pen<'_>,
        principal_log: &[Verified<Event>],
        recovery: RecoverySet,
        policy: Policy,
        rng: &mut impl CryptoRng,
    ) -> (Self, Item) {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let genesis = pen.author.event(EventDraft {
            log: LogId::Core(None),
            link: crate::author::NextLink::FIRST,
            frontiers: Frontiers {
                principal: heads_of(principal_log),
                ..Frontiers::default()
            },
            grant: None,
            time_ms: pen.time_ms,
            act: Act::Core(CoreAct::Genesis {
                nonce,
                controller: pen.author.principal,
                recovery,
                policy,
            }),
        });
        let mut record = Self::new(RecordId::from_bytes(*genesis.id().as_bytes()));
        record.own = Some(pen.author.key.device());
        for event in principal_log {
            record.ledger.add_event(event.clone());
        }
        let item = record.add_event(genesis);
        (record, item)
    }

    /// Signs the act that somebody may sign.
    pub fn act(&mut self, pen: &Pen<'_>, issuer: Issuer) -> (EventId, Item) {
        let frontiers = self
            .ledger
            .frontiers_for(issuer.log(), &pen.author.principal);
        self.act_citing(pen, issuer, frontiers)
    }

    /// Signs an act that others agreed to, as it was put to them: citing what was held then.
    pub fn act_citing(
        &mut self,
        pen: &Pen<'_>,
        issuer: Issuer,
        frontiers: Frontiers,
    ) -> (EventId, Item) {
        let (log, grant, act) = issuer.into_parts();
        let link = self.ledger.next_event(pen.author.key.device(), &log);
        let event = pen.author.event(EventDraft {
            log,
            link,
            frontiers,
            grant,
            time_ms: pen.time_ms,
            act,
        });
        (event.id(), self.add_event(event))
    }

    fn add_event(&mut self, event: Verified<Event>) -> Item {
        let item = event_item(&event);
        self.ledger.add_event(event);
        item
    }

    /// Makes all edits in a document as one signed entry.
    ///
    /// # Errors
    /// When one of them cannot be made; then nothing is written.
    pub fn write(
        &mut self,
        pen: &Pen<'_>,
        writer: &Writer,
        edits: &[Edit],
        rng: &mut impl CryptoRng,
    ) -> Result<(Item, Written), WriteError> {
        let document = writer.document().clone();
        let device = pen.author.key.device();
        let epoch = self.ledger.chain_epoch(device, &document);
        let link = self.ledger.next_entry(device, epoch, &document);
        let deps = self.ledger.heads(&document);
        let nonce = self.nonce(pen, link.prev, &document, rng);
        let actor = actor(self.id, &document, device, epoch, nonce);
        let written = self.made(&document).write(actor, pen.time_ms, edits)?;
        self.opened(&document).wrote(edits, &written.created);
        let payload = payload(&written, rng);
        let frontiers = self
            .ledger
            .frontiers(&document.label, &pen.author.principal);
        let draft = EntryDraft {
            record: self.id,
            document: document.clone(),
            epoch,
            link,
            deps,
            frontiers,
            grant: writer.grant(),
            purpose: writer.purpose(),
            time_ms: pen.time_ms,
            actor_nonce: nonce,
        };
        let entry = pen.author.change(draft, payload);
        let id = entry.id();
        let item = entry_item(&entry);
        self.add_vetted(
            entry,
            change_facts(&written.vetted),
            Some(written.vetted.clone()),
        );
        if let Some(opened) = self.open.get_mut(&document) {
            opened.entries.insert(id);
        }
        Ok((item, written))
    }

    /// Makes contested or marked entries of a document count.
    pub fn adopt(&mut self, pen: &Pen<'_>, writer: &Writer, mut entries: Vec<EnvelopeId>) -> Item {
        entries.sort_unstable();
        entries.dedup();
        let document = writer.document().clone();
        let device = pen.author.key.device();
        let epoch = self.ledger.chain_epoch(device, &document);
        let draft = EntryDraft {
            record: self.id,
            epoch,
            link: self.ledger.next_entry(device, epoch, &document),
            deps: self.ledger.heads(&document),
            frontiers: self
                .ledger
                .frontiers(&document.label, &pen.author.principal),
            document,
            grant: writer.grant(),
            purpose: writer.purpose(),
            time_ms: pen.time_ms,
            actor_nonce: pen.nonce,
        };
        let entry = pen.author.entry(draft, Content::Adopt { entries }, None);
        let item = entry_item(&entry);
        self.ledger.add_entry(entry.header, ContentFacts::None);
        item
    }

    /// The pen's nonce, or a fresh one when the device's own last entry is not loaded: the
    /// Automerge actor must not go on where others cannot see what it did.
    fn nonce(
        &mut self,
        pen: &Pen<'_>,
        last: Option<EnvelopeId>,
        document: &DocumentId,
        rng: &mut impl CryptoRng,
    ) -> [u8; 8] {
        let loaded = self.ledger.loaded(document).main;
        if last.is_none_or(|last| loaded.contains(&last)) {
            return pen.nonce;
        }
        let mut nonce = [0; 8];
        rng.fill_bytes(&mut nonce);
        nonce
    }
}

/// What is found out about the content of an entry, and the change where it passes vetting.
pub(super) fn facts(entry: &Entry) -> (ContentFacts, Option<Vetted>) {
    let header = entry.header.value();
    let payload = match (header.payload(), &entry.payload) {
        (None, _) => return (ContentFacts::None, None),
        (Some(_), None) => return (ContentFacts::Erased, None),
        (Some(_), Some(payload)) => payload,
    };
    match vetted(header, &payload.bytes) {
        Err(why) => (ContentFacts::Refused(why), None),
        Ok(vetted) => {
            let facts = change_facts(&vetted);
            (facts, Some(vetted))
        }
    }
}

pub(super) fn change_facts(vetted: &Vetted) -> ContentFacts {
    ContentFacts::Change {
        hash: vetted.hash().0,
        deps: vetted.deps().iter().map(|hash| hash.0).collect(),
        actor_seq: vetted.actor_seq(),
    }
}

fn vetted(header: &Header, bytes: &[u8]) -> Result<Vetted, String> {
    let vetted = kith_crdt::vet(bytes).map_err(|refusal| refusal.to_string())?;
    if vetted.actor() != header.actor() {
        return Err("its Automerge actor is not the one of its header".to_owned());
    }
    let begins = matches!(header.content, Content::CarryOver { .. });
    if vetted.carries_over() != begins || begins && !header.deps.is_empty() {
        return Err("what it carries over does not begin an epoch".to_owned());
    }
    Ok(vetted)
}

pub(super) fn payload(written: &Written, rng: &mut impl CryptoRng) -> Payload {
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    Payload {
        salt,
        bytes: written.bytes.clone(),
    }
}

/// An event as it is stored.
pub fn event_item(event: &Verified<Event>) -> Item {
    let value = event.value();
    Item::Event {
        log: intake::stored_log(value, event.id()),
        id: event.id(),
        bytes: event.bytes().to_vec(),
        position: ChainPosition {
            device: value.device,
            epoch: 0,
            seq: value.seq,
        },
    }
}

/// An entry as it is stored.
pub fn entry_item(entry: &Entry) -> Item {
    came_as(entry, condensed::encode(entry))
}

/// An entry that came, as its bytes are.
pub(super) fn came_as(entry: &Entry, bytes: Vec<u8>) -> Item {
    let header = entry.header.value();
    Item::Entry {
        record: header.record,
        document: header.document.clone(),
        id: entry.id(),
        position: ChainPosition {
            device: header.device,
            epoch: header.epoch,
            seq: header.seq,
        },
        bytes,
    }
}
