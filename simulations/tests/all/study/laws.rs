//! Laws of the model: what must hold of every scenario, and closed forms where there are some.

use kith_simulations::study::{
    metric::{Counter, Metric},
    run::{RunResult, run},
    settings::{Point, points},
    statistics::estimate,
};

use super::{SMALL, scenario};

fn runs(text: &str, point: usize, seeds: u64) -> Vec<RunResult> {
    let scenario = scenario(text);
    let point = points(&scenario).remove(point);
    (1..=seeds)
        .map(|seed| run(&scenario, &point, seed))
        .collect()
}

fn of(run: &RunResult, arm: &str, counter: Counter) -> u64 {
    let arm = run.arms.iter().find(|one| one.arm == arm).expect("an arm");
    arm.cells[0].of(counter)
}

#[test]
fn the_same_seed_gives_the_same_and_another_seed_gives_another() {
    let (first, again) = (runs(SMALL, 1, 4), runs(SMALL, 1, 4));
    assert_eq!(first, again);
    let traces: std::collections::BTreeSet<_> = first.iter().map(|run| &run.trace).collect();
    assert_eq!(traces.len(), 4);
}

#[test]
fn what_is_compared_with_changes_nothing_else() {
    let whole = runs(SMALL, 0, 3);
    let text = SMALL.replace(
        "[[baseline]]\nkind = \"letter\"\nto = [\"practice\", \"hospital\"]\nsame_day = 0.43\ndelay_days = { exponential = 8 }\n",
        "",
    );
    let text = text.replace("\"letter\", ", "");
    for (one, other) in whole.iter().zip(runs(&text, 0, 3)) {
        for arm in ["federated", "paper", "central", "batch"] {
            let cells = |run: &RunResult| {
                run.arms
                    .iter()
                    .find(|one| one.arm == arm)
                    .expect("an arm")
                    .cells
                    .clone()
            };
            assert_eq!(cells(one), cells(&other), "{arm}");
        }
    }
}

#[test]
fn adoption_changes_no_patients_year() {
    for (few, all) in runs(SMALL, 0, 3).iter().zip(runs(SMALL, 1, 3)) {
        for counter in [Counter::Reads, Counter::Writes] {
            assert_eq!(
                of(few, "federated", counter),
                of(&all, "federated", counter)
            );
        }
        for arm in ["paper", "letter", "central"] {
            assert_eq!(
                of(few, arm, Counter::Current),
                of(&all, arm, Counter::Current),
                "{arm}"
            );
        }
        assert!(of(few, "federated", Counter::Nothing) >= of(&all, "federated", Counter::Nothing));
    }
}

#[test]
fn every_need_ends_in_one_way_and_nothing_is_lost_without_a_lost_device() {
    for run in runs(SMALL, 1, 5) {
        for arm in &run.arms {
            for cell in &arm.cells {
                let ends = [
                    Counter::Current,
                    Counter::Stale,
                    Counter::Wrong,
                    Counter::Denied,
                    Counter::Nothing,
                ];
                let sum: u64 = ends.iter().map(|counter| cell.of(*counter)).sum();
                assert_eq!(sum, cell.of(Counter::Reads));
                assert!(cell.of(Counter::ToldInHour) <= cell.of(Counter::ToldInDay));
                assert!(cell.of(Counter::ToldInDay) <= cell.of(Counter::ToldAll));
                assert!(cell.of(Counter::ToldAll) <= cell.of(Counter::Notices));
                assert!(cell.of(Counter::StopsKnown) <= cell.of(Counter::Stops));
                assert!(cell.of(Counter::Healed) <= cell.of(Counter::Heals));
            }
        }
        assert_eq!(of(&run, "federated", Counter::Lost), 0);
        let together = of(&run, "federated+today", Counter::Current);
        assert!(together >= of(&run, "federated", Counter::Current));
    }
}

