//! Of which records it was found out what the peer may have. That holds until something is taken
//! in that rights hang on, or a share begins or ends by itself; so it is kept, and whoever comes
//! again with nothing changed costs no record.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Label;

use super::super::{Desk, Link, Stop};
use crate::{
    id::RecordId,
    limits::FOUND_KEPT_AFTER_MIN,
    logs::LogId,
    store::{Item, JournalPosition, Store},
    sync::{
        progress::{self, FOUND_VERSION, Kept},
        shell::Shell,
    },
};

/// Items of the journal that are looked at in one go.
const JOURNAL_STEP: usize = 256;

/// What was found out, and what is to be.
#[derive(Default)]
pub(in crate::sync::link) struct Found {
    /// When time alone next changes what was found out of each record.
    holds: BTreeMap<RecordId, Option<u64>>,
    turning: BTreeSet<(u64, RecordId)>,
    /// Records that have a label now which they did not have then: not kept as found out.
    outgrown: BTreeSet<RecordId>,
    next: BTreeSet<RecordId>,
    /// Records that were found out and are not kept as such.
    unkept: usize,
    was_kept: bool,
}

impl Found {
    /// It was found out of a record.
    pub(in crate::sync::link) fn note(&mut self, record: RecordId, turns_ms: Option<u64>) {
        self.lose(record);
        self.hold(record, turns_ms);
        self.next.remove(&record);
        self.unkept += 1;
    }

    /// It has to be found out again.
    pub(super) fn again(&mut self, record: RecordId) {
        self.lose(record);
        self.next.insert(record);
    }

    /// The next record of which it is to be found out.
    pub(super) fn pop(&mut self) -> Option<RecordId> {
        self.next.pop_first()
    }

    /// Whether what was found out of a record is all that would be found out now.
    pub(in crate::sync::link) fn stands(&self, record: &RecordId) -> bool {
        self.holds.contains_key(record) && !self.outgrown.contains(record)
    }

    /// Whether there is nothing to be found out.
    pub(super) fn is_done(&self) -> bool {
        self.next.is_empty()
    }

    /// The records of which it does not hold any more at this time.
    pub(in crate::sync::link) fn turned(&self, now_ms: u64) -> Vec<RecordId> {
        let turned = self.turning.iter();
        let turned = turned.take_while(|(turns_ms, _)| *turns_ms <= now_ms);
        turned.map(|(_, record)| *record).collect()
    }

    /// When time alone next changes something.
    pub(in crate::sync::link) fn turns_ms(&self) -> Option<u64> {
        self.turning.first().map(|(turns_ms, _)| *turns_ms)
    }

    fn hold(&mut self, record: RecordId, turns_ms: Option<u64>) {
        self.holds.insert(record, turns_ms);
        self.turning.extend(turns_ms.map(|turns| (turns, record)));
    }

    fn lose(&mut self, record: RecordId) {
        self.outgrown.remove(&record);
        if let Some(Some(turns_ms)) = self.holds.remove(&record) {
            self.turning.remove(&(turns_ms, record));
        }
    }

    /// Whether there is enough that is new for it to be kept: it is one row for all records.
    fn is_worth_keeping(&self) -> bool {
        let enough = (self.holds.len() / 8).max(FOUND_KEPT_AFTER_MIN);
        self.unkept > 0 && (!self.was_kept || self.unkept >= enough)
    }
}

