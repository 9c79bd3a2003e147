//! Whom this node has records of: a view of the Patient resources, kept as sealed rows.

use std::collections::BTreeMap;

use kith_crdt::{Held, person::Person};
use kith_protocol::{
    id::RecordId,
    store::{Item, StoreError},
};
use serde::{Deserialize, Serialize};

use super::identity::{RowKind, read_rows, row};
use crate::store::DiskStore;

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
}

impl People {
    pub(super) fn load(store: &DiskStore) -> Result<Self, StoreError> {
        let rows = read_rows::<Known>(store, RowKind::People)?;
        let records = rows
            .into_iter()
            .filter_map(|(name, known)| {
                let id = <[u8; 32]>::try_from(name).ok()?;
                Some((RecordId::from_bytes(id), known))
            })
            .collect();
        Ok(Self { records })
    }

    /// Notes a record, and gives the row to store.
    pub(super) fn note(&mut self, record: RecordId, known: Known) -> Item {
        let item = row(RowKind::People, record.as_bytes(), &known);
        self.records.insert(record, known);
        item
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
        self.records
            .iter()
            .filter(|(_, known)| is(known))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The records that a word names.
    pub(super) fn named(&self, word: &str) -> Vec<RecordId> {
        let word = word.to_ascii_lowercase();
        if word.len() < PREFIX_LEN_MIN || !word.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Vec::new();
        }
        self.records
            .keys()
            .filter(|id| id.to_string().starts_with(&word))
            .copied()
            .collect()
    }
}

/// What the Patient resources of a record say of the person.
pub(super) fn said<'a>(held: impl IntoIterator<Item = &'a Held>) -> Vec<Person> {
    held.into_iter()
        .filter(|held| held.meta.kind == "Patient" && !held.is_retracted())
        .filter_map(|held| {
            let value = serde_json::from_str(&held.to_text(0)).ok()?;
            Some(Person::of(&value, held.meta.full_url().as_deref()))
        })
        .collect()
}
