//! What real nodes did, as they wrote it down themselves (`simulations/traces/`), is done again
//! here, byte for byte; and whatever is changed in it is found and named.
//!
//! The files are made again by `KITH_WRITE_TRACE=1` (`docs/simulator.md`).

use std::{collections::BTreeSet, path::PathBuf};

use kith_protocol::{
    store::JournalPosition,
    sync::{
        Output,
        trace::{Call, Did, Digest, HEAD, Step, Told, TraceError},
    },
};
use kith_simulations::parity::{Difference, replay};

/// Bytes of all the files together.
const TRACES_LEN_MAX: usize = 300 * 1024;

fn files() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/traces"));
    let entries = std::fs::read_dir(folder).expect("the folder of traces");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("it is read").path();
            let bytes = std::fs::read(&path).expect("it is read");
            (path.display().to_string(), bytes)
        })
        .collect();
    files.sort();
    files
}

/// The trace of one run of a node.
fn trace(name: &str) -> Vec<Step> {
    let files = files();
    let file = files.iter().find(|(path, _)| path.ends_with(name));
    let (_, bytes) = file.expect("its trace");
    Step::read_all(bytes).expect("a trace")
}

/// The run of the laptop, which is given a record and adds to it until that is stopped.
fn laptop() -> Vec<Step> {
    trace("laptop-0.trace")
}

/// What an engine did at a step.
fn did(step: &mut Step) -> Option<&mut Did> {
    match step {
        Step::Start(start) => Some(&mut start.did),
        Step::Input { did, .. } | Step::Stop(did) => Some(did),
        Step::Others(_) => None,
    }
}

/// The trace with a step changed; nothing where there was nothing to change.
fn with(
    steps: &[Step],
    nth: usize,
    change: impl FnOnce(&mut Step) -> Option<()>,
) -> Option<Difference> {
    let mut steps = steps.to_vec();
    change(&mut steps[nth])?;
    Some(replay(&steps).expect_err("something else was written down"))
}

