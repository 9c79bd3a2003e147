//! The engine with real signatures and the abstract model say the same of one population.

use kith_simulations::study::{
    metric::{Counter, Metric},
    protocol, run,
    scenario::Scenario,
    settings::{Point, points},
    statistics::estimate,
};

use super::scenario;

/// Few enough for the engine: a few patients, devices that fail, a laptop that sleeps, refusals,
/// stops, visits elsewhere, a supplier's outage and partitions.
const POPULATION: &str = r#"schema = 1
name = "agreement"
question = "?"

[run]
patients = 6
days = 20

[adoption]
share = 0.8

[[device]]
name = "server"
failures_per_year = 24
repair_hours = { exponential = 24 }

[[device]]
name = "laptop"
nat = "punchable"
online = { share = 0.4, session_minutes = { exponential = 600 } }

[[organisation]]
name = "practice"
count = 3
device = "server"
supplier = "systems"

[[organisation]]
name = "hospital"
count = 3
device = "server"
elsewhere = 0.3

[[organisation]]
name = "carer"
each_patient = true
device = "laptop"

[consent]
shares = 0.9
at_visit = 0.5
visit_minutes = 30
withholds = 0.1
stops_per_year = 1

[[workload]]
name = "medicines"
pathway = "routine"
writer = "practice"
section = "medicines"
per_year = 90
readers = ["hospital", "carer"]
reads_per_year = 90

[[workload]]
name = "notes"
pathway = "routine"
writer = "carer"
section = "daily-care"
per_year = 60
readers = ["practice", "hospital"]
reads_per_year = 60

[[fault]]
kind = "supplier-outage"
supplier = "systems"
at_day = 10
hours = 48

[[fault]]
kind = "partition"
organisations = ["hospital"]
per_year = 24
hours = { exponential = 36 }
"#;

const SEEDS: u64 = 30;

fn played(scenario: &Scenario, point: &Point, seed: u64) -> run::RunResult {
    protocol::run(scenario, point, seed).expect("what must hold at the end of each day")
}

#[test]
fn engine_and_model_agree_over_thirty_seeds() {
    let scenario = scenario(POPULATION);
    assert_eq!(protocol::not_possible(&scenario), None);
    let point: Point = points(&scenario).remove(0);
    let both = |seed| {
        let model = run::run(&scenario, &point, seed);
        (model, played(&scenario, &point, seed))
    };
    let (odd, mut pairs) = std::thread::scope(|scope| {
        let odd = scope.spawn(|| (1..=SEEDS).step_by(2).map(both).collect::<Vec<_>>());
        let even: Vec<_> = (2..=SEEDS).step_by(2).map(both).collect();
        (odd.join().expect("it ends"), even)
    });
    pairs.extend(odd);
    agree(
        &pairs,
        &[
            "available_current",
            "available_any",
            "denied",
            "nothing",
            "medicines_behind_days",
        ],
    );
    for name in ["lost_writes", "unauthorised_reads"] {
        let metric = Metric::named(name).expect("a metric");
        for (_, engine) in &pairs {
            assert_eq!(metric.value(&engine.arms[0].cells[0]), Some(0.0), "{name}");
        }
    }
}

/// Within two in a hundred, or intervals that overlap.
fn agree(pairs: &[(run::RunResult, run::RunResult)], metrics: &[&str]) {
    for name in metrics {
        let metric = Metric::named(name).expect("a metric");
        let of = |which: fn(&(run::RunResult, run::RunResult)) -> &run::RunResult| {
            let values = pairs
                .iter()
                .filter_map(|pair| metric.value(&which(pair).arms[0].cells[0]));
            estimate(&values.collect::<Vec<_>>()).expect("values")
        };
        let (model, engine) = (of(|pair| &pair.0), of(|pair| &pair.1));
        let overlap = match (model.interval, engine.interval) {
            (Some(a), Some(b)) => a.0 <= b.1 && b.0 <= a.1,
            (None, _) | (_, None) => false,
        };
        println!("{name}: model {model:?}, engine {engine:?}");
        assert!((model.mean - engine.mean).abs() < 0.02 || overlap, "{name}");
    }
}

