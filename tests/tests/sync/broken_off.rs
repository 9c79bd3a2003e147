//! Joining and sync that end in the middle: the disk is full, or somebody presses Ctrl-C. What has
//! arrived is safe, and the rest comes when it can.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use crate::harness::{
    Moments, Node, SmallDisk, all_hold_the_same, contains, free_address, how_many, incompressible,
    sample, signal, skipped, text, until,
};

/// Ctrl-C in a normal run; `KITH_BROKEN_OFF` says otherwise.
const TIMES: u64 = 4;
const SEED: u64 = 0x6374_726c;
/// Letters of a large record, and the bytes of each.
const LETTERS: usize = 12;
const LETTER: usize = 300_000;

/// A surgery with a record of some megabytes.
fn with_a_large_record() -> (Node, String) {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    (0..LETTERS).for_each(|n| letter(&surgery, &record, n));
    (surgery, record)
}

/// A laptop whose disk has 8 MiB; nothing where nobody may mount one, which is said.
fn laptop_with_a_small_disk() -> Option<(Node, SmallDisk)> {
    let laptop = Node::nowhere();
    let Some(disk) = SmallDisk::mounted(&laptop.home(), 8) else {
        skipped("a full disk: this user may not mount a small one");
        return None;
    };
    laptop
        .kith(["setup", "--name", "Sam", "--kind", "person"])
        .done();
    Some((laptop, disk))
}

fn letter(node: &Node, record: &str, n: usize) {
    let file = node.file("letter.bin", incompressible(LETTER + n));
    node.json(["add", record, "letter", text(&file)]);
}

fn link(surgery: &Node, record: &str) -> String {
    surgery.share(record, "all", "all")
}

fn joining(guest: &Node, link: &str) -> Child {
    let mut command = guest.command(["--json", "join", "--link", link, "--yes"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("kith can be started")
}

fn has_record(node: &Node, record: &str) -> bool {
    let list = node.json(["record", "list"]).to_string();
    list.contains(record)
}

#[test]
fn whoever_joins_with_a_full_disk_is_told_so_and_gets_the_rest_after_making_room() {
    let (surgery, record) = with_a_large_record();
    let Some((laptop, _disk)) = laptop_with_a_small_disk() else {
        return;
    };
    let ballast = laptop.home().join("ballast");
    std::fs::write(&ballast, vec![7; 5 << 20]).expect("there is room yet");
    let at = free_address();
    let _surgery_runs = surgery.running_at(["--listen", &at]);

    let link = link(&surgery, &record);
    let refused = laptop.kith(["join", "--link", &link, "--yes"]).ended(75);
    assert!(refused.err.contains("disk is full"), "{refused}");
    assert!(refused.err.contains("Make room"), "{refused}");
    std::fs::remove_file(&ballast).expect("it is ours");
    let _laptop_runs = laptop.running();
    all_hold_the_same(&[&surgery, &laptop], &record);
    let letters = surgery.ndjson(&record);
    until("every letter is there", || {
        laptop.ndjson(&record) == letters
    });
    laptop.verify(&record);
}

#[test]
fn a_disk_that_is_full_during_sync_loses_nothing_and_sync_goes_on_after_making_room() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    let Some((laptop, _disk)) = laptop_with_a_small_disk() else {
        return;
    };
    let at = free_address();
    let _surgery_runs = surgery.running_at(["--listen", &at]);
    let laptop_runs = laptop.running();
    surgery.shares_all_with(&laptop, &record);
    let ballast = laptop.home().join("ballast");
    std::fs::write(&ballast, vec![7; 5 << 20]).expect("there is room yet");

    laptop.note(&record, "Written before it was full");
    (0..LETTERS).for_each(|n| letter(&surgery, &record, n));
    until("the laptop says that it cannot keep what is sent", || {
        laptop.json(["status"])["connections"]
            .to_string()
            .contains("could not keep")
    });
    // Reading goes on, and what is small still has room.
    laptop.note(&record, "Written on a full disk");
    assert!(contains(&laptop.ndjson(&record), "before it was full"));
    surgery.note(&record, "Written while the laptop was full");
    std::fs::remove_file(&ballast).expect("it is ours");
    all_hold_the_same(&[&surgery, &laptop], &record);
    let letters = surgery.ndjson(&record);
    until("every letter is there", || {
        laptop.ndjson(&record) == letters
    });
    assert!(contains(&letters, "while the laptop was full"));
    assert!(contains(&letters, "before it was full") && contains(&letters, "on a full disk"));
    drop(laptop_runs);
    laptop.verify(&record);
    assert_eq!(laptop.json(["status"])["problems"], serde_json::json!([]));
}

/// Before anything is stored the same link works again; afterwards what is missing comes by itself.
#[test]
fn ctrl_c_in_the_middle_of_joining_and_of_sync_leaves_nothing_half_done() {
    let (surgery, record) = with_a_large_record();
    let at = free_address();
    let mut surgery_runs = surgery.running_at(["--listen", &at]);
    let mut moments = Moments(SEED);
    let mut joined = 0;
    for n in 0..how_many("KITH_BROKEN_OFF", TIMES) {
        let laptop = Node::set_up(&format!("Laptop {n}"), "person");
        let link = link(&surgery, &record);
        let mut child = joining(&laptop, &link);
        std::thread::sleep(Duration::from_millis(20 + moments.below(400)));
        if child.try_wait().expect("it was started").is_none() {
            signal(&child, "INT");
        }
        let _ended = child.wait().expect("it was started");
        laptop.json(["status"]);
        let is_in = has_record(&laptop, &record);
        joined += u64::from(is_in);
        if !is_in {
            // The maker may have accepted already what the guest never stored.
            let again = laptop.kith(["join", "--link", &link, "--yes"]);
            if again.code != Some(0) {
                assert_eq!(again.code, Some(13), "{again}");
                laptop.join(&self::link(&surgery, &record));
            }
        }
        let mut laptop_runs = laptop.running();
        let note = format!("From laptop {n}.");
        until("it may write", || {
            laptop.kith(["add", &record, "note", &note]).code == Some(0)
        });
        // Both are stopped in the middle of what they give each other.
        std::thread::sleep(Duration::from_millis(moments.below(200)));
        assert_eq!(laptop_runs.interrupted(), Some(0));
        if n % 2 == 1 {
            assert_eq!(surgery_runs.interrupted(), Some(0));
            surgery_runs = surgery.running_at(["--listen", &at]);
        }
        let _laptop_runs = laptop.running();
        all_hold_the_same(&[&surgery, &laptop], &record);
        let held = surgery.ndjson(&record);
        until("every letter is there", || laptop.ndjson(&record) == held);
        assert!(contains(&held, &note));
        laptop.verify(&record);
    }
    eprintln!("{joined} had joined when they were broken off");
}
