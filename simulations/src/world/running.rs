//! Time going on: what happens is told to engines, and what they say is done.

use kith_protocol::{
    id::DeviceId,
    limits::{CLOCK_PUT_BACK_MS, GREETING_LASTS_MS},
    sync::{Input, News, Output, Together},
};

use super::{Arrived, HostId, Passed, Sent, World};
use crate::network::{Fate, Route, STALL_MS, Wire};

/// Bytes of the first packets of a stream, as far as the way between two hosts goes.
const OPENING_LEN: usize = 64;

/// When a call that gets nowhere is given up, milliseconds.
const UNREACHED_MS: u64 = 1000;

/// What happens at a time.
pub(super) enum Happening {
    Arrives(Wire, Vec<u8>),
    Left(Wire),
    Opens(Wire, DeviceId, bool),
    Ends(Wire),
    Stalls(Wire),
    Unreached(HostId, DeviceId),
    /// A call that nobody has answered is given up.
    Unanswered(Wire, DeviceId),
    Wakes(HostId),
}

impl World {
    /// Lets time pass.
    pub fn run_for(&mut self, ms: u64) {
        let until = self.now_ms() + ms;
        while let Some(happening) = self.clock.next(until) {
            self.happen(happening);
        }
    }

    pub(super) fn pass(&mut self, passed: Passed) {
        if let Some(all) = &mut self.passed {
            all.push(passed);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(wire, frame) => self.arrives(wire, frame),
            Happening::Left(wire) => self.tell(wire.host, Input::Sent { link: wire.link }),
            Happening::Opens(wire, ..) if self.network.other(wire).is_none() => {}
            Happening::Opens(wire, device, is_caller) => {
                if let Some(with) = self.host_of(&device) {
                    self.pass(Passed::Opened { wire, with });
                }
                if is_caller && let Some(calls) = self.calls.get_mut(&wire.host) {
                    calls.remove(&device);
                }
                let input = Input::Connected {
                    link: wire.link,
                    device,
                    is_caller,
                };
                self.tell(wire.host, input);
            }
            Happening::Ends(wire) => {
                self.network.close(wire);
                self.tell(wire.host, Input::Lost { link: wire.link });
            }
            Happening::Stalls(wire) => {
                if self.held.remove(&wire).is_some() {
                    self.breaks(wire, self.now_ms());
                }
            }
            Happening::Unreached(host, device) => self.not_reached(host, device),
            Happening::Unanswered(wire, device) => {
                let calls = self.calls.get(&wire.host);
                let is_calling = calls.is_some_and(|calls| calls.contains(&device));
                if is_calling && self.network.other(wire).is_some() {
                    self.breaks(wire, self.now_ms());
                    self.not_reached(wire.host, device);
                }
            }
            Happening::Wakes(host) => {
                // Another time may have taken the place of this one since.
                if self.wakes_ms.get(&host) == Some(&self.now_ms()) {
                    self.wakes_ms.remove(&host);
                    self.tell(host, Input::Timer);
                }
            }
        }
    }

    fn arrives(&mut self, wire: Wire, frame: Vec<u8>) {
        if self.network.other(wire).is_none() {
            return;
        }
        if let Some(heard) = self.scripted.get_mut(&wire) {
            heard.push(frame);
            return;
        }
        if self.passed.is_some() && self.look(wire.host).engine.is_some() {
            let frame = frame.clone();
            self.pass(Passed::Heard { wire, frame });
        }
        let link = wire.link;
        self.tell(wire.host, Input::Received { link, frame });
    }

    /// A stream breaks: both ends learn of it, and what is on its way is lost.
    fn breaks(&mut self, wire: Wire, at_ms: u64) {
        if let Some(other) = self.network.close(wire) {
            self.held.remove(&other);
            self.clock.at(at_ms, Happening::Ends(other));
        }
        self.held.remove(&wire);
        self.clock.at(at_ms, Happening::Ends(wire));
    }

    /// A host learns that something came onto its disk, or that it knows somebody, by other hands.
    pub(crate) fn changed(&mut self, host: HostId) {
        self.tell(host, Input::Changed);
    }

    pub(super) fn tell(&mut self, host: HostId, input: Input) {
        // Whoever is no host of this world is a script.
        if host.0 >= self.hosts.len() || self.is_asleep(host) {
            return;
        }
        let now = self.clock_ms(host);
        let one = self.at(host);
        one.set_now_ms(now);
        if one.engine_ms.saturating_sub(now) > CLOCK_PUT_BACK_MS {
            one.engine_ms = now;
        }
        one.engine_ms = one.engine_ms.max(now);
        let Some(mut engine) = one.engine.take() else {
            return;
        };
        // A disk that does not answer is a fault of the world, and the engine goes on.
        let answered = engine.handle(one, input, now);
        one.engine = Some(engine);
        if self.at(host).disk.is_dark() {
            // The power went while it worked: nothing that it wanted to say was said.
            self.crash(host);
            return;
        }
        if let Err(error) = answered {
            self.errors.push((host, error.to_string()));
        }
        self.settle(host);
    }

