//! The nodes of a run as hosts of a world: when each is up, and who calls whom.

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    HostId, World,
    study::{
        place::{Place, Places, entity},
        times::Times,
    },
};

/// A node and its place.
pub struct Node {
    /// The host.
    pub host: HostId,
    /// Where it is.
    pub place: Rc<Place>,
    /// When it is up: on the network, and working.
    pub up: Times,
    /// Whether it is up now.
    pub is_up: bool,
}

/// The nodes of a run.
#[derive(Default)]
pub struct Nodes {
    /// Each, in the order in which patients met them.
    pub all: Vec<Node>,
    by_place: BTreeMap<u64, usize>,
    by_host: BTreeMap<HostId, usize>,
    /// Pairs that have a record in common.
    pub pairs: Vec<(usize, usize)>,
}

impl Nodes {
    /// The node of a place, which is made where there is none.
    pub fn at(&mut self, place: &Rc<Place>, world: &mut World) -> usize {
        let key = entity(place.kind, place.index);
        if let Some(known) = self.by_place.get(&key) {
            return *known;
        }
        let host = world.host();
        let node = self.all.len();
        self.by_place.insert(key, node);
        self.by_host.insert(host, node);
        let failures = Times::always().without(&place.works);
        self.all.push(Node {
            host,
            up: place.network.without(&failures),
            place: Rc::clone(place),
            is_up: true,
        });
        node
    }

    /// The node of a place, where it has one.
    pub fn of(&self, place: &Place) -> Option<usize> {
        self.by_place.get(&entity(place.kind, place.index)).copied()
    }

    /// The kind of organisations that a host is of.
    pub fn kind_of(&self, host: HostId) -> Option<usize> {
        self.by_host
            .get(&host)
            .map(|node| self.all[*node].place.kind)
    }

    /// Whoever is up for longer is called by whoever is up for less.
    pub fn says_who_calls(&mut self, a: usize, b: usize, places: &Places<'_>, world: &mut World) {
        let pair = (a.min(b), a.max(b));
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
        let (one, two) = (&self.all[a], &self.all[b]);
        if !places.reach(&one.place, &two.place) {
            world.cut(one.host, two.host);
        }
        for (caller, called) in [(one, two), (two, one)] {
            let device = world.at(called.host).device();
            let calls = caller.up.spans().len() >= called.up.spans().len();
            if let Some(peer) = world.at(caller.host).peers.get_mut(&device) {
                peer.is_dialled = calls;
            }
        }
    }

    /// Cuts or mends every pair as partitions say at a moment.
    pub fn part(&self, at_ms: u64, places: &Places<'_>, world: &mut World) {
        for (a, b) in &self.pairs {
            let (one, two) = (&self.all[*a], &self.all[*b]);
            if !places.reach(&one.place, &two.place) {
                continue;
            }
            let is_apart = places.partitions.iter().any(|(kinds, times)| {
                kinds.contains(&one.place.kind) != kinds.contains(&two.place.kind)
                    && times.has(at_ms)
            });
            if is_apart {
                world.cut(one.host, two.host);
            } else {
                world.mend(one.host, two.host);
            }
        }
    }
}
