//! Writing down that something happened to a person, or did not happen after all.

use kith_crdt::{
    Body, Edit, Meta, Resource, Section,
    classify::{self, LabelRules},
    refile::difference,
};
use kith_protocol::{
    audit::How,
    consent::grant::Actions,
    record::{Pen, Record},
    store::Item,
};
use serde_json::{Value, json};

use super::reading::{HeldEvent, Work};
use crate::{
    api::{EventKind, EventMade, EventRequest, EventSaid, Known, TaskLine},
    failure::{Ending, Failure},
    health::work::event::{BECAUSE_URL, Saying, cancelling},
    node::{
        Node, add,
        import::{may_write, who_writes, write_into},
        now_ms, review,
        sharing::start_of,
        show,
    },
};

/// The shortest beginning of an id that names an event.
const PREFIX_LEN_MIN: usize = 4;

/// Clocks of two machines may differ by so much.
const SKEW_MS: u64 = 10 * 60 * 1000;

/// What comes of writing an event.
struct Written {
    event: String,
    kind: EventKind,
    what: String,
    note: Option<String>,
}

impl Node {
    pub(in crate::node) fn event(&mut self, asked: &EventRequest) -> Result<EventMade, Failure> {
        let id = self.record_named(&asked.record)?;
        self.with_record(id, |node, record| {
            let now = now_ms();
            let mut items = Vec::new();
            let mut rng = node.rng.clone();
            let pen = node.pen(now);
            let written = match &asked.what {
                EventSaid::Happened {
                    kind,
                    when,
                    place,
                    why,
                } => {
                    let when = when_of(when.as_deref(), now)?;
                    let said = Saying {
                        kind: *kind,
                        when: &when,
                        place: filled(place.as_deref()),
                        why: filled(why.as_deref()),
                        of: None,
                    };
                    node.writes_event(record, &pen, said, &mut items, &mut rng)?
                }
                EventSaid::Cancel { event, because } => {
                    let because = filled(because.as_deref());
                    node.cancel(record, &pen, (event, because), &mut items, &mut rng)?
                }
            };
            node.rng = rng;
            let entry = items.first().map_or_else(String::new, review::id_of);
            let noted = node.noted(record, &items)?;
            items.extend(noted);
            node.commit_noting(items)?;
            node.disclose_part(record, &[Section::Tasks], How::Show)?;
            let work = node.work_of(record);
            Ok(EventMade {
                record: id.to_string(),
                entry,
                what: written.what.clone(),
                note: written.note.clone(),
                tasks: node.tasks_of(record, &work, &written),
                event: written.event,
            })
        })
    }

    fn tasks_of(&self, record: &mut Record, work: &Work, written: &Written) -> Vec<TaskLine> {
        let mut lines = self.task_lines(record, work);
        lines.retain(|line| {
            let event = line.event.as_ref();
            event.is_some_and(|event| event.id == written.event && event.kind == written.kind)
        });
        lines
    }

    fn writes_event(
        &self,
        record: &mut Record,
        pen: &Pen<'_>,
        said: Saying<'_>,
        items: &mut Vec<Item>,
        rng: &mut rand_chacha::ChaCha20Rng,
    ) -> Result<Written, Failure> {
        let before = self.work_of(record);
        let open = before.open_admission();
        let kind = said.kind;
        let of = open.map(|open| open.id.clone());
        let who = who_writes(pen);
        let mut changes = None;
        if let (EventKind::Discharge, Some(open)) = (kind, open)
            && may_write(record, &who, &open.document, Actions::EDIT, pen.time_ms).is_ok()
        {
            let edits = discharged(open, &said);
            changes = (!edits.is_empty()).then(|| (open.document.clone(), edits));
        }
        let event = if let Some((document, edits)) = changes {
            write_into(record, pen, document, &edits, items, rng)?;
            of.unwrap_or_default()
        } else {
            let belongs = matches!(kind, EventKind::Discharge | EventKind::Transfer);
            let said = Saying {
                of: of.as_deref().filter(|_| belongs),
                ..said
            };
            let value = said.resource();
            let mut document = classify::document(&value, &LabelRules::default());
            if let Some(open) = open.filter(|_| said.of.is_some()) {
                // Whoever may not see the admission learns nothing of it by this.
                document.label = open.document.label.clone();
            }
            let resource = add::resource(&value, &document, pen.time_ms);
            let edits = [Edit::Create(resource)];
            let made = write_into(record, pen, document, &edits, items, rng)?;
            made.first().map_or_else(String::new, ToString::to_string)
        };
        let work = self.work_of(record);
        let note = self.note_of_tasks(record, pen, (&work, &event, kind), items, rng)?;
        let place = said
            .place
            .map_or_else(String::new, |place| format!(", {place}"));
        Ok(Written {
            event,
            kind,
            what: format!("Written down: {kind}, {}{place}.", said.when),
            note,
        })
    }

