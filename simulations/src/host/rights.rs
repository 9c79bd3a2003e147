//! Rights that a host has loaded, as a node keeps some: the same record is asked for by one peer
//! after the other.

use std::collections::BTreeMap;

use kith_protocol::{id::RecordId, logs::LogId, record::Rights, store::Item};

use crate::disk::Disk;

/// As many as a node keeps.
const RIGHTS_MAX: usize = 64;

/// Rights of some records, as the disk holds them.
#[derive(Default)]
pub(super) struct KeptRights {
    kept: BTreeMap<RecordId, (u64, Rights)>,
    /// How much of the disk was looked at.
    seen: usize,
    asked: u64,
}

impl KeptRights {
    /// Takes out the rights of a record, where they are here and nothing came in since. Of a disk
    /// that rots nothing is kept: what lies on it is read each time.
    pub(super) fn take(&mut self, disk: &Disk, id: RecordId) -> Option<Rights> {
        self.look(disk);
        self.kept.remove(&id).map(|(_, rights)| rights)
    }

    /// Takes them back, unless something came in meanwhile; those that were asked for longest ago
    /// make room.
    pub(super) fn put(&mut self, disk: &Disk, rights: Rights) {
        if disk.len() != self.seen {
            return;
        }
        if self.kept.len() >= RIGHTS_MAX {
            let oldest = self.kept.iter().min_by_key(|(_, (asked, _))| *asked);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.kept.remove(&oldest);
            }
        }
        self.asked += 1;
        self.kept.insert(rights.id(), (self.asked, rights));
    }

    /// Drops those into whose records something came.
    fn look(&mut self, disk: &Disk) {
        if disk.is_rotten() || disk.len() < self.seen {
            self.kept.clear();
        }
        for item in disk.items(self.seen.min(disk.len())) {
            match item {
                Item::Event { log, .. } => match log {
                    LogId::Principal(_) | LogId::Core(None) => self.kept.clear(),
                    LogId::Core(Some(record)) | LogId::Label(record, _) => {
                        self.kept.remove(record);
                    }
                },
                Item::Part { record, .. } | Item::Entry { record, .. } => {
                    self.kept.remove(record);
                }
                Item::Row { .. } | Item::Audit { .. } => {}
            }
        }
        self.seen = disk.len();
    }
}
