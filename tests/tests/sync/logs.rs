//! A canary in the mine: nothing of a patient stands in any log, at whichever level.

use std::process::Command;

use crate::harness::{Node, all_hold_the_same, contains, until};

/// Everything, from every library too.
const LEVEL: &str = "trace";

const SURNAME: &str = "Zwitschermann";
const GIVEN: &str = "Kanarina";
const NHS_NUMBER: &str = "9434765919";
const DRUG: &str = "Quillazepam";
const FREE_TEXT: &str = "Chirps before breakfast";
const GUEST: &str = "Pauline Piepmatz";

/// A command whose log is kept: what it says to people on the same stream is not part of it.
fn logged(node: &Node, words: &[&str], log: &mut Vec<String>) -> Vec<u8> {
    let mut command: Command = node.command(words);
    let ran = command.env("KITH_LOG", LEVEL).output();
    let ran = ran.expect("kith can be started");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{words:?}: {said}");
    log.extend(lines(&said).map(str::to_owned));
    ran.stdout
}

fn lines(said: &str) -> impl Iterator<Item = &str> {
    said.lines()
        .filter(|line| line.starts_with("{\"timestamp\""))
}

fn canary() -> String {
    let patient = format!(
        r#"{{"resourceType":"Patient","id":"canary-{SURNAME}","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{NHS_NUMBER}"}}],"name":[{{"family":"{SURNAME}","given":["{GIVEN}"]}}],"birthDate":"1931-02-03"}}"#
    );
    let allergy = format!(
        r#"{{"resourceType":"AllergyIntolerance","patient":{{"reference":"Patient/canary-{SURNAME}"}},"code":{{"text":"{DRUG}"}},"note":[{{"text":"{FREE_TEXT}"}}]}}"#
    );
    // Odd, so that it is flagged.
    let odd = format!(
        r#"{{"resourceType":"Observation","status":"final","subject":{{"reference":"Patient/canary-{SURNAME}"}},"code":{{"text":"{DRUG}"}},"valueString":"{FREE_TEXT}","effectiveDateTime":"{FREE_TEXT}"}}"#
    );
    format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{patient}}},{{"resource":{allergy}}},{{"resource":{odd}}}]}}"#
    )
}

#[test]
fn nothing_of_a_patient_stands_in_any_log_at_any_level() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let laptop = Node::set_up(GUEST, "person");
    let mut log = Vec::new();
    let file = surgery.file(&format!("{SURNAME}.json"), canary());
    let path = file.to_str().expect("it is text").to_owned();

    // Without a running node the command itself does the work.
    let imported = logged(&surgery, &["--json", "import", &path], &mut log);
    let imported: serde_json::Value = serde_json::from_slice(&imported).expect("JSON");
    let record = imported["record"].as_str().expect("one record").to_owned();
    for words in [
        &["show", &record][..],
        &["record", "find", SURNAME],
        &["add", &record, "note", FREE_TEXT],
        &["export", &record, "--as", "ips"],
        &["verify", &record],
    ] {
        logged(&surgery, words, &mut log);
    }
    assert!(!log.is_empty(), "commands log at this level");

    let surgery_runs = surgery.running_with_log("127.0.0.1:0", LEVEL);
    let laptop_runs = laptop.running_with_log("127.0.0.1:0", LEVEL);
    logged(&surgery, &["import", &path], &mut log);
    let share = ["--json", "share", &record, "--see", "all", "--add", "all"];
    let share = [&share[..], &["--until", "2099-12-31"]].concat();
    let shared = logged(&surgery, &share, &mut log);
    let shared: serde_json::Value = serde_json::from_slice(&shared).expect("JSON");
    let link = shared["link"].as_str().expect("a link");
    let words = shared["words"].as_str().expect("words");
    logged(&laptop, &["join", "--link", link, "--yes"], &mut log);
    all_hold_the_same(&[&surgery, &laptop], &record);
    logged(&laptop, &["add", &record, "note", FREE_TEXT], &mut log);
    let medicine = format!("{DRUG} 5 mg");
    logged(&laptop, &["add", &record, "medicine", &medicine], &mut log);
    all_hold_the_same(&[&surgery, &laptop], &record);
    logged(&surgery, &["stop", &record, GUEST], &mut log);
    until("the laptop knows", || {
        laptop.json(["sharing", &record])["shares"][0]["state"] == "stopped"
    });
    for words in [
        &["review", &record][..],
        &["who-looked", &record],
        &["sharing", &record],
        &["record", "timeline", &record],
        &["events", &record],
        &["status"],
    ] {
        logged(&surgery, words, &mut log);
    }
    // What fails is logged no better than what works.
    let refused = laptop.kith(["add", &record, "note", FREE_TEXT]);
    refused.ended(13);
    drop((surgery_runs, laptop_runs));

    let logs = [
        ("the surgery's", surgery.log()),
        ("the laptop's", laptop.log()),
        ("the commands'", log.join("\n")),
    ];
    let canaries = [
        SURNAME,
        GIVEN,
        NHS_NUMBER,
        "943 476 5919",
        DRUG,
        FREE_TEXT,
        GUEST,
        &record,
        &record[..12],
        "1931-02-03",
        link,
        words,
    ];
    for (whose, log) in &logs {
        eprintln!("{whose} log has {} lines", log.lines().count());
        for canary in canaries {
            if contains(log.as_bytes(), canary) {
                let line = log.lines().find(|line| contains(line.as_bytes(), canary));
                panic!("{canary} stands in {whose} log: {line:?}");
            }
        }
    }
    assert!(logs[0].1.contains("kith_node"), "the running node logs");
}
