//! What people do.

use std::collections::BTreeSet;

use kith_protocol::{
    consent::grant::Actions,
    id::{EnvelopeId, RecordId},
    logs::LogId,
    store::{Item, Store},
};

use super::{CAST, DAUGHTER, History, MALLORY, PHONE, document, marks_in};
use crate::{
    histories::{
        failure::{Failure, Invariant},
        model::{self, DOCUMENTS, End, Powers, label_of},
        step::{Step, Verb},
    },
    host::{self, Done},
    world::{HostId, document_named, event_of},
};

/// For how long a share is given, milliseconds; nothing for without an end.
const UNTIL_MS: [Option<u64>; 6] = [
    None,
    None,
    None,
    Some(60 * 60_000),
    Some(5 * 60 * 60_000),
    Some(50 * 60 * 60_000),
];

impl History {
    pub(super) fn people(&mut self, step: Step) -> Result<String, Failure> {
        let Step { verb, a, b, c, .. } = step;
        let host = self.host(a);
        let who = CAST[host];
        if !self.is_up(host) {
            return Ok(format!("{who} is not there"));
        }
        let record = self.record(b);
        match verb {
            Verb::Begin => Ok(self.begin(host)),
            Verb::Write => {
                let count = [1, 1, 1, 2, 5][c as usize % 5];
                for _ in 1..count {
                    self.write(host, record, c / 5)?;
                }
                self.write(host, record, c / 5)
            }
            Verb::Change | Verb::Choose => self.change(host, record, step),
            Verb::Adopt => self.adopt(host, record, c),
            Verb::Anew => Ok(self.anew(host, record, document(c))),
            Verb::Share => self.share(host, record, step),
            Verb::Stop => self.stop(host, b, c.is_multiple_of(3)),
            Verb::GiveBack => Ok(self.give_back(host, b)),
            Verb::Lapse => Ok(self.lapse(host, b)),
            Verb::Phone => Ok(self.phone()),
            Verb::Retire => Ok(self.retire()),
            Verb::Meet => Ok(self.meet(host, self.host(c), record)),
            Verb::Trust => Ok(self.trust(record, c)),
            Verb::Open => self.open(host, record, c),
            Verb::Crash
            | Verb::Restart
            | Verb::Power
            | Verb::Sleep
            | Verb::Wake
            | Verb::Cut
            | Verb::OneWay
            | Verb::Mend
            | Verb::CallAgain
            | Verb::Slow
            | Verb::Nat
            | Verb::Clock
            | Verb::Full
            | Verb::Room
            | Verb::Rot
            | Verb::Copy
            | Verb::Restore
            | Verb::Equivocate
            | Verb::Backdate
            | Verb::Withhold
            | Verb::Flip
            | Verb::Swap
            | Verb::Double
            | Verb::Forge
            | Verb::ForgeGrant
            | Verb::Overreach
            | Verb::Pass
            | Verb::Meddle
            | Verb::SelfAdopt
            | Verb::Replay
            | Verb::Probe
            | Verb::Flood
            | Verb::Stranger
            | Verb::Behave
            | Verb::Wait
            | Verb::Quiet => Ok("nobody does anything".to_owned()),
        }
    }

    /// A host begins a record, where there are not many yet.
    pub(super) fn begin(&mut self, host: usize) -> String {
        if self.model.records.len() >= 3 || host == PHONE || host == MALLORY {
            return format!("{} begins no record", CAST[host]);
        }
        let before = self.world.look(HostId(host)).disk.len();
        let begun = self.world.act(HostId(host), host::Host::begin_record);
        // Where the power went, it may be on the disk all the same.
        let disk = &self.world.look(HostId(host)).disk;
        let left = disk.items(before).find_map(begins);
        let Some(id) = begun.ok().or(left) else {
            return format!("{} cannot begin a record", CAST[host]);
        };
        self.model.records.push(model::Record {
            id,
            owner: self.model.person[host],
            rules: None,
        });
        let signed = self.model.signed.entry(host).or_default();
        signed.insert(*id.as_bytes());
        format!(
            "{} begins record {}",
            CAST[host],
            self.model.records.len() - 1
        )
    }

