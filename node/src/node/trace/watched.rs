//! The node as the engine's shell, with what it was asked to keep written down.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::{AuditEntry, Disclosure, What},
    codec,
    consent::{Whoever, cut::ProvenPart},
    id::{BlobId, PrincipalId, RecordId},
    record::{Record, Rights},
    store::{Item, JournalPosition, StoreError},
    sync::{
        self, Shell, Taken,
        trace::{Call, Digest, Nonce, Refused},
    },
};

use super::{
    super::{
        Node,
        identity::{RowKind, read_row},
        now_ms,
    },
    file::journal_after,
};
use crate::store::DiskStore;

/// A node that is watched while its engine works.
pub(super) struct Watched<'a> {
    node: &'a mut Node,
    /// Looking at parts of cuts changes nothing else.
    calls: RefCell<Vec<Call>>,
    made: &'a Made,
}

/// The parts of cuts that were made last, by record.
pub(super) type Made = RefCell<BTreeMap<RecordId, Digest>>;

/// What a disclosure wrote into the access log.
#[derive(Default)]
struct Written {
    at_ms: Option<u64>,
    begun: Option<Nonce>,
    links: Vec<Digest>,
    checkpoint: Option<Item>,
}

impl<'a> Watched<'a> {
    pub(super) fn over(node: &'a mut Node, made: &'a Made) -> Self {
        Self {
            node,
            calls: RefCell::default(),
            made,
        }
    }

    /// What was asked, in its order.
    pub(super) fn into_calls(self) -> Vec<Call> {
        self.calls.into_inner()
    }

    fn note(&self, call: Call) {
        self.calls.borrow_mut().push(call);
    }

    /// What came into the journal after a position.
    fn came_after(&self, before: JournalPosition) -> Result<Vec<Item>, StoreError> {
        journal_after(self.node, before)
    }
}

impl Shell for Watched<'_> {
    type Store = DiskStore;

    fn store(&self) -> &DiskStore {
        self.node.store()
    }

    fn peers(&self) -> Result<Vec<sync::Peer>, StoreError> {
        self.node.peers()
    }

    fn note_common(
        &mut self,
        principal: PrincipalId,
        record: RecordId,
    ) -> Result<Vec<Item>, StoreError> {
        self.note(Call::NoteCommon { principal, record });
        self.node.note_common(principal, record)
    }

    fn owner(&self) -> Whoever {
        Shell::owner(self.node)
    }

    fn take(&mut self, record: RecordId) -> Result<Record, StoreError> {
        // They are in what is handed over.
        self.made_parts(&record)?;
        self.node.take(record)
    }

    fn take_part(
        &mut self,
        record: RecordId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError> {
        self.made_parts(&record)?;
        self.node.take_part(record, families)
    }

    fn put(&mut self, record: Record) {
        self.node.put(record);
    }

    fn rights(&mut self, record: RecordId) -> Result<Rights, StoreError> {
        self.made_parts(&record)?;
        self.node.rights(record)
    }

    fn put_rights(&mut self, rights: Rights, soon: bool) {
        self.node.put_rights(rights, soon);
    }

    fn commit(
        &mut self,
        taken: &mut [Taken],
        rows: Vec<Item>,
    ) -> Result<JournalPosition, StoreError> {
        let of_records = taken.iter().flat_map(|taken| &taken.items);
        let given = Digest::of_items(of_records.chain(&rows));
        let before = self.node.store.last();
        let kept = Shell::commit(self.node, taken, rows);
        let mut added = self.came_after(before)?;
        added.retain(|item| !given.contains(&Digest::of(item)));
        self.note(Call::Commit {
            given,
            end: kept.as_ref().ok().copied(),
            added,
            refused: refused(&kept),
        });
        kept
    }

    fn made_parts(&self, record: &RecordId) -> Result<Vec<ProvenPart>, StoreError> {
        let parts = self.node.made_parts(record)?;
        let digest = Digest::of(&parts);
        let mut made = self.made.borrow_mut();
        if made.get(record).is_some_and(|before| *before != digest)
            || (!made.contains_key(record) && !parts.is_empty())
        {
            made.insert(*record, digest);
            self.note(Call::MadeParts {
                record: *record,
                parts: parts.clone(),
            });
        }
        Ok(parts)
    }

    fn disclose(&mut self, what: Vec<Disclosure>, rows: Vec<Item>) -> Result<(), StoreError> {
        let before = self.node.store.last();
        let asked = what.iter().map(Digest::of).collect();
        let of_rows = Digest::of_items(&rows);
        let kept = Shell::disclose(self.node, what, rows);
        let written = Written::of(self.came_after(before)?);
        let log = read_row(&self.node.store, RowKind::Audit, b"")?;
        self.note(Call::Disclose {
            what: asked,
            rows: of_rows,
            at_ms: written.at_ms.unwrap_or_else(now_ms),
            begun: written.begun,
            links: written.links,
            checkpoint: written.checkpoint.zip(log).map(Box::new),
            refused: refused(&kept),
        });
        kept
    }

    fn put_blob(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let kept = self.node.put_blob(bytes);
        self.note(Call::PutBlob {
            blob: BlobId::from_bytes(*blake3::hash(bytes).as_bytes()),
            refused: refused(&kept),
        });
        kept
    }
}

impl Written {
    fn of(items: Vec<Item>) -> Self {
        let mut written = Self::default();
        for item in items {
            let Item::Audit { bytes } = &item else {
                continue;
            };
            let Ok(entry) = codec::decode_trusted::<AuditEntry>(bytes) else {
                continue;
            };
            written.at_ms = Some(entry.time_ms);
            match entry.what {
                What::Begun { nonce, .. } => written.begun = Some(Nonce(nonce)),
                What::Disclosure(_) => {}
                What::Checkpoint { .. } => {
                    written.checkpoint = Some(item);
                    continue;
                }
            }
            written.links.push(Digest::of(&item));
        }
        written
    }
}

fn refused<T>(kept: &Result<T, StoreError>) -> Option<Refused> {
    match kept {
        Ok(_) => None,
        Err(StoreError::Full) => Some(Refused::Full),
        Err(
            StoreError::Damaged(_) | StoreError::InUse | StoreError::Io(_) | StoreError::Index(_),
        ) => Some(Refused::Broken),
    }
}
