//! Waiting for what happens in a container.

use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(90);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// How long something that must not happen is looked for.
const UNEVENTFUL: Duration = Duration::from_secs(4);

/// Looks again and again until nothing is missing any more.
///
/// # Panics
/// When something is still missing after a long while; it says what.
pub async fn until<F: Future<Output = Result<(), String>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) {
    let began = Instant::now();
    while let Err(missing) = look().await {
        assert!(
            began.elapsed() < LONGEST,
            "waited in vain for: {what}\n{missing}"
        );
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Looks for a while: it must not become so.
///
/// # Panics
/// When it did.
pub async fn never<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let began = Instant::now();
    while began.elapsed() < UNEVENTFUL {
        assert!(!is_so().await, "it happened: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// Lets the others go on for a moment.
pub(crate) async fn a_moment() {
    tokio::time::sleep(BETWEEN_LOOKS).await;
}
