//! The story of the demo: a man falls at home, and everyone who has to know knows.

mod apart;
mod asking;
mod together;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kith_crdt::samples::Sample;
use kith_node::{
    api::{ImportRequest, Kind, Occurred, RecordShown, Role, TaskState},
    failure::Failure,
    place::Place,
};

use asking::import;

use super::{Interrupt, Told, cast::Player, papers};

/// How long a node may take to come to what it is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// The four nodes, and the record that they come to share.
pub struct Story<'a> {
    practice: Player,
    hospital: Player,
    ambulance: Player,
    laptop: Player,
    record: String,
    man: Sample,
    place: &'a Place,
    interrupt: &'a Interrupt,
}

impl<'a> Story<'a> {
    /// Four nodes that run, and a record on the practice's.
    pub fn begin(
        place: &'a Place,
        interrupt: &'a Interrupt,
        told: &mut Told,
    ) -> Result<Self, Failure> {
        told.chapter("Four nodes, each a program of its own with a folder of its own");
        let node = |folder: &str, name: &str, role| Player::new(place, folder, name, role);
        let mut story = Self {
            practice: node("practice", "Riverside Surgery", Role::Practice)?,
            hospital: node("hospital", "Castlebridge General Hospital", Role::Hospital)?,
            ambulance: node(
                "ambulance",
                "Four Rivers Ambulance Service",
                Role::Ambulance,
            )?,
            laptop: node("laptop", "Sam's laptop", Role::Person)?,
            record: String::new(),
            man: papers::person(),
            place,
            interrupt,
        };
        story.hospital.listens_for_messages()?;
        for player in [
            &mut story.practice,
            &mut story.hospital,
            &mut story.ambulance,
            &mut story.laptop,
        ] {
            let begun = Instant::now();
            player.start()?;
            told.row("runs", &player.name, Some(begun.elapsed()), true);
        }
        let man = &story.man;
        told.say(&format!(
            "   {} (born {}) is a patient of Riverside Surgery. Like everyone here he does not exist.",
            man.person.name(),
            man.person.birth_date
        ));
        let mut paths = Vec::new();
        for (n, sample) in std::iter::once(man).chain(&papers::others()).enumerate() {
            if let Some(bundle) = sample.bundles.first() {
                paths.push(place.file(&format!("person-{n}.json"), &bundle.text)?);
            }
        }
        let begun = Instant::now();
        let records = paths.len();
        let first = import(
            &story.practice,
            ImportRequest {
                paths,
                ..ImportRequest::default()
            },
        )?;
        let what = format!("has the records of {records} people");
        told.row(&what, &story.practice.name, Some(begun.elapsed()), true);
        story.record = first;
        Ok(story)
    }

    /// Tells the whole story; what did not hold is in the table.
    pub fn tell(&mut self, told: &mut Told) -> Result<(), Failure> {
        self.share(told)?;
        self.plan(told)?;
        self.fall(told)?;
        self.admission(told)?;
        self.discharge_taken_back(told)?;
        self.two_doses(told)?;
        self.consent_withdrawn(told)?;
        self.laptop_back(told)?;
        self.all_the_same(told)
    }

    /// Waits until a node holds the record with this digest.
    fn comes_to(&mut self, who: Who, digest: &str) -> Result<bool, Failure> {
        self.comes(|story| Ok(story.shown(who)?.digest == digest))
    }

    /// Waits until a node shows a task so.
    fn comes_to_be(&mut self, who: Who, task: &str, state: TaskState) -> Result<bool, Failure> {
        self.comes(|story| {
            let task = story.task(who, task)?;
            Ok(task.is_some_and(|task| task.state == state))
        })
    }

    /// Waits until something is so.
    fn comes(
        &mut self,
        is_so: impl Fn(&mut Self) -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if is_so(self)? {
                return Ok(true);
            }
            self.interrupt.check()?;
            std::thread::sleep(BETWEEN_LOOKS);
        }
        Ok(false)
    }

    fn seen(
        &mut self,
        told: &mut Told,
        who: &[Who],
        what: &str,
        begun: Instant,
        wanted: impl Fn(&Occurred) -> bool,
    ) -> Result<(), Failure> {
        for who in who {
            let interrupt = self.interrupt.clone();
            let player = self.player(*who);
            let at = player.sees(&interrupt, begun, &wanted)?;
            let took = at.map(|at| at.saturating_duration_since(begun));
            told.row(what, &player.name, took, at.is_some());
        }
        Ok(())
    }

    fn player(&mut self, who: Who) -> &mut Player {
        match who {
            Who::Practice => &mut self.practice,
            Who::Hospital => &mut self.hospital,
            Who::Ambulance => &mut self.ambulance,
            Who::Laptop => &mut self.laptop,
        }
    }

    /// The nodes, for whoever wants to look around.
    pub fn players(&self) -> [&Player; 4] {
        [
            &self.practice,
            &self.hospital,
            &self.ambulance,
            &self.laptop,
        ]
    }

    /// The record's id.
    pub fn record(&self) -> &str {
        &self.record
    }
}

/// One of the four.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Practice,
    Hospital,
    Ambulance,
    Laptop,
}

/// Whether something was written into a section that says these words.
fn says(seen: &Occurred, section: &str, words: &str) -> bool {
    seen.kind == Kind::Written
        && seen.section.as_deref() == Some(section)
        && seen.what.iter().any(|what| what.contains(words))
}

/// The lines of a section, of all labels.
fn section<'s>(shown: &'s RecordShown, name: &'s str) -> impl Iterator<Item = &'s str> {
    let parts = shown.sections.iter();
    let parts = parts.filter(move |part| part.section == name);
    parts.flat_map(|part| part.lines.iter().map(|line| line.text.as_str()))
}

fn today() -> String {
    Timestamp::now().strftime("%Y-%m-%d").to_string()
}
