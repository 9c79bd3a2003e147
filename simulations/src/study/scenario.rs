//! A scenario: what a file says is simulated, with where each number comes from.

mod baseline;
mod network;
mod number;
mod people;
mod problem;
mod table;
mod workload;

use std::path::Path;

use toml::de::DeTable;

pub use baseline::{Baseline, BaselineKind, Federated};
pub use network::{Device, Fault, FaultKind, Link, Nat, Online, When};
pub use number::{Draw, Number, Numbers, Origin, Parameter, Said, Unit};
pub use people::{Consent, Count, Group, Organisation};
pub use problem::Problem;
pub use workload::{EventsFile, Pathway, Row, RowKind, Visit, Workload};

use problem::{Problems, instead_of};
use table::Table;

/// The schema of scenario files that this reads.
pub const SCHEMA: u32 = 1;

/// With what the federated record is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// Version vectors and a byte model.
    Abstract,
    /// The engine of the node, with real signatures.
    Protocol,
}

impl Fidelity {
    /// Its word in scenario files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Abstract => "abstract",
            Self::Protocol => "protocol",
        }
    }
}

/// What the first sentence of a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// A metric.
    pub metric: String,
    /// Of what: `all`, `at:KIND` or `group:NAME`.
    pub of: String,
}

/// A scenario as it was read. Every number is an index into `numbers`.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, which names the folder of results.
    pub name: String,
    /// The question that it answers.
    pub question: String,
    /// What it does not show, a sentence each.
    pub limits: Vec<String>,
    /// How it is simulated.
    pub fidelity: Fidelity,
    /// How many seeds.
    pub seeds: u32,
    /// The first seed.
    pub first_seed: u32,
    /// How long, days.
    pub days: u32,
    /// Days at the beginning in which nothing is measured.
    pub warm_up_days: u32,
    /// How many people.
    pub patients: u32,
    /// Districts: patients use the organisations of their own.
    pub districts: u32,
    /// Every number.
    pub numbers: Vec<Parameter>,
    /// The share of organisations that run a node.
    pub adoption: Number,
    /// Groups of patients.
    pub groups: Vec<Group>,
    /// Kinds of organisations, in the order of the file.
    pub organisations: Vec<Organisation>,
    /// Kinds of devices.
    pub devices: Vec<Device>,
    /// What is between kinds of organisations.
    pub links: Vec<Link>,
    /// How people share.
    pub consent: Consent,
    /// The federated record.
    pub federated: Federated,
    /// What happens to patients.
    pub workloads: Vec<Workload>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What the federated record is compared with.
    pub baselines: Vec<Baseline>,
    /// What a report begins with.
    pub headline: Headline,
    /// The file as it was read.
    pub text: String,
}

impl Scenario {
    /// Reads a file and the files that it names, which are found from its folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, with lines and columns.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            vec![Problem {
                file: file.clone(),
                line: 1,
                column: 1,
                what: format!("the file cannot be read: {error}"),
                instead: "write a new one with: kith-sim new FILE".to_owned(),
            }]
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&file, &text, folder)
    }

    /// Reads the text of a file. `folder` is where the files that it names are.
    ///
    /// # Errors
    /// Everything that is wrong with it, with lines and columns.
    pub fn parse(file: &str, text: &str, folder: &Path) -> Result<Self, Vec<Problem>> {
        Self::parse_from(file, text, Some(folder))
    }

    /// Reads the text of a file that was read before, and not the files that it names: enough to
    /// make tables and reports, not to run it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse_without_files(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse_from(file, text, None)
    }

    fn parse_from(file: &str, text: &str, folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::of(file, text);
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                problems.add(
                    at,
                    error.message().to_owned(),
                    "see https://toml.io for how TOML is written",
                );
                return Err(problems.found);
            }
        };
        let table = Table::of("the file", root.get_ref(), root.span());
        let read = read(table, text, folder, &mut problems);
        match read {
            Some(scenario) if problems.found.is_empty() => Ok(scenario),
            _ => {
                problems.found.sort_by_key(|one| (one.line, one.column));
                Err(problems.found)
            }
        }
    }

    /// A number.
    pub fn parameter(&self, number: Number) -> &Parameter {
        &self.numbers[number.0]
    }

    /// The kind of organisations with this name.
    pub fn kind(&self, name: &str) -> Option<usize> {
        self.organisations.iter().position(|one| one.name == name)
    }

    /// What was read from files that it names.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let files = self
            .workloads
            .iter()
            .filter_map(|workload| match &workload.pathway {
                Pathway::Events(file) => Some(&file.rows),
                Pathway::EndOfLife { .. }
                | Pathway::Visit(_)
                | Pathway::Order { .. }
                | Pathway::HandOver { .. }
                | Pathway::VirtualWard { .. }
                | Pathway::Routine { .. } => None,
            });
        files.flatten()
    }

    /// The numbers that are swept, with their values.
    pub fn sweeps(&self) -> Vec<(Number, &[f64])> {
        let swept = self.numbers.iter().enumerate();
        swept
            .filter_map(|(n, one)| match &one.said {
                Said::Swept(values) => Some((Number(n), values.as_slice())),
                Said::Drawn(_) => None,
            })
            .collect()
    }
}

