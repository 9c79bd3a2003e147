//! A record in one file, carried by hand to a node that knows nothing.

use std::path::{Path, PathBuf};

use crate::harness::{Node, contains, flipped, sample, text};

/// Bits of a small bundle that are flipped one at a time; every bit of one is flipped where the
/// format is tested.
const FLIPS: usize = 24;

/// A node with a record that was imported and added to.
fn with_a_record() -> (Node, String) {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    node.note(&record, "Walks with a stick");
    (node, record)
}

fn bundle(node: &Node, record: &str, how: &[&str]) -> PathBuf {
    let path = node.beside("record.kith");
    let words = ["export", record, "--as", "bundle", "--out", text(&path)];
    node.kith(words.iter().chain(how)).done();
    path
}

#[test]
fn an_open_bundle_carries_the_whole_record_to_an_empty_node() {
    let (surgery, record) = with_a_record();
    let file = bundle(&surgery, &record, &["--open"]);
    let laptop = Node::set_up("Sam's laptop", "person");
    laptop.verify(text(&file));
    assert_eq!(laptop.import(&file), record);
    assert_eq!(laptop.digest(&record), surgery.digest(&record));
    assert_eq!(laptop.ndjson(&record), surgery.ndjson(&record));
    laptop.verify(&record);

    let before = laptop.digest(&record);
    laptop.import(&file);
    assert_eq!(laptop.digest(&record), before);
}

#[test]
fn a_sealed_bundle_opens_with_its_passphrase_only() {
    let (surgery, record) = with_a_record();
    let words = surgery.file("words", "correct horse battery\n");
    let other = surgery.file("other-words", "wrong horse battery\n");
    let file = bundle(
        &surgery,
        &record,
        &["--bundle-passphrase-file", text(&words)],
    );
    let bytes = std::fs::read(&file).expect("it was written");
    assert!(!contains(&bytes, "Underhill"));

    let laptop = Node::set_up("Sam's laptop", "person");
    let with = |words: &Path| {
        laptop.kith([
            "import",
            text(&file),
            "--bundle-passphrase-file",
            text(words),
        ])
    };
    let refused = with(&other).ended(12);
    assert!(refused.err.contains("passphrase"), "{refused}");
    laptop.kith(["import", text(&file)]).ended(12);
    laptop.kith(["show", &record[..12]]).ended(1);
    with(&words).done();
    assert_eq!(laptop.digest(&record), surgery.digest(&record));
    let verified = ["verify", text(&file), "--bundle-passphrase-file"];
    laptop.kith(verified.iter().chain(&[text(&words)])).done();
}

#[test]
fn a_bundle_for_a_known_node_opens_there_and_nowhere_else() {
    let (surgery, record) = with_a_record();
    let laptop = Node::set_up("Sam's laptop", "person");
    let (surgery_runs, laptop_runs) = (surgery.running(), laptop.running());
    let other = surgery.json(["record", "new", "--family", "Known"]);
    let other = other["record"].as_str().expect("a record");
    laptop.join(&surgery.share(other, "all", ""));
    drop((surgery_runs, laptop_runs));

    let file = bundle(&surgery, &record, &["--to", "Sam's laptop"]);
    let stranger = Node::set_up("A stranger", "person");
    stranger.kith(["import", text(&file)]).ended(12);
    assert_eq!(laptop.import(&file), record);
    assert_eq!(laptop.ndjson(&record), surgery.ndjson(&record));
}

#[test]
fn a_bundle_with_one_bit_changed_is_refused_with_the_place() {
    let (surgery, record) = with_a_record();
    let file = bundle(&surgery, &record, &["--open"]);
    let bytes = std::fs::read(&file).expect("it was written");
    let laptop = Node::set_up("Sam's laptop", "person");
    let bits = bytes.len() * 8;
    for n in 0..FLIPS {
        // Evenly over the file, at another bit of its byte each time.
        let bit = (bits - 1) * n / (FLIPS - 1) / 8 * 8 + n % 8;
        let changed = laptop.file("changed.kith", flipped(&bytes, bit));
        let verified = laptop.kith(["verify", text(&changed)]);
        assert_ne!(verified.code, Some(0), "bit {bit}: {verified}");
        let imported = laptop.kith(["import", text(&changed)]);
        assert_ne!(imported.code, Some(0), "bit {bit}: {imported}");
        assert!(imported.code.is_some(), "bit {bit}: {imported}");
        // Before the first eight bytes it is no bundle at all.
        if bit >= 64 {
            let names_a_place = imported.err.chars().any(|c| c.is_ascii_digit());
            assert!(names_a_place, "bit {bit}: {imported}");
        }
        assert_eq!(laptop.json(["status"])["records"], 0, "bit {bit}");
    }
    laptop.import(&file);
}

#[test]
fn a_bundle_that_was_cut_off_is_refused() {
    let (surgery, record) = with_a_record();
    let file = bundle(&surgery, &record, &["--open"]);
    let bytes = std::fs::read(&file).expect("it was written");
    let laptop = Node::set_up("Sam's laptop", "person");
    for len in [9, 40, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let cut = laptop.file("cut.kith", &bytes[..len]);
        let refused = laptop.kith(["import", text(&cut)]);
        assert_ne!(refused.code, Some(0), "{len} bytes: {refused}");
        assert!(refused.err.contains("cut.kith"), "{len} bytes: {refused}");
        assert_eq!(laptop.json(["status"])["records"], 0, "{len} bytes");
    }
}
