//! All patients at once, in one world.

mod days;

use std::collections::{BTreeSet, VecDeque};

use kith_crdt::Section;
use kith_protocol::{
    id::{EventId, RecordId},
    store::{Item, Store},
};

use super::{
    arrivals::{Arrival, Awaited, Stop, What},
    checks::{Broken, Written},
    hosts::Nodes,
    replay::{Look, Recorded, Recording},
};
use crate::{
    Clock, HostId, Sight, World, document_named, event_of,
    host::text_stands,
    study::{
        carriers::Answer,
        chance::Chance,
        log::Log,
        pathways::{Act, Step, Trajectory, sections},
        patient::Patient,
        place::{Places, entity},
        scenario::Scenario,
        settings::Settings,
        times::{DAY_MS, HOUR_MS},
    },
};

/// What happens in the world.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// A patient's step.
    Step(usize, Step),
    /// An entry that waited for its system: of whom, by whom, in which chain, the how-manieth, and
    /// how long.
    Entry(usize, u8, usize, u32, u32),
    /// The record is shared with somebody whom the patient came by.
    Joins(usize, u8),
    /// A node goes up or down.
    Turns(usize, bool),
    /// Partitions begin or end.
    Parts,
    /// Whoever is up forgets what is loaded.
    Sleeps,
    /// A day ends: records into which something came are looked at.
    DayEnds,
    /// Two holders of a patient's record said that they have everything of each other, and had
    /// not: how often they were looked at since.
    Differs(usize, (usize, usize), u32),
}

/// Somebody who lives in the world.
struct Someone {
    patient: Patient,
    log: Log,
    record: Option<RecordId>,
    /// Who began the record.
    controller: u8,
    /// What each slot was granted.
    grants: Vec<Vec<EventId>>,
    looks: VecDeque<Look>,
    /// When what was written about them came to others.
    arrivals: VecDeque<Arrival>,
    stops: Vec<Stop>,
    /// How many entries of each chain were written into nodes.
    kept: Vec<u32>,
    /// What was written into nodes.
    written: Vec<Written>,
    /// How many entries there were when sharing with each slot was stopped, where it was.
    ended_after: Vec<Option<usize>>,
    /// What each node held when it was last looked at.
    held: Vec<(HostId, Vec<bool>)>,
}

/// A world while patients live in it.
pub struct Play<'a> {
    scenario: &'a Scenario,
    settings: &'a Settings,
    places: &'a Places<'a>,
    sections: Vec<Section>,
    world: World,
    nodes: Nodes,
    people: Vec<Someone>,
    agenda: Clock<Line>,
    /// When the year begins in the world, milliseconds since 1970 UTC.
    begins_ms: u64,
    bytes: Vec<u64>,
    frames: u64,
    /// Patients into whose records something came since they were looked at.
    touched: BTreeSet<usize>,
    broken: Option<Broken>,
    awaited: Awaited,
}

/// Records that a node has loaded are dropped this often and loaded again when they are touched:
/// less often costs memory, more often costs time.
const SLEEPS_EVERY_MS: u64 = 7 * DAY_MS;
/// Until everybody has what was shared at first.
const SETTLING_MS: u64 = HOUR_MS;

impl<'a> Play<'a> {
    /// Everybody is there, and has what was shared with them at first.
    pub fn of(scenario: &'a Scenario, settings: &'a Settings, places: &'a Places<'a>) -> Self {
        let mut play = Self {
            scenario,
            settings,
            places,
            sections: sections(scenario),
            world: World::new(settings.seed),
            nodes: Nodes::default(),
            people: Vec::new(),
            agenda: Clock::default(),
            begins_ms: 0,
            bytes: vec![0; scenario.organisations.len()],
            frames: 0,
            touched: BTreeSet::new(),
            broken: None,
            awaited: Awaited::default(),
        };
        play.world.arrived = Some(Vec::new());
        for number in 0..u64::from(scenario.patients) {
            play.is_registered(number);
        }
        play.world.run_for(SETTLING_MS);
        play.notes_arrivals();
        play.forgets_frames(false);
        play.begins_ms = play.world.now_ms();
        play
    }