impl Link {
    /// What has to be found out again, of all that both have to do with, since that was kept.
    pub(in crate::sync::link) fn find_out_what_changed<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
    ) -> Result<(), Stop> {
        let Some(peer) = self.peer.clone() else {
            return Ok(());
        };
        let fits = |kept: &Kept| {
            (kept.version, kept.journal, kept.principal)
                == (FOUND_VERSION, desk.journal, peer.principal)
                && kept.found_ms <= desk.now_ms
        };
        let kept = progress::found(desk.shell.store(), &self.device)?.filter(fits);
        if let Some(kept) = kept {
            let common = |(record, turns_ms): &(RecordId, Option<u64>)| {
                peer.records.contains(record)
                    && turns_ms.is_none_or(|turns_ms| turns_ms > desk.now_ms)
            };
            let mut holds: BTreeMap<_, _> = kept.records.into_iter().filter(common).collect();
            for record in &self.giving.found.next {
                holds.remove(record);
            }
            let from = kept.position.min(self.giving.given.position);
            self.leave_unchanged(desk, from, &mut holds)?;
            for (record, turns_ms) in holds {
                self.giving.found.hold(record, turns_ms);
            }
        }
        for record in peer.records {
            if !self.giving.found.holds.contains_key(&record) {
                self.giving.found.again(record);
            }
        }
        Ok(())
    }

    /// Takes out whatever something was taken in of since that rights hang on.
    fn leave_unchanged<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        from: JournalPosition,
        holds: &mut BTreeMap<RecordId, Option<u64>>,
    ) -> Result<(), Stop> {
        let mut at = from;
        let mut known = BTreeSet::new();
        while at < desk.end && !holds.is_empty() {
            let step = desk.shell.store().journal(at, JOURNAL_STEP)?;
            let Some((last, _)) = step.last() else {
                return Ok(());
            };
            at = *last;
            for (_, item) in step {
                match item {
                    Item::Event { log, .. } => match log {
                        LogId::Principal(_) | LogId::Core(None) => holds.clear(),
                        LogId::Core(Some(record)) | LogId::Label(record, _) => {
                            holds.remove(&record);
                        }
                    },
                    Item::Part { record, .. } => {
                        holds.remove(&record);
                    }
                    Item::Entry {
                        record, document, ..
                    } => {
                        let place = (record, document.label);
                        if holds.contains_key(&record) && !known.contains(&place) {
                            if self.has_label(desk, record, &place.1)? {
                                known.insert(place);
                            } else {
                                holds.remove(&record);
                            }
                        }
                    }
                    Item::Row { .. } | Item::Audit { .. } => {}
                }
            }
        }
        Ok(())
    }

    /// Something was written under a label: where that is new, more may be found out.
    pub(in crate::sync) fn note_label<S: Shell>(
        &mut self,
        desk: &Desk<'_, S>,
        record: RecordId,
        label: &Label,
    ) -> Result<(), Stop> {
        let found = &self.giving.found;
        if found.holds.contains_key(&record)
            && !found.outgrown.contains(&record)
            && !self.has_label(desk, record, label)?
        {
            self.giving.found.outgrown.insert(record);
        }
        Ok(())
    }

    /// Whether the peer reads something of this label, as far as was found out.
    fn has_label<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        record: RecordId,
        label: &Label,
    ) -> Result<bool, Stop> {
        if let Some(scope) = self.giving.scopes.get(&record) {
            return Ok(scope.has_label(label));
        }
        let kept = progress::scope(desk.shell.store(), &self.device, &record)?;
        Ok(kept.has_label(label))
    }

    /// The row that keeps of which records it was found out, where that is worth it. Their scopes
    /// are on the disk before or with it.
    pub(super) fn found_row<S: Shell>(&mut self, desk: &Desk<'_, S>) -> Option<Item> {
        let principal = self.peer.as_ref()?.principal;
        let found = &mut self.giving.found;
        if !found.is_worth_keeping() {
            return None;
        }
        found.unkept = 0;
        found.was_kept = true;
        let lasting = found.holds.iter();
        let lasting = lasting.filter(|(record, _)| !found.outgrown.contains(record));
        let kept = Kept {
            version: FOUND_VERSION,
            journal: desk.journal,
            principal,
            position: desk.end,
            found_ms: desk.now_ms,
            records: lasting.map(|(record, turns)| (*record, *turns)).collect(),
        };
        Some(progress::found_row(&self.device, &kept))
    }
}
