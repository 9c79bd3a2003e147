//! Taking a decision back: an adoption, or a choice between versions. Nothing in the history goes;
//! what stood before is written anew, by whoever takes it back.

use kith_crdt::{
    Edit, Held, Meta, Resource, ResourceId,
    document::{HeldUnit, UnitContent},
    refile::difference,
};
use kith_protocol::{
    consent::grant::{Actions, Purposes},
    id::RecordId,
    record::{Around, Placed, Record},
};

use super::{
    Node,
    access::{denied, not_written},
    now_ms,
    review::{entry_named, id_of},
};
use crate::{
    api::Decided,
    failure::{Ending, Failure},
};

impl Node {
    /// Takes a decision back. Of a choice among more than two versions `version` says which one
    /// stands again, 1 or more.
    pub(super) fn undo(
        &mut self,
        record: &mut Record,
        word: &str,
        version: Option<usize>,
    ) -> Result<Decided, Failure> {
        let entry = entry_named(record, word)?;
        let around = record.around(&entry).ok_or_else(|| {
            not_undone(
                "This entry does not count, or its part of the record was begun anew since: there is nothing that could be taken back.",
            )
        })?;
        let is_adoption = record.is_adoption(&entry);
        let now: Vec<Placed> = self
            .read_document(record, &around.document)
            .into_iter()
            .filter(|placed| !placed.aside && !placed.late)
            .collect();
        if is_adoption && version.is_some() {
            return Err(not_undone(
                "That entry adopted others and did not choose between versions, so none can be named.",
            ));
        }
        let short = &entry.to_string()[..12];
        let edits = match edits(&around, &now, (is_adoption, short), version) {
            Ok(edits) => edits,
            Err(Refusal::Known(failure)) => return Err(*failure),
            Err(Refusal::NotNamed(before)) => {
                let versions = self.versions(record, before);
                return Err(not_named(record.id(), short, &versions));
            }
        };
        let written = self.write_decision(record, &around.document, &edits)?;
        let what = if is_adoption {
            "What the adoption brought in is taken back: what was new stands as entered in error, and what it changed says again what it said before. The adopted entries stay in the record's history and still count as somebody's word."
        } else {
            "The version that was not chosen stands again, as a new version. The one that was chosen stays in the record's history."
        };
        Ok(Decided {
            entry: written,
            what: what.to_owned(),
        })
    }

    /// Writes what a person who may review has decided.
    pub(super) fn write_decision(
        &mut self,
        record: &mut Record,
        document: &kith_crdt::DocumentId,
        edits: &[Edit],
    ) -> Result<String, Failure> {
        let now = now_ms();
        let writer = record
            .ledger()
            .decide_write(
                &self.whoever(),
                document,
                Actions::REVIEW,
                Purposes::CARE,
                now,
            )
            .map_err(|denial| denied(&denial))?;
        let mut rng = self.rng.clone();
        let written = record.write(&self.pen(now), &writer, edits, &mut rng);
        let (item, _) = written.map_err(|error| not_written(&error))?;
        self.rng = rng;
        let entry = id_of(&item);
        self.commit(vec![item])?;
        Ok(entry)
    }
}

/// Why a decision is not taken back.
enum Refusal<'a> {
    /// For a reason that is said already.
    Known(Box<Failure>),
    /// There were more than two versions of this and none of them is named.
    NotNamed(&'a Held),
}

impl From<Failure> for Refusal<'_> {
    fn from(failure: Failure) -> Self {
        Self::Known(Box::new(failure))
    }
}

/// What takes back what a decision made different, where nothing has changed since.
fn edits<'a>(
    around: &'a Around,
    now: &[Placed],
    (is_adoption, entry): (bool, &str),
    version: Option<usize>,
) -> Result<Vec<Edit>, Refusal<'a>> {
    let mut edits = Vec::new();
    for after in &around.after {
        let before = around.before.iter().find(|held| held.id == after.id);
        if before.is_some_and(|before| says_the_same(before, after)) {
            continue;
        }
        let stands = now.iter().find(|placed| placed.held.id == after.id);
        let stands = stands.filter(|placed| says_the_same(&placed.held, after));
        let Some(stands) = stands.map(|placed| &placed.held) else {
            return Err(not_undone(
                "What was decided has been changed again since, so taking the decision back would undo somebody else's work too.",
            )
            .into());
        };
        match before {
            None if is_adoption => edits.push(Edit::Retract {
                resource: after.id.clone(),
                reason: format!("the decision {entry} that it counts was taken back"),
            }),
            None => {
                return Err(not_undone("That entry added something and decided nothing.").into());
            }
            Some(before) if is_adoption => edits.extend(back_to(before, stands, 0)),
            Some(before) => edits.extend(not_chosen(before, stands, version)?),
        }
    }
    if edits.is_empty() {
        return Err(
            not_undone("That entry made nothing different in what the record shows.").into(),
        );
    }
    Ok(edits)
}

