//! A record at a glance: the newest of each section, what is not known here, and how current it is.

use std::{cmp::Reverse, collections::BTreeMap};

use kith_crdt::Section;
use kith_protocol::{
    audit::How,
    id::RecordId,
    record::{Placed, Record},
};

use super::{Node, show};
use crate::{
    api::{AllergyState, AsOf, ControllerLine, Happened, RecordLine},
    failure::Failure,
    node::find,
};

/// Of each section so many things are shown at a glance.
const AT_A_GLANCE: usize = 8;

/// What changed last: so many things.
const LAST_CHANGES: usize = 5;

/// A record at a glance.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The record and whose it is.
    pub line: RecordLine,
    /// Whether allergies are recorded, said to be none, or not known to this node.
    pub allergies: AllergyState,
    /// Section by section, of all labels; those of which nothing is here are left out.
    pub parts: Vec<Part>,
    /// Results that matter for medicines.
    pub for_medicines: Vec<Happened>,
    /// What arrived last, newest first.
    pub last: Vec<Happened>,
    /// Sections of which nothing is in the view: withheld, not sent yet or empty.
    pub not_known_here: Vec<String>,
    /// How current it is, by source.
    pub as_of: Vec<AsOf>,
    /// How it stands with each known node now, by its name: `up to date`, `waiting to send`,
    /// `not connected`.
    pub connections: BTreeMap<String, String>,
    /// Who controls it.
    pub control: Vec<ControllerLine>,
    /// Entries that are kept and not in the view, by why: `contested`, `pending`, `unreadable`.
    pub aside: BTreeMap<String, usize>,
    /// Other records of the same person that are here.
    pub joined: Vec<RecordLine>,
}

/// What one section holds.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which.
    pub section: String,
    /// How many things are in it.
    pub count: usize,
    /// How many of them hold, as far as they say so themselves; these stand first.
    pub current: usize,
    /// The newest of what stands, then what ended.
    pub lines: Vec<Happened>,
}

impl Node {
    /// A record at a glance.
    ///
    /// # Errors
    /// When the record is not here or cannot be read, and when the access log cannot be written.
    pub(crate) fn overview(&mut self, word: &str) -> Result<Overview, Failure> {
        let id = self.record_named(word)?;
        let joined = self.joined_ids(id)?;
        let named = |node: &Self, id: RecordId| {
            find::line(id, &node.people.get(&id).cloned().unwrap_or_default())
        };
        let joined = joined.iter().map(|id| named(self, *id)).collect();
        let line = named(self, id);
        let connections = self.connections()?.into_iter();
        let connections = connections.map(|other| (other.name, other.state)).collect();
        self.with_record(id, |node, record| {
            let all = node.all_that_happened(record)?;
            let allergies = node.allergy_state(record);
            let mut aside = show::status_counts(record);
            aside.retain(|status, _| {
                ["contested", "pending", "unreadable"].contains(&status.as_str())
            });
            Ok(Overview {
                line,
                allergies,
                for_medicines: for_medicines(&all),
                last: last(&all),
                parts: parts(all, AT_A_GLANCE),
                not_known_here: show::not_known_here(record),
                as_of: node.as_of(record),
                connections,
                control: node.controllers(record),
                aside,
                joined,
            })
        })
    }

    /// All of one section, what stands first, newest first; nothing where it is not known here.
    ///
    /// # Errors
    /// As of [`Self::overview`].
    pub(crate) fn part(&mut self, word: &str, section: &str) -> Result<Option<Part>, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let mut all = node.all_that_happened(record)?;
            all.retain(|happened| happened.section == section);
            Ok(parts(all, usize::MAX).pop())
        })
    }

    fn all_that_happened(&mut self, record: &mut Record) -> Result<Vec<Happened>, Failure> {
        let readers = self.readers(record, &self.whoever());
        let (views, made) = self.views(record, &readers);
        let documents = record.ledger().documents();
        let said = Self::state_of(record, documents, self.owner(), None, How::Show);
        self.disclosed(vec![said], made)?;
        self.save_large(record);
        Ok(self.happenings(record, &readers, &views))
    }

    fn allergy_state(&self, record: &mut Record) -> AllergyState {
        let documents = record.ledger().documents();
        let placed: Vec<Placed> = documents
            .iter()
            .filter(|document| document.section == Section::Allergies)
            .flat_map(|document| self.read_document(record, document))
            .collect();
        show::allergy_state(record, &placed)
    }
}

/// Results that say how a body deals with medicines.
fn for_medicines(all: &[Happened]) -> Vec<Happened> {
    let matter = all
        .iter()
        .filter(|happened| happened.line.matters_for_medicines());
    matter.cloned().collect()
}

/// What arrived last.
fn last(all: &[Happened]) -> Vec<Happened> {
    // Who the person is, and who helps, is no news.
    let is_news =
        |happened: &&Happened| !["identity", "circle"].contains(&happened.section.as_str());
    let mut newest: Vec<&Happened> = all.iter().filter(is_news).collect();
    newest.sort_by_key(|happened| Reverse(&happened.arrived));
    newest.into_iter().take(LAST_CHANGES).cloned().collect()
}

/// By section, in the order in which sections are told, at most `each` things of one.
fn parts(all: Vec<Happened>, each: usize) -> Vec<Part> {
    let mut by_section: BTreeMap<usize, Vec<Happened>> = BTreeMap::new();
    for happened in all {
        let place = Section::ALL
            .iter()
            .position(|section| section.name() == happened.section);
        by_section
            .entry(place.unwrap_or(0))
            .or_default()
            .push(happened);
    }
    let parts = by_section.into_values().filter_map(|mut lines| {
        let section = lines.first()?.section.clone();
        lines.sort_by_key(|happened| {
            let when = happened.when.as_ref().unwrap_or(&happened.arrived);
            (has_ended(happened), Reverse(when.clone()))
        });
        let count = lines.len();
        let current = lines.iter().filter(|line| !has_ended(line)).count();
        lines.truncate(each);
        Some(Part {
            section,
            count,
            current,
            lines,
        })
    });
    parts.collect()
}

/// Whether a thing says of itself that it does not hold any more.
fn has_ended(happened: &Happened) -> bool {
    const ENDED: [&str; 12] = [
        "stopped",
        "completed",
        "resolved",
        "inactive",
        "cancelled",
        "ended",
        "superseded",
        "entered-in-error",
        "refuted",
        "rejected",
        "remission",
        "revoked",
    ];
    let status = happened.line.text.rsplit_once(" (");
    let status = status.and_then(|(_, status)| status.strip_suffix(')'));
    status.is_some_and(|status| ENDED.contains(&status))
        || happened
            .line
            .marks
            .iter()
            .any(|mark| mark == "entered in error")
}
