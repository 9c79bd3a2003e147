//! Looks for a seed that catches each planted bug, makes its history short and keeps it.
//!
//! `planted [--seeds A..B] [--steps N] [--keep FOLDER] [BUG…]`: every bug where none is named.

use std::{error::Error, ops::Range, path::PathBuf, process::ExitCode, sync::Mutex};

use kith_protocol::planted::Planted;
use kith_simulations::histories::{History, Trace, shrink};

/// Histories that are played to make one short, at most.
const PLAYS_MAX: usize = 150;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (mut seeds, mut steps, mut keep) =
        (0..200, 200, PathBuf::from("simulations/seeds/planted"));
    let mut bugs = Vec::new();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or("what?");
        match word.as_str() {
            "--seeds" => {
                let value = value()?;
                let (from, to) = value.split_once("..").ok_or("--seeds A..B")?;
                seeds = from.parse()?..to.parse()?;
            }
            "--steps" => steps = value()?.parse()?,
            "--keep" => keep = value()?.into(),
            name => {
                let known = Planted::ALL.iter().find(|bug| bug.word() == name);
                bugs.push(*known.ok_or_else(|| format!("no bug {name}"))?);
            }
        }
    }
    if bugs.is_empty() {
        bugs = Planted::ALL.to_vec();
    }
    std::fs::create_dir_all(&keep)?;
    let missed = Mutex::new(0);
    let left = Mutex::new(bugs);
    std::thread::scope(|scope| {
        let search = || {
            while let Some(bug) = next(&left) {
                match caught(bug, seeds.clone(), steps) {
                    Some(trace) => {
                        let file = keep.join(format!("{}.trace", bug.word()));
                        std::fs::write(file, trace.to_string()).expect("room for a trace");
                    }
                    None => {
                        println!("{}: not caught", bug.word());
                        *missed.lock().expect("no thread panics") += 1;
                    }
                }
            }
        };
        scope.spawn(search);
        scope.spawn(search);
    });
    let missed = missed.into_inner()?;
    Ok(if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn next(left: &Mutex<Vec<Planted>>) -> Option<Planted> {
    left.lock().expect("no thread panics").pop()
}

fn caught(bug: Planted, seeds: Range<u64>, steps: usize) -> Option<Trace> {
    for seed in seeds {
        let all = History::of_seed(seed, steps);
        let Some((_, first)) = History::play_planted(seed, &all, bug).failure else {
            continue;
        };
        let play = |steps: &[_]| History::play_planted(seed, steps, bug);
        let (short, _) = shrink(&all, PLAYS_MAX, play);
        let played = History::play_planted(seed, &short, bug);
        let (_, failure) = played.failure?;
        // What fails without the bug as well says nothing of the bug.
        if History::play(seed, &short).failure.is_some() {
            println!("{}: seed {seed} fails without it: {first}", bug.word());
            continue;
        }
        println!(
            "{}: seed {seed}, {} steps: {failure}",
            bug.word(),
            short.len()
        );
        return Some(Trace {
            seed,
            fails: Some(failure.invariant),
            planted: Some(bug.word().to_owned()),
            steps: short,
            told: played.told,
        });
    }
    None
}
