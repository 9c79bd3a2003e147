//! Somebody who lost every device goes on as themselves, by the word of those whom they named, on
//! real processes.

use serde_json::Value;

use crate::harness::{Node, contains, never, sample, until};

fn said<'a>(shown: &'a Value, what: &str) -> &'a str {
    let text = shown[what].as_str();
    text.unwrap_or_else(|| panic!("no {what} in {shown}"))
}

#[test]
fn two_of_three_give_a_patient_who_lost_everything_a_new_start() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let (ben, cleo) = (
        Node::set_up("Ben", "person"),
        Node::set_up("Cleo", "person"),
    );
    let lost = Node::set_up("Ada", "person");
    let record = lost.import(&sample("ips.json"));
    let lost_runs = lost.running();
    let (_surgery_runs, _ben_runs, _cleo_runs) = (surgery.running(), ben.running(), cleo.running());
    for guest in [&surgery, &ben, &cleo] {
        guest.join(&lost.share(&record, "all", "daily-care"));
    }
    lost.note(&record, "Walks with a stick");

    let people = [
        "--member",
        "Ben",
        "--member",
        "Cleo",
        "--member",
        "Riverside Surgery",
    ];
    let named = ["recover", "me", "--needed", "2"].into_iter().chain(people);
    let made = lost.json(named);
    assert!(made["event"].is_string(), "{made}");
    for guest in [&surgery, &ben, &cleo] {
        until("everybody holds the same", || {
            guest.digest(&record) == lost.digest(&record)
        });
    }
    drop(lost_runs);

    // She comes to Ben with a new laptop and nothing else.
    let told = ben.json(["recover", "person", "Ada"]);
    let ada = Node::nowhere();
    ada.kith(["recover", "begin", "kith:person/AAAA"]).ended(15);
    let begun = ada.json(["recover", "begin", said(&told, "text")]);
    let words = said(&begun, "check_words").to_owned();
    let question = ada.file("question.txt", said(&begun, "text"));
    let question = question.to_str().expect("a path");
    let asked = cleo.kith(["recover", "approve", question]).ended(4);
    assert!(
        asked.err.contains("wants to be Ada") && asked.err.contains(&words),
        "what it is, and what to compare, is said before it is signed: {asked}"
    );
    let waits = ada.json(["recover", "me"]);
    assert_eq!(said(&waits, "check_words"), words);
    let first = ben.json(["recover", "approve", question, "--yes"]);
    let one = ada.json(["recover", "agreed", said(&first, "text")]);
    assert!(one["event"].is_null(), "one of three: {one}");
    let second = cleo.json(["recover", "approve", question, "--yes"]);
    let done = ada.json(["recover", "agreed", said(&second, "text")]);
    assert!(done["event"].is_string(), "{done}");

    // Her record comes from those who agreed, and everybody takes her new device for hers.
    let _ada_runs = ada.running();
    until("her record is here again", || {
        let held = ada.kith(["export", &record, "--as", "ndjson"]);
        held.code == Some(0) && contains(&held.out, "Walks with a stick")
    });
    let before = lost.json(["status"])["node"].clone();
    let before = before.as_str().expect("a node").to_owned();
    let status = ada.kith(["--json", "status"]).json().to_string();
    assert!(
        status.contains("was stopped when you got a new key"),
        "{status}"
    );
    ada.json(["devices", "retire", &before, "--keep", "all"]);
    let note = ada.note(&record, "Here again");
    // Whoever agreed is known to the new device; she meets the others again.
    surgery.join(&ada.share(&record, "all", "daily-care"));
    for node in [&ben, &cleo, &surgery] {
        until("they have what she writes, and it counts", || {
            contains(&node.ndjson(&record), "Here again")
        });
        assert_eq!(node.json(["explain", &note])["status"], "accepted");
    }
    surgery.note(&record, "Seen on Tuesday");
    until("the surgery's share goes on", || {
        contains(&ada.ndjson(&record), "Seen on Tuesday")
    });
    until("nothing waits for anybody", || {
        let review = ada.json(["review", &record]);
        review["items"].as_array().is_some_and(Vec::is_empty)
    });

    // Whoever has the old laptop gets nothing more.
    let _lost_runs = lost.running();
    never("the old laptop hears anything more", || {
        let held = lost.ndjson(&record);
        contains(&held, "Here again") || contains(&held, "Seen on Tuesday")
    });
    for node in [&ada, &ben, &surgery] {
        node.verify(&record);
    }
}

#[test]
fn a_second_device_names_ones_people_with_the_sheet_of_the_first() {
    let (laptop, sheet) = Node::with_sheet("Ada", "person");
    let ben = Node::set_up("Ben", "person");
    let record = laptop.json(["record", "new", "--family", "Quince"]);
    let record = said(&record, "record").to_owned();
    let (_laptop_runs, _ben_runs) = (laptop.running(), ben.running());
    ben.join(&laptop.share(&record, "all", "daily-care"));
    let invited = laptop.json(["devices", "add"]);
    let phone = Node::nowhere();
    phone.json(["join", "--link", said(&invited, "link"), "--yes"]);
    let named = ["recover", "me", "--member", "Ben", "--needed", "1"];
    let refused = phone.kith(named).ended(13);
    assert!(refused.err.contains("--recovery-sheet"), "{refused}");
    let sheet = sheet.to_str().expect("a path");
    let made = phone.json(named.into_iter().chain(["--recovery-sheet", sheet]));
    assert_eq!(made["sets"][0]["members"][0], "Ben", "{made}");
    let refused = ben.kith(["recover", "person", "Nobody"]).ended(1);
    assert!(refused.err.contains("knows nobody"), "{refused}");
}
