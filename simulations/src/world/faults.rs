//! What goes wrong.

use kith_protocol::sync::Input;

use super::{HostId, Passed, World, running::Happening};
use crate::{disk::Disk, network::STALL_MS};

impl World {
    /// Cuts two hosts off from each other; both notice at once.
    pub fn cut(&mut self, a: HostId, b: HostId) {
        let now = self.now_ms();
        for wire in self.network.cut(a, b) {
            self.clock.at(now, Happening::Ends(wire));
        }
    }

    /// Nothing gets from one host to another any more, while the other direction goes on: streams
    /// between them stall, and break after a while.
    pub fn cut_one_way(&mut self, from: HostId, to: HostId) {
        self.network.cut_one_way(from, to);
    }

    /// Lets them reach each other again; what waited goes on.
    pub fn mend(&mut self, a: HostId, b: HostId) {
        self.network.mend(a, b);
        for (to, frames) in std::mem::take(&mut self.held) {
            for frame in frames {
                self.carry(to, frame);
            }
        }
    }

    /// A host loses what is in its memory, and stays down.
    pub fn crash(&mut self, host: HostId) {
        self.at(host).crash();
        self.asleep.remove(&host);
        self.calls.remove(&host);
        self.pass(Passed::Crashed(host));
        let now = self.now_ms();
        for wire in self.network.crash(host) {
            self.clock.at(now, Happening::Ends(wire));
        }
    }

    /// A host that is down comes back with what its disk holds.
    pub fn restart(&mut self, host: HostId) {
        let now = self.clock_ms(host);
        self.at(host).start(now);
        self.settle(host);
    }

    /// A host that is down comes back with an older disk.
    pub fn restore(&mut self, host: HostId, disk: Disk) {
        self.at(host).set_disk(disk);
        self.restart(host);
    }

    /// A host sleeps: it keeps what is in its memory and does nothing. Others notice after a
    /// while.
    pub fn sleep(&mut self, host: HostId) {
        if self.look(host).engine.is_none() || self.asleep.contains_key(&host) {
            return;
        }
        self.asleep.insert(host, self.network.ends_of(host));
        let later = self.now_ms() + STALL_MS;
        for wire in self.network.crash(host) {
            self.clock.at(later, Happening::Ends(wire));
        }
    }

    /// A host wakes up; its streams are gone.
    pub fn wake(&mut self, host: HostId) {
        let Some(wires) = self.asleep.remove(&host) else {
            return;
        };
        for wire in wires {
            self.tell(host, Input::Lost { link: wire.link });
        }
        for device in self.calls.remove(&host).unwrap_or_default() {
            self.tell(host, Input::NotReached { device });
        }
        self.tell(host, Input::Awake);
    }

    /// Whether a host sleeps.
    pub fn is_asleep(&self, host: HostId) -> bool {
        self.asleep.contains_key(&host)
    }

    /// A host's clock is set: ahead of the world's by so much, milliseconds.
    pub fn set_skew(&mut self, host: HostId, skew_ms: i64) {
        self.at(host).skew_ms = skew_ms;
        self.wakes_ms.remove(&host);
        self.tell(host, Input::Timer);
    }

    /// A host calls another whom it may be talking to already: the two streams overlap.
    pub fn call_again(&mut self, from: HostId, to: HostId) {
        let device = self.look(to).device();
        if self.look(from).engine.is_some() && !self.is_asleep(from) {
            self.dial(from, device);
        }
    }
}