/// Where everybody is always there and takes part, everybody has everything after a moment.
#[test]
fn without_faults_and_refusals_the_current_version_is_there() {
    let text = SMALL
        .replace("{ value = 12, range = [1, 30] }", "0")
        .replace(
            "share = 0.3, session_minutes",
            "share = 1.0, session_minutes",
        )
        .replace("shares = 0.9", "shares = 1.0")
        .replace("at_visit = 0.5", "at_visit = 1.0\nvisit_minutes = 0")
        .replace("elsewhere = 0.3", "elsewhere = 0.0")
        .replace("stops_per_year = 0.5", "stops_per_year = 0")
        .replace(
            "per_year = 6\nhours = { exponential = 30 }",
            "per_year = 0\nhours = 1",
        )
        .replace("at_day = 50\nhours = 20", "at_day = 50\nhours = 0");
    for run in runs(&text, 1, 3) {
        let reads = of(&run, "federated", Counter::Reads);
        assert!(reads > 20, "{reads}");
        // What is needed in the very moment at which it is written may be on its way.
        let late = reads - of(&run, "federated", Counter::Current);
        assert!(late * 100 <= reads, "{late} of {reads}");
        let notices = of(&run, "federated", Counter::Notices);
        assert_eq!(of(&run, "federated", Counter::ToldInHour), notices);
    }
}

/// k independent holders, each on the network for a share a of the time: whoever keeps no copy and
/// asks finds one with 1 - (1 - a)^k.
#[test]
fn whoever_asks_k_holders_finds_one_as_often_as_the_closed_form_says() {
    for (k, share) in [(1, 0.3_f64), (2, 0.3), (4, 0.3), (3, 0.6)] {
        let mut text = format!(
            "schema = 1\nname = \"k\"\nquestion = \"?\"\n[run]\npatients = 150\ndays = 200\n\
             warm_up_days = 100\nseeds = 30\n[adoption]\nshare = 1.0\n\
             [[device]]\nname = \"always\"\n\
             [[device]]\nname = \"sometimes\"\nonline = {{ share = {share}, session_minutes = {{ exponential = 30 }} }}\n\
             [[organisation]]\nname = \"asks\"\ndevice = \"always\"\nholds = false\n\
             [[workload]]\npathway = \"routine\"\nwriter = \"holder 1\"\nsection = \"plans\"\n\
             per_year = 0\nreads_per_year = 40\nreaders = [\"asks\"]\n"
        );
        for n in 1..=k {
            text += &format!(
                "[[organisation]]\nname = \"holder {n}\"\neach_patient = true\ndevice = \"sometimes\"\n"
            );
        }
        let metric = Metric::named("available_any").expect("a metric");
        let values: Vec<_> = runs(&text, 0, 30)
            .iter()
            .filter_map(|run| metric.value(&run.arms[0].cells[0]))
            .collect();
        let found = estimate(&values).expect("values");
        let wanted = 1.0 - (1.0 - share).powi(k);
        let (low, high) = found.interval.expect("an interval");
        let is_near = (found.mean - wanted).abs() < 0.01;
        assert!(
            is_near && low - 0.005 < wanted && wanted < high + 0.005,
            "k = {k}, a = {share}: {found:?}, {wanted}"
        );
    }
}

#[test]
fn a_point_says_which_numbers_it_fixes() {
    let scenario = scenario(SMALL);
    let points: Vec<Point> = points(&scenario);
    assert_eq!(points.len(), 2);
    assert_eq!(points[1].values[0].1.to_bits(), 1.0_f64.to_bits());
}

/// Every scenario that comes with the program, at every point, with a few patients.
#[test]
fn scenarios_that_come_with_the_program_run() {
    for (name, text) in kith_simulations::study::library::ALL {
        let mut scenario = scenario(text);
        scenario.patients = 12;
        let mut needs = 0;
        for point in points(&scenario) {
            let came = run(&scenario, &point, 3);
            assert_eq!(came.arms[0].arm, "federated", "{name}");
            needs += of(&came, "federated", Counter::Reads);
            assert_eq!(of(&came, "federated", Counter::Lost), 0, "{name}");
        }
        assert!(needs > 0, "{name}: somebody needs to know something");
    }
}
