//! The story of the demo: a man falls at home, and everyone who has to know knows.

mod asking;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kith_node::{
    api::{
        Addition, ImportRequest, Keep, Kind, Occurred, RecordShown, Reply, Request, Role,
        ShareRequest, ShareTerms, Shared,
    },
    failure::Failure,
};

use asking::import;

use super::{
    Interrupt, Told,
    cast::{Place, Player},
    papers,
};
use crate::ask::odd_answer;

/// Readings that come in while the laptop is shut.
const READINGS: u32 = 40;

/// The four nodes, and the record that they come to share.
pub struct Story<'a> {
    practice: Player,
    hospital: Player,
    ambulance: Player,
    laptop: Player,
    record: String,
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
            place,
            interrupt,
        };
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
        let man = papers::person();
        told.say(&format!(
            "   {} (born {}) is a patient of Riverside Surgery. Like everyone here he does not exist.",
            man.person.name(),
            man.person.birth_date
        ));
        let mut paths = Vec::new();
        for (n, sample) in std::iter::once(&man).chain(&papers::others()).enumerate() {
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
        self.two_doses(told)?;
        self.consent_withdrawn(told)?;
        self.laptop_back(told)?;
        self.all_the_same(told)
    }

    fn share(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("The surgery shares his record, each part with whom it concerns");
        let scopes = [
            ("all", Some("daily-care,tasks"), None),
            (
                "all",
                Some("encounters,tasks,letters,monitoring"),
                Some("medicines"),
            ),
            (
                "identity,allergies,medicines,conditions,plans,encounters,tasks,daily-care,circle",
                Some("encounters,daily-care"),
                None,
            ),
        ];
        let guests = [&mut self.laptop, &mut self.hospital, &mut self.ambulance];
        for (guest, (see, add, change)) in guests.into_iter().zip(scopes) {
            let request = ShareRequest {
                record: self.record.clone(),
                see: see.to_owned(),
                add: add.map(str::to_owned),
                change: change.map(str::to_owned),
                until: "2099-12-31".to_owned(),
                confirm: false,
                terms: ShareTerms::default(),
            };
            let Reply::Shared(Shared { link, .. }) = self.practice.ask(Request::Share(request))?
            else {
                return Err(odd_answer());
            };
            let begun = Instant::now();
            guest.join(link)?;
            let what = if see == "all" {
                "has all of the record"
            } else {
                "has the parts that an emergency needs"
            };
            told.row(what, &guest.name, Some(begun.elapsed()), true);
        }
        Ok(())
    }

    fn plan(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("The doctor signs his ReSPECT plan: what is to be done in an emergency");
        let plan = papers::respect(&today()).to_string();
        let file = self.place.file("respect.json", &plan)?;
        let begun = Instant::now();
        self.bring(&self.practice, vec![file])?;
        let is_plan = |seen: &Occurred| says(seen, "plans", "ReSPECT");
        let everyone = [Who::Laptop, Who::Hospital, Who::Ambulance];
        self.seen(told, &everyone, "has the ReSPECT plan", begun, is_plan)
    }

    fn fall(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("He falls at home; Sam is there, writes it down and rings 999");
        let begun = Instant::now();
        let note = "Fell in the kitchen this morning, wrist hurts, did not hit his head";
        self.add(Who::Laptop, Addition::Note(note.to_owned()))?;
        let is_fall = |seen: &Occurred| says(seen, "daily-care", "Fell in the kitchen");
        let others = [Who::Practice, Who::Ambulance, Who::Hospital];
        self.seen(told, &others, "knows of the fall", begun, is_fall)?;
        told.say("   The crew looks at its own node; that needs no network.");
        let begun = Instant::now();
        let shown = self.shown(Who::Ambulance)?;
        let took = begun.elapsed();
        let plans = section(&shown, "plans").any(|text| text.contains("ReSPECT"));
        let crew = self.ambulance.name.clone();
        told.row(
            "shows the ReSPECT plan to the crew",
            &crew,
            Some(took),
            plans,
        );
        let allergies = section(&shown, "allergies").next().is_some();
        told.row(
            "shows his allergies to the crew",
            &crew,
            Some(took),
            allergies,
        );
        let closed = section(&shown, "results").next().is_none();
        told.row(
            "holds no results, which were not shared with it",
            &crew,
            None,
            closed,
        );
        Ok(())
    }

    fn admission(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("The hospital admits him, and says what has to be done outside");
        let tasks = [
            ("GP", "Review medicines after a fall"),
            (
                "Community nurse",
                "Dress the wrist, first visit on discharge",
            ),
            ("Social care", "Pause the morning visits until discharge"),
        ];
        let lines = papers::admission(&now(), &tasks);
        let file = self.place.file("admission.ndjson", &lines)?;
        let begun = Instant::now();
        self.bring(&self.hospital, vec![file])?;
        let others = [Who::Practice, Who::Laptop, Who::Ambulance];
        // By its name, also where the two never met: its card stands in the record's circle.
        let is_admitted = |seen: &Occurred| {
            seen.by == "Castlebridge General Hospital"
                && says(seen, "encounters", "Admission after a fall")
        };
        self.seen(
            told,
            &others,
            "knows that he is in hospital",
            begun,
            is_admitted,
        )?;
        for (owner, what) in tasks {
            let is_task = |seen: &Occurred| says(seen, "tasks", what);
            let says = format!("has the task for: {owner}");
            self.seen(told, &[Who::Practice, Who::Laptop], &says, begun, is_task)?;
        }
        Ok(())
    }

    fn two_doses(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("The line between hospital and surgery is down, and both change one dose");
        let shown = self.shown(Who::Practice)?;
        let sections = shown
            .sections
            .iter()
            .filter(|part| part.section == "medicines");
        let mut lines = sections.flat_map(|part| &part.lines);
        let Some(medicine) = lines.find(|line| line.kind == "MedicationRequest") else {
            return Err(odd_answer());
        };
        let (thing, words) = (medicine.id.clone(), medicine.text.clone());
        told.say(&format!("   The medicine: {words}"));
        self.hospital.stop();
        self.changed(Who::Hospital, &thing, "half a tablet in the morning")?;
        self.changed(Who::Practice, &thing, "one tablet in the evening")?;
        let begun = Instant::now();
        self.hospital.start()?;
        let both = [Who::Practice, Who::Hospital];
        let is_other = |dose: &'static str| move |seen: &Occurred| says(seen, "medicines", dose);
        self.seen(
            told,
            &both[..1],
            "has the hospital's dose",
            begun,
            is_other("half a tablet"),
        )?;
        self.seen(
            told,
            &both[1..],
            "has the surgery's dose",
            begun,
            is_other("in the evening"),
        )?;
        for who in both {
            let items = self.review(who)?;
            let both = items.items.iter().any(|item| {
                let all = item.versions.join(" ");
                item.id == thing && all.contains("half a tablet") && all.contains("in the evening")
            });
            let name = self.player(who).name.clone();
            told.row("shows both doses, and picks none", &name, None, both);
        }
        let begun = Instant::now();
        self.decided(Who::Practice, &thing, "in the evening")?;
        let is_decided = |seen: &Occurred| {
            seen.by == "Riverside Surgery" && says(seen, "medicines", "in the evening")
        };
        told.say("   The doctor rings the ward, and chooses.");
        self.seen(told, &[Who::Hospital], "has the choice", begun, is_decided)?;
        let waiting = self.review(Who::Hospital)?;
        let open = waiting.items.iter().any(|item| item.id == thing);
        let ward = self.hospital.name.clone();
        told.row("has nothing more to decide about it", &ward, None, !open);
        Ok(())
    }

    fn consent_withdrawn(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("He does not want the ambulance service to see his record any more");
        self.laptop.stop();
        told.say("   (Sam shut the laptop and went away for two days.)");
        let begun = Instant::now();
        let stop = Request::Stop {
            record: self.record.clone(),
            share: self.ambulance.name.clone(),
            keep: Keep::All,
            keep_shared_on: false,
        };
        self.practice.ask(stop)?;
        let is_stop = |seen: &Occurred| seen.kind == Kind::Stopped;
        self.seen(
            told,
            &[Who::Ambulance],
            "knows that sharing was stopped",
            begun,
            is_stop,
        )?;
        let begun = Instant::now();
        let words = "Comfortable on the ward, walks with a frame";
        self.add(
            Who::Hospital,
            Addition::Task {
                what: words.to_owned(),
                by: None,
            },
        )?;
        let is_new = |seen: &Occurred| says(seen, "tasks", words);
        self.seen(
            told,
            &[Who::Practice],
            "has what the ward wrote next",
            begun,
            is_new,
        )?;
        let crew = self.ambulance.name.clone();
        let got = self.ambulance.has_seen(is_new)?;
        let shown = self.shown(Who::Ambulance)?;
        let held = section(&shown, "tasks").any(|text| text.contains(words));
        told.row("has none of it", &crew, None, !got && !held);
        told.say("   What the service had it keeps: kith cannot take it back.");
        Ok(())
    }

    fn laptop_back(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("Two days later (told, not waited for) the laptop is opened again");
        for n in 0..READINGS {
            self.interrupt.check()?;
            let (what, value) = papers::reading(n);
            let reading = Addition::Reading {
                what,
                value,
                unit: None,
            };
            self.add(Who::Practice, reading)?;
        }
        let last = "Ready to go home on Monday";
        let task = Addition::Task {
            what: last.to_owned(),
            by: None,
        };
        self.add(Who::Practice, task)?;
        let note = "Written in the train, without a network: he likes the window open";
        self.add(Who::Laptop, Addition::Note(note.to_owned()))?;
        let begun = Instant::now();
        self.laptop.start()?;
        let what = format!("has all that came meanwhile ({} entries)", READINGS + 2);
        let is_last = |seen: &Occurred| says(seen, "tasks", last);
        self.seen(told, &[Who::Laptop], &what, begun, is_last)?;
        let is_note = |seen: &Occurred| says(seen, "daily-care", "in the train");
        let others = [Who::Practice, Who::Hospital];
        self.seen(
            told,
            &others,
            "has what Sam wrote without a network",
            begun,
            is_note,
        )
    }

    fn all_the_same(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter(
            "Whoever may see all of it holds the same record, and every signature is checked",
        );
        let begun = Instant::now();
        let digest = self.shown(Who::Practice)?.digest;
        for who in [Who::Hospital, Who::Laptop] {
            let same = self.comes_to(who, &digest)?;
            let name = self.player(who).name.clone();
            told.row("holds the same record", &name, Some(begun.elapsed()), same);
        }
        for who in [Who::Practice, Who::Hospital, Who::Laptop, Who::Ambulance] {
            let begun = Instant::now();
            let request = Request::Verify {
                what: self.record.clone(),
                passphrase: None,
            };
            let Reply::Verified(verified) = self.player(who).ask(request)? else {
                return Err(odd_answer());
            };
            let name = self.player(who).name.clone();
            let what = format!(
                "every link and signature of {} entries holds",
                verified.entries
            );
            told.row(
                &what,
                &name,
                Some(begun.elapsed()),
                verified.faults.is_empty(),
            );
            let Reply::Records(records) = self.player(who).ask(Request::RecordList)? else {
                return Err(odd_answer());
            };
            if who != Who::Practice {
                told.row(
                    "holds nobody else's record",
                    &name,
                    None,
                    records.len() == 1,
                );
            }
        }
        Ok(())
    }

    /// Waits until a node holds the record with this digest.
    fn comes_to(&mut self, who: Who, digest: &str) -> Result<bool, Failure> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if self.shown(who)?.digest == digest {
                return Ok(true);
            }
            self.interrupt.check()?;
            std::thread::sleep(Duration::from_millis(50));
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

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn today() -> String {
    Timestamp::now().strftime("%Y-%m-%d").to_string()
}
