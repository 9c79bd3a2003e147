//! A record along a line of time, from its stored views.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use kith_crdt::DocumentId;
use kith_protocol::{audit::How, consent::Reader, id::PrincipalId, record::Record};

use super::{
    Node, attest,
    show::{is_marked, time},
};
use crate::{
    api::{Happened, Line},
    failure::Failure,
    health::{
        drugs::Drugs,
        genes,
        replaced::replaced,
        search::{Mark, Row, View},
    },
};

/// Two signatures further apart than this were not made on the day of what they tell.
const LATE_MS: i64 = 24 * 60 * 60 * 1000;

/// What the lines of one timeline have in common.
#[derive(Default)]
struct Telling {
    drugs: Drugs,
    /// Letters whose place others took.
    replaced: BTreeMap<String, String>,
    names: BTreeMap<PrincipalId, String>,
    /// Who accepts results that somebody brought, by the result's id.
    accepted: BTreeMap<String, Vec<String>>,
}

impl Node {
    pub(super) fn timeline(&mut self, word: &str) -> Result<Vec<Happened>, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let readers = node.readers(record, &node.whoever());
            let (views, made) = node.views(record, &readers);
            let documents = record.ledger().documents();
            let said = Self::state_of(record, documents, node.owner(), None, How::Show);
            node.disclosed(vec![said], made)?;
            node.save_large(record);
            let mut happened = node.happenings(record, &readers, &views);
            happened.sort_by(|a: &Happened, b| {
                let time = |happened: &Happened| {
                    let when = happened.when.clone();
                    when.unwrap_or_else(|| happened.arrived.clone())
                };
                time(b)
                    .cmp(&time(a))
                    .then_with(|| a.line.id.cmp(&b.line.id))
            });
            Ok(happened)
        })
    }

    /// Everything in these views, document by document.
    pub(super) fn happenings(
        &self,
        record: &mut Record,
        readers: &[Reader],
        views: &[Arc<View>],
    ) -> Vec<Happened> {
        let mut telling = Telling::default();
        for view in views {
            telling.drugs.extend(&view.drugs);
        }
        telling.replaced = Self::replaced_among(record, views);
        let mut happened = Vec::new();
        for (reader, view) in readers.iter().zip(views) {
            telling.accepted = self.accepted_in(record, reader, view);
            // Where something comes from is told with it; by itself it is nothing that happened.
            for row in view.rows.iter().filter(|row| row.kind != "Provenance") {
                let document = reader.document();
                happened.push(self.happened(record, document, view, row, &mut telling));
            }
        }
        happened
    }

    /// Letters in these views whose place others took.
    fn replaced_among(record: &Record, views: &[Arc<View>]) -> BTreeMap<String, String> {
        let mut letters = Vec::new();
        for view in views.iter().filter(|view| !view.letters.is_empty()) {
            let rows: BTreeMap<_, _> = view
                .rows
                .iter()
                .map(|row| (row.resource.as_str(), row))
                .collect();
            for letter in &view.letters {
                let created = rows.get(letter.id.as_str());
                let created = created.and_then(|row| view.created(row));
                let author = created.and_then(|change| record.author(&change));
                letters.push((letter.clone(), author));
            }
        }
        replaced(&letters)
    }

    fn happened(
        &self,
        record: &mut Record,
        document: &DocumentId,
        view: &View,
        row: &Row,
        telling: &mut Telling,
    ) -> Happened {
        let created = view.created(row);
        let entry = created.and_then(|change| record.writer(&change));
        let header = entry.and_then(|entry| record.ledger().header(&entry));
        let arrived_ms = header.map_or(0, |header| header.time_ms);
        let author = header.map(|header| header.author);
        let by = match author {
            Some(author) => {
                let name = telling.names.entry(author);
                name.or_insert_with(|| self.name_of(author)).clone()
            }
            None => self.vouched_by(record, document),
        };
        let changed_by = created.map_or_else(Vec::new, |created| {
            self.others(record, &created, view.writers(row))
        });
        let mut marks = row.marks.clone();
        let is_to_review = |change| {
            let entry = record.writer(&change);
            entry.is_some_and(|entry| is_marked(record, &entry))
        };
        if created
            .into_iter()
            .chain(view.writers(row))
            .any(is_to_review)
        {
            marks.push(Mark::ToReview);
        }
        if telling.replaced.contains_key(&row.resource) {
            marks.push(Mark::Replaced);
        }
        marks.sort_unstable();
        let mut marks: Vec<_> = marks.iter().map(|mark| mark.words().to_owned()).collect();
        let text = row.text(&telling.drugs);
        if attest::matters(document, &row.kind, row.codes(), &text) {
            marks.push(genes::MATTERS.to_owned());
        }
        let brought = match author {
            Some(author) if attest::is_result(document, &row.kind) => {
                let brings = self.is_brought_by(author);
                brings.then(|| attest::brought_words(&by))
            }
            Some(_) | None => None,
        };
        let accepted = match brought {
            Some(_) => telling.accepted.remove(&row.resource).unwrap_or_default(),
            None => Vec::new(),
        };
        Happened {
            late: row.when.as_deref().and_then(|when| late(when, arrived_ms)),
            when: row.when.clone(),
            arrived: time(arrived_ms),
            section: document.section.name().to_owned(),
            line: Line {
                id: row.resource.clone(),
                kind: row.kind.clone(),
                text,
                by,
                changed_by,
                when: row.when.clone(),
                marks,
                brought,
                accepted,
            },
        }
    }
}

/// `arrived 2 days later`, where the entry was signed at least a day after it happened.
pub(super) fn late(when: &str, arrived_ms: u64) -> Option<String> {
    let happened = moment(when)?;
    let gap = i64::try_from(arrived_ms).ok()? - happened;
    let days = gap / LATE_MS;
    match days {
        ..=0 => None,
        1 => Some("arrived 1 day later".to_owned()),
        _ => Some(format!("arrived {days} days later")),
    }
}

/// The same of a time at which an entry was signed, RFC 3339.
pub(crate) fn arrived_late(when: &str, signed: &str) -> Option<String> {
    let signed: Timestamp = signed.parse().ok()?;
    late(when, u64::try_from(signed.as_millisecond()).ok()?)
}

/// The end of a FHIR date or instant, in milliseconds since 1970 UTC.
fn moment(when: &str) -> Option<i64> {
    if let Ok(time) = when.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let date: jiff::civil::Date = when.get(..10)?.parse().ok()?;
    let midnight = jiff::tz::Offset::UTC
        .to_timestamp(date.at(0, 0, 0, 0))
        .ok()?;
    Some(midnight.as_millisecond() + LATE_MS)
}
