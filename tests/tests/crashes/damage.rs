//! A disk that gives back other bytes than it was given.

use std::{fs, path::PathBuf};

use crate::harness::{Node, all_files, flipped, sample};

/// A node with two records, written one after another.
fn two_records() -> (Node, String, String) {
    let node = Node::set_up("Riverside Surgery", "practice");
    let first = node.import(&sample("ips.json"));
    let second = node.import(&sample("sexual-health.json"));
    (node, first, second)
}

/// The newest segment of the log.
fn segment(node: &Node) -> PathBuf {
    let files = all_files(&node.home().join("store/log"));
    let mut segments = files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "seg"));
    segments.next_back().expect("the store has a segment")
}

#[test]
fn a_damaged_segment_is_named_and_what_it_held_is_not_served() {
    let (node, first, second) = two_records();
    let segment = segment(&node);
    let bytes = fs::read(&segment).expect("it is ours");
    let whole = [node.ndjson(&first), node.ndjson(&second)];
    let mut named = 0;
    let mut still_shown = 0;
    for part in 1..12 {
        let place = bytes.len() * part / 12;
        fs::write(&segment, flipped(&bytes, place * 8)).expect("it is ours");
        let status = node.kith(["--json", "status"]);
        assert!(status.code.is_some(), "byte {place}: {status}");
        let said = status.text() + &status.err;
        named += usize::from(said.contains("damaged") || said.contains("cannot be shown"));
        for (record, whole) in [&first, &second].into_iter().zip(&whole) {
            let shown = node.kith(["export", record, "--as", "ndjson"]);
            if shown.code == Some(0) {
                assert!(is_part_of(&shown.out, whole), "byte {place}: {shown}");
                still_shown += usize::from(shown.out == *whole);
            } else {
                assert!(!shown.err.contains("panicked"), "byte {place}: {shown}");
            }
        }
    }
    assert!(named > 0, "no damage was named");
    assert!(still_shown > 0, "damage in one place hid everything");
}

/// Whether every line is one of the whole record's lines.
fn is_part_of(lines: &[u8], whole: &[u8]) -> bool {
    let whole: Vec<_> = whole.split(|byte| *byte == b'\n').collect();
    lines
        .split(|byte| *byte == b'\n')
        .all(|line| whole.contains(&line))
}

#[test]
fn a_damaged_index_is_built_again() {
    let (node, first, second) = two_records();
    let digests = [node.digest(&first), node.digest(&second)];
    let index = node.home().join("store/index.redb");
    let bytes = fs::read(&index).expect("it is ours");
    let mut wrecks = vec![
        Vec::new(),
        vec![0; bytes.len()],
        bytes[..bytes.len() / 2].to_vec(),
    ];
    wrecks.extend((1..8).map(|part| {
        let from = bytes.len() * part / 8;
        let mut wrecked = bytes.clone();
        for byte in wrecked.iter_mut().skip(from).take(512) {
            *byte ^= 0x5a;
        }
        wrecked
    }));
    for (n, wrecked) in wrecks.into_iter().enumerate() {
        fs::write(&index, wrecked).expect("it is ours");
        let status = node.kith(["status"]);
        assert_eq!(status.code, Some(0), "wreck {n}: {status}");
        for (record, digest) in [&first, &second].into_iter().zip(&digests) {
            assert_eq!(&node.digest(record), digest, "wreck {n}");
        }
        node.verify(&first);
    }
    fs::remove_file(&index).expect("it is ours");
    assert_eq!(node.digest(&first), digests[0]);
}
