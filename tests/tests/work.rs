//! A man is admitted to hospital, and what has to happen then: on nodes that really run.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::Instant,
};

use serde_json::Value;

use crate::harness::{Node, Running, never, sample, until};

const RULES: &str = "\
# What has to happen around him
on admission
  Riverside Surgery: review his medicines, within 2 days, because he takes blood thinners
  Community nurses: plan the first visit, within 1 day
  Social care: pause the morning visits, within 4 hours
  Sam: take glasses and hearing aid to the ward, within 1 day
";

/// The tasks of a record, also those that are closed.
fn tasks(node: &Node, record: &str) -> Vec<Value> {
    let list = node.json(["tasks", record, "--all"]);
    list["tasks"].as_array().expect("tasks").clone()
}

/// The one task that says so.
fn task(node: &Node, record: &str, what: &str) -> Option<Value> {
    let tasks = tasks(node, record);
    let mut found = tasks.into_iter().filter(|task| {
        let said = task["what"].as_str();
        said.is_some_and(|said| said.contains(what))
    });
    let first = found.next();
    assert!(found.next().is_none(), "{what} is there once");
    first
}

fn state(node: &Node, record: &str, what: &str) -> String {
    let task = task(node, record, what);
    task.map_or_else(String::new, |task| {
        task["state"].as_str().unwrap_or_default().to_owned()
    })
}

/// A surgery with rules for its patient, and everyone with whom it shares.
struct Circle {
    surgery: Node,
    hospital: Node,
    nurses: Node,
    social: Node,
    home: Node,
    record: String,
    _run: Vec<Running>,
}

impl Circle {
    fn meets() -> Self {
        let surgery = Node::set_up("Riverside Surgery", "practice");
        let hospital = Node::set_up("Castlebridge", "hospital");
        let nurses = Node::set_up("Community nurses", "practice");
        let social = Node::set_up("Social care", "care-home");
        let home = Node::set_up("Sam", "person");
        let record = surgery.import(&sample("ips.json"));
        let file = surgery.file("rules.txt", RULES);
        surgery.kith(["check".as_ref(), file.as_os_str()]).done();
        let kept = ["record", "rules", &record, "--set"].map(std::ffi::OsStr::new);
        surgery
            .kith(kept.iter().copied().chain([file.as_os_str()]))
            .done();
        let mut run = vec![surgery.running()];
        for guest in [&hospital, &nurses, &social, &home] {
            run.push(guest.running());
            let add = if std::ptr::eq(guest, &hospital) {
                "encounters,tasks"
            } else {
                "tasks,daily-care"
            };
            guest.join(&surgery.share(&record, "all", add));
        }
        Self {
            surgery,
            hospital,
            nurses,
            social,
            home,
            record,
            _run: run,
        }
    }

    fn everyone(&self) -> [(&str, &Node); 5] {
        [
            ("the surgery", &self.surgery),
            ("the hospital", &self.hospital),
            ("the nurses", &self.nurses),
            ("social care", &self.social),
            ("at home", &self.home),
        ]
    }
}

#[test]
fn an_admission_asks_everyone_whom_the_rules_name_and_a_cancelled_one_asks_nobody() {
    let circle = Circle::meets();
    let record = circle.record.as_str();
    until("the hospital knows the rules", || {
        let rules = circle.hospital.json(["record", "rules", record]);
        rules["known"] == "recorded"
    });
    let begun = Instant::now();
    let words = ["event", record, "admission", "--where", "Ward 7"];
    let made = circle.hospital.json(words);
    let event = made["event"].as_str().expect("an event").to_owned();
    assert_eq!(made["tasks"].as_array().map(Vec::len), Some(4), "{made}");
    for (name, node) in circle.everyone() {
        until("all four tasks are there", || {
            tasks(node, record).len() == 4
        });
        eprintln!(
            "the tasks of the admission are with {name} after {:?}",
            begun.elapsed()
        );
    }
    for (node, what) in [
        (&circle.surgery, "review his medicines"),
        (&circle.nurses, "first visit"),
        (&circle.social, "morning visits"),
        (&circle.home, "glasses"),
    ] {
        let own = node.json(["tasks", record, "--mine"]);
        assert_eq!(own["tasks"].as_array().map(Vec::len), Some(1), "{own}");
        assert!(own["tasks"][0]["what"].to_string().contains(what), "{own}");
    }

    // Whoever may look at tasks and is not asked says nothing that counts.
    let glasses = task(&circle.home, record, "glasses").expect("a task");
    let id = glasses["id"].as_str().expect("an id");
    circle.nurses.kith(["tasks", "accept", id]).done();
    circle
        .home
        .kith(["tasks", "accept", id, "--because", "on my way"])
        .done();
    for (name, node) in circle.everyone() {
        until("who accepted it is known", || {
            let task = task(node, record, "glasses").expect("a task");
            task["state"] == "accepted" && task["says"].to_string().contains("accepted by Sam")
        });
        eprintln!(
            "that Sam accepted is known with {name} after {:?}",
            begun.elapsed()
        );
    }

    let cancelled = [
        "event",
        record,
        "cancel",
        &event,
        "--because",
        "wrong person",
    ];
    circle.hospital.kith(cancelled).done();
    for (_, node) in circle.everyone() {
        until(
            "the tasks are withdrawn, and who had accepted is in sight",
            || {
                let says = task(node, record, "glasses").expect("a task")["says"].to_string();
                state(node, record, "first visit") == "withdrawn"
                    && says.contains("withdrawn")
                    && says.contains("Sam had accepted it")
            },
        );
        let open = node.json(["tasks", record]);
        assert_eq!(open["tasks"].as_array().map(Vec::len), Some(0), "{open}");
    }
}

