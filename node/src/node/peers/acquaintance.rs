//! Which records a known node and this one both have to do with.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    id::{PrincipalId, RecordId},
    store::{Item, RowKey, Store, StoreError},
};

use super::{
    super::{
        Node,
        identity::{RowKind, read_row, row},
    },
    Peer,
};
use crate::{failure::Failure, store::DiskStore};

/// What each known node and this one both have to do with, beyond what was noted when they met.
pub(in crate::node) type Common = BTreeMap<PrincipalId, BTreeSet<RecordId>>;

/// Everything of it in the store.
pub(in crate::node) fn read_common(store: &DiskStore) -> Result<Common, StoreError> {
    let mut common = Common::new();
    for (name, _) in store.rows(RowKind::Common as u8)? {
        note(&mut common, &name);
    }
    Ok(common)
}

impl Node {
    /// Notes what these items, which are on the disk now, say of records in common.
    pub(in crate::node) fn note_rows(&mut self, items: &[RowKey]) {
        for key in items {
            note(&mut self.common, &key.name);
        }
    }

    /// Notes that a known node and this one both have to do with a record; nothing for the owner's
    /// own devices, which have all records in common.
    pub(in crate::node) fn in_common(
        &self,
        principal: PrincipalId,
        record: RecordId,
    ) -> Result<Vec<Item>, Failure> {
        let noted = self.common.get(&principal);
        if noted.is_some_and(|noted| noted.contains(&record)) {
            return Ok(Vec::new());
        }
        let known: Option<Peer> = read_row(&self.store, RowKind::Peers, principal.as_bytes())?;
        let known = known.filter(|peer| !peer.records.contains(&record));
        Ok(known
            .map(|_| common_row(principal, record))
            .into_iter()
            .collect())
    }

    /// Records here whose rights name somebody and this node's owner.
    pub(super) fn shared_with_both(
        &mut self,
        principal: PrincipalId,
    ) -> Result<Vec<RecordId>, StoreError> {
        // The log of whoever is named comes with the record that names them.
        if self.store.principal_log(&principal)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut shared = Vec::new();
        for record in self.store.records()? {
            // Rights are found out only where somebody is named at all.
            if !names(&self.store, record, principal)? {
                continue;
            }
            let mut rights = self.take_rights(record)?;
            let holders = rights.holders();
            self.keep_rights(rights, false);
            if holders.contains(&principal) && holders.contains(&self.identity.principal) {
                shared.push(record);
            }
        }
        Ok(shared)
    }
}

pub(super) fn common_row(principal: PrincipalId, record: RecordId) -> Item {
    let name = [principal.as_bytes().as_slice(), record.as_bytes()].concat();
    row(RowKind::Common, &name, &())
}

/// Whether somebody stands anywhere in a record's logs.
fn names(store: &DiskStore, record: RecordId, whom: PrincipalId) -> Result<bool, StoreError> {
    for log in store.logs(&record)? {
        let events = store.events(&log)?;
        let mut bytes = events
            .iter()
            .map(|(_, bytes)| bytes.windows(whom.as_bytes().len()));
        if bytes.any(|mut at| at.any(|bytes| bytes == whom.as_bytes())) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn note(common: &mut Common, name: &[u8]) {
    if let Some((principal, record)) = name.split_first_chunk::<32>()
        && let Ok(record) = <[u8; 32]>::try_from(record)
    {
        let of = common
            .entry(PrincipalId::from_bytes(*principal))
            .or_default();
        of.insert(RecordId::from_bytes(record));
    }
}
