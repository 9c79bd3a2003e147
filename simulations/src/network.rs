//! Streams between hosts, and what is between them.
//!
//! A stream carries frames in order, as TCP and QUIC do: nothing on it is lost, doubled or out of
//! order without the stream's end. So a lost packet shows as delay (it is sent again) or as a
//! stream that breaks. Duplication and reordering show where several streams carry the same: a
//! device that is called again while its old stream still has frames on their way, two that call
//! each other at once, and what is given anew after a break.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::sync::LinkId;
use rand_core::Rng;

use crate::world::HostId;

/// How long a stream waits for what does not get through before it breaks, milliseconds.
pub const STALL_MS: u64 = 30_000;

/// The first wait before something lost is sent again, milliseconds; it doubles.
const RESEND_MS: u64 = 200;

/// Times something is sent again before the stream breaks.
const RESENDS_MAX: u32 = 6;

/// A stream as it is seen from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wire {
    /// Whose end.
    pub host: HostId,
    /// What this end calls it.
    pub link: LinkId,
}

/// The way from one host to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Milliseconds that a frame takes, at least and at most.
    pub delay_ms: (u64, u64),
    /// What goes through in a second, bytes; nothing for more than matters.
    pub bytes_per_second: Option<u64>,
    /// Of a thousand packets, how many are lost.
    pub lost_of_thousand: u32,
}

/// Who reaches a host that has not called first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nat {
    /// Everyone.
    #[default]
    Open,
    /// Whoever it meets at a relay, or who comes through a hole that both made.
    Cone,
    /// Whoever it meets at a relay, since no hole is made.
    Symmetric,
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Straight.
    Direct,
    /// Through a host that relays.
    Through(HostId),
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives at this time.
    Arrives(u64),
    /// It waits until the way is mended.
    Waits,
    /// The stream breaks at this time.
    Breaks(u64),
}

/// Which hosts reach each other, and what is between them.
#[derive(Debug, Default)]
pub struct Network {
    /// Ways that are cut, by where from and where to.
    cut: BTreeSet<(HostId, HostId)>,
    ways: BTreeMap<(HostId, HostId), Way>,
    nats: BTreeMap<HostId, Nat>,
    relays: BTreeSet<HostId>,
    ends: BTreeMap<Wire, Wire>,
    relayed: BTreeMap<Wire, HostId>,
    /// When the last frame towards an end arrives: the next is not before it.
    busy_until_ms: BTreeMap<Wire, u64>,
    /// When the last frame towards an end has left.
    left_ms: BTreeMap<Wire, u64>,
    links: u64,
    /// Milliseconds that a frame takes, at least and at most, where no way says otherwise.
    pub delay_ms: (u64, u64),
}

impl Network {
    /// Whether two hosts reach each other, as far as cuts go.
    pub fn connects(&self, a: HostId, b: HostId) -> bool {
        !self.cut.contains(&(a, b)) && !self.cut.contains(&(b, a))
    }

    /// Whether anything gets from one host to another.
    pub fn carries(&self, from: HostId, to: HostId) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// How a call goes from one host to another; nothing where it does not get there.
    pub fn route(&self, from: HostId, to: HostId, rng: &mut impl Rng) -> Option<Route> {
        let nat = |host| self.nats.get(&host).copied().unwrap_or_default();
        if nat(to) == Nat::Open {
            return self.connects(from, to).then_some(Route::Direct);
        }
        let meets = |relay: &&HostId| {
            **relay != from
                && **relay != to
                && self.connects(from, **relay)
                && self.connects(**relay, to)
        };
        let relay = *self.relays.iter().find(meets)?;
        // Seven of ten holes that two try to make come about.
        let tries = nat(from) != Nat::Symmetric && nat(to) == Nat::Cone && self.connects(from, to);
        if tries && rng.next_u32() % 10 < 7 {
            return Some(Route::Direct);
        }
        Some(Route::Through(relay))
    }

    /// Says who reaches a host.
    pub fn set_nat(&mut self, host: HostId, nat: Nat) {
        self.nats.insert(host, nat);
    }

    /// A host relays for others.
    pub fn set_relay(&mut self, host: HostId) {
        self.relays.insert(host);
    }

    /// Says how the way from one host to another is.
    pub fn set_way(&mut self, from: HostId, to: HostId, way: Way) {
        self.ways.insert((from, to), way);
    }

    fn way(&self, from: HostId, to: HostId) -> Way {
        let plain = Way {
            delay_ms: self.delay_ms,
            bytes_per_second: None,
            lost_of_thousand: 0,
        };
        self.ways.get(&(from, to)).copied().unwrap_or(plain)
    }

