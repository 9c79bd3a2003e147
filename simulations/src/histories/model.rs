//! The reference: who may see what, and what was written. Nothing of it is the protocol's code; it
//! knows which signed things lie on which disk, what each was meant to be, and draws the obvious
//! conclusions.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;
use kith_protocol::{
    id::{EnvelopeId, EventId, RecordId},
    store::ChainPosition,
};

/// The parts of a record that histories write into.
pub const DOCUMENTS: [&str; 6] = [
    "plans:general",
    "letters:general",
    "medicines:general",
    "identity:general",
    "letters:private",
    "results:sexual-health",
];

/// How far a clock may be out, as everyone assumes, milliseconds.
const SKEW_MS: u64 = 10 * 60 * 1000;

/// A record, by number.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// Which person controls it.
    pub owner: usize,
    /// Who may open it in an emergency, where that was said.
    pub rules: Option<Rules>,
}

/// Who may open a record in an emergency.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What was signed.
    pub event: EventId,
    /// Which person.
    pub with: usize,
    /// Which label.
    pub label: &'static str,
}

/// What a share lets its holder do beside looking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// Add entries.
    pub add: bool,
    /// Change what others entered.
    pub change: bool,
    /// Make things count.
    pub review: bool,
    /// Share on.
    pub share_on: bool,
}

/// A share as it was meant.
#[derive(Clone, Debug)]
pub struct Share {
    /// Of which record.
    pub record: usize,
    /// Which person gave it.
    pub by: usize,
    /// Which person has it.
    pub with: usize,
    /// Of which parts, all of one label.
    pub documents: BTreeSet<&'static str>,
    /// What it allows.
    pub powers: Powers,
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: Option<u64>,
    /// The share that it was given under.
    pub above: Option<usize>,
    /// What was signed.
    pub grant: EventId,
    /// What ended it.
    pub ends: Vec<End>,
    /// Whether whoever gave it might.
    pub lawful: bool,
}

/// The end of a share.
#[derive(Clone, Debug)]
pub struct End {
    /// What was signed.
    pub event: EventId,
    /// What had come to whoever ended it, of what was written under the share and those below.
    pub known: BTreeSet<EnvelopeId>,
    /// Whether what was written under it ends with it: not when it was given back.
    pub contests: bool,
}

/// An entry as it was meant.
#[derive(Clone, Debug)]
pub struct Written {
    /// In which record.
    pub record: usize,
    /// In which part.
    pub document: &'static str,
    /// At which host.
    pub host: usize,
    /// Under which share; nothing for the controller.
    pub share: Option<usize>,
    /// Where its bytes say that it stands.
    pub place: (DocumentId, ChainPosition),
    /// What it makes count.
    pub adopts: Vec<EnvelopeId>,
    /// When, by its own word.
    pub claimed_ms: u64,
    /// The number of the mark in its text, where it has a text.
    pub mark: Option<usize>,
    /// Whether its writer might write it, by what lay on the writer's disk.
    pub lawful: bool,
    /// Whether its writer wrote something else in the same place, knowing it.
    pub forks: bool,
}

/// A text that was written somewhere: its mark leads back to it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// In which record.
    pub record: usize,
    /// In which part.
    pub document: &'static str,
    /// Whether somebody changed or chose something beside it since.
    pub changed: bool,
}

/// Whether something lies on a disk.
pub type Held<'a> = &'a dyn Fn(&[u8; 32]) -> bool;

/// The reference.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Which person has each host.
    pub person: Vec<usize>,
    /// Hosts that were retired, each with what says so.
    pub retired: BTreeMap<usize, EventId>,
    /// Records by number.
    pub records: Vec<Record>,
    /// Shares by number.
    pub shares: Vec<Share>,
    /// Entries.
    pub written: BTreeMap<EnvelopeId, Written>,
    /// Entries by the hash of the bytes that carry them.
    pub carried: BTreeMap<[u8; 32], EnvelopeId>,
    /// Events of labels' logs by the hash of their bytes: the record and the label.
    pub rights: BTreeMap<[u8; 32], (usize, String)>,
    /// Every text by the number of its mark.
    pub marks: Vec<Mark>,
    /// What each host has signed, entries and events.
    pub signed: BTreeMap<usize, BTreeSet<[u8; 32]>>,
}

impl Model {
    /// The number of a record.
    pub fn record(&self, id: &RecordId) -> Option<usize> {
        self.records.iter().position(|record| record.id == *id)
    }

