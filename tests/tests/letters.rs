//! Letters: the day that stands on them, and those that take the place of others.

use serde_json::Value;

use crate::harness::{Node, pages::multipart, sample, text, until};

/// The letters of a record, as `kith show` lists them.
fn letters(node: &Node, record: &str) -> Vec<Value> {
    let shown = node.show(record);
    let sections = shown["sections"].as_array().expect("sections");
    let lines = sections
        .iter()
        .filter(|section| section["section"] == "letters");
    lines
        .flat_map(|section| section["lines"].as_array().expect("lines").clone())
        .collect()
}

fn of<'a>(letters: &'a [Value], words: &str) -> &'a Value {
    let mut fitting = letters.iter().filter(|letter| {
        letter["text"]
            .as_str()
            .is_some_and(|text| text.contains(words))
    });
    fitting
        .next()
        .unwrap_or_else(|| panic!("{words} in {letters:?}"))
}

/// Adds a letter to a record, and gives back its id there.
fn discharged(surgery: &Node, record: &str) -> String {
    let first = surgery.file("first.txt", "Discharged on Friday.");
    let words = ["add", record, "letter", text(&first)];
    surgery
        .kith(words.iter().chain(&["--title", "Discharge letter"]))
        .done();
    let id = of(&letters(surgery, record), "Discharge letter")["id"].clone();
    id.as_str().expect("an id").to_owned()
}

fn is_replaced(letter: &Value) -> bool {
    letter["marks"]
        .to_string()
        .contains("replaced by a newer one")
}

#[test]
fn a_letter_takes_the_place_of_another_on_every_node_and_the_older_one_stays() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let laptop = Node::set_up("Sam's laptop", "person");
    let record = surgery.import(&sample("ips.json"));
    let _surgery_runs = surgery.running();
    laptop.join(&surgery.share(&record, "all", "all"));
    let _laptop_runs = laptop.running();
    let older = discharged(&surgery, &record);

    let second = surgery.file("second.txt", "Discharged on Saturday, on two tablets.");
    let words = [
        "add",
        &record,
        "letter",
        text(&second),
        "--title",
        "Corrected discharge",
    ];
    let newer = ["--replaces", &older, "--date", "2026-11-02"];
    surgery.kith(words.iter().chain(&newer)).done();

    for node in [&surgery, &laptop] {
        until("the newer letter is there", || {
            letters(node, &record)
                .iter()
                .any(|letter| letter["text"].to_string().contains("Corrected discharge"))
        });
        let held = letters(node, &record);
        assert!(is_replaced(of(&held, "Discharge letter")), "{held:?}");
        let newer = of(&held, "Corrected discharge");
        assert!(!is_replaced(newer), "{held:?}");
        assert_eq!(newer["when"], "2026-11-02");
        let timeline = node.json(["record", "timeline", &record]).to_string();
        assert!(timeline.contains("replaced by a newer one"));
        // It came long after the day that stands on it.
        assert!(timeline.contains("days later"), "{timeline}");
    }
}

#[test]
fn a_page_of_a_letter_leads_to_the_one_that_takes_its_place() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    let older = discharged(&surgery, &record);
    let _surgery_runs = surgery.running();
    let visitor = surgery.visited();
    let page = format!("/r/{record}/thing/{older}");
    visitor.page(&page).says("Add a newer letter in its place");
    let form = format!("/r/{record}/add?replaces={older}");
    visitor
        .page(&form)
        .says("It takes the place of: Discharge letter");
    let token = visitor.token(&form);
    let fields = [
        ("form", token.as_str()),
        ("title", "Corrected discharge"),
        ("date", "2026-11-02"),
        ("replaces", older.as_str()),
        ("what", "file"),
    ];
    let (kind, body) = multipart(&fields, &[("file", "b.txt", b"Discharged on Saturday.")]);
    let added = visitor.send(&format!("/r/{record}/add"), &kind, &body);
    assert_eq!(added.status, 303, "{}", added.text());
    let shown = visitor
        .page(&page)
        .says("A newer letter took the place of this one");
    let newer = shown
        .links()
        .into_iter()
        .find(|link| link.contains("/thing/") && !link.contains(&older));
    visitor
        .page(&newer.expect("a link to it"))
        .says("It takes the place of")
        .says("Discharge letter");
}

#[test]
fn what_is_no_letter_is_not_replaced_and_a_day_is_a_day() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    surgery.note(&record, "Slept well");
    let shown = surgery.show(&record);
    let digest = shown["digest"].clone();
    let sections = shown["sections"].as_array().expect("sections");
    let note = sections
        .iter()
        .flat_map(|section| section["lines"].as_array().expect("lines"))
        .find(|line| line["kind"] == "Observation")
        .expect("a note");
    let note = note["id"].as_str().expect("an id");
    let file = surgery.file("letter.txt", "Dear colleague");
    for (wrong, code, says) in [
        (["--replaces", note], 2, "is not a letter"),
        (["--replaces", "0000000000"], 1, "nothing called"),
        (["--date", "31 November"], 2, "is not a day"),
    ] {
        let words = ["add", &record, "letter", text(&file)];
        let ran = surgery.kith(words.iter().chain(&wrong)).ended(code);
        assert!(ran.err.contains(says), "{ran}");
        assert!(ran.err.contains("Nothing was changed"), "{ran}");
    }
    assert_eq!(surgery.show(&record)["digest"], digest);
}
