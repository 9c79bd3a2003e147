//! What the engine asks of whoever drives it, and gets at once.

use std::collections::BTreeSet;

use crate::{
    audit::Disclosure,
    consent::cut::ProvenPart,
    id::{DeviceId, PrincipalId, RecordId},
    record::Record,
    store::{Item, JournalPosition, Store, StoreError},
};

/// Another node, as this one knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its device.
    pub device: DeviceId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// The records that both have to do with: what one shares with the other, or has from it.
    pub records: BTreeSet<RecordId>,
    /// Whether an address of it is known.
    pub is_dialled: bool,
}

/// The store and the records of a node, real or virtual.
pub trait Shell {
    /// The store.
    type Store: Store;

    /// The store, to read in.
    fn store(&self) -> &Self::Store;

    /// Whose device this is, where it is known.
    fn peer(&self, device: &DeviceId) -> Result<Option<Peer>, StoreError>;

    /// Every known node.
    fn peers(&self) -> Result<Vec<Peer>, StoreError>;

    /// This node's own principal.
    fn principal(&self) -> PrincipalId;

    /// Hands over a record, loaded; an empty one where nothing is held of it.
    fn take(&mut self, record: RecordId) -> Result<Record, StoreError>;

    /// Takes it back for the next time. A record that is ahead of the disk is dropped instead.
    fn put(&mut self, record: Record);

    /// Keeps all items or none, durably. `record` is the one that they are of, with the items
    /// taken in already.
    fn commit(
        &mut self,
        record: Option<&mut Record>,
        items: Vec<Item>,
    ) -> Result<JournalPosition, StoreError>;

    /// The parts of cuts of a record that are not in the store but made when they are asked for.
    fn made_parts(&self, record: &RecordId) -> Result<Vec<ProvenPart>, StoreError>;

    /// Enters disclosures into the access log and keeps `rows` with them, durably, before anything
    /// leaves.
    fn disclose(&mut self, what: Vec<Disclosure>, rows: Vec<Item>) -> Result<(), StoreError>;

    /// Keeps an attachment whose hash was checked.
    fn put_blob(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
}
