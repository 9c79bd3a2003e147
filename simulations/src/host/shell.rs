//! What the engine asks of a host.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::{AuditChain, Disclosure},
    consent::{Whoever, cut::ProvenPart},
    id::{DeviceId, PrincipalId, RecordId},
    record::{Record, Rights},
    store::{Item, JournalPosition, RowKey, Store, StoreError},
    sync::{Peer, Shell, Taken, is_of_principal},
};

use super::Host;
use crate::disk::Disk;

/// The access log's place among the rows.
const AUDIT: RowKey = RowKey {
    kind: 1,
    name: Vec::new(),
};

impl Shell for Host {
    type Store = Disk;

    fn store(&self) -> &Disk {
        &self.disk
    }

    fn peers(&self) -> Result<Vec<Peer>, StoreError> {
        let peers = self.peers.values().map(|peer| self.as_known(peer));
        peers.collect()
    }

    fn peer(&self, device: &DeviceId) -> Result<Option<Peer>, StoreError> {
        let peer = self.peers.get(device);
        peer.map(|peer| self.as_known(peer)).transpose()
    }

    fn note_common(
        &mut self,
        principal: PrincipalId,
        record: RecordId,
    ) -> Result<Vec<Item>, StoreError> {
        let known = self.peers.values_mut();
        for peer in known.filter(|peer| peer.principal == principal) {
            peer.records.insert(record);
        }
        Ok(Vec::new())
    }

    fn owner(&self) -> Whoever {
        self.whoever()
    }

    fn take(&mut self, id: RecordId) -> Result<Record, StoreError> {
        self.taken.insert(id);
        if let Some(record) = self.loaded.remove(&id) {
            return Ok(record);
        }
        let mut record = Record::load(&self.disk, id, self.device())?;
        record.load_principals(&self.disk, [self.who.principal])?;
        Ok(record)
    }

    fn take_part(
        &mut self,
        id: RecordId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError> {
        self.taken.insert(id);
        if let Some(record) = self.loaded.remove(&id) {
            return Ok(record);
        }
        let mut record = Record::load_part(&self.disk, id, self.device(), families)?;
        record.load_principals(&self.disk, [self.who.principal])?;
        Ok(record)
    }

    fn put(&mut self, record: Record) {
        if record.is_whole() {
            self.loaded.insert(record.id(), record);
        }
    }

    fn rights(&mut self, id: RecordId) -> Result<Rights, StoreError> {
        self.taken.insert(id);
        if let Some(rights) = self.rights.take(&self.disk, id) {
            return Ok(rights);
        }
        let mut rights = Rights::load(&self.disk, id)?;
        rights.load_principals(&self.disk, [self.who.principal])?;
        Ok(rights)
    }

    fn put_rights(&mut self, rights: Rights, _soon: bool) {
        self.rights.put(&self.disk, rights);
    }

    fn commit(
        &mut self,
        taken: &mut [Taken],
        rows: Vec<Item>,
    ) -> Result<JournalPosition, StoreError> {
        let mut items = rows;
        for taken in taken {
            items.append(&mut taken.items);
        }
        let of_principal = items.iter().any(is_of_principal);
        let last = self.disk.commit(items)?;
        if of_principal {
            self.loaded.clear();
        }
        Ok(last)
    }

    fn made_parts(&self, _record: &RecordId) -> Result<Vec<ProvenPart>, StoreError> {
        // The world's hosts have no staff: every part that they make is on their disks.
        Ok(Vec::new())
    }

    fn disclose(&mut self, what: Vec<Disclosure>, rows: Vec<Item>) -> Result<(), StoreError> {
        let mut items = rows;
        let mut chain = match &self.audit {
            Some(chain) => chain.clone(),
            None => match self.disk.row(&AUDIT)? {
                Some(bytes) => kith_protocol::codec::decode_trusted(&bytes)
                    .map_err(|_| StoreError::Index("the access log".to_owned()))?,
                None => {
                    let (chain, link) =
                        AuditChain::begin(self.device(), self.audit_nonce, self.now_ms);
                    items.push(Item::Audit { bytes: link });
                    chain
                }
            },
        };
        for what in what {
            let bytes = chain
                .append(self.now_ms, what)
                .map_err(|error| StoreError::Index(error.to_string()))?;
            items.push(Item::Audit { bytes });
        }
        items.push(audit_row(&chain));
        self.disk.commit(items)?;
        self.audit = Some(chain);
        Ok(())
    }

    fn put_blob(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.disk.put_blob(bytes).map(|_| ())
    }
}

impl Host {
    /// What one device of a person has, all have.
    fn as_known(&self, peer: &Peer) -> Result<Peer, StoreError> {
        let mut peer = peer.clone();
        if peer.principal == self.who.principal {
            peer.records.extend(self.disk.records()?);
        }
        Ok(peer)
    }
}

/// The row that says where the access log stands.
pub(super) fn audit_row(chain: &AuditChain) -> Item {
    Item::Row {
        key: AUDIT,
        value: Some(serde_bytes::ByteBuf::from(kith_protocol::codec::encode(
            chain,
        ))),
    }
}
