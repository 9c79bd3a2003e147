//! A file for each command.

pub mod check;
pub mod compare;
pub mod merge;
pub mod new;
pub mod report;
pub mod run;
pub mod slurm;
pub mod trace;
pub mod verify;

use std::path::Path;

use kith_simulations::study::{
    library, protocol,
    scenario::{Fidelity, Scenario},
};

use crate::Failure;

/// A scenario file, or one that comes with the program.
fn scenario(named: &str) -> Result<Scenario, Failure> {
    let path = Path::new(named);
    let read = match library::named(named) {
        Some(text) if !path.is_file() => {
            Scenario::parse(&format!("{named}.toml"), text, Path::new("."))
        }
        _ => Scenario::read(path),
    };
    let scenario = read.map_err(|problems| {
        let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Failure::of_file(said.join("\n"))
    })?;
    match protocol::not_possible(&scenario) {
        Some(why) if scenario.fidelity == Fidelity::Protocol => Err(Failure::of_file(format!(
            "{named}: the protocol fidelity cannot run this: {why}\n    write fidelity = \"abstract\""
        ))),
        Some(_) | None => Ok(scenario),
    }
}
