//! Power cuts, full disks and damaged ones: what was acknowledged is there, what is damaged is
//! named and not served.

mod damage;
mod full_disk;
mod kills;

use crate::harness::{Node, sample, text};

/// One of two commands at once may be told to come back later; neither loses anything.
#[test]
fn two_commands_at_once() {
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let notes: Vec<_> = (0..6).map(|n| format!("note number {n}")).collect();
    let running: Vec<_> = notes
        .iter()
        .map(|note| {
            let mut command = node.command(["add", &record, "note", note]);
            command.stdout(std::process::Stdio::null());
            command.stderr(std::process::Stdio::piped());
            command.spawn().expect("kith can be started")
        })
        .collect();
    let ended: Vec<_> = running
        .into_iter()
        .map(|child| child.wait_with_output().expect("it was started"))
        .collect();
    for (note, ended) in notes.iter().zip(ended) {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let held = node.show(&record).to_string().contains(note.as_str());
        match ended.status.code() {
            Some(0) => assert!(held, "{note} was acknowledged and is not there"),
            Some(75) => {
                assert!(!held, "{note} was refused and is there");
                assert!(said.contains("kith run"), "{said}");
            }
            other => panic!("{note} ended with {other:?}: {said}"),
        }
    }
    node.verify(&record);

    let _running = node.running();
    let second = node.kith(["run", "--listen", "127.0.0.1:0"]).ended(1);
    assert!(second.err.contains("running already"), "{second}");
    node.note(&record, "through the running node");
    let bundle = node.beside("all.kith");
    let out = ["--out", text(&bundle), "--open"];
    node.kith([&["export", &record, "--as", "bundle"], &out[..]].concat())
        .done();
    node.verify(text(&bundle));
}
