//! The federated record in the abstract: version vectors, meetings and a byte model.
//!
//! Whoever holds a copy gives what it has to whoever may have it and lacks it, as soon as both are
//! on the network and reach each other, and those give it on. What two say when they meet is not
//! simulated; what it costs is added up.

mod spread;

use super::{Answer, Carrier, Event, Looker, Scene, Told, raise};
use crate::study::{
    agenda::Agenda, chance::Chance, log::when_answers, metric::Counter, scenario::Number,
    times::HOUR_MS,
};

/// What is to happen to copies.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// What somebody wrote is in its node.
    Own(usize),
    /// One gives another what it lacks.
    Gives(usize, usize),
    /// Somebody is shared with from now on.
    Joins(usize),
    /// A device with its copy is gone.
    Lost(usize),
    /// Something is mended.
    Mended,
}

/// A stop of sharing, and who has yet to learn of it.
#[derive(Clone, Copy, Debug)]
struct Stop {
    at_ms: u64,
    slot: usize,
    /// Who held a copy then, as bits.
    waiting: u32,
}

/// Copies that differed when something was mended.
#[derive(Clone, Debug)]
struct Healing {
    at_ms: u64,
    target: Vec<u32>,
    waiting: u32,
}

/// The copies of one patient's record.
#[derive(Default)]
pub struct Federated {
    agenda: Agenda<Line>,
    held: Vec<u32>,
    width: usize,
    /// Who takes part, as bits by slot.
    members: u32,
    /// Who began the record: the first who took part.
    controller: Option<usize>,
    /// Who keeps a copy.
    holders: u32,
    /// Who reaches whom: for each slot, bits.
    reached: Vec<u32>,
    /// When the next gift from one to another is, by their places.
    pending: Vec<Option<u64>>,
    /// Which chains each slot may see, by section.
    sees: Vec<bool>,
    stops: Vec<Stop>,
    /// Which stops each slot knows, as bits.
    knows: Vec<u32>,
    healings: Vec<Healing>,
    loss: Option<Chance>,
    bytes: Option<ByteModel>,
    links: Vec<LinkModel>,
}

/// What is sent beside what was written, bytes.
#[derive(Clone, Copy, Debug)]
struct ByteModel {
    envelope: u64,
    meeting: u64,
}

/// What is between two slots.
#[derive(Clone, Copy, Debug)]
struct LinkModel {
    latency: Number,
    bytes_per_ms: f64,
    loss: f64,
}

/// Until something that was lost is sent again, milliseconds.
const AGAIN_MS: u64 = 1_000;

impl Federated {
    fn is_member(&self, slot: usize) -> bool {
        self.members & (1 << slot) != 0
    }

    fn held(&self, slot: usize) -> &[u32] {
        &self.held[slot * self.width..(slot + 1) * self.width]
    }

    /// Sets out who takes part when nothing has happened yet.
    fn sets_out(&mut self, scene: &Scene<'_>) {
        let slots = &scene.patient.slots;
        let count = slots.len();
        self.width = scene.log.width();
        self.held.clear();
        self.held.resize(self.width * count, 0);
        self.pending.clear();
        self.pending.resize(count * count, None);
        self.knows.clear();
        self.knows.resize(count, 0);
        self.stops.clear();
        self.healings.clear();
        self.agenda.clear();
        self.sees.clear();
        self.reached.clear();
        self.links.clear();
        (self.members, self.holders) = (0, 0);
        for (slot, one) in slots.iter().enumerate() {
            self.members |= u32::from(one.place.is_node && one.is_shared) << slot;
            self.holders |= u32::from(one.holds) << slot;
            self.sees
                .extend(scene.sections.iter().map(|section| one.may_see(*section)));
            let mut reached = 0;
            for (other, two) in slots.iter().enumerate() {
                if other != slot && scene.places.reach(&one.place, &two.place) {
                    reached |= 1 << other;
                }
                self.links
                    .push(spread::link(scene, one.place.kind, two.place.kind));
            }
            self.reached.push(reached);
            for at in &one.place.losses {
                self.agenda.at(*at, Line::Lost(slot));
            }
        }
        self.controller = (0..count).find(|slot| self.is_member(*slot));
        if self.controller.is_some() {
            for at in &scene.places.heals {
                self.agenda.at(*at, Line::Mended);
            }
        }
    }

    /// A slot has so much of a chain.
    fn gets(&mut self, slot: usize, chain: usize, count: u32, at_ms: u64, told: &mut Told) {
        let held = &mut self.held[slot * self.width + chain];
        if *held < count {
            *held = count;
            if !told.is_quiet() {
                told.has(slot, chain, count, at_ms);
            }
        }
    }

