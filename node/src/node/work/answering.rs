//! Answers to tasks: each a signed statement of its own.

use kith_crdt::{Edit, Section};
use kith_protocol::{audit::How, id::RecordId, record::Record};

use super::reading::HeldTask;
use crate::{
    api::{Answer, AnswerRequest, TaskAnswered, TaskState},
    failure::{Ending, Failure},
    health::work::task,
    node::{Node, add, import::write_into, now_ms, review, show},
};

/// The shortest beginning of an id that names a task.
const PREFIX_LEN_MIN: usize = 4;

impl Node {
    pub(in crate::node) fn answer(
        &mut self,
        asked: &AnswerRequest,
    ) -> Result<TaskAnswered, Failure> {
        if asked.task.len() < PREFIX_LEN_MIN {
            return Err(no_task(&asked.task));
        }
        let record = self.record_of_task(asked)?;
        self.with_record(record, |node, of| {
            let work = node.work_of(of);
            let task = task_named(&work.tasks, &asked.task)?;
            let own = node.identity.principal;
            let last = task.answers.iter().rev().find(|said| said.by == own);
            let repeats = last.is_some_and(|said| said.answer == asked.answer);
            refuse(task, asked.answer, repeats)?;
            let now = now_ms();
            let because = asked.because.as_deref().map(str::trim);
            let value = task::answer(
                &task.key,
                asked.answer,
                (&node.identity.name, &own.to_string()),
                because.filter(|because| !because.is_empty()),
                &show::time(now),
            );
            let resource = add::resource(&value, &task.document, now);
            let (mut items, mut rng) = (Vec::new(), node.rng.clone());
            let edits = [Edit::Create(resource)];
            write_into(of, &node.pen(now), task.document.clone(), &edits, &mut items, &mut rng)?;
            node.rng = rng;
            let entry = items.first().map_or_else(String::new, review::id_of);
            node.commit(items)?;
            node.disclose_part(of, &[Section::Tasks], How::Show)?;
            let asked_of = task.asked_of.filter(|asked| *asked != own);
            let note = asked_of.map(|other| {
                let name = node.name_of(other);
                format!("{name} was asked for this: your word is shown, and it stays theirs until they answer.")
            });
            let id = task.id.clone();
            let line = node.line_of_task(of, &id)?;
            Ok(TaskAnswered {
                entry,
                task: line,
                note,
            })
        })
    }

    fn line_of_task(&self, record: &mut Record, id: &str) -> Result<crate::api::TaskLine, Failure> {
        let work = self.work_of(record);
        let task = task_named(&work.tasks, id)?;
        Ok(self.task_line(record.id(), &work, task))
    }

    /// The record that has the task.
    fn record_of_task(&self, asked: &AnswerRequest) -> Result<RecordId, Failure> {
        if let Some(record) = &asked.record {
            return self.record_named(record);
        }
        match self.records_of_task(&asked.task).as_slice() {
            [one] => Ok(*one),
            [] => Err(no_task(&asked.task)),
            several => Err(Failure::new(
                Ending::NeedsPerson,
                format!("{:?} fits tasks of {} records.", asked.task, several.len()),
                "Use more of the id. Nothing was changed.",
            )),
        }
    }
}

/// What there is no sense in saying.
fn refuse(task: &HeldTask, answer: Answer, repeats: bool) -> Result<(), Failure> {
    let state = task.standing.state;
    if repeats {
        return Err(Failure::new(
            Ending::Usage,
            format!("You said already that it is {}.", answer.code()),
            "There is nothing to do.",
        ));
    }
    match (state, answer) {
        (TaskState::Withdrawn, Answer::Accept | Answer::Decline) => Err(Failure::new(
            Ending::Failed,
            "This task was withdrawn.",
            "There is nothing to do. Nothing was changed.",
        )),
        (TaskState::Done, Answer::Accept) => Err(Failure::new(
            Ending::Failed,
            "This task is done.",
            "There is nothing to do. Nothing was changed.",
        )),
        (
            TaskState::Requested
            | TaskState::Accepted
            | TaskState::Declined
            | TaskState::Done
            | TaskState::Withdrawn,
            _,
        ) => Ok(()),
    }
}

fn task_named<'a>(tasks: &'a [HeldTask], word: &str) -> Result<&'a HeldTask, Failure> {
    let found: Vec<_> = tasks
        .iter()
        .filter(|task| task.id.starts_with(word))
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(no_task(word)),
        several => Err(Failure::new(
            Ending::NeedsPerson,
            format!("{word:?} fits {} tasks.", several.len()),
            "Use more of the id. Nothing was changed.",
        )),
    }
}

fn no_task(word: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("There is no open task called {word:?} here."),
        "Run kith tasks to see them with their ids; for one that is closed name the record too, with --record. Nothing was changed.",
    )
}
