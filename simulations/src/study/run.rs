//! One run: a point of a scenario with one seed, all arms over the same years of the same patients.

use serde::{Deserialize, Serialize};

use super::{
    arm::{Arm, Outcome, arms},
    carriers::{Carrier, Event, Federated, Looker, Scene},
    log::Log,
    metric::{Cell, Counter},
    pathways::{Act, Step, Trajectory, sections},
    patient::Patient,
    place::{Place, Places},
    scenario::{Count, Scenario},
    settings::{Point, Settings},
};

/// What came of one arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmResult {
    /// The arm.
    pub arm: String,
    /// What was counted: of all, of each kind of organisations, of each group.
    pub cells: Vec<Cell>,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResult {
    /// The place of its point.
    pub point: usize,
    /// Its seed.
    pub seed: u64,
    /// The hash of everything that happened and was found, in order.
    pub trace: String,
    /// How many things happened to copies and people.
    pub events: u64,
    /// How many entries were written with the engine of a node; nothing in the abstract.
    #[serde(default, skip_serializing_if = "is_none")]
    pub entries: u64,
    /// What came of each arm.
    pub arms: Vec<ArmResult>,
    /// The story of one patient, for the first seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub journey: Vec<String>,
}

const fn is_none(entries: &u64) -> bool {
    *entries == 0
}

/// Hears what happens in a run.
pub trait Listener {
    /// Another patient.
    fn patient(&mut self, _patient: &Patient) {}
    /// Somebody did something.
    fn step(&mut self, _step: &Step, _patient: &Patient) {}
    /// Somebody found something in an arm.
    fn found(&mut self, _arm: &str, _outcome: Outcome) {}
    /// Everything that happened to a patient in arms.
    fn end(&mut self, _arms: &mut [Arm]) {}
}

/// Hears nothing.
pub struct Nobody;

impl Listener for Nobody {}

/// Runs a point with a seed.
pub fn run(scenario: &Scenario, point: &Point, seed: u64) -> RunResult {
    let settings = Settings::of(scenario, point, seed);
    let places = Places::of(scenario, &settings);
    let mut run = Run::of(scenario, &settings, &places);
    for number in 0..u64::from(scenario.patients) {
        run.lives(number, &mut Nobody);
    }
    run.result(point.index)
}

/// A run while it goes on.
pub struct Run<'a> {
    scenario: &'a Scenario,
    settings: &'a Settings,
    places: &'a Places<'a>,
    /// The arms.
    pub arms: Vec<Arm>,
    log: Log,
    trace: Trace,
    events: u64,
    sections: Vec<kith_crdt::Section>,
    /// Nodes that belong to one patient each, by kind.
    own_nodes: Vec<u64>,
}

impl<'a> Run<'a> {
    /// A run in which nothing has happened.
    pub fn of(scenario: &'a Scenario, settings: &'a Settings, places: &'a Places<'a>) -> Self {
        Self::with(scenario, settings, places, &mut || {
            Box::new(Federated::default())
        })
    }

    /// A run whose federated record is carried by something of one's own.
    pub fn with(
        scenario: &'a Scenario,
        settings: &'a Settings,
        places: &'a Places<'a>,
        federated: &mut dyn FnMut() -> Box<dyn Carrier>,
    ) -> Self {
        Self {
            scenario,
            settings,
            places,
            arms: arms(scenario, settings, federated),
            log: Log::default(),
            trace: Trace::default(),
            events: 0,
            sections: sections(scenario),
            own_nodes: vec![0; scenario.organisations.len()],
        }
    }

    /// A patient's year, in all arms.
    pub fn lives(&mut self, number: u64, listener: &mut impl Listener) {
        let patient = Patient::of(self.scenario, self.settings, self.places, number);
        listener.patient(&patient);
        for slot in &patient.slots {
            if self.scenario.organisations[slot.place.kind].count == Count::EachPatient {
                self.own_nodes[slot.place.kind] += u64::from(slot.place.is_node);
            }
        }
        self.log.begin(self.sections.len(), patient.slots.len());
        let mut trajectory = Trajectory::of(self.scenario, self.settings, &patient);
        self.begin(&patient);
        while let Some(step) = trajectory.next(&patient) {
            self.events += 1;
            listener.step(&step, &patient);
            self.trace.step(number, &step);
            self.step(&step, &patient, listener);
        }
        let mut arms = std::mem::take(&mut self.arms);
        for arm in &mut arms {
            arm.end(&self.scene(&patient));
        }
        listener.end(&mut arms);
        self.arms = arms;
    }

    fn scene<'b>(&'b self, patient: &'b Patient) -> Scene<'b> {
        Scene {
            scenario: self.scenario,
            settings: self.settings,
            places: self.places,
            patient,
            log: &self.log,
            sections: &self.sections,
        }
    }

