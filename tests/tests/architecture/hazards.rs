//! `HAZARDS.md` claims nothing that no test shows.

use std::collections::BTreeSet;

use super::{none, root, text};

/// Rows without a proof or an admission, and tests that are named and not there.
fn violations(hazards: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut numbers = BTreeSet::new();
    for row in hazards.lines().filter(|line| line.starts_with("| H")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, _, shown] = cells[..] else {
            found.push(format!("not four cells: {row}"));
            continue;
        };
        if !numbers.insert(number) {
            found.push(format!("{number} stands twice"));
        }
        let tests: Vec<_> = named(shown).collect();
        if tests.is_empty() && shown != "Not yet shown" {
            found.push(format!("{number} names no test and does not say so"));
        }
        for (file, test) in tests {
            let has = source(file).is_some_and(|text| text.contains(&format!("fn {test}(")));
            if !has {
                found.push(format!("{number}: there is no test {test} in {file}"));
            }
        }
    }
    found
}

/// Every `file#test`.
fn named(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split('`').filter_map(|part| part.split_once('#'))
}

#[test]
fn every_hazard_names_a_test_that_exists_or_says_that_none_does() {
    let hazards = text("HAZARDS.md");
    none(&violations(&hazards, |file| {
        std::fs::read_to_string(root().join(file)).ok()
    }));
    assert!(
        hazards
            .lines()
            .filter(|line| line.starts_with("| H"))
            .count()
            >= 20
    );
}

#[test]
fn a_hazard_without_its_test_is_found() {
    let source = |file: &str| (file == "a.rs").then(|| "fn it_holds() {}".to_owned());
    let row = |shown: &str| violations(&format!("| H1 | a | b | {shown} |"), source);
    none(&row("`a.rs#it_holds`"));
    none(&row("Not yet shown"));
    for shown in [
        "",
        "surely",
        "`a.rs#it_does_not`",
        "`b.rs#it_holds`",
        "x | y",
    ] {
        assert_eq!(row(shown).len(), 1, "{shown:?}");
    }
    let twice = "| H1 | a | b | Not yet shown |\n| H1 | c | d | Not yet shown |";
    assert_eq!(violations(twice, source).len(), 1);
}
