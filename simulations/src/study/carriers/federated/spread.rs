//! Who gives what to whom, when, and for how many bytes.

use super::{AGAIN_MS, Federated, Line, LinkModel, Scene, Told};
use crate::study::{metric::Counter, times::to_ms};

/// What is between two kinds of organisations.
pub(super) fn link(scene: &Scene<'_>, a: usize, b: usize) -> LinkModel {
    let links = &scene.scenario.links;
    let own = links
        .iter()
        .find(|link| link.between == Some((a, b)) || link.between == Some((b, a)));
    let any = links.iter().find(|link| link.between.is_none());
    let link = own
        .or(any)
        .expect("a scenario has a link for whoever has none");
    LinkModel {
        latency: link.latency,
        bytes_per_ms: scene.settings.value(link.bandwidth) / 8.0,
        loss: scene.settings.value(link.loss).min(0.99),
    }
}

impl Federated {
    /// Whoever lacks something that a slot has gets it from there, unless it comes sooner from
    /// somebody else.
    pub(super) fn spreads(&mut self, from: usize, at_ms: u64, scene: &Scene<'_>) {
        for to in 0..scene.patient.slots.len() {
            self.offers(from, to, at_ms, scene);
        }
    }

    /// A slot gets what it may have from all who have it.
    pub(super) fn bring_up(&mut self, to: usize, at_ms: u64, scene: &Scene<'_>) {
        for from in 0..scene.patient.slots.len() {
            self.offers(from, to, at_ms, scene);
        }
    }

    fn offers(&mut self, from: usize, to: usize, at_ms: u64, scene: &Scene<'_>) {
        let count = scene.patient.slots.len();
        let is_possible = from != to
            && self.is_member(from)
            && self.is_member(to)
            && self.holders & (1 << to) != 0
            && self.reached[from] & (1 << to) != 0
            && self.pending[from * count + to].is_none();
        if !is_possible || !self.has_for(from, to, scene) {
            return;
        }
        let (one, two) = (
            &scene.patient.slots[from].place,
            &scene.patient.slots[to].place,
        );
        let Some(meet) = scene.places.meet(one, two, at_ms) else {
            return;
        };
        let at = meet.saturating_add(self.delay_ms(from, to, meet > at_ms, scene));
        let comes_sooner = (0..count).any(|other| {
            self.pending[other * count + to].is_some_and(|sooner| sooner <= at)
                && !self.other_lacks(other, from, to, scene)
        });
        if !comes_sooner {
            self.pending[from * count + to] = Some(at);
            self.agenda.at(at, Line::Gives(from, to));
        }
    }

    /// Whether one has something that another may have and lacks.
    fn has_for(&self, from: usize, to: usize, scene: &Scene<'_>) -> bool {
        if self.knows[from] & !self.knows[to] != 0 {
            return true;
        }
        !self.is_stopped(from, to) && self.lacks(to, self.held(from), scene)
    }

    /// Whether a third lacks something that one has for another.
    fn other_lacks(&self, other: usize, from: usize, to: usize, scene: &Scene<'_>) -> bool {
        if self.knows[from] & !self.knows[to] & !self.knows[other] != 0 {
            return true;
        }
        let (slots, sections) = (scene.log.slots(), scene.log.sections());
        (0..sections).any(|section| {
            let mut chains = section * slots..(section + 1) * slots;
            self.sees[to * sections + section]
                && chains.any(|chain| {
                    let has = self.held(from)[chain];
                    has > self.held(to)[chain] && has > self.held(other)[chain]
                })
        })
    }

    /// Whether one knows that sharing with another was stopped.
    fn is_stopped(&self, from: usize, to: usize) -> bool {
        let stops = self.stops.iter().enumerate();
        let mut known = stops.filter(|(n, _)| self.knows[from] & (1 << n) != 0);
        known.any(|(_, stop)| stop.slot == to)
    }

