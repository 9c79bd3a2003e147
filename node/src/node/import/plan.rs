//! Which record each resource goes into.

use std::collections::BTreeSet;

use kith_crdt::{
    Body, DocumentId, Label, Meta, Resource, Section, classify::strictest, incoming::Frame,
    person::Person, resource::Attachment,
};
use kith_protocol::id::RecordId;
use rand_core::Rng;
use serde_json::Value;

use super::read::{Cut, Sorted};
use crate::{
    api::Imported,
    failure::{Ending, Failure},
    node::{Node, people::Known},
};

/// Resources on their way into one record.
pub(super) struct Filing {
    /// The record; a new one where there is none.
    pub(super) record: Option<RecordId>,
    /// What a new record is of.
    pub(super) known: Known,
    pub(super) resources: Vec<(DocumentId, Resource)>,
    /// Bytes that stay outside the documents.
    pub(super) blobs: Vec<Vec<u8>>,
    /// A record that somebody said is of the same person.
    pub(super) same_as: Option<RecordId>,
    /// How many resources of the file are in the record already and are not among these.
    pub(super) unchanged: usize,
}

/// Whether a file belongs into a record that is only planned so far.
pub(super) fn meets(planned: &[Filing], found: &Sorted) -> bool {
    let people = persons(found);
    planned
        .iter()
        .filter(|filing| filing.record.is_none())
        .any(|filing| {
            let known = filing.known.said.iter();
            filing.known.library
                || known
                    .clone()
                    .any(|said| people.iter().any(|person| said.is_surely(person)))
        })
}

/// Kinds of what kith itself keeps about a file.
pub(crate) const FRAME_KIND: &str = "kith:frame";
/// A document as its author sent it.
pub(crate) const ORIGINAL_KIND: &str = "kith:original";

impl Node {
    /// Sorts a file's resources into filings.
    pub(super) fn plan(
        &mut self,
        found: &mut Sorted,
        target: Option<RecordId>,
        own: Option<RecordId>,
        same_person: bool,
        batch: (u64, u32),
        imported: &mut Imported,
    ) -> Result<Vec<Filing>, Failure> {
        let back = own
            .map(|record| self.coming_back(record, found, imported))
            .transpose()?;
        let people = persons(found);
        let frames = std::mem::take(&mut found.frames);
        let groups = std::mem::take(&mut found.people);
        let mut plan = Plan {
            rng: &mut self.rng,
            batch,
            ordinal: 0,
            // What several people need goes to each of them.
            is_shared: groups.patients.len() > 1,
            found,
        };
        if let Some(back) = back {
            let known = self.people.get(&back.record).cloned().unwrap_or_default();
            check_person(&known, &persons_at(plan.found, &back.foreign), false)?;
            let mut filing = plan.filing(Some(back.record), known, &back.foreign, &[]);
            filing.unchanged = back.unchanged;
            return Ok(vec![filing]);
        }
        if let Some(record) = target {
            let known = self.people.get(&record).cloned().unwrap_or_default();
            if let Some(person) = check_person(&known, &people, same_person)? {
                let known = Known {
                    library: false,
                    said: vec![person.clone()],
                };
                let mut filing = plan.filing(None, known, &plan.all(), &frames);
                filing.same_as = Some(record);
                return Ok(vec![filing]);
            }
            return Ok(vec![plan.filing(Some(record), known, &plan.all(), &frames)]);
        }
        let mut filings = Vec::new();
        let single = people.len() == 1;
        for (person, places) in people.iter().zip(&groups.patients) {
            let records = self.people.surely(person);
            let record = match records.as_slice() {
                [] => None,
                [one] => Some(*one),
                several => return Err(several_fit(person, several)),
            };
            let known = Known {
                library: false,
                said: vec![person.clone()],
            };
            let frames: &[Frame] = if single { &frames } else { &[] };
            filings.push(plan.filing(record, known, places, frames));
        }
        let loose: Vec<_> = if people.is_empty() {
            plan.all()
        } else {
            groups.strangers.clone()
        };
        if !loose.is_empty() {
            imported.flagged.extend(groups.strangers.iter().map(|n| {
                kith_crdt::flag::Flag {
                    place: plan.found.resources[*n].place.clone(),
                    what:
                        "this is about somebody who is not in the file; it was filed in the library"
                            .to_owned(),
                }
            }));
            let library = Known {
                library: true,
                said: Vec::new(),
            };
            let frames: &[Frame] = if single { &[] } else { &frames };
            filings.push(plan.filing(self.people.library(), library, &loose, frames));
        }
        Ok(filings)
    }

