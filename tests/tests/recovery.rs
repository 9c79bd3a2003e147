//! Taking decisions back, and taking a record out of the hands of somebody who is gone, on real
//! processes.

use serde_json::Value;

use crate::harness::{Node, contains, sample, until};

fn text(shown: &Value) -> String {
    let text = shown["text"].as_str();
    text.unwrap_or_else(|| panic!("nothing to hand on in {shown}"))
        .to_owned()
}

fn controllers(node: &Node, record: &str) -> Vec<String> {
    let shown = node.json(["record", "control", record]);
    let all = shown["controllers"].as_array().into_iter().flatten();
    all.filter_map(|one| one["name"].as_str().map(str::to_owned))
        .collect()
}

fn holds(node: &Node, record: &str, words: &str) -> bool {
    let exported = node.kith(["export", record, "--as", "ndjson"]);
    exported.code == Some(0) && contains(&exported.out, words)
}

#[test]
fn two_of_three_recover_a_record_from_an_ex_partner_who_is_gone() {
    let partner = Node::set_up("Ben", "person");
    let patient = Node::set_up("Ada", "person");
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let friend = Node::set_up("Cleo", "person");
    let record = partner.import(&sample("ips.json"));
    partner.note(&record, "Walks with a stick");
    let partner_runs = partner.running();
    let (_patient_runs, _surgery_runs, _friend_runs) =
        (patient.running(), surgery.running(), friend.running());
    for guest in [&patient, &surgery, &friend] {
        guest.join(&partner.share(&record, "all", "daily-care"));
    }
    // The patient knows the surgery and the friend from a record of her own.
    let own = patient.json(["record", "new", "--family", "Quince"]);
    let own = own["record"].as_str().expect("a record").to_owned();
    for known in [&surgery, &friend] {
        known.join(&patient.share(&own, "identity", "daily-care"));
    }
    let members = ["--member", "Ada", "--member", "Riverside Surgery"];
    let set = ["recover", "set", &record];
    let words = set.iter().chain(&members);
    let made = partner.json(words.chain(&["--member", "Cleo", "--needed", "2"]));
    assert!(made["event"].is_string(), "{made}");
    for member in [&patient, &surgery, &friend] {
        until("everybody holds the same", || {
            member.digest(&record) == partner.digest(&record)
        });
    }

    // He goes, and the three can only telephone and send files.
    drop(partner_runs);
    let asked = patient.json(["recover", "record", &record, "--controller", "Ada"]);
    assert!(asked["event"].is_null(), "one of three: {asked}");
    let letter = friend.beside("letter.txt");
    std::fs::write(&letter, text(&asked)).expect("a file for the test");
    let letter = letter.to_str().expect("a path").to_owned();
    let refused = friend.kith(["recover", "approve", &letter]).ended(4);
    assert!(
        refused.err.contains("Ada asks you to agree") || refused.err.contains("is to control"),
        "what it is is said before it is signed: {refused}"
    );
    let agreed = friend.json(["recover", "approve", &letter, "--yes"]);
    let done = patient.json(["recover", "agreed", &text(&agreed)]);
    assert!(done["event"].is_string(), "{done}");
    assert_eq!(controllers(&patient, &record), ["Ada"]);
    until("the surgery knows", || {
        controllers(&surgery, &record) == ["Ada"]
    });

    assert!(holds(&patient, &record, "Walks with a stick"));
    surgery.note(&record, "Seen on Tuesday");
    until("the surgery's share goes on", || {
        holds(&patient, &record, "Seen on Tuesday")
    });
    let late = partner.note(&record, "I decide here");
    let _partner_runs = partner.running();
    until("he hears that he controls it no more", || {
        controllers(&partner, &record) == ["Ada"]
    });
    until("what he wrote since waits for a person", || {
        let review = patient.json(["review", &record]);
        review.to_string().contains(&late)
    });
    until("nothing waits for anything else", || {
        let explained = surgery.kith(["--json", "explain", &late]);
        explained.code != Some(0) || explained.json()["status"] == "contested"
    });
    assert!(!holds(&patient, &record, "I decide here"));
    partner
        .kith(["add", &record, "note", "Once more"])
        .ended(13);
    for node in [&patient, &surgery] {
        node.verify(&record);
    }
}
