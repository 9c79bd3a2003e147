//! Records of decisions have one form.

use std::collections::BTreeMap;

use super::{none, root};

const SECTIONS: [&str; 3] = ["## Context", "## Decision", "## Consequences"];

fn violations(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut numbers = BTreeMap::new();
    for (name, text) in files {
        let number = name
            .get(..4)
            .filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        match number.filter(|_| name.get(4..5) == Some("-") && name.ends_with(".md")) {
            None => found.push(format!("{name}: the name is not NNNN-words.md")),
            Some(number) => {
                if let Some(other) = numbers.insert(number.to_owned(), name) {
                    found.push(format!("{name} and {other} have one number"));
                }
                found.extend(missing(name, number, text));
            }
        }
    }
    found
}

fn missing(name: &str, number: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with(&format!("# {number} ")) {
        found.push(format!(
            "{name}: the title does not begin with `# {number} `"
        ));
    }
    if !text.lines().any(|line| line.starts_with("Status: ")) {
        found.push(format!("{name}: no line `Status: …`"));
    }
    for section in SECTIONS {
        if !text.lines().any(|line| line == section) {
            found.push(format!("{name}: no section `{section}`"));
        }
    }
    found
}

fn records() -> BTreeMap<String, String> {
    let folder = root().join("docs/decisions");
    let files = std::fs::read_dir(folder).expect("the folder of decisions");
    files
        .map(|file| {
            let path = file.expect("a file of the folder").path();
            let name = path.file_name().expect("a file has a name");
            let text = std::fs::read_to_string(&path).expect("a decision is text");
            (name.to_string_lossy().into_owned(), text)
        })
        .collect()
}

#[test]
fn every_decision_says_why_what_and_what_follows() {
    let records = records();
    assert!(!records.is_empty());
    none(&violations(&records));
}

#[test]
fn a_decision_without_its_parts_is_found() {
    let whole =
        "# 0042 Words\n\nStatus: accepted\n\n## Context\n\n## Decision\n\n## Consequences\n";
    let one =
        |name: &str, text: &str| violations(&BTreeMap::from([(name.to_owned(), text.to_owned())]));
    none(&one("0042-words.md", whole));
    for part in [
        "# 0042",
        "Status: ",
        "## Context",
        "## Decision",
        "## Consequences",
    ] {
        let text = whole.replace(part, "x");
        assert_eq!(one("0042-words.md", &text).len(), 1, "without {part}");
    }
    assert_eq!(one("words.md", whole).len(), 1);
    let twice = BTreeMap::from([
        ("0042-words.md".to_owned(), whole.to_owned()),
        ("0042-more.md".to_owned(), whole.to_owned()),
    ]);
    assert_eq!(violations(&twice).len(), 1);
}
