//! A file of what a database holds, sent now and then to those who keep a copy of their own.

use kith_crdt::Section;

use super::{
    Answer, Carrier, Event, Looker, Scene, Told, carries, central::is_recorded, copy::OneCopy,
    raise,
};
use crate::study::{log::when_answers, scenario::Number, times::HOUR_MS};

/// The file, as far as one patient goes.
pub struct Batch {
    sections: Vec<Section>,
    to: Vec<usize>,
    recorded: Number,
    every: Number,
    is_recorded: bool,
    copy: OneCopy,
}

impl Batch {
    /// The file of a baseline: who gets it, who is recorded in it, how far two of them are apart.
    pub fn new(sections: Vec<Section>, to: Vec<usize>, recorded: Number, every: Number) -> Self {
        Self {
            sections,
            to,
            recorded,
            every,
            is_recorded: false,
            copy: OneCopy::default(),
        }
    }
}

impl Carrier for Batch {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        self.is_recorded = is_recorded(self.recorded, scene);
        self.copy.begin(scene.log);
    }

    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        while let Some((at, chain, count)) = self.copy.next(until_ms, told) {
            for (slot, one) in scene.patient.slots.iter().enumerate() {
                if self.to.contains(&one.place.kind) {
                    told.has(slot, chain, count, at);
                }
            }
            told.says(at, || {
                let section = scene.sections[chain / scene.log.slots()];
                format!("the next file took what was written in {section} along")
            });
        }
    }

    fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>, _told: &mut Told) {
        if let Event::Written {
            chain,
            count,
            writer,
            section,
        } = event
            && self.is_recorded
            && carries(&self.sections, scene, section)
        {
            let every = scene.settings.mean(self.every);
            #[expect(clippy::cast_precision_loss, reason = "an hour of milliseconds fits")]
            let every = super::super::times::to_ms(every * HOUR_MS as f64).max(1);
            let leaves = when_answers(&scene.patient.slot(writer).place.system, at_ms);
            if leaves != u64::MAX {
                self.copy.gets(leaves.div_ceil(every) * every, chain, count);
            }
        }
    }

    fn looks(&mut self, looker: Looker, scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        if !self
            .to
            .contains(&scene.patient.slot(looker.slot).place.kind)
        {
            return Answer::None;
        }
        raise(versions, &self.copy.held, scene.log, looker.section);
        Answer::Seen
    }
    fn end(&mut self, _scene: &Scene<'_>, _told: &mut Told) {}
}
