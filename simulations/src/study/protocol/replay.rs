//! What was found in the world, told again in the order in which it was asked for.

use std::{collections::VecDeque, rc::Rc};

use crate::study::carriers::{Answer, Carrier, Event, Looker, Scene, Told};

/// What somebody found: the answer and the versions that were shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The answer.
    pub answer: Answer,
    /// How much of each chain was shown.
    pub versions: Vec<u32>,
}

/// What came of the world.
#[derive(Debug, Default)]
pub struct Recording {
    /// What was found, by patient.
    pub looks: Vec<VecDeque<Look>>,
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
    left: VecDeque<Look>,
}

impl Replay {
    /// Remembers what came of the world.
    pub fn of(recording: Rc<Recording>) -> Self {
        Self {
            recording,
            left: VecDeque::new(),
        }
    }
}

impl Carrier for Replay {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        let patient = usize::try_from(scene.patient.number).unwrap_or(usize::MAX);
        self.left = self
            .recording
            .looks
            .get(patient)
            .cloned()
            .unwrap_or_default();
    }

    fn advance(&mut self, _until_ms: u64, _scene: &Scene<'_>, _told: &mut Told) {}

    fn happens(&mut self, _at_ms: u64, _event: Event, _scene: &Scene<'_>, _told: &mut Told) {}

    fn looks(&mut self, _looker: Looker, _scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        let Some(look) = self.left.pop_front() else {
            return Answer::None;
        };
        for (seen, held) in versions.iter_mut().zip(&look.versions) {
            *seen = (*seen).max(*held);
        }
        look.answer
    }

    fn end(&mut self, _scene: &Scene<'_>, _told: &mut Told) {}
}
