//! What happens to a patient: pathways as small state machines, each a file.
//!
//! A state says what happens when it is entered and which states follow when. Nothing here knows of
//! arms, adoption or consent, so that the same seed gives a patient the same year everywhere.

pub mod end_of_life;
pub mod hand_over;
pub mod order;
pub mod routine;
pub mod virtual_ward;
pub mod visit;

use kith_crdt::Section;

use super::{
    agenda::Agenda,
    chance::Chance,
    patient::Patient,
    scenario::{EventsFile, Pathway, Row, RowKind, Scenario, Workload},
    settings::Settings,
};

/// Somebody writes or needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, milliseconds.
    pub at_ms: u64,
    /// Who.
    pub slot: u8,
    /// What.
    pub act: Act,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Writes an entry.
    Write {
        /// Where.
        section: Section,
        /// How long, bytes.
        len: u32,
        /// Whether everybody who cares has to be told.
        is_notice: bool,
        /// Whether acting on what was before is wrong from now on.
        is_material: bool,
    },
    /// Needs to know what stands in a section.
    Read {
        /// Where.
        section: Section,
        /// Whether it is at the patient's home.
        is_at_home: bool,
    },
    /// The patient is there who does not usually come.
    Visit,
    /// The patient stops sharing with them.
    Stop,
}

/// A state of one of the pathways.
#[derive(Clone, Copy, Debug)]
pub enum State {
    /// Of [`end_of_life`].
    EndOfLife(end_of_life::State),
    /// Of [`visit`].
    Visit(visit::State),
    /// Of [`order`].
    Order(order::State),
    /// Of [`hand_over`].
    HandOver(hand_over::State),
    /// Of [`virtual_ward`].
    VirtualWard(virtual_ward::State),
    /// Of [`routine`].
    Routine(routine::State),
    /// The line of a file of events.
    Row(usize),
    /// The patient stops sharing with somebody.
    Stops,
}

/// What a state may do: say what happens, and which states follow.
pub struct Turn<'a> {
    /// When.
    pub now_ms: u64,
    /// The numbers of the run.
    pub settings: &'a Settings,
    /// The patient.
    pub patient: &'a Patient,
    /// The stream of this patient and pathway.
    pub chance: &'a mut Chance,
    rate: f64,
    steps: &'a mut Vec<Step>,
    agenda: &'a mut Agenda<(usize, State)>,
    workload: usize,
}

impl Turn<'_> {
    /// Nothing more of this patient's pathway happens.
    pub fn end(&mut self) {
        let workload = self.workload;
        self.agenda.keep(|(of, _)| *of != workload);
    }

    /// Another state follows.
    pub fn then(&mut self, after_ms: u64, state: State) {
        self.agenda
            .at(self.now_ms.saturating_add(after_ms), (self.workload, state));
    }

    /// The pathway begins again some time.
    pub fn again(&mut self, state: State) {
        if let Some(after) = self.settings.until_next(self.rate, self.chance) {
            self.then(after, state);
        }
    }

    /// Something happens so often a year, as with everything that happens to this patient.
    pub fn after(&mut self, per_year: f64, state: State) {
        if let Some(after) = self
            .settings
            .until_next(per_year * self.patient.events, self.chance)
        {
            self.then(after, state);
        }
    }

    /// Whom the patient meets when one of a kind is needed; whoever does not usually see the
    /// patient gets to know of the visit.
    pub fn meets(&mut self, kind: usize) -> Option<u8> {
        let slot = self.patient.visits(kind, self.chance)?;
        if self.patient.slot(slot).is_outside {
            self.does(slot, Act::Visit);
        }
        Some(slot)
    }

    /// Somebody does something.
    pub fn does(&mut self, slot: u8, act: Act) {
        self.steps.push(Step {
            at_ms: self.now_ms,
            slot,
            act,
        });
    }

    /// Somebody writes an entry.
    pub fn writes(&mut self, slot: u8, section: Section, len: u32, is_material: bool) {
        self.does(
            slot,
            Act::Write {
                section,
                len,
                is_notice: false,
                is_material,
            },
        );
    }

    /// Somebody writes an entry of which everybody has to be told.
    pub fn gives_notice(&mut self, slot: u8, section: Section, len: u32) {
        self.does(
            slot,
            Act::Write {
                section,
                len,
                is_notice: true,
                is_material: false,
            },
        );
    }

    /// Somebody needs to know.
    pub fn reads(&mut self, slot: u8, sections: &[Section], is_at_home: bool) {
        for section in sections {
            self.does(
                slot,
                Act::Read {
                    section: *section,
                    is_at_home,
                },
            );
        }
    }
}

