//! Files into records: read and sorted in parallel, filed one after another, committed in groups.

mod build;
mod own;
mod plan;
mod read;

use std::{collections::BTreeSet, num::NonZero, path::PathBuf};

use kith_crdt::{flag::Flag, refile::SourceKey};
use kith_protocol::store::Store;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{Node, now_ms};
use crate::{
    api::{ImportRequest, Imported, Progress, Refused},
    failure::{Ending, Failure},
};

use plan::Filing;
use read::Found;

/// Files that are read, filed and committed together.
const GROUP_FILES: usize = 128;

impl Node {
    pub(super) fn import(
        &mut self,
        request: &ImportRequest,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Imported, Failure> {
        let files = read::files(&request.paths)?;
        let target = request
            .record
            .as_deref()
            .map(|word| self.record_named(word))
            .transpose()?;
        let mut imported = Imported::default();
        let total = files.len() as u64;
        let mut batch = now_ms();
        for (n, group) in files.chunks(GROUP_FILES).enumerate() {
            self.import_group(group, target, request, batch, &mut imported)?;
            batch = now_ms().max(batch + 1);
            progress(Progress {
                doing: "importing".to_owned(),
                done: ((n + 1) * GROUP_FILES).min(files.len()) as u64,
                total,
            });
        }
        Ok(imported)
    }

    fn import_group(
        &mut self,
        files: &[PathBuf],
        target: Option<kith_protocol::id::RecordId>,
        request: &ImportRequest,
        batch: u64,
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let read = in_parallel(files.to_vec(), |path| read::read(&path));
        let mut filings = Vec::new();
        for (n, read) in (0..).zip(read) {
            let file = read.name.clone();
            let planned = match read.found {
                Ok(Found::Resources(found)) => {
                    // A person who is new with a file before this one has a record now.
                    if plan::meets(&filings, &found) {
                        self.file(std::mem::take(&mut filings), imported)?;
                    }
                    imported.flagged.extend(read.flags);
                    self.plan(&found, target, request.same_person, (batch, n), imported)
                }
                Ok(Found::Bundle(path)) => self
                    .import_bundle(&path, request.passphrase.as_deref(), target, imported)
                    .map(|()| Vec::new()),
                Ok(Found::Opaque(bytes, media_type)) => {
                    self.plan_letter(bytes, media_type, &file, target, (batch, n))
                }
                Err(failure) => Err(failure),
            };
            match planned {
                Ok(planned) => filings.extend(planned),
                Err(failure) if failure.ending == Ending::TryAgain => return Err(failure),
                Err(failure) => imported.refused.push(Refused { file, failure }),
            }
        }
        self.file(filings, imported)
    }

    /// Signs and commits what was planned; new records are built in parallel.
    fn file(&mut self, filings: Vec<Filing>, imported: &mut Imported) -> Result<(), Failure> {
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
        let pen = self.pen(now_ms());
        let built = in_parallel(seeds, |(filing, seed)| {
            build::new_record(filing, &pen, &log, &mut ChaCha20Rng::from_seed(seed))
        });
        let (mut items, mut links) = (Vec::new(), Vec::new());
        for built in built {
            let built = built?;
            items.extend(built.items);
            items.push(self.people.note(built.record, built.known.clone()));
            let filed = self.report(built.record, &built.known, built.filed, 0);
            imported.records.push(filed);
            links.extend(built.same_as.map(|other| (other, built.record)));
        }
        self.commit_noting(items)?;
        for (record, other) in links {
            let linked = self.with_record(record, |node, record| {
                let (_, item) = node.act(record, None, build::same_person(other), now_ms())?;
                node.commit(vec![item])
            });
            match linked {
                // Everything is filed, and the new record says it: only the other one does not.
                Err(failure) if failure.ending == Ending::NotAllowed => imported.flagged.push(Flag {
                    place: record.to_string(),
                    what: "this record is controlled elsewhere, so that it does not say that the new one is of the same person; the new one does".to_owned(),
                }),
                linked => linked?,
            }
        }
        for filing in together(known) {
            self.file_into(filing, imported)?;
        }
        Ok(())
    }

    /// Commits; when that fails the index of people is read again, for it was ahead.
    pub(super) fn commit_noting(
        &mut self,
        items: Vec<kith_protocol::store::Item>,
    ) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let committed = self.commit(items);
        if committed.is_err() {
            self.people = super::People::load(&self.store)?;
            self.loaded.clear();
        }
        committed
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
            .map(|(_, resource)| {
                SourceKey::of(&resource.body.to_text(), resource.meta.entry.as_deref())
            })
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

/// Does the same with every item on all processors; results in the order of the items.
fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    if workers == 1 || items.len() < 2 {
        return items.into_iter().map(work).collect();
    }
    let queue = std::sync::Mutex::new(items.into_iter().enumerate());
    let results = std::thread::scope(|scope| {
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
        let mut results = Vec::new();
        for worker in workers {
            match worker.join() {
                Ok(done) => results.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    let mut results = results;
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

pub(super) use build::write_all;
pub(super) use plan::letter;

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
