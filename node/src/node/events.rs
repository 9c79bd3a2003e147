//! What happened, told from the journal: a line for everything signed that was taken in.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{ChangeHash, DocumentId, Held, Section};
use kith_protocol::{
    audit::How,
    id::{EnvelopeId, EventId, PrincipalId, RecordId},
    logs::{
        Act, CoreAct, Event, LabelAct, LogId, PrincipalAct,
        record::{Control, Link, LinkState},
    },
    record::{Placed, Record},
    signed::Signed,
    store::{Item, JournalPosition, Store},
};

use super::{Node, show, timeline};
use crate::{
    api::{Kind, Occurred, Since},
    failure::Failure,
    health::{drugs::Drugs, line, search},
    words::capital,
};

/// So many things are told at once; whoever wants more asks again from the last.
const EVENTS_MAX: usize = 1000;

/// A part of what happened.
pub struct Told {
    /// Thing by thing.
    pub occurred: Vec<Occurred>,
    /// How far in the journal that goes.
    pub through: u64,
}

/// An entry that was taken in, before it is put into words.
pub(super) struct Entered {
    pub(super) seq: u64,
    pub(super) document: DocumentId,
    pub(super) id: EnvelopeId,
}

/// What is said of an entry that brought name cards into a circle.
pub(super) const NAMES_WRITTEN: &str = "wrote down the names of those who share it";

impl Node {
    /// All that was taken in after a place, oldest first. What it shows of records is in the
    /// access log when this returns.
    pub(super) fn events(&mut self, since: &Since) -> Result<Vec<Occurred>, Failure> {
        let mut since = since.clone();
        let mut occurred = Vec::new();
        loop {
            let told = self.events_from(&since)?;
            occurred.extend(told.occurred);
            if since.after == Some(told.through) {
                return Ok(occurred);
            }
            since.after = Some(told.through);
        }
    }

    /// What was taken in after a place, at most a thousand things, and how far that goes.
    ///
    /// # Errors
    /// When the record is not here, and when the access log cannot be written.
    pub fn events_from(&mut self, since: &Since) -> Result<Told, Failure> {
        let only = since
            .record
            .as_deref()
            .map(|word| self.record_named(word))
            .transpose()?;
        let after = JournalPosition(since.after.unwrap_or(0));
        let taken = self.store.journal(after, EVENTS_MAX)?;
        let through = taken.last().map_or(after, |(last, _)| *last);
        Ok(Told {
            occurred: self.told(taken, only)?,
            through: through.0,
        })
    }

    /// The end of the journal: what is asked for after it happens later.
    pub fn events_end(&self) -> u64 {
        self.store.last().0
    }

    fn told(
        &mut self,
        taken: Vec<(JournalPosition, Item)>,
        only: Option<RecordId>,
    ) -> Result<Vec<Occurred>, Failure> {
        let mut told = Vec::new();
        let mut entered: BTreeMap<RecordId, Vec<Entered>> = BTreeMap::new();
        for (position, item) in taken {
            match item {
                Item::Entry {
                    record,
                    document,
                    id,
                    ..
                } if only.is_none_or(|only| only == record) => {
                    entered.entry(record).or_default().push(Entered {
                        seq: position.0,
                        document,
                        id,
                    });
                }
                Item::Event { log, id, bytes, .. } => {
                    let record = record_of(&log, id);
                    if only.is_none_or(|only| Some(only) == record)
                        && let Ok(event) = Signed::<Event>::new(bytes).trust_own_store()
                    {
                        told.push(self.event_told(position.0, record, event.value()));
                    }
                }
                Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {}
            }
        }
        for (record, entries) in entered {
            // Of a record that cannot be read nothing is told; kith status names it.
            match self.with_record(record, |node, record| node.entries_told(record, &entries)) {
                Ok(lines) => told.extend(lines),
                Err(failure) => tracing::warn!(what = failure.what, "a record is not told of"),
            }
        }
        told.sort_by_key(|occurred| occurred.seq);
        Ok(told)
    }

