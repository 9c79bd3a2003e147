//! Plays random histories and says what its checkers find.
//!
//! `histories [--seeds A..B] [--steps N] [--threads N] [--keep FOLDER]`: the seeds are shared out
//! among the threads; the first failure is made short, told in words and, with `--keep`, written
//! into a file that can be played again. `histories --play FILE` plays such a file
//! and tells every frame. With `--hashes yes` the hash of each is said, to compare two builds.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    ops::Range,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use kith_simulations::histories::{Failure, History, Trace, faults, shrink};

/// Histories that are played to make a failing one short, at most.
const PLAYS_MAX: usize = 3_000;

/// What is asked for.
struct Asked {
    seeds: Range<u64>,
    steps: usize,
    threads: u64,
    keep: Option<PathBuf>,
    play: Option<PathBuf>,
    twice: bool,
    hashes: bool,
}

impl Asked {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut asked = Self {
            seeds: 0..200,
            steps: 200,
            threads: 2,
            keep: None,
            play: None,
            twice: false,
            hashes: false,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} what?"))?;
            match word.as_str() {
                "--seeds" => {
                    let (from, to) = value.split_once("..").ok_or("--seeds A..B")?;
                    asked.seeds = from.parse()?..to.parse()?;
                }
                "--steps" => asked.steps = value.parse()?,
                "--threads" => asked.threads = value.parse()?,
                "--keep" => asked.keep = Some(value.into()),
                "--twice" => asked.twice = value == "yes",
                "--hashes" => asked.hashes = value == "yes",
                "--play" => asked.play = Some(value.into()),
                _ => return Err(format!("{word} is not understood").into()),
            }
        }
        Ok(asked)
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let asked = Asked::read(std::env::args().skip(1))?;
    if let Some(file) = &asked.play {
        return play(&std::fs::read_to_string(file)?);
    }
    let began = Instant::now();
    let failures = Mutex::new(BTreeMap::new());
    let next = AtomicU64::new(asked.seeds.start);
    let played = AtomicU64::new(0);
    let differing = AtomicU64::new(0);
    let hashes = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..asked.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= asked.seeds.end {
                        return;
                    }
                    let steps = History::of_seed(seed, asked.steps);
                    let found = History::play(seed, &steps);
                    hashes.lock().expect("no thread panics").insert(found.hash);
                    if asked.hashes {
                        println!("hash {seed} {}", blake3::Hash::from(found.hash).to_hex());
                    }
                    if asked.twice && History::play(seed, &steps).hash != found.hash {
                        println!("seed {seed}: another hash the second time");
                        differing.fetch_add(1, Ordering::Relaxed);
                    }
                    if let Some((at, failure)) = found.failure {
                        println!("seed {seed}, step {at}: {failure}");
                        let mut failures = failures.lock().expect("no thread panics");
                        failures.insert(seed, failure);
                    }
                    let done = played.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(50) {
                        let rate = done as f64 / began.elapsed().as_secs_f64();
                        println!("{done} seeds, {rate:.2} a second");
                    }
                }
            });
        }
    });
    let failures = failures.into_inner()?;
    let seconds = began.elapsed().as_secs_f64();
    let played = played.into_inner();
    println!(
        "{played} seeds of {} steps in {seconds:.1} s, {:.2} a second: {} failed",
        asked.steps,
        played as f64 / seconds,
        failures.len()
    );
    let different = hashes.into_inner()?.len() as u64;
    println!("{different} different hashes");
    let Some((seed, failure)) = failures.first_key_value() else {
        let same = differing.into_inner() == 0 && different == played;
        return Ok(if same {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    };
    tell(*seed, failure, &asked)?;
    Ok(ExitCode::FAILURE)
}

fn tell(seed: u64, failure: &Failure, asked: &Asked) -> Result<(), Box<dyn Error>> {
    let all: Vec<_> = faults(seed).iter().map(|fault| fault.word()).collect();
    println!("seed {seed} has {}", all.join(", "));
    let all = History::of_seed(seed, asked.steps);
    let (steps, plays) = shrink(&all, PLAYS_MAX, |steps| History::play(seed, steps));
    let played = History::play(seed, &steps);
    println!("{} steps are left after {plays} plays:", steps.len());
    for words in &played.told {
        println!("  {words}");
    }
    match &played.failure {
        Some((_, failure)) => println!("  {failure}"),
        None => println!("  and it does not fail again"),
    }
    if let Some(folder) = &asked.keep {
        let trace = Trace {
            seed,
            fails: Some(failure.invariant),
            planted: None,
            steps,
            told: played.told,
        };
        let file = folder.join(format!("{}-{seed}.trace", failure.invariant.word()));
        std::fs::write(&file, trace.to_string())?;
        println!("kept in {}", file.display());
    }
    Ok(())
}

fn play(text: &str) -> Result<ExitCode, Box<dyn Error>> {
    let trace = Trace::parse(text)?;
    #[cfg(feature = "planted-bugs")]
    if let Some(word) = &trace.planted {
        use kith_protocol::planted::{Planted, plant};
        plant(Planted::ALL.iter().copied().find(|bug| bug.word() == word));
    }
    let played = History::play_aloud(trace.seed, &trace.steps);
    for words in &played.told {
        println!("{words}");
    }
    match played.failure {
        Some((_, failure)) => {
            println!("{failure}");
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}
