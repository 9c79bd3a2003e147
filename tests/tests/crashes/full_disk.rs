//! A disk without room.

use std::io::Write;

use crate::harness::{Node, SmallDisk, incompressible, sample, skipped, text};

#[test]
fn a_full_disk_refuses_and_works_again_after_making_room() {
    let node = Node::nowhere();
    let Some(_disk) = SmallDisk::mounted(&node.home(), 6) else {
        skipped("a full disk: this user may not mount a small one");
        return;
    };
    node.kith(["setup", "--name", "Full", "--kind", "person"])
        .done();
    let record = node.import(&sample("ips.json"));
    // What else lies on the disk, and can go.
    let ballast = node.home().join("ballast");
    std::fs::write(&ballast, vec![7; 1 << 20]).expect("there is room yet");

    let letter = node.file("letter.bin", incompressible(300_000));
    let add = ["add", &record, "letter", text(&letter)];
    let mut added = 0;
    let refused = loop {
        let ran = node.kith(add);
        if ran.code != Some(0) {
            break ran;
        }
        added += 1;
        assert!(added < 100, "the disk is never full");
        // Another file each time: the same one is kept once.
        node.file("letter.bin", incompressible(300_000 + added));
    };
    let refused = refused.ended(75);
    assert!(refused.err.contains("disk is full"), "{refused}");
    assert!(refused.err.contains("Make room"), "{refused}");
    let full = node.digest(&record);
    assert!(node.ndjson(&record).len() > 1000);

    // Somebody else takes all that is left, to the last page: what is stored is shown.
    let rest = node.home().join("rest");
    fill(&rest);
    for _ in 0..5 {
        assert_eq!(node.digest(&record), full);
    }
    let refused = node.kith(["add", &record, "note", "one more"]).ended(75);
    assert!(refused.err.contains("disk is full"), "{refused}");
    std::fs::remove_file(&rest).expect("it is ours");

    std::fs::remove_file(&ballast).expect("it is ours");
    assert_eq!(node.digest(&record), full);
    node.note(&record, "there is room again");
    assert_ne!(node.digest(&record), full);
    node.kith(add).done();
    node.verify(&record);
    assert_eq!(node.json(["status"])["problems"], serde_json::json!([]));
}

/// Writes until nothing more fits.
fn fill(path: &std::path::Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    for len in [4096, 512, 1] {
        while file.write(&vec![7; len]).is_ok_and(|written| written > 0) {}
    }
}
