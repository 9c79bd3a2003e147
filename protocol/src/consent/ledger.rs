//! Everything held of one record, and what follows from it.
//!
//! The status of an entry is a pure function of the set of events, parts of cuts and entries that
//! were added: the order in which they came never matters, and twice is once. Nothing that was
//! added is ever dropped.

mod authority;
mod chains;
mod control;
mod custodians;
mod decide;
mod document;
mod emergency;
mod entries;
mod grants;
mod judge;
mod keep;
mod lapses;
mod material;
mod need;
mod past;
mod quota;
mod review;
mod same_person;
mod view;
mod voiding;

use kith_crdt::{DocumentId, Label};

use self::{authority::Authority, entries::Entries};
pub use self::{
    control::Controller,
    emergency::Emergency,
    grants::{Effective, GrantFate, GrantState},
    quota::Full,
    review::ReviewItem,
    same_person::SaidLink,
    voiding::{Ended, Voiding},
};
use super::{
    cut::ProvenPart,
    decision::{Reader, Whoever},
    grant::Purposes,
    status::Status,
};
use crate::{
    author::NextLink,
    envelope::Header,
    id::{DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    logs::{Event, Frontiers, LogId},
    planted::{self, Planted},
    signed::Verified,
};

/// What was found out about the content of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentFacts {
    /// It carries an Automerge change.
    Change {
        /// The change's hash.
        hash: [u8; 32],
        /// The hashes of the changes that it builds on.
        deps: Vec<[u8; 32]>,
        /// Its position among the changes of its actor.
        actor_seq: u64,
    },
    /// It carries no change: an adoption, or a word on erasing.
    None,
    /// Its payload was erased.
    Erased,
    /// Vetting refuses the content: for everyone alike.
    Refused(String),
    /// Vetting passed it and this build cannot read it.
    Unreadable(String),
}

/// What of a document is to be materialised, in causal order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Material {
    /// The document: closed under what its entries build on.
    pub main: Vec<EnvelopeId>,
    /// Documents beside it, each closed in itself: one for each change that shares actor and seq
    /// with one in the main document.
    pub sides: Vec<Vec<EnvelopeId>>,
}

/// Everything held of one record.
#[derive(Clone, Debug)]
pub struct Ledger {
    authority: Authority,
    entries: Entries,
    rounds: u64,
}

impl Ledger {
    /// Nothing yet.
    pub fn new(record: RecordId) -> Self {
        Self {
            authority: Authority::new(record),
            entries: Entries::default(),
            rounds: 0,
        }
    }

    /// Takes in an event of the core log, a label log or a principal's log.
    pub fn add_event(&mut self, event: Verified<Event>) {
        if self.authority.add(event) {
            self.settle();
        }
    }

    /// Takes in a part of a cut. It counts once the revocation is held and it proves itself.
    pub fn add_part(&mut self, part: ProvenPart) {
        if self.authority.add_part(part) {
            self.settle();
        }
    }

    /// Takes in an entry with what was found out about its content.
    pub fn add_entry(&mut self, header: Verified<Header>, facts: ContentFacts) {
        let known = self.entries.index.contains_key(&header.id());
        if self.entries.add(&mut self.authority, header, facts) && known {
            self.entries.judge_again(&mut self.authority);
        }
    }

    /// How many events and entries are held: what it takes of memory grows with that.
    pub const fn held_len(&self) -> usize {
        self.authority.known.len() + self.entries.held.len()
    }

    /// Whether an event is held.
    pub fn holds_event(&self, event: &EventId) -> bool {
        self.authority.at(event).is_some()
    }

    /// Whether an entry is held.
    pub fn holds_entry(&self, entry: &EnvelopeId) -> bool {
        self.entries.index.contains_key(entry)
    }

    fn settle(&mut self) {
        let fresh = std::mem::take(&mut self.authority.fresh);
        let reweighed = std::mem::take(&mut self.authority.reweighed);
        let known = reweighed.into_iter().any(|at| self.entries.any_saw(at));
        if self.rounds == self.authority.rounds && !known {
            self.entries.wake(&mut self.authority, &fresh);
        } else {
            self.rounds = self.authority.rounds;
            self.entries.judge_again(&mut self.authority);
        }
    }

