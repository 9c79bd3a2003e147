//! What documents hold of events and work, before and as it is put together.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use kith_crdt::{ChangeHash, Held, Section, document::UnitContent};
use kith_protocol::{
    id::PrincipalId,
    record::{Placed, Record},
};
use serde_json::Value;

use super::{Cancelled, HeldAnswer, HeldEvent, HeldRules, HeldTask, Signed, Work, signed_by};
use crate::{
    api::EventKind,
    health::{
        search,
        work::{
            event::{self, CareEvent},
            principal_of, resource_of, rules,
            task::{
                self, Answer, Answered, TakenBack, answer_of, asked_of, end_of, identity_of,
                said_of,
            },
        },
    },
    node::show,
};

/// What was read before it is put together.
#[derive(Default)]
pub(super) struct Found {
    events: Vec<HeldEvent>,
    cancels: Vec<(String, Cancelled)>,
    tasks: Vec<HeldTask>,
    answers: Vec<(String, HeldAnswer)>,
    rules: Vec<HeldRules>,
}

impl Found {
    pub(super) fn take(&mut self, record: &mut Record, placed: Placed) {
        let kind = placed.held.meta.kind.as_str();
        let is_wanted = match kind {
            "Encounter" | "Task" | "Communication" | "PlanDefinition" => true,
            "Observation" => placed.document.section == Section::DailyCare,
            _ => false,
        };
        if !is_wanted {
            return;
        }
        let text = placed.held.to_text(0);
        if kind == "Observation" && !text.contains(crate::health::work::SNOMED) {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            return;
        };
        match kind {
            "Task" => self.task(record, &placed, value),
            "Communication" => self.answer(record, &placed, &value),
            "PlanDefinition" => self.rules(record, placed, &value),
            _ => self.events(record, &placed, &value),
        }
    }

    fn events(&mut self, record: &mut Record, placed: &Placed, value: &Value) {
        let (held, document) = (&placed.held, &placed.document);
        let created = signed_by(record, document, &held.created);
        if let Some(event) = event::cancels(value)
            && !held.is_retracted()
        {
            let said = Cancelled {
                signed: created,
                because: event::because_of(value),
            };
            self.cancels.push((event.to_owned(), said));
            return;
        }
        let of = value.get("partOf").and_then(resource_of).map(str::to_owned);
        let status = writer_of(held, "status").or_else(|| writer_of(held, "&"));
        let changed = status.map_or_else(
            || created.clone(),
            |change| signed_by(record, document, &change),
        );
        for event in CareEvent::of(value) {
            let is_ended_admission = event.kind == EventKind::Admission
                && value.get("status").and_then(Value::as_str) == Some("finished");
            let cancelled = if event.cancelled {
                let because = event::because_of(value);
                Some((changed.clone(), because))
            } else {
                retraction(record, placed)
            };
            self.events.push(HeldEvent {
                id: held.id.to_string(),
                document: document.clone(),
                kind: held.meta.kind.clone(),
                signed: if is_ended_admission || event.cancelled {
                    created.clone()
                } else {
                    changed.clone()
                },
                event,
                cancelled: cancelled.map(|(signed, because)| Cancelled { signed, because }),
                of: of.clone(),
                held: Arc::clone(held),
            });
        }
    }

    fn task(&mut self, record: &mut Record, placed: &Placed, value: Value) {
        let (held, document) = (&placed.held, &placed.document);
        let id = held.id.to_string();
        let signed = signed_by(record, document, &held.created);
        let key = identity_of(&value).map_or_else(|| id.clone(), str::to_owned);
        let owner = value.get("owner");
        let who = owner
            .and_then(|owner| owner.get("display")?.as_str())
            .filter(|name| !name.trim().is_empty());
        let asked = owner.and_then(principal_of).and_then(PrincipalId::from_hex);
        let said = said_of(&value);
        let (mut answers, mut was_closed) = (Vec::new(), false);
        if let Ok(Some(answer)) = said {
            let change = writer_of(held, "status").unwrap_or(held.created);
            was_closed = change == held.created && answer != Answer::Accept;
            let signed = signed_by(record, document, &change);
            answers.extend(signed.by.map(|by| HeldAnswer {
                answer,
                by,
                signed,
                because: None,
                id: String::new(),
            }));
        }
        let marked = search::writers(held)
            .filter_map(|change| record.writer(&change))
            .collect::<Vec<_>>()
            .iter()
            .any(|entry| show::is_marked(record, entry));
        self.tasks.push(HeldTask {
            key,
            signed,
            who: who.map(str::to_owned),
            asked_of: asked,
            event: asked_of(&value).map(|(event, kind)| (event.to_owned(), kind)),
            taken_back: said == Err(TakenBack)
                || held.is_retracted()
                || (was_closed && said == Ok(Some(Answer::Decline))),
            was_closed,
            answers,
            standing: task::stands(None, end_of(&value), false, &[]),
            to_review: marked || placed.aside || held.siblings().next().is_some(),
            id,
            document: placed.document.clone(),
            value,
        });
    }

