//! What real nodes did is played again in the simulator, and it does the same (decision 0086).
//! `KITH_WRITE_TRACE=1` keeps the short story's traces as those that `simulations` plays.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use kith_node::{
    home::{Home, Unlock},
    node::{Node as RealNode, Role, traces_of},
};
use kith_protocol::sync::{
    Output,
    trace::{Call, Did, Step, Told},
};
use kith_simulations::parity::{Replayed, replay};

use crate::harness::{Node, all_files, free_address, kith, sample, text, until};

/// A node whose home says that it is the demo's.
fn of_the_demo(name: &str, role: Role) -> Node {
    let node = Node::nowhere();
    let home = Home::at(node.home());
    RealNode::set_up_for_demo(&home, name, role, &Unlock::KeyFile).expect("a node");
    node
}

fn traces(node: &Node) -> Vec<PathBuf> {
    traces_of(&Home::at(node.home())).expect("its folder can be read")
}

fn steps(trace: &Path) -> Vec<Step> {
    let bytes = fs::read(trace).expect("it was written");
    Step::read_all(&bytes).unwrap_or_else(|error| panic!("{}: {error}", trace.display()))
}

/// It is the same in the simulator.
#[track_caller]
fn is_the_same(trace: &Path) -> Replayed {
    let replayed = replay(&steps(trace));
    replayed.unwrap_or_else(|difference| panic!("{}: {difference}", trace.display()))
}

/// Whether a node was told of something.
fn knows(node: &Node, record: &str, words: &str) -> bool {
    let told = node.kith(["--json", "events", record]).done();
    told.text().contains(words)
}

#[test]
fn what_three_real_nodes_did_the_simulator_does_too() {
    let surgery = of_the_demo("Riverside Surgery", Role::Practice);
    let laptop = of_the_demo("Sam's laptop", Role::Person);
    let ambulance = of_the_demo("Four Rivers Ambulance Service", Role::Ambulance);
    let record = surgery.import(&sample("ips.json"));
    // Where it is found again.
    let address = free_address();
    {
        let listens = surgery.running_at(["--listen", &address]);
        let mut runs = [listens, laptop.running(), ambulance.running()];
        laptop.join(&surgery.share(&record, "all", "daily-care"));
        ambulance.join(&surgery.share(&record, "medicines,allergies", ""));
        laptop.note(&record, "Slept badly");
        until("the note reaches the surgery", || {
            knows(&surgery, &record, "Slept badly")
        });
        let letter = surgery.file("letter.txt", "Seen in clinic today.");
        surgery.json(["add", &record, "letter", text(&letter)]);
        surgery.json(["staff", "add", "Fern", "--role", "nurse"]);
        surgery.json(["add", &record, "--as", "Fern", "note", "Rang back"]);
        surgery.json(["staff", "end", "Fern"]);
        surgery.json(["add", &record, "medicine", "Aspirin 75 mg"]);
        for guest in [&laptop, &ambulance] {
            until("the medicine reaches everyone", || {
                knows(guest, &record, "Aspirin")
            });
        }
        until("the file of the letter is there too", || {
            !all_files(&laptop.home().join("store/blobs")).is_empty()
        });
        surgery.json(["stop", &record, "Sam's laptop"]);
        until("the laptop knows that it was stopped", || {
            let shares = laptop.json(["sharing", &record])["shares"].clone();
            let mut shares = shares.as_array().into_iter().flatten();
            shares.any(|share| share["state"] == "stopped")
        });
        surgery.json(["add", &record, "medicine", "Ramipril 5 mg"]);
        until("what is still shared arrives", || {
            knows(&ambulance, &record, "Ramipril")
        });
        for run in &mut runs {
            assert_eq!(run.stopped(), Some(0));
        }
    }
    assert!(!knows(&laptop, &record, "Ramipril"), "it was stopped");
    // They go on from where both were.
    surgery.json(["add", &record, "medicine", "Paracetamol 1 g"]);
    {
        let listens = surgery.running_at(["--listen", &address]);
        let mut runs = [listens, ambulance.running()];
        until("what was written meanwhile arrives", || {
            knows(&ambulance, &record, "Paracetamol")
        });
        for run in &mut runs {
            assert_eq!(run.stopped(), Some(0));
        }
    }

    let mut kept = Vec::new();
    for (name, node, runs) in [
        ("surgery", &surgery, 2),
        ("laptop", &laptop, 1),
        ("ambulance", &ambulance, 2),
    ] {
        let of = traces(node);
        assert_eq!(of.len(), runs, "a trace for each run of {name}");
        for (run, trace) in of.iter().enumerate() {
            let same = is_the_same(trace);
            assert!(same.inputs > 0 && same.outputs > 0 && same.calls > 0);
            kept.push((format!("{name}-{run}.trace"), trace.clone()));
        }
    }
    let seen = Seen::of(kept.iter().flat_map(|(_, trace)| steps(trace)));
    assert!(seen.has_all(), "{seen:?}");
    assert_eq!(seen.stops, kept.len(), "every run ended in good order");
    if std::env::var_os("KITH_WRITE_TRACE").is_some() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../simulations/traces");
        fs::create_dir_all(folder).expect("room");
        for (name, trace) in kept {
            fs::copy(trace, Path::new(folder).join(name)).expect("room");
        }
    }
}

