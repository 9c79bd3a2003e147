//! Looks for a seed that catches each planted bug, makes its history short and keeps it.
//!
//! `planted [--seeds A..B] [--steps N] [--keep FOLDER] [BUG…]`: every bug where none is named.
//! `planted --from FOLDER` begins with histories that were written by hand instead, for what comes
//! about too seldom.

use std::{
    error::Error,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Mutex,
};

use kith_protocol::planted::Planted;
use kith_simulations::histories::{History, Step, Trace, shrink};

/// Histories that are played to make one short, at most.
const PLAYS_MAX: usize = 150;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (mut seeds, mut steps, mut keep) =
        (0..200, 200, PathBuf::from("simulations/seeds/planted"));
    let mut bugs = Vec::new();
    let mut from = None;
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
            "--from" => from = Some(PathBuf::from(value()?)),
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
    if let Some(from) = from {
        return written_by_hand(&from, &keep);
    }
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

/// Histories that were written by hand, each for a bug: in the first world in which one catches it.
fn written_by_hand(from: &Path, keep: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let mut missed = 0;
    for file in std::fs::read_dir(from)? {
        let trace = Trace::parse(&std::fs::read_to_string(file?.path())?)?;
        let word = trace.planted.clone().unwrap_or_default();
        let bug = Planted::ALL.iter().find(|bug| bug.word() == word);
        let bug = *bug.ok_or_else(|| format!("no bug {word}"))?;
        let file = keep.join(format!("{word}.trace"));
        let worlds = trace.seed..trace.seed + 40;
        match worlds
            .into_iter()
            .find_map(|seed| shortened(bug, seed, &trace.steps))
        {
            Some(trace) => std::fs::write(file, trace.to_string())?,
            None => {
                println!("{word}: not caught by hand");
                missed += 1;
            }
        }
    }
    Ok(if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn caught(bug: Planted, seeds: Range<u64>, steps: usize) -> Option<Trace> {
    seeds
        .into_iter()
        .find_map(|seed| shortened(bug, seed, &History::of_seed(seed, steps)))
}

/// The short history that is left of one that catches a bug, and that holds without it.
fn shortened(bug: Planted, seed: u64, all: &[Step]) -> Option<Trace> {
    let (_, first) = History::play_planted(seed, all, bug).failure?;
    let play = |steps: &[_]| History::play_planted(seed, steps, bug);
    let (short, _) = shrink(all, PLAYS_MAX, play);
    let played = History::play_planted(seed, &short, bug);
    let (_, failure) = played.failure?;
    // What fails without the bug as well says nothing of the bug.
    if History::play(seed, &short).failure.is_some() {
        println!("{}: seed {seed} fails without it: {first}", bug.word());
        return None;
    }
    println!(
        "{}: seed {seed}, {} steps: {failure}",
        bug.word(),
        short.len()
    );
    Some(Trace {
        seed,
        fails: Some(failure.invariant),
        planted: Some(bug.word().to_owned()),
        steps: short,
        told: played.told,
    })
}