    fn own(&mut self, slot: usize, at_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        for section in 0..scene.log.sections() {
            let chain = scene.log.chain_of(section, slot);
            let count = super::super::log::length(scene.log.chain(chain));
            self.gets(slot, chain, count, at_ms, told);
        }
        self.spreads(slot, at_ms, scene);
    }

    fn stops(&mut self, slot: u8, at_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        let slot = usize::from(slot);
        // Whoever began the record signs for the patient.
        let Some(controller) = self.controller else {
            return;
        };
        if slot == controller || !self.is_member(slot) || self.stops.len() == 32 {
            return;
        }
        let bit = 1 << self.stops.len();
        let waiting = self.members & self.holders & !(1 << controller);
        self.stops.push(Stop {
            at_ms,
            slot,
            waiting,
        });
        self.knows[controller] |= bit;
        if told.counts(at_ms) {
            for (other, one) in scene.patient.slots.iter().enumerate() {
                if waiting & (1 << other) != 0 {
                    told.tally
                        .add(Counter::Stops, (one.place.kind, told.group), 1);
                }
            }
        }
        self.spreads(controller, at_ms, scene);
    }

    /// A slot learns of stops.
    fn learns(&mut self, slot: usize, known: u32, at_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        let new = known & !self.knows[slot];
        self.knows[slot] |= new;
        for (n, stop) in self.stops.iter().enumerate() {
            if new & (1 << n) == 0 {
                continue;
            }
            if told.counts(stop.at_ms) && stop.waiting & (1 << slot) != 0 {
                let counters = [
                    Counter::StopsInHour,
                    Counter::StopsInDay,
                    Counter::StopsKnown,
                    Counter::StopsMs,
                ];
                let kind = scene.patient.slots[slot].place.kind;
                told.tally
                    .add_lasting(counters, (kind, told.group), at_ms - stop.at_ms);
            }
            if stop.slot == slot {
                self.members &= !(1 << slot);
            }
        }
    }

    /// A device is gone: what only it had is lost, and its successor is given everything again.
    fn loses(&mut self, slot: usize, at_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        if !self.is_member(slot) {
            return;
        }
        let mut lost = 0;
        for section in 0..scene.log.sections() {
            let chain = scene.log.chain_of(section, slot);
            let written = self.held(slot)[chain];
            let others = (0..scene.patient.slots.len()).filter(|other| *other != slot);
            let kept = others
                .map(|other| self.held(other)[chain])
                .max()
                .unwrap_or(0);
            lost += u64::from(written.saturating_sub(kept));
        }
        let kind = scene.patient.slots[slot].place.kind;
        // An organisation writes into its own system too, which is not on the device.
        if scene.scenario.organisations[kind].supplier.is_none() {
            told.tally.add(Counter::Lost, (kind, told.group), lost);
        }
        self.held[slot * self.width..(slot + 1) * self.width].fill(0);
        told.says(at_ms, || {
            format!(
                "the device of the {} was lost",
                scene.scenario.organisations[kind].name
            )
        });
        self.bring_up(slot, at_ms, scene);
    }

    fn mends(&mut self, at_ms: u64, scene: &Scene<'_>, told: &Told) {
        if !told.counts(at_ms) {
            return;
        }
        let mut target = vec![0; self.width];
        for (slot, one) in scene.patient.slots.iter().enumerate() {
            for section in 0..scene.log.sections() {
                let chain = scene.log.chain_of(section, slot);
                if self.is_member(slot) && one.place.is_node {
                    target[chain] = super::super::log::length(scene.log.chain(chain));
                }
            }
        }
        let waiting = (0..scene.patient.slots.len())
            .filter(|slot| self.is_member(*slot) && self.holders & (1 << slot) != 0)
            .filter(|slot| self.lacks(*slot, &target, scene))
            .fold(0, |bits, slot| bits | 1 << slot);
        if waiting != 0 {
            self.healings.push(Healing {
                at_ms,
                target,
                waiting,
            });
        }
    }

    /// Whether a slot lacks something of versions that it may see.
    fn lacks(&self, slot: usize, versions: &[u32], scene: &Scene<'_>) -> bool {
        let (slots, sections) = (scene.log.slots(), scene.log.sections());
        (0..sections).any(|section| {
            let chains = section * slots..(section + 1) * slots;
            self.sees[slot * sections + section]
                && chains
                    .clone()
                    .any(|chain| self.held(slot)[chain] < versions[chain])
        })
    }

    fn heals(&mut self, slot: usize, at_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        let mut healings = std::mem::take(&mut self.healings);
        healings.retain_mut(|one| {
            if !self.lacks(slot, &one.target, scene) {
                one.waiting &= !(1 << slot);
            }
            if one.waiting == 0 {
                healed(Some(at_ms - one.at_ms), scene, told);
            }
            one.waiting != 0
        });
        self.healings = healings;
    }
}