/// The version that was not chosen: of two the other one, of more the one that is named.
fn not_chosen<'a>(
    before: &'a Held,
    stands: &Held,
    version: Option<usize>,
) -> Result<Vec<Edit>, Refusal<'a>> {
    let most = before.siblings().map(|(_, versions)| versions.len()).max();
    match most {
        None => {
            return Err(not_undone(
                "That entry changed something and did not choose between versions.",
            )
            .into());
        }
        Some(most) if most > 2 && version.is_none() => return Err(Refusal::NotNamed(before)),
        Some(most) if version.is_some_and(|n| n == 0 || n > most) => {
            return Err(Refusal::NotNamed(before));
        }
        Some(_) => {}
    }
    let mut edits = Vec::new();
    for (unit, versions) in before.siblings() {
        let chosen = text_in(stands, unit);
        let other = match version {
            Some(n) => versions.get(n - 1),
            None => versions
                .iter()
                .find(|version| chosen != Some(version.text.as_str())),
        };
        let other = other.filter(|other| chosen != Some(other.text.as_str()));
        edits.extend(other.map(|other| put(&stands.id, unit, &other.text)));
    }
    if edits.is_empty() {
        return Err(not_undone("That version stands already.").into());
    }
    Ok(edits)
}

/// What a resource said before, written over what it says now.
fn back_to(before: &Held, stands: &Held, choice: usize) -> Vec<Edit> {
    let resource = Resource {
        meta: Meta::default(),
        body: before.body(choice),
    };
    let mut edits = difference(stands, &resource);
    if edits.is_empty() && stands.is_retracted() && !before.is_retracted() {
        // A new version after a statement that something was entered in error stands again.
        let unit = before.units.first();
        edits.extend(unit.and_then(|unit| {
            let text = text_in(before, &unit.name)?;
            Some(put(&stands.id, &unit.name, text))
        }));
    }
    edits
}

fn put(resource: &ResourceId, unit: &str, text: &str) -> Edit {
    Edit::Put {
        resource: resource.clone(),
        unit: unit.to_owned(),
        text: text.to_owned(),
    }
}

fn text_in<'a>(held: &'a Held, unit: &str) -> Option<&'a str> {
    let unit = held.units.iter().find(|held| held.name == unit)?;
    match &unit.content {
        UnitContent::Register(versions) => versions.first().map(|version| version.text.as_str()),
        UnitContent::List(_) => None,
    }
}

fn says_the_same(one: &Held, other: &Held) -> bool {
    let content = |held: &Held| {
        let units = held.units.iter();
        units
            .map(|HeldUnit { name, content, .. }| (name.clone(), content.clone()))
            .collect::<Vec<_>>()
    };
    content(one) == content(other)
        && one.order == other.order
        && one.is_retracted() == other.is_retracted()
}

fn not_named(record: RecordId, entry: &str, versions: &[String]) -> Failure {
    let listed = (1..).zip(versions);
    let listed: Vec<_> = listed
        .map(|(n, version)| format!("{n}: {version}"))
        .collect();
    Failure::new(
        Ending::NeedsPerson,
        format!(
            "These were the versions to choose from. {}",
            listed.join("; ")
        ),
        format!(
            "Say which one stands again: kith review {record} undo {entry} VERSION. Nothing was changed."
        ),
    )
}

fn not_undone(what: &str) -> Failure {
    Failure::new(
        Ending::NotAllowed,
        what,
        "Look at what stands with kith show, and change that with kith change. Nothing was changed.",
    )
}

#[cfg(test)]
mod tests;
