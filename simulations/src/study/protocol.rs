//! The federated record as it is: the engine of the node, with real keys and signatures, in virtual
//! time, under the very years, devices, faults and shares that the abstract model has.
//!
//! A run has two parts. First all patients live at once in one [`World`](crate::World), whose hosts are the nodes
//! of the run; what everybody who looked found is written down. Then every arm is counted as in the
//! abstract, a patient after the other, with what was written down in the place of version vectors.
//!
//! At the end of each day it is looked at what must hold (`checks`): a run in which something does
//! not ends there.

mod arrivals;
mod checks;
mod hosts;
mod play;
mod replay;

use std::rc::Rc;

use super::{
    metric::Counter,
    place::Places,
    run::{Nobody, Run, RunResult},
    scenario::{FaultKind, Scenario},
    settings::{Point, Settings},
};
pub use checks::Broken;
use play::Play;
use replay::Replay;

/// What the engine cannot be asked, in words; nothing where a scenario asks for nothing of that.
pub fn not_possible(scenario: &Scenario) -> Option<String> {
    if let Some(one) = scenario.organisations.iter().find(|one| !one.holds) {
        return Some(format!(
            "the {} keeps no copy (holds = false): nodes do not ask others on behalf of somebody",
            one.name
        ));
    }
    let loses = |fault: &super::scenario::Fault| matches!(fault.kind, FaultKind::DeviceLoss { .. });
    scenario
        .faults
        .iter()
        .any(loses)
        .then(|| "devices are lost: hosts of the virtual world are not replaced".to_owned())
}

/// Runs a point with a seed.
///
/// # Errors
/// When something is at the end of a day that must not be.
pub fn run(scenario: &Scenario, point: &Point, seed: u64) -> Result<RunResult, Broken> {
    let settings = Settings::of(scenario, point, seed);
    let places = Places::of(scenario, &settings);
    let recording = Rc::new(Play::of(scenario, &settings, &places).plays()?);
    let mut run = Run::with(scenario, &settings, &places, &mut || {
        Box::new(Replay::of(Rc::clone(&recording)))
    });
    for number in 0..u64::from(scenario.patients) {
        run.lives(number, &mut Nobody);
    }
    let mut result = run.result(point.index);
    for arm in result
        .arms
        .iter_mut()
        .filter(|arm| arm.arm.starts_with("federated"))
    {
        arm.cells[0].add(Counter::Lost, recording.lost);
        for (kind, bytes) in recording.bytes.iter().enumerate() {
            arm.cells[0].add(Counter::Bytes, *bytes);
            arm.cells[1 + kind].add(Counter::Bytes, *bytes);
        }
    }
    result.events += recording.frames;
    result.entries = recording.entries;
    Ok(result)
}
