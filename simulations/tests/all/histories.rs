//! Random histories: the same seed gives the same, what was kept is played again.

use std::{collections::BTreeSet, path::Path};

use kith_simulations::histories::{Fault, History, Trace, Verb, faults};

/// Steps of each history here; `.ci/run` plays longer ones.
const STEPS: usize = 40;

#[test]
fn the_same_seed_gives_the_same_history_and_another_seed_another() {
    let mut hashes = BTreeSet::new();
    for seed in 1000..1006 {
        let steps = History::of_seed(seed, STEPS);
        let (one, other) = (History::play(seed, &steps), History::play(seed, &steps));
        assert_eq!(one.failure, None, "seed {seed}\n{}", one.told.join("\n"));
        assert_eq!(one.told, other.told, "seed {seed}");
        assert_eq!(one.hash, other.hash, "seed {seed}");
        hashes.insert(one.hash);
    }
    assert_eq!(hashes.len(), 6);
}

#[test]
fn a_step_is_read_in_words_whatever_was_left_out_before_it() {
    let steps = History::of_seed(7, STEPS);
    let some: Vec<_> = steps.iter().copied().step_by(3).collect();
    let played = History::play(7, &some);
    assert_eq!(played.failure, None, "{}", played.told.join("\n"));
    assert_eq!(played.told.len(), some.len());
}

#[test]
fn every_kind_of_fault_and_every_verb_comes_up() {
    let all: BTreeSet<_> = (0..40).flat_map(faults).collect();
    assert_eq!(all.len(), Fault::ALL.len());
    let verbs = (0..40).flat_map(|seed| History::of_seed(seed, 200));
    let verbs: BTreeSet<_> = verbs.map(|step| step.verb).collect();
    let missing: Vec<_> = Verb::ALL
        .iter()
        .filter(|verb| !verbs.contains(verb))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_was_kept_plays_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut played = 0;
    for file in std::fs::read_dir(folder).expect("a folder of seeds") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|kind| kind != "trace") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a trace");
        let trace =
            Trace::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let found = History::play(trace.seed, &trace.steps);
        let fails = found.failure.as_ref().map(|(_, failure)| failure.invariant);
        assert_eq!(
            fails,
            trace.fails,
            "{}: {:?}",
            path.display(),
            found.failure
        );
        played += 1;
    }
    assert!(played > 0, "no trace was kept");
}
