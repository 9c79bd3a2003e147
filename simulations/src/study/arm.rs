//! Arms: the federated record and what it is compared with, over one and the same year of a patient.

use kith_crdt::Section;

use super::{
    carriers::{Answer, Carrier, Event, Looker, Scene, Told, carrier},
    log::Found,
    metric::{Counter, Tally},
    pathways::{Act, Step},
    scenario::{BaselineKind, Scenario},
    settings::Settings,
    times::DAY_MS,
};

/// Events, stops and repairs in the last days of a run are not counted: not enough time was left.
const LAST_DAYS: u64 = 7;

/// One arm.
pub struct Arm {
    /// Its name in tables.
    pub name: String,
    /// What is counted.
    pub told: Told,
    carriers: Vec<Box<dyn Carrier>>,
    seen: Vec<u32>,
    /// Since when sharing with a slot has been stopped.
    stopped: Vec<Option<u64>>,
}

/// What somebody who needed to know found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What is there.
    Found(Found),
    /// It is not shared with them.
    Denied,
}

/// The arms of a scenario: the federated record first, then it beside what goes on, then the
/// baselines.
///
/// `federated` makes what carries the federated record.
pub fn arms(
    scenario: &Scenario,
    settings: &Settings,
    federated: &mut dyn FnMut() -> Box<dyn Carrier>,
) -> Vec<Arm> {
    let mut arms = vec![Arm::new(
        "federated".to_owned(),
        vec![federated()],
        scenario,
        settings,
    )];
    let beside = &scenario.federated.beside;
    if !beside.is_empty() {
        let names: Vec<_> = beside
            .iter()
            .map(|n| scenario.baselines[*n].name.as_str())
            .collect();
        let mut carriers = vec![federated()];
        carriers.extend(beside.iter().flat_map(|n| carriers_of(scenario, *n)));
        let name = format!("federated+{}", names.join("+"));
        arms.push(Arm::new(name, carriers, scenario, settings));
    }
    for (n, baseline) in scenario.baselines.iter().enumerate() {
        let carriers = carriers_of(scenario, n);
        arms.push(Arm::new(
            baseline.name.clone(),
            carriers,
            scenario,
            settings,
        ));
    }
    arms
}

fn carriers_of(scenario: &Scenario, baseline: usize) -> Vec<Box<dyn Carrier>> {
    match &scenario.baselines[baseline].kind {
        BaselineKind::Together(of) => of.iter().flat_map(|n| carriers_of(scenario, *n)).collect(),
        BaselineKind::Paper { .. }
        | BaselineKind::Letter { .. }
        | BaselineKind::Adt { .. }
        | BaselineKind::Central { .. }
        | BaselineKind::Batch { .. } => {
            carrier(&scenario.baselines[baseline]).into_iter().collect()
        }
    }
}

/// Whether the last entry of a section counts alone.
pub fn replaces(section: Section) -> bool {
    section == Section::Plans
}

impl Arm {
    fn new(
        name: String,
        carriers: Vec<Box<dyn Carrier>>,
        scenario: &Scenario,
        settings: &Settings,
    ) -> Self {
        let tally = Tally::new(scenario.organisations.len(), scenario.groups.len());
        let until = settings.end_ms.saturating_sub(LAST_DAYS * DAY_MS);
        Self {
            name,
            told: Told::new(tally, settings.measured_from_ms, until),
            carriers,
            seen: Vec::new(),
            stopped: Vec::new(),
        }
    }

    /// Whether it carries things in one way only.
    pub const fn is_simple(&self) -> bool {
        self.carriers.len() == 1
    }

    /// Another patient.
    pub fn begin(&mut self, scene: &Scene<'_>) {
        self.told.begin(scene.patient);
        self.stopped.clear();
        self.stopped.resize(scene.patient.slots.len(), None);
        for carrier in &mut self.carriers {
            carrier.begin(scene, &mut self.told);
        }
    }

    /// Time goes on up to and with a moment.
    pub fn advance(&mut self, until_ms: u64, scene: &Scene<'_>) {
        for carrier in &mut self.carriers {
            carrier.advance(until_ms, scene, &mut self.told);
        }
    }

    /// Nothing more happens to this patient.
    pub fn end(&mut self, scene: &Scene<'_>) {
        self.advance(scene.settings.end_ms, scene);
        for carrier in &mut self.carriers {
            carrier.end(scene, &mut self.told);
        }
    }

