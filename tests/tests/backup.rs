//! A backup in a folder, and a node that goes on from one.

use std::path::Path;

use crate::harness::{Node, all_files, contains, sample, text, until};

pub fn restored(backup: &Path, sheet: &Path) -> Node {
    let again = Node::nowhere();
    let words = ["--json", "--passphrase-file", text(sheet), "restore"];
    let said = again
        .kith(words.iter().copied().chain([text(backup)]))
        .done()
        .json();
    assert_ne!(said["node"], said["before"], "it goes on as a new device");
    again
}

#[test]
fn a_backup_is_sealed_and_the_next_one_writes_only_what_is_new() {
    let (node, _) = Node::with_sheet("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let folder = node.beside("backup");
    let first = node.json(["backup", text(&folder)]);
    assert_eq!(first["is_new"], true);
    assert_eq!(first["written"], first["bytes"]);
    node.kith(["backup", "--check", text(&folder)]).done();
    for file in all_files(&folder) {
        let bytes = std::fs::read(&file).expect("it was written");
        for canary in ["Underhill", "Marigold", "Apixaban", "Riverside"] {
            assert!(!contains(&bytes, canary), "{canary} in {}", file.display());
        }
    }
    let unlock = node.home().join("key");
    let key = std::fs::read(unlock).expect("a key file");
    for file in all_files(&folder) {
        let bytes = std::fs::read(&file).expect("it was written");
        assert_ne!(bytes, key, "the key file is not in a backup");
    }

    let big = "x".repeat(200_000);
    let letter = node.file("letter.txt", &big);
    node.json(["add", &record, "letter", text(&letter)]);
    let _runs = node.running();
    node.note(&record, "Slept badly");
    let second = node.json(["backup", text(&folder)]);
    assert_eq!(second["is_new"], false);
    node.kith(["backup", "--check", text(&folder)]).done();
    let third = node.json(["backup", text(&folder)]);
    let small = |said: &serde_json::Value| said["written"].as_u64().expect("a number");
    assert!(small(&third) <= small(&second), "{third} {second}");
}

#[test]
fn a_backup_goes_only_where_it_belongs_and_damage_is_named() {
    let (node, sheet) = Node::with_sheet("Riverside Surgery", "practice");
    node.import(&sample("ips.json"));
    let (other, _) = Node::with_sheet("Bryn Celyn", "practice");
    let folder = node.beside("backup");
    node.json(["backup", text(&folder)]);
    other.kith(["backup", text(&folder)]).ended(13);
    node.kith(["backup", text(&node.home())]).ended(2);
    node.kith(["backup", "--check", text(&node.beside("nothing"))])
        .ended(1);

    let segment = all_files(&folder)
        .into_iter()
        .find(|file| file.extension().is_some_and(|name| name == "seg"))
        .expect("a segment");
    let good = std::fs::read(&segment).expect("it can be read");
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(&segment, &bad).expect("it can be written");
    let found = node.kith(["backup", "--check", text(&folder)]).ended(1);
    assert!(found.text().contains(".seg"), "{found}");
    let empty = Node::nowhere();
    let words = ["--passphrase-file", text(&sheet), "restore", text(&folder)];
    empty.kith(words).ended(1);
    assert_eq!(
        empty.kith(["status"]).code,
        Some(10),
        "no half node is left"
    );
    std::fs::write(&segment, &good).expect("it can be written");
    let wrong = node.file("wrong", "00000-00000-00000-00000-00000");
    let words = ["--passphrase-file", text(&wrong), "restore", text(&folder)];
    empty.kith(words).ended(12);
    let again = restored(&folder, &sheet);
    let words = ["--passphrase-file", text(&sheet), "restore", text(&folder)];
    again.kith(words).ended(1);
    std::fs::remove_file(again.home().join("keys")).expect("its slots are lost");
    let refused = again.kith(words).ended(1);
    assert!(refused.err.contains("parts of a node"), "{refused}");
}

/// How often somebody looked at a record or was sent it; the log is checked as it is read.
fn looks(node: &Node, record: &str) -> usize {
    let looked = node.json(["who-looked", record]);
    looked["looked"].as_array().map_or(0, Vec::len)
}

/// The surgery's disk burns; what was written after its backup is with the daughter.
#[test]
fn a_node_that_is_restored_goes_on_as_a_new_device_and_loses_nothing() {
    let (surgery, sheet) = Node::with_sheet("Riverside Surgery", "practice");
    let laptop = Node::set_up("Sam's laptop", "person");
    let record = surgery.import(&sample("ips.json"));
    let runs = surgery.running();
    let _laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    surgery.note(&record, "Before the backup");
    let backup = surgery.beside("backup");
    surgery.json(["backup", text(&backup)]);

    let late = surgery.note(&record, "After the backup");
    laptop.note(&record, "Written by Sam after the backup");
    until("both hold what was written last", || {
        laptop.digest(&record) == surgery.digest(&record)
            && contains(&surgery.ndjson(&record), "Written by Sam")
    });
    let digest = laptop.digest(&record);
    let looked = looks(&surgery, &record);
    drop(runs);

    let again = restored(&backup, &sheet);
    assert!(!contains(&again.ndjson(&record), "After the backup"));
    again.note(&record, "The first after the fire");
    let status = again.json(["status"]);
    let problems = status["problems"].to_string();
    assert!(problems.contains("goes on from a backup"), "{status}");
    let _runs_again = again.running();
    until("what was written after the backup comes back", || {
        contains(&again.ndjson(&record), "After the backup")
            && contains(&again.ndjson(&record), "Written by Sam")
    });
    until("the laptop has the first after the fire", || {
        contains(&laptop.ndjson(&record), "The first after the fire")
    });
    until("both hold the same", || {
        again.digest(&record) == laptop.digest(&record)
    });
    assert_ne!(again.digest(&record), digest);
    let explained = again.json(["explain", &late]);
    assert_eq!(explained["status"], "accepted", "{explained}");
    for node in [&again, &laptop] {
        node.verify(&record);
        let review = node.json(["review", &record]);
        assert_eq!(review["items"], serde_json::json!([]), "nothing is doubled");
    }
    assert!(
        looks(&again, &record) > 0 && looked > 0,
        "the access log goes on"
    );

    let before = again.json(["devices", "list"]);
    let devices = before["devices"].as_array().expect("devices");
    let old = devices
        .iter()
        .find(|device| device["is_this"] == false)
        .and_then(|device| device["id"].as_str())
        .expect("the device that it was");
    again.kith(["devices", "retire", old]).done();
    let status = again.json(["status"]);
    assert!(
        !status["problems"]
            .to_string()
            .contains("goes on from a backup")
    );
    assert!(contains(&again.ndjson(&record), "After the backup"));
}
