//! A record on a page.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kith_crdt::{ChangeHash, DocumentId, Section};
use kith_protocol::{
    audit::How,
    consent::Status,
    id::{EnvelopeId, PrincipalId, RecordId},
    logs::record::LinkState,
    record::{Placed, Record},
};
use serde_json::Value;

use super::{Node, attest, find};
use crate::{
    api::{AllergyState, AsOf, Doubts, JoinedRecord, Line, RecordShown, SectionShown},
    failure::Failure,
    health::{
        drugs::Drugs,
        genes, line,
        replaced::{Relations, replaced},
        search::{self, Mark},
    },
};

impl Node {
    pub(super) fn show(&mut self, word: &str) -> Result<RecordShown, Failure> {
        let id = self.record_named(word)?;
        let mut shown = self.show_one(id)?;
        shown.doubts = self.doubts(id)?;
        shown.joined = self.joined_with(id)?;
        // An allergy that only the other record holds is never out of sight.
        let recorded = |joined: &JoinedRecord| joined.allergies == AllergyState::Recorded;
        if shown.joined.iter().any(recorded) {
            shown.allergies = AllergyState::Recorded;
        }
        Ok(shown)
    }

    fn show_one(&mut self, id: RecordId) -> Result<RecordShown, Failure> {
        self.with_record(id, |node, record| {
            node.disclose(record, node.owner(), How::Show, 0)?;
            let placed = node.read_all(record)?;
            node.save_large(record);
            let known = node.people.get(&id).cloned().unwrap_or_default();
            let status = status_counts(record);
            Ok(RecordShown {
                record: id.to_string(),
                person: find::line(id, &known),
                envelopes: status.values().sum(),
                status,
                digest: hex(&record.ledger().digest()),
                as_of: node.as_of(record),
                allergies: allergy_state(record, &placed),
                same_person: same_person(record),
                control: node.controllers(record),
                sections: node.sections(record, &placed),
                joined: Vec::new(),
                not_known_here: not_known_here(record),
                doubts: Doubts::default(),
            })
        })
    }

    pub(super) fn sections(&self, record: &mut Record, placed: &[Placed]) -> Vec<SectionShown> {
        let drugs = Drugs::of(placed);
        let replaced = Self::replaced_letters(record, placed);
        let attestations = self.attestations(record, placed);
        let mut sections: BTreeMap<(Section, String), Vec<Line>> = BTreeMap::new();
        for placed in placed.iter().filter(|placed| !placed.held.meta.made_here) {
            let key = (placed.document.section, placed.document.label.to_string());
            let mut line = self.line(record, placed, &drugs);
            line.note_replaced(&replaced);
            self.note_accepted(record, placed, &attestations, &mut line);
            sections.entry(key).or_default().push(line);
        }
        sections
            .into_iter()
            .map(|((section, label), lines)| SectionShown {
                section: section.name().to_owned(),
                label,
                lines,
            })
            .collect()
    }

    pub(super) fn line(&self, record: &mut Record, placed: &Placed, drugs: &Drugs) -> Line {
        let held = &placed.held;
        let mut value = held.value(0);
        drugs.name(&mut value);
        let entry = record.writer(&held.created);
        let mut marks = Mark::of(placed);
        let is_to_review = entry.is_some_and(|entry| is_marked(record, &entry))
            || self.has_marked_part(record, placed);
        if is_to_review {
            marks.push(Mark::ToReview);
            marks.sort_unstable();
        }
        let text = line::describe(&value);
        let mut marks: Vec<_> = marks.iter().map(|mark| mark.words().to_owned()).collect();
        let (document, kind) = (&placed.document, &held.meta.kind);
        if attest::matters(document, kind, genes::codes(&value), &text) {
            marks.push(genes::MATTERS.to_owned());
        }
        Line {
            id: held.id.to_string(),
            kind: kind.clone(),
            text,
            by: self.written_by(record, placed),
            changed_by: self.others(record, &held.created, search::writers(held)),
            when: line::when(&value).map(str::to_owned),
            marks,
            brought: self.brought(document, kind, record.author(&held.created)),
            accepted: Vec::new(),
        }
    }

    /// Letters among these whose place others took: by what.
    pub(super) fn replaced_letters(record: &Record, placed: &[Placed]) -> BTreeMap<String, String> {
        let letter = |placed: &Placed| {
            let author = record.author(&placed.held.created);
            Some((Relations::of_letter(placed)?, author))
        };
        let letters: Vec<_> = placed.iter().filter_map(letter).collect();
        replaced(&letters)
    }

    /// Who wrote a resource; where the epoch in which it was written is not held, who vouches for it.
    pub(super) fn written_by(&self, record: &mut Record, placed: &Placed) -> String {
        if let Some(author) = record.author(&placed.held.created) {
            return self.name_of(author);
        }
        self.vouched_by(record, &placed.document)
    }

    /// Others than whoever made a resource by whom something of it was written that stands.
    pub(super) fn others(
        &self,
        record: &Record,
        created: &ChangeHash,
        writers: impl Iterator<Item = ChangeHash>,
    ) -> Vec<String> {
        let maker = record.author(created);
        let authors: BTreeSet<PrincipalId> = writers
            .filter_map(|change| record.author(&change))
            .filter(|author| Some(*author) != maker)
            .collect();
        authors
            .into_iter()
            .map(|author| self.name_of(author))
            .collect()
    }