    /// A patient's record begins, where anybody who takes part can begin it, and is shared.
    fn is_registered(&mut self, number: u64) {
        let patient = Patient::of(self.scenario, self.settings, self.places, number);
        let mut log = Log::default();
        log.begin(self.sections.len(), patient.slots.len());
        let takes_part: Vec<_> = (0_u8..)
            .zip(&patient.slots)
            .filter(|(_, slot)| slot.place.is_node && slot.is_shared)
            .map(|(n, _)| n)
            .collect();
        let mut someone = Someone {
            kept: vec![0; log.width()],
            written: Vec::new(),
            ended_after: vec![None; patient.slots.len()],
            held: Vec::new(),
            log,
            record: None,
            controller: takes_part.first().copied().unwrap_or(0),
            grants: vec![Vec::new(); patient.slots.len()],
            looks: VecDeque::new(),
            arrivals: VecDeque::new(),
            stops: Vec::new(),
            patient,
        };
        if !takes_part.is_empty() {
            let place = &someone.patient.slot(someone.controller).place;
            let node = self.nodes.at(place, &mut self.world);
            someone.record = Some(self.world.record(self.nodes.all[node].host));
        }
        let who = self.people.len();
        self.people.push(someone);
        for slot in takes_part.into_iter().skip(1) {
            self.joins(who, slot);
        }
    }

    /// The record is shared with a slot, which meets everybody else who has it.
    fn joins(&mut self, who: usize, slot: u8) {
        let someone = &mut self.people[who];
        let Some(record) = someone.record else {
            return;
        };
        let at = |slot: u8, nodes: &mut Nodes, world: &mut World| {
            nodes.at(&someone.patient.slot(slot).place, world)
        };
        let ours = at(someone.controller, &mut self.nodes, &mut self.world);
        let theirs = at(slot, &mut self.nodes, &mut self.world);
        let one = someone.patient.slot(slot);
        let sights: Vec<_> = self
            .sections
            .iter()
            .filter(|section| one.may_see(**section))
            .map(|section| Sight::sees(&format!("{section}:general")))
            .collect();
        let (from, to) = (self.nodes.all[ours].host, self.nodes.all[theirs].host);
        let grants = self.world.share(from, record, to, &sights);
        someone.grants[usize::from(slot)] = grants;
        someone.ended_after[usize::from(slot)] = None;
        self.touched.insert(who);
        let mut others = vec![someone.controller];
        others.extend(
            (0_u8..)
                .zip(&someone.grants)
                .filter(|(n, grants)| *n != slot && !grants.is_empty())
                .map(|(n, _)| n),
        );
        for other in others {
            let other = self
                .nodes
                .at(&someone.patient.slot(other).place, &mut self.world);
            let host = self.nodes.all[other].host;
            self.world.know(host, to, record);
            self.nodes
                .says_who_calls(other, theirs, self.places, &mut self.world);
            // A node learns of it when it gets to know somebody, whoever brought that about.
            self.world.changed(host);
            self.world.changed(to);
        }
    }

    /// The year passes.
    ///
    /// # Errors
    /// When something is at the end of a day that must not be.
    pub fn plays(mut self) -> Result<Recording, Broken> {
        self.plans();
        let mut left = self.agenda_end();
        while self.broken.is_none()
            && let Some(line) = self.agenda.next(left)
        {
            let at = self.agenda.now_ms() - self.agenda_begins();
            let until = self.begins_ms + at;
            self.world
                .run_for(until.saturating_sub(self.world.now_ms()));
            self.notes_arrivals();
            self.happens(at, line);
            self.forgets_frames(at >= self.settings.measured_from_ms);
            left = self.agenda_end();
        }
        self.touched.extend(0..self.people.len());
        self.looks_at_records();
        match self.broken.take() {
            Some(broken) => Err(broken),
            None => Ok(self.ends()),
        }
    }

    /// The agenda has a clock of its own, which begins where every clock does.
    fn agenda_begins(&self) -> u64 {
        Clock::<Line>::default().now_ms()
    }

    fn agenda_end(&self) -> u64 {
        self.agenda_begins() + self.settings.end_ms - 1
    }

    fn at(&mut self, at_ms: u64, line: Line) {
        if at_ms < self.settings.end_ms {
            let begins = self.agenda_begins();
            self.agenda.at(begins + at_ms, line);
        }
    }

