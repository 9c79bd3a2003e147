//! One resource, as an app is shown it. Where versions stand side by side all of them are given
//! or the reading is refused: none is picked.

use std::collections::BTreeSet;

use kith_crdt::ResourceId;
use kith_protocol::{
    consent::Reader,
    record::{Placed, Record},
};
use serde_json::{Value, json};

use super::shelf::{At, Shelf, Thing, is_error};
use crate::{
    failure::Failure,
    health::{
        fhir::{Code, Outcome, Shown, Type, type_named, version_of},
        genes,
        search::{Mark, Row, View},
    },
    node::{Node, attest, show::is_marked},
};

/// The digits by which one of several versions is known.
const VERSION_LEN: usize = 8;

/// Bytes of attachments that are given with one resource.
const ATTACHMENTS_LEN_MAX: u64 = 32 * 1024 * 1024;

/// A resource to be given.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) version: String,
    pub(super) updated_ms: u64,
    pub(super) value: Value,
    /// Where it stands; nothing for what this node says itself.
    pub(super) place: Option<usize>,
    /// Its text as it is kept, with its attachments.
    pub(super) text: String,
}

impl Node {
    /// What an id names.
    pub(super) fn entry(
        &self,
        record: &mut Record,
        shelf: &Shelf,
        kind: &Type,
        id: &str,
    ) -> Result<Entry, Outcome> {
        let (own, version) = match id.split_once('.') {
            Some((own, version)) => (own, Some(version)),
            None => (id, None),
        };
        let found = shelf
            .things
            .iter()
            .find(|thing| thing.id == own && shelf.row(thing).kind == kind.name);
        let thing = found.ok_or_else(|| Outcome::not_here(kind.name, id))?;
        if is_error(shelf.row(thing)) {
            return Err(Outcome::refused(
                410,
                Code::Deleted,
                format!(
                    "{}/{own} was entered in error, so it is not given to programs. People see it struck through, with who said so.",
                    kind.name
                ),
            ));
        }
        let mut entries = self.entries(record, shelf, thing)?;
        match version {
            Some(_) => entries.retain(|entry| entry.id == id),
            None if entries.len() > 1 => return Err(several(&entries)),
            None => {}
        }
        let entry = entries.into_iter().next();
        entry.ok_or_else(|| Outcome::not_here(kind.name, id))
    }

    /// Every version of a thing, one where nothing stands beside it.
    pub(super) fn entries(
        &self,
        record: &mut Record,
        shelf: &Shelf,
        thing: &Thing,
    ) -> Result<Vec<Entry>, Outcome> {
        let place = match thing.at {
            At::Stored(place, _) => place,
            At::Own(place) => return Ok(own(shelf, place).into_iter().collect()),
        };
        let Some(placed) = self.placed_for_app(record, shelf, thing) else {
            return Ok(Vec::new());
        };
        let updated_ms = shelf.updated_ms(record, thing);
        let versions = placed.held.siblings().map(|(_, held)| held.len()).max();
        let versions = versions.unwrap_or(1);
        let mut entries: Vec<Entry> = Vec::new();
        for version in 0..versions {
            let text = self.text_of(&placed, version)?;
            let hash = version_of(&text);
            let id = if versions > 1 {
                format!("{}.{}", thing.id, &hash[..VERSION_LEN])
            } else {
                thing.id.clone()
            };
            if entries.iter().any(|entry| entry.id == id) {
                continue;
            }
            let tags = self.tags(record, shelf, thing, versions > 1);
            let row = shelf.row(thing);
            let person = shelf.person();
            let shown = Shown {
                kind: &row.kind,
                id: &id,
                version: &hash,
                updated_ms,
                tags,
                subject: type_named(&row.kind).and_then(|kind| kind.subject),
                person: Some(&person),
                batch: row.batch,
                names: &shelf.names,
            };
            // What is no object is nothing that FHIR could carry.
            let Some(mut value) = shown.of(&text) else {
                continue;
            };
            if row.kind == "Patient" {
                link(&mut value, shelf, &thing.id);
            }
            entries.push(Entry {
                kind: row.kind.clone(),
                id,
                version: hash,
                updated_ms,
                value,
                place: Some(place),
                text,
            });
        }
        Ok(entries)
    }