    pub(super) fn write(
        &mut self,
        host: usize,
        record: usize,
        draw: u32,
    ) -> Result<String, Failure> {
        let part = document(draw);
        let may = self.may(host, record, part, |powers| powers.add);
        let (mark, text) = self.text(record, part, draw);
        let (id, name) = (self.model.records[record].id, document_named(part));
        let done = self
            .world
            .act(HostId(host), |host| host.note(id, &name, &text));
        self.learn(host, &done, Some(mark), may);
        let words = format!(
            "{} writes note {mark} into {part} of record {record}{}",
            CAST[host],
            became(&done)
        );
        agrees(may, &done, &words)?;
        Ok(words)
    }

    fn change(&mut self, host: usize, record: usize, step: Step) -> Result<String, Failure> {
        let part = document(step.c);
        let may = self.may(host, record, part, |powers| powers.change);
        let (id, name) = (self.model.records[record].id, document_named(part));
        let nth = (step.c / 6) as usize;
        let before = self.shown_marks(host, record, part);
        let (mark, text) = self.text(record, part, step.c / 3);
        let chooses = step.verb == Verb::Choose;
        let done = self.world.act(HostId(host), |host| {
            if chooses {
                host.choose(id, &name, nth)
            } else {
                host.change(id, &name, nth, &text)
            }
        });
        let kept = self.shown_marks(host, record, part);
        for gone in before.difference(&kept) {
            self.model.marks[*gone].changed = true;
        }
        if !matches!(done, Done::Denied | Done::Kept(_)) {
            // It may be there, and then it took the place of something.
            before
                .iter()
                .for_each(|mark| self.model.marks[*mark].changed = true);
        }
        self.learn(host, &done, (!chooses).then_some(mark), may);
        let what = if chooses {
            "chooses"
        } else {
            "changes something"
        };
        let words = format!(
            "{} {what} in {part} of record {record} (note {mark}){}",
            CAST[host],
            became(&done)
        );
        agrees(may, &done, &words)?;
        Ok(words)
    }

    /// The marks of everything that a host shows of a part of a record.
    fn shown_marks(&mut self, host: usize, record: usize, part: &str) -> BTreeSet<usize> {
        let id = self.model.records[record].id;
        let shown = self.world.at(HostId(host)).shown(id).unwrap_or_default();
        let shown = shown.iter();
        let here = shown.filter(|one| model::part_of(&one.document) == Some(part));
        here.flat_map(|one| {
            one.versions
                .iter()
                .flat_map(|text| marks_in(text.as_bytes()))
        })
        .collect()
    }

    fn adopt(&mut self, host: usize, record: usize, draw: u32) -> Result<String, Failure> {
        let id = self.model.records[record].id;
        let done = self
            .world
            .act(HostId(host), |host| host.adopt(id, draw as usize));
        let adopted = done.items().iter().find_map(|item| match item {
            Item::Entry { document, .. } => model::part_of(document),
            Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
        });
        let may = adopted.is_some_and(|part| self.may(host, record, part, |powers| powers.review));
        self.learn(host, &done, None, may);
        let words = format!(
            "{} makes count what waits in record {record}{}",
            CAST[host],
            became(&done)
        );
        agrees(may, &done, &words)?;
        Ok(words)
    }

    fn anew(&mut self, host: usize, record: usize, part: &'static str) -> String {
        let (id, name) = (self.model.records[record].id, document_named(part));
        let may = self.model.records[record].owner == self.model.person[host];
        let done = self
            .world
            .act(HostId(host), |host| host.begin_anew(id, &name));
        self.learn(host, &done, None, may);
        format!(
            "{} begins {part} of record {record} anew{}",
            CAST[host],
            became(&done)
        )
    }

