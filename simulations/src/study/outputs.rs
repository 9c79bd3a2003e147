//! What a folder of results holds beside its runs: tables, the report, how to cite it.

use super::{
    folder::{Folder, FolderError, Manifest},
    report,
    scenario::{Origin, Scenario},
    sweep::Plan,
    table::Results,
};

/// Writes everything that follows from the runs of a folder. All runs have to be there.
///
/// # Errors
/// When something does not read or cannot be written.
pub fn write(folder: &Folder, manifest: &Manifest) -> Result<(), FolderError> {
    let scenario = folder.scenario()?;
    let plan = Plan::of_manifest(&scenario, manifest);
    let runs = folder.runs(manifest)?;
    let results = Results {
        scenario: &scenario,
        points: &plan.points,
        runs: &runs,
    };
    folder.write("runs.csv", results.runs_csv().as_bytes())?;
    folder.write("estimates.csv", results.estimates_csv().as_bytes())?;
    folder.write("differences.csv", results.differences_csv().as_bytes())?;
    folder.write(
        "report.html",
        report::html(&results, plan.is_sensitivity).as_bytes(),
    )?;
    folder.write("CITATION.cff", citation(&scenario, manifest).as_bytes())?;
    let command = report::command(&results, plan.is_sensitivity);
    folder.write(
        "STRESS.md",
        stress(&scenario, manifest, &command).as_bytes(),
    )
}

fn citation(scenario: &Scenario, manifest: &Manifest) -> String {
    format!(
        "cff-version: 1.2.0\nmessage: \"If you use these results, cite them and the program.\"\n\
         type: dataset\ntitle: \"kith-sim: {}\"\nabstract: {}\nauthors:\n  - name: \"The kith contributors\"\n\
         version: \"{}\"\nlicense: Apache-2.0\nidentifiers:\n  - type: other\n    value: \"blake3:{}\"\n    \
         description: \"The scenario file\"\n",
        scenario.name,
        serde_json::Value::from(scenario.question.as_str()),
        manifest.version,
        manifest.scenario_hash
    )
}

/// A skeleton by the STRESS guidelines (Monks and others, Journal of Simulation 13, 2019), filled
/// in as far as a program can.
fn stress(scenario: &Scenario, manifest: &Manifest, command: &str) -> String {
    let count = |is: fn(&Origin) -> bool| {
        scenario
            .numbers
            .iter()
            .filter(|one| is(&one.origin))
            .count()
    };
    let sourced = count(|origin| matches!(origin, Origin::Source(_)));
    let assumed = count(|origin| matches!(origin, Origin::Assumption(_) | Origin::Unmarked));
    let defaults = count(|origin| matches!(origin, Origin::Default));
    format!(
        "# STRESS checklist: {name}\n\n\
         ## 1 Objectives\n- 1.1 Purpose: {question}\n- 1.2 Outputs: `runs.csv`, `estimates.csv`, `differences.csv`, `report.html`.\n\
         - 1.3 Aims of experiments: (say which decision this informs)\n\n\
         ## 2 Logic\n- 2.1 Base model: pathways, carriers and outcomes as in `docs/studies/method.md`.\n\
         - 2.2 Scenario logic: arms and points are in `scenario.toml`; {points} points.\n- 2.3 Algorithms: event order by (time, sequence); \
         common random numbers between arms.\n- 2.4 Components: {kinds} kinds of organisations, {pathways} pathways.\n\n\
         ## 3 Data\n- 3.1 Sources: {sourced} numbers have one, {assumed} are assumptions, {defaults} are defaults; each is in `report.html`.\n\
         - 3.2 Input parameters: `scenario.toml`.\n- 3.3 Preprocessing: (say what was done)\n- 3.4 Assumptions: (say what was left out and why)\n\n\
         ## 4 Experimentation\n- 4.1 Initialisation: the first {warm} days are not counted.\n- 4.2 Run length: {days} days.\n\
         - 4.3 Estimation: {seeds} seeds from {first} on, 95 % intervals by Student's t, differences paired by seed.\n\n\
         ## 5 Implementation\n- 5.1 Software: kith-sim {version}.\n- 5.2 Random numbers: ChaCha with 8 rounds, one stream for each seed, purpose and entity.\n\
         - 5.3 Execution: `{command}`\n- 5.4 System: (say which machine)\n\n\
         ## 6 Code access\n- 6.1 Where: (say where the program and these files are kept)\n",
        name = scenario.name,
        question = scenario.question,
        points = super::settings::points(scenario).len(),
        kinds = scenario.organisations.len(),
        pathways = scenario.workloads.len(),
        warm = scenario.warm_up_days,
        days = scenario.days,
        seeds = manifest.seeds,
        first = manifest.first_seed,
        version = manifest.version,
    )
}
