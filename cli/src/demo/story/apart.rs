//! The second half of the story: what happens while some cannot reach others, and after.

use std::time::Instant;

use kith_node::{
    api::{Addition, Keep, Kind, Occurred, Reply, Request},
    failure::Failure,
};

use super::{Story, Who, says, section};
use crate::{
    ask::odd_answer,
    demo::{Told, papers},
};

/// Readings that come in while the laptop is shut.
const READINGS: u32 = 40;

impl Story<'_> {
    pub(super) fn two_doses(&mut self, told: &mut Told) -> Result<(), Failure> {
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

    pub(super) fn consent_withdrawn(&mut self, told: &mut Told) -> Result<(), Failure> {
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

    pub(super) fn laptop_back(&mut self, told: &mut Told) -> Result<(), Failure> {
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

    pub(super) fn all_the_same(&mut self, told: &mut Told) -> Result<(), Failure> {
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
}
