//! Files that somebody brings in on a page: one after another, in steps, between which the node does
//! what else is asked of it. How far each is stands in a row beside what is filed, so that it is
//! known after the node was stopped in the middle of it.

use std::collections::BTreeMap;

use kith_protocol::{consent::grant::Actions, id::StaffId, store::Item};
use serde::{Deserialize, Serialize};

use super::{
    FileRead, Node, Upload,
    identity::{RowKind, no_row, read_row, read_rows, row},
    import::{Next, Steps},
    now_ms,
    sent::Passing,
    show,
};
use crate::{
    api::{ImportRequest, Imported, Request},
    failure::{Ending, Failure},
};

/// Those that wait at once; their files stand on the disk meanwhile.
const WAITING_MAX: usize = 8;

/// Those of which it is kept what came of them; the oldest go.
const KEPT_MAX: usize = 50;

/// Of each so many records, odd things and refused files are named; the rest is counted.
const NAMED_MAX: usize = 200;

/// Those that are not done yet, by their numbers: the first goes on and the others wait.
#[derive(Default)]
pub(super) struct Works(BTreeMap<u64, Work>);

struct Work {
    row: Row,
    steps: Steps,
    /// Keeps the files that were sent.
    _files: Passing,
}

/// As it stands on the disk.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    by: Option<StaffId>,
    record: Option<String>,
    files: Vec<String>,
    begun_ms: u64,
    ended_ms: Option<u64>,
    read: usize,
    done: usize,
    total: usize,
    /// What came of it, as JSON, and how many records of it are not named there.
    imported: String,
    unnamed: usize,
    /// Why it ended before all was done, as JSON.
    failure: Option<String>,
}

/// What was brought in on a page.
#[derive(Clone, Debug)]
pub(crate) struct Brought {
    /// Its number here.
    pub number: u64,
    /// The files, as they were called.
    pub files: Vec<String>,
    /// The record into which it was brought, where one was named.
    pub record: Option<String>,
    /// When it was sent, RFC 3339.
    pub begun: String,
    /// How it stands.
    pub state: BringState,
    /// How many of the files were read.
    pub read: usize,
    /// How many parts are filed, each what one file says of one person.
    pub done: usize,
    /// How many parts the files that were read have.
    pub total: usize,
    /// What came of it so far.
    pub imported: Imported,
    /// Records of which nothing more is said.
    pub unnamed: usize,
}

/// How it stands with something that is brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BringState {
    /// So many others come before it.
    Waits(usize),
    /// It goes on.
    Goes,
    /// All of it was done.
    Done,
    /// It ended for this reason.
    Failed(Failure),
    /// The node was stopped in the middle of it.
    BrokenOff,
}

/// What something that is brought in needs next.
pub(crate) enum BringNext {
    /// That this file is read.
    Read(std::path::PathBuf),
    /// Another step.
    Step,
    /// That others are done before it.
    Waits,
    /// Nothing.
    Ended,
}

impl Row {
    fn kept(&self, number: u64) -> Item {
        row(RowKind::Brought, &number.to_be_bytes(), self)
    }

    fn note(&mut self, steps: &Steps) {
        let all = steps.imported();
        let imported = Imported {
            records: first(&all.records),
            flagged: first(&all.flagged),
            refused: first(&all.refused),
        };
        (self.read, self.done, self.total) = (steps.read, steps.done, steps.total);
        self.unnamed = all.records.len().saturating_sub(NAMED_MAX);
        self.imported = serde_json::to_string(&imported).unwrap_or_default();
    }
}

fn first<T: Clone>(all: &[T]) -> Vec<T> {
    all.iter().take(NAMED_MAX).cloned().collect()
}

impl Node {
    /// Takes files that somebody sent; they are brought in by [`Self::bring_on`].
    ///
    /// # Errors
    /// When they may not bring anything in, when the record is not here, and when too much waits.
    pub(crate) fn bring(
        &mut self,
        files: &[Upload],
        record: Option<String>,
    ) -> Result<u64, Failure> {
        let request = ImportRequest {
            record: record.clone(),
            ..ImportRequest::default()
        };
        let by = self.asked_by(&Request::Import(request.clone()))?;
        if files.is_empty() {
            return Err(Failure::new(
                Ending::Usage,
                "No file was chosen.",
                "Go back and choose one. Nothing was changed.",
            ));
        }
        let word = record.as_deref();
        let target = word.map(|word| self.record_named(word)).transpose()?;
        if self.bringing.0.len() > WAITING_MAX {
            return Err(Failure::new(
                Ending::TryAgain,
                "Many files are being brought in already.",
                "Try again when some of them are done. Nothing was changed.",
            ));
        }
        let (passing, paths) = self.keep_sent(files)?;
        let row = Row {
            by,
            record,
            files: files.iter().map(|file| file.name.clone()).collect(),
            begun_ms: now_ms(),
            ended_ms: None,
            read: 0,
            done: 0,
            total: 0,
            imported: String::new(),
            unnamed: 0,
            failure: None,
        };
        let known = read_rows::<Row>(&self.store, RowKind::Brought)?;
        let mut numbers: Vec<u64> = known.iter().filter_map(|(name, _)| number(name)).collect();
        numbers.sort_unstable();
        let next = numbers.last().map_or(1, |last| last + 1);
        let mut items = vec![row.kept(next)];
        let old = numbers.len().saturating_sub(KEPT_MAX - 1);
        let old = numbers.iter().take(old);
        items.extend(old.map(|number| no_row(RowKind::Brought, &number.to_be_bytes())));
        self.commit(items)?;
        let work = Work {
            row,
            steps: Steps::of(request, paths, target),
            _files: passing,
        };
        self.bringing.0.insert(next, work);
        Ok(next)
    }