/// One patient's year, a step after the other.
pub struct Trajectory<'a> {
    scenario: &'a Scenario,
    settings: &'a Settings,
    chances: Vec<Chance>,
    agenda: Agenda<(usize, State)>,
    steps: Vec<Step>,
    given: usize,
}

impl<'a> Trajectory<'a> {
    /// The year of a patient.
    pub fn of(scenario: &'a Scenario, settings: &'a Settings, patient: &Patient) -> Self {
        let mut trajectory = Self {
            scenario,
            settings,
            chances: Vec::new(),
            agenda: Agenda::default(),
            steps: Vec::new(),
            given: 0,
        };
        for (n, workload) in scenario.workloads.iter().enumerate() {
            let entity = ((n as u64) << 40) | patient.number;
            let mut chance = Chance::of(settings.seed, "pathway", entity);
            if is_on(workload, settings, patient, &mut chance)
                && let Some((after, state)) = first(workload, settings, patient, &mut chance)
            {
                trajectory.agenda.at(after, (n, state));
            }
            trajectory.chances.push(chance);
        }
        let mut chance = Chance::of(settings.seed, "stops", patient.number);
        let stops = settings.value(scenario.consent.stops);
        if let Some(after) = settings.until_next(stops, &mut chance) {
            trajectory
                .agenda
                .at(after, (scenario.workloads.len(), State::Stops));
        }
        trajectory.chances.push(chance);
        trajectory
    }

    /// What happens next, before the end of the run.
    pub fn next(&mut self, patient: &Patient) -> Option<Step> {
        while self.given == self.steps.len() {
            self.steps.clear();
            self.given = 0;
            let (now_ms, (workload, state)) = self.agenda.next(self.settings.end_ms - 1)?;
            let mut turn = Turn {
                now_ms,
                settings: self.settings,
                patient,
                chance: &mut self.chances[workload],
                rate: 0.0,
                steps: &mut self.steps,
                agenda: &mut self.agenda,
                workload,
            };
            match self.scenario.workloads.get(workload) {
                Some(of) => {
                    turn.rate = self.settings.value(of.rate) * patient.events;
                    enter(of, state, &mut turn);
                }
                None => stops(self.scenario, &mut turn),
            }
        }
        self.given += 1;
        Some(self.steps[self.given - 1])
    }
}

fn is_on(workload: &Workload, settings: &Settings, patient: &Patient, chance: &mut Chance) -> bool {
    let is_drawn = settings.happens(workload.share, chance);
    is_drawn && (workload.groups.is_empty() || workload.groups.contains(&patient.group))
}

/// How a pathway begins: after how long, and with which state.
fn first(
    workload: &Workload,
    settings: &Settings,
    patient: &Patient,
    chance: &mut Chance,
) -> Option<(u64, State)> {
    let rate = settings.value(workload.rate) * patient.events;
    let state = match &workload.pathway {
        Pathway::EndOfLife { begins, .. } => {
            let after = settings.ms(*begins, chance);
            return Some((after, State::EndOfLife(end_of_life::State::Planned)));
        }
        Pathway::Events(file) => {
            let from = file
                .rows
                .partition_point(|row| u64::from(row.patient) < patient.number);
            let row = file.rows.get(from)?;
            let is_ours = u64::from(row.patient) == patient.number;
            return is_ours.then_some((row.at_ms, State::Row(from)));
        }
        Pathway::Visit(_) => State::Visit(visit::State::Noticed),
        Pathway::Order { .. } => State::Order(order::State::Ordered),
        Pathway::HandOver { .. } => State::HandOver(hand_over::State::HandedOver),
        Pathway::VirtualWard { .. } => State::VirtualWard(virtual_ward::State::Admitted),
        Pathway::Routine { .. } => return Some((0, State::Routine(routine::State::Registered))),
    };
    Some((settings.until_next(rate, chance)?, state))
}