/// Copies that differed are equal after so long, or never.
fn healed(after_ms: Option<u64>, scene: &Scene<'_>, told: &mut Told) {
    let of = (scene.patient.slots[0].place.kind, told.group);
    told.tally.add(Counter::Heals, of, 1);
    let Some(ms) = after_ms else {
        return;
    };
    if ms <= 24 * HOUR_MS {
        told.tally.add(Counter::HealedInDay, of, 1);
    }
    told.tally.add(Counter::Healed, of, 1);
    told.tally.add(Counter::HealedMs, of, ms);
}

impl Carrier for Federated {
    fn begin(&mut self, scene: &Scene<'_>, _told: &mut Told) {
        let settings = scene.settings;
        let of = &scene.scenario.federated;
        self.bytes.get_or_insert_with(|| {
            let mut chance = Chance::of(settings.seed, "byte model", 0);
            ByteModel {
                envelope: u64::from(settings.len(of.envelope, &mut chance)),
                meeting: u64::from(settings.len(of.meeting, &mut chance)),
            }
        });
        self.loss = Some(Chance::of(settings.seed, "federated", scene.patient.number));
        self.sets_out(scene);
    }

    fn advance(&mut self, until_ms: u64, scene: &Scene<'_>, told: &mut Told) {
        while let Some((at, line)) = self.agenda.next(until_ms) {
            told.events += 1;
            match line {
                Line::Own(slot) => self.own(slot, at, scene, told),
                Line::Gives(from, to) => self.gives(from, to, at, scene, told),
                Line::Joins(slot) => {
                    self.members |= 1 << slot;
                    self.bring_up(slot, at, scene);
                    // What it wrote before, in its own system, it can give now.
                    self.own(slot, at, scene, told);
                }
                Line::Lost(slot) => self.loses(slot, at, scene, told),
                Line::Mended => self.mends(at, scene, told),
            }
        }
    }

    fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>, told: &mut Told) {
        match event {
            Event::Written {
                chain,
                count,
                writer,
                ..
            } => {
                let slot = usize::from(writer);
                let place = &scene.patient.slots[slot].place;
                if !self.is_member(slot) {
                    return;
                }
                let there = when_answers(&place.system, at_ms);
                if there == at_ms {
                    self.gets(slot, chain, count, at_ms, told);
                    self.spreads(slot, at_ms, scene);
                } else if there != u64::MAX {
                    self.agenda.at(there, Line::Own(slot));
                }
            }
            Event::Visited(slot) => {
                let one = scene.patient.slot(slot);
                if one.place.is_node && one.is_shared_at_visit && !self.is_member(usize::from(slot))
                {
                    let mut chance = Chance::of(
                        scene.settings.seed,
                        "share at a visit",
                        super::super::place::entity(usize::from(slot), scene.patient.number),
                    );
                    let after = scene
                        .settings
                        .ms(scene.scenario.consent.visit_minutes, &mut chance);
                    self.agenda
                        .at(at_ms.saturating_add(after), Line::Joins(usize::from(slot)));
                }
            }
            Event::Stopped(slot) => self.stops(slot, at_ms, scene, told),
        }
    }

    fn looks(&mut self, looker: Looker, scene: &Scene<'_>, versions: &mut [u32]) -> Answer {
        let slot = usize::from(looker.slot);
        let place = &scene.patient.slots[slot].place;
        if !place.is_node || !place.works.has(looker.at_ms) {
            return Answer::None;
        }
        let sees = self.sees[slot * scene.log.sections() + looker.section];
        if !self.is_member(slot) || !sees {
            return Answer::Denied;
        }
        if self.holders & (1 << slot) != 0 {
            raise(versions, self.held(slot), scene.log, looker.section);
            return Answer::Seen;
        }
        // Whoever keeps no copy asks all who do and can be reached now.
        let mut answer = Answer::None;
        for other in 0..scene.patient.slots.len() {
            let is_asked = other != slot
                && self.is_member(other)
                && self.holders & (1 << other) != 0
                && self.reached[slot] & (1 << other) != 0;
            let two = &scene.patient.slots[other].place;
            if is_asked && scene.places.meet(place, two, looker.at_ms) == Some(looker.at_ms) {
                raise(versions, self.held(other), scene.log, looker.section);
                answer = Answer::Seen;
            }
        }
        answer
    }
    fn end(&mut self, scene: &Scene<'_>, told: &mut Told) {
        for _ in self.healings.drain(..) {
            healed(None, scene, told);
        }
    }
}
