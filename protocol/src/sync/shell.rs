//! What the engine asks of whoever drives it, and gets at once.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;
use serde::{Deserialize, Serialize};

use crate::{
    audit::Disclosure,
    consent::{Whoever, cut::ProvenPart, devices},
    id::{DeviceId, PrincipalId, RecordId},
    logs::LogId,
    record::{Record, Rights},
    store::{Item, JournalPosition, Store, StoreError},
};

/// Another node, as this one knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What came of one record and is to be kept.
pub struct Taken {
    /// The record, which has taken it in already.
    pub record: Record,
    /// What came: left empty when it is kept.
    pub items: Vec<Item>,
}

/// The store and the records of a node, real or virtual.
pub trait Shell {
    /// The store.
    type Store: Store;

    /// The store, to read in.
    fn store(&self) -> &Self::Store;

    /// Every known node: of each principal the device that was met first.
    fn peers(&self) -> Result<Vec<Peer>, StoreError>;

    /// One of these nodes, by its device.
    fn peer(&self, device: &DeviceId) -> Result<Option<Peer>, StoreError> {
        let mut all = self.peers()?.into_iter();
        Ok(all.find(|peer| peer.device == *device))
    }

    /// Notes that a record is now one that a known principal and this node both have to do with:
    /// what is to be kept with what proved it.
    fn note_common(
        &mut self,
        principal: PrincipalId,
        record: RecordId,
    ) -> Result<Vec<Item>, StoreError>;

    /// Whose node this is, with its device.
    fn owner(&self) -> Whoever;

    /// Hands over a record, loaded; an empty one where nothing is held of it.
    fn take(&mut self, record: RecordId) -> Result<Record, StoreError>;

    /// Hands over a record of which these documents are looked at or added to, whatever epoch they
    /// are in: at least its logs and what it holds of them ([`Record::load_part`]), or all of it.
    fn take_part(
        &mut self,
        record: RecordId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError>;

    /// Takes it back for the next time, where it is whole. A record that is ahead of the disk is
    /// dropped instead.
    fn put(&mut self, record: Record);

    /// Hands over what the rights to a record hang on, as it stands on the disk.
    fn rights(&mut self, record: RecordId) -> Result<Rights, StoreError>;

    /// Takes it back for the next time, which comes `soon` while something of other records goes to
    /// somebody in turns.
    fn put_rights(&mut self, rights: Rights, soon: bool);

    /// Keeps everything or nothing, durably: what was taken into records, and `rows`. An event of
    /// a principal's log concerns every other record too: none that was loaded before is handed
    /// over again without it.
    fn commit(
        &mut self,
        taken: &mut [Taken],
        rows: Vec<Item>,
    ) -> Result<JournalPosition, StoreError>;

    /// The parts of cuts of a record that are not in the store but made when they are asked for.
    fn made_parts(&self, record: &RecordId) -> Result<Vec<ProvenPart>, StoreError>;

    /// Enters disclosures into the access log and keeps `rows` with them, durably, before anything
    /// leaves.
    fn disclose(&mut self, what: Vec<Disclosure>, rows: Vec<Item>) -> Result<(), StoreError>;

    /// Keeps an attachment whose hash was checked.
    fn put_blob(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
}

/// Whose device this is, where it is known: one that was met, another device of the same
/// principal, or another one of the owner's own. What one device of a principal has in common with
/// this node, all have.
pub fn peer_of<S: Shell>(shell: &S, device: &DeviceId) -> Result<Option<Peer>, StoreError> {
    if let Some(met) = shell.peer(device)? {
        return Ok(Some(met));
    }
    peer_among(shell, &shell.peers()?, device)
}

/// The same, where every known node is at hand.
pub(super) fn peer_among<S: Shell>(
    shell: &S,
    peers: &[Peer],
    device: &DeviceId,
) -> Result<Option<Peer>, StoreError> {
    if let Some(met) = peers.iter().find(|peer| peer.device == *device) {
        return Ok(Some(met.clone()));
    }
    let owner = shell.owner();
    let acts_for = |principal| {
        let log = shell.store().principal_log(&principal)?;
        Ok::<_, StoreError>(devices::certifies(&log, principal, *device))
    };
    for peer in peers {
        if acts_for(peer.principal)? {
            return Ok(Some(Peer {
                device: *device,
                is_dialled: false,
                ..peer.clone()
            }));
        }
    }
    if *device == owner.device || !acts_for(owner.principal)? {
        return Ok(None);
    }
    Ok(Some(Peer {
        device: *device,
        principal: owner.principal,
        records: shell.store().records()?.into_iter().collect(),
        is_dialled: false,
    }))
}

/// Whether an item is an event of a principal's log, which may change who acts for whom in any
/// record.
pub const fn is_of_principal(item: &Item) -> bool {
    matches!(
        item,
        Item::Event {
            log: LogId::Principal(_),
            ..
        }
    )
}
