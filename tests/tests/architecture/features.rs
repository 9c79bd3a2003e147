//! What is built in to look at a node from within, or to break it, is asked for by name and is in
//! nothing that anybody gets unasked.

use cargo_metadata::{Metadata, MetadataCommand};

use super::none;

/// Features that only tests of our own select.
const ASKED_FOR: [&str; 2] = ["planted-bugs", "trace"];

/// What a crate selects without being asked: of its own features, and of those that it imports.
struct Unasked {
    crate_name: String,
    features: Vec<String>,
}

fn violations(all: &[Unasked]) -> Vec<String> {
    let mut found = Vec::new();
    for Unasked {
        crate_name,
        features,
    } in all
    {
        let asked_for = features.iter().filter(|feature| {
            let name = feature.rsplit('/').next().unwrap_or(feature);
            ASKED_FOR.contains(&name)
        });
        found.extend(asked_for.map(|feature| format!("{crate_name} has {feature} unasked")));
    }
    found
}

fn unasked(metadata: &Metadata) -> Vec<Unasked> {
    let packages = metadata.workspace_packages().into_iter();
    packages
        .map(|package| {
            let default = package.features.get("default").into_iter().flatten();
            let of_ours = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.name.starts_with("kith-"));
            let imported = of_ours.flat_map(|dependency| &dependency.features);
            Unasked {
                crate_name: package.name.to_string(),
                features: default.chain(imported).cloned().collect(),
            }
        })
        .collect()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(super::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata describes the workspace")
}

#[test]
fn nothing_that_is_asked_for_by_name_is_built_unasked() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let has = |name: &str| {
        let mut packages = packages.iter();
        packages.any(|package| package.features.contains_key(name))
    };
    assert!(ASKED_FOR.iter().all(|name| has(name)));
    none(&violations(&unasked(&metadata)));
}

#[test]
fn a_feature_that_is_selected_unasked_is_found() {
    let offender = |feature: &str| {
        [Unasked {
            crate_name: "kith-cli".to_owned(),
            features: vec![feature.to_owned()],
        }]
    };
    assert_eq!(violations(&offender("kith-node/trace")).len(), 1);
    assert_eq!(violations(&offender("planted-bugs")).len(), 1);
    assert!(violations(&offender("derive")).is_empty());
}
