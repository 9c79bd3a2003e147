//! What a document's resources can be found by, and what a timeline says of them: one row for each.
//!
//! Nothing in a row depends on anything but the document's resources. Which entries are marked, what
//! authors are called and what a medicine is called that stands in another document is asked when a
//! row is used.

mod elements;
mod query;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{ChangeHash, Held, document::UnitContent};
use kith_protocol::record::Placed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{drugs::Drugs, line, replaced::Relations};

pub use elements::{Param, Span, Token, Words, span};
pub use query::{Compare, Query, System, Wanted};

/// Names how rows are made. Another number, and stored rows are made again: it goes up with every
/// change of what the same resources make, the words of `line::describe` included.
pub const VIEW_VERSION: u32 = 4;

/// The rows of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The hashes of the changes that rows name by their place here, one after the other.
    #[serde(with = "serde_bytes")]
    changes: Vec<u8>,
    /// What Medications that stand here are called, by the references that may name them.
    pub drugs: Drugs,
    /// How letters that stand here are named, and what they take the place of.
    pub letters: Vec<Relations>,
    /// A row for each resource that a sender or author made, in the order of the document.
    pub rows: Vec<Row>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its id in the document.
    pub resource: String,
    /// Its type.
    pub kind: String,
    /// The id that its sender gave it.
    pub native_id: Option<String>,
    /// The full URL under which its sender gave it out.
    pub full_url: Option<String>,
    /// The import that it came with.
    pub batch: (u64, u32),
    /// How it stands, as far as its document says.
    pub marks: Vec<Mark>,
    created: u32,
    writers: Vec<u32>,
    retractions: Vec<u32>,
    /// When what it tells happened, as recorded.
    pub when: Option<String>,
    text: String,
    /// Of a prescription whose medicine is told apart from it: what its words are made of.
    apart: Option<String>,
    /// The codes and references that it is found by, of all versions.
    pub tokens: Vec<Token>,
    /// The words that it is found by.
    pub words: Vec<Words>,
    /// The times that it is found by.
    pub spans: Vec<Span>,
}

/// What is to be known of a resource beside what it says, in the order in which it is told. Places
/// are stored: a new one is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mark {
    /// It stands as entered in error.
    EnteredInError,
    /// A part of it has versions that stand side by side.
    TwoVersions,
    /// A marked entry wrote something in it. Never stored: what is marked changes while the same
    /// is loaded.
    ToReview,
    /// It came into an epoch that had ended.
    Late,
    /// It stands in a side document.
    Aside,
    /// Another one says that it takes its place. Never stored: the other may stand elsewhere.
    Replaced,
}

impl Mark {
    /// The marks that a document gives.
    pub fn of(placed: &Placed) -> Vec<Self> {
        let held = &placed.held;
        let marks = [
            (Self::EnteredInError, held.is_retracted()),
            (Self::TwoVersions, held.siblings().next().is_some()),
            (Self::Late, placed.late),
            (Self::Aside, placed.aside),
        ];
        let given = marks.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(mark, _)| mark).collect()
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::EnteredInError => "entered in error",
            Self::TwoVersions => "two versions",
            Self::ToReview => "to review",
            Self::Late => "came in after its part was begun anew: to review",
            Self::Aside => "from a copied device",
            Self::Replaced => "replaced by a newer one",
        }
    }
}

impl View {
    /// The view of one document's resources.
    pub fn of(placed: &[Placed]) -> Self {
        let mut changes = Changes::default();
        let here = placed.iter().filter(|placed| !placed.held.meta.made_here);
        let rows = here.map(|placed| row(placed, &mut changes)).collect();
        Self {
            changes: changes.bytes,
            drugs: Drugs::of(placed),
            letters: placed.iter().filter_map(Relations::of_letter).collect(),
            rows,
        }
    }

    /// The change that made a row's resource.
    pub fn created(&self, row: &Row) -> Option<ChangeHash> {
        self.change(row.created)
    }

    /// The changes that wrote what stands in a row's resource.
    pub fn writers<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = ChangeHash> + 'a {
        row.writers.iter().filter_map(|at| self.change(*at))
    }

    /// All changes by which a row's resource is as it is.
    pub fn touched<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = ChangeHash> + 'a {
        let retracted = row.retractions.iter();
        let retracted = retracted.filter_map(|at| self.change(*at));
        self.created(row)
            .into_iter()
            .chain(self.writers(row))
            .chain(retracted)
    }

    fn change(&self, at: u32) -> Option<ChangeHash> {
        let at = usize::try_from(at).ok()?.checked_mul(HASH_LEN)?;
        let bytes = self.changes.get(at..at.checked_add(HASH_LEN)?)?;
        bytes.try_into().ok().map(ChangeHash)
    }
}

