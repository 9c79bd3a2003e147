//! What hosts make of a record: from their disks, and in memory.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Section;
use kith_protocol::{
    consent::{ReviewItem, Status},
    id::EnvelopeId,
    record::{ArrivalError, Record},
    store::{Item, Store},
};

use crate::{
    histories::{
        failure::{Failure, Invariant},
        model::part_of,
        play::{CAST, History, marked, marks_in},
    },
    host::{Shown, shown_by},
    world::HostId,
};

/// What a record holds, each entry with its status.
type Statuses = Vec<(String, EnvelopeId, Status)>;

impl History {
    /// Everything that can be said of a record from one host's disk.
    pub(super) fn check_record(&mut self, host: usize, record: usize) -> Result<(), Failure> {
        let Some(mut fresh) = self.load(host, record)? else {
            return Ok(());
        };
        let statuses = statuses_of(&mut fresh);
        let who = self.world.look(HostId(host)).whoever();
        let shown = shown_by(&mut fresh, who);
        // What could not be read is found out by reading.
        let statuses = if statuses.is_empty() {
            statuses
        } else {
            statuses_of(&mut fresh)
        };
        self.check_accounting(host, record, &statuses, &mut fresh)?;
        self.check_memory(host, record, &statuses, &shown)?;
        for (_, id, status) in &statuses {
            self.check_authority(host, id, status)?;
            self.check_effect(host, id, status)?;
            self.check_law(host, id, status)?;
        }
        self.check_groups(host, record, &shown)?;
        self.check_readable(host, &statuses, &shown)
    }

    /// The record as the disk has it; nothing where the disk rotted or holds nothing of it.
    pub(super) fn load(&self, host: usize, record: usize) -> Result<Option<Record>, Failure> {
        if self.is_rotten(host) || self.world.look(HostId(host)).disk.is_dark() {
            return Ok(None);
        }
        let one = self.world.look(HostId(host));
        let id = self.model.records[record].id;
        let loaded = Record::load(&one.disk, id, one.device()).and_then(|mut loaded| {
            loaded.load_principals(&one.disk, [one.whoever().principal])?;
            Ok(loaded)
        });
        loaded.map(Some).map_err(|error| {
            let words = format!("{} cannot read record {record}: {error}", CAST[host]);
            Failure::new(Invariant::Restart, words)
        })
    }

    /// 14: everything that was taken in has one status, and what does not simply count is found.
    fn check_accounting(
        &self,
        host: usize,
        record: usize,
        statuses: &Statuses,
        fresh: &mut Record,
    ) -> Result<(), Failure> {
        let disk = &self.world.look(HostId(host)).disk;
        let of = self.model.records[record].id;
        let taken_in = disk.items(0).filter_map(|item| match item {
            Item::Entry { record, id, .. } if *record == of => Some(*id),
            Item::Entry { .. }
            | Item::Event { .. }
            | Item::Part { .. }
            | Item::Row { .. }
            | Item::Audit { .. } => None,
        });
        let mut taken_in: Vec<_> = taken_in.collect();
        let mut listed: Vec<_> = statuses.iter().map(|(_, id, _)| *id).collect();
        taken_in.sort_unstable();
        listed.sort_unstable();
        let fail = |words: String| Err(Failure::new(Invariant::Accounting, words));
        if taken_in != listed {
            return fail(format!(
                "{} took in {} entries of record {record} and lists {}",
                CAST[host],
                taken_in.len(),
                listed.len()
            ));
        }
        let review: BTreeSet<_> = fresh
            .ledger()
            .review()
            .iter()
            .filter_map(entry_of)
            .collect();
        let waits = statuses
            .iter()
            .filter(|(_, _, status)| matches!(status, Status::Marked(_) | Status::Contested(_)));
        let hidden = waits.filter(|(_, id, _)| !review.contains(id)).count();
        if hidden > 0 {
            return fail(format!(
                "{hidden} entries wait at {} and are in no list",
                CAST[host]
            ));
        }
        let unreadable = statuses.iter().find_map(|(_, id, status)| match status {
            Status::Unreadable(why) => Some((id, why)),
            Status::Accepted
            | Status::Marked(_)
            | Status::Contested(_)
            | Status::Invalid(_)
            | Status::Pending(_) => None,
        });
        match unreadable {
            Some((id, why)) => fail(format!(
                "{} cannot read an entry by {}: {why}",
                CAST[host],
                self.written(id)
                    .map_or("somebody", |written| CAST[written.host])
            )),
            None => Ok(()),
        }
    }

    /// 8: what is in memory is what a restart shows.
    fn check_memory(
        &mut self,
        host: usize,
        record: usize,
        statuses: &Statuses,
        shown: &[Shown],
    ) -> Result<(), Failure> {
        let id = self.model.records[record].id;
        let one = self.world.at(HostId(host));
        let who = one.whoever();
        let Some(memory) = one.in_memory(id) else {
            return Ok(());
        };
        let showed = shown_by(memory, who);
        let before = statuses_of(memory);
        if before == *statuses && showed == shown {
            return Ok(());
        }
        let differs = before.iter().zip(statuses).find(|(a, b)| a != b);
        let words = format!(
            "{} shows record {record} otherwise after a restart: {differs:?}, {} entries before and {} after",
            CAST[host],
            before.len(),
            statuses.len()
        );
        Err(Failure::new(Invariant::Restart, words))
    }

