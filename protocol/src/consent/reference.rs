//! The rule once more, slow and plain: from a set of events, parts and entries to the status of
//! each entry, in the order of the text. Nothing is kept between questions but the answers about
//! pasts, which never change. It knows nothing of the ledger and serves to check it.
//!
//! Lost root keys and emergencies are left out: stories cover them.
mod control;
mod cuts;
mod entries;
mod events;
mod revocations;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ContentFacts,
    cut::{CustodianWord, CutPart, PartProof, ProvenPart},
};
use crate::{
    consent::approval::approvals,
    envelope::Header,
    id::{EnvelopeId, EventId, RecordId},
    logs::{
        Act, CoreAct, Event, LabelAct,
        record::{Link, Revoke},
    },
};

type Set = BTreeSet<EventId>;

/// What the model says of an entry: the status without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Accepted,
    Marked,
    Contested,
    Invalid,
    Pending,
    Unreadable,
}

/// How bad something is: nothing, a mark, or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hurt {
    None,
    Mark,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    No,
    Unknown,
    Yes,
}

/// One link of one way up.
#[derive(Clone, Debug)]
enum Step {
    /// A grant, with the grants below it on this chain.
    Grant(EventId, Vec<EventId>),
    /// A certificate of a device or member of staff, with what hangs on its signature.
    Certificate(EventId, Vec<EventId>),
    /// A controller's certificate, with the grants of this chain.
    Root(EventId, Vec<EventId>),
    /// A device or member of staff that acted under a grant: for upstream issuers to stop.
    Actor(Link, EventId, Vec<EventId>, Vec<EventId>),
}

/// One way from a signature up to a controller.
type Way = Vec<Step>;

/// A set of things held.
#[derive(Default)]
pub(super) struct Model {
    record: Option<RecordId>,
    events: BTreeMap<EventId, Event>,
    parts: BTreeMap<EventId, BTreeSet<CutPart>>,
    /// Parts that someone signed as a custodian, whoever that is.
    words: BTreeSet<(EventId, CutPart, CustodianWord)>,
    entries: BTreeMap<EnvelopeId, (Header, ContentFacts)>,
    pasts: BTreeMap<EventId, Set>,
    valid: Set,
    judged: Set,
    /// Of valid events: every way up.
    ways: BTreeMap<EventId, Vec<Way>>,
    whole: Set,
}

/// Which revocations of a set stand and which are suspended.
#[derive(Default)]
struct View {
    set: Set,
    standing: Set,
    suspended: Set,
}

impl Model {
    pub(super) fn new(record: RecordId) -> Self {
        Self {
            record: Some(record),
            ..Self::default()
        }
    }

    pub(super) fn event(&mut self, id: EventId, event: &Event) {
        self.events.insert(id, event.clone());
    }

    pub(super) fn part(&mut self, part: &ProvenPart) {
        match &part.proof {
            PartProof::Issuer(_) => {
                let parts = self.parts.entry(part.revocation).or_default();
                parts.insert(part.part.clone());
            }
            PartProof::Custodian(word) => {
                let word = (part.revocation, part.part.clone(), word.clone());
                self.words.insert(word);
            }
        }
    }

    pub(super) fn entry(&mut self, id: EnvelopeId, header: &Header, facts: &ContentFacts) {
        self.entries.insert(id, (header.clone(), facts.clone()));
    }

    /// Every entry's status.
    pub(super) fn statuses(mut self) -> BTreeMap<EnvelopeId, Plain> {
        self.find_whole();
        self.judge_events();
        self.hear_custodians();
        let documents: BTreeSet<_> = self
            .entries
            .values()
            .map(|(header, _)| header.document.clone())
            .collect();
        let mut statuses = BTreeMap::new();
        for document in documents {
            statuses.extend(self.document(&document));
        }
        statuses
    }

    fn named(event: &Event) -> Vec<EventId> {
        let mut named: Vec<_> = event.frontiers.iter().copied().collect();
        named.extend(event.prev.iter().chain(&event.grant));
        for approval in approvals(&event.act) {
            named.extend(&approval.principal_frontier);
        }
        match &event.act {
            Act::Core(CoreAct::Recover { previous, .. }) => named.extend(previous),
            Act::Label(LabelAct::Grant(grant)) => named.extend(grant.parent),
            Act::Label(LabelAct::Revoke(Revoke {
                link: Link::Grant(grant),
                ..
            }))
            | Act::Label(LabelAct::Renounce { grant } | LabelAct::Lapse { grant, .. }) => {
                named.push(*grant);
            }
            Act::Label(LabelAct::Confirm { revocation }) => named.push(*revocation),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => {}
        }
        named
    }

    /// Events whose whole past is held, and their pasts.
    fn find_whole(&mut self) {
        loop {
            let before = self.whole.len();
            for (id, event) in &self.events {
                let named = Self::named(event);
                if !self.whole.contains(id) && named.iter().all(|id| self.whole.contains(id)) {
                    let mut past: Set = named.iter().copied().collect();
                    for id in &named {
                        past.extend(&self.pasts[id]);
                    }
                    self.pasts.insert(*id, past);
                    self.whole.insert(*id);
                }
            }
            if self.whole.len() == before {
                return;
            }
        }
    }
}

/// Every pair of ways, joined.
fn product(one: &[Way], other: &[Way]) -> Vec<Way> {
    one.iter()
        .flat_map(|one| {
            other
                .iter()
                .map(move |other| [one.as_slice(), other].concat())
        })
        .collect()
}