    /// Everything that is known before: when nodes are up, when partitions are, what patients do.
    fn plans(&mut self) {
        for node in 0..self.nodes.all.len() {
            self.plans_node(node);
        }
        let parts: Vec<_> = self
            .places
            .partitions
            .iter()
            .flat_map(|(_, times)| times.spans())
            .copied()
            .collect();
        for (from, to) in parts {
            self.at(from, Line::Parts);
            self.at(to, Line::Parts);
        }
        for nth in 1..=self.settings.end_ms / SLEEPS_EVERY_MS {
            self.at(nth * SLEEPS_EVERY_MS - 1, Line::Sleeps);
        }
        self.plans_days();
        for who in 0..self.people.len() {
            let mut trajectory =
                Trajectory::of(self.scenario, self.settings, &self.people[who].patient);
            let mut steps = Vec::new();
            while let Some(step) = trajectory.next(&self.people[who].patient) {
                steps.push(step);
            }
            for step in steps {
                self.at(step.at_ms, Line::Step(who, step));
            }
        }
    }

    fn plans_node(&mut self, node: usize) {
        let up = self.nodes.all[node].up.clone();
        if up.is_always() {
            return;
        }
        if !up.has(0) {
            self.at(0, Line::Turns(node, false));
        }
        for (from, to) in up.spans() {
            self.at(*from, Line::Turns(node, true));
            self.at(*to, Line::Turns(node, false));
        }
    }

    fn happens(&mut self, at_ms: u64, line: Line) {
        match line {
            Line::Step(who, step) => self.steps(who, &step),
            Line::Entry(who, slot, chain, count, len) => {
                self.writes(who, slot, (chain, count, len));
            }
            Line::Joins(who, slot) => {
                if self.people[who].grants[usize::from(slot)].is_empty() {
                    let before = self.nodes.all.len();
                    self.joins(who, slot);
                    if self.nodes.all.len() > before {
                        self.plans_node(before);
                    }
                    self.brings_along(who, slot);
                }
            }
            Line::Turns(node, is_up) => self.turns(node, is_up),
            Line::Parts => self.nodes.part(at_ms, self.places, &mut self.world),
            Line::Sleeps => {
                for node in &self.nodes.all {
                    self.world.at(node.host).forget_loaded();
                }
            }
            Line::DayEnds => self.looks_at_records(),
            Line::Differs(who, pair, times) => self.looks_again(at_ms, who, pair, times),
        }
    }

    fn turns(&mut self, node: usize, is_up: bool) {
        let node = &mut self.nodes.all[node];
        if node.is_up == is_up {
            return;
        }
        node.is_up = is_up;
        if is_up {
            self.world.restart(node.host);
        } else {
            self.world.crash(node.host);
        }
    }

    fn steps(&mut self, who: usize, step: &Step) {
        let place = std::rc::Rc::clone(&self.people[who].patient.slot(step.slot).place);
        match step.act {
            Act::Write {
                section,
                len,
                is_material,
                ..
            } => {
                let someone = &mut self.people[who];
                let section = self
                    .sections
                    .binary_search(&section)
                    .expect("every section that is touched");
                let chain = someone.log.chain_of(section, usize::from(step.slot));
                let count = someone.log.write(chain, step.at_ms, len, is_material);
                let there = super::super::log::when_answers(&place.system, step.at_ms);
                if there == step.at_ms {
                    self.writes(who, step.slot, (chain, count, len));
                } else {
                    self.at(there, Line::Entry(who, step.slot, chain, count, len));
                }
            }
            Act::Read { section, .. } => {
                let section = self
                    .sections
                    .binary_search(&section)
                    .expect("every section that is touched");
                if self.people[who].log.has(section) {
                    let look = self.looks(who, step, section);
                    self.people[who].looks.push_back(look);
                }
            }
            Act::Visit => {
                let one = self.people[who].patient.slot(step.slot);
                if one.place.is_node && one.is_shared_at_visit {
                    let number = self.people[who].patient.number;
                    let entity = entity(usize::from(step.slot), number);
                    let mut chance = Chance::of(self.settings.seed, "share at a visit", entity);
                    let after = self
                        .settings
                        .ms(self.scenario.consent.visit_minutes, &mut chance);
                    self.at(
                        step.at_ms.saturating_add(after),
                        Line::Joins(who, step.slot),
                    );
                }
            }
            Act::Stop => self.stops(who, step.slot),
        }
    }

