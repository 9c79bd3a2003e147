//! Floors on the lock file: lists of advisories lag behind.

use super::{none, text};

/// The oldest version of a crate that may be locked.
const FLOORS: [(&str, [u64; 3]); 4] = [
    ("yamux", [0, 13, 10]),
    ("quinn-proto", [0, 11, 15]),
    ("curve25519-dalek", [4, 1, 3]),
    ("ed25519-dalek", [2, 0, 0]),
];

/// (name, version) of every locked package.
fn locked(lock: &str) -> Vec<(&str, [u64; 3])> {
    lock.split("[[package]]")
        .filter_map(|package| {
            let name = value(package, "name")?;
            Some((name, version(value(package, "version")?)?))
        })
        .collect()
}

fn value<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let line = package
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
    line.strip_suffix('"')
}

/// The numbers of a version, without what follows them (`-alpha`, `+spec`).
fn version(text: &str) -> Option<[u64; 3]> {
    let mut numbers = text.split(['-', '+']).next()?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some([next()?, next()?, next()?])
}

fn too_old(lock: &str) -> Vec<String> {
    let locked = locked(lock);
    let floor = |name| FLOORS.iter().find(|(floor, _)| *floor == name);
    locked
        .iter()
        .filter_map(|(name, version)| Some((name, version, floor(*name)?.1)))
        .filter(|(_, version, floor)| *version < floor)
        .map(|(name, version, floor)| format!("{name} {version:?} is locked; from {floor:?} on"))
        .collect()
}

#[test]
fn nothing_locked_is_older_than_its_floor() {
    let lock = text("Cargo.lock");
    none(&too_old(&lock));
    let names: Vec<_> = locked(&lock).into_iter().map(|(name, _)| name).collect();
    for needed in ["yamux", "curve25519-dalek", "ed25519-dalek"] {
        assert!(names.contains(&needed), "{needed} is no longer locked");
    }
}

#[test]
fn a_version_below_its_floor_is_found() {
    let package = |name: &str, version: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"x\"\n")
    };
    for (name, version) in [
        ("yamux", "0.13.9"),
        ("quinn-proto", "0.11.14"),
        ("curve25519-dalek", "4.1.2"),
        ("ed25519-dalek", "1.0.1"),
    ] {
        let lock = package("yamux", "0.14.1") + &package(name, version);
        assert_eq!(too_old(&lock).len(), 1, "{name} {version}");
    }
    assert!(too_old(&package("yamux", "0.13.10")).is_empty());
}
