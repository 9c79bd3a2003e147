//! Letters, e-mails and notices: from whoever writes to named receivers, and no further.

use kith_crdt::Section;

use super::{Answer, Carrier, Event, Looker, Scene, Told, carries, raise};
use crate::study::{
    agenda::Agenda,
    chance::Chance,
    log::when_answers,
    scenario::Number,
    times::{DAY_MS, to_ms},
};

/// How letters travel.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    /// The share that is sent.
    pub sent: Number,
    /// The share that arrives on the same day; nothing where all take the delay.
    pub same_day: Option<Number>,
    /// Until the others arrive.
    pub delay: Number,
}

/// Letters about one patient.
///
/// A letter says all that its writer had written in the section until then.
pub struct Letters {
    name: String,
    sections: Vec<Section>,
    from: Vec<usize>,
    to: Vec<usize>,
    post: Post,
    chance: Option<Chance>,
    arrivals: Agenda<(usize, usize, u32)>,
    held: Vec<u32>,
}

impl Letters {
    /// Letters of a baseline.
    pub fn new(
        name: String,
        sections: Vec<Section>,
        (from, to): (Vec<usize>, Vec<usize>),
        post: Post,
    ) -> Self {
        Self {
            name,
            sections,
            from,
            to,
            post,
            chance: None,
            arrivals: Agenda::default(),
            held: Vec::new(),
        }
    }

    fn posts(&mut self, at_ms: u64, (chain, count): (usize, u32), scene: &Scene<'_>, writer: u8) {
        let Some(chance) = &mut self.chance else {
            return;
        };
        let settings = scene.settings;
        let leaves = when_answers(&scene.patient.slot(writer).place.system, at_ms);
        for (slot, one) in scene.patient.slots.iter().enumerate() {
            if one.is_outside || slot == usize::from(writer) || !self.to.contains(&one.place.kind) {
                continue;
            }
            let is_sent = settings.happens(self.post.sent, chance);
            let same_day = self
                .post
                .same_day
                .map_or(0.0, |share| settings.value(share));
            let is_same_day = chance.happens(same_day);
            let later = settings.ms(self.post.delay, chance);
            #[expect(clippy::cast_precision_loss, reason = "a day of milliseconds fits")]
            let today = to_ms(chance.unit() * (DAY_MS as f64));
            if is_sent && leaves != u64::MAX {
                let after = if is_same_day { today } else { later };
                self.arrivals
                    .at(leaves.saturating_add(after), (slot, chain, count));
            }
        }
    }
}

impl Carrier for Letters {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        let purpose = format!("letters of {}", self.name);
        self.chance = Some(Chance::of(
            scene.settings.seed,
            &purpose,
            scene.patient.number,
        ));
        self.arrivals.clear();
        self.held.clear();
        self.held.resize(scene.log.width() * scene.log.slots(), 0);
    }

    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        while let Some((at, (slot, chain, count))) = self.arrivals.next(until_ms) {
            told.events += 1;
            let held = &mut self.held[slot * scene.log.width() + chain];
            *held = count.max(*held);
            told.has(slot, chain, count, at);
            told.says(at, || {
                let name = scene
                    .patient
                    .slot(u8::try_from(slot).unwrap_or(0))
                    .place
                    .kind;
                let name = &scene.scenario.organisations[name].name;
                let section = scene.sections[chain / scene.log.slots()];
                format!("a letter about {section} reached the {name}")
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
        {
            let kind = scene.patient.slot(writer).place.kind;
            let is_from = self.from.is_empty() || self.from.contains(&kind);
            if is_from && carries(&self.sections, scene, section) {
                self.posts(at_ms, (chain, count), scene, writer);
            }
        }
    }

    fn looks(&mut self, looker: Looker, scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        let slot = scene.patient.slot(looker.slot);
        if !slot.place.system.has(looker.at_ms) {
            return Answer::None;
        }
        let width = scene.log.width();
        let held = usize::from(looker.slot) * width;
        raise(
            versions,
            &self.held[held..held + width],
            scene.log,
            looker.section,
        );
        Answer::Seen
    }
    fn end(&mut self, _scene: &Scene<'_>, _told: &mut Told) {}
}