    fn is_member(&self, who: usize, slot: u8) -> bool {
        let someone = &self.people[who];
        someone.record.is_some()
            && (someone.controller == slot || !someone.grants[usize::from(slot)].is_empty())
    }

    /// An entry is written into the writer's node, where it has one.
    fn writes(&mut self, who: usize, slot: u8, (chain, count, len): (usize, u32, u32)) {
        if !self.is_member(who, slot) {
            return;
        }
        let someone = &mut self.people[who];
        let Some(record) = someone.record else {
            return;
        };
        let Some(node) = self.nodes.of(&someone.patient.slot(slot).place) else {
            return;
        };
        let section = self.sections[chain / someone.log.slots()];
        let said = format!("{chain}.{count} ");
        let host = self.nodes.all[node].host;
        let document = document_named(&format!("{section}:general"));
        let len = usize::try_from(len).unwrap_or(0) / text_stands(document.section);
        let text = format!("{said:x<len$}");
        let done = self
            .world
            .act(host, |host| host.note(record, &document, &text));
        if let (true, [Item::Entry { id, .. }]) = (done.is_kept(), done.items()) {
            someone.kept[chain] = someone.kept[chain].max(count);
            someone.written.push(Written {
                entry: *id,
                section,
                host,
            });
            self.touched.insert(who);
            self.awaited.entry(who, *id, chain, count);
            self.comes(self.world.now_ms(), host, who, What::Entry(chain, count));
        }
    }

    /// What somebody wrote before the record was shared with them goes in now.
    fn brings_along(&mut self, who: usize, slot: u8) {
        let sections = self.sections.len();
        for section in 0..sections {
            let someone = &self.people[who];
            let chain = someone.log.chain_of(section, usize::from(slot));
            let written = super::super::log::length(someone.log.chain(chain));
            let from = someone.kept[chain];
            for count in from + 1..=written {
                let someone = &self.people[who];
                let len = someone.log.bytes(chain, count - 1, count);
                self.writes(
                    who,
                    slot,
                    (chain, count, u32::try_from(len).unwrap_or(u32::MAX)),
                );
            }
        }
    }

    fn stops(&mut self, who: usize, slot: u8) {
        let someone = &mut self.people[who];
        let grants = std::mem::take(&mut someone.grants[usize::from(slot)]);
        let (Some(record), false) = (someone.record, grants.is_empty()) else {
            return;
        };
        someone.ended_after[usize::from(slot)] = Some(someone.written.len());
        self.touched.insert(who);
        let controller = someone.controller;
        let mut waiting: BTreeSet<_> = (0_u8..)
            .zip(&someone.grants)
            .filter(|(_, grants)| !grants.is_empty())
            .map(|(member, _)| member)
            .collect();
        waiting.insert(slot);
        waiting.remove(&controller);
        let now = self.world.now_ms();
        someone.stops.push(Stop {
            at_ms: now - self.begins_ms,
            slot,
            waiting,
        });
        let what = What::Stop(someone.stops.len() - 1);
        let place = &someone.patient.slot(controller).place;
        let Some(node) = self.nodes.of(place) else {
            return;
        };
        let host = self.nodes.all[node].host;
        for grant in grants {
            let done = self.world.act(host, |host| host.stop(record, grant));
            if let Some(event) = event_of(&done) {
                self.awaited.stop(who, event, what);
            }
        }
        self.comes(now, host, who, what);
    }

    /// Something of a patient's is at a host now: whoever of theirs has that host has it.
    fn comes(&mut self, world_ms: u64, host: HostId, who: usize, what: What) {
        let someone = &mut self.people[who];
        for (slot, one) in (0_u8..).zip(&someone.patient.slots) {
            let node = self.nodes.of(&one.place);
            if node.is_some_and(|node| self.nodes.all[node].host == host) {
                someone.arrivals.push_back(Arrival {
                    at_ms: world_ms.saturating_sub(self.begins_ms),
                    slot,
                    what,
                });
            }
        }
    }

