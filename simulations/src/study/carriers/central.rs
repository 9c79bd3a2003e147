//! One database that connected organisations write to and read.

use kith_crdt::Section;

use super::{Answer, Carrier, Event, Looker, Scene, Told, carries, copy::OneCopy, raise};
use crate::study::{chance::Chance, log::when_answers, scenario::Number, times::Times};

/// The database, as far as one patient goes. Its outages are the same for all.
pub struct Central {
    sections: Vec<Section>,
    recorded: Number,
    connected: Number,
    delay: Number,
    outages: Number,
    outage: Number,
    answers: Option<Times>,
    is_recorded: bool,
    chance: Option<Chance>,
    copy: OneCopy,
    stopped: u32,
}

impl Central {
    /// The database of a baseline: who is recorded in it, who is connected, until an entry is in
    /// it, how often it fails and for how long.
    pub fn new(
        sections: Vec<Section>,
        [recorded, connected, delay, outages, outage]: [Number; 5],
    ) -> Self {
        Self {
            sections,
            recorded,
            connected,
            delay,
            outages,
            outage,
            answers: None,
            is_recorded: false,
            chance: None,
            copy: OneCopy::default(),
            stopped: 0,
        }
    }

    fn is_connected(&self, scene: &Scene<'_>, slot: u8) -> bool {
        scene.patient.slot(slot).place.eagerness < scene.settings.value(self.connected)
    }

    fn answers(&self, at_ms: u64) -> Option<u64> {
        self.answers.as_ref()?.next(at_ms)
    }
}

/// Whether a patient's entries are put into databases at all: the same in all of them.
pub(super) fn is_recorded(share: Number, scene: &Scene<'_>) -> bool {
    let mut chance = Chance::of(scene.settings.seed, "recorded", scene.patient.number);
    scene.settings.happens(share, &mut chance)
}

impl Carrier for Central {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        let settings = scene.settings;
        if self.answers.is_none() {
            let mut chance = Chance::of(settings.seed, "central outages", 0);
            let outages = settings.value(self.outages);
            let spans = Times::at_random(outages, settings.end_ms, &mut chance, |chance| {
                settings.ms(self.outage, chance)
            });
            self.answers = Some(Times::but(spans));
        }
        self.is_recorded = is_recorded(self.recorded, scene);
        self.chance = Some(Chance::of(settings.seed, "central", scene.patient.number));
        self.copy.begin(scene.log);
        self.stopped = 0;
    }

    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        while let Some((at, chain, _)) = self.copy.next(until_ms, told) {
            told.says(at, || {
                let section = scene.sections[chain / scene.log.slots()];
                format!("the central database had what was written in {section}")
            });
        }
    }

    fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>, _told: &mut Told) {
        match event {
            Event::Written {
                chain,
                count,
                writer,
                section,
            } => {
                let Some(chance) = &mut self.chance else {
                    return;
                };
                let after = scene.settings.ms(self.delay, chance);
                let leaves = when_answers(&scene.patient.slot(writer).place.system, at_ms);
                let there = self.answers(leaves.saturating_add(after));
                if self.is_recorded
                    && self.is_connected(scene, writer)
                    && carries(&self.sections, scene, section)
                    && let Some(there) = there
                {
                    self.copy.gets(there, chain, count);
                }
            }
            Event::Stopped(slot) => self.stopped |= 1 << slot,
            Event::Visited(_) => {}
        }
    }

    fn looks(&mut self, looker: Looker, scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        let slot = scene.patient.slot(looker.slot);
        let at = looker.at_ms;
        if !self.is_connected(scene, looker.slot)
            || self.answers(at) != Some(at)
            || !slot.place.system.has(at)
        {
            return Answer::None;
        }
        if self.stopped & (1 << looker.slot) != 0 {
            return Answer::Denied;
        }
        raise(versions, &self.copy.held, scene.log, looker.section);
        Answer::Seen
    }
    fn end(&mut self, _scene: &Scene<'_>, _told: &mut Told) {}
}
