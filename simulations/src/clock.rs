//! Virtual time and what is to happen in it.

use std::collections::BTreeMap;

/// Milliseconds since 1970 UTC at which every world begins: 1 June 2026.
const BEGINNING_MS: u64 = 1_780_272_000_000;

/// Virtual time, with what is to happen ordered by time and then by when it was decided.
#[derive(Debug)]
pub struct Clock<T> {
    now_ms: u64,
    decided: u64,
    queue: BTreeMap<(u64, u64), T>,
}

impl<T> Default for Clock<T> {
    fn default() -> Self {
        Self {
            now_ms: BEGINNING_MS,
            decided: 0,
            queue: BTreeMap::new(),
        }
    }
}

impl<T> Clock<T> {
    /// The time now, milliseconds since 1970 UTC.
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Something happens at this time, or now where that has passed.
    pub fn at(&mut self, time_ms: u64, what: T) {
        self.decided += 1;
        self.queue
            .insert((time_ms.max(self.now_ms), self.decided), what);
    }

    /// What happens next, up to and with `until_ms`; time goes on to it.
    pub fn next(&mut self, until_ms: u64) -> Option<T> {
        let next = self.queue.first_key_value().map(|(key, _)| *key);
        match next {
            Some(key) if key.0 <= until_ms => {
                self.now_ms = key.0;
                self.queue.remove(&key)
            }
            Some(_) | None => {
                self.now_ms = self.now_ms.max(until_ms);
                None
            }
        }
    }
}