    pub(super) fn entries_told(
        &mut self,
        record: &mut Record,
        entries: &[Entered],
    ) -> Result<Vec<Occurred>, Failure> {
        let touched: BTreeSet<_> = entries.iter().map(|entry| &entry.document).collect();
        let mut readers = self.readers(record, &self.whoever());
        readers.retain(|reader| touched.contains(reader.document()));
        let documents = readers.iter().map(|reader| reader.document().clone());
        let said = Self::state_of(record, documents.collect(), self.owner(), None, How::Show);
        self.disclosed(vec![said], Vec::new())?;
        let placed: Vec<_> = readers
            .iter()
            .flat_map(|reader| record.read(reader))
            .filter(|placed| !placed.held.meta.made_here)
            .collect();
        let drugs = Drugs::of(&placed);
        let mut lines: BTreeMap<EnvelopeId, BTreeSet<String>> = BTreeMap::new();
        for placed in &placed {
            let late = late_of(record, placed);
            for (change, text) in written(&placed.held, &drugs) {
                let text = match &late {
                    Some(late) if change == placed.held.created => format!("{text} ({late})"),
                    Some(_) | None => text,
                };
                if let Some(entry) = record.writer(&change) {
                    lines.entry(entry).or_default().insert(text);
                }
            }
        }
        let id = record.id();
        let person = self.people.get(&id).map(super::people::Known::banner);
        Ok(entries
            .iter()
            .filter_map(|entry| {
                let header = record.ledger().header(&entry.id)?;
                let (author, time_ms) = (header.author, header.time_ms);
                let status = record.ledger().status(&entry.id)?;
                Some(Occurred {
                    seq: entry.seq,
                    when: show::time(time_ms),
                    record: Some(id.to_string()),
                    person: person.clone(),
                    kind: Kind::Written,
                    section: Some(entry.document.section.name().to_owned()),
                    by: self.name_of(author),
                    what: match lines.remove(&entry.id) {
                        Some(lines) => lines.into_iter().collect(),
                        None if entry.document.section == Section::Circle => {
                            vec![NAMES_WRITTEN.to_owned()]
                        }
                        None => Vec::new(),
                    },
                    status: Some(show::status_word(&status).to_owned()),
                })
            })
            .collect())
    }

    fn event_told(&self, seq: u64, record: Option<RecordId>, event: &Event) -> Occurred {
        let by = self.name_of(event.author);
        let (kind, what) = match &event.act {
            Act::Principal(act) => (Kind::People, self.principal_act(act)),
            Act::Core(act) => self.core_act(act),
            Act::Label(act) => self.label_act(act),
        };
        let known = record.and_then(|record| self.people.get(&record));
        Occurred {
            seq,
            when: show::time(event.time_ms),
            record: record.map(|record| record.to_string()),
            person: known.map(super::people::Known::banner),
            kind,
            section: None,
            by,
            what: vec![what],
            status: None,
        }
    }

    fn principal_act(&self, act: &PrincipalAct) -> String {
        match act {
            PrincipalAct::Begin { .. } => "has a log of their own keys and devices".to_owned(),
            PrincipalAct::DeviceAdd { device, .. } => format!("added the device {}", short(device)),
            PrincipalAct::DeviceRetire { device, .. } => {
                format!("no longer uses the device {}", short(device))
            }
            PrincipalAct::StaffAdd { role, .. } => format!("entered a {role} as staff"),
            PrincipalAct::StaffEnd { .. } => "a member of staff left".to_owned(),
            PrincipalAct::KeyChange { .. } => "has a new key".to_owned(),
            PrincipalAct::RecoverySet(set) => format!(
                "named {} who can help to recover: {} must agree",
                set.members.len(),
                set.needed
            ),
        }
    }

    fn core_act(&self, act: &CoreAct) -> (Kind, String) {
        match act {
            CoreAct::Genesis { .. } => (Kind::Begun, "began the record".to_owned()),
            CoreAct::Policy { policy, .. } => (
                Kind::Control,
                format!(
                    "said who may open it in an emergency: {}",
                    self.names(&policy.emergency)
                ),
            ),
            CoreAct::RecoverySet { set, .. } => (
                Kind::Control,
                format!("said who can recover it: {}", self.names(&set.members)),
            ),
            CoreAct::Control(Control::Add { controller, .. }) => (
                Kind::Control,
                format!("{} decides about it too", self.name_of(*controller)),
            ),
            CoreAct::Control(Control::HandOver { controller, .. }) => (
                Kind::Control,
                format!("handed it over to {}", self.name_of(*controller)),
            ),
            CoreAct::Control(Control::Leave) => {
                (Kind::Control, "no longer decides about it".to_owned())
            }
            CoreAct::Recover { controller, .. } => (
                Kind::Control,
                format!("it was recovered for {}", self.name_of(*controller)),
            ),
            CoreAct::SamePerson { other, link, .. } => {
                let said = match link {
                    LinkState::Proposed => "may be of the same person as",
                    LinkState::Confirmed => "is of the same person as",
                    LinkState::Withdrawn => "is not said to be of the same person any more as",
                };
                (
                    Kind::SamePerson,
                    format!("the record {said} {}", short(other)),
                )
            }
            CoreAct::BreakGlass {
                reason, until_ms, ..
            } => (
                Kind::Emergency,
                format!(
                    "opened it in an emergency until {}: {reason}",
                    show::time(*until_ms)
                ),
            ),
        }
    }