    /// What somebody finds on their own node.
    fn looks(&mut self, who: usize, step: &Step, section: usize) -> Look {
        let someone = &self.people[who];
        let width = someone.log.width();
        let nothing = |answer| Look {
            answer,
            versions: vec![0; width],
        };
        let slot = someone.patient.slot(step.slot);
        if !slot.place.is_node || !slot.place.works.has(step.at_ms) {
            return nothing(Answer::None);
        }
        let (Some(node), Some(record)) = (self.nodes.of(&slot.place), someone.record) else {
            return nothing(Answer::Denied);
        };
        let host = self.nodes.all[node].host;
        let knows = self
            .world
            .at(host)
            .disk
            .records()
            .expect("a disk that reads")
            .contains(&record);
        if !knows {
            let was_granted = self.is_member(who, step.slot);
            return nothing(if was_granted {
                Answer::Seen
            } else {
                Answer::Denied
            });
        }
        let document = document_named(&format!("{}:general", self.sections[section]));
        let now = self.world.now_ms();
        let shown = self.world.at(host).texts_of(record, &document, now);
        let Some(texts) = shown.expect("a disk that reads") else {
            return nothing(Answer::Denied);
        };
        Look {
            answer: Answer::Seen,
            versions: versions(&texts, width),
        }
    }

    /// Notes what came to whom until now.
    fn notes_arrivals(&mut self) {
        for (world_ms, host, who, what) in self.awaited.come(&mut self.world) {
            self.comes(world_ms, host, who, what);
        }
    }

    /// Counts the bytes of frames and forgets them.
    fn forgets_frames(&mut self, counts: bool) {
        self.world.news.clear();
        for (from, to, frame) in self.world.frames.drain(..) {
            if counts {
                self.frames += 1;
                for end in [from, to] {
                    if let Some(kind) = self.nodes.kind_of(end) {
                        self.bytes[kind] += frame.len() as u64;
                    }
                }
            }
        }
    }

    /// What came of it. Entries that were taken and that no host shows any more are lost.
    fn ends(mut self) -> Recording {
        let mut lost = 0;
        let entries = self.people.iter().map(|one| one.written.len() as u64).sum();
        for someone in &self.people {
            let Some(record) = someone.record else {
                continue;
            };
            for (n, slot) in someone.patient.slots.iter().enumerate() {
                let written: Vec<_> = (0..self.sections.len())
                    .map(|section| someone.log.chain_of(section, n))
                    .filter(|chain| someone.kept[*chain] > 0)
                    .collect();
                let (Some(node), false) = (self.nodes.of(&slot.place), written.is_empty()) else {
                    continue;
                };
                let host = self.nodes.all[node].host;
                let texts = self.world.texts(host, record);
                self.world.at(host).forget_loaded();
                let held = versions(&texts, someone.log.width());
                lost += written
                    .iter()
                    .map(|chain| u64::from(someone.kept[*chain].saturating_sub(held[*chain])))
                    .sum::<u64>();
            }
        }
        let people = self.people.into_iter();
        Recording {
            entries,
            people: people
                .map(|someone| Recorded {
                    looks: someone.looks,
                    arrivals: someone.arrivals,
                    stops: someone.stops,
                })
                .collect(),
            bytes: self.bytes,
            frames: self.frames,
            lost,
        }
    }
}

/// How many entries of each chain are among texts, from the first on without a gap.
fn versions(texts: &[String], width: usize) -> Vec<u32> {
    let mut found = vec![Vec::new(); width];
    for text in texts {
        let name = text.split(' ').next().unwrap_or("");
        if let Some((chain, count)) = name.split_once('.')
            && let (Ok(chain), Ok(count)) = (chain.parse::<usize>(), count.parse::<u32>())
            && let Some(counts) = found.get_mut(chain)
        {
            counts.push(count);
        }
    }
    found
        .into_iter()
        .map(|mut counts| {
            counts.sort_unstable();
            counts.dedup();
            let whole = (1..).zip(&counts).take_while(|(n, count)| n == *count);
            u32::try_from(whole.count()).expect("as many as were written")
        })
        .collect()
}