    fn delay_ms(&mut self, from: usize, to: usize, waited: bool, scene: &Scene<'_>) -> u64 {
        let link = self.links[from * scene.patient.slots.len() + to];
        let settings = scene.settings;
        let Some(chance) = &mut self.loss else {
            return 0;
        };
        let mut delay = settings.ms(link.latency, chance);
        if waited {
            delay += settings.ms(scene.scenario.federated.reconnect, chance);
        }
        if link.loss > 0.0 {
            while chance.happens(link.loss) {
                delay += AGAIN_MS;
            }
        }
        let bytes = self.bytes_between(from, to, scene).1;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53 bytes")]
        let transfer = bytes as f64 / link.bytes_per_ms;
        delay + to_ms(transfer)
    }

    /// How many entries one has that another may have and lacks, and their bytes.
    fn bytes_between(&self, from: usize, to: usize, scene: &Scene<'_>) -> (u64, u64) {
        let (slots, sections) = (scene.log.slots(), scene.log.sections());
        let (mut entries, mut bytes) = (0, 0);
        for section in (0..sections).filter(|section| self.sees[to * sections + section]) {
            for chain in section * slots..(section + 1) * slots {
                let (has, lacks) = (self.held(from)[chain], self.held(to)[chain]);
                if has > lacks {
                    entries += u64::from(has - lacks);
                    bytes += scene.log.bytes(chain, lacks, has);
                }
            }
        }
        let envelope = self.bytes.map_or(0, |model| model.envelope);
        (entries, bytes + entries * envelope)
    }

    /// One gives another what it lacks now.
    pub(super) fn gives(
        &mut self,
        from: usize,
        to: usize,
        at_ms: u64,
        scene: &Scene<'_>,
        told: &mut Told,
    ) {
        let count = scene.patient.slots.len();
        let planned = self.pending[from * count + to].take();
        if !self.is_member(from) || !self.is_member(to) || planned.is_none() {
            return;
        }
        let known = self.knows[from];
        let mut entries = 0;
        if !self.is_stopped(from, to) {
            let (new, bytes) = self.bytes_between(from, to, scene);
            entries = new;
            if new > 0 {
                let meeting = self.bytes.map_or(0, |model| model.meeting);
                self.counts_bytes([from, to], bytes + meeting, at_ms, scene, told);
                self.takes_all(from, to, at_ms, scene, told);
            }
        }
        let learnt = known & !self.knows[to];
        if learnt != 0 {
            self.learns(to, known, at_ms, scene, told);
        }
        if entries > 0 || learnt != 0 {
            told.says(at_ms, || {
                let name = |slot: usize| {
                    let kind = scene.patient.slots[slot].place.kind;
                    &scene.scenario.organisations[kind].name
                };
                {
                    let what = match entries {
                        0 => "word of a stop".to_owned(),
                        1 => "an entry".to_owned(),
                        more => format!("{more} entries"),
                    };
                    format!(
                        "the node of the {} got {what} from the {}",
                        name(to),
                        name(from)
                    )
                }
            });
            if !self.healings.is_empty() {
                self.heals(to, at_ms, scene, told);
            }
            self.spreads(to, at_ms, scene);
        }
    }

    fn takes_all(
        &mut self,
        from: usize,
        to: usize,
        at_ms: u64,
        scene: &Scene<'_>,
        told: &mut Told,
    ) {
        let (slots, sections) = (scene.log.slots(), scene.log.sections());
        for section in 0..sections {
            if self.sees[to * sections + section] {
                for chain in section * slots..(section + 1) * slots {
                    let has = self.held(from)[chain];
                    self.gets(to, chain, has, at_ms, told);
                }
            }
        }
    }

    fn counts_bytes(
        &self,
        ends: [usize; 2],
        bytes: u64,
        at_ms: u64,
        scene: &Scene<'_>,
        told: &mut Told,
    ) {
        if at_ms < told.counted_from_ms {
            return;
        }
        for slot in ends {
            let kind = scene.patient.slots[slot].place.kind;
            told.tally.add(Counter::Bytes, (kind, told.group), bytes);
        }
    }
}
