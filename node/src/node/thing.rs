//! One thing in a record, looked at closely: all that it says, who wrote it, its files.

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::How,
    id::BlobId,
    record::{Placed, Record},
    store::Store,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Node, show};
use crate::{
    api::Line,
    failure::{Ending, Failure},
    health::drugs::Drugs,
};

/// One thing in a record.
#[derive(Clone, Debug)]
pub struct Thing {
    /// The section in which it stands.
    pub section: String,
    /// How sensitive it is.
    pub label: String,
    /// In a line, with who says so.
    pub line: Line,
    /// When it was signed, RFC 3339; nothing where that entry is not held.
    pub signed: Option<String>,
    /// The versions that stand, as FHIR JSON: one, or those between which nobody has decided, each
    /// with who wrote it.
    pub versions: Vec<(Value, String)>,
    /// Why it was taken back, where it was.
    pub taken_back: Vec<String>,
    /// Its files.
    pub attached: Vec<Attached>,
    /// Of a letter: the one that took its place.
    pub replaced_by: Option<Line>,
    /// Of a letter: those whose place it took.
    pub replaces: Vec<Line>,
    /// Of a result that somebody brought: whether whoever looks says that they accept it; nothing
    /// where they cannot.
    pub accepts: Option<bool>,
}

/// A file of something in a record.
#[derive(Clone, Debug)]
pub struct Attached {
    /// What its sender called it.
    pub title: String,
    /// As its sender said.
    pub media_type: String,
    /// Bytes.
    pub len: u64,
    /// The SHA-256 of its bytes, in hexadecimal digits; nothing while it has not arrived here.
    pub sha256: Option<String>,
}

/// A file, with its bytes where they have arrived.
type WithBytes = (Attached, Option<Vec<u8>>);