/// Falls, of which all are told, and stops, of which those who hold something learn.
#[test]
fn engine_and_model_agree_on_when_all_were_told() {
    let text = POPULATION
        .replace("days = 20", "days = 45")
        .replace("stops_per_year = 1", "stops_per_year = 6")
        .replace("withholds = 0.1\n", "");
    let falls = r#"
[[organisation]]
name = "ambulance"
count = 2
device = "server"
emergency = true
told = false

[[workload]]
name = "falls"
pathway = "fall"
per_year = 40
noticed_by = "carer"
called = "ambulance"
admits = "hospital"
arrives_minutes = 30
conveyed = 0.5
stay_days = { exponential = 3 }
changes_medicines = 0.5
material = 0.3
followed_by = ["practice"]
follow_up_days = 2
"#;
    let scenario = scenario(&(text + falls));
    let point: Point = points(&scenario).remove(0);
    let both = |seed| {
        let model = run::run(&scenario, &point, seed);
        (model, played(&scenario, &point, seed))
    };
    let (odd, mut pairs) = std::thread::scope(|scope| {
        let odd = scope.spawn(|| (1..=6).step_by(2).map(both).collect::<Vec<_>>());
        let even: Vec<_> = (2..=6).step_by(2).map(both).collect();
        (odd.join().expect("it ends"), even)
    });
    pairs.extend(odd);
    agree(
        &pairs,
        &[
            "told_all_1h",
            "told_all_24h",
            "told_all",
            "told_all_hours",
            "stop_known_1h",
            "stop_known_24h",
            "stop_hours",
        ],
    );
    for counter in [Counter::Notices, Counter::Stops] {
        let all = |of: &run::RunResult| of.arms[0].cells[0].of(counter);
        let of_model: u64 = pairs.iter().map(|pair| all(&pair.0)).sum();
        let of_engine: u64 = pairs.iter().map(|pair| all(&pair.1)).sum();
        println!("{counter:?}: model {of_model}, engine {of_engine}");
        assert!(of_engine > 10, "{counter:?}");
        assert!(of_model.abs_diff(of_engine) * 20 <= of_model, "{counter:?}");
    }
}

/// The model has one number for what goes with an entry and one for a meeting. What a share itself
/// takes, and meetings at which nothing is new, it does not count: here entries are nearly all.
#[test]
fn engine_and_model_count_nearly_the_same_bytes_for_entries() {
    let text = r#"schema = 1
name = "bytes"
question = "?"

[run]
patients = 6
days = 30

[adoption]
share = 1.0

[[device]]
name = "server"

[[organisation]]
name = "practice"
count = 2
device = "server"

[[organisation]]
name = "hospital"
count = 2
device = "server"

[[workload]]
name = "medicines"
pathway = "routine"
writer = "practice"
section = "medicines"
per_year = 900
readers = ["hospital"]
reads_per_year = 1
entry_bytes = 1000

[[workload]]
name = "letters"
pathway = "routine"
writer = "hospital"
section = "letters"
per_year = 600
readers = ["practice"]
reads_per_year = 1
entry_bytes = 2500
"#;
    let scenario = scenario(text);
    let point: Point = points(&scenario).remove(0);
    let metric = Metric::named("bytes_per_node_day").expect("a metric");
    let of = |run: run::RunResult| metric.value(&run.arms[0].cells[0]).expect("a value");
    let (model, engine) = (
        of(run::run(&scenario, &point, 1)),
        of(played(&scenario, &point, 1)),
    );
    println!("bytes of a node in a day: model {model:.0}, engine {engine:.0}");
    assert!((0.97..1.03).contains(&(model / engine)), "{model} {engine}");
}

/// Withholding from everybody and looking at nothing before something is sent, a carer holds
/// medicines: the end of the day shows it.
#[cfg(feature = "planted-bugs")]
#[test]
fn a_run_in_which_something_must_not_be_ends_with_a_sentence() {
    use kith_protocol::planted::{Planted, plant};
    let withholding = POPULATION.replace("withholds = 0.1", "withholds = 1.0");
    let scenario = scenario(&withholding);
    let point = points(&scenario).remove(0);
    assert!(protocol::run(&scenario, &point, 1).is_ok());
    plant(Some(Planted::RightSkippedOnSend));
    let broken = protocol::run(&scenario, &point, 1);
    plant(None);
    let said = broken.expect_err("medicines were withheld").to_string();
    assert!(said.starts_with("day "), "{said}");
    assert!(
        said.ends_with("holds its medicines, which it may not see"),
        "{said}"
    );
}

#[test]
fn the_engine_gives_the_same_bytes_for_the_same_seed() {
    let scenario = scenario(POPULATION);
    let point = points(&scenario).remove(0);
    let (first, again) = (played(&scenario, &point, 5), played(&scenario, &point, 5));
    assert_eq!(first, again);
    assert_ne!(first.trace, played(&scenario, &point, 6).trace);
}

#[test]
fn what_the_engine_cannot_be_asked_is_said() {
    let lost = POPULATION.replace(
        "kind = \"partition\"\norganisations = [\"hospital\"]\nper_year = 24\nhours = { exponential = 36 }",
        "kind = \"device-loss\"\norganisation = \"carer\"\nper_year = 1",
    );
    assert!(protocol::not_possible(&scenario(&lost)).is_some_and(|said| said.contains("lost")));
    let asks = POPULATION.replace(
        "count = 3\ndevice = \"server\"\nelsewhere",
        "count = 3\nholds = false\ndevice = \"server\"\nelsewhere",
    );
    assert!(protocol::not_possible(&scenario(&asks)).is_some_and(|said| said.contains("hospital")));
}