#[test]
fn what_real_nodes_did_is_done_again_byte_for_byte() {
    let files = files();
    assert!(files.len() >= 5, "three nodes, two of which ran twice");
    assert!(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < TRACES_LEN_MAX);
    for (name, bytes) in files {
        let steps = Step::read_all(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let same = replay(&steps).unwrap_or_else(|difference| panic!("{name}: {difference}"));
        assert!(
            same.inputs > 10 && same.calls > 0 && same.outputs > 0,
            "{name}: {same:?}"
        );
        assert!(same.frames_len > 0, "{name}: {same:?}");
    }
}

#[test]
fn every_changed_output_is_found_where_it_was_changed() {
    let steps = laptop();
    let mut changed = 0;
    for nth in 0..steps.len() {
        let frame = |step: &mut Step| {
            let outputs = did(step)?.outputs.iter_mut();
            let mut frames = outputs.filter_map(|output| match output {
                Output::Send { frame, .. } => Some(frame),
                Output::Close { .. } | Output::Dial { .. } | Output::Tell(_) => None,
            });
            *frames.next()?.last_mut()? ^= 1;
            Some(())
        };
        if let Some(difference) = with(&steps, nth, frame) {
            changed += 1;
            assert_eq!(difference.step, nth, "{difference}");
            assert!(difference.what.place.starts_with("output "), "{difference}");
            assert!(
                difference.to_string().contains("a frame of"),
                "{difference}"
            );
        }
        let none = |step: &mut Step| did(step)?.outputs.pop().map(|_| ());
        if let Some(difference) = with(&steps, nth, none) {
            assert_eq!(difference.step, nth, "{difference}");
            assert_eq!(difference.what.real, "none", "{difference}");
        }
    }
    assert!(changed > 5);
}

/// A call that asks for one thing more than was asked.
fn asks_more(call: &mut Call) -> Option<()> {
    match call {
        Call::Commit { given, .. } => given.push(Digest([0; 32])),
        Call::Disclose { links, .. } => links.push(Digest([0; 32])),
        Call::PutBlob { .. } | Call::NoteCommon { .. } | Call::MadeParts { .. } => return None,
    }
    Some(())
}

/// A commit that ended elsewhere in the journal.
fn ends_elsewhere(call: &mut Call) -> Option<()> {
    match call {
        Call::Commit { end, .. } => {
            *end = Some(JournalPosition(end.map_or(0, |end| end.0) + 1));
            Some(())
        }
        Call::Disclose { .. }
        | Call::PutBlob { .. }
        | Call::NoteCommon { .. }
        | Call::MadeParts { .. } => None,
    }
}

#[test]
fn every_changed_call_of_the_shell_is_found_where_it_was_changed() {
    // One that takes, and one that gives.
    for name in ["ambulance-0.trace", "surgery-1.trace"] {
        let steps = trace(name);
        let mut changed = 0;
        for nth in 0..steps.len() {
            let more = |step: &mut Step| asks_more(did(step)?.calls.first_mut()?);
            let elsewhere = |step: &mut Step| ends_elsewhere(did(step)?.calls.first_mut()?);
            for difference in [with(&steps, nth, more), with(&steps, nth, elsewhere)] {
                let Some(difference) = difference else {
                    continue;
                };
                changed += 1;
                assert_eq!(difference.step, nth, "{difference}");
                assert!(difference.what.place.contains("call no. 1"), "{difference}");
            }
            let again = |step: &mut Step| {
                let calls = &mut did(step)?.calls;
                let last = calls.last()?.clone();
                // Parts that are made are asked for many times, and noted where they are new.
                let is_noted = matches!(last, Call::MadeParts { .. });
                (!is_noted).then(|| calls.push(last))
            };
            if let Some(difference) = with(&steps, nth, again) {
                assert_eq!(difference.step, nth, "{difference}");
                assert_eq!(difference.what.simulated, "asked nothing more");
            }
        }
        assert!(changed > 3, "{name}");
    }
}

#[test]
fn every_changed_frame_that_came_is_found_then_or_later() {
    let mut steps = laptop();
    let mut changed = 0;
    let mut closed = BTreeSet::new();
    for nth in 0..steps.len() {
        let outputs = did(&mut steps[nth]).map(|did| did.outputs.clone());
        let before = closed.clone();
        closed.extend(outputs.iter().flatten().filter_map(|output| match output {
            Output::Close { link, .. } => Some(*link),
            Output::Send { .. } | Output::Dial { .. } | Output::Tell(_) => None,
        }));
        let frame = |step: &mut Step| match step {
            Step::Input {
                told: Told::Received { link, frame } | Told::Heard { link, frame },
                ..
            } => {
                frame.truncate(frame.len() / 2);
                // What comes after a stream was closed is not looked at.
                (!before.contains(link)).then_some(())
            }
            Step::Input { .. } | Step::Start(_) | Step::Others(_) | Step::Stop(_) => None,
        };
        if let Some(difference) = with(&steps, nth, frame) {
            changed += 1;
            assert!(difference.step >= nth, "{difference}");
        }
    }
    assert!(changed > 5);
}

#[test]
fn a_step_that_is_left_out_or_comes_at_another_time_is_missed() {
    let steps = laptop();
    let at = |is: fn(&Step) -> bool| steps.iter().position(is).expect("one of them");
    let others = at(|step| matches!(step, Step::Others(others) if !others.items.is_empty()));
    let joined = at(|step| matches!(step, Step::Others(others) if others.peers.is_some()));
    let connected = at(|step| {
        matches!(
            step,
            Step::Input {
                told: Told::Connected { .. },
                ..
            }
        )
    });
    for nth in [0, others, joined, connected] {
        let mut steps = steps.clone();
        steps.remove(nth);
        let difference = replay(&steps).expect_err("something is missing");
        assert!(difference.step >= nth, "{difference}");
    }
    let mut later = steps.clone();
    let Step::Input { at_ms, .. } = &mut later[connected] else {
        panic!("it is one");
    };
    *at_ms += 7;
    let difference = replay(&later).expect_err("another time to be called");
    assert_eq!(difference.step, connected, "{difference}");
    assert!(difference.what.place.contains("time"), "{difference}");
    let mut other_seed = steps.clone();
    let Step::Start(start) = &mut other_seed[0] else {
        panic!("it begins with one");
    };
    start.seed[0] ^= 1;
    assert_eq!(replay(&other_seed).expect_err("other chances").step, 0);
}

#[test]
fn a_trace_that_was_broken_off_is_read_as_far_as_it_goes_and_nothing_else_is_one() {
    let (_, bytes) = files().swap_remove(0);
    let whole = Step::read_all(&bytes).expect("a trace");
    let cut = Step::read_all(&bytes[..bytes.len() - 1]).expect("a trace that was broken off");
    assert_eq!(cut, whole[..whole.len() - 1]);
    replay(&cut).expect("the same as far as it goes");
    assert!(matches!(Step::read_all(&bytes[1..]), Err(TraceError::Head)));
    let odd = [HEAD, &[0, 0, 0, 1, 0]].concat();
    let odd = Step::read_all(&odd);
    assert!(
        matches!(odd, Err(TraceError::Step { nth: 0, .. })),
        "{odd:?}"
    );
    let again: Vec<_> = whole.iter().flat_map(Step::to_bytes).collect();
    assert_eq!([HEAD, &again].concat(), bytes);
}
