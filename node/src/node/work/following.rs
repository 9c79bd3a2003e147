//! The tasks that the rules of a record make of an event.
//!
//! Whoever writes an event makes them with it, where they know the rules and may add tasks. Where they
//! may not, a controller's node does when it hears of the event; where they may and did not, it does
//! so after a while. Two nodes that do it at the same time give the tasks the same names, and they are
//! shown once.

use kith_crdt::{
    DocumentId, Edit, Label, Section,
    classify::{self, LabelRules, strictest},
};
use kith_protocol::{
    consent::{Whoever, grant::Actions},
    id::PrincipalId,
    record::{Pen, Record},
    store::Item,
};

use super::reading::{HeldEvent, Work};
use crate::{
    api::EventKind,
    failure::{Ending, Failure},
    health::work::task::{Asking, task},
    node::{
        Node, add,
        import::{may_write, write_into},
        show,
    },
};

/// An event that was signed so long after it happened is history: nobody is asked for anything.
const HISTORY_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// So long a controller's node waits for the tasks of somebody who may make them: they may lie behind
/// the event in what is being sent.
const PATIENCE_MS: u64 = 60 * 1000;

/// Tasks that were made, and the events whose tasks others should make, with until when that is
/// awaited.
type Follows = (Vec<Item>, Vec<(String, u64)>);

