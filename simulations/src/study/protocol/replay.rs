//! What was found in the world, told again in the order in which it was asked for.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use super::arrivals::{Arrival, Stop, What};
use crate::study::{
    carriers::{Answer, Carrier, Event, Looker, Scene, Told},
    metric::Counter,
};

/// What somebody found: the answer and the versions that were shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The answer.
    pub answer: Answer,
    /// How much of each chain was shown.
    pub versions: Vec<u32>,
}

/// What came of one patient.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// What was found by those who looked.
    pub looks: VecDeque<Look>,
    /// What came to whom, in the order in which it did.
    pub arrivals: VecDeque<Arrival>,
    /// Each time that sharing with somebody was stopped.
    pub stops: Vec<Stop>,
}

/// What came of the world.
#[derive(Debug, Default)]
pub struct Recording {
    /// What came of each patient.
    pub people: Vec<Recorded>,
    /// Bytes of frames that nodes of each kind sent and received while it was measured.
    pub bytes: Vec<u64>,
    /// How many frames there were.
    pub frames: u64,
    /// Entries that were written.
    pub entries: u64,
    /// Entries that no host has at the end.
    pub lost: u64,
}

/// A carrier that only remembers.
pub struct Replay {
    recording: Rc<Recording>,
    left: Recorded,
    /// How many stops there have been.
    stopped: usize,
    /// How much of each chain each slot has without a gap, and what it has beyond.
    held: BTreeMap<(u8, usize), (u32, BTreeSet<u32>)>,
}

impl Replay {
    /// Remembers what came of the world.
    pub fn of(recording: Rc<Recording>) -> Self {
        Self {
            recording,
            left: Recorded::default(),
            stopped: 0,
            held: BTreeMap::new(),
        }
    }

    fn comes(&mut self, arrival: Arrival, scene: &Scene<'_>, told: &mut Told) {
        let Arrival { at_ms, slot, what } = arrival;
        match what {
            What::Entry(chain, count) => {
                let (whole, beyond) = self.held.entry((slot, chain)).or_default();
                beyond.insert(count);
                while beyond.remove(&(*whole + 1)) {
                    *whole += 1;
                }
                told.has(usize::from(slot), chain, *whole, at_ms);
            }
            What::Stop(nth) => {
                let stop = &mut self.left.stops[nth];
                if stop.waiting.remove(&slot) && told.counts(stop.at_ms) {
                    let counters = [
                        Counter::StopsInHour,
                        Counter::StopsInDay,
                        Counter::StopsKnown,
                        Counter::StopsMs,
                    ];
                    let of = (scene.patient.slot(slot).place.kind, told.group);
                    told.tally.add_lasting(counters, of, at_ms - stop.at_ms);
                }
            }
        }
    }

    /// Sharing is stopped, where the world knew of a share: who has to learn of it is counted.
    fn stops(&mut self, slot: u8, at_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        let Some(stop) = self.left.stops.get(self.stopped) else {
            return;
        };
        if (stop.slot, stop.at_ms) != (slot, at_ms) {
            return;
        }
        self.stopped += 1;
        if told.counts(at_ms) {
            for waiting in &stop.waiting {
                let of = (scene.patient.slot(*waiting).place.kind, told.group);
                told.tally.add(Counter::Stops, of, 1);
            }
        }
    }
}

impl Carrier for Replay {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        let patient = usize::try_from(scene.patient.number).unwrap_or(usize::MAX);
        let recorded = self.recording.people.get(patient);
        self.left = recorded.cloned().unwrap_or_default();
        self.stopped = 0;
        self.held.clear();
    }

    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        while let Some(next) = self.left.arrivals.front()
            && next.at_ms <= until_ms
            && let Some(arrival) = self.left.arrivals.pop_front()
        {
            self.comes(arrival, scene, told);
        }
    }

    fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>, told: &mut Told) {
        match event {
            Event::Stopped(slot) => self.stops(slot, at_ms, scene, told),
            Event::Written { .. } | Event::Visited(_) => {}
        }
    }

    fn looks(&mut self, _looker: Looker, _scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        let Some(look) = self.left.looks.pop_front() else {
            return Answer::None;
        };
        for (seen, held) in versions.iter_mut().zip(&look.versions) {
            *seen = (*seen).max(*held);
        }
        look.answer
    }

    fn end(&mut self, _scene: &Scene<'_>, _told: &mut Told) {}
}
