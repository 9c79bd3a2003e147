//! A person's record lies in parts at the organisations that cared for them. Each part comes into
//! the one record, and everyone holds what the whole file held, token for token.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::harness::{
    Node, all_files, all_hold_the_same, data, free_address, how_many, json, text,
};

/// Files in a normal run, the smallest first; `KITH_REUNIONS` says otherwise.
const REUNIONS: u64 = 2;

/// A file's resources, apart by who provided the care in which they came about.
struct Parts {
    whole: Vec<String>,
    /// The first holds the Patient, and what came about in no encounter.
    parts: Vec<Vec<String>>,
}

impl Parts {
    fn of(file: &Path) -> Self {
        let bundle = std::fs::read_to_string(file).expect("the file can be read");
        let bundle = json::minified(&bundle);
        let entries: Vec<(String, Value)> = json::entries(&bundle)
            .into_iter()
            .map(|entry| {
                let read = serde_json::from_str(&entry).expect("an entry is JSON");
                (entry, read)
            })
            .collect();
        let encounters: BTreeMap<&str, &str> = entries
            .iter()
            .filter_map(|(_, entry)| Some((entry["fullUrl"].as_str()?, provider(entry)?)))
            .collect();
        let mut providers: Vec<&str> = Vec::new();
        let mut parts: Vec<Vec<String>> = vec![Vec::new()];
        for (entry, read) in &entries {
            let resource = &read["resource"];
            let provider = provider(read)
                .or_else(|| encounters.get(encounter(resource)?).copied())
                .or_else(|| providers.first().copied());
            let nth = provider.map_or(0, |provider| {
                let known = providers.iter().position(|known| *known == provider);
                known.unwrap_or_else(|| {
                    providers.push(provider);
                    providers.len() - 1
                })
            });
            parts.resize_with(parts.len().max(nth + 1), Vec::new);
            parts[nth].push(entry.clone());
        }
        Self {
            whole: json::resources(&bundle),
            parts,
        }
    }
}

fn provider(entry: &Value) -> Option<&str> {
    let resource = &entry["resource"];
    let is_encounter = resource["resourceType"] == "Encounter";
    let provider = resource["serviceProvider"]["reference"].as_str();
    provider.filter(|_| is_encounter)
}

/// In which encounter a resource came about.
fn encounter(resource: &Value) -> Option<&str> {
    let context = &resource["context"]["encounter"];
    [
        &resource["encounter"]["reference"],
        &context["reference"],
        &context[0]["reference"],
    ]
    .into_iter()
    .find_map(Value::as_str)
}

/// The files of people whom more than one organisation cared for, the smallest first.
fn files() -> Vec<PathBuf> {
    let Some(data) = data() else {
        return Vec::new();
    };
    let mut files = all_files(&data.join("synthea-r4"));
    files.sort_by_key(|file| std::fs::metadata(file).map_or(0, |file| file.len()));
    files.retain(|file| Parts::of(file).parts.len() > 1);
    assert!(files.len() > 1, "there are such files");
    files
}

#[test]
fn the_parts_of_a_record_come_together_again_on_every_node() {
    let files = files();
    let wanted = how_many("KITH_REUNIONS", REUNIONS);
    let wanted = usize::try_from(wanted).expect("few files");
    for file in files.iter().take(wanted) {
        let Parts { whole, parts } = Parts::of(file);
        let sizes: Vec<_> = parts.iter().map(Vec::len).collect();
        eprintln!("{}: {sizes:?}", file.display());
        assert_eq!(sizes.iter().sum::<usize>(), whole.len());
        come_together(&whole, &parts);
    }
}

fn come_together(whole: &[String], parts: &[Vec<String>]) {
    let nodes: Vec<Node> = (1..=parts.len())
        .map(|n| Node::set_up(&format!("Organisation {n}"), "hospital"))
        .collect();
    let (first, others) = nodes.split_first().expect("there is a part");
    let files = nodes.iter().zip(parts).map(|(node, part)| file(node, part));
    let files: Vec<_> = files.collect();
    let record = first.import(&files[0]);
    let at = free_address();
    let first_runs = first.running_at(["--listen", &at]);
    for other in others {
        let _runs = other.running();
        first.shares_all_with(other, &record);
    }

    // Each brings its part in by itself, while nobody can be reached.
    drop(first_runs);
    for (other, file) in others.iter().zip(&files[1..]) {
        let words = ["import", text(file), "--record", &record];
        assert_eq!(other.json(words)["record"], record.as_str());
        assert!(held(other, &record).len() < whole.len() || parts.len() == 2);
    }
    let _first_runs = first.running_at(["--listen", &at]);
    let _others_run: Vec<_> = others.iter().map(Node::running).collect();
    all_hold_the_same(&nodes.iter().collect::<Vec<_>>(), &record);
    let mut whole = whole.to_vec();
    whole.sort();
    for node in &nodes {
        let held = held(node, &record);
        let missing = whole.iter().find(|resource| !held.contains(resource));
        let missing = missing.map(|resource| json::begin(resource));
        assert_eq!(missing, None, "is missing");
        assert_eq!(held, whole);
        node.verify(&record);
    }
}

fn file(node: &Node, part: &[String]) -> PathBuf {
    let entries = part.join(",");
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}"#);
    node.file("part.json", bundle)
}

/// What a node gives back of a record, in the order of its bytes.
fn held(node: &Node, record: &str) -> Vec<String> {
    let lines = node.ndjson(record);
    let lines = String::from_utf8(lines).expect("it is text");
    let mut lines: Vec<_> = lines.lines().map(json::minified).collect();
    lines.sort();
    lines
}
