//! What somebody needs to know who takes over, and who has read it.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Edit, Label, Section};
use kith_protocol::{
    audit::How,
    consent::grant::Actions,
    id::{EnvelopeId, PrincipalId, RecordId, StaffId},
    record::Record,
    store::{Item, Store},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reading::Work;
use crate::{
    api::{EventLine, HandoverRequest, HandoverShown, Line, Occurred, ReadLine},
    failure::Failure,
    health::{
        drugs::Drugs,
        work::handover::{holds_as_basics, read, read_of},
    },
    node::{
        Node, add,
        events::{Entered, NAMES_WRITTEN},
        identity::{RowKind, read_row, row},
        import::{may_write, who_writes, write_into},
        now_ms, people, show,
    },
};

/// Things that are told at once.
const CHANGES_MAX: usize = 100;
/// And to somebody who never looked before.
const FIRST_CHANGES_MAX: usize = 20;
/// Events of so long ago are shown.
const EVENTS_MS: u64 = 28 * 24 * 60 * 60 * 1000;

/// How far a reader has come in a record: how many entries of each document were here when they
/// looked. They stand in the order in which they were taken in, so that this is a place in the journal
/// of this node that costs nothing to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Looked {
    at_ms: u64,
    entries: Vec<(DocumentId, u64)>,
}

/// What somebody said they had read.
struct Read {
    line: ReadLine,
    /// The newest thing that they saw was signed then, milliseconds since 1970 UTC.
    as_of_ms: Option<u64>,
    entries: BTreeSet<EnvelopeId>,
}

impl Node {
    pub(in crate::node) fn handover(
        &mut self,
        asked: &HandoverRequest,
    ) -> Result<HandoverShown, Failure> {
        let id = self.record_named(&asked.record)?;
        let staff = self.acting;
        self.with_record(id, |node, record| {
            let name = looked_name(id, staff);
            let before: Option<Looked> = read_row(&node.store, RowKind::Looked, &name)?;
            let now = now_ms();
            let work = node.work_of(record);
            let (mut changed, looked) = node.changed_since(record, before.as_ref(), staff)?;
            let place = row(RowKind::Looked, &name, &looked);
            node.disclose_handover(record, (!asked.keeps_place).then_some(place))?;
            let reads = node.reads(record);
            let as_of = newest(record, &reads);
            let note = if asked.read {
                let (items, note) = node.says_read(record, as_of)?;
                if !items.is_empty() {
                    node.commit(items)?;
                }
                Some(note)
            } else {
                None
            };
            let max = if before.is_some() {
                CHANGES_MAX
            } else {
                FIRST_CHANGES_MAX
            };
            let changed_more = changed.len().saturating_sub(max);
            changed.drain(..changed_more);
            let mut tasks = node.task_lines(record, &work);
            let tasks_known = node.known_of(record, Section::Tasks, !tasks.is_empty());
            tasks.retain(|task| task.state.is_open());
            let basics = node.basics(record, now);
            let person = node.people.get(&id);
            Ok(HandoverShown {
                record: id.to_string(),
                person: person.map_or_else(String::new, people::Known::banner),
                reader: staff.map_or_else(
                    || node.identity.name.clone(),
                    |staff| node.name_of_staff(staff),
                ),
                as_of: as_of.map(show::time),
                tasks_known,
                tasks,
                basics_known: node.known_of(record, Section::DailyCare, !basics.is_empty()),
                basics,
                events: node.recent_events(&work, now),
                since: before.map(|looked| show::time(looked.at_ms)),
                changed,
                changed_more,
                withheld: node.withheld(record),
                read_by: node.read_lines(record),
                note,
            })
        })
    }

    fn disclose_handover(
        &mut self,
        record: &mut Record,
        looked: Option<Item>,
    ) -> Result<(), Failure> {
        let parts = [Section::Tasks, Section::DailyCare, Section::Encounters];
        let mut documents = record.ledger().documents();
        documents.retain(|id| parts.contains(&id.section));
        let said = Self::state_of(record, documents, self.owner(), None, How::Show);
        self.disclosed(vec![said], looked.into_iter().collect())
    }