impl Node {
    /// Makes the tasks that are missing and that this node has to make now; with them the events
    /// whose tasks others should make, with until when that is awaited.
    pub(super) fn tasks_that_follow(
        &mut self,
        record: &mut Record,
        work: &Work,
        now: u64,
    ) -> Result<Follows, Failure> {
        let (mut items, mut waits) = (Vec::new(), Vec::new());
        if work.rules.is_empty() {
            return Ok((items, waits));
        }
        let controls = self.controls(record);
        let before = self.waits_of(record.id());
        for event in &work.events {
            if !Self::is_to_follow(work, event) {
                continue;
            }
            let (own, device) = (self.identity.principal, self.device());
            let is_ours = event.signed.by == Some(own) && event.signed.device == Some(device);
            if !is_ours && !controls {
                continue;
            }
            let name = format!("{} {}", event.id, event.event.kind);
            if !is_ours && Self::author_makes_them(record, event, now) {
                let known = before.iter().find(|(known, _)| *known == name);
                let until = known.map_or(now + PATIENCE_MS, |(_, until)| *until);
                if until > now {
                    waits.push((name, until));
                    continue;
                }
            }
            let pen = self.identity.pen(self.nonce, now);
            let mut rng = self.rng.clone();
            match self.make_tasks(record, &pen, (work, event), &mut items, &mut rng) {
                Ok(_) => self.rng = rng,
                // Whoever controls the record makes them.
                Err(failure) if failure.ending == Ending::NotAllowed => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok((items, waits))
    }

    /// Whether rules may say something about an event, and nobody acted on it yet.
    fn is_to_follow(work: &Work, event: &HeldEvent) -> bool {
        let kind = event.event.kind;
        let signed = event.signed.at_ms;
        let is_history = event.event.day_ms().is_some_and(|day| {
            let happened = event
                .event
                .happened_ms()
                .unwrap_or(day + 24 * 60 * 60 * 1000);
            happened + HISTORY_MS < signed
        });
        let is_told = |of: &(String, Option<EventKind>)| of.0 == event.id && of.1 == Some(kind);
        let has_tasks = work
            .tasks
            .iter()
            .any(|task| task.event.as_ref().is_some_and(is_told));
        event.cancelled.is_none() && !is_history && !has_tasks
    }

    /// Whether whoever wrote an event can know the rules and may add tasks: then their node makes them.
    fn author_makes_them(record: &mut Record, event: &HeldEvent, now: u64) -> bool {
        let (Some(principal), Some(device)) = (event.signed.by, event.signed.device) else {
            return false;
        };
        let who = Whoever {
            principal,
            device,
            staff: event.signed.staff,
        };
        let circle = DocumentId::first(Section::Circle, Label::general());
        let tasks = tasks_with(event);
        record.ledger().decide_open(&who, &circle, now).is_ok()
            && may_write(record, &who, &tasks, Actions::APPEND, now).is_ok()
    }

    /// Makes the tasks of an event that its rules name and that are not there, in one entry; how many.
    pub(super) fn make_tasks(
        &self,
        record: &mut Record,
        pen: &Pen<'_>,
        (work, event): (&Work, &HeldEvent),
        items: &mut Vec<Item>,
        rng: &mut rand_chacha::ChaCha20Rng,
    ) -> Result<usize, Failure> {
        let names = self.names_of_holders(record);
        let now = show::time(pen.time_ms);
        let kind = event.event.kind;
        let mut made = std::collections::BTreeSet::new();
        let mut edits = Vec::new();
        for rules in &work.rules {
            // Rules hold for what happens from then on.
            if rules.signed.at_ms > event.signed.at_ms {
                continue;
            }
            for rule in rules.rules.on(kind) {
                let key = rule.key(&event.id);
                let is_there = work.tasks.iter().any(|task| task.key == key);
                if is_there || !made.insert(key.clone()) {
                    continue;
                }
                let principal = named(&names, &rule.who).map(|who| who.to_string());
                let end = began(event) + rule.within.ms();
                let asking = Asking {
                    key: &key,
                    what: &rule.what,
                    who: &rule.who,
                    principal: principal.as_deref(),
                    end: &show::time(end),
                    because: rule.because.as_deref(),
                    on: kind,
                    event: (&event.kind, &event.id),
                    now: &now,
                };
                edits.push(task(&asking));
            }
        }
        if edits.is_empty() {
            return Ok(0);
        }
        let mut document = tasks_with(event);
        for task in &edits {
            let own = classify::document(task, &LabelRules::default());
            document.label = strictest([&document.label, &own.label]);
        }
        let edits: Vec<_> = (0..)
            .zip(&edits)
            .map(|(n, task)| {
                let mut resource = add::resource(task, &document, pen.time_ms);
                resource.meta.ordinal = n;
                Edit::Create(resource)
            })
            .collect();
        write_into(record, pen, document, &edits, items, rng)?;
        Ok(edits.len())
    }

    /// Everyone who shares a record, or controls it, by the names that they call themselves.
    pub(super) fn names_of_holders(&self, record: &mut Record) -> Vec<(PrincipalId, String)> {
        use kith_protocol::consent::GrantFate;
        let grants = record.ledger().grants().into_iter();
        let active = grants.filter(|grant| grant.state == GrantFate::Active);
        let mut holders: std::collections::BTreeSet<_> =
            active.map(|grant| grant.grant.audience).collect();
        holders.extend(record.ledger().controllers());
        let named = holders.into_iter().map(|who| (who, self.name_of(who)));
        named.collect()
    }
}

/// The one who calls themselves so.
pub(super) fn named(names: &[(PrincipalId, String)], name: &str) -> Option<PrincipalId> {
    let same = |other: &str| other.trim().to_lowercase() == name.trim().to_lowercase();
    let mut found = names.iter().filter(|(_, other)| same(other));
    let first = found.next()?;
    // Of two with one name nobody can say who is meant.
    found.next().is_none().then_some(first.0)
}

/// Where the tasks of an event stand: whoever may not see the event learns nothing of it by them.
fn tasks_with(event: &HeldEvent) -> DocumentId {
    DocumentId::first(Section::Tasks, event.document.label.clone())
}

/// From when the time of tasks is counted: when it happened, or was signed where no time is recorded.
fn began(event: &HeldEvent) -> u64 {
    let happened = event.event.happened_ms();
    happened.map_or(event.signed.at_ms, |at| at.min(event.signed.at_ms))
}
