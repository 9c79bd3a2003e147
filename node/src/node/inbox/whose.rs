//! Whose a message is: the record of the numbers that it names.

use std::collections::BTreeSet;

use kith_crdt::person::{NHS_NUMBER_SYSTEM, Person};
use kith_protocol::id::RecordId;

use super::super::Node;
use crate::health::hl7v2::map::Numbers;

/// The record of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// None of its numbers is known: it is of somebody new.
    Nobody,
    /// One record, and nothing speaks against it.
    Of(RecordId),
    /// A person has to say.
    Doubtful(String),
}

impl Node {
    /// The record that has one of these numbers, unless name and birth date both speak against it.
    pub(super) fn record_of_numbers(&self, numbers: &Numbers) -> Whose {
        let mut sure = BTreeSet::new();
        let mut doubtful = BTreeSet::new();
        for (id, known) in self.people.iter() {
            for said in &known.said {
                let shared = said
                    .identifiers
                    .iter()
                    .filter(|known| numbers.current.contains(known));
                let shared: Vec<_> = shared.map(|(system, _)| system.as_str()).collect();
                if shared.is_empty() {
                    continue;
                }
                // An NHS number alone is never enough: published examples put one on two people.
                let only_nhs = shared.iter().all(|system| *system == NHS_NUMBER_SYSTEM);
                if agree(said, numbers, only_nhs) {
                    sure.insert(*id);
                } else {
                    doubtful.insert(*id);
                }
            }
        }
        doubtful.retain(|id| !sure.contains(id));
        let short = |id: &RecordId| id.to_string()[..12].to_owned();
        match (sure.len(), doubtful.first()) {
            (0, None) => Whose::Nobody,
            (0, Some(id)) => Whose::Doubtful(format!(
                "the patient's number is that of record {}, and the name and birth date are not",
                short(id)
            )),
            (1, _) => sure.first().map_or(Whose::Nobody, |id| Whose::Of(*id)),
            (n, _) => {
                let ids: Vec<_> = sure.iter().map(short).collect();
                Whose::Doubtful(format!(
                    "the patient's numbers are those of {n} records: {}",
                    ids.join(", ")
                ))
            }
        }
    }

    /// The records that have one of these numbers, whatever they are called.
    pub(super) fn with_numbers(&self, numbers: &[(String, String)]) -> BTreeSet<RecordId> {
        let has = |said: &Person| said.identifiers.iter().any(|known| numbers.contains(known));
        let records = self.people.iter();
        records
            .filter(|(_, known)| known.said.iter().any(has))
            .map(|(id, _)| *id)
            .collect()
    }
}

/// Whether name or birth date agree; both have to where the number is one that is known to be
/// given to two people.
fn agree(said: &Person, numbers: &Numbers, both: bool) -> bool {
    let same = |ours: &str, theirs: &str| {
        (!ours.is_empty() && !theirs.is_empty()).then(|| ours.eq_ignore_ascii_case(theirs))
    };
    let name = same(&said.family, &numbers.family);
    let birth = same(&said.birth_date, &numbers.birth_date);
    if both {
        return name == Some(true) && birth == Some(true);
    }
    match (name, birth) {
        (Some(true), _) | (_, Some(true)) => true,
        // Nothing can be compared.
        (None, None) => true,
        (Some(false), Some(false) | None) | (None, Some(false)) => false,
    }
}
