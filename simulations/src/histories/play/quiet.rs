//! A quiet time: every fault ends, and long enough passes for all that has to be said.

use super::{CAST, History};
use crate::{
    disk::Trouble,
    histories::failure::Failure,
    network::{Nat, Way},
    world::HostId,
};

/// Longer than the time after which two who stay connected compare what they hold, and than the
/// longest wait between two calls; milliseconds.
const QUIET_MS: u64 = 26 * 60 * 60_000;

/// Long enough for everyone to be called again and to be given what is new; milliseconds.
const SOON_MS: u64 = 40 * 60_000;

/// How a way is that nothing is wrong with.
const PLAIN: Way = Way {
    delay_ms: (5, 40),
    bytes_per_second: None,
    lost_of_thousand: 0,
};

impl History {
    pub(super) fn quiet(&mut self) -> Result<(), Failure> {
        let hosts: Vec<_> = self.world.hosts().collect();
        for host in &hosts {
            self.mend_host(*host);
        }
        for one in &hosts {
            for other in hosts.iter().filter(|other| *other != one) {
                self.world.network().set_way(*one, *other, PLAIN);
                self.world.mend(*one, *other);
            }
        }
        self.world.run_for(SOON_MS);
        if self.checks.heals_soon() {
            self.check_disks()?;
            self.check_wire()?;
            for record in 0..self.model.records.len() {
                self.check_healing(record, "soon after")?;
            }
        }
        self.world.run_for(QUIET_MS);
        self.checks.note_healed();
        Ok(())
    }

    fn mend_host(&mut self, host: HostId) {
        self.world.set_misdeed(host, None);
        self.world.network().set_nat(host, Nat::Open);
        self.world.wake(host);
        let disk = &mut self.world.at(host).disk;
        disk.reopen();
        disk.set_trouble(Trouble::None);
        if disk.is_rotten() {
            // Whoever has damage goes on from the last copy.
            self.restore(host.0, usize::MAX);
        }
        self.world.set_skew(host, 0);
        if self.world.look(host).engine.is_none() {
            self.world.restart(host);
        }
        debug_assert!(self.world.look(host).engine.is_some(), "{}", CAST[host.0]);
    }
}
