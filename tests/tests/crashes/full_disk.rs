//! A disk without room.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::harness::{Node, sample, skipped, text};

/// A small file system in memory, unmounted when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this user may not mount.
    fn mounted(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a folder for the test");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "kith-test"]);
        let mounted = mount
            .arg(folder)
            .output()
            .is_ok_and(|ran| ran.status.success());
        mounted.then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
    }
}

#[test]
fn a_full_disk_refuses_and_works_again_after_making_room() {
    let node = Node::nowhere();
    let Some(_disk) = SmallDisk::mounted(&node.home()) else {
        skipped("a full disk: this user may not mount a small one");
        return;
    };
    node.kith(["setup", "--name", "Full", "--kind", "person"])
        .done();
    let record = node.import(&sample("ips.json"));
    // What else lies on the disk, and can go.
    let ballast = node.home().join("ballast");
    std::fs::write(&ballast, vec![7; 1 << 20]).expect("there is room yet");

    let letter = node.file("letter.bin", incompressible(300_000));
    let add = ["add", &record, "letter", text(&letter)];
    let mut added = 0;
    let refused = loop {
        let ran = node.kith(add);
        if ran.code != Some(0) {
            break ran;
        }
        added += 1;
        assert!(added < 100, "the disk is never full");
        // Another file each time: the same one is kept once.
        node.file("letter.bin", incompressible(300_000 + added));
    };
    let refused = refused.ended(75);
    assert!(refused.err.contains("disk is full"), "{refused}");
    assert!(refused.err.contains("Make room"), "{refused}");
    let full = node.digest(&record);
    assert!(node.ndjson(&record).len() > 1000);

    std::fs::remove_file(&ballast).expect("it is ours");
    assert_eq!(node.digest(&record), full);
    node.note(&record, "there is room again");
    assert_ne!(node.digest(&record), full);
    node.kith(add).done();
    node.verify(&record);
    assert_eq!(node.json(["status"])["problems"], serde_json::json!([]));
}

/// Bytes that no compression makes smaller.
fn incompressible(len: usize) -> Vec<u8> {
    let mut state = len as u64 | 1;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        bytes.push(state.to_be_bytes()[0]);
    }
    bytes
}
