//! A record written into a folder of files, for people and other programs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use kith_crdt::{ChangeHash, Section};
use kith_protocol::{
    audit::{Audience, How},
    envelope::Content,
    id::EnvelopeId,
    record::{Placed, Record},
};
use serde_json::Value;

use super::{Node, export::Received, now_ms, show};
use crate::{
    api::Exported,
    failure::{Ending, Failure},
    folder::{self, ABOUT, About, Draft, JOURNAL, Journal, Line, Listed, README, Touched},
    health::search,
};

mod readme;

use readme::Readme;

/// What an entry made and changed that stands.
#[derive(Default)]
struct Wrote {
    added: BTreeSet<Touched>,
    changed: BTreeSet<Touched>,
}

impl Node {
    /// One JSON file for each resource, its documents beside it, a journal, and the hash of every
    /// file. Where the same record's folder stands as it was written, it takes its place.
    pub(super) fn export_folder(
        &mut self,
        record: &mut Record,
        path: &Path,
    ) -> Result<Exported, Failure> {
        let replaces = may_take_place(path, &record.id().to_string())?;
        let (resources, notes) = self.received(record)?;
        self.disclose(record, Audience::Anyone, How::Export, 0)?;
        let mut draft = Draft::begin(path)?;
        let mut about = self.about(record);
        let mut wrote: BTreeMap<Option<EnvelopeId>, Wrote> = BTreeMap::new();
        for resource in &resources {
            let (listed, touched) = written(&mut draft, resource)?;
            about.resources.push(listed);
            note_writers(record, &resource.placed, &touched, &mut wrote);
        }
        let journal = self.journal(record, wrote);
        draft.write(JOURNAL, journal.into_text().as_bytes())?;
        let readme = self.readme(record, &about, &notes);
        draft.write(README, readme.to_text().as_bytes())?;
        let mut text = serde_json::to_vec_pretty(&about).map_err(|error| not_made(&error))?;
        text.push(b'\n');
        draft.write(ABOUT, &text)?;
        draft.finish(path, replaces)?;
        Ok(Exported {
            text: None,
            path: Some(path.to_owned()),
            count: resources.len(),
            notes,
        })
    }

    fn about(&self, record: &mut Record) -> About {
        let known = self.people.get(&record.id());
        let own = self.identity.principal;
        let is_controlled = record.ledger().controllers().contains(&own);
        About {
            library: known.is_some_and(|known| known.library),
            whole: is_controlled,
            ..About::of(
                record.id().to_string(),
                show::time(now_ms()),
                self.identity.name.clone(),
            )
        }
    }

    fn readme<'a>(&self, record: &mut Record, about: &'a About, notes: &'a [String]) -> Readme<'a> {
        let known = self.people.get(&record.id()).cloned().unwrap_or_default();
        Readme {
            person: known.banner(),
            about,
            controllers: self
                .controllers(record)
                .into_iter()
                .map(|who| who.name)
                .collect(),
            not_known_here: show::not_known_here(record),
            notes,
        }
    }

    /// Every entry that is held, in the order of the times that their authors signed.
    fn journal(
        &self,
        record: &mut Record,
        mut wrote: BTreeMap<Option<EnvelopeId>, Wrote>,
    ) -> Journal {
        let mut entries = Vec::new();
        for document in record.ledger().documents() {
            for (id, status) in record.ledger().entries(&document) {
                let header = record.ledger().header(&id).cloned();
                entries.extend(header.map(|header| (header, id, status)));
            }
        }
        entries.sort_by_key(|(header, id, _)| (header.time_ms, header.seq, *id));
        let mut journal = Journal::default();
        for (header, id, status) in entries {
            let wrote = wrote.remove(&Some(id)).unwrap_or_default();
            let document = &header.document;
            journal.add(Line {
                when: Some(show::time(header.time_ms)),
                who: self.name_of(header.author),
                staff: header.staff.map(|staff| self.name_of_staff(staff)),
                part: format!("{}, {}", document.section, document.label),
                what: what(&header.content, document.section, &wrote),
                status: show::status_word(&status).to_owned(),
                entry: Some(id.to_string()),
                added: wrote.added.into_iter().collect(),
                changed: wrote.changed.into_iter().collect(),
                ..Line::default()
            });
        }
        // Carried over from a part that is not held: what stands is here, and who wrote it is not.
        if let Some(wrote) = wrote.remove(&None) {
            journal.add(Line {
                who: "not known here".to_owned(),
                part: "several".to_owned(),
                what: "wrote this in a part that has since been begun anew".to_owned(),
                status: "accepted".to_owned(),
                added: wrote.added.into_iter().collect(),
                ..Line::default()
            });
        }
        journal
    }
}

/// What an entry did, in words.
fn what(content: &Content, section: Section, wrote: &Wrote) -> String {
    match content {
        Content::CarryOver { .. } => "began this part anew with what stood in it".to_owned(),
        Content::Adopt { .. } => "said that entries of others count".to_owned(),
        Content::Erased { .. } => "said that entries were erased".to_owned(),
        Content::Change(_) => match (wrote.added.len(), wrote.changed.len()) {
            (0, 0) if section == Section::Circle => "wrote names of those who share".to_owned(),
            (0, 0) => "wrote what was changed again since, or what kith keeps beside the resources"
                .to_owned(),
            (added, 0) => format!("added {added}"),
            (0, changed) => format!("changed {changed}"),
            (added, changed) => format!("added {added}, changed {changed}"),
        },
    }
}

