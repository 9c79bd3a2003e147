//! A sweep: every point with every seed, shared among threads and machines, and taken up again.

use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    folder::{Folder, FolderError, Manifest, hash, run_name},
    journey,
    protocol::{self, Broken},
    run::{self, RunResult},
    scenario::{Fidelity, Scenario},
    settings::{Point, points, sensitivity_points},
};

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The points.
    pub points: Vec<Point>,
    /// Whether numbers with a range are changed one at a time.
    pub is_sensitivity: bool,
    /// The first seed.
    pub first_seed: u64,
    /// How many seeds.
    pub seeds: u32,
    /// Which part of how many: from 1 on.
    pub shard: (usize, usize),
    /// How many threads.
    pub jobs: usize,
    /// Whether runs that are done are kept.
    pub resumes: bool,
}

impl Plan {
    /// All of a scenario, on one thread.
    pub fn of(scenario: &Scenario, is_sensitivity: bool) -> Self {
        let points = if is_sensitivity {
            sensitivity_points(scenario)
        } else {
            points(scenario)
        };
        Self {
            points,
            is_sensitivity,
            first_seed: u64::from(scenario.first_seed),
            seeds: scenario.seeds,
            shard: (1, 1),
            jobs: 1,
            resumes: false,
        }
    }

    /// All runs: the place of the point and the seed.
    fn runs(&self) -> Vec<(usize, u64)> {
        let points = 0..self.points.len();
        points
            .flat_map(|point| (0..u64::from(self.seeds)).map(move |n| (point, self.first_seed + n)))
            .collect()
    }

    fn runs_of_shard(&self) -> Vec<(usize, u64)> {
        let (part, of) = self.shard;
        let runs = self.runs().into_iter().enumerate();
        runs.filter(|(n, _)| n % of == part - 1)
            .map(|(_, run)| run)
            .collect()
    }

    fn design(&self) -> &'static str {
        if self.is_sensitivity {
            "sensitivity"
        } else {
            "sweep"
        }
    }

    /// The manifest of nothing done yet.
    pub fn manifest(&self, scenario: &Scenario) -> Manifest {
        Manifest {
            schema: 1,
            scenario: scenario.name.clone(),
            scenario_hash: hash(scenario.text.as_bytes()),
            files_hash: hash(format!("{:?}", scenario.rows().collect::<Vec<_>>()).as_bytes()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            design: self.design().to_owned(),
            first_seed: self.first_seed,
            seeds: self.seeds,
            runs: std::collections::BTreeMap::new(),
        }
    }

    /// The plan that a folder was made by.
    pub fn of_manifest(scenario: &Scenario, manifest: &Manifest) -> Self {
        let mut plan = Self::of(scenario, manifest.design == "sensitivity");
        plan.first_seed = manifest.first_seed;
        plan.seeds = manifest.seeds;
        plan
    }

    /// The names of runs that a manifest lacks.
    pub fn missing(&self, manifest: &Manifest) -> Vec<String> {
        let names = self
            .runs()
            .into_iter()
            .map(|(point, seed)| run_name(point, seed));
        names
            .filter(|name| !manifest.runs.contains_key(name))
            .collect()
    }
}

/// The manifest is written this often, and at the end: what is done after it is done again.
const MANIFEST_EVERY: Duration = Duration::from_millis(500);

/// Why a sweep is not whole.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The folder does not take it, or is another scenario's.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// In a run something was that must not be.
    #[error("{0}: {1}")]
    Broken(String, Broken),
}

