//! Room on the disk that is kept for the access log. Who looked is written before anything is
//! shown, so that on a disk that others have filled to its last page nothing could be shown.

use std::{
    fs::File,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use kith_protocol::limits::DISK_RESERVE;
use rustix::fs::{FallocateFlags, fallocate};

/// Bytes that are kept.
const LEN: u64 = 1024 * 1024;
/// Bytes that are given up at once: whoever else fills the disk may take them first.
const PIECE: u64 = 128 * 1024;

/// A file that holds room and nothing else.
pub(super) struct Reserve {
    /// None where the disk was full before it could be made.
    file: Option<File>,
    len: AtomicU64,
}

impl Reserve {
    /// The reserve in this file, as it was left.
    pub(super) fn open(path: &Path) -> Self {
        let opened = File::options().create(true).append(true).open(path);
        let file = opened
            .inspect_err(|error| tracing::warn!(%error, "no room is kept for the access log"))
            .ok();
        let about = file.as_ref().and_then(|file| file.metadata().ok());
        Self {
            file,
            len: AtomicU64::new(about.map_or(0, |about| about.len())),
        }
    }

    /// Whether something of it was given up.
    pub(super) fn is_short(&self) -> bool {
        self.file.is_some() && self.len.load(Ordering::Relaxed) < LEN
    }

    /// Takes what was given up again, where so many free bytes leave enough for others.
    pub(super) fn fill(&self, free: u64) {
        let wanted = LEN.saturating_sub(self.len.load(Ordering::Relaxed));
        let Some(file) = self.file.as_ref().filter(|_| wanted > 0) else {
            return;
        };
        if free < wanted.saturating_add(DISK_RESERVE) {
            return;
        }
        match fallocate(file, FallocateFlags::empty(), 0, LEN) {
            Ok(()) => self.len.store(LEN, Ordering::Relaxed),
            Err(error) => tracing::debug!(%error, "this disk keeps no room"),
        }
    }

    /// Gives a piece up; false where none is left.
    pub(super) fn give(&self) -> bool {
        let len = self.len.load(Ordering::Relaxed).saturating_sub(PIECE);
        let given = self
            .file
            .as_ref()
            .filter(|_| self.len.load(Ordering::Relaxed) > 0);
        let given = given.is_some_and(|file| file.set_len(len).is_ok());
        if given {
            self.len.store(len, Ordering::Relaxed);
        }
        given
    }
}
