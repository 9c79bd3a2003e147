//! Every planted bug is caught: the history that was kept for it fails with the bug, by the
//! checker that stands in its file, and holds without it. The table of them is `docs/planted-bugs.md`.

use std::{fmt::Write, path::PathBuf};

use kith_protocol::planted::Planted;
use kith_simulations::histories::{History, Trace};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn trace_of(bug: Planted) -> Trace {
    let file = root().join(format!("simulations/seeds/planted/{}.trace", bug.word()));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!(
            "no history catches {}: {} ({error})",
            bug.word(),
            file.display()
        )
    });
    Trace::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_planted_bug_is_caught_and_nothing_fails_without_it() {
    assert!(Planted::ALL.len() >= 30);
    let mut wrong = Vec::new();
    for bug in Planted::ALL {
        let trace = trace_of(*bug);
        assert_eq!(trace.planted.as_deref(), Some(bug.word()));
        let found = History::play_planted(trace.seed, &trace.steps, *bug);
        let caught = found.failure.as_ref().map(|(_, failure)| failure.invariant);
        if caught.is_none() || caught != trace.fails {
            let told = found.told.join("\n");
            wrong.push(format!("{}: {:?}\n{told}", bug.word(), found.failure));
        }
        let without = History::play(trace.seed, &trace.steps);
        if let Some(failure) = without.failure {
            wrong.push(format!("without {}: {failure:?}", bug.word()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_table_says_what_caught_what() {
    let mut table = String::from(
        "| bug | what goes wrong | caught by | seed | steps |\n|---|---|---|---|---|\n",
    );
    for bug in Planted::ALL {
        let trace = trace_of(*bug);
        let by = trace.fails.expect("a checker");
        let number = match by.number() {
            0 => String::new(),
            number => format!("{number} "),
        };
        writeln!(
            table,
            "| {} | {} | {number}{} | {} | {} |",
            bug.word(),
            bug.says().trim(),
            by.word(),
            trace.seed,
            trace.steps.len()
        )
        .expect("a string takes everything");
    }
    let file = root().join("docs/planted-bugs.md");
    let page = std::fs::read_to_string(&file).unwrap_or_default();
    if page.contains(&table) {
        return;
    }
    let made = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("planted-bugs.md");
    std::fs::write(&made, &table).expect("room");
    panic!(
        "the table in {} is not this one: {}",
        file.display(),
        made.display()
    );
}
