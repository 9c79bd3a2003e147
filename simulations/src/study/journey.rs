//! One patient's year in plain sentences.

use super::{
    arm::{Arm, Outcome},
    log::Found,
    pathways::{Act, Step},
    patient::Patient,
    place::Places,
    run::{Listener, Run, name_of},
    scenario::Scenario,
    settings::{Point, Settings},
    times::{DAY_MS, HOUR_MS, MINUTE_MS},
};

/// The story of a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Which patient.
    pub patient: u64,
    /// The story, a line for each thing.
    pub lines: Vec<String>,
}

/// How many patients are looked at for one whose story says something.
const LOOKED_AT: u64 = 400;
/// How many lines a story has.
const LINES_MAX: usize = 100;

/// The story of the first patient for whom the federated record and the last baseline differ; of
/// the first who had a need to know where there is none.
pub fn of_run(scenario: &Scenario, point: &Point, seed: u64) -> Journey {
    let settings = Settings::of(scenario, point, seed);
    let places = Places::of(scenario, &settings);
    let mut first = None;
    for number in 0..u64::from(scenario.patients).min(LOOKED_AT) {
        let mut run = Run::of(scenario, &settings, &places);
        let mut difference = Difference::default();
        run.lives(number, &mut difference);
        if difference.differs {
            return of_patient(scenario, point, seed, number);
        }
        if difference.found > 0 {
            first.get_or_insert(number);
        }
    }
    of_patient(scenario, point, seed, first.unwrap_or(0))
}

/// The story of a patient, as far as it fits on a page.
pub fn of_patient(scenario: &Scenario, point: &Point, seed: u64, number: u64) -> Journey {
    let mut journey = whole(scenario, point, seed, number);
    if journey.lines.len() > LINES_MAX {
        let more = journey.lines.len() - LINES_MAX;
        journey.lines.truncate(LINES_MAX);
        let words = format!("… and {more} more things, which kith-sim trace --all tells.");
        journey.lines.push(words);
    }
    journey
}

/// The whole story of a patient.
pub fn whole(scenario: &Scenario, point: &Point, seed: u64, number: u64) -> Journey {
    let settings = Settings::of(scenario, point, seed);
    let places = Places::of(scenario, &settings);
    let mut run = Run::of(scenario, &settings, &places);
    // What came before is nobody's: carriers hold one patient at a time.
    for arm in &mut run.arms {
        arm.told.story = Some(Vec::new());
    }
    let mut teller = Teller {
        scenario,
        lines: Vec::new(),
        told: Vec::new(),
        now_ms: 0,
    };
    run.lives(number, &mut teller);
    let mut lines = teller.lines;
    lines.sort_by_key(|(at, order, _)| (*at, *order));
    let lines = lines.into_iter().map(|(_, _, line)| line).collect();
    Journey {
        patient: number,
        lines,
    }
}

/// Whether the federated record and the last baseline differ for a patient.
#[derive(Default)]
struct Difference {
    differs: bool,
    found: usize,
    federated: Option<Outcome>,
    last: Option<Outcome>,
}

impl Listener for Difference {
    fn step(&mut self, _step: &Step, _patient: &Patient) {
        self.compare();
    }

    fn found(&mut self, arm: &str, outcome: Outcome) {
        self.found += 1;
        if arm == "federated" {
            self.federated = Some(outcome);
        }
        self.last = Some(outcome);
    }

    fn end(&mut self, _arms: &mut [Arm]) {
        self.compare();
    }
}

impl Difference {
    fn compare(&mut self) {
        if let (Some(federated), Some(last)) = (self.federated.take(), self.last.take()) {
            let is_current = federated == Outcome::Found(Found::Current);
            self.differs |= is_current && federated != last;
        }
    }
}

struct Teller<'a> {
    scenario: &'a Scenario,
    lines: Vec<(u64, usize, String)>,
    told: Vec<(String, Outcome)>,
    now_ms: u64,
}

