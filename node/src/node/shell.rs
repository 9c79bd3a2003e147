//! The node as the sync engine's shell: its store, its records, its access log.

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Section};
use kith_protocol::{
    audit::Disclosure,
    consent::{Status, Whoever, cut::ProvenPart},
    id::{PrincipalId, RecordId},
    logs::LogId,
    record::{Record, Rights},
    store::{Item, JournalPosition, Store, StoreError},
    sync::{self, Shell, Taken},
};

use super::{Node, peers::Peer, people::Known};
use crate::{failure::Failure, store::DiskStore};

impl Shell for Node {
    type Store = DiskStore;

    fn store(&self) -> &DiskStore {
        &self.store
    }

    fn peers(&self) -> Result<Vec<sync::Peer>, StoreError> {
        let known = self.known_peers()?;
        let peer = |(principal, peer): (PrincipalId, Peer)| {
            let is_own = principal == self.identity.principal;
            Ok(sync::Peer {
                device: peer.device,
                principal,
                is_dialled: !peer.addresses.is_empty(),
                // What one device of the owner's has, all have.
                records: if is_own {
                    self.store.records()?.into_iter().collect()
                } else {
                    peer.records
                },
            })
        };
        known.into_iter().map(peer).collect()
    }

    fn note_common(
        &mut self,
        principal: PrincipalId,
        record: RecordId,
    ) -> Result<Vec<Item>, StoreError> {
        let noted = self.in_common(principal, record);
        noted.map_err(|failure| told(&failure))
    }

    fn owner(&self) -> Whoever {
        self.whoever()
    }

    fn take(&mut self, record: RecordId) -> Result<Record, StoreError> {
        self.take_record(record)
    }

    fn take_part(
        &mut self,
        record: RecordId,
        mut families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError> {
        if self.people.get(&record).is_none() {
            // Who it is about is noted with what is taken in.
            let mut of_person = self.store.documents(&record)?;
            of_person.retain(|document| document.section == Section::Identity);
            families.extend(of_person.iter().map(DocumentId::family));
        }
        self.take_to_add(record, families)
    }

    fn put(&mut self, record: Record) {
        self.keep_added(record);
    }

    fn rights(&mut self, record: RecordId) -> Result<Rights, StoreError> {
        self.take_rights(record)
    }

    fn put_rights(&mut self, rights: Rights, soon: bool) {
        self.keep_rights(rights, soon);
    }

    fn commit(
        &mut self,
        taken: &mut [Taken],
        rows: Vec<Item>,
    ) -> Result<JournalPosition, StoreError> {
        let (mut items, mut own) = (rows, Vec::new());
        for Taken { record, items: of } in taken {
            let noted = self.noted(record, of);
            own.extend(self.signs_as_custodian(record, of));
            items.append(of);
            items.extend(noted.map_err(|failure| told(&failure))?);
        }
        // On the disk together: nobody would ask this node for its word again.
        let (before, first) = (self.store.last(), own.first().cloned());
        items.extend(own);
        if !items.is_empty() {
            self.commit_noting(items)
                .map_err(|failure| told(&failure))?;
        }
        match first {
            Some(first) => self.end_before(&first, before),
            None => Ok(self.store.last()),
        }
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
    /// Where what was committed since `before` ends, as far as it stands before `own`: whoever sent
    /// that has it and is not sent it again, and what this node added they lack.
    fn end_before(
        &self,
        own: &Item,
        before: JournalPosition,
    ) -> Result<JournalPosition, StoreError> {
        let last = self.store.last();
        let len = usize::try_from(last.0.saturating_sub(before.0)).unwrap_or(usize::MAX);
        let committed = self.store.journal(before, len)?;
        let of_others = committed.iter().take_while(|(_, item)| item != own);
        Ok(of_others.last().map_or(before, |(position, _)| *position))
    }

    /// What is noted of a record when something of it is taken in: who it is about, and whether
    /// something by this node's owner does not simply count.
    pub(super) fn noted(
        &mut self,
        record: &mut Record,
        items: &[Item],
    ) -> Result<Vec<Item>, Failure> {
        let mut noted = Vec::new();
        let owner = self.identity.principal;
        if items
            .iter()
            .any(|item| may_raise_doubt(record, item, owner))
            && has_doubtful(record, owner)
        {
            noted.extend(self.doubt(&record.id())?);
        }
        noted.extend(self.note_person(record, items));
        noted.extend(self.note_names(record, items));
        noted.extend(self.note_rules(record, items));
        if items.iter().any(is_of_label) {
            noted.extend(self.note_ends(record));
        }
        if items.iter().any(|item| matches!(item, Item::Event { .. })) {
            noted.extend(self.note_holders(record)?);
        }
        Ok(noted)
    }

    /// Notes that known nodes and this one have a record in common, where its rights name both:
    /// they give it to each other also when whoever shared it with both is gone.
    fn note_holders(&self, record: &mut Record) -> Result<Vec<Item>, Failure> {
        let mut holders = record.ledger().holders();
        if !holders.remove(&self.identity.principal) {
            return Ok(Vec::new());
        }
        let mut noted = Vec::new();
        for holder in holders {
            noted.extend(self.in_common(holder, record.id())?);
        }
        Ok(noted)
    }

    /// Who a record is about, where what is taken in may say something new of that.
    fn note_person(&mut self, record: &mut Record, items: &[Item]) -> Option<Item> {
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
            return None;
        }
        let library = known.is_some_and(|known| known.library);
        let said = self.said_of(record);
        Some(self.people.note(id, Known { library, said }))
    }
}

/// Whether an item may be why something by this node's owner no longer simply counts: rights that
/// changed, or an entry in the owner's name from elsewhere. What others write never is.
fn may_raise_doubt(record: &mut Record, item: &Item, owner: PrincipalId) -> bool {
    match item {
        Item::Event { .. } | Item::Part { .. } => true,
        Item::Entry { id, .. } => {
            let header = record.ledger().header(id);
            header.is_none_or(|header| header.author == owner)
        }
        Item::Row { .. } | Item::Audit { .. } => false,
    }
}

/// Whether an item says something of the shares of a record.
const fn is_of_label(item: &Item) -> bool {
    matches!(
        item,
        Item::Event {
            log: LogId::Label(..),
            ..
        }
    )
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
