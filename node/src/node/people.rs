//! Whom this node has records of: a view of the Patient resources, kept as sealed rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use kith_crdt::{Body, Meta, person::Person};
use kith_protocol::{
    id::RecordId,
    store::{Item, StoreError},
};
use serde::{Deserialize, Serialize};

use super::identity::{RowKind, read_rows, row};
use crate::{api::Alike, store::DiskStore};

/// The shortest beginning of an id that names a record.
const PREFIX_LEN_MIN: usize = 4;

/// What the index keeps of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Whether it is the library: resources without a patient.
    pub(super) library: bool,
    /// Every statement of who the person is.
    pub(super) said: Vec<Person>,
}

impl Known {
    /// `SURNAME, Given`, for a banner.
    pub(super) fn banner(&self) -> String {
        match self.said.first() {
            _ if self.library => "Library".to_owned(),
            Some(person) => person.banner(),
            None => "not known to this node".to_owned(),
        }
    }

    pub(super) fn birth_date(&self) -> Option<&str> {
        let mut dates = self.said.iter().map(|person| person.birth_date.as_str());
        dates.find(|date| !date.is_empty())
    }

    pub(super) fn nhs_number(&self) -> Option<&str> {
        self.said.iter().find_map(Person::nhs_number)
    }
}

/// The index, in memory.
#[derive(Default)]
pub(super) struct People {
    records: BTreeMap<RecordId, Known>,
    /// Hashes of what people are told apart by, each with a record of which that is said.
    likenesses: BTreeSet<(u64, RecordId)>,
}

impl People {
    pub(super) fn load(store: &DiskStore) -> Result<Self, StoreError> {
        let rows = read_rows::<Known>(store, RowKind::People)?;
        let mut people = Self::default();
        for (name, known) in rows {
            if let Ok(id) = <[u8; 32]>::try_from(name) {
                people.insert(RecordId::from_bytes(id), known);
            }
        }
        Ok(people)
    }

    /// Notes a record, and gives the row to store.
    pub(super) fn note(&mut self, record: RecordId, known: Known) -> Item {
        let item = row(RowKind::People, record.as_bytes(), &known);
        self.insert(record, known);
        item
    }

    fn insert(&mut self, record: RecordId, known: Known) {
        if let Some(before) = self.records.get(&record) {
            for likeness in likenesses(&before.said) {
                self.likenesses.remove(&(likeness, record));
            }
        }
        let new = likenesses(&known.said).map(|likeness| (likeness, record));
        self.likenesses.extend(new);
        self.records.insert(record, known);
    }

    pub(super) fn get(&self, record: &RecordId) -> Option<&Known> {
        self.records.get(record)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&RecordId, &Known)> {
        self.records.iter()
    }

    pub(super) fn library(&self) -> Option<RecordId> {
        let found = self.records.iter().find(|(_, known)| known.library);
        found.map(|(id, _)| *id)
    }

    /// The records of whom a Patient resource surely is.
    pub(super) fn surely(&self, person: &Person) -> Vec<RecordId> {
        let is = |known: &Known| known.said.iter().any(|said| said.is_surely(person));
        let candidates = self.perhaps(person).into_iter();
        candidates
            .filter(|(_, known)| is(known))
            .map(|(id, _)| id)
            .collect()
    }

    /// Records that may be of the same person as this one, with what speaks for each: two things
    /// at least.
    pub(super) fn alike(&self, record: RecordId, known: &Known) -> Vec<Alike> {
        let Some(person) = known.said.first() else {
            return Vec::new();
        };
        let others = self.perhaps(person).into_iter();
        others
            .filter(|(id, _)| *id != record)
            .filter_map(|(id, other)| {
                let evidence = other.said.iter().map(|said| person.evidence(said));
                let evidence = evidence.max_by_key(Vec::len)?;
                (evidence.len() >= 2).then(|| Alike {
                    record: id.to_string(),
                    person: other.banner(),
                    evidence,
                })
            })
            .collect()
    }

