//! `kith-sim verify`

use std::path::Path;

use kith_simulations::study::{
    folder::{Folder, run_name},
    sweep::{Plan, one},
};

use crate::{Failure, args::VerifyArgs};

/// Runs twice and sees that the bytes are the same, or runs results again.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    if Path::new(&args.what).join("manifest.json").exists() {
        return folder(Path::new(&args.what), args.seeds);
    }
    let scenario = super::scenario(&args.what)?;
    let plan = Plan::of(&scenario, false);
    for point in &plan.points {
        for seed in plan.first_seed..plan.first_seed + u64::from(args.seeds) {
            let (first, second) = (
                one(&scenario, &plan, point.index, seed)?,
                one(&scenario, &plan, point.index, seed)?,
            );
            if first != second {
                let name = run_name(point.index, seed);
                return Err(Failure::of(format!(
                    "{name}: {} and then {}",
                    first.trace, second.trace
                )));
            }
            println!("{} {}", run_name(point.index, seed), first.trace);
        }
    }
    Ok(())
}

fn folder(path: &Path, seeds: u32) -> Result<(), Failure> {
    let (folder, manifest) = Folder::open(path)?;
    let known = folder.runs(&manifest)?;
    let scenario = super::scenario(&folder.file("scenario.toml").display().to_string())?;
    let plan = Plan::of_manifest(&scenario, &manifest);
    let until = manifest.first_seed + u64::from(seeds);
    for run in known.iter().filter(|run| run.seed < until) {
        if one(&scenario, &plan, run.point, run.seed)? != *run {
            let name = run_name(run.point, run.seed);
            return Err(Failure::of(format!(
                "{name}: this program gives something else"
            )));
        }
        println!("{} {}", run_name(run.point, run.seed), run.trace);
    }
    println!("{} files are as their hashes say", known.len());
    Ok(())
}
