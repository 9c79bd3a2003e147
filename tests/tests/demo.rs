//! The demo, as somebody sees it who has just built kith.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::harness::{kith, until};

fn demo(temp: &std::path::Path) -> Command {
    let mut command = Command::new(kith());
    command
        .env("TMPDIR", temp)
        .arg("--json")
        .args(["demo", "--once"]);
    command.stdin(Stdio::null());
    command
}

fn is_empty(folder: &std::path::Path) -> bool {
    let mut entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.next().is_none()
}

#[test]
fn every_step_of_the_story_holds_and_nothing_is_left() {
    let temp = tempfile::tempdir().expect("a folder for the test");
    let output = demo(temp.path()).output().expect("kith can be started");
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(told["held"], true, "{told:#}");
    assert_eq!(output.status.code(), Some(0));
    let rows = told["rows"].as_array().expect("rows");
    let steps = rows.iter().filter_map(|row| row["step"].as_u64()).max();
    assert_eq!(steps, Some(10), "every chapter is told");
    for place in [
        "Riverside Surgery",
        "Castlebridge General Hospital",
        "Four Rivers Ambulance Service",
        "Sam's laptop",
    ] {
        assert!(rows.iter().any(|row| row["where"] == place), "{place}");
    }
    assert!(is_empty(temp.path()), "the demo leaves nothing");
}

#[test]
fn ctrl_c_in_the_middle_ends_every_node_and_leaves_nothing() {
    let temp = tempfile::tempdir().expect("a folder for the test");
    let mut command = Command::new(kith());
    command.env("TMPDIR", temp.path()).args(["demo", "--once"]);
    let mut demo = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("kith can be started");
    let mut lines = BufReader::new(demo.stdout.take().expect("it is piped")).lines();
    let shared = lines.any(|line| line.is_ok_and(|line| line.starts_with("3. ")));
    assert!(shared, "the nodes run and share");
    let interrupted = Command::new("kill")
        .args(["-INT", &demo.id().to_string()])
        .status();
    assert!(interrupted.is_ok_and(|status| status.success()));
    // Read on: a story that cannot be told any more must not hold its teller.
    for line in lines {
        assert!(line.is_ok());
    }
    until("the demo has ended", || {
        matches!(demo.try_wait(), Ok(Some(_)))
    });
    assert!(is_empty(temp.path()), "the demo leaves nothing");
}
