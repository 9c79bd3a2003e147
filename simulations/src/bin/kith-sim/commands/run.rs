//! `kith-sim run`

use std::path::PathBuf;

use kith_simulations::study::{
    folder::Folder,
    outputs,
    report::headline,
    scenario::Scenario,
    sweep::{Plan, sweep},
    table::Results,
};

use crate::{Failure, args::RunArgs, cost, progress};

/// Runs a scenario into a folder.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let scenario = super::scenario(&args.scenario)?;
    let plan = plan(&scenario, args)?;
    let out = args.out.clone().unwrap_or_else(|| default_out(&scenario));
    let bar = progress::bar();
    let done = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let manifest = sweep(&scenario, &plan, &out, done)?;
    bar.finish_and_clear();
    if plan.shard != (1, 1) {
        let (part, of) = plan.shard;
        println!(
            "Part {part} of {of} is in {}. Put all parts together with: kith-sim merge DIR … --out DIR",
            out.display()
        );
        return Ok(());
    }
    let (folder, _) = Folder::open(&out)?;
    outputs::write(&folder, &manifest)?;
    let runs = folder.runs(&manifest)?;
    let results = Results {
        scenario: &scenario,
        points: &plan.points,
        runs: &runs,
    };
    if let Some(said) = cost::of_engines(runs.iter().map(|run| run.entries).sum()) {
        println!("{said}");
    }
    println!("{}", scenario.question);
    for sentence in headline(&results) {
        println!("{sentence}");
    }
    println!(
        "Tables and the report are in {}; open {}.",
        out.display(),
        folder.file("report.html").display()
    );
    Ok(())
}

/// Where results go when nobody says.
pub fn default_out(scenario: &Scenario) -> PathBuf {
    PathBuf::from("results").join(&scenario.name)
}

fn plan(scenario: &Scenario, args: &RunArgs) -> Result<Plan, Failure> {
    let mut plan = Plan::of(scenario, args.sensitivity);
    if args.sensitivity && scenario.numbers.iter().all(|one| one.range.is_none()) {
        return Err(Failure::of_usage(
            "no number has a range: write { value = 0.4, range = [0.3, 0.6] } where it matters",
        ));
    }
    plan.first_seed = args.seed.unwrap_or(plan.first_seed);
    plan.seeds = args.seeds.unwrap_or(plan.seeds);
    plan.shard = args.shard.unwrap_or((1, 1));
    plan.resumes = args.resume;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    plan.jobs = args.jobs.map_or(processors, usize::from);
    Ok(plan)
}
