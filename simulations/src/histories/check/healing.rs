//! That everything comes together when nothing is wrong any more.

use std::collections::BTreeSet;

use kith_protocol::{id::EnvelopeId, store::Store};

use crate::{
    histories::{
        failure::{Failure, Invariant},
        model::{DOCUMENTS, part_of},
        play::{CAST, History, MALLORY},
    },
    world::HostId,
};

impl History {
    /// 11: whoever may see a part of a record holds the same of it as its controller, and the
    /// other way round.
    pub(super) fn check_healing(&self, record: usize) -> Result<(), Failure> {
        let owner = self.model.records[record].owner;
        for host in (0..self.model.person.len()).filter(|host| *host != owner) {
            for part in DOCUMENTS {
                if host == MALLORY || !self.comes_to(host, record, part) {
                    continue;
                }
                let (ours, theirs) = (
                    self.part(owner, record, part),
                    self.part(host, record, part),
                );
                let missing = ours.difference(&theirs).count();
                let more = theirs.difference(&ours).count();
                if missing + more > 0 {
                    let words = format!(
                        "a day after all was mended {} lacks {missing} entries of {part} of record {record} that {} holds, and has {more} that {} lacks",
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

    /// The entries of a part of a record on a disk, in the epoch that was begun last.
    fn part(&self, host: usize, record: usize, part: &str) -> BTreeSet<EnvelopeId> {
        let disk = &self.world.look(HostId(host)).disk;
        let id = self.model.records[record].id;
        let documents = disk.documents(&id).unwrap_or_default();
        let last = documents
            .into_iter()
            .rfind(|document| part_of(document) == Some(part));
        let ids = last.map(|document| disk.entry_ids(&id, &document).unwrap_or_default());
        ids.into_iter().flatten().collect()
    }
}