    /// What was written since a reader looked, by others, oldest first; and how far that goes.
    fn changed_since(
        &mut self,
        record: &mut Record,
        before: Option<&Looked>,
        staff: Option<StaffId>,
    ) -> Result<(Vec<Occurred>, Looked), Failure> {
        let own = self.identity.principal;
        let seen: BTreeMap<_, _> = before
            .map(|looked| looked.entries.iter().cloned().collect())
            .unwrap_or_default();
        let mut looked = Looked {
            at_ms: now_ms(),
            entries: Vec::new(),
        };
        let mut entered = Vec::new();
        for document in record.ledger().documents() {
            let ids = self.store.entry_ids(&record.id(), &document)?;
            let known = seen.get(&document).copied().unwrap_or(0);
            looked.entries.push((document.clone(), ids.len() as u64));
            let new = ids
                .into_iter()
                .skip(usize::try_from(known).unwrap_or(usize::MAX));
            for id in new {
                let header = record.ledger().header(&id);
                let is_own = header.is_some_and(|one| one.author == own && one.staff == staff);
                if !is_own {
                    entered.push(Entered {
                        seq: 0,
                        document: document.clone(),
                        id,
                    });
                }
            }
        }
        if entered.is_empty() {
            return Ok((Vec::new(), looked));
        }
        let mut told = self.entries_told(record, &entered)?;
        told.retain(|one| !one.what.is_empty() && one.what != [NAMES_WRITTEN]);
        told.sort_by(|a, b| a.when.cmp(&b.when));
        Ok((told, looked))
    }

    /// Care basics that hold now, the newest first.
    fn basics(&self, record: &mut Record, now: u64) -> Vec<Line> {
        let mut basics = Vec::new();
        let documents = record.ledger().documents();
        for document in documents
            .iter()
            .filter(|id| id.section == Section::DailyCare)
        {
            for placed in self.read_document(record, document) {
                let held = &placed.held;
                if placed.late || held.is_retracted() || held.meta.kind != "Observation" {
                    continue;
                }
                let value = serde_json::from_str::<Value>(&held.to_text(0));
                if value.is_ok_and(|value| holds_as_basics(&value, now)) {
                    basics.push(self.line(record, &placed, &Drugs::default()));
                }
            }
        }
        basics.sort_by(|a, b| b.when.cmp(&a.when).then_with(|| a.id.cmp(&b.id)));
        basics
    }

    fn recent_events(&self, work: &Work, now: u64) -> Vec<EventLine> {
        let open = work.open_admission().map(|event| event.id.clone());
        let mut recent: Vec<_> = work
            .events
            .iter()
            .filter(|event| {
                let is_open = open.as_deref() == Some(event.id.as_str());
                let happened = event.event.happened_ms().or_else(|| event.event.day_ms());
                let at = happened.unwrap_or(event.signed.at_ms);
                is_open || at + EVENTS_MS > now
            })
            .collect();
        recent.sort_by_key(|event| std::cmp::Reverse(event.signed.at_ms));
        recent
            .into_iter()
            .map(|event| self.event_line(event))
            .collect()
    }

    fn withheld(&self, record: &mut Record) -> Vec<String> {
        let all = Section::ALL.into_iter();
        let withheld = all.filter(|section| {
            let known = self.known_of(record, *section, false);
            known == crate::api::Known::Withheld
        });
        withheld.map(|section| section.name().to_owned()).collect()
    }

