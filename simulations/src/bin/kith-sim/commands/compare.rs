//! `kith-sim compare`

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use kith_simulations::study::{
    folder::Folder, metric::Metric, report::plus_minus, statistics::paired, sweep::Plan,
    table::Results,
};

use crate::{Failure, args::CompareArgs};

/// Compares two folders, point by point and arm by arm, paired by seeds.
pub fn run(args: &CompareArgs) -> Result<(), Failure> {
    let read = |path| -> Result<_, Failure> {
        let (folder, manifest) = Folder::open(path)?;
        let scenario = folder.scenario()?;
        let plan = Plan::of_manifest(&scenario, &manifest);
        let runs = folder.runs(&manifest)?;
        Ok((scenario, plan, runs))
    };
    let (one, other) = (read(&args.one)?, read(&args.other)?);
    let name = args
        .metric
        .clone()
        .unwrap_or_else(|| one.0.headline.metric.clone());
    let metric = Metric::named(&name)
        .ok_or_else(|| Failure::of_usage(format!("there is no metric {name}")))?;
    let ours = results(&one);
    let theirs = results(&other);
    let (Some(of), Some(of_other)) = (
        ours.of_named(&one.0.headline.of),
        theirs.of_named(&one.0.headline.of),
    ) else {
        return Err(Failure::of("the two have no reader in common"));
    };
    if one.1.points.len() != other.1.points.len() {
        return Err(Failure::of("the two have different numbers of points"));
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["point", "arm", "one", "other", "one more than the other"]);
    for point in ours.points {
        for (arm, arm_name) in ours.arms().iter().enumerate() {
            let Some(other_arm) = theirs.arms().iter().position(|name| name == arm_name) else {
                continue;
            };
            let said = |found: Option<_>| {
                found.map_or_else(|| "–".to_owned(), |found| plus_minus(&found, metric))
            };
            let a = ours.values(point.index, arm, metric, &of);
            let b = theirs.values(point.index, other_arm, metric, &of_other);
            table.add_row([
                format!("{:?}", ours.swept_at(point)),
                (*arm_name).to_owned(),
                said(ours.estimate(point.index, arm, metric, &of)),
                said(theirs.estimate(point.index, other_arm, metric, &of_other)),
                said(paired(a.into_iter().zip(b))),
            ]);
        }
    }
    println!("{} ({})\n{table}", metric.words, of.name);
    if one.1.first_seed != other.1.first_seed || one.1.seeds != other.1.seeds {
        println!("The two have other seeds: differences are not paired, and say little.");
    }
    Ok(())
}

fn results<'a>(
    (scenario, plan, runs): &'a (
        kith_simulations::study::scenario::Scenario,
        Plan,
        Vec<kith_simulations::study::run::RunResult>,
    ),
) -> Results<'a> {
    Results {
        scenario,
        points: &plan.points,
        runs,
    }
}
