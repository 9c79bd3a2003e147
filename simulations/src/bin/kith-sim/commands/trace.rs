//! `kith-sim trace`

use kith_simulations::study::{journey, settings::points};

use crate::{Failure, args::TraceArgs};

/// Tells one patient's year in plain sentences.
pub fn run(args: &TraceArgs) -> Result<(), Failure> {
    let scenario = super::scenario(&args.scenario)?;
    let points = points(&scenario);
    let point = args.point.unwrap_or(points.len() - 1);
    let point = points.get(point).ok_or_else(|| {
        Failure::of_usage(format!(
            "there is no point {point}: write one from 0 to {}",
            points.len() - 1
        ))
    })?;
    if args
        .patient
        .is_some_and(|patient| patient >= u64::from(scenario.patients))
    {
        let said = format!(
            "there is no such patient: write one from 0 to {}",
            scenario.patients - 1
        );
        return Err(Failure::of_usage(said));
    }
    let seed = args.seed.unwrap_or_else(|| u64::from(scenario.first_seed));
    let found = match args.patient {
        Some(patient) => journey::of_patient(&scenario, point, seed, patient),
        None => journey::of_run(&scenario, point, seed),
    };
    let told = if args.all {
        journey::whole(&scenario, point, seed, found.patient)
    } else {
        found
    };
    for line in told.lines {
        println!("{line}");
    }
    Ok(())
}
