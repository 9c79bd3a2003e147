//! An import in steps, between which the node does other things: files are read beside it, and what
//! stands in them is filed some people at a time.

use std::{collections::VecDeque, path::PathBuf};

use kith_protocol::id::RecordId;

use super::{Course, FileRead, Filing};
use crate::{
    api::{ImportRequest, Imported},
    failure::Failure,
    node::{Node, now_ms},
};

/// Filings of one step.
const STEP: usize = 32;

/// An import on its way.
pub(in crate::node) struct Steps {
    target: Option<RecordId>,
    request: ImportRequest,
    files: VecDeque<PathBuf>,
    filings: VecDeque<Filing>,
    course: Course,
    /// How many of the files were read.
    pub(in crate::node) read: usize,
    /// How many parts, each of one person in one file, are filed.
    pub(in crate::node) done: usize,
    /// How many parts the files that were read have.
    pub(in crate::node) total: usize,
}

/// What an import needs next.
pub(in crate::node) enum Next {
    /// That this file is read.
    Read(PathBuf),
    /// Another step.
    Step,
    /// Nothing.
    Ended,
}

impl Steps {
    pub(in crate::node) fn of(
        request: ImportRequest,
        files: Vec<PathBuf>,
        target: Option<RecordId>,
    ) -> Self {
        Self {
            target,
            request,
            files: files.into(),
            filings: VecDeque::new(),
            course: Course::default(),
            read: 0,
            done: 0,
            total: 0,
        }
    }

    /// What came of it so far: all of it is on the disk.
    pub(in crate::node) const fn imported(&self) -> &Imported {
        &self.course.imported
    }

    /// One step: what was read is sorted, or some of what was sorted is filed.
    ///
    /// # Errors
    /// When nothing more can be filed, such as on a full disk. What was filed before stays.
    pub(in crate::node) fn step(
        &mut self,
        node: &mut Node,
        read: Option<FileRead>,
    ) -> Result<Next, Failure> {
        if let Some(read) = read {
            self.sort(node, read)?;
        } else if !self.filings.is_empty() {
            self.file(node)?;
        }
        Ok(match (self.filings.is_empty(), self.files.front()) {
            (false, _) => Next::Step,
            (true, Some(file)) => Next::Read(file.clone()),
            (true, None) => {
                node.propose_alike(&self.course.new, &mut self.course.imported)?;
                Next::Ended
            }
        })
    }

    fn sort(&mut self, node: &mut Node, read: FileRead) -> Result<(), Failure> {
        self.files.pop_front();
        let batch = (now_ms(), u32::try_from(self.read).unwrap_or(u32::MAX));
        self.read += 1;
        let mut before = Vec::new();
        let into = (self.target, &self.request);
        let planned = node.planned(read, into, batch, &mut before, &mut self.course)?;
        node.commit_built(&mut self.course)?;
        self.total += planned.len();
        self.filings.extend(planned);
        Ok(())
    }

    fn file(&mut self, node: &mut Node) -> Result<(), Failure> {
        let some: Vec<_> = self.filings.drain(..self.filings.len().min(STEP)).collect();
        let len = some.len();
        let filed = node.file(some, &mut self.course);
        // What was built counts for the people that this node knows: it is not left behind.
        node.commit_built(&mut self.course).and(filed)?;
        self.done += len;
        Ok(())
    }
}