    /// What was made of a message, for one record.
    pub(super) fn plan_made(
        &mut self,
        found: &mut Sorted,
        record: Option<RecordId>,
        only_same_person: bool,
        batch: (u64, u32),
    ) -> Filing {
        let (into, same_as) = match record {
            Some(record) if only_same_person => (None, Some(record)),
            record => (record, None),
        };
        let known = into.and_then(|record| self.people.get(&record).cloned());
        let known = known.unwrap_or_else(|| Known {
            library: false,
            said: persons(found),
        });
        let mut plan = Plan::of(&mut self.rng, batch, found);
        let all = plan.all();
        let mut filing = plan.filing(into, known, &all, &[]);
        filing.same_as = same_as;
        filing
    }

    /// Keeps a file of another kind in a record, byte for byte.
    pub(super) fn plan_letter(
        &mut self,
        bytes: Vec<u8>,
        media_type: &'static str,
        file: &str,
        target: Option<RecordId>,
        batch: (u64, u32),
    ) -> Result<Vec<Filing>, Failure> {
        let Some(record) = target else {
            return Err(Failure::new(
                Ending::NotUnderstood,
                format!(
                    "{file} ({}) is not read by this version of kith, so it is not known whose it is.",
                    plain(media_type)
                ),
                "To keep it byte for byte with a record: kith import FILE --record RECORD. Nothing was changed.",
            ));
        };
        let known = self.people.get(&record).cloned().unwrap_or_default();
        let (resource, blob) = letter(bytes, media_type, &OfLetter::default(), batch);
        Ok(vec![Filing {
            record: Some(record),
            known,
            resources: vec![(
                DocumentId::first(Section::Letters, Label::general()),
                resource,
            )],
            blobs: blob.into_iter().collect(),
            same_as: None,
            unchanged: 0,
        }])
    }
}

fn plain(media_type: &str) -> &str {
    match media_type {
        "application/xml" => "an XML document, such as CDA",
        "application/pdf" => "a PDF",
        other => other,
    }
}

/// What is said of a letter beside its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfLetter {
    /// What it is.
    pub title: Option<String>,
    /// The day that stands on it: a FHIR date.
    pub date: Option<String>,
    /// A reference to the letter whose place it takes.
    pub replaces: Option<Value>,
}

/// A letter with a file in it: a DocumentReference, and the bytes when they stay outside.
pub(crate) fn letter(
    bytes: Vec<u8>,
    media_type: &str,
    of: &OfLetter,
    batch: (u64, u32),
) -> (Resource, Option<Vec<u8>>) {
    let token = format!("\"{}\"", data_encoding::BASE64.encode(&bytes));
    let (attachment, _) = Attachment::of_token(&token);
    let (data, attachments, blob) =
        if bytes.len() > kith_protocol::limits::INLINE_ATTACHMENT_LEN_MAX {
            (attachment.placeholder(), vec![attachment], Some(bytes))
        } else {
            (token, Vec::new(), None)
        };
    let said = |name: &str, value: &Option<String>| {
        value.as_ref().map_or_else(String::new, |value| {
            format!(",\"{name}\":{}", kith_crdt::json::quote(value))
        })
    };
    let (title, date) = (said("title", &of.title), said("creation", &of.date));
    let replaces = of.replaces.as_ref().map_or_else(String::new, |target| {
        format!(",\"relatesTo\":[{{\"code\":\"replaces\",\"target\":{target}}}]")
    });
    let text = format!(
        "{{\"resourceType\":\"DocumentReference\",\"status\":\"current\"{replaces},\"content\":[{{\"attachment\":{{\"contentType\":\"{media_type}\",\"data\":{data}{title}{date}}}}}]}}"
    );
    let body = Body::parse(&text, Section::Letters).unwrap_or_else(|_| Body::whole(text));
    let meta = Meta {
        kind: "DocumentReference".to_owned(),
        batch,
        attachments,
        ..Meta::default()
    };
    (Resource { meta, body }, blob)
}

/// Who the Patients of a file are, in order.
pub(super) fn persons(found: &Sorted) -> Vec<Person> {
    let all: Vec<_> = (0..found.resources.len()).collect();
    persons_at(found, &all)
}

/// Who the Patients at some places of a file are, in order.
fn persons_at(found: &Sorted, places: &[usize]) -> Vec<Person> {
    places
        .iter()
        .filter_map(|place| found.resources[*place].person.clone())
        .collect()
}