    fn label_act(&self, act: &LabelAct) -> (Kind, String) {
        match act {
            LabelAct::Grant(grant) => {
                let sections = grant.sections.iter().map(|section| section.name());
                let sections = sections.collect::<Vec<_>>().join(", ");
                let until = grant
                    .until_ms
                    .map_or_else(|| "further notice".to_owned(), show::time);
                (
                    Kind::Shared,
                    format!(
                        "shared {sections} with {} until {until}",
                        self.name_of(grant.audience)
                    ),
                )
            }
            LabelAct::Revoke(revoke) => {
                let what = match revoke.link {
                    Link::Grant(grant) => format!("stopped sharing with {}", self.had(&grant)),
                    Link::Device(device) => format!("stopped the device {}", short(&device)),
                    Link::Staff(_) => "stopped a member of staff".to_owned(),
                    Link::Root => "stopped whoever decided about it".to_owned(),
                };
                (Kind::Stopped, what)
            }
            LabelAct::Renounce { .. } => (Kind::Stopped, "gave a share back".to_owned()),
            LabelAct::Lapse { grant, .. } => (
                Kind::Stopped,
                format!("the share with {} has ended", self.had(grant)),
            ),
            LabelAct::Confirm { .. } => (
                Kind::Stopped,
                "confirmed that sharing was stopped".to_owned(),
            ),
        }
    }

    /// The name of whom a share is for.
    fn had(&self, grant: &EventId) -> String {
        let held = self.store.event(grant).ok().flatten();
        let event = held.and_then(|bytes| Signed::<Event>::new(bytes).trust_own_store().ok());
        match event.map(|event| event.into_value().act) {
            Some(Act::Label(LabelAct::Grant(grant))) => self.name_of(grant.audience),
            Some(Act::Label(_) | Act::Core(_) | Act::Principal(_)) | None => {
                "somebody not known to this node".to_owned()
            }
        }
    }

    fn names(&self, principals: &[PrincipalId]) -> String {
        if principals.is_empty() {
            return "nobody".to_owned();
        }
        let names = principals.iter().map(|principal| self.name_of(*principal));
        names.collect::<Vec<_>>().join(", ")
    }
}

/// That a thing was signed long after it happened, in words.
fn late_of(record: &mut Record, placed: &Placed) -> Option<String> {
    let value = placed.held.value(0);
    let when = line::when(&value)?;
    let entry = record.writer(&placed.held.created)?;
    let signed = record.ledger().header(&entry)?.time_ms;
    timeline::late(when, signed)
}

/// What each change wrote of a resource, in a line: of versions that stand side by side its own.
fn written(held: &Held, drugs: &Drugs) -> Vec<(ChangeHash, String)> {
    let line = |choice| {
        let mut value = held.value(choice);
        drugs.name(&mut value);
        let kind = capital(&line::kind_in_words(&held.meta.kind));
        format!("{kind}: {}", line::describe(&value))
    };
    let mut written: BTreeMap<ChangeHash, String> = BTreeMap::new();
    for (_, versions) in held.siblings() {
        for (n, version) in versions.iter().enumerate() {
            written.insert(version.writer, line(n));
        }
    }
    let first = line(0);
    for change in search::writers(held).chain([held.created]) {
        written.entry(change).or_insert_with(|| first.clone());
    }
    for said in &held.retractions {
        let taken_back = format!("{first} was entered in error: {}", said.reason);
        written.insert(said.writer, taken_back);
    }
    written.into_iter().collect()
}

/// The record that an event concerns; a record's first event is the record's id.
fn record_of(log: &LogId, id: EventId) -> Option<RecordId> {
    match log {
        LogId::Principal(_) => None,
        LogId::Core(Some(record)) | LogId::Label(record, _) => Some(*record),
        LogId::Core(None) => Some(RecordId::from_bytes(*id.as_bytes())),
    }
}

fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(12).collect()
}
