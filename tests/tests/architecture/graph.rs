//! The import rule on the real graph of crates, normal dependencies only (`ARCHITECTURE.md`).

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, TargetKind};

use super::none;

/// A crate, the crates of ours that it may name, and what it must never reach through anyone.
struct Rule {
    crate_name: &'static str,
    may_import: &'static [&'static str],
    never_reaches: &'static [&'static str],
}

/// Sockets, files, TLS and runtimes: nothing that calculates needs them.
const IO: [&str; 16] = [
    "tokio",
    "async-std",
    "smol",
    "futures-timer",
    "mio",
    "socket2",
    "libp2p",
    "libp2p-core",
    "libp2p-stream",
    "rustls",
    "openssl",
    "quinn",
    "hyper",
    "axum",
    "redb",
    "rustix",
];

const RULES: [Rule; 6] = [
    Rule {
        crate_name: "kith-crdt",
        may_import: &[],
        never_reaches: &IO,
    },
    Rule {
        crate_name: "kith-protocol",
        may_import: &["kith-crdt"],
        never_reaches: &IO,
    },
    Rule {
        crate_name: "kith-node",
        may_import: &["kith-crdt", "kith-protocol"],
        never_reaches: &["kith-simulations", "kith-cli", "kith-tests"],
    },
    Rule {
        crate_name: "kith-cli",
        may_import: &["kith-crdt", "kith-protocol", "kith-node"],
        never_reaches: &["kith-simulations", "kith-tests"],
    },
    Rule {
        // Not `mio`: the library that draws tables knows a terminal, which waits for keys with it where
        // `kith` asks something.
        crate_name: "kith-simulations",
        may_import: &["kith-crdt", "kith-protocol"],
        never_reaches: &[
            "kith-node",
            "kith-cli",
            "kith-tests",
            "tokio",
            "socket2",
            "libp2p",
            "libp2p-core",
            "rustls",
            "redb",
        ],
    },
    Rule {
        crate_name: "kith-tests",
        may_import: &[
            "kith-crdt",
            "kith-protocol",
            "kith-node",
            "kith-cli",
            "kith-simulations",
        ],
        never_reaches: &[],
    },
];

/// Names of crates and the names that each imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(super::root().join("Cargo.toml"))
        .other_options(
            ["--locked", "--filter-platform", "host-tuple"]
                .map(str::to_owned)
                .to_vec(),
        )
        .exec()
        .expect("cargo metadata describes the workspace")
}

/// The normal dependencies; two versions of a crate count as one.
fn graph(metadata: &Metadata) -> Graph {
    let resolve = metadata.resolve.as_ref().expect("metadata with a graph");
    let mut graph = Graph::new();
    for node in &resolve.nodes {
        let imports = graph
            .entry(metadata[&node.id].name.to_string())
            .or_default();
        for dep in &node.deps {
            let normal = dep
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if normal {
                imports.insert(metadata[&dep.pkg].name.to_string());
            }
        }
    }
    graph
}

fn reached(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        if let Some(imports) = graph.get(&name) {
            next.extend(imports.difference(&seen).cloned());
            seen.extend(imports.iter().cloned());
        }
    }
    seen
}

fn violations(graph: &Graph) -> Vec<String> {
    let ours: BTreeSet<_> = graph
        .keys()
        .filter(|name| name.starts_with("kith-"))
        .cloned()
        .collect();
    let ruled: BTreeSet<_> = RULES
        .iter()
        .map(|rule| rule.crate_name.to_owned())
        .collect();
    let mut found: Vec<_> = ours
        .symmetric_difference(&ruled)
        .map(|name| format!("{name} is not one of the crates that the rules know"))
        .collect();
    for rule in &RULES {
        let imports = graph.get(rule.crate_name).cloned().unwrap_or_default();
        for import in imports.intersection(&ours) {
            if !rule.may_import.contains(&import.as_str()) {
                found.push(format!("{} imports {import}", rule.crate_name));
            }
        }
        let reached = reached(graph, rule.crate_name);
        for banned in rule.never_reaches {
            if reached.contains(*banned) {
                found.push(format!("{} reaches {banned}", rule.crate_name));
            }
        }
    }
    found
}

/// Crates with more than one test binary beside their own unit tests.
fn many_test_binaries(binaries: &[(String, usize)]) -> Vec<String> {
    binaries
        .iter()
        .filter(|(_, count)| *count > 1)
        .map(|(name, count)| format!("{name} has {count} test binaries: put them into one"))
        .collect()
}

fn test_binaries(metadata: &Metadata) -> Vec<(String, usize)> {
    let count = |package: &cargo_metadata::Package| {
        let targets = package.targets.iter();
        targets
            .filter(|target| target.kind.contains(&TargetKind::Test))
            .count()
    };
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.to_string(), count(package)))
        .collect()
}

/// The real graph with one more import.
fn with(from: &str, to: &str) -> Graph {
    let mut graph = graph(&metadata());
    graph
        .entry(from.to_owned())
        .or_default()
        .insert(to.to_owned());
    graph
}

#[test]
fn crates_import_only_what_they_may() {
    none(&violations(&graph(&metadata())));
}

#[test]
fn an_import_against_the_rule_is_found() {
    for (from, to, said) in [
        (
            "kith-crdt",
            "kith-protocol",
            "kith-crdt imports kith-protocol",
        ),
        (
            "kith-protocol",
            "kith-node",
            "kith-protocol imports kith-node",
        ),
        (
            "kith-simulations",
            "kith-node",
            "kith-simulations reaches libp2p",
        ),
        ("kith-node", "kith-tests", "kith-node imports kith-tests"),
        ("automerge", "tokio", "kith-crdt reaches tokio"),
        ("coset", "rustls", "kith-protocol reaches rustls"),
        ("kith-more", "serde", "kith-more is not one of"),
    ] {
        let found = violations(&with(from, to));
        assert!(
            found.iter().any(|line| line.starts_with(said)),
            "{from} -> {to}: {found:?}"
        );
    }
}

#[test]
fn the_node_does_reach_sockets() {
    let reached = reached(&graph(&metadata()), "kith-node");
    assert!(reached.contains("tokio") && reached.contains("libp2p"));
}

#[test]
fn each_crate_has_at_most_one_test_binary() {
    let binaries = test_binaries(&metadata());
    none(&many_test_binaries(&binaries));
    assert!(binaries.contains(&("kith-tests".to_owned(), 1)));
    assert!(!many_test_binaries(&[("kith-node".to_owned(), 2)]).is_empty());
}
