//! What a record holds of events and work, put together.

mod found;

use std::sync::Arc;

use kith_crdt::{ChangeHash, DocumentId, Held, Section};
use kith_protocol::{
    id::{DeviceId, EventId, PrincipalId, StaffId},
    logs::Event,
    record::{Placed, Record},
    signed,
    store::Store,
};
use serde_json::Value;

use found::Found;

use crate::{
    api::{EventKind, Known},
    health::work::{
        event::CareEvent,
        rules::Rules,
        task::{Answer, Standing},
    },
    node::{Node, now_ms},
};

/// Who signed something, and when.
#[derive(Clone, Debug)]
pub(in crate::node) struct Signed {
    /// Nothing where it was carried over from an epoch that is not held.
    pub(in crate::node) by: Option<PrincipalId>,
    pub(super) device: Option<DeviceId>,
    pub(super) staff: Option<StaffId>,
    /// By its author's clock, milliseconds since 1970 UTC.
    pub(in crate::node) at_ms: u64,
}

/// An event, and the word on whether it stands.
#[derive(Clone, Debug)]
pub(super) struct HeldEvent {
    pub(super) id: String,
    pub(super) document: DocumentId,
    /// The type of the resource that tells of it.
    pub(super) kind: String,
    pub(super) event: CareEvent,
    pub(super) signed: Signed,
    pub(super) cancelled: Option<Cancelled>,
    /// The admission that it is a part of.
    pub(super) of: Option<String>,
    pub(super) held: Arc<Held>,
}

/// Somebody's word that an event did not happen.
#[derive(Clone, Debug)]
pub(super) struct Cancelled {
    pub(super) signed: Signed,
    pub(super) because: Option<String>,
}

/// A task with all that is said of it.
#[derive(Clone, Debug)]
pub(super) struct HeldTask {
    pub(super) id: String,
    pub(super) document: DocumentId,
    /// What answers name it by.
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) signed: Signed,
    pub(super) who: Option<String>,
    pub(super) asked_of: Option<PrincipalId>,
    /// The event that it follows from.
    pub(super) event: Option<(String, Option<EventKind>)>,
    pub(super) taken_back: bool,
    /// Whoever wrote it down said at once that it was done: then nobody was asked.
    was_closed: bool,
    pub(super) answers: Vec<HeldAnswer>,
    pub(super) standing: Standing<PrincipalId>,
    pub(super) to_review: bool,
}

/// An answer to a task.
#[derive(Clone, Debug)]
pub(super) struct HeldAnswer {
    pub(super) answer: Answer,
    pub(super) by: PrincipalId,
    pub(super) signed: Signed,
    pub(super) because: Option<String>,
    id: String,
}

/// A text of rules.
#[derive(Clone, Debug)]
pub(super) struct HeldRules {
    pub(super) placed: Placed,
    pub(super) text: String,
    pub(super) rules: Rules,
    pub(super) signed: Signed,
}

/// All of it.
#[derive(Default)]
pub(super) struct Work {
    pub(super) events: Vec<HeldEvent>,
    pub(super) tasks: Vec<HeldTask>,
    pub(super) rules: Vec<HeldRules>,
}

/// Where events, tasks, answers and rules stand.
pub(super) const SECTIONS: [Section; 4] = [
    Section::Encounters,
    Section::DailyCare,
    Section::Tasks,
    Section::Circle,
];

impl Node {
    /// What a record holds of events and work.
    pub(super) fn work_of(&self, record: &mut Record) -> Work {
        let controllers = record.ledger().controllers();
        let mut found = Found::default();
        let documents = record.ledger().documents();
        for document in documents.iter().filter(|id| SECTIONS.contains(&id.section)) {
            for placed in self.read_document(record, document) {
                if !placed.late && !placed.held.meta.made_here {
                    found.take(record, placed);
                }
            }
        }
        found.together(&controllers)
    }

    /// What this node knows of a part of a record in which something is recorded or not.
    pub(in crate::node) fn known_of(
        &self,
        record: &mut Record,
        section: Section,
        any: bool,
    ) -> Known {
        if any {
            return Known::Recorded;
        }
        let began = self.began(record);
        let who = self.whoever();
        let mut labels = kith_crdt::Label::built_in().into_iter();
        let is_shared = labels.any(|label| {
            let sections = record.ledger().sections_open(&who, &label, now_ms());
            sections.contains(&section)
        });
        if !is_shared && !began {
            return Known::Withheld;
        }
        let documents = record.ledger().documents();
        let mut of_section = documents.iter().filter(|id| id.section == section);
        let is_here = of_section.any(|id| !record.ledger().loaded(id).main.is_empty());
        if is_here || began {
            Known::NothingRecorded
        } else {
            Known::NotKnownHere
        }
    }

    /// Whether this very node began the record, so that whatever it does not hold nobody wrote here.
    fn began(&self, record: &mut Record) -> bool {
        let first = EventId::from_bytes(*record.id().as_bytes());
        let bytes = self.store.event(&first).ok().flatten();
        let event =
            bytes.and_then(|bytes| signed::Signed::<Event>::new(bytes).trust_own_store().ok());
        event.is_some_and(|event| event.value().device == self.device())
    }
}

/// Who signed a change, and when; of one in an epoch that is not held, when it was carried over.
pub(in crate::node) fn signed_by(
    record: &mut Record,
    document: &DocumentId,
    change: &ChangeHash,
) -> Signed {
    let entry = record.writer(change);
    let header = entry.and_then(|entry| record.ledger().header(&entry).cloned());
    if let Some(header) = header {
        return Signed {
            by: Some(header.author),
            device: Some(header.device),
            staff: header.staff,
            at_ms: header.time_ms,
        };
    }
    let begun = record.begun_by(document);
    let header = begun.and_then(|entry| record.ledger().header(&entry).cloned());
    Signed {
        by: None,
        device: None,
        staff: None,
        at_ms: header.map_or(0, |header| header.time_ms),
    }
}

impl Work {
    /// The event that a task follows from.
    pub(super) fn event_of(&self, task: &HeldTask) -> Option<&HeldEvent> {
        let (id, kind) = task.event.as_ref()?;
        let mut told = self.events.iter().filter(|event| event.id == *id);
        let of_kind = told
            .clone()
            .find(|event| kind.is_none_or(|kind| kind == event.event.kind));
        of_kind.or_else(|| told.next())
    }

    /// The stay in hospital that goes on, the one that began last.
    pub(super) fn open_admission(&self) -> Option<&HeldEvent> {
        let is_open = |event: &&HeldEvent| {
            let mut others = self.events.iter();
            let ended = others.any(|other| {
                other.event.kind == EventKind::Discharge
                    && other.cancelled.is_none()
                    && (other.id == event.id || other.of.as_deref() == Some(event.id.as_str()))
            });
            event.event.kind == EventKind::Admission && event.cancelled.is_none() && !ended
        };
        self.events
            .iter()
            .filter(is_open)
            .max_by_key(|event| (event.signed.at_ms, event.id.clone()))
    }
}
