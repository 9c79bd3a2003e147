//! That everything comes together when nothing is wrong any more.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{consent::Status, id::EnvelopeId};

use crate::{
    histories::{
        failure::{Failure, Invariant},
        model::{DOCUMENTS, part_of},
        play::{CAST, History, MALLORY},
    },
    world::HostId,
};

/// What is held of each part of a record.
type Parts = BTreeMap<&'static str, BTreeSet<(EnvelopeId, Option<Status>)>>;

impl History {
    /// 11: whoever may see a part of a record holds the same of it as its controller, and the
    /// other way round.
    pub(in crate::histories) fn check_healing(
        &self,
        record: usize,
        after: &str,
    ) -> Result<(), Failure> {
        let owner = self.model.records[record].owner;
        let ours = self.parts(owner, record)?;
        for host in (0..self.model.person.len()).filter(|host| *host != owner) {
            let comes = |part: &&str| host != MALLORY && self.comes_to(host, record, part);
            let due: Vec<_> = DOCUMENTS.into_iter().filter(comes).collect();
            let theirs = match due.is_empty() {
                true => continue,
                false => self.parts(host, record)?,
            };
            for part in due {
                let none = BTreeSet::new();
                let ours = ours.get(part).unwrap_or(&none);
                let theirs = theirs.get(part).unwrap_or(&none);
                let missing = ours.difference(theirs).count();
                let more = theirs.difference(ours).count();
                if missing + more > 0 {
                    let words = format!(
                        "{after} all was mended {} lacks {missing} entries of {part} of record {record} as {} holds them, and has {more} that {} lacks",
                        CAST[host], CAST[owner], CAST[owner]
                    );
                    return Err(Failure::new(Invariant::Healing, words));
                }
            }
        }
        Ok(())
    }

    /// Whether a host may see a part of a record by what its controller holds, and not only by way
    /// of somebody who does not keep to the rules.
    fn comes_to(&self, host: usize, record: usize, part: &str) -> bool {
        let owner = self.model.records[record].owner;
        let held = self.held(owner);
        let now = self.world.clock_ms(HostId(owner));
        let person = self.model.person[host];
        if self.model.retired.contains_key(&host) {
            return false;
        }
        let honest = |mut nth: usize| loop {
            let share = &self.model.shares[nth];
            if share.by == MALLORY || !self.know_each_other(share.by, share.with, record) {
                return false;
            }
            match share.above {
                Some(above) => nth = above,
                None => return true,
            }
        };
        let mut own = (0..self.model.shares.len()).filter(|nth| {
            let share = &self.model.shares[*nth];
            share.record == record && share.with == person && share.documents.contains(part)
        });
        let stands = own.any(|nth| honest(nth) && self.model.stands(&held, nth, now));
        // A second device gets what its person has from the first.
        stands || self.model.records[record].owner == person
    }

    /// Whether two people, at their first hosts, know each other and that they have a record in
    /// common: an older copy of a disk may have been made before they met.
    fn know_each_other(&self, one: usize, other: usize, record: usize) -> bool {
        let id = self.model.records[record].id;
        [(one, other), (other, one)].into_iter().all(|(host, of)| {
            let device = self.world.look(HostId(of)).device();
            let known = self.world.look(HostId(host)).peers.get(&device);
            known.is_some_and(|peer| peer.records.contains(&id))
        })
    }

    /// The entries of a record that simply count, by a disk.
    pub(in crate::histories) fn counts(
        &self,
        host: usize,
        record: usize,
    ) -> Result<BTreeSet<EnvelopeId>, Failure> {
        let Some(mut loaded) = self.load(host, record)? else {
            return Ok(BTreeSet::new());
        };
        let documents = loaded.ledger().documents().into_iter();
        let entries: Vec<_> = documents
            .flat_map(|document| loaded.ledger().entries(&document))
            .collect();
        let counting = entries
            .into_iter()
            .filter(|(_, status)| *status == Status::Accepted);
        Ok(counting.map(|(id, _)| id).collect())
    }

    /// The entries of each part of a record on a disk, in the epoch that was begun last, each with
    /// its status.
    fn parts(&self, host: usize, record: usize) -> Result<Parts, Failure> {
        let Some(mut loaded) = self.load(host, record)? else {
            return Ok(Parts::new());
        };
        let mut parts = Parts::new();
        // Ascending: a later epoch takes the place of the one before.
        for document in loaded.ledger().documents() {
            let Some(part) = part_of(&document) else {
                continue;
            };
            let entries = loaded.ledger().entries(&document).into_iter();
            let entries = entries.map(|(id, status)| {
                // What is made of a forgery hangs on whom one has heard of.
                let lawful = self.written(&id).is_some_and(|written| written.lawful);
                (id, lawful.then_some(status))
            });
            parts.insert(part, entries.collect());
        }
        Ok(parts)
    }
}
