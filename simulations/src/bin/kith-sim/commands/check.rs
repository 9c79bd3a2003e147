//! `kith-sim check`

use comfy_table::{Table, presets::NOTHING};
use kith_simulations::study::{
    scenario::Origin,
    settings::{points, sensitivity_points},
};

use crate::{Failure, args::FileArgs};

/// Says what is wrong with a scenario file, and what a run of it would be.
pub fn run(args: &FileArgs) -> Result<(), Failure> {
    let scenario = super::scenario(&args.scenario)?;
    let points = points(&scenario).len();
    let runs = points * scenario.seeds as usize;
    println!("{}: {}", scenario.name, scenario.question);
    println!(
        "{} patients over {} days, {points} points with {} seeds: {runs} runs; with --sensitivity {}.",
        scenario.patients,
        scenario.days,
        scenario.seeds,
        sensitivity_points(&scenario).len() * scenario.seeds as usize
    );
    let unmarked: Vec<_> = scenario
        .numbers
        .iter()
        .filter(|one| one.origin == Origin::Unmarked)
        .collect();
    if !unmarked.is_empty() {
        println!("\nThese numbers say neither a source nor an assumption:");
        let mut table = Table::new();
        table.load_style(NOTHING);
        for one in unmarked {
            table.add_row([one.name.as_str(), one.unit.in_words()]);
        }
        println!("{table}");
    }
    if scenario
        .sweeps()
        .iter()
        .all(|(number, _)| *number != scenario.adoption)
    {
        println!("\nThe adoption rate is not swept: a claim needs to say how it depends on it.");
    }
    Ok(())
}
