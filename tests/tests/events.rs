//! What happens on a node, told and followed; and one thing that is changed in two places.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::harness::{Node, contains, sample, text, until};

fn lines(out: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(out)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is an object"))
        .collect()
}

#[test]
fn what_happened_is_told_once_and_then_from_where_it_was_left() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let told = lines(&node.kith(["--json", "events"]).done().out);
    assert!(told.iter().any(|line| line["kind"] == "begun"), "{told:?}");
    let medicines = told.iter().find(|line| line["section"] == "medicines");
    let medicines = medicines.expect("the medicines were written");
    assert!(
        medicines["what"].to_string().contains("Apixaban"),
        "{medicines}"
    );
    assert_eq!(medicines["by"], "Riverside Surgery");
    assert_eq!(medicines["record"], record.as_str());
    let last = told.iter().filter_map(|line| line["seq"].as_u64()).max();
    let last = last.expect("there are numbers").to_string();
    let more = node.kith(["--json", "events", "--after", &last]).done().out;
    assert!(lines(&more).is_empty(), "nothing new");

    node.note(&record, "Slept badly");
    let more = lines(
        &node
            .kith(["--json", "events", &record, "--after", &last])
            .done()
            .out,
    );
    assert_eq!(more.len(), 1, "{more:?}");
    assert!(
        more[0]["what"].to_string().contains("Slept badly"),
        "{more:?}"
    );
    let looked = node.json(["who-looked", &record]).to_string();
    assert!(
        looked.contains("looked at it here"),
        "telling is a disclosure: {looked}"
    );
}

#[test]
fn who_follows_a_running_node_hears_of_what_is_added() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    assert_eq!(node.kith(["events", "--follow"]).code, Some(11));
    let _runs = node.running();
    let mut follower = node
        .command(["--json", "events", &record, "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("kith can be started");
    let mut lines = BufReader::new(follower.stdout.take().expect("it is piped")).lines();
    node.note(&record, "Slept badly");
    let heard = lines.any(|line| line.is_ok_and(|line| line.contains("Slept badly")));
    assert!(heard, "the note is told to whoever follows");
    let _ended = follower.kill();
    let _status = follower.wait();
}

/// The dose that a daughter reads must be one that somebody wrote, and both while nobody decided.
#[test]
fn a_dose_that_is_changed_in_two_places_shows_both_until_somebody_chooses() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let hospital = Node::set_up("Castlebridge", "hospital");
    let record = surgery.import(&sample("ips.json"));
    let _surgery_runs = surgery.running();
    let hospital_runs = hospital.running();
    let words = ["share", &record, "--see", "all", "--change", "medicines"];
    let shared = surgery.json(words.iter().chain(&["--until", "2099-12-31"]));
    hospital.join(shared["link"].as_str().expect("a link"));
    let medicine = thing(&surgery, &record, "medicines", "Apixaban");

    drop(hospital_runs);
    let digits = surgery.ndjson(&record);
    surgery.json(["change", &record, &medicine, "--dose", "two at night"]);
    hospital.json(["change", &record, &medicine, "--dose", "none for now"]);
    assert!(contains(&surgery.ndjson(&record), "two at night"));
    assert_ne!(surgery.ndjson(&record), digits);

    let _hospital_runs = hospital.running();
    for node in [&surgery, &hospital] {
        until("both doses are there, for somebody to choose", || {
            let review = node.json(["review", &record]).to_string();
            review.contains("two at night") && review.contains("none for now")
        });
        let refused = node.kith(["change", &record, &medicine, "--dose", "three"]);
        assert_eq!(
            refused.ended(2).code,
            Some(2),
            "one of two is chosen, not written over"
        );
    }
    until("both hold the same", || {
        surgery.digest(&record) == hospital.digest(&record)
    });
    let chosen = surgery.json(["review", &record, "choose", &medicine, "1"]);
    let chosen = chosen["entry"].as_str().expect("an entry").to_owned();
    let first_was_chosen = contains(&surgery.ndjson(&record), "two at night");
    until("the choice reaches the hospital", || {
        let review = hospital.json(["review", &record]);
        review["items"].as_array().is_some_and(Vec::is_empty)
    });
    until("both hold the same again", || {
        surgery.digest(&record) == hospital.digest(&record)
    });
    let undone = surgery.json(["review", &record, "undo", &chosen]);
    assert!(
        undone["what"].to_string().contains("stands again"),
        "{undone}"
    );
    let other = if first_was_chosen {
        "none for now"
    } else {
        "two at night"
    };
    assert!(contains(&surgery.ndjson(&record), other), "{undone}");
    until("what stands again is at the hospital", || {
        contains(&hospital.ndjson(&record), other)
            && surgery.digest(&record) == hospital.digest(&record)
    });
    // Once more: the undoing changed something and chose between nothing.
    let undoing = undone["entry"].as_str().expect("an entry");
    surgery.kith(["review", &record, "undo", &chosen]).ended(13);
    surgery.kith(["review", &record, "undo", undoing]).ended(13);
    surgery.verify(&record);

    hospital
        .kith(["change", &record, &medicine, "--mistake", "not his"])
        .done();
    until("the mistake is known at the surgery", || {
        let shown = surgery.show(&record).to_string();
        shown.contains("entered in error")
    });
}

/// A thing in a record, by a part of its words.
fn thing(node: &Node, record: &str, section: &str, words: &str) -> String {
    let shown = node.show(record);
    let sections = shown["sections"].as_array().expect("sections");
    let lines = sections
        .iter()
        .filter(|part| part["section"] == section)
        .flat_map(|part| part["lines"].as_array().into_iter().flatten());
    let mut found = lines.filter(|line| line["text"].to_string().contains(words));
    let line = found
        .next()
        .unwrap_or_else(|| panic!("no {words} in {shown}"));
    line["id"].as_str().expect("it has an id").to_owned()
}

#[test]
fn what_cannot_be_changed_stays_and_says_why() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let before = node.ndjson(&record);
    let medicine = thing(&node, &record, "medicines", "Apixaban");
    let allergy = thing(&node, &record, "allergies", "enicillin");
    let other = node.file("other.json", r#"{"resourceType":"Patient"}"#);
    let odd = node.file("odd.json", "not JSON");
    for (words, code) in [
        (vec!["change", &record, &allergy, "--dose", "two"], 2),
        (
            vec!["change", &record, &medicine, "--file", text(&other)],
            2,
        ),
        (vec!["change", &record, &medicine, "--file", text(&odd)], 2),
        (vec!["change", &record, "ffffffff", "--dose", "two"], 1),
        (vec!["change", &record, &medicine, "--mistake", " "], 2),
        (vec!["change", &record, &medicine], 2),
    ] {
        node.kith(&words).ended(code);
    }
    assert_eq!(node.ndjson(&record), before);
}