fn enter(workload: &Workload, state: State, turn: &mut Turn<'_>) {
    match (&workload.pathway, state) {
        (pathway @ Pathway::EndOfLife { .. }, State::EndOfLife(state)) => {
            end_of_life::enter(pathway, state, turn);
        }
        (Pathway::Visit(visit), State::Visit(state)) => visit::enter(visit, state, turn),
        (pathway @ Pathway::Order { .. }, State::Order(state)) => {
            order::enter(pathway, state, turn);
        }
        (pathway @ Pathway::HandOver { .. }, State::HandOver(state)) => {
            hand_over::enter(pathway, state, turn);
        }
        (pathway @ Pathway::VirtualWard { .. }, State::VirtualWard(state)) => {
            virtual_ward::enter(pathway, state, turn);
        }
        (pathway @ Pathway::Routine { .. }, State::Routine(state)) => {
            routine::enter(pathway, state, turn);
        }
        (Pathway::Events(file), State::Row(row)) => enter_row(file, row, turn),
        (
            Pathway::EndOfLife { .. }
            | Pathway::Visit(_)
            | Pathway::Order { .. }
            | Pathway::HandOver { .. }
            | Pathway::VirtualWard { .. }
            | Pathway::Routine { .. }
            | Pathway::Events(_),
            _,
        ) => unreachable!("a pathway enters its own states only"),
    }
}

fn enter_row(file: &EventsFile, place: usize, turn: &mut Turn<'_>) {
    let row: &Row = &file.rows[place];
    if let Some(slot) = turn.patient.usual(row.kind) {
        match row.what {
            RowKind::Write => turn.writes(slot, row.section, row.len, false),
            RowKind::Notice => turn.gives_notice(slot, row.section, row.len),
            RowKind::Read => turn.reads(slot, &[row.section], false),
        }
    }
    if let Some(next) = file.rows.get(place + 1)
        && next.patient == row.patient
    {
        turn.then(next.at_ms - row.at_ms, State::Row(place + 1));
    }
}

/// Sharing is stopped with one of those with whom it may be, and not with the first, who began the
/// record.
fn stops(scenario: &Scenario, turn: &mut Turn<'_>) {
    let circle = turn
        .patient
        .slots
        .iter()
        .filter(|slot| !slot.is_outside)
        .count();
    if circle > 1 {
        let slot = 1 + turn.chance.below(circle - 1);
        let slot = u8::try_from(slot).expect("as many as slots");
        turn.does(slot, Act::Stop);
    }
    if let Some(after) = turn
        .settings
        .until_next(turn.settings.value(scenario.consent.stops), turn.chance)
    {
        turn.then(after, State::Stops);
    }
}

/// The sections that the pathways of a scenario touch, in their own order.
pub fn sections(scenario: &Scenario) -> Vec<Section> {
    let mut touched = Vec::new();
    for workload in &scenario.workloads {
        match &workload.pathway {
            Pathway::EndOfLife { .. } => touched.push(Section::Plans),
            Pathway::Visit(_) => touched.extend(visit::SECTIONS),
            Pathway::Order { .. } => touched.extend([Section::Tasks, Section::Results]),
            Pathway::HandOver { .. } => touched.push(Section::Tasks),
            Pathway::VirtualWard { .. } => touched.push(Section::Monitoring),
            Pathway::Routine { section, .. } => touched.push(*section),
            Pathway::Events(file) => touched.extend(file.rows.iter().map(|row| row.section)),
        }
    }
    touched.sort_unstable();
    touched.dedup();
    touched
}
