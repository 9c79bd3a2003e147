//! A copy on paper at the patient's home.

use kith_crdt::Section;

use super::{Answer, Carrier, Event, Looker, Scene, Told, carries, copy::OneCopy, raise};
use crate::study::{chance::Chance, scenario::Number};

/// The copy.
pub struct Paper {
    sections: Vec<Section>,
    delay: Number,
    replaced: Number,
    found: Number,
    travels: Number,
    chances: Option<[Chance; 2]>,
    copy: OneCopy,
}

impl Paper {
    /// Paper of a baseline: until it is there, the share that is put there, is found, comes along.
    pub fn new(sections: Vec<Section>, [delay, replaced, found, travels]: [Number; 4]) -> Self {
        Self {
            sections,
            delay,
            replaced,
            found,
            travels,
            chances: None,
            copy: OneCopy::default(),
        }
    }
}

impl Carrier for Paper {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        let stream = |purpose| Chance::of(scene.settings.seed, purpose, scene.patient.number);
        self.chances = Some([stream("paper is put"), stream("paper is found")]);
        self.copy.begin(scene.log);
    }

    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        while let Some((at, chain, _)) = self.copy.next(until_ms, told) {
            told.says(at, || {
                let section = scene.sections[chain / scene.log.slots()];
                format!("a paper copy of {section} was put into the home")
            });
        }
    }

    fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>, _told: &mut Told) {
        if let Event::Written {
            chain,
            count,
            section,
            ..
        } = event
            && carries(&self.sections, scene, section)
            && let Some([chance, _]) = &mut self.chances
        {
            let is_put = scene.settings.happens(self.replaced, chance);
            let after = scene.settings.ms(self.delay, chance);
            // The first copy is always made: there is nothing that it could be mistaken for.
            let is_first = scene.log.written() == 1 || self.copy.held.iter().all(|held| *held == 0);
            if is_put || is_first {
                self.copy.gets(at_ms.saturating_add(after), chain, count);
            }
        }
    }

    fn looks(&mut self, looker: Looker, scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        let Some([_, chance]) = &mut self.chances else {
            return Answer::None;
        };
        let share = if looker.is_at_home {
            self.found
        } else {
            self.travels
        };
        if !scene.settings.happens(share, chance) || !carries(&self.sections, scene, looker.section)
        {
            return Answer::None;
        }
        raise(versions, &self.copy.held, scene.log, looker.section);
        Answer::Seen
    }
    fn end(&mut self, _scene: &Scene<'_>, _told: &mut Told) {}
}