    /// The status of an entry; nothing for one that is not held.
    pub fn status(&mut self, entry: &EnvelopeId) -> Option<Status> {
        let at = *self.entries.index.get(entry)?;
        let document = self.entries.held[at].header.value().document.clone();
        self.entries.refresh(&mut self.authority, &document);
        Some(self.entries.status(&self.authority, at))
    }

    /// Every entry of a document with its status: judged ones in causal order, then those that
    /// wait.
    pub fn entries(&mut self, document: &DocumentId) -> Vec<(EnvelopeId, Status)> {
        self.entries.refresh(&mut self.authority, document);
        let (entries, authority) = (&self.entries, &self.authority);
        let told = |at: usize| (entries.held[at].id, entries.status(authority, at));
        let all = entries.in_order(document).into_iter().map(told);
        let told = |(_, status): &(EnvelopeId, Status)| {
            !(planted::is(Planted::ContestedDropped) && matches!(status, Status::Contested(_)))
        };
        all.filter(told).collect()
    }

    /// Every document of which an entry is held.
    pub fn documents(&self) -> Vec<DocumentId> {
        self.entries.documents.keys().cloned().collect()
    }

    /// The epochs of one part of the record of which an entry is held, ascending.
    pub fn epochs(&self, of: &DocumentId) -> Vec<DocumentId> {
        let same = |id: &&DocumentId| {
            id.section == of.section && id.label == of.label && id.month == of.month
        };
        self.entries
            .documents
            .keys()
            .filter(same)
            .cloned()
            .collect()
    }

    /// How many entries of a document are held, whatever their status.
    pub fn count(&self, document: &DocumentId) -> usize {
        let place = self.entries.documents.get(document);
        place.map_or(0, |place| place.all.len())
    }

    /// What an entry's author signed.
    pub fn header(&self, entry: &EnvelopeId) -> Option<&Header> {
        let at = *self.entries.index.get(entry)?;
        Some(self.entries.held[at].header.value())
    }

    /// Says that this build failed on the content of an entry although vetting passed it.
    pub fn cannot_read(&mut self, entry: &EnvelopeId, why: String) {
        if let Some(at) = self.entries.index.get(entry)
            && self.entries.learn(*at, ContentFacts::Unreadable(why))
        {
            self.entries.judge_again(&mut self.authority);
        }
    }

    /// Whether an event is held whole and valid: it has what it needs, and its signer was allowed
    /// to sign it.
    pub fn is_valid(&self, event: &EventId) -> bool {
        let at = self.authority.at(event);
        at.is_some_and(|at| self.authority.valid.contains(at))
    }

    /// What a node holds it can show to whoever opened its store: no decision takes back what
    /// somebody already has. For nobody else.
    pub fn own_copy(&self, document: &DocumentId, owner: Whoever) -> Reader {
        Reader {
            record: self.authority.record,
            document: document.clone(),
            who: owner,
            grant: None,
            purpose: Purposes::CARE,
        }
    }

    /// What of a document is to be materialised.
    pub fn loaded(&mut self, document: &DocumentId) -> Material {
        self.entries.refresh(&mut self.authority, document);
        self.entries.material(document)
    }

    /// The loaded entries that no loaded entry builds on: what the next writer builds on.
    pub fn heads(&mut self, document: &DocumentId) -> Vec<EnvelopeId> {
        self.entries.refresh(&mut self.authority, document);
        self.entries.heads(document)
    }

    /// What a writer cites now: the heads of the core log, of the label's log and of its own
    /// principal log.
    pub fn frontiers(&mut self, label: &Label, principal: &PrincipalId) -> Frontiers {
        self.authority.frontiers(Some(label), principal)
    }

    /// What the writer of an event cites: by the log that it joins.
    pub fn frontiers_for(&mut self, log: &LogId, principal: &PrincipalId) -> Frontiers {
        match log {
            LogId::Principal(_) => self.authority.own_frontiers(principal),
            LogId::Core(_) => self.authority.frontiers(None, principal),
            LogId::Label(_, label) => self.authority.frontiers(Some(label), principal),
        }
    }

    /// Where the next event of a device in a log goes.
    pub fn next_event(&self, device: DeviceId, log: &LogId) -> NextLink<EventId> {
        self.authority.next(device, log)
    }

    /// Where the next entry of a device in a document goes.
    pub fn next_entry(
        &self,
        device: DeviceId,
        epoch: u32,
        document: &DocumentId,
    ) -> NextLink<EnvelopeId> {
        self.entries.next(device, epoch, document)
    }
}