/// Names that were given so far, for messages about names that were not.
#[derive(Default)]
struct Names {
    organisations: Vec<String>,
    groups: Vec<String>,
    devices: Vec<String>,
    suppliers: Vec<String>,
}

/// The index of a name that the file uses.
fn find(
    (name, at): &(String, usize),
    known: &[String],
    what: &str,
    problems: &mut Problems<'_>,
) -> Option<usize> {
    let found = known.iter().position(|one| one == name);
    if found.is_none() {
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let instead = if known.is_empty() {
            format!("the file has no [[{what}]]: write one")
        } else {
            instead_of(name, &known)
        };
        problems.add(*at, format!("there is no {what} `{name}`"), instead);
    }
    found
}

fn read(
    mut table: Table<'_>,
    text: &str,
    folder: Option<&Path>,
    problems: &mut Problems<'_>,
) -> Option<Scenario> {
    match table.whole("schema", 1, problems) {
        Some(SCHEMA) => {}
        Some(_) | None => {
            table.missing("schema", "schema = 1, the only one that there is", problems);
        }
    }
    let mut numbers = Numbers::default();
    let mut names = Names::default();
    let name = table.needed_text("name", problems);
    if let Some((name, at)) = &name
        && !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        problems.add(
            *at,
            format!("`{name}` does not name a folder"),
            "write letters, digits and hyphens",
        );
    }
    let question = table.needed_text("question", problems);
    let limits = table.texts("does_not_show", problems).unwrap_or_default();
    let fidelity = word(
        &mut table,
        "fidelity",
        &[
            ("abstract", Fidelity::Abstract),
            ("protocol", Fidelity::Protocol),
        ],
        problems,
    )
    .unwrap_or(Fidelity::Abstract);
    let mut run = table.table("run", problems);
    let of_run = run.as_mut().map(|run| {
        let seeds = run.whole("seeds", 1, problems).unwrap_or(30);
        let first_seed = run.whole("first_seed", 0, problems).unwrap_or(1);
        let days = run.whole("days", 1, problems).unwrap_or(365);
        let warm_up_days = run.whole("warm_up_days", 0, problems).unwrap_or(0);
        let patients = run.whole("patients", 1, problems).unwrap_or(500);
        let districts = run.whole("districts", 1, problems).unwrap_or(1);
        if warm_up_days >= days {
            let said = format!("{warm_up_days} days of warming up leave nothing of {days} days");
            problems.add(run.at(), said, "write fewer warm_up_days");
        }
        (seeds, first_seed, days, warm_up_days, (patients, districts))
    });
    match run {
        Some(run) => run.end(problems),
        None => table.missing(
            "run",
            "[run], seeds = 30, days = 365, patients = 500",
            problems,
        ),
    }
    let adoption = match table.table("adoption", problems) {
        Some(mut adoption) => {
            let share = numbers.read(
                &mut adoption,
                ("adoption", "share"),
                Unit::Share,
                1.0,
                problems,
            );
            adoption.end(problems);
            share
        }
        None => {
            table.missing(
                "adoption",
                "[adoption], share = { sweep = [0.1, 0.5, 1.0] }",
                problems,
            );
            return None;
        }
    };
    let groups = people::groups(&mut table, &mut numbers, &mut names, problems);
    let devices = network::devices(&mut table, &mut numbers, &mut names, problems);
    let organisations = people::organisations(&mut table, &mut numbers, &mut names, problems);
    let links = network::links(&mut table, &mut numbers, &names, problems);
    let consent = people::consent(&mut table, &mut numbers, problems);
    let workloads = workload::workloads(&mut table, (&mut numbers, folder), &names, problems);
    let faults = network::faults(&mut table, &mut numbers, &names, problems);
    let baselines = baseline::baselines(&mut table, &mut numbers, &names, problems);
    let federated = baseline::federated(&mut table, &mut numbers, &baselines, problems);
    let headline = headline(&mut table, &names, problems);
    table.end(problems);
    let (seeds, first_seed, days, warm_up_days, (patients, districts)) = of_run?;
    let scenario = Scenario {
        name: name?.0,
        question: question?.0,
        limits: limits.into_iter().map(|(text, _)| text).collect(),
        fidelity,
        seeds,
        first_seed,
        days,
        warm_up_days,
        patients,
        districts,
        numbers: numbers.all,
        adoption,
        groups,
        organisations,
        devices,
        links,
        consent,
        federated,
        workloads,
        faults,
        baselines,
        headline,
        text: text.to_owned(),
    };
    bounds(&scenario, problems);
    Some(scenario)
}