    /// Whether somebody other than its writer, who might, made an entry count.
    fn is_adopted(&self, host: usize, id: &EnvelopeId) -> bool {
        let held = self.held(host);
        let by_whom = |host: usize| self.model.person[host];
        let writer = self.written(id).map(|written| by_whom(written.host));
        self.model.written.iter().any(|(adoption, by)| {
            by.adopts.contains(id)
                && by.lawful
                && Some(by_whom(by.host)) != writer
                && held(adoption.as_bytes())
        })
    }

    /// 2: what counts was written by somebody who might, or made to count by somebody who might.
    fn check_authority(
        &self,
        host: usize,
        id: &EnvelopeId,
        status: &Status,
    ) -> Result<(), Failure> {
        let Some(written) = self.written(id) else {
            return Ok(());
        };
        if *status != Status::Accepted || written.lawful || self.is_adopted(host, id) {
            return Ok(());
        }
        let words = format!(
            "at {} an entry of {} in {} of record {} counts, which had no right to it",
            CAST[host], CAST[written.host], written.document, written.record
        );
        Err(Failure::new(Invariant::Authority, words))
    }

    /// 5: what came after the end of a share does not count by itself, and what claims to be from
    /// after its end counts with a mark.
    fn check_effect(&self, host: usize, id: &EnvelopeId, status: &Status) -> Result<(), Failure> {
        let Some(written) = self.written(id).filter(|_| *status == Status::Accepted) else {
            return Ok(());
        };
        if self.is_adopted(host, id) {
            return Ok(());
        }
        let held = self.held(host);
        let late = self.model.late_for(id, written);
        let share = written.share.map(|share| &self.model.shares[share]);
        let passed = share.and_then(|share| share.until_ms);
        let what = if late.iter().any(|event| held(event.as_bytes())) {
            "it came after its share was ended"
        } else if passed.is_some_and(|until| written.claimed_ms > until) {
            "it claims to be from after the end of its share"
        } else {
            return Ok(());
        };
        let words = format!(
            "at {} an entry of {} in {} of record {} counts without a mark, and {what}",
            CAST[host], CAST[written.host], written.document, written.record
        );
        Err(Failure::new(Invariant::Revocation, words))
    }

    /// The law: what somebody wrote whose right nobody ever ended counts, whatever happens to
    /// others.
    fn check_law(&self, host: usize, id: &EnvelopeId, status: &Status) -> Result<(), Failure> {
        let Some(written) = self
            .written(id)
            .filter(|written| self.model.is_plain(written))
        else {
            return Ok(());
        };
        if matches!(status, Status::Accepted | Status::Pending(_)) {
            return Ok(());
        }
        let words = format!(
            "at {} an entry of {} in {} of record {} does not simply count ({status:?}), and its right was never ended",
            CAST[host], CAST[written.host], written.document, written.record
        );
        Err(Failure::new(Invariant::Revocation, words))
    }

    /// What only means something together was written together by somebody.
    fn check_groups(&self, host: usize, record: usize, shown: &[Shown]) -> Result<(), Failure> {
        let medicines = shown
            .iter()
            .filter(|one| one.document.section == Section::Medicines);
        for text in medicines.flat_map(|one| &one.versions) {
            let after = |word: &str| {
                let at = text.find(word)?;
                marks_in(&text.as_bytes()[at..]).first().copied()
            };
            let (drug, dose) = (after("\"drug "), after("\"dose "));
            if drug != dose {
                let words = format!(
                    "{} shows the drug of note {drug:?} with the dose of note {dose:?} in record {record}",
                    CAST[host]
                );
                return Err(Failure::new(Invariant::Attribution, words));
            }
        }
        Ok(())
    }

    /// 13, and 14 for the rest: what counts and was never replaced is shown from the disk alone.
    fn check_readable(
        &self,
        host: usize,
        statuses: &Statuses,
        shown: &[Shown],
    ) -> Result<(), Failure> {
        let texts = shown.iter().flat_map(|one| &one.versions);
        let seen: BTreeSet<usize> = texts.flat_map(|text| marks_in(text.as_bytes())).collect();
        for (_, id, status) in statuses {
            let Some(written) = self.written(id).filter(|_| *status == Status::Accepted) else {
                continue;
            };
            let Some(mark) = written.mark.filter(|mark| !self.model.marks[*mark].changed) else {
                continue;
            };
            // Of two that were put in one place of a chain one is shown, and the pair is reviewed.
            if seen.contains(&mark) || written.forks || !self.model.is_plain(written) {
                continue;
            }
            let section = written.place.0.section;
            let urgent = matches!(section, Section::Plans | Section::Identity);
            let invariant = if urgent {
                Invariant::Emergency
            } else {
                Invariant::Accounting
            };
            let words = format!(
                "{} holds {} in {} of record {} and does not show it",
                CAST[host],
                marked(mark),
                written.document,
                written.record
            );
            return Err(Failure::new(invariant, words));
        }
        Ok(())
    }

