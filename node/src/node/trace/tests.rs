//! Of which homes a trace is written, and of which never.

use kith_protocol::sync::{
    Input,
    trace::{Step, Told},
};

use super::{TraceFile, TracedEngine, file::NotTraced, traces_of};
use crate::{
    home::{Home, Unlock},
    node::{Node, Role},
};

const NOW_MS: u64 = 1_800_000_000_000;

fn runs(node: &mut Node) {
    let mut engine = TracedEngine::new(node, [3; 32], NOW_MS).expect("an engine");
    engine
        .handle(node, Input::Timer, NOW_MS + 1)
        .expect("a store");
    while engine.poll_output().is_some() {}
    engine.stop();
}

#[test]
fn a_home_that_was_not_set_up_for_the_demo_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    Node::set_up(&home, "Riverside", Role::Practice, &Unlock::KeyFile).expect("a node");
    // Nor does a folder make it one.
    std::fs::create_dir(home.folder().join("traces")).expect("room");
    let mut node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    assert!(matches!(TraceFile::begin(&node), Err(NotTraced::NotADemo)));
    runs(&mut node);
    assert!(traces_of(&home).expect("it is read").is_empty());
}

#[test]
fn each_run_of_a_home_of_the_demo_is_a_file_with_all_its_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    Node::set_up_for_demo(&home, "Riverside", Role::Practice, &Unlock::KeyFile).expect("a node");
    let mut node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    for run in 1..=2 {
        runs(&mut node);
        let files = traces_of(&home).expect("it is read");
        assert_eq!(files.len(), run);
        let bytes = std::fs::read(&files[run - 1]).expect("it is read");
        let steps = Step::read_all(&bytes).expect("a trace");
        let [
            Step::Start(start),
            Step::Input { at_ms, told, .. },
            Step::Stop(_),
        ] = steps.as_slice()
        else {
            panic!("other steps: {steps:?}");
        };
        assert_eq!((start.device, start.seed), (node.device(), [3; 32]));
        assert_eq!(start.found.items.len(), 2, "its owner's log");
        assert_eq!(start.found.rows.len(), run - 1, "the journal's name, later");
        assert_eq!((*at_ms, told), (NOW_MS + 1, &Told::Timer));
    }
}
