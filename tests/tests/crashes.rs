//! Power cuts, full disks and damaged ones: what was acknowledged is there, what is damaged is
//! named and not served.

mod damage;
mod full_disk;
mod kills;

use std::fs::File;

use crate::harness::{Node, sample, text};

/// Each waits for the one before it, a node that starts meanwhile too, and nothing is lost.
#[test]
fn commands_at_once() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let notes: Vec<_> = (0..6).map(|n| format!("note number {n}")).collect();
    let at_once: Vec<_> = notes
        .iter()
        .map(|note| {
            let mut command = node.command(["add", &record, "note", note]);
            command.stdout(std::process::Stdio::null());
            command.stderr(std::process::Stdio::piped());
            command.spawn().expect("kith can be started")
        })
        .collect();
    let _running = node.running();
    for (note, child) in notes.iter().zip(at_once) {
        let ended = child.wait_with_output().expect("it was started");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{note}: {said}");
        let held = node.show(&record).to_string().contains(note.as_str());
        assert!(held, "{note} was acknowledged and is not there");
    }
    node.verify(&record);

    let second = node.kith(["run", "--listen", "127.0.0.1:0"]).ended(1);
    assert!(second.err.contains("running already"), "{second}");
    node.note(&record, "through the running node");
    let bundle = node.beside("all.kith");
    let out = ["--out", text(&bundle), "--open"];
    node.kith([&["export", &record, "--as", "bundle"], &out[..]].concat())
        .done();
    node.verify(text(&bundle));
}

#[test]
fn a_store_that_stays_in_use_is_said_to_be() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let lock = File::open(node.home().join("store/lock")).expect("a lock");
    lock.lock().expect("the store is free");
    let refused = node.kith(["record", "list"]).ended(75);
    assert!(refused.err.contains("kith run"), "{refused}");
    drop(lock);
    node.kith(["record", "list"]).done();
}