    /// Makes the tasks that follow from an event that was just written; what people should know
    /// where none were made.
    fn note_of_tasks(
        &self,
        record: &mut Record,
        pen: &Pen<'_>,
        (work, event, kind): (&Work, &str, EventKind),
        items: &mut Vec<Item>,
        rng: &mut rand_chacha::ChaCha20Rng,
    ) -> Result<Option<String>, Failure> {
        let controllers = record.ledger().controllers();
        let others: Vec<_> = controllers
            .into_iter()
            .filter(|who| *who != self.identity.principal)
            .map(|who| self.name_of(who))
            .collect();
        let others = others.join(" or ");
        if work.rules.is_empty() {
            let known = self.known_of(record, Section::Circle, false);
            return Ok(match known {
                Known::Withheld if !others.is_empty() => Some(format!(
                    "What has to happen now is not shared with this node: {others} asks for it when they hear of this."
                )),
                Known::Recorded
                | Known::NothingRecorded
                | Known::NotKnownHere
                | Known::Withheld => Some(
                    "No rules of this record are known here, so nobody was asked for anything."
                        .to_owned(),
                ),
            });
        }
        let held = work
            .events
            .iter()
            .find(|one| one.id == event && one.event.kind == kind);
        let Some(held) = held else {
            return Ok(None);
        };
        match self.make_tasks(record, pen, (work, held), items, rng) {
            Ok(0) => Ok(Some(format!(
                "The rules ask nobody for anything on {kind}."
            ))),
            Ok(_) => Ok(None),
            Err(failure) if failure.ending == Ending::NotAllowed => Ok(Some(format!(
                "This node may not add tasks to this record: {others} asks for what has to happen when they hear of this."
            ))),
            Err(failure) => Err(failure),
        }
    }

    fn cancel(
        &self,
        record: &mut Record,
        pen: &Pen<'_>,
        (word, because): (&str, Option<&str>),
        items: &mut Vec<Item>,
        rng: &mut rand_chacha::ChaCha20Rng,
    ) -> Result<Written, Failure> {
        let work = self.work_of(record);
        let event = event_named(&work, word)?;
        let kind = event.event.kind;
        let may = may_write(
            record,
            &who_writes(pen),
            &event.document,
            Actions::EDIT,
            pen.time_ms,
        );
        let is_own = event.signed.by == Some(self.identity.principal);
        let on_its_own = event.id.clone();
        if may.is_ok() {
            let edits = taken_back(event, because);
            write_into(record, pen, event.document.clone(), &edits, items, rng)?;
        } else if is_own || self.controls(record) {
            let value = cancelling(kind, &event.id, because);
            let resource = add::resource(&value, &event.document, pen.time_ms);
            let edits = [Edit::Create(resource)];
            write_into(record, pen, event.document.clone(), &edits, items, rng)?;
        } else {
            return Err(Failure::new(
                Ending::NotAllowed,
                format!(
                    "This {kind} was written down by {}.",
                    self.signer(event.signed.by)
                ),
                "Only they, and whoever controls the record, can say that it did not happen: ring them. Nothing was changed.",
            ));
        }
        let after = self.work_of(record);
        let goes_on = kind == EventKind::Discharge
            && after.events.iter().any(|one| {
                one.id == on_its_own
                    && one.event.kind == EventKind::Admission
                    && one.cancelled.is_none()
            });
        let note = goes_on.then(|| {
            format!("The stay in hospital goes on. Run kith event RECORD cancel {on_its_own} again if there was none.")
        });
        Ok(Written {
            event: on_its_own,
            kind,
            what: format!("Written down: the {kind} did not happen. Its tasks are withdrawn."),
            note,
        })
    }
}

