//! The checkers: each invariant in functions of its own, run after every step; those that take a
//! whole record from a disk take turns, and those that need quiet run at quiet times.

mod disks;
mod healing;
mod records;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    audit::{AuditEntry, Disclosure, What},
    codec,
    store::Item,
};

use super::{
    failure::{Failure, Invariant},
    play::{CAST, History},
};
use crate::{
    disk::Disk,
    network::Wire,
    world::{HostId, World},
};

/// Waiting messages and questions of one conversation, at most: the engine's own bounds and the
/// one beyond each at which it notices.
const QUEUE_MAX: usize = 80;

/// What checkers keep between steps.
#[derive(Default)]
pub struct Checks {
    /// What each host has said to be on its disk, to its people or to others.
    acknowledged: BTreeMap<usize, BTreeSet<[u8; 32]>>,
    /// How far each disk was looked at.
    looked: BTreeMap<usize, usize>,
    /// Links of the access log whose frame has not been seen yet: their place on the disk.
    links: BTreeMap<usize, Vec<(usize, Disclosure)>>,
    /// Hosts whose power or memory went since the last step.
    crashed: BTreeSet<usize>,
    /// The last link of each access log.
    audit_ends: BTreeMap<usize, (u64, [u8; 32])>,
    /// What was heard in batches at each end, by their counts.
    heard: BTreeMap<Wire, BTreeMap<u64, Vec<[u8; 32]>>>,
    /// Batches that were sent from each end and not taken yet.
    ahead: BTreeMap<Wire, BTreeSet<u64>>,
    longest_queue: usize,
    /// Hosts that went on from a copy of their disk.
    restored: BTreeSet<usize>,
    /// Whether something happened since the last quiet time that only the daily comparison makes
    /// up for.
    waits_for_comparison: bool,
}

impl Checks {
    /// A host said that it keeps these.
    pub fn acknowledged(&mut self, host: usize, items: &[Item]) {
        let kept = self.acknowledged.entry(host).or_default();
        kept.extend(items.iter().filter_map(id_of));
    }

    /// A host goes on from a copy of its disk: what came since is lost, which is the reason that
    /// is stated for it.
    pub fn went_back(&mut self, host: usize, disk: &Disk) {
        if let Some(kept) = self.acknowledged.get_mut(&host) {
            kept.retain(|id| disk.place_of(id).is_some());
        }
        self.looked.insert(host, disk.len());
        self.links.remove(&host);
        self.crashed.insert(host);
        self.restored.insert(host);
        self.waits_for_comparison = true;
        let last = disk.items(0).filter_map(audit_bytes).last();
        match last.and_then(|bytes| Some((bytes, codec::decode::<AuditEntry>(bytes).ok()?))) {
            Some((bytes, entry)) => {
                let id = *kith_protocol::audit::link_id(bytes).as_bytes();
                self.audit_ends.insert(host, (entry.seq, id));
            }
            None => {
                self.audit_ends.remove(&host);
            }
        }
    }

    /// Somebody said that nothing is missing, and did not give what was.
    pub const fn withheld(&mut self) {
        self.waits_for_comparison = true;
    }

    /// Whether those who may hold the same come to do so without the daily comparison.
    pub const fn heals_soon(&self) -> bool {
        !self.waits_for_comparison
    }

    /// A quiet time is over.
    pub const fn note_healed(&mut self) {
        self.waits_for_comparison = false;
    }

    /// Looks how much waits in the engines.
    pub fn note_queues(&mut self, world: &mut World) {
        for host in world.hosts() {
            let engine = world.look(host).engine.as_ref();
            let longest = engine.map_or(0, kith_protocol::sync::Engine::longest_queue);
            self.longest_queue = self.longest_queue.max(longest);
        }
    }
}

impl History {
    /// Runs every checker that this step calls for.
    pub(super) fn check(&mut self, is_quiet: bool) -> Result<(), Failure> {
        self.check_disks()?;
        self.check_wire()?;
        self.check_errors()?;
        self.check_queues()?;
        let host = self.steps % self.model.person.len();
        let record = (self.steps / self.model.person.len()) % self.model.records.len();
        self.check_record(host, record)?;
        if is_quiet {
            for record in 0..self.model.records.len() {
                for host in 0..self.model.person.len() {
                    self.check_record(host, record)?;
                }
                // Every signature is checked again, three times: hosts take turns.
                self.check_replay((host + record) % self.model.person.len(), record)?;
                self.check_places(record)?;
                self.check_convergence(record)?;
                self.check_healing(record, "a day after")?;
            }
        }
        Ok(())
    }

    fn check_errors(&mut self) -> Result<(), Failure> {
        for (host, error) in std::mem::take(&mut self.world.errors) {
            let disk = &self.world.look(host).disk;
            let is_sound = disk.trouble() == crate::disk::Trouble::None && !disk.is_rotten();
            if is_sound && !self.checks.crashed.contains(&host.0) {
                let words = format!("{} cannot go on: {error}", CAST[host.0]);
                return Err(Failure::new(Invariant::Errors, words));
            }
        }
        Ok(())
    }

    fn check_queues(&mut self) -> Result<(), Failure> {
        self.checks.note_queues(&mut self.world);
        let longest = self.checks.longest_queue;
        if longest > QUEUE_MAX {
            let words =
                format!("{longest} things wait in one conversation, {QUEUE_MAX} at most may");
            return Err(Failure::new(Invariant::Bounds, words));
        }
        Ok(())
    }

    pub(super) fn is_rotten(&self, host: usize) -> bool {
        self.world.look(HostId(host)).disk.is_rotten()
    }
}

fn id_of(item: &Item) -> Option<[u8; 32]> {
    match item {
        Item::Event { id, .. } => Some(*id.as_bytes()),
        Item::Entry { id, .. } => Some(*id.as_bytes()),
        Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    }
}

fn audit_bytes(item: &Item) -> Option<&Vec<u8>> {
    match item {
        Item::Audit { bytes } => Some(bytes),
        Item::Event { .. } | Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } => None,
    }
}

/// What was disclosed, of a link of the access log.
fn disclosure(entry: AuditEntry) -> Option<Disclosure> {
    match entry.what {
        What::Disclosure(disclosure) => Some(disclosure),
        What::Begun { .. } | What::Checkpoint { .. } => None,
    }
}
