//! `kill -9` at seeded moments of imports and additions.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::harness::{Moments, Node, how_many, sample, text};

/// Kills in a normal run; `KITH_KILLS` says otherwise.
const KILLS: u64 = 20;
const SEED: u64 = 0x6b69_7468;
/// The latest moment of a kill; most commands have ended by then.
const LATEST_MS: u64 = 400;

/// What was acknowledged, and what was found after each kill.
struct Story {
    node: Node,
    record: String,
    /// Notes whose command ended with 0.
    acknowledged: Vec<String>,
    /// Family names of people whose import ended with 0.
    people: Vec<String>,
    reopened: Vec<Duration>,
    killed: usize,
}

#[test]
fn a_killed_command_loses_nothing_that_was_acknowledged() {
    let kills = how_many("KITH_KILLS", KILLS);
    let mut story = Story::begin();
    let mut moments = Moments(SEED);
    for n in 0..kills {
        let moment = Duration::from_millis(moments.below(LATEST_MS));
        match n % 3 {
            0 => story.add_note(n, moment),
            1 => story.import_people(n, moment),
            _ => story.through_a_running_node(n, moment),
        }
        story.opens_and_holds(n);
    }
    story.node.verify(&story.record);
    let longest = story.reopened.iter().max().expect("there were kills");
    let total: Duration = story.reopened.iter().sum();
    eprintln!(
        "{kills} rounds, {} commands killed at work; status after it: {} ms in the mean, {} ms at most",
        story.killed,
        total.as_millis() / u128::from(kills.max(1)),
        longest.as_millis()
    );
}

impl Story {
    fn begin() -> Self {
        let node = Node::set_up("Riverside Surgery", "practice");
        let record = node.import(&sample("ips.json"));
        Self {
            node,
            record,
            acknowledged: Vec::new(),
            people: Vec::new(),
            reopened: Vec::new(),
            killed: 0,
        }
    }

    fn add_note(&mut self, n: u64, moment: Duration) {
        let note = format!("note of round {n}.");
        let command = self.node.command(["add", &self.record, "note", &note]);
        if self.killed_at(command, moment) {
            self.acknowledged.push(note);
        }
    }

    /// A file of many lines, each another person.
    fn import_people(&mut self, n: u64, moment: Duration) {
        let names: Vec<_> = (0..20)
            .map(|person| format!("Round{n}Person{person}End"))
            .collect();
        let lines: Vec<_> = names.iter().map(|name| patient(name)).collect();
        let file = self.node.file("people.ndjson", lines.join("\n"));
        let command = self.node.command(["import", text(&file)]);
        if self.killed_at(command, moment) {
            self.people.extend(names);
        }
    }

    /// The running node dies while commands come in one after another.
    fn through_a_running_node(&mut self, n: u64, moment: Duration) {
        let mut running = self.node.running();
        let began = Instant::now();
        let mut added = 0;
        while began.elapsed() < moment {
            let note = format!("note {added} while running in round {n}.");
            self.node.note(&self.record, &note);
            self.acknowledged.push(note);
            added += 1;
        }
        let command = self
            .node
            .command(["add", &self.record, "note", "at the very end"]);
        let last = quiet(command);
        running.kill();
        self.killed += 1;
        finish(last);
    }

    /// Whether the command ended with 0 before it was killed.
    fn killed_at(&mut self, command: Command, moment: Duration) -> bool {
        let began = Instant::now();
        let mut child = quiet(command);
        while began.elapsed() < moment {
            if let Some(status) = child.try_wait().expect("it was started") {
                assert!(status.success(), "it ended by itself with {status}");
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("it was started");
        let status = child.wait().expect("it was started");
        self.killed += usize::from(!status.success());
        status.success()
    }

    fn opens_and_holds(&mut self, n: u64) {
        let began = Instant::now();
        let status = self.node.json(["status"]);
        self.reopened.push(began.elapsed());
        assert_eq!(status["problems"], serde_json::json!([]), "round {n}");
        let shown = self.node.show(&self.record).to_string();
        for note in &self.acknowledged {
            assert!(shown.contains(note.as_str()), "round {n}: {note} is lost");
        }
        let list = self
            .node
            .json(["record", "list"])
            .to_string()
            .to_lowercase();
        for name in &self.people {
            let name = name.to_lowercase();
            assert!(list.contains(&name), "round {n}: {name} is lost");
        }
    }
}

fn patient(name: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{name}","name":[{{"family":"{name}","given":["Test"]}}],"birthDate":"1950-01-31"}}"#
    )
}

fn quiet(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("kith can be started")
}

/// Waits for a command whose node died under it: how it ends does not matter.
fn finish(mut child: Child) {
    let _status = child.wait().expect("it was started");
}
