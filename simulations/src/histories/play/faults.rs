//! What goes wrong, told in words.

use super::{CAST, Copied, History};
use crate::{
    disk::{Leaves, Trouble},
    histories::step::{Step, Verb},
    network::{Nat, Way},
    world::HostId,
};

/// By how much clocks are set, milliseconds.
const SKEWS_MS: [i64; 7] = [
    0,
    240_000,
    -240_000,
    3_600_000,
    -3_600_000,
    90_000_000,
    -90_000_000,
];

/// Copies that are kept of one disk.
const COPIES_MAX: usize = 3;

impl History {
    pub(super) fn fault(&mut self, step: Step) -> String {
        let Step { verb, a, b, c, .. } = step;
        let (one, other) = (self.host(a), self.host(b));
        let (who, whom) = (CAST[one], CAST[other]);
        let (from, to) = (HostId(one), HostId(other));
        match verb {
            Verb::Crash if self.is_up(one) => {
                self.world.crash(from);
                format!("{who} crashes")
            }
            Verb::Restart if self.world.look(from).engine.is_none() => {
                self.world.restart(from);
                format!("{who} comes back")
            }
            Verb::Power if self.is_up(one) => {
                let leaves = [Leaves::Nothing, Leaves::Torn, Leaves::Whole][c as usize % 3];
                let commits = u64::from(b % 6);
                self.world.at(from).disk.lose_power_at(commits, leaves);
                format!("{who} loses power in {commits} commits; of it {leaves:?} is left")
            }
            Verb::Sleep if self.is_up(one) => {
                self.world.sleep(from);
                format!("{who} falls asleep")
            }
            Verb::Wake if self.world.is_asleep(from) => {
                self.world.wake(from);
                format!("{who} wakes up")
            }
            Verb::Cut if one != other => {
                self.world.cut(from, to);
                format!("{who} and {whom} are cut off from each other")
            }
            Verb::OneWay if one != other => {
                self.world.cut_one_way(from, to);
                format!("nothing gets from {who} to {whom}")
            }
            Verb::Mend if one != other => {
                self.world.mend(from, to);
                format!("{who} and {whom} reach each other")
            }
            Verb::CallAgain if one != other => {
                self.world.call_again(from, to);
                format!("{who} calls {whom} again")
            }
            Verb::Slow if one != other => self.slow(from, to, c),
            Verb::Nat => self.nat(from, c),
            Verb::Clock => {
                let skew = SKEWS_MS[c as usize % SKEWS_MS.len()];
                self.world.set_skew(from, skew);
                format!("the clock of {who} is out by {} s", skew / 1000)
            }
            Verb::Full => {
                let trouble = [Trouble::Full, Trouble::Full, Trouble::Broken][c as usize % 3];
                self.world.at(from).disk.set_trouble(trouble);
                format!("the disk of {who} is {trouble:?}")
            }
            Verb::Room => {
                self.world.at(from).disk.set_trouble(Trouble::None);
                format!("the disk of {who} takes what it is given")
            }
            Verb::Rot => {
                self.world.at(from).disk.flip_a_bit(u64::from(c));
                // What was read before is in memory; a restart reads the disk.
                self.world.crash(from);
                self.world.restart(from);
                format!("a bit flips on the disk of {who}")
            }
            Verb::Copy => {
                let copy = self.copy_of(one);
                if copy.disk.is_rotten() {
                    return format!("the disk of {who} cannot be copied");
                }
                let copies = self.copies.entry(one).or_default();
                if copies.len() >= COPIES_MAX {
                    copies.remove(1);
                }
                copies.push(copy);
                format!("the disk of {who} is copied")
            }
            Verb::Restore => {
                self.restore(one, c as usize);
                format!("an older copy of the disk of {who} is put back")
            }
            Verb::Begin
            | Verb::Write
            | Verb::Change
            | Verb::Choose
            | Verb::Adopt
            | Verb::Anew
            | Verb::Share
            | Verb::Stop
            | Verb::GiveBack
            | Verb::Lapse
            | Verb::Phone
            | Verb::Retire
            | Verb::Meet
            | Verb::Trust
            | Verb::Open
            | Verb::Crash
            | Verb::Restart
            | Verb::Power
            | Verb::Sleep
            | Verb::Wake
            | Verb::Cut
            | Verb::OneWay
            | Verb::Mend
            | Verb::CallAgain
            | Verb::Slow
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
            | Verb::Quiet => "nothing goes wrong".to_owned(),
        }
    }

    /// A host goes on from a copy of its disk.
    pub(super) fn restore(&mut self, host: usize, nth: usize) {
        let copies = self
            .copies
            .get(&host)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let Some(Copied { disk, peers }) =
            nth.checked_rem(copies.len()).map(|nth| copies[nth].clone())
        else {
            return;
        };
        // What had passed on the wire until now is held against the disk as it was.
        self.checks.went_back(host, &disk);
        let host = HostId(host);
        self.world.crash(host);
        self.world.at(host).peers = peers;
        self.world.restore(host, disk);
        self.world.at(host).disk.set_trouble(Trouble::None);
    }

    fn slow(&mut self, from: HostId, to: HostId, draw: u32) -> String {
        let day_ms = 24 * 60 * 60_000;
        let delay_ms = [
            (5, 40),
            (200, 900),
            (1_000, 20_000),
            (5, 5_000),
            (day_ms, 2 * day_ms),
        ];
        let way = Way {
            delay_ms: delay_ms[draw as usize % delay_ms.len()],
            bytes_per_second: [None, Some(1_000), Some(20_000)][draw as usize / 5 % 3],
            lost_of_thousand: [0, 30, 300][draw as usize / 15 % 3],
        };
        self.world.network().set_way(from, to, way);
        format!(
            "from {} to {} it takes {} to {} ms, {} of 1000 packets are lost",
            CAST[from.0], CAST[to.0], way.delay_ms.0, way.delay_ms.1, way.lost_of_thousand
        )
    }

    fn nat(&mut self, host: HostId, draw: u32) -> String {
        let nat = [Nat::Open, Nat::Cone, Nat::Symmetric][draw as usize % 3];
        // The hospital relays for everyone.
        self.world.network().set_relay(HostId(2));
        if host == HostId(2) {
            return "the hospital relays".to_owned();
        }
        self.world.network().set_nat(host, nat);
        format!("{} is reached as {nat:?}", CAST[host.0])
    }
}
