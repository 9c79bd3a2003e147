//! When what was written came to others, and when they learned that sharing was stopped.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    id::{EnvelopeId, EventId},
    store::Item,
};

use crate::{HostId, World};

/// Something that came to a slot of a patient's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, milliseconds of the year.
    pub at_ms: u64,
    /// To whom.
    pub slot: u8,
    /// What.
    pub what: What,
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An entry: its chain, and the how-manieth of it.
    Entry(usize, u32),
    /// That sharing was stopped: the how-manieth time of this patient's.
    Stop(usize),
}

/// Sharing with a slot was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// When, milliseconds of the year.
    pub at_ms: u64,
    /// With whom.
    pub slot: u8,
    /// Who has to learn of it.
    pub waiting: BTreeSet<u8>,
}

/// What is looked for on the disks of hosts, with whose it is.
#[derive(Default)]
pub(super) struct Awaited {
    entries: BTreeMap<EnvelopeId, (usize, What)>,
    stops: BTreeMap<EventId, (usize, What)>,
    /// How far each disk was looked through.
    looked: BTreeMap<HostId, usize>,
}

impl Awaited {
    /// An entry of a patient's was written.
    pub(super) fn entry(&mut self, who: usize, id: EnvelopeId, chain: usize, count: u32) {
        self.entries.insert(id, (who, What::Entry(chain, count)));
    }

    /// Sharing was stopped with somebody who has a patient's record.
    pub(super) fn stop(&mut self, who: usize, id: EventId, what: What) {
        self.stops.insert(id, (who, what));
    }

    /// What came to hosts since this was last asked, in that order: when by the world, to which
    /// host, of which patient, and what.
    pub(super) fn come(&mut self, world: &mut World) -> Vec<(u64, HostId, usize, What)> {
        let mut come = Vec::new();
        let arrived = world.arrived.as_mut().map(std::mem::take);
        for arrived in arrived.unwrap_or_default() {
            let looked = self.looked.entry(arrived.host).or_default();
            let new = arrived.held.saturating_sub(*looked);
            let items = world.look(arrived.host).disk.items(*looked).take(new);
            *looked += new;
            let known = items.filter_map(|item| match item {
                Item::Entry { id, .. } => self.entries.get(id),
                Item::Event { id, .. } => self.stops.get(id),
                Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
            });
            come.extend(known.map(|(who, what)| (arrived.at_ms, arrived.host, *who, *what)));
        }
        come
    }
}
