//! Who was told of an event, and when everybody was.

use super::super::{
    metric::{Counter, Tally},
    patient::Patient,
};

/// An event of which not everybody was told yet.
#[derive(Clone, Copy, Debug)]
struct Notice {
    at_ms: u64,
    chain: usize,
    count: u32,
    writer_kind: usize,
    waiting: u32,
}

/// Everything that carriers of one arm report, and where it is counted.
pub struct Told {
    /// What is counted.
    pub tally: Tally,
    /// The group of the patient.
    pub group: usize,
    /// Events, stops and mended faults before this are counted; later ones had too little time.
    pub counted_until_ms: u64,
    /// Nothing before this is counted.
    pub counted_from_ms: u64,
    /// What happened in carriers, for the story of one patient; nothing where nobody listens.
    pub story: Option<Vec<(u64, String)>>,
    /// How many things happened in carriers.
    pub events: u64,
    open: Vec<Notice>,
}

impl Told {
    /// Nothing was told.
    pub const fn new(tally: Tally, counted_from_ms: u64, counted_until_ms: u64) -> Self {
        Self {
            tally,
            group: 0,
            counted_until_ms,
            counted_from_ms,
            story: None,
            events: 0,
            open: Vec::new(),
        }
    }

    /// Another patient.
    pub fn begin(&mut self, patient: &Patient) {
        self.group = patient.group;
        self.open.clear();
    }

    /// Whether something at a moment is counted.
    pub const fn counts(&self, at_ms: u64) -> bool {
        at_ms >= self.counted_from_ms && at_ms < self.counted_until_ms
    }

    /// An event of which all members of the circle have to be told.
    pub fn notice(
        &mut self,
        at_ms: u64,
        (chain, count): (usize, u32),
        writer: u8,
        patient: &Patient,
    ) {
        let mut waiting = 0;
        for (slot, one) in patient.slots.iter().enumerate() {
            if one.is_told && slot != usize::from(writer) {
                waiting |= 1 << slot;
            }
        }
        if waiting == 0 || !self.counts(at_ms) {
            return;
        }
        let writer_kind = patient.slot(writer).place.kind;
        self.tally
            .add(Counter::Notices, (writer_kind, self.group), 1);
        self.open.push(Notice {
            at_ms,
            chain,
            count,
            writer_kind,
            waiting,
        });
    }

    /// Whether nobody waits for anything.
    pub fn is_quiet(&self) -> bool {
        self.open.is_empty()
    }

    /// Somebody has so much of a chain now.
    pub fn has(&mut self, slot: usize, chain: usize, count: u32, at_ms: u64) {
        let mut n = 0;
        while n < self.open.len() {
            let one = &mut self.open[n];
            if one.chain == chain && one.count <= count {
                one.waiting &= !(1 << slot);
            }
            if one.waiting == 0 {
                let one = self.open.swap_remove(n);
                let counters = [
                    Counter::ToldInHour,
                    Counter::ToldInDay,
                    Counter::ToldAll,
                    Counter::ToldMs,
                ];
                let of = (one.writer_kind, self.group);
                self.tally.add_lasting(counters, of, at_ms - one.at_ms);
            } else {
                n += 1;
            }
        }
    }

    /// Something is told of in a story.
    pub fn says(&mut self, at_ms: u64, words: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push((at_ms, words()));
        }
    }
}