    /// The share of a grant.
    pub fn share(&self, grant: &EventId) -> Option<usize> {
        self.shares.iter().position(|share| share.grant == *grant)
    }

    /// A new mark for a text of a part of a record.
    pub fn mark(&mut self, record: usize, document: &'static str) -> usize {
        self.marks.push(Mark {
            record,
            document,
            changed: false,
        });
        self.marks.len() - 1
    }

    /// Whether a share stands, by what lies on a disk and a clock: nothing ended it, it has not
    /// passed, it has begun, and what it was given under stands.
    pub fn stands(&self, held: Held<'_>, share: usize, now_ms: u64) -> bool {
        self.holds(held, share, now_ms, false)
    }

    /// The same; what was given under a share does not end when its holder gives it back.
    fn holds(&self, held: Held<'_>, share: usize, now_ms: u64, from_below: bool) -> bool {
        let share = &self.shares[share];
        let ends = share.ends.iter();
        let mut ends = ends.filter(|end| end.contests || !from_below);
        let ended = ends.any(|end| held(end.event.as_bytes()));
        let passed = share
            .until_ms
            .is_some_and(|until| now_ms + SKEW_MS >= until);
        let begun = now_ms + SKEW_MS >= share.from_ms;
        let above = share.above;
        let above = above.is_none_or(|above| self.holds(held, above, now_ms, true));
        share.lawful && held(share.grant.as_bytes()) && !ended && !passed && begun && above
    }

    /// Whether nothing ever ended a share or what it was given under, anywhere.
    pub fn is_untouched(&self, share: usize) -> bool {
        let share = &self.shares[share];
        let above = share.above.is_none_or(|above| self.is_untouched(above));
        share.lawful && share.ends.is_empty() && share.until_ms.is_none() && above
    }

    /// Whether a person may see a part of a record, by what lies on a disk and a clock.
    pub fn may_see(
        &self,
        held: Held<'_>,
        (person, record): (usize, usize),
        document: &str,
        now_ms: u64,
    ) -> bool {
        self.may(held, (person, record), document, now_ms, |_| true)
    }

    /// Whether a person may do more than look there.
    pub fn may(
        &self,
        held: Held<'_>,
        (person, record): (usize, usize),
        document: &str,
        now_ms: u64,
        allows: impl Fn(&Powers) -> bool,
    ) -> bool {
        let covers = |nth: &usize| {
            let share = &self.shares[*nth];
            share.record == record
                && share.with == person
                && share.documents.contains(document)
                && allows(&share.powers)
        };
        let shares = (0..self.shares.len()).filter(covers);
        self.records[record].owner == person
            || shares.into_iter().any(|nth| self.stands(held, nth, now_ms))
    }

    /// Whether a person ever had a share in a label of a record that lies on a disk, or controls
    /// it; in any label where none is named.
    pub fn ever(&self, held: Held<'_>, person: usize, record: usize, label: Option<&str>) -> bool {
        let of_label = |document: &&&str| label.is_none_or(|label| label_of(document) == label);
        let had = |share: &Share| {
            share.record == record
                && share.with == person
                && share.lawful
                && share.documents.iter().any(|document| of_label(&document))
                && held(share.grant.as_bytes())
        };
        self.records[record].owner == person || self.shares.iter().any(had)
    }

    /// Whether an entry stands on something that may have ended for reasons of its own, so that
    /// the obvious says nothing of it.
    pub fn is_plain(&self, written: &Written) -> bool {
        written.lawful
            && !self.retired.contains_key(&written.host)
            && written.share.is_none_or(|share| self.is_untouched(share))
    }

    /// What ended an entry's share, or one above it, without having known the entry.
    pub fn late_for(&self, id: &EnvelopeId, written: &Written) -> Vec<EventId> {
        let mut late = Vec::new();
        let mut next = written.share;
        while let Some(share) = next.map(|nth| &self.shares[nth]) {
            let without = |end: &&End| end.contests && !end.known.contains(id);
            let ends = share.ends.iter().filter(without);
            late.extend(ends.map(|end| end.event));
            next = share.above;
        }
        late
    }
}

/// The label of a part such as `plans:general`.
pub fn label_of(document: &str) -> &str {
    document.split_once(':').map_or("", |(_, label)| label)
}

/// The part of which a document is an epoch.
pub fn part_of(document: &DocumentId) -> Option<&'static str> {
    let name = format!("{}:{}", document.section, document.label);
    DOCUMENTS.into_iter().find(|known| *known == name)
}