    fn answer(&mut self, record: &mut Record, placed: &Placed, value: &Value) {
        let held = &placed.held;
        let Some((task, answer, because, sender)) = answer_of(value) else {
            return;
        };
        let signed = signed_by(record, &placed.document, &held.created);
        // What a controller carried over says whose word it was: the epoch is not held here.
        let by = match signed.by {
            Some(_) => only_author(record, held),
            None => sender.and_then(PrincipalId::from_hex),
        };
        let Some(by) = by else {
            return;
        };
        if retraction(record, placed).is_some_and(|(said, _)| said.by == Some(by)) {
            return;
        }
        let answer = HeldAnswer {
            answer,
            by,
            signed,
            because: because.map(str::to_owned),
            id: held.id.to_string(),
        };
        self.answers.push((task.to_owned(), answer));
    }

    fn rules(&mut self, record: &mut Record, placed: Placed, value: &Value) {
        let Some(text) = rules::text_of(value).filter(|_| !placed.held.is_retracted()) else {
            return;
        };
        let Ok(rules) = rules::parse(text) else {
            return;
        };
        let written = search::writers(&placed.held).next();
        let written = written.unwrap_or(placed.held.created);
        let signed = signed_by(record, &placed.document, &written);
        self.rules.push(HeldRules {
            text: text.to_owned(),
            rules,
            signed,
            placed,
        });
    }

    pub(super) fn together(mut self, controllers: &[PrincipalId]) -> Work {
        for event in &mut self.events {
            if event.cancelled.is_some() {
                continue;
            }
            let counts = |said: &&(String, Cancelled)| {
                let by = said.1.signed.by;
                said.0 == event.id
                    && (by == event.signed.by || by.is_some_and(|by| controllers.contains(&by)))
            };
            let first = self.cancels.iter().filter(counts);
            let first = first.min_by_key(|said| said.1.signed.at_ms);
            event.cancelled = first.map(|(_, said)| said.clone());
        }
        let mut tasks: BTreeMap<_, HeldTask> = BTreeMap::new();
        self.tasks
            .sort_by(|a, b| (a.signed.at_ms, &a.id).cmp(&(b.signed.at_ms, &b.id)));
        for task in self.tasks {
            let what = task.value.get("description").map(Value::to_string);
            // Only what asks the same of the same is one, whatever it calls itself.
            let same = (task.key.clone(), task.asked_of, task.who.clone(), what);
            match tasks.entry(same) {
                Entry::Vacant(place) => {
                    place.insert(task);
                }
                Entry::Occupied(mut first) => {
                    let first = first.get_mut();
                    first.answers.extend(task.answers);
                    first.taken_back |= task.taken_back;
                    first.to_review |= task.to_review;
                }
            }
        }
        let mut tasks: Vec<_> = tasks.into_values().collect();
        for task in &mut tasks {
            let to_it = self.answers.iter();
            let to_it = to_it.filter(|(of, _)| *of == task.key || *of == task.id);
            task.answers.extend(to_it.map(|(_, answer)| answer.clone()));
            task.answers
                .sort_by(|a, b| (a.signed.at_ms, &a.id).cmp(&(b.signed.at_ms, &b.id)));
            let withdrawn = task.taken_back || is_cancelled(&self.events, task.event.as_ref());
            let answers: Vec<_> = task
                .answers
                .iter()
                .map(|said| Answered {
                    at_ms: said.signed.at_ms,
                    id: said.id.clone(),
                    by: said.by,
                    answer: said.answer,
                })
                .collect();
            task.standing = task::stands(
                task.asked_of.as_ref().filter(|_| !task.was_closed),
                task.standing.end_ms,
                withdrawn,
                &answers,
            );
        }
        Work {
            events: self.events,
            tasks,
            rules: self.rules,
        }
    }
}

/// The change that wrote a register, as it is shown.
fn writer_of(held: &Held, unit: &str) -> Option<ChangeHash> {
    held.units.iter().find_map(|one| match &one.content {
        UnitContent::Register(versions) if one.name == unit => {
            versions.first().map(|version| version.writer)
        }
        UnitContent::Register(_) | UnitContent::List(_) => None,
    })
}

/// Who wrote all of a resource, where that was one.
fn only_author(record: &Record, held: &Held) -> Option<PrincipalId> {
    let changes = search::writers(held).chain([held.created]);
    let authors: Option<BTreeSet<_>> = changes.map(|change| record.author(&change)).collect();
    let mut authors = authors?.into_iter();
    authors.next().filter(|_| authors.next().is_none())
}

/// Who said that something was entered in error, and why.
fn retraction(record: &mut Record, placed: &Placed) -> Option<(Signed, Option<String>)> {
    let said = placed
        .held
        .retractions
        .iter()
        .find(|said| !said.superseded)?;
    let signed = signed_by(record, &placed.document, &said.writer);
    Some((signed, Some(said.reason.clone())))
}

/// Whether the event of a task is said not to have happened. One that is not held is not.
fn is_cancelled(events: &[HeldEvent], of: Option<&(String, Option<EventKind>)>) -> bool {
    let Some((id, kind)) = of else {
        return false;
    };
    let mut told = events.iter().filter(|event| event.id == *id).peekable();
    if told.peek().is_none() {
        return false;
    }
    let stands = |event: &HeldEvent| {
        event.cancelled.is_none() && kind.is_none_or(|kind| kind == event.event.kind)
    };
    // A stay that goes on tells of its admission and no more of the discharge that was taken back.
    !told.any(stands)
}