    /// Brings in a little more, in the name of whoever sent it: with a file that was read, where
    /// that was needed.
    ///
    /// # Errors
    /// When how far it is cannot be kept; then it ends.
    pub(crate) fn bring_on(
        &mut self,
        number: u64,
        read: Option<FileRead>,
    ) -> Result<BringNext, Failure> {
        match self.bringing.0.keys().next() {
            Some(first) if *first < number => return Ok(BringNext::Waits),
            Some(_) | None => {}
        }
        let Some(mut work) = self.bringing.0.remove(&number) else {
            return Ok(BringNext::Ended);
        };
        let by = work.row.by;
        let may = by.map(|staff| self.may_act(staff, Actions::APPEND));
        let stepped = may
            .transpose()
            .and_then(|_| self.working_for(by, |node| work.steps.step(node, read)));
        self.working_for(None, Self::follow_up);
        work.row.note(&work.steps);
        let next = match stepped {
            Ok(Next::Read(path)) => BringNext::Read(path),
            Ok(Next::Step) => BringNext::Step,
            Ok(Next::Ended) => BringNext::Ended,
            Err(failure) => {
                work.row.failure = serde_json::to_string(&failure).ok();
                BringNext::Ended
            }
        };
        if matches!(next, BringNext::Ended) {
            work.row.ended_ms = Some(now_ms());
        }
        self.commit(vec![work.row.kept(number)])?;
        if work.row.ended_ms.is_none() {
            self.bringing.0.insert(number, work);
        }
        Ok(next)
    }

    /// How it stands with something that was brought in, for whoever sent it or runs the node.
    ///
    /// # Errors
    /// When there is nothing of that number for them.
    pub(crate) fn brought_in(&self, number: u64) -> Result<Brought, Failure> {
        let row: Option<Row> = read_row(&self.store, RowKind::Brought, &number.to_be_bytes())?;
        row.filter(|row| self.may_see(row))
            .map(|row| self.stands_brought(number, row))
            .ok_or_else(|| {
                Failure::new(
                    Ending::Failed,
                    "There is nothing here by that number.",
                    "What was brought in longest ago is not listed any more; what was filed of it stands in the records.",
                )
            })
    }

    /// All that was brought in, for whoever sent it or runs the node, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn all_brought(&self) -> Result<Vec<Brought>, Failure> {
        let rows = read_rows::<Row>(&self.store, RowKind::Brought)?.into_iter();
        let mut all: Vec<_> = rows
            .filter(|(_, row)| self.may_see(row))
            .filter_map(|(name, row)| Some(self.stands_brought(number(&name)?, row)))
            .collect();
        all.sort_by_key(|brought| std::cmp::Reverse(brought.number));
        Ok(all)
    }

    fn may_see(&self, row: &Row) -> bool {
        self.acting.is_none() || self.acting == row.by
    }

    fn stands_brought(&self, number: u64, row: Row) -> Brought {
        let waits = self.bringing.0.range(..number).count();
        let failure = row.failure.as_deref();
        let state = match (row.ended_ms, failure) {
            (Some(_), None) => BringState::Done,
            (Some(_), Some(failure)) => {
                BringState::Failed(serde_json::from_str(failure).unwrap_or_else(|_| not_told()))
            }
            (None, _) if !self.bringing.0.contains_key(&number) => BringState::BrokenOff,
            (None, _) if waits > 0 => BringState::Waits(waits),
            (None, _) => BringState::Goes,
        };
        Brought {
            number,
            files: row.files,
            record: row.record,
            begun: show::time(row.begun_ms),
            state,
            read: row.read,
            done: row.done,
            total: row.total,
            imported: serde_json::from_str(&row.imported).unwrap_or_default(),
            unnamed: row.unnamed,
        }
    }
}

fn number(name: &[u8]) -> Option<u64> {
    name.try_into().ok().map(u64::from_be_bytes)
}

/// A reason that this build cannot read.
fn not_told() -> Failure {
    Failure::new(
        Ending::Failed,
        "It ended before all was done.",
        "Bring the files in again: what is here already is not filed twice.",
    )
}