    fn share(&mut self, host: usize, record: usize, step: Step) -> Result<String, Failure> {
        let with = self.host(step.c);
        let owns = self.model.records[record].owner == self.model.person[host];
        if [with, host].contains(&PHONE) || with == host || (host == MALLORY && !owns) {
            return Ok("nobody shares anything".to_owned());
        }
        let draw = step.c / 7;
        let first = document(draw);
        let label = label_of(first);
        let also = |(nth, name): &(usize, &&'static str)| {
            label_of(name) == label && (**name == first || draw >> nth & 1 == 1)
        };
        let parts = DOCUMENTS.iter().enumerate().filter(also);
        let documents: BTreeSet<&'static str> = parts.map(|(_, name)| *name).collect();
        let now = self.world.clock_ms(HostId(host));
        let above = (!owns).then(|| self.can_pass(host, record, &documents));
        let above = match above {
            Some(None) => return Ok(format!("{} may share nothing on", CAST[host])),
            Some(Some(above)) => Some(above),
            None => None,
        };
        let until = UNTIL_MS[(draw / 3) as usize % UNTIL_MS.len()].map(|ms| now + ms);
        let from_ms = if draw.is_multiple_of(11) {
            now + 40 * 60_000
        } else {
            now
        };
        // What is given says nothing of what may be done with it.
        let bits = draw / 6;
        let powers = Powers {
            add: !bits.is_multiple_of(5),
            change: bits.is_multiple_of(2),
            review: bits.is_multiple_of(4),
            share_on: bits.is_multiple_of(3),
        };
        let share = model::Share {
            record,
            by: self.model.person[host],
            with: self.model.person[with],
            documents,
            powers,
            from_ms,
            until_ms: until,
            above,
            grant: kith_protocol::id::EventId::from_bytes([0; 32]),
            ends: Vec::new(),
            lawful: true,
        };
        let done = self.give((host, with), share);
        Ok(format!(
            "{} shares {label} of record {record} ({}) with {}{}{}",
            CAST[host],
            self.model.shares.last().map_or(String::new(), |share| {
                share
                    .documents
                    .iter()
                    .copied()
                    .collect::<Vec<_>>()
                    .join(", ")
            }),
            CAST[with],
            if until.is_some() { " for a time" } else { "" },
            became(&done)
        ))
    }

    /// Gives a share as the model describes it, and notes it.
    pub(super) fn give(&mut self, (host, with): (usize, usize), mut share: model::Share) -> Done {
        let id = self.model.records[share.record].id;
        let mut actions = Actions::READ;
        let powers = share.powers;
        for (has, action) in [
            (powers.add, Actions::APPEND),
            (powers.change, Actions::EDIT),
            (powers.review, Actions::REVIEW.union(Actions::APPEND)),
            (powers.share_on, Actions::SHARE_ON),
        ] {
            if has {
                actions = actions.union(action);
            }
        }
        share.powers.add |= powers.review;
        let names: Vec<_> = share
            .documents
            .iter()
            .map(|name| document_named(name))
            .collect();
        let mut sections: Vec<_> = names.iter().map(|name| name.section).collect();
        sections.sort_unstable();
        let given = host::Share {
            audience: self.world.look(HostId(with)).whoever().principal,
            label: names[0].label.clone(),
            sections,
            actions,
            from_ms: share.from_ms,
            until_ms: share.until_ms,
            depth: u8::from(powers.share_on) * 2,
            under: share.above.map(|above| self.model.shares[above].grant),
        };
        if !self.show_logs(host, with) {
            return Done::Lost(Vec::new());
        }
        let done = self.world.give(HostId(host), id, HostId(with), &given);
        self.narrow(&mut share);
        if let Some(grant) = event_of(&done) {
            share.grant = grant;
            self.model.shares.push(share);
        }
        self.learn(host, &done, None, true);
        done
    }

    /// A share gives no more than the one above it.
    fn narrow(&self, share: &mut model::Share) {
        let Some(above) = share.above.map(|above| &self.model.shares[above]) else {
            return;
        };
        share
            .documents
            .retain(|name| above.documents.contains(name));
        let (own, theirs) = (share.powers, above.powers);
        share.powers = Powers {
            add: own.add && theirs.add,
            change: own.change && theirs.change,
            review: own.review && theirs.review,
            share_on: own.share_on && theirs.share_on,
        };
        share.until_ms = match (share.until_ms, above.until_ms) {
            (Some(own), Some(theirs)) => Some(own.min(theirs)),
            (own, theirs) => own.or(theirs),
        };
        share.from_ms = share.from_ms.max(above.from_ms);
    }