/// Writes a resource and its documents.
fn written(draft: &mut Draft, resource: &Received) -> Result<(Listed, Touched), Failure> {
    let placed = &resource.placed;
    let document = &placed.document;
    let version = match resource.version {
        0 => String::new(),
        n => format!("-version-{}", n + 1),
    };
    let kind = placed.held.meta.kind.chars();
    let kind: String = kind.filter(char::is_ascii_alphanumeric).take(64).collect();
    let file = format!(
        "resources/{}/{}/{kind}-{}{version}.json",
        document.section, document.label, placed.held.id
    );
    let sha256 = draft.write(&file, resource.text.as_bytes())?;
    let value: Value = serde_json::from_str(&resource.text).unwrap_or(Value::Null);
    let mut documents = Vec::new();
    for (bytes, media_type) in attached(&value) {
        let name = format!(
            "documents/{}{}",
            folder::sha256(&bytes),
            ending(&media_type)
        );
        draft.write(&name, &bytes)?;
        documents.push(name);
    }
    let listed = Listed {
        file: file.clone(),
        entry: placed.held.meta.entry.clone(),
        documents,
        was_taken_back: placed.held.is_retracted(),
    };
    Ok((listed, Touched { file, sha256 }))
}

/// The documents in a resource: the bytes and the type of whatever has both.
fn attached(value: &Value) -> Vec<(Vec<u8>, String)> {
    match value {
        Value::Object(members) => {
            let said = |name: &str| members.get(name).and_then(Value::as_str);
            let own = said("data")
                .zip(said("contentType"))
                .and_then(|(data, kind)| {
                    let bytes = data_encoding::BASE64.decode(data.as_bytes()).ok()?;
                    Some((bytes, kind.to_owned()))
                });
            own.into_iter()
                .chain(members.values().flat_map(attached))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(attached).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// How a file of a type is usually named at its end, so that a double click opens it.
fn ending(media_type: &str) -> &'static str {
    match media_type.split(';').next().unwrap_or_default().trim() {
        "application/pdf" => ".pdf",
        "application/xml" | "text/xml" => ".xml",
        "application/json" | "application/fhir+json" => ".json",
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "text/plain" => ".txt",
        _ => "",
    }
}

/// Notes which entries wrote what stands in a resource.
fn note_writers(
    record: &mut Record,
    placed: &Placed,
    touched: &Touched,
    wrote: &mut BTreeMap<Option<EnvelopeId>, Wrote>,
) {
    let created = record
        .writer(&placed.held.created)
        .or_else(|| record.creator(&placed.held.id));
    wrote
        .entry(created)
        .or_default()
        .added
        .insert(touched.clone());
    let writers: BTreeSet<ChangeHash> = search::writers(&placed.held).collect();
    for change in writers {
        let entry = record.writer(&change);
        if entry.is_some() && entry != created {
            let changed = &mut wrote.entry(entry).or_default().changed;
            changed.insert(touched.clone());
        }
    }
}

/// Whether a folder of the same record stands there, as it was written, so that this one takes its
/// place; nothing else is ever written over.
fn may_take_place(path: &Path, record: &str) -> Result<bool, Failure> {
    let is_empty = |path: &Path| {
        let inside = std::fs::read_dir(path);
        inside.is_ok_and(|mut inside| inside.next().is_none())
    };
    let Ok(about) = std::fs::symlink_metadata(path) else {
        return Ok(false);
    };
    if about.is_dir() && is_empty(path) {
        return Ok(false);
    }
    if !about.is_dir() || !folder::is_one(path) {
        return Err(taken(path, "it is not a folder of this record"));
    }
    if About::read(path)?.record != record {
        return Err(taken(path, "it is the folder of another record"));
    }
    let compared = folder::compare(path)?;
    if !compared.agrees() {
        let why = format!("it is not as it was written: {}", compared.sentence());
        return Err(taken(path, &why));
    }
    Ok(true)
}

fn taken(path: &Path, why: &str) -> Failure {
    Failure::new(
        Ending::Usage,
        format!("{} is there already, and {why}.", path.display()),
        "Name a folder that does not exist yet or is empty. Nothing was written.",
    )
}

fn not_made(error: &serde_json::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The folder could not be made.",
        "The record is untouched. This is a fault of kith.",
    )
    .because(error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{attached, ending};

    #[test]
    fn documents_are_found_wherever_they_stand() {
        let letter = json!({"resourceType": "DocumentReference", "content": [
            {"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}},
            {"attachment": {"contentType": "application/pdf", "url": "https://x"}}]});
        assert_eq!(
            attached(&letter),
            [(b"hello".to_vec(), "text/plain".to_owned())]
        );
        let binary = json!({"resourceType": "Binary", "contentType": "image/png", "data": "AA=="});
        assert_eq!(attached(&binary).len(), 1);
        assert_eq!(
            attached(&json!({"data": "not base64", "contentType": "x"})),
            []
        );
    }

    #[test]
    fn a_type_from_outside_makes_no_path() {
        assert_eq!(ending("text/plain; charset=utf-8"), ".txt");
        assert_eq!(ending("../../x"), "");
    }
}