#[test]
fn a_node_that_was_away_catches_up_and_one_whose_share_was_stopped_gets_nothing_more() {
    let mut circle = Circle::meets();
    let record = circle.record.clone();
    let record = record.as_str();
    // The daughter's laptop is shut, and social care is no longer to see the record.
    drop(circle._run.pop());
    let stop = ["stop", record, "Social care", "--keep", "all"];
    circle.surgery.kith(stop).done();
    until("social care knows that sharing was stopped", || {
        let sharing = circle.social.json(["sharing", record]);
        sharing["shares"].to_string().contains("stopped")
    });
    let made = circle.hospital.json(["event", record, "admission"]);
    let event = made["event"].as_str().expect("an event").to_owned();
    until("the nurses are asked", || {
        state(&circle.nurses, record, "first visit") == "requested"
    });
    let visit = task(&circle.nurses, record, "first visit").expect("a task");
    let id = visit["id"].as_str().expect("an id");
    circle.nurses.kith(["tasks", "accept", id]).done();
    circle.nurses.kith(["tasks", "done", id]).done();
    until("that is known at the surgery", || {
        state(&circle.surgery, record, "first visit") == "done"
    });
    let cancelled = ["event", record, "cancel", &event];
    circle.hospital.kith(cancelled).done();
    until("the cancelling is known at the surgery", || {
        state(&circle.surgery, record, "glasses") == "withdrawn"
    });
    let _home_runs = circle.home.running();
    until("the laptop has caught up", || {
        state(&circle.home, record, "first visit") == "done"
            && state(&circle.home, record, "glasses") == "withdrawn"
    });
    never("whoever was stopped is asked for something", || {
        !tasks(&circle.social, record).is_empty()
    });
    circle.surgery.verify(record);
}

#[test]
fn what_nobody_accepted_in_time_is_told_at_that_moment() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let _runs = node.running();
    let mut follower = node
        .command(["--json", "events", &record, "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("kith can be started");
    let mut lines = BufReader::new(follower.stdout.take().expect("it is piped")).lines();
    let mut clock = std::process::Command::new("date");
    clock.args(["-u", "-d", "3 seconds", "+%Y-%m-%dT%H:%M:%SZ"]);
    let end = clock.output().expect("there is a clock").stdout;
    let end = String::from_utf8_lossy(&end).trim().to_owned();
    node.kith(["status", "--check"]).done();
    node.kith(["add", &record, "task", "ring the daughter", "--by", &end])
        .done();
    let late = lines.find_map(|line| {
        let told: Value = serde_json::from_str(&line.ok()?).ok()?;
        (told["kind"] == "late").then_some(told)
    });
    let late = late.expect("the deadline is told");
    assert_eq!(late["when"], end.as_str());
    assert!(
        late["what"].to_string().contains("nobody has accepted it"),
        "{late}"
    );
    let status = node.kith(["status", "--check"]).ended(4);
    assert!(status.text().contains("late since"), "{status}");
    let first = node.json(["tasks"]);
    assert_eq!(first["tasks"][0]["late"], true, "{first}");
    let id = first["tasks"][0]["id"].as_str().expect("an id");
    node.kith(["tasks", "done", id]).done();
    node.kith(["status", "--check"]).done();
    let _ended = follower.kill();
    let _status = follower.wait();
}
