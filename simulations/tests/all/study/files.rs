//! What is wrong with a scenario file is said, with where it is and what to write instead.

use std::path::Path;

use kith_simulations::study::{library, scenario::Scenario};

use super::SMALL;

/// What is said of the small scenario when one text in it is another.
fn said(of: &str, by: &str) -> String {
    assert!(SMALL.contains(of), "{of}");
    let text = SMALL.replacen(of, by, 1);
    let problems =
        Scenario::parse("s.toml", &text, Path::new(".")).expect_err("something is wrong");
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where a text begins in the small scenario, as messages say it.
fn place(of: &str) -> String {
    let at = SMALL.find(of).expect("it is there");
    let line = SMALL[..at].matches('\n').count() + 1;
    let column = at - SMALL[..at].rfind('\n').map_or(0, |end| end + 1) + 1;
    format!("s.toml:{line}:{column}: ")
}

#[test]
fn each_mistake_has_its_place_and_what_to_write_instead() {
    for (of, by, at, what, instead) in [
        (
            "patients = 12",
            "pateints = 12",
            "patients",
            "[run] knows no key `pateints`",
            "did you mean `patients`?",
        ),
        (
            "crises_per_year = 8",
            "crises_per_year = -8",
            "8\n\n[[workload]]",
            "has to be 0 or more",
            "write 8 if the sign slipped in",
        ),
        (
            "at_visit = 0.5",
            "at_visit = 50",
            "0.5\nstops",
            "a share from 0 to 1",
            "write 0.5 for 50 in a hundred",
        ),
        (
            "sweep = [0.4, 1.0]",
            "sweep = []",
            "[0.4, 1.0]",
            "an empty list",
            "[0.1, 0.5, 1.0]",
        ),
        (
            "sweep = [0.4, 1.0]",
            "sweep = { from = 1, to = 0.5, steps = 3 }",
            "[0.4, 1.0]",
            "is impossible",
            "from = 0.1, to = 1.0",
        ),
        (
            "sweep = [0.4, 1.0]",
            "sweep = [0.4, 1.4]",
            "[0.4, 1.0]",
            "1.4",
            "a share from 0 to 1",
        ),
        (
            "seeds = 3",
            "seeds = { sweep = [1, 2] }",
            "3\n\n[report]",
            "cannot be swept",
            "write seeds = 1",
        ),
        (
            "days = 120",
            "days = 12.5",
            "120\n",
            "wants a whole number",
            "days = 1",
        ),
        (
            "called = \"ambulance\"",
            "called = \"ambulence\"",
            "\"ambulance\"\nadmits",
            "there is no organisation `ambulence`",
            "did you mean `ambulance`?",
        ),
        (
            "sections = [\"plans\"]",
            "sections = [\"plan\"]",
            "\"plans\"]",
            "there is no section `plan`",
            "did you mean `plans`?",
        ),
        (
            "pathway = \"fall\"",
            "pathway = \"falls\"",
            "\"fall\"",
            "knows no `falls`",
            "did you mean `fall`?",
        ),
        (
            "kind = \"paper\"",
            "kind = \"pigeon\"",
            "\"paper\"",
            "knows no `pigeon`",
            "write one of: paper, letter",
        ),
        (
            "of = [\"paper\"",
            "of = [\"papers\"",
            "\"paper\", \"letter\"",
            "there is no baseline `papers`",
            "did you mean `paper`?",
        ),
        (
            "supplier = \"systems\"\nat_day",
            "supplier = \"sistems\"\nat_day",
            "\"systems\"\nat_day",
            "there is no supplier `sistems`",
            "did you mean `systems`?",
        ),
        (
            "schema = 1",
            "schema = 2",
            "schema",
            "no `schema`",
            "schema = 1",
        ),
        (
            "exponential = 8",
            "exponential = 8, lognormal = [1, 2]",
            "{ exponential = 8",
            "more than one number",
            "write one of",
        ),
        (
            "exponential = 8 }",
            "exponential = 8, source = \"a\", assumption = \"b\" }",
            "{ exponential = 8",
            "has a source and is an assumption",
            "keep one",
        ),
        (
            "reader = \"ambulance\"",
            "metric = \"available\"",
            "\"ambulance\"\n\n[adoption]",
            "there is no metric `available`",
            "available_any",
        ),
        (
            "name = \"hospital\"",
            "name = \"practice\"",
            "\"hospital\"",
            "there are two with the name",
            "its own name",
        ),
    ] {
        let said = said(of, by);
        assert!(said.contains(what), "{by}: {said}");
        assert!(said.contains(instead), "{by}: {said}");
        let line = place(at);
        let line = line
            .rsplit_once(':')
            .and_then(|(line, _)| line.rsplit_once(':'))
            .expect("a line")
            .0;
        assert!(
            said.contains(&format!("{line}:")),
            "{by} should be at {line}: {said}"
        );
    }
}

#[test]
fn columns_count_characters() {
    let said = said("patients = 12", "pateints = 12");
    assert!(said.starts_with("s.toml:6:1: "), "{said}");
    let said = self::said(
        "found = 0.6",
        "found = { value = 1.6, assumption = \"é\", rage = [0, 1] }",
    );
    let column = "found = { value = 1.6, assumption = \"é\", "
        .chars()
        .count()
        + 1;
    assert!(
        said.contains(&format!(
            ":{column}: `baseline.paper.found` knows no key `rage`"
        )),
        "{said}"
    );
}

#[test]
fn a_file_that_is_named_and_not_there_is_told() {
    let said = said(
        "pathway = \"fall\"",
        "pathway = \"events\"\nfile = \"nowhere.csv\"\n[[workload]]\npathway = \"fall\"",
    );
    assert!(
        said.contains("nowhere.csv") && said.contains("put it there"),
        "{said}"
    );
}

#[test]
fn everything_wrong_is_told_at_once_in_order() {
    let text = SMALL
        .replace("days = 120", "dyas = 120")
        .replace("found = 0.6", "found = 7");
    let problems = Scenario::parse("s.toml", &text, Path::new(".")).expect_err("two things");
    assert_eq!(problems.len(), 2);
    assert!(problems[0].line < problems[1].line);
}

#[test]
fn scenarios_that_come_with_the_program_read() {
    for (name, text) in library::ALL {
        let scenario = super::scenario(text);
        assert_eq!(scenario.name, name);
        let swept = scenario.sweeps();
        assert!(
            swept.iter().any(|(number, _)| *number == scenario.adoption),
            "{name} sweeps the adoption"
        );
        let unmarked = scenario
            .numbers
            .iter()
            .filter(|one| one.origin == kith_simulations::study::scenario::Origin::Unmarked);
        let unmarked: Vec<_> = unmarked.map(|one| one.name.as_str()).collect();
        assert!(
            unmarked.is_empty(),
            "{name} marks every number that it gives: {unmarked:?}"
        );
    }
}