/// A file of another Patient never enters a record. Where somebody says that it is the same person
/// it becomes a record of its own, linked to this one: that Patient.
pub(super) fn check_person<'a>(
    known: &Known,
    people: &'a [Person],
    same_person: bool,
) -> Result<Option<&'a Person>, Failure> {
    let distinct: BTreeSet<_> = people.iter().collect();
    if distinct.len() > 1 {
        return Err(Failure::new(
            Ending::NeedsPerson,
            format!(
                "This file is about {} people, and a record is about one.",
                distinct.len()
            ),
            "Import it without --record: each person's part goes into their own record. Nothing was changed.",
        ));
    }
    let fits = |person: &Person| known.said.iter().any(|said| said.is_surely(person));
    match people.first() {
        Some(person) if !known.said.is_empty() && !fits(person) && same_person => Ok(Some(person)),
        Some(person) if !known.said.is_empty() && !fits(person) => Err(Failure::new(
            Ending::NeedsPerson,
            "This file is about another Patient than the record.",
            "Check the name, birth date and number. If a person decided that it is the same one, run the command again with --same-person: the file becomes a record of its own, linked to this one. Nothing was changed.",
        )),
        Some(_) | None => Ok(None),
    }
}

pub(super) fn several_fit(person: &Person, records: &[RecordId]) -> Failure {
    let ids: Vec<_> = records
        .iter()
        .map(|id| id.to_string()[..12].to_owned())
        .collect();
    Failure::new(
        Ending::NeedsPerson,
        format!(
            "{} fits {} records here ({}).",
            person.banner(),
            records.len(),
            ids.join(", ")
        ),
        "Decide which and name it with --record. Nothing of this file was filed.",
    )
}

pub(super) struct Plan<'a> {
    rng: &'a mut rand_chacha::ChaCha20Rng,
    batch: (u64, u32),
    ordinal: u32,
    /// Whether a resource may go into more than one record.
    is_shared: bool,
    found: &'a mut Sorted,
}

impl<'a> Plan<'a> {
    /// For one record.
    pub(super) const fn of(
        rng: &'a mut rand_chacha::ChaCha20Rng,
        batch: (u64, u32),
        found: &'a mut Sorted,
    ) -> Self {
        Self {
            rng,
            batch,
            ordinal: 0,
            is_shared: false,
            found,
        }
    }

    /// Every place of the file.
    fn all(&self) -> Vec<usize> {
        (0..self.found.resources.len()).collect()
    }

    pub(super) fn filing(
        &mut self,
        record: Option<RecordId>,
        known: Known,
        places: &[usize],
        frames: &[Frame],
    ) -> Filing {
        let mut filing = Filing {
            record,
            known,
            resources: Vec::with_capacity(places.len() + 2),
            blobs: Vec::new(),
            same_as: None,
            unchanged: 0,
        };
        for place in places {
            let cut = &mut self.found.resources[*place];
            let cut = match self.is_shared {
                true => cut.clone(),
                false => std::mem::take(cut),
            };
            let document = self.found.documents[*place].clone();
            let resource = self.resource(cut, &mut filing.blobs);
            filing.resources.push((document, resource));
        }
        let labels = places
            .iter()
            .map(|place| &self.found.documents[*place].label);
        let document = DocumentId::first(Section::Letters, strictest(labels));
        for frame in frames {
            self.frame(frame, &document, &mut filing);
        }
        filing
    }

    fn resource(&mut self, cut: Cut, blobs: &mut Vec<Vec<u8>>) -> Resource {
        let attachments = cut.attachments.into_iter().map(|(attachment, bytes)| {
            blobs.push(bytes);
            attachment
        });
        let attachments = attachments.collect();
        Resource {
            meta: Meta {
                kind: cut.kind,
                native_id: cut.native_id,
                entry: cut.entry,
                batch: self.batch,
                ordinal: self.next_ordinal(),
                attachments,
                made_here: false,
            },
            body: cut.body,
        }
    }

    /// The next place, with a gap of random width before it: a gap that shows nothing cannot tell
    /// a reader that something was withheld.
    fn next_ordinal(&mut self) -> u32 {
        self.ordinal += 1 + (self.rng.next_u32() & 7);
        self.ordinal
    }

    /// What the Bundle said beside its resources, and the whole of it where it is a document.
    fn frame(&mut self, frame: &Frame, document: &DocumentId, filing: &mut Filing) {
        let mut keep = |kind: &str, text: String, attachments: Vec<Attachment>, ordinal| {
            let meta = Meta {
                kind: kind.to_owned(),
                batch: self.batch,
                ordinal,
                attachments,
                made_here: true,
                ..Meta::default()
            };
            let body = Body::whole(text);
            filing
                .resources
                .push((document.clone(), Resource { meta, body }));
        };
        let ordinal = self.ordinal + 1;
        keep(FRAME_KIND, frame.text.clone(), Vec::new(), ordinal);
        if let Some(original) = &frame.original {
            let (attachment, bytes) = Attachment::of_bytes(original.as_bytes().to_vec());
            let text = format!("{{\"original\":{}}}", attachment.placeholder());
            keep(ORIGINAL_KIND, text, vec![attachment], ordinal + 1);
            filing.blobs.push(bytes);
        }
        self.ordinal += 2;
    }
}