/// How many points a sweep may have.
const POINTS_MAX: usize = 10_000;

fn bounds(scenario: &Scenario, problems: &mut Problems<'_>) {
    let points: usize = scenario
        .sweeps()
        .iter()
        .map(|(_, values)| values.len())
        .product();
    if points > POINTS_MAX {
        problems.add(
            0,
            format!("the sweeps multiply to {points} points, and {POINTS_MAX} are the most"),
            "sweep fewer numbers, or ask for one at a time with: kith-sim run FILE --sensitivity",
        );
    }
    if scenario.organisations.is_empty() {
        problems.add(
            0,
            "nobody cares for anybody",
            "write at least two [[organisation]]",
        );
    }
    if scenario.organisations.len() > 12 {
        problems.add(
            0,
            "there are more than 12 kinds of organisations",
            "write at most 12 [[organisation]]",
        );
    }
    if scenario.workloads.is_empty() {
        problems.add(
            0,
            "nothing happens to anybody",
            "write at least one [[workload]]",
        );
    }
}

/// A key whose value is one of a few words.
fn word<T: Copy>(
    table: &mut Table<'_>,
    key: &'static str,
    words: &[(&str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let at = table.get(key)?.span().start;
    let said = table.text(key, problems)?;
    let found = words.iter().find(|(word, _)| *word == said);
    if found.is_none() {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        problems.add(
            at,
            format!("`{key}` knows no `{said}`"),
            instead_of(&said, &known),
        );
    }
    found.map(|(_, value)| *value)
}

fn headline(table: &mut Table<'_>, names: &Names, problems: &mut Problems<'_>) -> Headline {
    let mut found = Headline {
        metric: "available_current".to_owned(),
        of: "all".to_owned(),
    };
    let Some(mut report) = table.table("report", problems) else {
        return found;
    };
    let known = super::metric::NAMES;
    if let Some(at) = report.get("metric").map(|value| value.span().start)
        && let Some(metric) = report.text("metric", problems)
    {
        if !known.contains(&metric.as_str()) {
            problems.add(
                at,
                format!("there is no metric `{metric}`"),
                instead_of(&metric, &known),
            );
        }
        found.metric = metric;
    }
    if let Some(at) = report.get("reader").map(|value| value.span().start)
        && let Some(reader) = report.text("reader", problems)
    {
        find(
            &(reader.clone(), at),
            &names.organisations,
            "organisation",
            problems,
        );
        found.of = format!("at:{reader}");
    }
    if let Some(at) = report.get("group").map(|value| value.span().start)
        && let Some(group) = report.text("group", problems)
    {
        find(&(group.clone(), at), &names.groups, "group", problems);
        found.of = format!("group:{group}");
    }
    report.end(problems);
    found
}
