//! Summaries of published example patients, which nobody here wrote.

use std::path::PathBuf;

use kith_crdt::incoming;
use serde_json::Value;

use super::{context, references, resources, section, source};
use crate::health::ips::{Source, assemble};

/// The folder of test data, or nothing with a loud word when it is not there.
fn data() -> Option<PathBuf> {
    let near = [
        "../shared/data",
        "../../shared/data",
        "../../../shared/data",
    ];
    let candidates = match std::env::var_os("KITH_TEST_DATA") {
        Some(named) => vec![PathBuf::from(named)],
        None => near.map(PathBuf::from).to_vec(),
    };
    let found = candidates
        .into_iter()
        .find(|folder| folder.join("ips").is_dir());
    if found.is_none() {
        let required = std::env::var("KITH_TEST_DATA_REQUIRED").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "KITH_TEST_DATA names no folder of test data, and it is required"
        );
        println!("SKIPPED: no test data; set KITH_TEST_DATA to its folder");
    }
    found
}

fn files(data: &std::path::Path) -> Vec<PathBuf> {
    let folders = [
        "ips/ipsviewer",
        "ips/icanbwell",
        "ips/ig-1.1.0-examples",
        "compiled/ips",
        "synthea-r4",
    ];
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(data.join(folder)).expect("a folder of test data"))
        .map(|file| file.expect("a file of test data").path())
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
}

fn people(file: &std::path::Path) -> Vec<Vec<Source>> {
    let bytes = std::fs::read(file).expect("test data is readable");
    let read = incoming::read(&bytes, 16 << 10).expect("test data is JSON");
    let sources = |places: Vec<usize>| -> Vec<Source> {
        places
            .into_iter()
            .map(|place| {
                let resource = &read.resources[place];
                Source {
                    text: resource.text.clone(),
                    full_url: resource.full_url.clone(),
                    ..source(place, &resource.value)
                }
            })
            .collect()
    };
    let people = incoming::people(&read.resources).patients;
    people.into_iter().map(sources).collect()
}

#[test]
fn every_published_patient_gets_a_whole_summary() {
    let Some(data) = data() else { return };
    let mut summaries = 0;
    for file in files(&data) {
        for sources in people(&file) {
            let bundle = assemble(&sources, &context()).expect("the time is one");
            check(&bundle, &file.display().to_string());
            summaries += 1;
        }
    }
    assert!(summaries > 60, "only {summaries} summaries");
}

fn check(bundle: &Value, file: &str) {
    let held = resources(bundle);
    for url in references(bundle) {
        assert!(
            held.contains_key(&url) || url.starts_with('#'),
            "{file}: {url}"
        );
    }
    for code in ["48765-2", "10160-0", "11450-4"] {
        let section = section(bundle, code).unwrap_or_else(|| panic!("{file}: no section {code}"));
        let entries = section["entry"].as_array().map_or(0, Vec::len);
        assert!(entries > 0, "{file}: {code} is empty");
    }
}
