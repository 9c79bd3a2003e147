//! Files into records: read and sorted in parallel, filed one after another, committed in groups.
//!
//! The groups overlap: while one is built, the one after it is read and the one before it goes to
//! the disk. They are committed one after another, each whole or not at all, and the import is not
//! said to be done before the last.

mod build;
mod folder;
mod own;
mod plan;
mod proposals;
mod read;
mod steps;

use std::{collections::BTreeSet, num::NonZero, path::PathBuf};

use kith_crdt::{Section, flag::Flag, refile::SourceKey};
use kith_protocol::{
    consent::grant::Actions,
    id::RecordId,
    logs::Event,
    signed::Verified,
    store::{Item, Store},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{Node, now_ms};
use crate::{
    api::{ImportRequest, Imported, Progress, Refused},
    failure::{Ending, Failure},
};

use build::Built;
use plan::Filing;
use read::Found;

/// Files that are read, filed and committed together.
const GROUP_FILES: usize = 128;

/// An import on its way.
#[derive(Default)]
struct Course {
    imported: Imported,
    /// New records that are built and wait for their commit.
    built: Vec<Item>,
    /// Every record that was begun.
    new: Vec<RecordId>,
}

impl Node {
    pub(super) fn import(
        &mut self,
        request: &ImportRequest,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Imported, Failure> {
        if let Some(device) = &request.device {
            let record = request.record.as_deref().ok_or_else(no_record)?;
            return self.import_readings(&request.paths, record, device);
        }
        let files = read::files(&request.paths)?;
        let target = request
            .record
            .as_deref()
            .map(|word| self.record_named(word))
            .transpose()?;
        let mut course = Course::default();
        let done = self.import_files(&files, target, request, &mut course, progress);
        // What was built counts for the people that this node knows: it is not left behind.
        self.commit_built(&mut course).and(done)?;
        if !request.no_proposals {
            self.propose_alike(&course.new, &mut course.imported)?;
        }
        progress(at(files.len(), files.len()));
        Ok(course.imported)
    }

    fn import_files(
        &mut self,
        files: &[PathBuf],
        target: Option<RecordId>,
        request: &ImportRequest,
        course: &mut Course,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let mut batch = now_ms();
        let mut groups = files.chunks(GROUP_FILES);
        std::thread::scope(|scope| {
            let even_if_changed = request.even_if_changed;
            let mut read_next = || {
                let paths = groups.next()?.to_vec();
                let read = move |path: PathBuf| read::read(&path, even_if_changed);
                Some(scope.spawn(move || in_parallel(paths, read)))
            };
            let mut reading = read_next();
            let mut done = 0;
            while let Some(group) = reading {
                let group = joined(group);
                reading = read_next();
                let len = group.len();
                self.import_group(group, target, request, batch, course)?;
                batch = now_ms().max(batch + 1);
                // The group itself is on the disk only when the next one is built.
                progress(at(done, files.len()));
                done += len;
            }
            Ok(())
        })
    }

    fn import_group(
        &mut self,
        files: Vec<FileRead>,
        target: Option<RecordId>,
        request: &ImportRequest,
        batch: u64,
        course: &mut Course,
    ) -> Result<(), Failure> {
        let mut filings = Vec::new();
        for (n, read) in (0..).zip(files) {
            let into = (target, request);
            let planned = self.planned(read, into, (batch, n), &mut filings, course)?;
            filings.extend(planned);
        }
        self.file(filings, course)
    }

    /// What is to be filed of one file. Of what was planned before it and is not filed yet, what has
    /// to stand first is filed.
    fn planned(
        &mut self,
        read: FileRead,
        (target, request): (Option<RecordId>, &ImportRequest),
        batch: (u64, u32),
        before: &mut Vec<Filing>,
        course: &mut Course,
    ) -> Result<Vec<Filing>, Failure> {
        let file = read.name.clone();
        let planned = match read.found {
            Ok(Found::Resources(mut found)) => {
                // A person who is new with a file before this one has a record now.
                if plan::meets(before, &found) {
                    self.file(std::mem::take(before), course)?;
                }
                let own = self.record_of_summary(&found, target);
                if own.is_some() {
                    self.commit_built(course)?;
                }
                let imported = &mut course.imported;
                imported.flagged.extend(read.flags);
                let same_person = request.same_person;
                self.plan(&mut found, target, own, same_person, batch, imported)
            }
            Ok(Found::Folder(folder)) => {
                // It is compared with what its record holds, files before it included.
                self.file(std::mem::take(before), course)?;
                self.commit_built(course)?;
                course.imported.flagged.extend(read.flags);
                let imported = &mut course.imported;
                self.plan_folder(*folder, target, request.same_person, batch, imported)
                    .map(|filing| vec![filing])
            }
            Ok(Found::Bundle(path)) => {
                self.commit_built(course)?;
                let passphrase = request.passphrase.as_deref();
                self.import_bundle(&path, passphrase, target, &mut course.imported)
                    .map(|()| Vec::new())
            }
            Ok(Found::Messages(bytes)) => {
                self.file(std::mem::take(before), course)?;
                self.commit_built(course)?;
                self.import_messages(&bytes, &file, target, &mut course.imported)
                    .map(|()| Vec::new())
            }
            Ok(Found::Opaque(bytes, media_type)) => {
                self.plan_letter(bytes, media_type, &file, target, batch)
            }
            Err(failure) => Err(failure),
        };
        planned.or_else(|failure| {
            if failure.ending == Ending::TryAgain {
                return Err(failure);
            }
            course.imported.refused.push(Refused { file, failure });
            Ok(Vec::new())
        })
    }

    /// Files what was made of a message: into this record, or into a new one. Where somebody said
    /// that it is of the same person as a record and it does not look so, it is a record of its own
    /// that says so.
    pub(super) fn import_made(
        &mut self,
        name: &str,
        text: &[u8],
        record: Option<RecordId>,
        only_same_person: bool,
    ) -> Result<Imported, Failure> {
        let mut course = Course::default();
        let mut found = read::sorted(text, &mut course.imported.flagged)?;
        for flag in &mut course.imported.flagged {
            flag.place = format!("{name}: {}", flag.place);
        }
        let batch = (now_ms(), 0);
        let mut filing = self.plan_made(&mut found, record, only_same_person, batch);
        let left = self.leave_identity(&mut filing)?;
        if left > 0 {
            course.imported.flagged.push(Flag {
                place: name.to_owned(),
                what: "what it says of who people and places are (the patient, staff, organisations, wards) stays in the message: what was shared of this record does not let this node add that".to_owned(),
            });
        }
        let done = self.file(vec![filing], &mut course);
        self.commit_built(&mut course).and(done)?;
        self.propose_alike(&course.new, &mut course.imported)?;
        Ok(course.imported)
    }

    /// Leaves out what says who people and places are, where this node may not add that to the
    /// record: who it is about is known there already. How many resources were left out.
    fn leave_identity(&mut self, filing: &mut Filing) -> Result<usize, Failure> {
        let Some(record) = filing.record else {
            return Ok(0);
        };
        let before = filing.resources.len();
        let (who, now) = (self.whoever(), now_ms());
        self.with_record(record, |_, record| {
            filing.resources.retain(|(document, _)| {
                document.section != Section::Identity
                    || may_write(record, &who, document, Actions::APPEND, now).is_ok()
            });
            Ok(())
        })?;
        Ok(before - filing.resources.len())
    }

    /// Signs what was planned, new records in parallel; what they are made of waits in `course`
    /// for its commit.
    fn file(&mut self, filings: Vec<Filing>, course: &mut Course) -> Result<(), Failure> {
        for filing in &filings {
            for bytes in &filing.blobs {
                self.store.put_blob(bytes)?;
            }
        }
        let (new, known): (Vec<_>, Vec<_>) = filings
            .into_iter()
            .partition(|filing| filing.record.is_none());
        let log = self.principal_log()?;
        let seeds: Vec<_> = new
            .into_iter()
            .map(|filing| (filing, self.seed()))
            .collect();
        let built = self.build(seeds, &log, course)?;
        let mut links = Vec::new();
        let mut items = Vec::new();
        for built in built {
            items.extend(built.items);
            let row = self.people.note(built.record, built.known.clone());
            items.push(row);
            let filed = self.report(built.record, &built.known, built.filed, 0);
            course.imported.records.push(filed);
            course.new.push(built.record);
            links.extend(built.same_as.map(|other| (other, built.record)));
        }
        // The rights to all of them together, and their content behind it: the store keeps them so.
        items.sort_by_key(|item| !matches!(item, Item::Event { .. }));
        let touched = self.deadlines.touched(&items);
        course.built.extend(items);
        course.built.extend(touched);
        if !links.is_empty() || !known.is_empty() {
            self.commit_built(course)?;
        }
        for (record, other) in links {
            let linked = self.with_record(record, |node, record| {
                let (_, item) = node.act(record, None, build::same_person(other), now_ms())?;
                node.commit(vec![item])
            });
            match linked {
                // Everything is filed, and the new record says it: only the other one does not.
                Err(failure) if failure.ending == Ending::NotAllowed => course.imported.flagged.push(Flag {
                    place: record.to_string(),
                    what: "this record is controlled elsewhere, so that it does not say that the new one is of the same person; the new one does".to_owned(),
                }),
                linked => linked?,
            }
        }
        for filing in together(known) {
            self.file_into(filing, &mut course.imported)?;
        }
        Ok(())
    }

    /// Builds new records on all processors while those that were built before go to the disk.
    fn build(
        &mut self,
        filings: Vec<(Filing, [u8; 32])>,
        log: &[Verified<Event>],
        course: &mut Course,
    ) -> Result<Vec<Built>, Failure> {
        if filings.is_empty() {
            self.commit_built(course)?;
            return Ok(Vec::new());
        }
        let before = std::mem::take(&mut course.built);
        let for_others = before.iter().any(super::is_for_others);
        let mut pen = self.identity.pen(self.nonce, now_ms());
        pen.author.staff = self.acting;
        let store = &mut self.store;
        let (built, committed) = in_parallel_beside(
            filings,
            |(filing, seed)| {
                build::new_record(filing, &pen, log, &mut ChaCha20Rng::from_seed(seed))
            },
            || {
                (!before.is_empty())
                    .then(|| store.commit(before))
                    .transpose()
            },
        );
        match committed {
            Ok(Some(last)) if for_others => self.changed = last,
            Ok(_) => {}
            Err(error) => {
                self.forget_unwritten()?;
                return Err(error.into());
            }
        }
        built.into_iter().collect()
    }

    /// Commits what was built.
    fn commit_built(&mut self, course: &mut Course) -> Result<(), Failure> {
        self.commit_noting(std::mem::take(&mut course.built))
    }

    /// Commits; when that fails the index of people is read again, for it was ahead.
    pub(super) fn commit_noting(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let committed = self.commit(items);
        if committed.is_err() {
            self.forget_unwritten()?;
        }
        committed
    }

    /// Reads again from the disk what was ahead of it.
    pub(super) fn forget_unwritten(&mut self) -> Result<(), Failure> {
        self.people = super::People::load(&self.store)?;
        self.loaded.clear();
        self.taken.clear();
        Ok(())
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }
}

/// Filings into one record as one, as long as nothing in them is the same thing twice: what a
/// record holds is then compared once and not for every file.
fn together(filings: Vec<Filing>) -> Vec<Filing> {
    let mut joined: Vec<(Filing, BTreeSet<SourceKey>)> = Vec::new();
    for filing in filings {
        let keys: BTreeSet<_> = filing
            .resources
            .iter()
            .map(|(_, resource)| SourceKey::of(&resource.meta, || resource.body.to_text()))
            .collect();
        let last = joined
            .iter_mut()
            .rev()
            .find(|(before, _)| before.record == filing.record);
        match last {
            Some((before, known)) if known.is_disjoint(&keys) => {
                before.resources.extend(filing.resources);
                before.blobs.extend(filing.blobs);
                before.unchanged += filing.unchanged;
                known.extend(keys);
            }
            Some(_) | None => joined.push((filing, keys)),
        }
    }
    joined.into_iter().map(|(filing, _)| filing).collect()
}

/// Readings without a record.
fn no_record() -> Failure {
    Failure::new(
        Ending::Usage,
        "Readings of a device do not say whose they are.",
        "Name the record with --record. Nothing was changed.",
    )
}

/// How far an import is.
fn at(done: usize, total: usize) -> Progress {
    Progress {
        doing: "importing".to_owned(),
        done: done as u64,
        total: total as u64,
    }
}

/// Does the same with every item on all processors; results in the order of the items.
fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    in_parallel_beside(items, work, || ()).0
}

/// [`in_parallel`], and something else on this thread meanwhile.
fn in_parallel_beside<T: Send, R: Send, M>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
    meanwhile: impl FnOnce() -> M,
) -> (Vec<R>, M) {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    if workers == 1 || items.len() < 2 {
        let done = meanwhile();
        return (items.into_iter().map(work).collect(), done);
    }
    let queue = std::sync::Mutex::new(items.into_iter().enumerate());
    let (mut results, done) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let next = queue.lock().ok().and_then(|mut queue| queue.next());
                        let Some((n, item)) = next else {
                            return done;
                        };
                        done.push((n, work(item)));
                    }
                })
            })
            .collect();
        let done = meanwhile();
        let results: Vec<_> = workers.into_iter().flat_map(joined).collect();
        (results, done)
    });
    results.sort_by_key(|(n, _)| *n);
    (
        results.into_iter().map(|(_, result)| result).collect(),
        done,
    )
}

/// What a thread found; its panic goes on here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(found) => found,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

pub(super) use build::{may_write, who_writes, write_all, write_into};
pub(super) use plan::{OfLetter, letter};
pub(crate) use read::FileRead;
pub(super) use steps::{Next, Steps};

/// A file for `kith add … letter`.
pub(super) fn letter_file(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    read::bytes_of(path)
}

/// What a file's first bytes say that it is.
pub(super) fn media_type_of(bytes: &[u8]) -> &'static str {
    read::media_type(bytes).unwrap_or_else(|| match std::str::from_utf8(bytes) {
        Ok(_) => "text/plain",
        Err(_) => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests;