/// Runs what a plan says into a folder. `done` is told how many runs are done of how many.
///
/// # Errors
/// When the folder does not take it, or is another scenario's; when in a run something was that must
/// not be.
pub fn sweep(
    scenario: &Scenario,
    plan: &Plan,
    out: &Path,
    mut done: impl FnMut(usize, usize),
) -> Result<Manifest, SweepError> {
    let folder = Folder::at(out)?;
    let mut manifest = plan.manifest(scenario);
    take_up(&folder, plan, &mut manifest, out)?;
    folder.write("scenario.toml", scenario.text.as_bytes())?;
    folder.write_manifest(&manifest)?;
    let wanted = plan.runs_of_shard();
    let left: Vec<_> = wanted
        .iter()
        .filter(|(point, seed)| !manifest.runs.contains_key(&run_name(*point, *seed)))
        .copied()
        .collect();
    let all = wanted.len();
    done(all - left.len(), all);
    let mut written = Instant::now();
    let mut fault = None;
    each(scenario, plan, &left, |(point, seed), result| {
        let result = match result {
            Ok(result) => result,
            Err(broken) => {
                fault = Some(SweepError::Broken(run_name(point, seed), broken));
                return false;
            }
        };
        match folder.write_run(&result) {
            Ok((name, hash)) => {
                manifest.runs.insert(name, hash);
            }
            Err(error) => {
                fault = Some(error.into());
                return false;
            }
        }
        done(manifest.runs.len().min(all), all);
        if written.elapsed() > MANIFEST_EVERY {
            written = Instant::now();
            if let Err(error) = folder.write_manifest(&manifest) {
                fault = Some(error.into());
                return false;
            }
        }
        true
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    folder.write_manifest(&manifest)?;
    Ok(manifest)
}

/// Keeps the runs that a folder has, where that is wanted.
fn take_up(
    folder: &Folder,
    plan: &Plan,
    manifest: &mut Manifest,
    out: &Path,
) -> Result<(), FolderError> {
    let Some(known) = folder.manifest()? else {
        return Ok(());
    };
    let other = |what: &str| FolderError::Other {
        path: out.to_owned(),
        what: what.to_owned(),
    };
    if !plan.resumes {
        if known.runs.is_empty() {
            return Ok(());
        }
        return Err(other(
            "there are results here: go on with --resume, or write elsewhere with --out",
        ));
    }
    let same = Manifest {
        runs: std::collections::BTreeMap::new(),
        ..known.clone()
    };
    if same != *manifest {
        return Err(other(
            "the results here are of another scenario, version or seeds: write elsewhere with --out",
        ));
    }
    let whole = known
        .runs
        .into_iter()
        .filter(|(name, hash)| folder.has_run(name, hash));
    manifest.runs = whole.collect();
    Ok(())
}

/// Runs each on its own thread; `takes` gets what came of it, and says whether to go on.
fn each(
    scenario: &Scenario,
    plan: &Plan,
    runs: &[(usize, u64)],
    mut takes: impl FnMut((usize, u64), Result<RunResult, Broken>) -> bool,
) {
    let next = AtomicUsize::new(0);
    let stops = AtomicBool::new(false);
    let (send, receive) = mpsc::sync_channel(plan.jobs);
    thread::scope(|scope| {
        for _ in 0..plan.jobs.max(1) {
            let send = send.clone();
            let (next, stops) = (&next, &stops);
            scope.spawn(move || {
                while !stops.load(Ordering::Relaxed)
                    && let Some((point, seed)) = runs.get(next.fetch_add(1, Ordering::Relaxed))
                    && send
                        .send(((*point, *seed), one(scenario, plan, *point, *seed)))
                        .is_ok()
                {}
            });
        }
        drop(send);
        for (of, result) in &receive {
            if !takes(of, result) {
                stops.store(true, Ordering::Relaxed);
                break;
            }
        }
        drop(receive);
    });
}

/// One run, with the story of one patient for the first seed.
///
/// # Errors
/// When something was in it that must not be.
pub fn one(scenario: &Scenario, plan: &Plan, point: usize, seed: u64) -> Result<RunResult, Broken> {
    let of = &plan.points[point];
    let mut result = match scenario.fidelity {
        Fidelity::Abstract => run::run(scenario, of, seed),
        Fidelity::Protocol => protocol::run(scenario, of, seed)?,
    };
    if seed == plan.first_seed {
        result.journey = journey::of_run(scenario, of, seed).lines;
    }
    Ok(result)
}
