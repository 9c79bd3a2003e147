//! The first half of the story: everyone is connected.

use std::time::Instant;

use kith_node::{
    api::{Addition, Occurred, Reply, Request, ShareRequest, ShareTerms, Shared},
    failure::Failure,
};

use super::{Story, Who, now, says, section, today};
use crate::{
    ask::odd_answer,
    demo::{Told, papers},
};

impl Story<'_> {
    pub(super) fn share(&mut self, told: &mut Told) -> Result<(), Failure> {
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

    pub(super) fn plan(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("The doctor signs his ReSPECT plan: what is to be done in an emergency");
        let plan = papers::respect(&today()).to_string();
        let file = self.place.file("respect.json", &plan)?;
        let begun = Instant::now();
        self.bring(&self.practice, vec![file])?;
        let is_plan = |seen: &Occurred| says(seen, "plans", "ReSPECT");
        let everyone = [Who::Laptop, Who::Hospital, Who::Ambulance];
        self.seen(told, &everyone, "has the ReSPECT plan", begun, is_plan)
    }

    pub(super) fn fall(&mut self, told: &mut Told) -> Result<(), Failure> {
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

    pub(super) fn admission(&mut self, told: &mut Told) -> Result<(), Failure> {
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
}