    /// A share of its own that a host may share on, of the label of some parts.
    fn can_pass(
        &self,
        host: usize,
        record: usize,
        parts: &BTreeSet<&'static str>,
    ) -> Option<usize> {
        let held = self.held(host);
        let now = self.world.clock_ms(HostId(host));
        (0..self.model.shares.len()).find(|nth| {
            let share = &self.model.shares[*nth];
            share.record == record
                && share.with == self.model.person[host]
                && share.powers.share_on
                && !share.documents.is_disjoint(parts)
                && self.model.stands(&held, *nth, now)
        })
    }

    fn stop(&mut self, host: usize, draw: u32, by_giver: bool) -> Result<String, Failure> {
        let Some(nth) = (draw as usize).checked_rem(self.model.shares.len()) else {
            return Ok("there is no share to stop".to_owned());
        };
        let share = &self.model.shares[nth];
        let stopper = if by_giver {
            share.by
        } else {
            self.model.records[share.record].owner
        };
        if !self.is_up(stopper) || stopper == MALLORY {
            return Ok(format!(
                "{} would stop share {nth}, another day",
                CAST[host]
            ));
        }
        let (id, grant) = (self.model.records[share.record].id, share.grant);
        let known = self.known_under(stopper, nth);
        let record = self.model.records.iter().position(|record| record.id == id);
        let counted = record.map_or(Ok(BTreeSet::new()), |record| self.counts(stopper, record))?;
        let done = self.world.act(HostId(stopper), |host| host.stop(id, grant));
        self.note_end(stopper, nth, &done, (known, true));
        let words = format!("{} stops share {nth}{}", CAST[stopper], became(&done));
        let counts = record.map_or(Ok(BTreeSet::new()), |record| self.counts(stopper, record))?;
        if done.is_kept() && self.is_up(stopper) && !counted.is_subset(&counts) {
            let words = format!("{words}, keeps everything, and not everything counts any more");
            return Err(Failure::new(Invariant::Revocation, words));
        }
        Ok(words)
    }

    fn give_back(&mut self, host: usize, draw: u32) -> String {
        let own = self.model.person[host];
        let mine = |nth: &usize| self.model.shares[*nth].with == own;
        let mine: Vec<_> = (0..self.model.shares.len()).filter(mine).collect();
        let Some(nth) = (draw as usize).checked_rem(mine.len()).map(|at| mine[at]) else {
            return format!("{} has nothing to give back", CAST[host]);
        };
        let share = &self.model.shares[nth];
        let (id, grant) = (self.model.records[share.record].id, share.grant);
        let done = self
            .world
            .act(HostId(host), |host| host.give_back(id, grant));
        self.note_end(host, nth, &done, (BTreeSet::new(), false));
        format!("{} gives share {nth} back{}", CAST[host], became(&done))
    }

    fn lapse(&mut self, host: usize, draw: u32) -> String {
        let Some(nth) = (draw as usize).checked_rem(self.model.shares.len()) else {
            return "no share has passed".to_owned();
        };
        let share = &self.model.shares[nth];
        let owner = self.model.records[share.record].owner;
        if !self.is_up(owner) {
            return format!("{} is not there", CAST[host]);
        }
        let (id, grant) = (self.model.records[share.record].id, share.grant);
        let known = self.known_under(owner, nth);
        let done = self.world.act(HostId(owner), |host| host.lapse(id, grant));
        self.note_end(owner, nth, &done, (known, true));
        format!(
            "{} says that share {nth} has passed{}",
            CAST[owner],
            became(&done)
        )
    }

    /// What a host holds of what was written under a share or one below it.
    fn known_under(&self, host: usize, share: usize) -> BTreeSet<EnvelopeId> {
        let held = self.held(host);
        let below = |mut at: usize| loop {
            if at == share {
                return true;
            }
            match self.model.shares[at].above {
                Some(above) => at = above,
                None => return false,
            }
        };
        let written = self.model.written.iter();
        let under = written.filter(|(id, of)| of.share.is_some_and(below) && held(id.as_bytes()));
        under.map(|(id, _)| *id).collect()
    }

