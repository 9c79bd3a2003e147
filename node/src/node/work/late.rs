//! What is late, for people: counted from rows, and told at the moment at which a time passes.

use std::collections::BTreeMap;

use kith_crdt::Section;
use kith_protocol::{audit::How, id::RecordId, record::Record};

use super::deadlines::FIRST;
use crate::{
    api::{Kind, Occurred, Problem},
    failure::Failure,
    node::{Node, now_ms, people, show},
};

impl Node {
    /// What is late, as far as rows say: for this node's owner to do something about, and the rest.
    pub(in crate::node) fn late(&self) -> (Vec<Problem>, Vec<String>, usize) {
        let now = now_ms();
        let mut late: BTreeMap<(RecordId, bool), (u64, usize)> = BTreeMap::new();
        for (record, task, end) in self.deadlines.ends().filter(|(.., end)| *end <= now) {
            let of = late.entry((record, task.concerns_us)).or_insert((end, 0));
            of.0 = of.0.min(end);
            of.1 += 1;
        }
        let (mut problems, mut notices, mut count) = (Vec::new(), Vec::new(), 0);
        for ((record, concerns_us), (first, n)) in late {
            let record = &record.to_string()[..12];
            let (tasks, are) = if n == 1 {
                ("task", "is")
            } else {
                ("tasks", "are")
            };
            let what = format!(
                "{n} {tasks} in record {record} {are} late since {}.",
                show::time(first)
            );
            if concerns_us {
                count += n;
                problems.push(Problem {
                    what,
                    remedy: format!(
                        "Run kith tasks {record} to see what nobody has accepted or done, and see that somebody does it."
                    ),
                });
            } else {
                notices.push(format!(
                    "{what} Others are asked for it: kith tasks {record}"
                ));
            }
        }
        (problems, notices, count)
    }

    /// The tasks that became late after `after_ms`, for whoever follows what happens; `after_ms` is
    /// brought to now. What it shows is in the access log when this returns.
    ///
    /// # Errors
    /// When the record is not here, and when the access log cannot be written.
    pub fn late_from(
        &mut self,
        after_ms: &mut u64,
        record: Option<&str>,
    ) -> Result<Vec<Occurred>, Failure> {
        let only = record.map(|word| self.record_named(word)).transpose()?;
        let (after, now) = (*after_ms, now_ms());
        let mut passed: BTreeMap<RecordId, Vec<String>> = BTreeMap::new();
        let first = (after.saturating_add(1), FIRST);
        let loud = self.deadlines.loud.range(first..);
        for (at, record) in loud.take_while(|(at, _)| *at <= now) {
            let Some(open) = self.deadlines.records.get(record) else {
                continue;
            };
            if only.is_some_and(|only| only != *record) {
                continue;
            }
            let ids = open.tasks.iter();
            let ids = ids.filter(|task| task.loud_ms() == Some(*at));
            let ids = ids.map(|task| task.id.clone());
            passed.entry(*record).or_default().extend(ids);
        }
        let seq = self.events_end();
        let mut told = Vec::new();
        for (id, tasks) in passed {
            let lines = self.with_record(id, |node, record| {
                node.disclose_part(record, &[Section::Tasks], How::Show)?;
                let work = node.work_of(record);
                let lines = work.tasks.iter().filter(|task| tasks.contains(&task.id));
                Ok(lines
                    .map(|task| node.task_line(id, &work, task))
                    .collect::<Vec<_>>())
            });
            let lines = match lines {
                Ok(lines) => lines,
                Err(failure) => {
                    tracing::warn!(what = failure.what, "a record is not told of");
                    continue;
                }
            };
            let person = self.people.get(&id).map(people::Known::banner);
            told.extend(
                lines
                    .into_iter()
                    .filter(|line| line.late)
                    .map(|line| Occurred {
                        seq,
                        when: line.due.clone().unwrap_or_default(),
                        record: Some(id.to_string()),
                        person: person.clone(),
                        kind: Kind::Late,
                        section: Some(Section::Tasks.name().to_owned()),
                        by: line.who.clone().unwrap_or_else(|| "nobody".to_owned()),
                        what: vec![format!("{}: {}", line.what, line.says)],
                        status: None,
                    }),
            );
        }
        told.sort_by(|a, b| a.when.cmp(&b.when));
        *after_ms = now;
        Ok(told)
    }

    /// Some sections of a record are about to be shown to this node's owner.
    pub(in crate::node) fn disclose_part(
        &mut self,
        record: &mut Record,
        sections: &[Section],
        how: How,
    ) -> Result<(), Failure> {
        let mut documents = record.ledger().documents();
        documents.retain(|id| sections.contains(&id.section));
        let said = Self::state_of(record, documents, self.owner(), None, how);
        self.disclosed(vec![said], Vec::new())
    }
}
