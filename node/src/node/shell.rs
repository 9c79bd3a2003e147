//! The node as the sync engine's shell: its store, its records, its access log.

use std::collections::BTreeSet;

use kith_crdt::Section;
use kith_protocol::{
    audit::Disclosure,
    consent::{Status, cut::ProvenPart, devices},
    id::{DeviceId, PrincipalId, RecordId},
    record::Record,
    store::{Item, JournalPosition, Store, StoreError},
    sync::{self, Shell, principal_log},
};

use super::{Node, peers, people::Known};
use crate::{failure::Failure, store::DiskStore};

impl Shell for Node {
    type Store = DiskStore;

    fn store(&self) -> &DiskStore {
        &self.store
    }

    fn peer(&self, device: &DeviceId) -> Result<Option<sync::Peer>, StoreError> {
        let known = peers::all(&self.store)?;
        let as_peer = |principal: PrincipalId, peer: &peers::Peer| sync::Peer {
            device: *device,
            principal,
            records: peer.records.clone(),
            is_dialled: peer.device == *device && !peer.addresses.is_empty(),
        };
        if let Some((principal, peer)) = known.iter().find(|(_, peer)| peer.device == *device) {
            return Ok(Some(as_peer(*principal, peer)));
        }
        // Another device of somebody known.
        for (principal, peer) in &known {
            let log = principal_log(&self.store, *principal)?;
            if devices::certifies(&log, *principal, *device) {
                return Ok(Some(as_peer(*principal, peer)));
            }
        }
        // Another device of our own.
        let log = self.principal_log()?;
        let is_own =
            *device != self.device() && devices::certifies(&log, self.identity.principal, *device);
        Ok(if is_own {
            Some(sync::Peer {
                device: *device,
                principal: self.identity.principal,
                records: self.store.records()?.into_iter().collect(),
                is_dialled: false,
            })
        } else {
            None
        })
    }

    fn peers(&self) -> Result<Vec<sync::Peer>, StoreError> {
        let known = peers::all(&self.store)?;
        Ok(known
            .into_iter()
            .map(|(principal, peer)| sync::Peer {
                device: peer.device,
                principal,
                is_dialled: !peer.addresses.is_empty(),
                records: peer.records,
            })
            .collect())
    }

    fn principal(&self) -> PrincipalId {
        self.identity.principal
    }

    fn take(&mut self, record: RecordId) -> Result<Record, StoreError> {
        self.take_record(record)
    }

    fn put(&mut self, record: Record) {
        self.keep_record(record);
    }

    fn commit(
        &mut self,
        record: Option<&mut Record>,
        mut items: Vec<Item>,
    ) -> Result<JournalPosition, StoreError> {
        let mut own = Vec::new();
        if let Some(record) = record {
            let said = self
                .note_person(record, &items)
                .map_err(|failure| told(&failure))?;
            items.extend(said);
            own = self.signs_as_custodian(record, &items);
        }
        if !items.is_empty() {
            self.commit_noting(items)
                .map_err(|failure| told(&failure))?;
        }
        // Whoever sent the rest has it and is not sent it again; what this node adds they lack.
        let taken = self.store.last();
        if !own.is_empty() {
            self.commit_noting(own).map_err(|failure| told(&failure))?;
        }
        Ok(taken)
    }

    fn made_parts(&self, record: &RecordId) -> Result<Vec<ProvenPart>, StoreError> {
        self.cuts.parts(&self.store, record)
    }

    fn disclose(&mut self, what: Vec<Disclosure>, rows: Vec<Item>) -> Result<(), StoreError> {
        self.disclosed(what, rows).map_err(|failure| told(&failure))
    }

    fn put_blob(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.store.put_blob(bytes).map(|_| ())
    }
}

impl Node {
    /// What is noted of a record when something of it is taken in: who it is about, and whether
    /// something by this node's owner does not simply count.
    pub(super) fn noted(
        &mut self,
        record: &mut Record,
        items: &[Item],
    ) -> Result<Vec<Item>, Failure> {
        let mut noted = Vec::new();
        let taken = items.iter().any(|item| !matches!(item, Item::Row { .. }));
        if taken && has_doubtful(record, self.identity.principal) {
            noted.extend(self.doubt(&record.id())?);
        }
        noted.extend(self.note_person(record, items)?);
        noted.extend(self.signs_as_custodian(record, items));
        Ok(noted)
    }

    /// Who a record is about, where what is taken in may say something new of that.
    fn note_person(
        &mut self,
        record: &mut Record,
        items: &[Item],
    ) -> Result<Option<Item>, Failure> {
        let sections: BTreeSet<_> = items
            .iter()
            .filter_map(|item| match item {
                Item::Entry { document, .. } => Some(document.section),
                Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {
                    None
                }
            })
            .collect();
        let id = record.id();
        let known = self.people.get(&id);
        if known.is_some() && !sections.contains(&Section::Identity) {
            return Ok(None);
        }
        let library = known.is_some_and(|known| known.library);
        let said = self.said_of(record)?;
        Ok(Some(self.people.note(id, Known { library, said })))
    }
}

/// Whether something by this node's owner does not simply count.
fn has_doubtful(record: &mut Record, owner: PrincipalId) -> bool {
    record.ledger().documents().iter().any(|document| {
        let mut entries = record.ledger().entries(document);
        entries.retain(|(_, status)| *status != Status::Accepted);
        entries.iter().any(|(id, _)| {
            let header = record.ledger().header(id);
            header.is_some_and(|header| header.author == owner)
        })
    })
}

/// A failure of the node as one of its store: the conversation ends, and is begun again later.
fn told(failure: &Failure) -> StoreError {
    StoreError::Index(failure.to_string())
}
