//! The versions of one thing in a record: who wrote which when, what it made different, and what was
//! said to be entered in error.

use std::collections::BTreeSet;

use kith_protocol::{
    audit::How,
    consent::Status,
    envelope::Content,
    id::{EnvelopeId, PrincipalId, StaffId},
    record::{Record, Step},
};
use serde_json::Value;

use super::{Node, show};
use crate::{api::Line, failure::Failure, health::drugs::Drugs};

/// The versions of one thing, with the thing as it stands.
#[derive(Clone, Debug)]
pub struct History {
    /// The thing in a line.
    pub line: Line,
    /// The section in which it stands.
    pub section: String,
    /// Its versions, the newest first.
    pub versions: Vec<Version>,
    /// Versions that are kept and not in the view: by whom, when, and why.
    pub aside: Vec<Aside>,
}

/// One version.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number, the first written is 1.
    pub number: usize,
    /// Who wrote it, with the member of staff where one is named.
    pub by: String,
    /// When they say that they signed it, RFC 3339.
    pub when: String,
    /// What was done.
    pub act: Written,
    /// What it says otherwise than the version on which it was written.
    pub changed: Vec<Difference>,
    /// The number of the version on which it was written.
    pub upon: Option<usize>,
    /// How it stands with what was written at the same time.
    pub beside: Beside,
    /// Whether it counts and is to be looked at by somebody.
    pub to_review: bool,
}

/// What the author of a version did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Wrote the thing.
    New,
    /// Changed it.
    Changed,
    /// Said that it was entered in error, for these reasons.
    TookBack(Vec<String>),
    /// Carried over what stood in the part of the record before this one.
    CarriedOver,
}

/// How a version stands with others that were written at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// There is none.
    None,
    /// Nobody has decided between them.
    Undecided,
    /// It was decided between them later.
    Decided,
}

/// A member of a resource that is otherwise in a version.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// What it said before; nothing where it said nothing.
    pub before: Option<Value>,
    /// What it says in this version.
    pub after: Option<Value>,
}

/// A version that is kept and not in the view.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Who wrote it.
    pub by: String,
    /// When they say that they signed it, RFC 3339.
    pub when: String,
    /// Why it is not in the view, in a word.
    pub status: String,
}

impl Node {
    /// The versions of one thing in a record.
    ///
    /// # Errors
    /// When it is not here, and when the access log cannot be written.
    pub(crate) fn history(&mut self, word: &str, thing: &str) -> Result<History, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let placed = node.placed(record, thing)?;
            let documents = vec![placed.document.clone()];
            let said = Self::state_of(record, documents, node.owner(), None, How::Show);
            node.disclosed(vec![said], Vec::new())?;
            let readers = node.readers(record, &node.whoever());
            let reader = readers
                .iter()
                .find(|reader| *reader.document() == placed.document);
            let (steps, aside) = match reader {
                Some(reader) => (
                    record.history(reader, &placed.held.id),
                    record.aside(reader, &placed.held.id),
                ),
                None => (Vec::new(), Vec::new()),
            };
            let mut versions = Vec::new();
            for n in 0..steps.len() {
                versions.extend(node.version(record, &steps, n));
            }
            versions.reverse();
            let aside = aside
                .into_iter()
                .filter_map(|(entry, status)| node.beside(record, &entry, &status));
            let aside = aside.collect();
            let drugs = Drugs::of(&node.read_document(record, &placed.document));
            Ok(History {
                section: placed.document.section.name().to_owned(),
                line: node.line(record, &placed, &drugs),
                versions,
                aside,
            })
        })
    }

    fn version(&self, record: &mut Record, steps: &[Step], n: usize) -> Option<Version> {
        let step = &steps[n];
        let header = record.ledger().header(&step.entry)?.clone();
        let upon = step.upon.map(|upon| &steps[upon]);
        let reasons: Vec<_> = step
            .held
            .retractions
            .iter()
            .filter(|said| record.writer(&said.writer) == Some(step.entry))
            .map(|said| said.reason.clone())
            .collect();
        let act = match (&header.content, upon) {
            _ if !reasons.is_empty() => Written::TookBack(reasons),
            (Content::CarryOver { .. }, _) => Written::CarriedOver,
            (_, None) => Written::New,
            (_, Some(_)) => Written::Changed,
        };
        let is_beside = |in_step: &Step| own_choice(record, in_step, &step.entry).is_some();
        let beside = if steps.last().is_some_and(is_beside) {
            Beside::Undecided
        } else if steps[n..].iter().any(is_beside) {
            Beside::Decided
        } else {
            Beside::None
        };
        let before = upon.map(|upon| text(record, upon)).unwrap_or_default();
        let status = record.ledger().status(&step.entry);
        Some(Version {
            number: n + 1,
            by: self.signed_by(&header.author, header.staff),
            when: show::time(header.time_ms),
            act,
            changed: difference(&before, &text(record, step)),
            upon: step.upon.map(|upon| upon + 1),
            beside,
            to_review: !matches!(status, Some(Status::Accepted)),
        })
    }

    fn beside(&self, record: &mut Record, entry: &EnvelopeId, status: &Status) -> Option<Aside> {
        let header = record.ledger().header(entry)?;
        Some(Aside {
            by: self.signed_by(&header.author, header.staff),
            when: show::time(header.time_ms),
            status: show::status_word(status).to_owned(),
        })
    }

    fn signed_by(&self, author: &PrincipalId, staff: Option<StaffId>) -> String {
        let by = self.name_of(*author);
        match self.staff_of(Some(*author), staff) {
            Some(staff) => format!("{by} ({staff})"),
            None => by,
        }
    }
}

/// Which of several versions that stand side by side in a step an entry wrote.
fn own_choice(record: &Record, step: &Step, entry: &EnvelopeId) -> Option<usize> {
    step.held.siblings().find_map(|(_, versions)| {
        let mut versions = versions.iter();
        versions.position(|version| record.writer(&version.writer) == Some(*entry))
    })
}

/// What a step says, in the words of its own entry where others stand beside them.
fn text(record: &Record, step: &Step) -> Value {
    let choice = own_choice(record, step, &step.entry).unwrap_or(0);
    step.held.value(choice)
}

/// The members in which two resources differ.
fn difference(before: &Value, after: &Value) -> Vec<Difference> {
    let names = [before, after]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|members| members.keys().cloned());
    let names: BTreeSet<String> = names.collect();
    let differs = |name: &String| before.get(name) != after.get(name);
    names
        .into_iter()
        .filter(differs)
        .map(|name| Difference {
            before: before.get(&name).cloned(),
            after: after.get(&name).cloned(),
            name,
        })
        .collect()
}