impl Node {
    /// One thing in a record.
    ///
    /// # Errors
    /// When it is not here, and when the access log cannot be written.
    pub(crate) fn thing(&mut self, word: &str, thing: &str) -> Result<Thing, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let placed = node.placed(record, thing)?;
            // A letter is shown with those that take its place, wherever they stand.
            let is_letter = placed.held.meta.kind == "DocumentReference";
            let mut documents = record.ledger().documents();
            documents.retain(|id| match is_letter {
                true => id.section == placed.document.section,
                false => *id == placed.document,
            });
            let said = Self::state_of(record, documents.clone(), node.owner(), None, How::Show);
            node.disclosed(vec![said], Vec::new())?;
            let mut thing = node.looked_at(record, &placed)?;
            if is_letter {
                node.relate(record, &documents, &mut thing);
            }
            Ok(thing)
        })
    }

    /// A file of something in a record, by its place there, with what it is called and its type.
    ///
    /// # Errors
    /// When it is not here or has not arrived yet, and when the access log cannot be written.
    pub(crate) fn attached(
        &mut self,
        word: &str,
        thing: &str,
        at: usize,
    ) -> Result<(Attached, Vec<u8>), Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let placed = node.placed(record, thing)?;
            let files = node.files(&placed)?;
            let (file, bytes) = files.into_iter().nth(at).ok_or_else(no_file)?;
            let bytes = bytes.ok_or_else(not_arrived)?;
            let documents = vec![placed.document.clone()];
            let mut said = Self::state_of(record, documents, node.owner(), None, How::Show);
            said.len = bytes.len() as u64;
            node.disclosed(vec![said], Vec::new())?;
            Ok((file, bytes))
        })
    }

    pub(super) fn placed(&self, record: &mut Record, thing: &str) -> Result<Placed, Failure> {
        let mut all = self.read_all(record)?.into_iter();
        all.find(|placed| placed.held.id.as_str() == thing && !placed.held.meta.made_here)
            .ok_or_else(|| {
                Failure::new(
                    Ending::Failed,
                    "There is nothing here by that name.",
                    "It may have been withheld since, or not have arrived yet. Go back to the record and look again.",
                )
            })
    }

    /// Says of a letter what took its place and whose place it took.
    fn relate(&self, record: &mut Record, documents: &[DocumentId], thing: &mut Thing) {
        let all: Vec<_> = documents
            .iter()
            .flat_map(|document| self.read_document(record, document))
            .collect();
        let replaced = Self::replaced_letters(record, &all);
        thing.line.note_replaced(&replaced);
        for placed in &all {
            let id = placed.held.id.as_str();
            let is_newer = replaced
                .get(&thing.line.id)
                .is_some_and(|newer| newer == id);
            let is_older = replaced.get(id) == Some(&thing.line.id);
            if is_newer || is_older {
                let line = self.line(record, placed, &Drugs::default());
                match is_newer {
                    true => thing.replaced_by = Some(line),
                    false => thing.replaces.push(line),
                }
            }
        }
    }

    fn looked_at(&self, record: &mut Record, placed: &Placed) -> Result<Thing, Failure> {
        let held = &placed.held;
        // What a prescription names by reference may stand in another part.
        let all = self.read_document(record, &placed.document);
        let mut line = self.line(record, placed, &Drugs::of(&all));
        let attestations = self.attestations(record, &all);
        self.note_accepted(record, placed, &attestations, &mut line);
        let authors = self.version_authors(record, placed);
        let versions = authors.into_iter().enumerate().map(|(n, by)| {
            let value = held.value(n);
            (value, by)
        });
        let versions = versions.collect();
        let entry = record.writer(&held.created);
        let signed = entry
            .and_then(|entry| record.ledger().header(&entry))
            .map(|header| show::time(header.time_ms));
        let attached = self.files(placed)?.into_iter().map(|(file, _)| file);
        Ok(Thing {
            section: placed.document.section.name().to_owned(),
            label: placed.document.label.to_string(),
            line,
            signed,
            versions,
            taken_back: held
                .retractions
                .iter()
                .map(|said| said.reason.clone())
                .collect(),
            attached: attached.collect(),
            replaced_by: None,
            replaces: Vec::new(),
            accepts: self.may_attest(record, placed),
        })
    }

    /// Who wrote each version that stands.
    fn version_authors(&self, record: &mut Record, placed: &Placed) -> Vec<String> {
        let held = &placed.held;
        let most = held.siblings().map(|(_, versions)| versions.len()).max();
        let Some(most) = most else {
            return vec![self.written_by(record, placed)];
        };
        (0..most)
            .map(|n| {
                let mut siblings = held.siblings();
                let version = siblings.find_map(|(_, versions)| versions.get(n));
                let author = version.and_then(|version| record.author(&version.writer));
                author.map_or_else(|| "not known".to_owned(), |author| self.name_of(author))
            })
            .collect()
    }

    /// Its files, each with its bytes where they have arrived.
    fn files(&self, placed: &Placed) -> Result<Vec<WithBytes>, Failure> {
        let value: Value = placed.held.value(0);
        let mut files = Vec::new();
        for attachment in &placed.held.meta.attachments {
            let bytes = match BlobId::from_hex(&attachment.blob) {
                Some(blob) => self.store.blob(&blob)?,
                None => None,
            };
            let mark = format!("kith-blob:{}", attachment.blob);
            let around = around(&value, &mark);
            let said = |name: &str| {
                let said = around.and_then(|around| around.get(name)?.as_str());
                said.unwrap_or_default().to_owned()
            };
            let file = Attached {
                title: said("title"),
                media_type: said("contentType"),
                len: attachment.len,
                sha256: bytes
                    .as_ref()
                    .map(|bytes| show::hex(&Sha256::digest(bytes))),
            };
            files.push((file, bytes));
        }
        // Short texts and pictures stay in the resource itself.
        for inline in inline(&value) {
            let said = |name: &str| inline.get(name).and_then(Value::as_str).unwrap_or_default();
            let Ok(bytes) = data_encoding::BASE64.decode(said("data").as_bytes()) else {
                continue;
            };
            let file = Attached {
                title: said("title").to_owned(),
                media_type: said("contentType").to_owned(),
                len: bytes.len() as u64,
                sha256: Some(show::hex(&Sha256::digest(&bytes))),
            };
            files.push((file, Some(bytes)));
        }
        Ok(files)
    }
}

/// The object in which a string stands.
fn around<'v>(value: &'v Value, text: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => {
            let holds = |member: &Value| member.as_str() == Some(text);
            if members.values().any(holds) {
                return Some(value);
            }
            members.values().find_map(|member| around(member, text))
        }
        Value::Array(items) => items.iter().find_map(|item| around(item, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Attachments whose bytes stand in the resource.
fn inline(resource: &Value) -> Vec<&Value> {
    let contents = resource.get("content").and_then(Value::as_array);
    let attachments = contents
        .into_iter()
        .flatten()
        .filter_map(|content| content.get("attachment"));
    let has_bytes = |attachment: &&Value| {
        let data = attachment.get("data").and_then(Value::as_str);
        data.is_some_and(|data| !data.starts_with("kith-blob:"))
    };
    attachments.filter(has_bytes).collect()
}

fn no_file() -> Failure {
    Failure::new(
        Ending::Failed,
        "There is no such file here.",
        "Go back and look again.",
    )
}

fn not_arrived() -> Failure {
    Failure::new(
        Ending::TryAgain,
        "This file has not arrived here yet.",
        "It comes by itself once a node that has it is connected. Nothing was changed.",
    )
}