    /// Who carried over what was written in an epoch that is not held.
    pub(super) fn vouched_by(&self, record: &mut Record, document: &DocumentId) -> String {
        let begun = record.begun_by(document);
        let begun = begun.and_then(|entry| record.ledger().header(&entry).map(|h| h.author));
        begun.map_or_else(
            || "not known".to_owned(),
            |author| format!("carried over by {}", self.name_of(author)),
        )
    }

    /// Whether anything that stands in a resource was written by a marked entry.
    fn has_marked_part(&self, record: &mut Record, placed: &Placed) -> bool {
        let entries: Vec<_> = search::writers(&placed.held)
            .filter_map(|writer| record.writer(&writer))
            .collect();
        entries.iter().any(|entry| is_marked(record, entry))
    }

    pub(super) fn as_of(&self, record: &mut Record) -> Vec<AsOf> {
        let mut sources: BTreeMap<_, (u64, usize)> = BTreeMap::new();
        for document in record.ledger().documents() {
            for (entry, _) in record.ledger().entries(&document) {
                if let Some(header) = record.ledger().header(&entry) {
                    let source = sources.entry(header.author).or_default();
                    source.0 = source.0.max(header.time_ms);
                    source.1 += 1;
                }
            }
        }
        sources
            .into_iter()
            .map(|(author, (last, entries))| AsOf {
                source: self.name_of(author),
                last: time(last),
                entries,
            })
            .collect()
    }
}

pub(super) fn is_marked(record: &mut Record, entry: &EnvelopeId) -> bool {
    matches!(record.ledger().status(entry), Some(Status::Marked(_)))
}

/// The records that are confirmed to be of the same person.
fn same_person(record: &mut Record) -> Vec<String> {
    let said = record.ledger().same_person();
    said.into_iter()
        .filter(|(_, link)| *link == LinkState::Confirmed)
        .map(|(other, _)| other.to_string())
        .collect()
}

/// How many entries have each status.
pub(super) fn status_counts(record: &mut Record) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for document in record.ledger().documents() {
        for (_, status) in record.ledger().entries(&document) {
            *counts.entry(status_word(&status).to_owned()).or_default() += 1;
        }
    }
    counts
}

/// A status in one word.
pub(super) const fn status_word(status: &Status) -> &'static str {
    match status {
        Status::Accepted => "accepted",
        Status::Marked(_) => "marked",
        Status::Contested(_) => "contested",
        Status::Invalid(_) => "invalid",
        Status::Pending(_) => "pending",
        Status::Unreadable(_) => "unreadable",
    }
}

/// Recorded, said to be none, or not known to this node: never taken for one another. "None known"
/// is said only where nothing speaks or could speak against it: no other version, no mark, no
/// entry about allergies that is not in the view.
pub(super) fn allergy_state(record: &mut Record, placed: &[Placed]) -> AllergyState {
    let mut state = AllergyState::NotKnownHere;
    let mut doubted = is_section_in_doubt(record, Section::Allergies);
    for placed in placed {
        if placed.held.meta.kind != "AllergyIntolerance" || placed.held.is_retracted() {
            continue;
        }
        let versions = placed.held.siblings().map(|(_, versions)| versions.len());
        for version in 0..versions.max().unwrap_or(1) {
            let text = placed.held.to_text(version);
            let value = serde_json::from_str(&text).unwrap_or(Value::Null);
            if !line::says_none(&value) {
                return AllergyState::Recorded;
            }
            doubted |= !line::stands(&value);
        }
        let written = record.writer(&placed.held.created);
        doubted |=
            placed.aside || placed.late || written.is_none_or(|entry| is_marked(record, &entry));
        state = AllergyState::NoneKnown;
    }
    if doubted {
        AllergyState::NotKnownHere
    } else {
        state
    }
}

/// Whether entries of a section are held that are not in the view, for whatever reason.
fn is_section_in_doubt(record: &mut Record, section: Section) -> bool {
    let documents = record.ledger().documents();
    documents
        .iter()
        .filter(|id| id.section == section)
        .any(|id| {
            let entries = record.ledger().entries(id);
            entries.iter().any(|(_, status)| {
                matches!(
                    status,
                    Status::Contested(_) | Status::Pending(_) | Status::Unreadable(_)
                )
            })
        })
}

/// Sections of which nothing is in the view: withheld, not yet sent, or empty; nobody here can
/// tell.
pub(super) fn not_known_here(record: &mut Record) -> Vec<String> {
    let mut documents: Vec<DocumentId> = record.ledger().documents();
    documents.retain(|id| !record.ledger().loaded(id).main.is_empty());
    Section::ALL
        .into_iter()
        .filter(|section| !documents.iter().any(|id| id.section == *section))
        .map(|section| section.name().to_owned())
        .collect()
}

/// RFC 3339, to the second.
pub(super) fn time(time_ms: u64) -> String {
    let ms = i64::try_from(time_ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).map_or_else(
        |_| "not known".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