    pub(super) fn note_end(
        &mut self,
        host: usize,
        share: usize,
        done: &Done,
        (known, contests): (BTreeSet<EnvelopeId>, bool),
    ) {
        self.learn(host, done, None, true);
        if let Some(event) = event_of(done) {
            self.model.shares[share].ends.push(End {
                event,
                known,
                contests,
            });
        }
    }

    fn phone(&mut self) -> String {
        if self.model.person.len() > PHONE || !self.is_up(DAUGHTER) || self.is_rotten(DAUGHTER) {
            return "nobody gets another device".to_owned();
        }
        let phone = self.world.second_device(HostId(DAUGHTER));
        self.model.person.push(DAUGHTER);
        self.note_host(PHONE);
        self.world.meets(phone, HostId(DAUGHTER));
        let copy = self.copy_of(PHONE);
        self.copies.insert(PHONE, vec![copy]);
        "the daughter gets a phone".to_owned()
    }

    fn retire(&mut self) -> String {
        if self.model.person.len() <= PHONE
            || self.model.retired.contains_key(&PHONE)
            || !self.is_up(DAUGHTER)
        {
            return "no device is retired".to_owned();
        }
        let device = self.world.look(HostId(PHONE)).device();
        let done = self.world.act(HostId(DAUGHTER), |host| host.retire(device));
        self.learn(DAUGHTER, &done, None, true);
        if let Some(event) = event_of(&done) {
            self.model.retired.insert(PHONE, event);
        }
        format!("the daughter retires her phone{}", became(&done))
    }

    fn meet(&mut self, one: usize, other: usize, record: usize) -> String {
        if one == other || self.model.person[one] == self.model.person[other] {
            return "nobody meets anybody".to_owned();
        }
        if !self.show_logs(one, other) {
            return format!(
                "{} and {} cannot note whom they met",
                CAST[one], CAST[other]
            );
        }
        let id = self.model.records[record].id;
        self.world.know(HostId(one), HostId(other), id);
        for host in [one, other] {
            self.world.act(HostId(host), |_| ());
        }
        format!(
            "{} and {} meet over record {record}",
            CAST[one], CAST[other]
        )
    }
}

impl History {
    /// Whoever meets shows the log that proves its device; whether both could note that.
    pub(super) fn show_logs(&mut self, one: usize, other: usize) -> bool {
        [(one, other), (other, one)].into_iter().all(|(host, of)| {
            let theirs = self.world.look(HostId(of));
            let principal = theirs.whoever().principal;
            let log = theirs.disk.principal_log(&principal);
            let log = log.iter().flat_map(|log| log.iter());
            let items: Vec<_> = log.map(kith_protocol::record::event_item).collect();
            self.world
                .act(HostId(host), |host| host.disk.commit(items).is_ok())
        })
    }
}

/// What became of an act, at the end of its sentence.
pub(super) const fn became(done: &Done) -> &'static str {
    match done {
        Done::Kept(_) => "",
        Done::Denied => ": denied",
        Done::Lost(_) => ": the disk does not take it",
        Done::Unreadable => ": the record cannot be read",
    }
}

/// Nobody writes who may not.
pub(super) fn agrees(may: bool, done: &Done, words: &str) -> Result<(), Failure> {
    if may || done.items().is_empty() {
        return Ok(());
    }
    let words = format!("{words}, and had no right to");
    Err(Failure::new(Invariant::Authority, words))
}

/// The record that an event begins.
fn begins(item: &Item) -> Option<RecordId> {
    match item {
        Item::Event {
            log: LogId::Core(Some(record)),
            id,
            ..
        } if record.as_bytes() == id.as_bytes() => Some(*record),
        Item::Event { .. }
        | Item::Entry { .. }
        | Item::Part { .. }
        | Item::Row { .. }
        | Item::Audit { .. } => None,
    }
}
