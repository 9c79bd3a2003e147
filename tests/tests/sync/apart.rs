//! Both write while they are apart, and hold the same when they meet. Nothing is used here but the
//! shapes of JSON that stay as they are for scripts.

use serde_json::Value;

use crate::harness::{Node, free_address, json, sample, text, until};

fn word(object: &Value, name: &str) -> String {
    let word = object[name].as_str();
    word.unwrap_or_else(|| panic!("no {name} in {object}"))
        .to_owned()
}

fn digest(node: &Node, record: &str) -> String {
    word(&node.json(["show", record]), "digest")
}

fn export(node: &Node, record: &str) -> Vec<u8> {
    let ran = node.kith(["export", record, "--as", "ndjson"]);
    ran.done().out
}

#[test]
fn both_write_while_apart_and_hold_the_same_when_they_meet() {
    let (surgery, laptop) = (Node::nowhere(), Node::nowhere());
    for (node, name, kind) in [
        (&surgery, "Riverside Surgery", "practice"),
        (&laptop, "Sam", "person"),
    ] {
        node.kith(["setup", "--name", name, "--kind", kind]).done();
    }
    let imported = surgery.json(["import", text(&sample("ips.json"))]);
    assert_eq!(imported["unchanged"], 0, "{imported}");
    assert!(imported["filed"]["medicines"].as_u64() > Some(0));
    let record = word(&imported, "record");

    let at = free_address();
    let surgery_runs = surgery.running_at(["--listen", &at]);
    let laptop_runs = laptop.running_at(["--listen", "127.0.0.1:0"]);
    let share = [
        "share",
        &record,
        "--see",
        "all",
        "--add",
        "all",
        "--until",
        "2099-12-31",
    ];
    let shared = surgery.json(share);
    assert_eq!(word(&shared, "words").split(' ').count(), 4);
    assert!(shared["until"].is_string(), "{shared}");
    let joined = laptop.json(["join", "--link", &word(&shared, "link"), "--yes"]);
    assert_eq!(word(&joined, "record"), record);
    assert_eq!(word(&joined, "from"), "Riverside Surgery");
    assert_eq!(
        (&joined["see"], &joined["add"]),
        (&"all".into(), &"all".into())
    );
    until("both hold the same", || {
        digest(&surgery, &record) == digest(&laptop, &record)
    });
    let together = export(&surgery, &record);
    drop((surgery_runs, laptop_runs));

    let letter = laptop.file("letter.txt", "Seen in clinic, all well.");
    let by_both: [(&Node, &[&str]); 7] = [
        (&surgery, &["note", "Walks with a stick"]),
        (&surgery, &["medicine", "Aspirin 75 mg"]),
        (&surgery, &["task", "Call about the walking frame"]),
        (&laptop, &["note", "Slept badly"]),
        (&laptop, &["reading", "pulse", "71"]),
        (&laptop, &["letter", text(&letter)]),
        (&laptop, &["medicine", "Cod liver oil"]),
    ];
    for (node, words) in by_both {
        node.json(["add", &record].iter().chain(words));
    }
    assert_ne!(digest(&surgery, &record), digest(&laptop, &record));
    let apart = [export(&surgery, &record), export(&laptop, &record)];

    let _surgery_runs = surgery.running_at(["--listen", &at]);
    let _laptop_runs = laptop.running_at(["--listen", "127.0.0.1:0"]);
    until("both hold the same again", || {
        digest(&surgery, &record) == digest(&laptop, &record)
    });
    let after = export(&surgery, &record);
    assert_eq!(after, export(&laptop, &record));
    for before in [&together, &apart[0], &apart[1]] {
        let after = resources(&after);
        let gone = resources(before);
        let gone = gone.iter().find(|line| !after.contains(line));
        assert_eq!(gone, None, "is gone");
    }
    let before = resources(&together).len();
    assert_eq!(resources(&after).len(), before + by_both.len());

    for node in [&surgery, &laptop] {
        let shown = node.json(["show", &record]);
        assert!(shown["envelopes"].as_u64() > Some(7), "{shown}");
        assert!(shown["status"]["accepted"].as_u64() > Some(7), "{shown}");
        assert!(shown["as_of"].is_array(), "{shown}");
        let shares = node.json(["sharing", &record])["shares"].clone();
        assert_eq!(shares[0]["name"], "Sam", "{shares}");
        assert_eq!(shares[0]["state"], "active", "{shares}");
        assert_eq!(node.json(["status"])["problems"], serde_json::json!([]));
        node.json(["review"]);
    }
    let id = word(&surgery.json(["sharing", &record])["shares"][0], "id");
    surgery.json(["stop", &record, &id, "--keep", "all"]);
    until("both know that it was stopped", || {
        [&surgery, &laptop]
            .iter()
            .all(|node| node.json(["sharing", &record])["shares"][0]["state"] == "stopped")
    });
}

fn resources(lines: &[u8]) -> Vec<String> {
    let lines = String::from_utf8_lossy(lines);
    lines.lines().map(json::minified).collect()
}