    /// The records, ascending, of which something is said that a person may be found by: comparing
    /// a person with everybody would make taking in a practice's records quadratic.
    fn perhaps(&self, person: &Person) -> BTreeMap<RecordId, &Known> {
        let (first, last) = (
            RecordId::from_bytes([0; 32]),
            RecordId::from_bytes([0xff; 32]),
        );
        likenesses(std::slice::from_ref(person))
            .flat_map(|hash| self.likenesses.range((hash, first)..=(hash, last)))
            .filter_map(|(_, id)| Some((*id, self.records.get(id)?)))
            .collect()
    }

    /// The records that a word names.
    pub(super) fn named(&self, word: &str) -> Vec<RecordId> {
        let word = word.to_ascii_lowercase();
        if word.len() < PREFIX_LEN_MIN || !word.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Vec::new();
        }
        // Ids stand in the order of their digits.
        let Some(first) = RecordId::from_hex(&format!("{word:0<64}")) else {
            return Vec::new();
        };
        let ids = self.records.range(first..).map(|(id, _)| *id);
        ids.take_while(|id| id.to_string().starts_with(&word))
            .collect()
    }
}

/// Hashes, since whoever is found by one is compared in full.
fn likenesses(said: &[Person]) -> impl Iterator<Item = u64> {
    said.iter().flat_map(Person::likenesses).map(|likeness| {
        let mut hasher = DefaultHasher::new();
        likeness.hash(&mut hasher);
        hasher.finish()
    })
}

/// What a resource of a record says of the person, where it is a Patient.
pub(super) fn said(meta: &Meta, body: &Body) -> Option<Person> {
    if meta.kind != "Patient" {
        return None;
    }
    let value = serde_json::from_str(&body.to_text()).ok()?;
    Some(Person::of(&value, meta.full_url().as_deref()))
}

#[cfg(test)]
mod tests {
    use kith_crdt::person::NHS_NUMBER_SYSTEM;
    use proptest::prelude::*;

    use super::{Known, People, Person, RecordId};

    /// People from so few names, dates and numbers that many have some in common.
    fn known() -> impl Strategy<Value = Known> {
        let name = prop::sample::select(vec!["", "Lee", "LEE", "Ray", "Kim"]);
        let birth = prop::sample::select(vec!["", "1950-01-02", "1961-03-04"]);
        let number = prop::sample::select(vec!["", "n/a", "987 654", "987654", "123"]);
        let said = (name, birth, number).prop_map(|(name, birth, number)| Person {
            family: name.to_owned(),
            birth_date: birth.to_owned(),
            identifiers: vec![(NHS_NUMBER_SYSTEM.to_owned(), number.to_owned())],
            ..Person::default()
        });
        prop::collection::vec(said, 0..3).prop_map(|said| Known {
            library: false,
            said,
        })
    }

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 32])
    }

    proptest! {
        #[test]
        fn who_is_found_is_who_comparing_with_everybody_finds(
            noted in prop::collection::vec((0_u8..12, known()), 1..40)
        ) {
            let mut people = People::default();
            for (record, known) in noted {
                people.note(id(record), known);
            }
            for (record, known) in &people.records {
                let all = people.records.iter().filter(|(id, _)| *id != record);
                let evidence = |other: &Known, person: &Person| {
                    let each = other.said.iter().map(|said| person.evidence(said).len());
                    each.max().unwrap_or_default()
                };
                let first = known.said.first();
                let slow: Vec<_> = all
                    .filter(|(_, other)| first.is_some_and(|first| evidence(other, first) >= 2))
                    .map(|(id, _)| id.to_string())
                    .collect();
                let found = people.alike(*record, known);
                let found: Vec<_> = found.into_iter().map(|alike| alike.record).collect();
                prop_assert_eq!(found, slow);
                for person in &known.said {
                    let is = |other: &Known| other.said.iter().any(|said| said.is_surely(person));
                    let all = people.records.iter().filter(|(_, other)| is(other));
                    let slow: Vec<_> = all.map(|(id, _)| *id).collect();
                    prop_assert_eq!(people.surely(person), slow);
                }
            }
        }
    }
}