    /// Cuts two hosts off from each other: the streams between them, seen from both ends.
    pub fn cut(&mut self, a: HostId, b: HostId) -> Vec<Wire> {
        self.cut.extend([(a, b), (b, a)]);
        let relayed = &self.relayed;
        let over = |wire: &Wire, other: &Wire| {
            let ends = [wire.host, other.host];
            match relayed.get(wire) {
                None => ends.contains(&a) && ends.contains(&b),
                Some(relay) => {
                    (*relay == a && ends.contains(&b)) || (*relay == b && ends.contains(&a))
                }
            }
        };
        let ends = self.ends.iter().filter(|(wire, other)| over(wire, other));
        let ends: Vec<_> = ends.map(|(wire, _)| *wire).collect();
        for end in &ends {
            self.ends.remove(end);
        }
        ends
    }

    /// Nothing gets from one host to another any more; the other direction goes on.
    pub fn cut_one_way(&mut self, from: HostId, to: HostId) {
        self.cut.insert((from, to));
    }

    /// Lets them reach each other again.
    pub fn mend(&mut self, a: HostId, b: HostId) {
        self.cut.remove(&(a, b));
        self.cut.remove(&(b, a));
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

    /// A stream goes through a relay.
    pub fn goes_through(&mut self, ends: (Wire, Wire), relay: HostId) {
        self.relayed.insert(ends.0, relay);
        self.relayed.insert(ends.1, relay);
    }

    /// The other end of a stream, while there is one.
    pub fn other(&self, wire: Wire) -> Option<Wire> {
        self.ends.get(&wire).copied()
    }

    /// The ends of a host's streams.
    pub fn ends_of(&self, host: HostId) -> Vec<Wire> {
        let ends = self.ends.keys().filter(|wire| wire.host == host);
        ends.copied().collect()
    }

    /// Closes a stream: its other end, where it was still open.
    pub fn close(&mut self, wire: Wire) -> Option<Wire> {
        let other = self.ends.remove(&wire)?;
        self.ends.remove(&other);
        for end in [wire, other] {
            self.busy_until_ms.remove(&end);
            self.left_ms.remove(&end);
            self.relayed.remove(&end);
        }
        Some(other)
    }

    /// Every stream of a host ends, those that it relays too: the ends at other hosts.
    pub fn crash(&mut self, host: HostId) -> Vec<Wire> {
        let relayed = |wire: &Wire| self.relayed.get(wire) == Some(&host);
        let ours = self.ends.keys().filter(|wire| wire.host == host);
        let ours: Vec<_> = ours.copied().collect();
        let carried: Vec<_> = self
            .ends
            .keys()
            .filter(|wire| relayed(wire))
            .copied()
            .collect();
        let mut ends: Vec<_> = ours
            .into_iter()
            .filter_map(|wire| self.close(wire))
            .collect();
        for wire in carried {
            ends.extend(self.close(wire).is_some().then_some(wire));
        }
        ends
    }

    /// What becomes of a frame of so many bytes that is said now to an end, and when it has left.
    pub fn send(&mut self, to: Wire, len: usize, now_ms: u64, rng: &mut impl Rng) -> (Fate, u64) {
        let from = self.other(to).map_or(to.host, |wire| wire.host);
        let hops = match self.relayed.get(&to) {
            Some(relay) => vec![(from, *relay), (*relay, to.host)],
            None => vec![(from, to.host)],
        };
        let mut left_ms = self.left_ms.get(&to).copied().unwrap_or(0).max(now_ms);
        let mut delay_ms = 0;
        let mut breaks = false;
        for (from, to) in &hops {
            let way = self.way(*from, *to);
            if let Some(bytes) = way.bytes_per_second {
                left_ms += (len as u64 * 1000).div_ceil(bytes.max(1));
            }
            let (least, most) = way.delay_ms;
            delay_ms += least + u64::from(rng.next_u32()) % (most.saturating_sub(least) + 1);
            let mut resends = 0;
            while way.lost_of_thousand > rng.next_u32() % 1000 && resends < RESENDS_MAX {
                delay_ms += RESEND_MS << resends;
                resends += 1;
            }
            breaks |= resends == RESENDS_MAX;
        }
        self.left_ms.insert(to, left_ms);
        let busy = self.busy_until_ms.entry(to).or_default();
        *busy = (*busy).max(left_ms + delay_ms);
        let at = *busy;
        let fate = if breaks {
            Fate::Breaks(at)
        } else if hops.iter().all(|(from, to)| self.carries(*from, *to)) {
            Fate::Arrives(at)
        } else {
            Fate::Waits
        };
        (fate, left_ms)
    }
}