/// What the comparison is for, as often as it was in a story.
#[derive(Debug, Default)]
struct Seen {
    others: usize,
    heard: usize,
    disclosed: usize,
    committed: usize,
    attachments_kept: usize,
    attachments_read: usize,
    parts_made: usize,
    dialled: usize,
    stops: usize,
}

impl Seen {
    fn of(steps: impl Iterator<Item = Step>) -> Self {
        let mut seen = Self::default();
        for step in steps {
            match step {
                Step::Start(_) => {}
                Step::Others(_) => seen.others += 1,
                Step::Stop(_) => seen.stops += 1,
                Step::Input { told, did, .. } => {
                    seen.heard += usize::from(matches!(told, Told::Heard { .. }));
                    seen.did(&did);
                }
            }
        }
        seen
    }

    fn did(&mut self, did: &Did) {
        self.attachments_read += did.read.len();
        for call in &did.calls {
            match call {
                Call::Commit { .. } => self.committed += 1,
                Call::Disclose { .. } => self.disclosed += 1,
                Call::PutBlob { .. } => self.attachments_kept += 1,
                Call::MadeParts { .. } => self.parts_made += 1,
                Call::NoteCommon { .. } => {}
            }
        }
        let dials = |output: &&Output| matches!(output, Output::Dial { .. });
        self.dialled += did.outputs.iter().filter(dials).count();
    }

    /// The story goes through all of it.
    fn has_all(&self) -> bool {
        let each = [
            self.others,
            self.heard,
            self.disclosed,
            self.committed,
            self.attachments_kept,
            self.attachments_read,
            self.parts_made,
            self.dialled,
        ];
        each.iter().all(|times| *times > 0)
    }
}

#[test]
fn the_whole_demo_is_the_same_in_the_simulator() {
    let kept = tempfile::tempdir().expect("a folder for the test");
    let told = std::process::Command::new(kith())
        .args(["--json", "demo", "--once", "--traces"])
        .arg(kept.path())
        .stdin(Stdio::null())
        .output()
        .expect("kith can be started");
    assert_eq!(told.status.code(), Some(0));
    let files = fs::read_dir(kept.path()).expect("it is there");
    let mut files: Vec<_> = files.map(|file| file.expect("it is read").path()).collect();
    files.sort();
    assert!(files.len() > 4, "four nodes, two of which ran twice");
    for trace in files {
        let same = is_the_same(&trace);
        eprintln!("{}: {same:?}", trace.display());
    }
}

#[test]
fn a_home_that_is_not_the_demos_is_never_traced() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    let mut run = surgery.running();
    surgery.note(&record, "Slept badly");
    assert_eq!(run.stopped(), Some(0));
    assert!(traces(&surgery).is_empty());
    assert!(!surgery.home().join("traces").exists());
}