impl Row {
    /// The row of something that no document holds.
    pub fn of_value(id: &str, value: &Value) -> Self {
        let mut found = elements::Found::default();
        found.add(value);
        let kind = value.get("resourceType").and_then(Value::as_str);
        Self {
            resource: id.to_owned(),
            kind: kind.unwrap_or_default().to_owned(),
            native_id: None,
            full_url: None,
            batch: (0, 0),
            marks: Vec::new(),
            created: 0,
            writers: Vec::new(),
            retractions: Vec::new(),
            when: None,
            text: String::new(),
            apart: None,
            tokens: found.tokens.into_iter().collect(),
            words: found.words.into_iter().collect(),
            spans: found.spans.into_iter().collect(),
        }
    }

    /// The systems and codes of what it is.
    pub fn codes(&self) -> impl Iterator<Item = (&str, &str)> {
        let codes = self
            .tokens
            .iter()
            .filter(|token| token.param == Param::Code);
        codes.filter_map(|token| Some((token.system.as_deref()?, token.code.as_str())))
    }

    /// What it says in a line, with the medicines of the record at hand.
    pub fn text(&self, drugs: &Drugs) -> String {
        let apart = self.apart.as_deref();
        let Some(mut apart) = apart.and_then(|text| serde_json::from_str(text).ok()) else {
            return self.text.clone();
        };
        drugs.name(&mut apart);
        line::describe(&apart)
    }
}

const HASH_LEN: usize = 32;

/// The changes that rows have named so far.
#[derive(Default)]
struct Changes {
    bytes: Vec<u8>,
    places: BTreeMap<ChangeHash, u32>,
}

impl Changes {
    fn place(&mut self, change: ChangeHash) -> u32 {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        *self.places.entry(change).or_insert_with(|| {
            self.bytes.extend(change.0);
            next
        })
    }

    fn places(&mut self, changes: impl IntoIterator<Item = ChangeHash>) -> Vec<u32> {
        let places: BTreeSet<_> = changes.into_iter().map(|hash| self.place(hash)).collect();
        places.into_iter().collect()
    }
}

fn row(placed: &Placed, changes: &mut Changes) -> Row {
    let held = &placed.held;
    let versions = held.siblings().map(|(_, versions)| versions.len()).max();
    let value = |choice| held.value(choice);
    let mut shown: Value = value(0);
    let mut found = elements::Found::default();
    found.add(&shown);
    for choice in 1..versions.unwrap_or(1) {
        found.add(&value(choice));
    }
    let when = line::when(&shown).map(str::to_owned);
    Drugs::default().name(&mut shown);
    let writers = writers(held);
    let retractions = held.retractions.iter().map(|said| said.writer);
    Row {
        resource: held.id.to_string(),
        kind: held.meta.kind.clone(),
        native_id: held.meta.native_id.clone(),
        full_url: held.meta.full_url(),
        batch: held.meta.batch,
        marks: Mark::of(placed),
        created: changes.place(held.created),
        writers: changes.places(writers),
        retractions: changes.places(retractions),
        when,
        text: line::describe(&shown),
        apart: Drugs::wants(&shown).then(|| apart(&shown)),
        tokens: found.tokens.into_iter().collect(),
        words: found.words.into_iter().collect(),
        spans: found.spans.into_iter().collect(),
    }
}

/// The changes that wrote what is shown of a resource. Texts of a list's item that stand beside the
/// one that is shown are not, so that their writers mark nothing.
pub fn writers(held: &Held) -> impl Iterator<Item = ChangeHash> + '_ {
    held.units.iter().flat_map(|unit| match &unit.content {
        UnitContent::Register(versions) => versions
            .iter()
            .map(|version| version.writer)
            .collect::<Vec<_>>(),
        UnitContent::List(items) => items.iter().map(|item| item.writer).collect(),
    })
}

/// The members that the words of a prescription are made of.
fn apart(resource: &Value) -> String {
    const MEMBERS: [&str; 9] = [
        "resourceType",
        "medicationCodeableConcept",
        "medicationReference",
        "dosageInstruction",
        "dosage",
        "status",
        "clinicalStatus",
        "code",
        "type",
    ];
    let members = MEMBERS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), resource.get(name)?.clone())));
    Value::Object(members.collect()).to_string()
}