    fn begin(&mut self, patient: &Patient) {
        let mut arms = std::mem::take(&mut self.arms);
        for arm in &mut arms {
            arm.begin(&self.scene(patient));
        }
        self.arms = arms;
    }

    fn step(&mut self, step: &Step, patient: &Patient, listener: &mut impl Listener) {
        let mut arms = std::mem::take(&mut self.arms);
        // What was on its way until now goes by what had been written until now.
        for arm in &mut arms {
            arm.advance(step.at_ms, &self.scene(patient));
        }
        match step.act {
            Act::Write {
                section,
                len,
                is_material,
                ..
            } => {
                let section = self.place_of(section);
                let chain = self.log.chain_of(section, usize::from(step.slot));
                let count = self.log.write(chain, step.at_ms, len, is_material);
                for arm in &mut arms {
                    arm.written(step, (section, chain, count), &self.scene(patient));
                }
            }
            Act::Read {
                section,
                is_at_home,
            } => {
                let section = self.place_of(section);
                if self.log.has(section) {
                    let looker = Looker {
                        slot: step.slot,
                        section,
                        at_ms: step.at_ms,
                        is_at_home,
                    };
                    for arm in &mut arms {
                        let outcome = arm.read(looker, &self.scene(patient));
                        self.trace.outcome(outcome);
                        listener.found(&arm.name, outcome);
                    }
                }
            }
            Act::Visit | Act::Stop => {
                let event = match step.act {
                    Act::Stop => Event::Stopped(step.slot),
                    Act::Visit | Act::Write { .. } | Act::Read { .. } => Event::Visited(step.slot),
                };
                for arm in &mut arms {
                    arm.happens(step.at_ms, event, &self.scene(patient));
                }
            }
        }
        self.arms = arms;
    }

    fn place_of(&self, section: kith_crdt::Section) -> usize {
        self.sections
            .binary_search(&section)
            .expect("the pathways name every section that they touch")
    }

    /// What came of it.
    pub fn result(mut self, point: usize) -> RunResult {
        let days = u64::from(self.scenario.days - self.scenario.warm_up_days);
        let kinds = self.scenario.organisations.len();
        for arm in &mut self.arms {
            self.events += arm.told.events;
            for kind in 0..kinds {
                let nodes = self.own_nodes[kind] + self.places.nodes(kind) as u64;
                let cells = &mut arm.told.tally.cells;
                cells[0].add(Counter::NodeDays, nodes * days);
                cells[1 + kind].add(Counter::NodeDays, nodes * days);
            }
        }
        let arms = self.arms.into_iter();
        RunResult {
            point,
            seed: self.settings.seed,
            trace: self.trace.hash(),
            events: self.events,
            entries: 0,
            arms: arms
                .map(|arm| ArmResult {
                    arm: arm.name,
                    cells: arm.told.tally.cells,
                })
                .collect(),
            journey: Vec::new(),
        }
    }
}

/// The hash of what happened.
#[derive(Default)]
struct Trace {
    hasher: blake3::Hasher,
    waiting: Vec<u8>,
}

/// So many bytes are hashed at once.
const AT_ONCE: usize = 1 << 16;

impl Trace {
    fn step(&mut self, patient: u64, step: &Step) {
        let (act, section, len) = match step.act {
            Act::Write { section, len, .. } => (0, section as u8, len),
            Act::Read { section, .. } => (1, section as u8, 0),
            Act::Visit => (2, 0, 0),
            Act::Stop => (3, 0, 0),
        };
        self.waiting.extend(patient.to_le_bytes());
        self.waiting.extend(step.at_ms.to_le_bytes());
        self.waiting.extend([step.slot, act, section]);
        self.waiting.extend(len.to_le_bytes());
        if self.waiting.len() >= AT_ONCE {
            self.hasher.update(&self.waiting);
            self.waiting.clear();
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        use super::log::Found;
        let (byte, since) = match outcome {
            Outcome::Denied => (0, 0),
            Outcome::Found(Found::Nothing) => (1, 0),
            Outcome::Found(Found::Current) => (2, 0),
            Outcome::Found(Found::Older { since_ms, is_wrong }) => {
                (3 + u8::from(is_wrong), since_ms)
            }
        };
        self.waiting.push(byte);
        self.waiting.extend(since.to_le_bytes());
    }

    fn hash(mut self) -> String {
        self.hasher.update(&self.waiting);
        self.hasher.finalize().to_hex().to_string()
    }
}

/// What somebody is called in sentences.
pub fn name_of<'a>(place: &Place, scenario: &'a Scenario) -> &'a str {
    &scenario.organisations[place.kind].name
}
