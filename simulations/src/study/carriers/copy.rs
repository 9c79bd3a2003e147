//! One copy that entries are on their way to: the paper at home, a database, a file.

use super::{
    super::{agenda::Agenda, log::Log},
    Told,
};

/// What a copy holds, and what is on its way to it.
#[derive(Default)]
pub struct OneCopy {
    arrivals: Agenda<(usize, u32)>,
    /// How much of each chain it holds.
    pub held: Vec<u32>,
}

impl OneCopy {
    /// Another patient, of whom it holds nothing.
    pub fn begin(&mut self, log: &Log) {
        self.arrivals.clear();
        self.held.clear();
        self.held.resize(log.width(), 0);
    }

    /// So much of a chain arrives at a time.
    pub fn gets(&mut self, at_ms: u64, chain: usize, count: u32) {
        self.arrivals.at(at_ms, (chain, count));
    }

    /// What arrives next, up to and with a moment: when, the chain, and how much of it.
    pub fn next(&mut self, until_ms: u64, told: &mut Told) -> Option<(u64, usize, u32)> {
        let (at, (chain, count)) = self.arrivals.next(until_ms)?;
        told.events += 1;
        self.held[chain] = self.held[chain].max(count);
        Some((at, chain, count))
    }
}