    /// A thing as its document holds it.
    pub(super) fn placed_for_app(
        &self,
        record: &mut Record,
        shelf: &Shelf,
        thing: &Thing,
    ) -> Option<Placed> {
        let marks = &shelf.row(thing).marks;
        let (late, aside) = (marks.contains(&Mark::Late), marks.contains(&Mark::Aside));
        let id = ResourceId::parse(&shelf.row(thing).resource)?;
        let (reader, _) = shelf.stored(thing)?;
        let some = record.read_some(reader, &BTreeSet::from([id]));
        let mut fitting = some.into_iter();
        fitting.find(|placed| placed.late == late && placed.aside == aside)
    }

    fn text_of(&self, placed: &Placed, version: usize) -> Result<String, Failure> {
        let attachments = placed.held.meta.attachments.iter();
        let len: u64 = attachments.map(|attachment| attachment.len).sum();
        if len > ATTACHMENTS_LEN_MAX {
            return Ok(placed.held.to_text(version));
        }
        self.whole_text(placed, version, &mut Vec::new())
    }

    fn tags(
        &self,
        record: &mut Record,
        shelf: &Shelf,
        thing: &Thing,
        several: bool,
    ) -> Vec<(&'static str, String)> {
        let mut tags = Vec::new();
        let Some((reader, view)) = shelf.stored(thing) else {
            return tags;
        };
        let row = shelf.row(thing);
        if several {
            tags.push(("two-versions", Mark::TwoVersions.words().to_owned()));
        }
        let changes: Vec<_> = view
            .created(row)
            .into_iter()
            .chain(view.writers(row))
            .collect();
        let is_to_review = changes.into_iter().any(|change| {
            let entry = record.writer(&change);
            entry.is_some_and(|entry| is_marked(record, &entry))
        });
        if is_to_review {
            tags.push(("to-review", Mark::ToReview.words().to_owned()));
        }
        for (mark, code) in [(Mark::Late, "late"), (Mark::Aside, "copied-device")] {
            if row.marks.contains(&mark) {
                tags.push((code, mark.words().to_owned()));
            }
        }
        tags.extend(self.tags_of_result(record, (reader, view), row));
        tags
    }

    /// Of a result: who brought it and who accepts it, and that it matters for medicines.
    fn tags_of_result(
        &self,
        record: &mut Record,
        (reader, view): (&Reader, &View),
        row: &Row,
    ) -> Vec<(&'static str, String)> {
        let document = reader.document();
        let mut tags = Vec::new();
        if attest::matters(document, &row.kind, row.codes(), &row.text(&view.drugs)) {
            tags.push(("matters-for-medicines", genes::MATTERS.to_owned()));
        }
        let author = view.created(row).and_then(|change| record.author(&change));
        let Some(brought) = self.brought(document, &row.kind, author) else {
            return tags;
        };
        tags.push(("brought", brought));
        let mut accepted = self.accepted_in(record, reader, view);
        let accepted = accepted.remove(&row.resource).unwrap_or_default();
        tags.extend(accepted.into_iter().map(|said| ("accepted", said)));
        tags
    }
}

/// What this node says itself.
fn own(shelf: &Shelf, place: usize) -> Option<Entry> {
    let own = shelf.own.get(place)?;
    let text = own.value.to_string();
    let version = version_of(&text);
    let shown = Shown {
        kind: &own.row.kind,
        id: &own.row.resource,
        version: &version,
        updated_ms: own.updated_ms,
        tags: Vec::new(),
        subject: None,
        person: None,
        batch: (0, 0),
        names: &shelf.names,
    };
    Some(Entry {
        kind: own.row.kind.clone(),
        id: own.row.resource.clone(),
        value: shown.of(&text)?,
        version,
        updated_ms: own.updated_ms,
        place: None,
        text,
    })
}

/// Several versions stand, and nobody has decided between them.
fn several(entries: &[Entry]) -> Outcome {
    let each: Vec<_> = entries
        .iter()
        .map(|entry| format!("{}/{}", entry.kind, entry.id))
        .collect();
    Outcome::refused(
        409,
        Code::Conflict,
        format!(
            "{} versions of this were written at the same time and nobody has decided between them, so none is picked here. Read each: {}. A person decides with kith review.",
            entries.len(),
            each.join(", ")
        ),
    )
}

/// Several Patients of one record are one person, and say so (IPA, Patient.link).
fn link(patient: &mut Value, shelf: &Shelf, id: &str) {
    let links: Vec<_> = shelf
        .others_than(id)
        .map(|other| json!({"other": {"reference": format!("Patient/{other}")}, "type": "seealso"}))
        .collect();
    if links.is_empty() {
        return;
    }
    match patient.get_mut("link") {
        Some(Value::Array(known)) => known.extend(links),
        Some(_) => {}
        None => patient["link"] = Value::Array(links),
    }
}
