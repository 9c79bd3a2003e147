//! Names and manifests: the tree stays one that can be drawn on a napkin.

use std::path::Path;

use super::{CRATES, none, root, text};

/// What may stand at the top besides hidden files.
const TOP: [&str; 18] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "HAZARDS.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "cli",
    "crdt",
    "deny.toml",
    "docs",
    "node",
    "protocol",
    "rust-toolchain.toml",
    "simulations",
    "tests",
];

/// Every file under `folder`, as paths from `root`, without build products and version control.
pub(super) fn files_under(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("an entry of the folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if matches!(name.as_ref(), "target" | ".git" | "__pycache__") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(root).expect("it is under the root");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn out_of_place(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| !name.starts_with('.') && *name != "target")
        .filter(|name| !TOP.contains(&name.as_str()))
        .map(|name| format!("{name} does not belong at the top"))
        .collect()
}

fn badly_named(files: &[String]) -> Vec<String> {
    let files = files.iter().filter(|file| file.ends_with(".rs"));
    files
        .filter(|file| {
            let stem = file.rsplit('/').next().unwrap_or(file);
            let words = ["utils", "util", "helpers", "helper", "common", "manager"];
            stem == "mod.rs"
                || words
                    .iter()
                    .any(|word| stem.trim_end_matches(".rs").ends_with(word))
                || words.iter().any(|word| file.contains(&format!("/{word}/")))
        })
        .map(|file| format!("{file}: name it by the noun of the domain"))
        .collect()
}

/// The lines of a table of a manifest.
fn table<'a>(manifest: &'a str, name: &str) -> Vec<&'a str> {
    manifest
        .lines()
        .skip_while(|line| *line != format!("[{name}]"))
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .collect()
}

fn lints_missing(place: &str, manifest: &str) -> Vec<String> {
    if table(manifest, "lints").contains(&"workspace = true") {
        Vec::new()
    } else {
        vec![format!("{place}: no `[lints] workspace = true`")]
    }
}

fn unsafe_not_forbidden(manifest: &str) -> Vec<String> {
    if table(manifest, "workspace.lints.rust").contains(&"unsafe_code = \"forbid\"") {
        Vec::new()
    } else {
        vec!["unsafe_code is not forbidden in the workspace".to_owned()]
    }
}

/// Lines that name a folder of somebody's machine. The words are put together here, so that this
/// file does not name them.
fn machine_paths(place: &str, content: &str) -> Vec<String> {
    let folders = ["work", "root", "home", "Users"].map(|folder| format!("/{folder}/"));
    (1..)
        .zip(content.lines())
        .filter(|(_, line)| folders.iter().any(|folder| begins_a_path(line, folder)))
        .map(|(number, _)| format!("{place}:{number} names a folder of a machine"))
        .collect()
}

fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '/' | '}'))
    })
}

fn names_at_the_top() -> Vec<String> {
    let entries = std::fs::read_dir(root()).expect("the root of the repository");
    entries
        .map(|entry| {
            let entry = entry.expect("an entry of the root");
            entry.file_name().to_string_lossy().into_owned()
        })
        .collect()
}

#[test]
fn the_top_level_stays_as_it_is() {
    none(&out_of_place(&names_at_the_top()));
    assert_eq!(out_of_place(&["core".to_owned()]).len(), 1);
}

#[test]
fn files_are_named_by_the_nouns_of_the_domain() {
    none(&badly_named(&files_under(&root(), "")));
    for bad in [
        "crdt/src/mod.rs",
        "node/src/utils.rs",
        "cli/src/common/a.rs",
        "a/key_manager.rs",
    ] {
        assert_eq!(badly_named(&[bad.to_owned()]).len(), 1, "{bad}");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for folder in CRATES {
        let place = format!("{folder}/Cargo.toml");
        none(&lints_missing(&place, &text(&place)));
    }
    let without = "[package]\nname = \"a\"\n\n[lints]\n\n[dependencies]\nworkspace = true\n";
    assert_eq!(lints_missing("a", without).len(), 1);
}

#[test]
fn unsafe_code_is_forbidden() {
    let manifest = text("Cargo.toml");
    none(&unsafe_not_forbidden(&manifest));
    let weaker = manifest.replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\"");
    assert_eq!(unsafe_not_forbidden(&weaker).len(), 1);
}

#[test]
fn no_file_names_a_folder_of_a_machine() {
    let root = root();
    let mut found = Vec::new();
    for file in files_under(&root, "") {
        if let Ok(content) = std::fs::read_to_string(root.join(&file)) {
            found.extend(machine_paths(&file, &content));
        }
    }
    none(&found);
    let bad = ["see /", "home/ada/kith"].concat();
    assert_eq!(machine_paths("a", &bad).len(), 1);
    none(&machine_paths(
        "a",
        "https://example.org/home/ and frame/work/",
    ));
}
