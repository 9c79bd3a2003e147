//! How much went over the streams of a node, whoever was at the other end.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts bytes of frames as they are sent, compressed, with the lengths before them. What Noise,
/// Yamux and TCP put around them is not in it.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    /// Bytes sent since the node started.
    pub fn all_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes received since the node started.
    pub fn all_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
