//! Tasks in words.

use kith_crdt::Section;
use kith_protocol::{
    audit::How,
    id::{PrincipalId, RecordId, StaffId},
    record::Record,
};

use super::reading::{HeldEvent, HeldTask, Work};
use crate::{
    api::{AnswerLine, CancelledLine, EventLine, TaskLine, TaskList, TaskState, TasksRequest},
    failure::Failure,
    health::line,
    node::{Node, now_ms, people::Known as Person, show},
};

impl Node {
    pub(in crate::node) fn tasks(&mut self, asked: &TasksRequest) -> Result<TaskList, Failure> {
        let mut list = TaskList::default();
        if let Some(word) = &asked.record {
            let id = self.record_named(word)?;
            list.known = Some(self.tasks_into(id, asked, &mut list)?);
        } else {
            for id in self.records_with_tasks(asked.all) {
                if let Err(failure) = self.tasks_into(id, asked, &mut list) {
                    let record = &id.to_string()[..12];
                    list.unread
                        .push(format!("Record {record}: {}", failure.what));
                }
            }
        }
        list.tasks.sort_by(in_order);
        Ok(list)
    }

    fn tasks_into(
        &mut self,
        id: RecordId,
        asked: &TasksRequest,
        list: &mut TaskList,
    ) -> Result<crate::api::Known, Failure> {
        self.with_record(id, |node, record| {
            node.disclose_part(record, &[Section::Tasks], How::Show)?;
            let work = node.work_of(record);
            let known = node.known_of(record, Section::Tasks, !work.tasks.is_empty());
            let lines = work
                .tasks
                .iter()
                .map(|task| node.task_line(id, &work, task));
            let wanted = lines
                .filter(|line| asked.all || line.state.is_open())
                .filter(|line| !asked.mine || line.is_ours);
            list.tasks.extend(wanted);
            Ok(known)
        })
    }

    /// The tasks of a record, those that are late first.
    pub(super) fn task_lines(&self, record: &mut Record, work: &Work) -> Vec<TaskLine> {
        let id = record.id();
        let lines = work.tasks.iter().map(|task| self.task_line(id, work, task));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by(in_order);
        lines
    }

    pub(super) fn task_line(&self, record: RecordId, work: &Work, task: &HeldTask) -> TaskLine {
        let (own, now) = (self.identity.principal, now_ms());
        let standing = &task.standing;
        let event = work.event_of(task);
        let name = |who: &PrincipalId| self.name_of(*who);
        let who = task
            .asked_of
            .as_ref()
            .map(name)
            .or_else(|| task.who.clone());
        let is_named = || task.who.as_deref() == Some(self.identity.name.as_str());
        let reason = line::concept(task.value.get("reasonCode"));
        let accepted_by: Vec<_> = standing.accepted_by.iter().map(name).collect();
        let late = standing.is_late(now);
        TaskLine {
            record: record.to_string(),
            person: self
                .people
                .get(&record)
                .map_or_else(String::new, Person::banner),
            id: task.id.clone(),
            what: line::describe_task(&task.value),
            because: reason,
            is_ours: standing.owner.map_or_else(is_named, |owner| owner == own),
            owner: standing.owner.map(|owner| owner.to_string()),
            state: standing.state,
            due: standing.end_ms.map(show::time),
            late,
            says: says(
                standing.state,
                late.then_some(standing.end_ms).flatten(),
                Persons {
                    asked: who.as_deref(),
                    owner: standing.owner.as_ref().map(name).as_deref(),
                    accepted: &accepted_by,
                    event: event.filter(|_| !task.taken_back),
                },
            ),
            who,
            accepted_by,
            answers: self.answer_lines(task),
            event: event.map(|event| self.event_line(event)),
            by: self.signer(task.signed.by),
            asked: show::time(task.signed.at_ms),
            to_review: task.to_review,
        }
    }

