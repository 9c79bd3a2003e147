//! Streams between hosts: in order, with delay, and gone when they are cut.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::sync::LinkId;
use rand_core::Rng;

use crate::world::HostId;

/// A stream as it is seen from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wire {
    /// Whose end.
    pub host: HostId,
    /// What this end calls it.
    pub link: LinkId,
}

/// Which hosts reach each other, and what is between them.
#[derive(Debug, Default)]
pub struct Network {
    cut: BTreeSet<(HostId, HostId)>,
    ends: BTreeMap<Wire, Wire>,
    /// When the last frame towards an end arrives: the next is not before it.
    busy_until_ms: BTreeMap<Wire, u64>,
    links: u64,
    /// Milliseconds that a frame takes, at least and at most.
    pub delay_ms: (u64, u64),
}

impl Network {
    /// Whether two hosts reach each other.
    pub fn connects(&self, a: HostId, b: HostId) -> bool {
        !self.cut.contains(&(a.min(b), a.max(b)))
    }

    /// Cuts two hosts off from each other: the streams between them, seen from both ends.
    pub fn cut(&mut self, a: HostId, b: HostId) -> Vec<Wire> {
        self.cut.insert((a.min(b), a.max(b)));
        let between = |wire: &Wire, other: &Wire| {
            (wire.host, other.host) == (a, b) || (wire.host, other.host) == (b, a)
        };
        let ends = self
            .ends
            .iter()
            .filter(|(wire, other)| between(wire, other));
        let ends: Vec<_> = ends.map(|(wire, _)| *wire).collect();
        for end in &ends {
            self.ends.remove(end);
        }
        ends
    }

    /// Lets them reach each other again.
    pub fn mend(&mut self, a: HostId, b: HostId) {
        self.cut.remove(&(a.min(b), a.max(b)));
    }

    /// Opens a stream: the caller's end and the other.
    pub fn open(&mut self, caller: HostId, other: HostId) -> (Wire, Wire) {
        let mut end = |host| {
            self.links += 1;
            Wire {
                host,
                link: LinkId(self.links),
            }
        };
        let (near, far) = (end(caller), end(other));
        self.ends.insert(near, far);
        self.ends.insert(far, near);
        (near, far)
    }

    /// The other end of a stream, while there is one.
    pub fn other(&self, wire: Wire) -> Option<Wire> {
        self.ends.get(&wire).copied()
    }

    /// Closes a stream: its other end, where it was still open.
    pub fn close(&mut self, wire: Wire) -> Option<Wire> {
        let other = self.ends.remove(&wire)?;
        self.ends.remove(&other);
        Some(other)
    }

    /// Every stream of a host ends: the other ends.
    pub fn crash(&mut self, host: HostId) -> Vec<Wire> {
        let ours: Vec<_> = self
            .ends
            .keys()
            .filter(|wire| wire.host == host)
            .copied()
            .collect();
        ours.into_iter()
            .filter_map(|wire| self.close(wire))
            .collect()
    }

    /// When something said now arrives at an end.
    pub fn arrives_ms(&mut self, to: Wire, now_ms: u64, rng: &mut impl Rng) -> u64 {
        let (least, most) = self.delay_ms;
        let delay = least + u64::from(rng.next_u32()) % (most.saturating_sub(least) + 1);
        let busy = self.busy_until_ms.entry(to).or_default();
        *busy = (*busy).max(now_ms + delay);
        *busy
    }
}