impl Teller<'_> {
    fn line(&mut self, at_ms: u64, words: &str) {
        let line = format!("{}: {words}.", moment(at_ms));
        self.lines.push((at_ms, self.lines.len(), line));
    }

    fn tells_found(&mut self) {
        let told = std::mem::take(&mut self.told);
        if told.is_empty() {
            return;
        }
        let now = self.now_ms;
        let said: Vec<_> = told
            .into_iter()
            .map(|(arm, outcome)| format!("{arm}, {}", in_words(outcome, now)))
            .collect();
        self.line(
            now,
            &format!(
                "With each way of carrying it they found: {}",
                said.join("; ")
            ),
        );
    }
}

impl Listener for Teller<'_> {
    fn patient(&mut self, patient: &Patient) {
        let circle: Vec<_> = patient
            .slots
            .iter()
            .map(|slot| {
                let name = name_of(&slot.place, self.scenario);
                let node = match (slot.place.is_node, slot.is_shared, slot.is_outside) {
                    (false, ..) => "no node",
                    (true, _, true) => "a node, not usually there",
                    (true, true, false) => "a node",
                    (true, false, false) => "a node that it is not shared with",
                };
                format!("{name} {} ({node})", slot.place.index + 1)
            })
            .collect();
        let group = &self.scenario.groups[patient.group].name;
        let words = format!(
            "Patient {}, {group}, is cared for by: {}",
            patient.number,
            circle.join(", ")
        );
        self.line(0, &words);
    }

    fn step(&mut self, step: &Step, patient: &Patient) {
        self.tells_found();
        self.now_ms = step.at_ms;
        let who = name_of(&patient.slot(step.slot).place, self.scenario);
        let words = match step.act {
            Act::Write {
                section,
                is_notice,
                is_material,
                ..
            } => {
                let all = if is_notice {
                    ", of which all should be told"
                } else {
                    ""
                };
                let wrong = if is_material {
                    "; acting on what was before is wrong from now on"
                } else {
                    ""
                };
                format!("The {who} writes in {section}{all}{wrong}")
            }
            Act::Read {
                section,
                is_at_home,
            } => {
                let place = if is_at_home {
                    " at the patient's home"
                } else {
                    ""
                };
                format!("The {who} needs to know {section}{place}")
            }
            Act::Visit => format!("The patient is at a {who} that does not usually see them"),
            Act::Stop => format!("The patient stops sharing with the {who}"),
        };
        self.line(step.at_ms, &words);
    }

    fn found(&mut self, arm: &str, outcome: Outcome) {
        self.told.push((arm.to_owned(), outcome));
    }

    fn end(&mut self, arms: &mut [Arm]) {
        self.tells_found();
        for arm in arms.iter_mut().filter(|arm| arm.is_simple()) {
            let mut story = arm.told.story.take().unwrap_or_default();
            story.dedup();
            for at_once in story.chunk_by(|one, next| one.0 == next.0) {
                let words: Vec<_> = at_once.iter().map(|(_, words)| words.as_str()).collect();
                self.line(
                    at_once[0].0,
                    &format!("[{}] {}", arm.name, words.join("; ")),
                );
            }
        }
    }
}

fn in_words(outcome: Outcome, now_ms: u64) -> String {
    match outcome {
        Outcome::Denied => "it is not shared with them".to_owned(),
        Outcome::Found(Found::Nothing) => "nothing".to_owned(),
        Outcome::Found(Found::Current) => "what counts".to_owned(),
        Outcome::Found(Found::Older { since_ms, is_wrong }) => {
            let behind = lasting(now_ms - since_ms);
            let wrong = if is_wrong {
                ", and wrong to act on"
            } else {
                ""
            };
            format!("an older version, {behind} behind{wrong}")
        }
    }
}

fn lasting(ms: u64) -> String {
    match ms {
        0..HOUR_MS => format!("{} minutes", ms / MINUTE_MS),
        HOUR_MS..DAY_MS => format!("{} hours", ms / HOUR_MS),
        _ => format!("{} days", ms / DAY_MS),
    }
}

/// `day 12, 09:30`, counted from 1.
fn moment(at_ms: u64) -> String {
    let day = at_ms / DAY_MS + 1;
    let (hour, minute) = (at_ms % DAY_MS / HOUR_MS, at_ms % HOUR_MS / MINUTE_MS);
    format!("Day {day}, {hour:02}:{minute:02}")
}