/// The event that an id names, or the beginning of one: of a stay that ended its end.
fn event_named<'a>(work: &'a Work, word: &str) -> Result<&'a HeldEvent, Failure> {
    let fits = |event: &&HeldEvent| {
        event.id == word || (word.len() >= PREFIX_LEN_MIN && event.id.starts_with(word))
    };
    let found: Vec<_> = work.events.iter().filter(fits).collect();
    let ids: std::collections::BTreeSet<_> = found.iter().map(|event| &event.id).collect();
    match ids.len() {
        0 => Err(Failure::new(
            Ending::Failed,
            format!("This record has no event called {word:?}."),
            "Run kith handover RECORD to see events with their ids. Nothing was changed.",
        )),
        1 => found
            .iter()
            .rev()
            .find(|event| event.cancelled.is_none())
            .copied()
            .ok_or_else(|| {
                Failure::new(
                    Ending::Usage,
                    "It is said already that this did not happen.",
                    "There is nothing to do.",
                )
            }),
        n => Err(Failure::new(
            Ending::NeedsPerson,
            format!("{word:?} fits {n} events of this record."),
            "Use more of the id. Nothing was changed.",
        )),
    }
}

/// The edits by which a stay is finished.
fn discharged(open: &HeldEvent, said: &Saying<'_>) -> Vec<Edit> {
    edited(open, |encounter| {
        encounter["status"] = json!("finished");
        encounter["period"]["end"] = json!(said.when);
        if let Some(place) = said.place {
            encounter["hospitalization"]["destination"] = json!({ "display": place });
        }
        if let Some(why) = said.why {
            encounter["hospitalization"]["dischargeDisposition"] = json!({ "text": why });
        }
    })
}

/// The edits that say that an event did not happen: a stay whose end is taken back goes on.
fn taken_back(event: &HeldEvent, because: Option<&str>) -> Vec<Edit> {
    edited(event, |resource| {
        let finished = resource["status"] == json!("finished");
        let has_own_end =
            event.event.kind == EventKind::Discharge && resource["period"]["start"].is_string();
        if finished && has_own_end {
            resource["status"] = json!("in-progress");
            if let Some(period) = resource["period"].as_object_mut() {
                period.shift_remove("end");
            }
        } else {
            resource["status"] = json!("cancelled");
        }
        if let Some(because) = because {
            if event.kind == "Observation" {
                resource["note"] = json!([{ "text": because }]);
            } else {
                resource["extension"] = json!([{"url": BECAUSE_URL, "valueString": because}]);
            }
        }
    })
}

fn edited(event: &HeldEvent, change: impl FnOnce(&mut Value)) -> Vec<Edit> {
    let Ok(mut value) = serde_json::from_str::<Value>(&event.held.to_text(0)) else {
        return Vec::new();
    };
    change(&mut value);
    let Ok(body) = Body::parse(&value.to_string(), event.document.section) else {
        return Vec::new();
    };
    let meta = Meta {
        kind: event.kind.clone(),
        ..Meta::default()
    };
    difference(&event.held, &Resource { meta, body })
}

/// When it happened: as it was said, now where nothing was.
fn when_of(said: Option<&str>, now: u64) -> Result<String, Failure> {
    let Some(said) = said else {
        return Ok(show::time(now));
    };
    let at = start_of(said).map_err(|_| {
        Failure::new(
            Ending::Usage,
            format!("{said:?} is not a day or a time."),
            "Write it as 2026-12-24, or as 2026-12-24T14:30:00Z. Nothing was changed.",
        )
    })?;
    if at > now + SKEW_MS {
        return Err(Failure::new(
            Ending::Usage,
            format!("{said} has not come yet."),
            "Write down what happened when it has. Nothing was changed.",
        ));
    }
    Ok(said.to_owned())
}

/// Words, where there are any.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
