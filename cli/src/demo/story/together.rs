//! The first half of the story: everyone is connected.

use std::time::Instant;

use kith_node::{
    api::{
        EventKind, EventSaid, Occurred, Reply, Request, ShareRequest, ShareTerms, Shared, TaskState,
    },
    failure::Failure,
};

use super::{Story, Who, says, section, today};
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
                Some("encounters,medicines"),
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
        self.seen(told, &everyone, "has the ReSPECT plan", begun, is_plan)?;
        told.say("   And the surgery writes down what has to happen when he is admitted.");
        let begun = Instant::now();
        self.rules(Who::Practice, papers::RULES)?;
        let is_rule = |seen: &Occurred| says(seen, "circle", "What has to happen");
        let everyone = [Who::Laptop, Who::Hospital, Who::Ambulance];
        self.seen(told, &everyone, "knows what has to happen", begun, is_rule)
    }

    pub(super) fn fall(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("He falls at home; Sam is there, writes it down and rings 999");
        let begun = Instant::now();
        let fall = EventSaid::Happened {
            kind: EventKind::Fall,
            when: None,
            place: Some("in the kitchen".to_owned()),
            why: Some("slipped; wrist hurts, did not hit his head".to_owned()),
        };
        self.event(Who::Laptop, fall)?;
        let is_fall = |seen: &Occurred| says(seen, "daily-care", "in the kitchen");
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
        told.chapter("The hospital admits him, and everyone is asked for what has to happen then");
        told.say("   The ward clerk types it into the hospital's own system, which sends an HL7 message.");
        let begun = Instant::now();
        self.message(told, "ADT^A01", 1)?;
        let others = [Who::Practice, Who::Laptop, Who::Ambulance];
        // By its name, also where the two never met: its card stands in the record's circle.
        let is_admitted = |seen: &Occurred| {
            seen.by == "Castlebridge General Hospital"
                && says(seen, "encounters", "Fall at home, wrist fracture")
        };
        self.seen(
            told,
            &others,
            "knows that he is in hospital",
            begun,
            is_admitted,
        )?;
        for (owner, what) in [
            ("the surgery", "review his medicines"),
            ("the community nurses", "dress the wrist"),
            ("social care", "pause the morning visits"),
            ("Sam", "take glasses and hearing aid"),
        ] {
            let is_task = |seen: &Occurred| says(seen, "tasks", what);
            let says = format!("has the task for {owner}");
            self.seen(told, &[Who::Practice, Who::Laptop], &says, begun, is_task)?;
        }
        told.say("   Sam has the glasses in her bag, and says so.");
        let begun = Instant::now();
        self.accepted(Who::Laptop, "take glasses")?;
        let is_accepted =
            |seen: &Occurred| seen.by == "Sam's laptop" && says(seen, "tasks", "Accepted");
        let others = [Who::Practice, Who::Hospital];
        self.seen(told, &others, "knows that Sam does it", begun, is_accepted)?;
        for who in others {
            let task = self.task(who, "take glasses")?;
            let name = self.player(who).name.clone();
            let held = task.is_some_and(|task| task.state == TaskState::Accepted);
            told.row("shows it as accepted by Sam", &name, None, held);
            let waits = self.task(who, "dress the wrist")?;
            let held = waits.is_some_and(|task| task.state == TaskState::Requested);
            told.row("shows what nobody has accepted yet", &name, None, held);
        }
        Ok(())
    }
    pub(super) fn discharge_taken_back(&mut self, told: &mut Told) -> Result<(), Failure> {
        told.chapter("He is to go home, and then is not: what was asked for is taken back");
        let visit = "visit him at home";
        let both = [Who::Practice, Who::Laptop];
        let begun = Instant::now();
        self.message(told, "ADT^A03", 2)?;
        let is_task = |seen: &Occurred| says(seen, "tasks", visit);
        self.seen(told, &both, "has the task to visit him", begun, is_task)?;
        let begun = Instant::now();
        self.message(told, "ADT^A13", 3)?;
        for who in both {
            let held = self.comes_to_be(who, visit, TaskState::Withdrawn)?;
            let name = self.player(who).name.clone();
            told.row(
                "shows that visit as withdrawn",
                &name,
                Some(begun.elapsed()),
                held,
            );
            let waits = self.task(who, "dress the wrist")?;
            let held = waits.is_some_and(|task| task.state == TaskState::Requested);
            told.row("shows what is still asked for", &name, None, held);
        }
        Ok(())
    }

    /// The hospital's own system sends its node a message.
    fn message(&mut self, told: &mut Told, kind: &str, number: u32) -> Result<(), Failure> {
        let message = papers::message(kind, number, &self.man.person);
        let begun = Instant::now();
        let code = self.hospital.receives(&message)?;
        let what = format!("has the message {kind} on its disk and answers {code}");
        told.row(
            &what,
            &self.hospital.name,
            Some(begun.elapsed()),
            code == "AA",
        );
        Ok(())
    }
}
