//! Files by others, beside the repository in `../shared/data` or where `KITH_TEST_DATA` says.

use std::path::PathBuf;

use super::skipped;

/// The folder of other people's files; none where there is no such folder.
pub fn data() -> Option<PathBuf> {
    let named = std::env::var_os("KITH_TEST_DATA").map(PathBuf::from);
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = named.unwrap_or_else(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("KITH_TEST_DATA_REQUIRED").is_some_and(|value| value == "1");
    assert!(!required, "there is no test data in {}", folder.display());
    skipped("files that others published: set KITH_TEST_DATA to their folder");
    None
}