    fn answer_lines(&self, task: &HeldTask) -> Vec<AnswerLine> {
        let lines = task.answers.iter().map(|said| AnswerLine {
            answer: said.answer,
            by: self.name_of(said.by),
            staff: self.staff_of(Some(said.by), said.signed.staff),
            when: show::time(said.signed.at_ms),
            because: said.because.clone(),
            counts: task.asked_of.is_none_or(|asked| asked == said.by),
        });
        lines.collect()
    }

    pub(super) fn event_line(&self, event: &HeldEvent) -> EventLine {
        EventLine {
            id: event.id.clone(),
            kind: event.event.kind,
            when: event.event.when.clone(),
            place: event.event.place.clone(),
            why: event.event.why.clone(),
            by: self.signer(event.signed.by),
            said: show::time(event.signed.at_ms),
            cancelled: event.cancelled.as_ref().map(|said| CancelledLine {
                by: self.signer(said.signed.by),
                when: show::time(said.signed.at_ms),
                because: said.because.clone(),
            }),
        }
    }

    pub(super) fn signer(&self, by: Option<PrincipalId>) -> String {
        by.map_or_else(|| "not known".to_owned(), |by| self.name_of(by))
    }

    /// A member of staff by name, where they are of this node's owner.
    pub(in crate::node) fn staff_of(
        &self,
        by: Option<PrincipalId>,
        staff: Option<StaffId>,
    ) -> Option<String> {
        let is_ours = by == Some(self.identity.principal);
        staff
            .filter(|_| is_ours)
            .map(|staff| self.name_of_staff(staff))
    }
}

/// Late ones first, then by when they have to be done; what is closed last, the newest first.
fn in_order(a: &TaskLine, b: &TaskLine) -> std::cmp::Ordering {
    let rank = |line: &TaskLine| (!line.late, !line.state.is_open());
    let due = |line: &TaskLine| (line.due.is_none(), line.due.clone());
    rank(a)
        .cmp(&rank(b))
        .then_with(|| {
            if a.state.is_open() {
                due(a).cmp(&due(b))
            } else {
                b.asked.cmp(&a.asked)
            }
        })
        .then_with(|| a.id.cmp(&b.id))
}

#[derive(Clone, Copy)]
struct Persons<'a> {
    asked: Option<&'a str>,
    owner: Option<&'a str>,
    accepted: &'a [String],
    event: Option<&'a HeldEvent>,
}

/// How it stands with a task, in a few words.
fn says(state: TaskState, late_since: Option<u64>, who: Persons<'_>) -> String {
    let owner = who.owner.or(who.asked).unwrap_or("somebody");
    let both = match who.accepted {
        [] | [_] => String::new(),
        [_, others @ ..] => format!(" ({} said so too)", others.join(", ")),
    };
    if let Some(since) = late_since {
        let why = match state {
            TaskState::Accepted => format!("{owner} accepted it, and it is not done{both}"),
            TaskState::Declined => format!("{owner} declined it, and nobody does it"),
            TaskState::Requested | TaskState::Done | TaskState::Withdrawn => {
                "nobody has accepted it".to_owned()
            }
        };
        return format!("late since {}: {why}", show::time(since));
    }
    match state {
        TaskState::Requested => format!("waits for {owner} to accept it"),
        TaskState::Accepted => format!("accepted by {owner}{both}"),
        TaskState::Done => format!("done by {owner}{both}"),
        TaskState::Declined => format!("declined by {owner}: nobody does it"),
        TaskState::Withdrawn => {
            let accepted = match who.accepted {
                [] => String::new(),
                names => format!("; {} had accepted it", names.join(", ")),
            };
            let event = who.event.map(|event| event.event.kind);
            let why = event.map_or_else(
                || "it is not wanted any more".to_owned(),
                |kind| format!("the {kind} did not happen"),
            );
            format!("withdrawn: {why}{accepted}")
        }
    }
}