    /// Something was written.
    pub fn written(&mut self, step: &Step, entry: (usize, usize, u32), scene: &Scene<'_>) {
        let (section, chain, count) = entry;
        if let Act::Write { is_notice, .. } = step.act {
            if step.at_ms >= self.told.counted_from_ms {
                let kind = scene.patient.slot(step.slot).place.kind;
                self.told
                    .tally
                    .add(Counter::Writes, (kind, self.told.group), 1);
            }
            if is_notice {
                self.told
                    .notice(step.at_ms, (chain, count), step.slot, scene.patient);
            }
        }
        let event = Event::Written {
            chain,
            count,
            writer: step.slot,
            section,
        };
        self.happens(step.at_ms, event, scene);
    }

    /// Something else happens that carriers have to know.
    pub fn happens(&mut self, at_ms: u64, event: Event, scene: &Scene<'_>) {
        if let Event::Stopped(slot) = event {
            self.stopped[usize::from(slot)].get_or_insert(at_ms);
        }
        for carrier in &mut self.carriers {
            carrier.happens(at_ms, event, scene, &mut self.told);
        }
    }

    /// Somebody needs to know.
    pub fn read(&mut self, looker: Looker, scene: &Scene<'_>) -> Outcome {
        self.seen.clear();
        self.seen.resize(scene.log.width(), 0);
        let mut is_denied = false;
        for carrier in &mut self.carriers {
            let answer = carrier.looks(looker, scene, &mut self.seen);
            is_denied |= answer == Answer::Denied;
        }
        let slot = scene.patient.slot(looker.slot);
        if slot.place.system.has(looker.at_ms) {
            let own = scene.log.chain_of(looker.section, usize::from(looker.slot));
            self.seen[own] = super::log::length(scene.log.chain(own));
        }
        let section = scene.sections[looker.section];
        let found = scene
            .log
            .found(looker.section, &self.seen, replaces(section));
        let outcome = match found {
            Found::Nothing if is_denied => Outcome::Denied,
            Found::Nothing | Found::Current | Found::Older { .. } => Outcome::Found(found),
        };
        if looker.at_ms >= self.told.counted_from_ms {
            let of = (slot.place.kind, self.told.group);
            count(&mut self.told.tally, outcome, section, looker.at_ms, of);
            self.count_stopped(looker, outcome, of, scene);
        }
        outcome
    }

    /// A look by somebody with whom sharing was stopped.
    fn count_stopped(
        &mut self,
        looker: Looker,
        outcome: Outcome,
        of: (usize, usize),
        scene: &Scene<'_>,
    ) {
        let Some(since) = self.stopped[usize::from(looker.slot)] else {
            return;
        };
        if matches!(outcome, Outcome::Denied | Outcome::Found(Found::Nothing)) {
            return;
        }
        self.told.tally.add(Counter::ReadsAfterStop, of, 1);
        let own = usize::from(looker.slot);
        let sees_new = (0..scene.log.slots())
            .filter(|writer| *writer != own)
            .any(|writer| {
                let chain = scene.log.chain_of(looker.section, writer);
                let last = (self.seen[chain] as usize).checked_sub(1);
                last.is_some_and(|last| scene.log.chain(chain)[last].at_ms > since)
            });
        if sees_new {
            self.told.tally.add(Counter::UnauthorisedReads, of, 1);
        }
    }
}

/// Counts what somebody found.
pub fn count(
    tally: &mut Tally,
    outcome: Outcome,
    section: Section,
    at_ms: u64,
    of: (usize, usize),
) {
    tally.add(Counter::Reads, of, 1);
    let is_list = section == Section::Medicines;
    let counter = match outcome {
        Outcome::Denied => Counter::Denied,
        Outcome::Found(Found::Nothing) => Counter::Nothing,
        Outcome::Found(Found::Current) => Counter::Current,
        Outcome::Found(Found::Older { is_wrong: true, .. }) => Counter::Wrong,
        Outcome::Found(Found::Older { .. }) => Counter::Stale,
    };
    tally.add(counter, of, 1);
    if is_list
        && matches!(
            outcome,
            Outcome::Found(Found::Current | Found::Older { .. })
        )
    {
        tally.add(Counter::Lists, of, 1);
        if let Outcome::Found(Found::Older { since_ms, .. }) = outcome {
            tally.add(Counter::ListsBehindMs, of, at_ms - since_ms);
        }
    }
}