    /// 10 and 1: taken in again, twice and in the other order, it is the same.
    pub(super) fn check_replay(&mut self, host: usize, record: usize) -> Result<(), Failure> {
        let Some(mut fresh) = self.load(host, record)? else {
            return Ok(());
        };
        let expected = statuses_of(&mut fresh);
        let one = self.world.at(HostId(host));
        let of = self.model.records[record].id;
        let items: Vec<_> = one
            .disk
            .items(0)
            .filter(|item| is_of(item, of))
            .cloned()
            .collect();
        let before = one.disk.len();
        let again = one.disk.commit(items.clone()).is_ok();
        let grew = one.disk.len() != before && again;
        let mut orders = [fresh, Record::new(of), Record::new(of)];
        let ways = [
            (Invariant::Replay, "taken in again", items.iter().collect()),
            (
                Invariant::Convergence,
                "taken in the other way round",
                items.iter().rev().collect(),
            ),
            (
                Invariant::Replay,
                "taken in twice",
                items.iter().chain(&items).collect(),
            ),
        ];
        for (order, (invariant, how, items)) in orders.iter_mut().zip(ways) {
            let is_full = take_in(order, items);
            let found = statuses_of(order);
            if (found != expected && !is_full) || grew {
                let differs = found.iter().zip(&expected).find(|(a, b)| a != b);
                let words = format!(
                    "what {} holds of record {record} is otherwise when it is {how}: {} instead of {}, {differs:?}",
                    CAST[host],
                    found.len(),
                    expected.len()
                );
                return Err(Failure::new(invariant, words));
            }
        }
        Ok(())
    }

    /// 1: those who hold the same of a record make the same of it.
    pub(super) fn check_convergence(&mut self, record: usize) -> Result<(), Failure> {
        let mut known = BTreeMap::new();
        let of = self.model.records[record].id;
        for (host, name) in CAST.iter().enumerate().take(self.model.person.len()) {
            let Some(mut fresh) = self.load(host, record)? else {
                continue;
            };
            let disk = &self.world.look(HostId(host)).disk;
            let held = disk.items(0).filter(|item| is_of(item, of));
            let mut held: Vec<_> = held.map(name_of).collect();
            held.sort_unstable();
            let who = self.world.look(HostId(host)).whoever();
            let texts = shown_by(&mut fresh, who);
            let made = (statuses_of(&mut fresh), texts);
            if let Some((other, theirs)) = known.insert(held, (host, made.clone()))
                && theirs != made
            {
                let differs = theirs.0.iter().zip(&made.0).find(|(a, b)| a != b);
                let words = format!(
                    "{} and {} hold the same of record {record} and make something else of it: {differs:?}",
                    CAST[other], name
                );
                return Err(Failure::new(Invariant::Convergence, words));
            }
        }
        Ok(())
    }
}

/// Takes items in; whether a bound left some out, which depends on the order.
fn take_in(record: &mut Record, items: Vec<&Item>) -> bool {
    let mut is_full = false;
    for item in items {
        is_full |= matches!(record.arrive(item), Err(ArrivalError::Full(_)));
    }
    is_full
}

fn statuses_of(record: &mut Record) -> Statuses {
    let mut all = Vec::new();
    for document in record.ledger().documents() {
        let entries = record.ledger().entries(&document).into_iter();
        all.extend(entries.map(|(id, status)| (document.to_string(), id, status)));
    }
    all
}

fn entry_of(item: &ReviewItem) -> Option<EnvelopeId> {
    match item {
        ReviewItem::Contested { entry, .. } | ReviewItem::Marked { entry, .. } => Some(*entry),
        ReviewItem::Suspended { .. } | ReviewItem::ForkedLog { .. } | ReviewItem::Forked { .. } => {
            None
        }
    }
}

/// Whether an item is of a record, or of a principal's log.
fn is_of(item: &Item, of: kith_protocol::id::RecordId) -> bool {
    use kith_protocol::logs::LogId;
    match item {
        Item::Entry {
            record, document, ..
        } => *record == of && part_of(document).is_some(),
        Item::Part { record, .. } => *record == of,
        Item::Event { log, .. } => match log {
            LogId::Principal(_) => true,
            LogId::Core(record) => *record == Some(of),
            LogId::Label(record, _) => *record == of,
        },
        Item::Row { .. } | Item::Audit { .. } => false,
    }
}

fn name_of(item: &Item) -> [u8; 32] {
    match item {
        Item::Event { id, .. } => *id.as_bytes(),
        Item::Entry { id, .. } => *id.as_bytes(),
        Item::Part { bytes, .. } | Item::Audit { bytes } => *blake3::hash(bytes).as_bytes(),
        Item::Row { .. } => [0; 32],
    }
}