    pub(super) fn settle(&mut self, host: HostId) {
        let mut outputs = Vec::new();
        let mut wake = None;
        if let Some(engine) = &mut self.at(host).engine {
            while let Some(output) = engine.poll_output() {
                outputs.push(output);
            }
            wake = engine.poll_timeout();
        }
        for output in outputs {
            self.obey(host, output);
        }
        let Some(at) = wake else {
            return;
        };
        // A moment later at the earliest, so that time goes on.
        let skew = self.look(host).skew_ms;
        let at = at.saturating_add_signed(-skew).max(self.now_ms() + 1);
        if self.wakes_ms.get(&host).is_none_or(|known| at < *known) {
            self.wakes_ms.insert(host, at);
            self.clock.at(at, Happening::Wakes(host));
        }
    }

    fn obey(&mut self, host: HostId, output: Output) {
        let now = self.now_ms();
        match output {
            Output::Send {
                link,
                frame,
                together,
            } => self.send(Wire { host, link }, frame, together),
            Output::Close { link, .. } => {
                let wire = Wire { host, link };
                if let Some(other) = self.network.other(wire) {
                    let (fate, _) = self.network.send(other, 0, now, &mut self.rng);
                    let at = match fate {
                        Fate::Arrives(at) | Fate::Breaks(at) => at,
                        Fate::Waits => now + STALL_MS,
                    };
                    self.clock.at(at, Happening::Ends(other));
                }
            }
            Output::Dial { device } => self.dial(host, device),
            Output::Tell(news) => {
                let held = self.look(host).disk.len();
                if let (Some(all), News::Arrived { .. }) = (&mut self.arrived, &news) {
                    let at_ms = now;
                    all.push(Arrived { host, at_ms, held });
                }
                self.news.push((host, news));
            }
        }
    }

    fn send(&mut self, wire: Wire, frame: Vec<u8>, together: Together) {
        let Some(other) = self.network.other(wire) else {
            self.pass(Passed::Unsent { wire, frame });
            return;
        };
        if self.passed.is_some() {
            let sent = Sent {
                wire,
                to: other.host,
                clock_ms: self.look(wire.host).engine_ms,
                held: self.look(wire.host).disk.len(),
                frame: frame.clone(),
            };
            self.pass(Passed::Sent(sent));
        }
        let mut left_ms = self.now_ms();
        for frame in self.as_said(wire.host, frame) {
            self.frames.push((wire.host, other.host, frame.clone()));
            self.together.push(together);
            left_ms = left_ms.max(self.carry(other, frame));
        }
        self.clock.at(left_ms + 1, Happening::Left(wire));
    }

    /// Brings a frame to an end, as the network does; when it has left, milliseconds.
    pub(super) fn carry(&mut self, to: Wire, frame: Vec<u8>) -> u64 {
        let now = self.now_ms();
        if self.network.other(to).is_none() {
            return now;
        }
        let (fate, left_ms) = self.network.send(to, frame.len(), now, &mut self.rng);
        match fate {
            Fate::Arrives(at) => self.clock.at(at, Happening::Arrives(to, frame)),
            Fate::Waits => {
                self.held.entry(to).or_default().push(frame);
                self.clock.at(now + STALL_MS, Happening::Stalls(to));
            }
            Fate::Breaks(at) => self.breaks(to, at),
        }
        left_ms
    }

    /// A call came to nothing. Whoever sleeps is told when they wake up.
    fn not_reached(&mut self, host: HostId, device: DeviceId) {
        if self.is_asleep(host) {
            return;
        }
        if let Some(calls) = self.calls.get_mut(&host) {
            calls.remove(&device);
        }
        self.tell(host, Input::NotReached { device });
    }

    pub(super) fn dial(&mut self, host: HostId, device: DeviceId) {
        let now = self.now_ms();
        self.calls.entry(host).or_default().insert(device);
        let to = self.host_of(&device).filter(|other| {
            self.look(*other).engine.is_some() && !self.is_asleep(*other) && *other != host
        });
        let route = to.and_then(|to| self.network.route(host, to, &mut self.rng));
        let (Some(other), Some(route)) = (to, route) else {
            let at = now + UNREACHED_MS;
            self.clock.at(at, Happening::Unreached(host, device));
            return;
        };
        let ends = self.network.open(host, other);
        if let Route::Through(relay) = route {
            self.network.goes_through(ends, relay);
        }
        let (near, far) = ends;
        let given_up = now + GREETING_LASTS_MS;
        self.clock.at(given_up, Happening::Unanswered(near, device));
        let ours = self.look(host).device();
        let (there, _) = self.network.send(far, OPENING_LEN, now, &mut self.rng);
        let (Fate::Arrives(at) | Fate::Breaks(at)) = there else {
            return;
        };
        self.clock.at(at, Happening::Opens(far, ours, false));
        let (back, _) = self.network.send(near, OPENING_LEN, at, &mut self.rng);
        let (Fate::Arrives(at) | Fate::Breaks(at)) = back else {
            return;
        };
        self.clock.at(at, Happening::Opens(near, device, true));
    }
}
