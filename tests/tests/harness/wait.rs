//! Waiting for what another process does.

use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long something that must not happen is looked for.
const UNEVENTFUL: Duration = Duration::from_secs(4);

/// Looks again and again until it is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LONGEST, "waited in vain for: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks for a while: it must not become so.
pub fn never(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while began.elapsed() < UNEVENTFUL {
        assert!(!is_so(), "it happened: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
