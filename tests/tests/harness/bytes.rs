//! Files as bytes.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Whether words stand in bytes, in whatever case.
pub fn contains(bytes: &[u8], words: &str) -> bool {
    let words = words.as_bytes();
    bytes
        .windows(words.len())
        .any(|window| window.eq_ignore_ascii_case(words))
}

/// Every file below a folder, in the order of names.
pub fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut inside: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder of the test").path())
        .collect();
    inside.sort();
    for path in inside {
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The same bytes but for one bit.
pub fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}