    /// Signs that this reader has read it, where they may add anything that others read.
    fn says_read(
        &mut self,
        record: &mut Record,
        as_of: Option<u64>,
    ) -> Result<(Vec<Item>, String), Failure> {
        let pen = self.pen(now_ms());
        let who = who_writes(&pen);
        let places = [Section::Tasks, Section::DailyCare];
        let document = places
            .map(|section| DocumentId::first(section, Label::general()))
            .into_iter()
            .find(|document| {
                let current = record.current(document);
                may_write(record, &who, &current, Actions::APPEND, pen.time_ms).is_ok()
            });
        let Some(document) = document else {
            let note = "This node may not add to this record, so nobody else is told that you have read it: only the access log says so, here and with whoever controls the record once it asks.";
            return Ok((Vec::new(), note.to_owned()));
        };
        let own = self.identity.principal.to_string();
        let as_of = as_of.and_then(instant);
        let now = show::time(pen.time_ms);
        let value = read((&self.identity.name, &own), as_of.as_deref(), &now);
        let resource = add::resource(&value, &document, pen.time_ms);
        let (mut items, mut rng) = (Vec::new(), self.rng.clone());
        let edits = [Edit::Create(resource)];
        write_into(record, &pen, document, &edits, &mut items, &mut rng)?;
        self.rng = rng;
        let note =
            "Signed: everyone who shares this part of the record sees that you have read it.";
        Ok((items, note.to_owned()))
    }

    fn read_lines(&self, record: &mut Record) -> Vec<ReadLine> {
        let reads = self.reads(record);
        let newest = newest(record, &reads);
        let mut lines: Vec<_> = reads
            .into_iter()
            .map(|read| ReadLine {
                is_current: read.as_of_ms.is_some() && read.as_of_ms >= newest,
                ..read.line
            })
            .collect();
        lines.sort_by(|a, b| b.when.cmp(&a.when));
        lines
    }

    /// Everyone's word that they have read it.
    fn reads(&self, record: &mut Record) -> Vec<Read> {
        let mut reads = Vec::new();
        let documents = record.ledger().documents();
        let places = [Section::Tasks, Section::DailyCare];
        for document in documents.iter().filter(|id| places.contains(&id.section)) {
            for placed in self.read_document(record, document) {
                let held = &placed.held;
                if placed.late || held.is_retracted() || held.meta.kind != "Communication" {
                    continue;
                }
                let Ok(value) = serde_json::from_str::<Value>(&held.to_text(0)) else {
                    continue;
                };
                let Some((as_of, sender)) = read_of(&value) else {
                    continue;
                };
                let signed = super::reading::signed_by(record, document, &held.created);
                let by = signed.by.or_else(|| sender.and_then(PrincipalId::from_hex));
                reads.push(Read {
                    line: ReadLine {
                        by: self.signer(by),
                        staff: self.staff_of(by, signed.staff),
                        when: show::time(signed.at_ms),
                        as_of: as_of.map(str::to_owned),
                        is_current: false,
                    },
                    as_of_ms: as_of.and_then(|as_of| {
                        let time: jiff::Timestamp = as_of.parse().ok()?;
                        u64::try_from(time.as_millisecond()).ok()
                    }),
                    entries: record.writer(&held.created).into_iter().collect(),
                });
            }
        }
        reads
    }
}

/// When the newest thing was signed that is here, but for what only says that it was read.
fn newest(record: &mut Record, reads: &[Read]) -> Option<u64> {
    let read: BTreeSet<_> = reads.iter().flat_map(|read| &read.entries).collect();
    let documents = record.ledger().documents();
    let mut newest = None;
    for document in documents {
        for (entry, _) in record.ledger().entries(&document) {
            if !read.contains(&entry) {
                let at = record.ledger().header(&entry).map(|header| header.time_ms);
                newest = newest.max(at);
            }
        }
    }
    newest
}

/// RFC 3339, to the millisecond: two things that are signed in one second are told apart.
fn instant(time_ms: u64) -> Option<String> {
    let ms = i64::try_from(time_ms).ok()?;
    Some(jiff::Timestamp::from_millisecond(ms).ok()?.to_string())
}

/// Names the row of a reader: the owner, or a member of staff.
fn looked_name(record: RecordId, staff: Option<StaffId>) -> Vec<u8> {
    let mut name = record.as_bytes().to_vec();
    if let Some(staff) = staff {
        name.extend(staff.as_bytes());
    }
    name
}
