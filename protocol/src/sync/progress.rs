//! How far two nodes have come with each other, as it is kept in the store.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    message::{Cursor, JournalId},
    view::Scope,
};
use crate::{
    codec,
    id::{DeviceId, PrincipalId, RecordId},
    store::{Item, JournalPosition, RowKey, Store, StoreError},
};

/// Kinds of rows that belong to the engine: 64 and on, so that a shell has 0 to 63 for its own.
#[derive(Clone, Copy)]
enum RowKind {
    Journal = 64,
    Given = 65,
    Taken = 66,
    Scope = 67,
    /// 68 is of attachments.
    Found = 69,
}

impl RowKind {
    fn key(self, name: &[u8]) -> RowKey {
        RowKey {
            kind: self as u8,
            name: name.to_vec(),
        }
    }
}

/// How far a peer was given what this node took in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Batches that the peer has on its disk.
    pub count: u64,
    /// Everything up to here that is for it is among them.
    pub position: JournalPosition,
    /// Batches on their way, and where each ends.
    pub ahead: Vec<(u64, JournalPosition)>,
    /// When both last compared what they hold, or first met; milliseconds since 1970 UTC.
    pub compared_ms: u64,
}

impl Given {
    /// The count of the last batch, on its way or there.
    pub fn last(&self) -> u64 {
        self.ahead.last().map_or(self.count, |(count, _)| *count)
    }

    /// The peer has this many: whatever is beyond is given again. Nothing where no such count was
    /// ever sent, or an older one than the peer said before.
    pub fn resume(&mut self, held: u64) -> Option<()> {
        if held != self.count {
            let (_, position) = self.ahead.iter().find(|(count, _)| *count == held)?;
            self.position = *position;
            self.count = held;
        }
        self.ahead.clear();
        Some(())
    }

    /// The peer has a batch on its disk.
    pub fn took(&mut self, count: u64) -> Option<()> {
        let at = self.ahead.iter().position(|(sent, _)| *sent == count)?;
        self.position = self.ahead[at].1;
        self.count = count;
        self.ahead.drain(..=at);
        Some(())
    }
}

/// The way in which it is found out what somebody may have. A build that finds out more or less
/// counts on, so that all is found out again.
pub const FOUND_VERSION: u8 = 1;

/// Of which records the kept scopes of a peer are those that are found out, as long as nothing
/// that rights hang on was taken in after `position`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// See [`FOUND_VERSION`].
    pub version: u8,
    /// Of which journal `position` is one: a restored node finds out again.
    pub journal: JournalId,
    /// Whose device the peer was.
    pub principal: PrincipalId,
    /// Where the journal ended.
    pub position: JournalPosition,
    /// When, milliseconds since 1970 UTC: it says nothing to a clock that was put back.
    pub found_ms: u64,
    /// Which, each with the time that next changes it.
    pub records: Vec<(RecordId, Option<u64>)>,
}

/// This node's journal; nothing before the first conversation.
pub fn journal(store: &impl Store) -> Result<Option<JournalId>, StoreError> {
    read(store, &RowKind::Journal.key(b""))
}

/// The row that names the journal. A node that goes on from an older copy of itself begins another:
/// what it took in since is not where others think it is.
pub fn journal_row(id: JournalId) -> Item {
    row(RowKind::Journal.key(b""), &id)
}

/// Up to where in the journal a device has everything that is for it, as far as that is kept.
///
/// # Errors
/// When the store cannot be read.
pub fn given_through(
    store: &impl Store,
    peer: &DeviceId,
) -> Result<Option<JournalPosition>, StoreError> {
    Ok(given(store, peer)?.map(|given| given.position))
}

pub(super) fn given(store: &impl Store, peer: &DeviceId) -> Result<Option<Given>, StoreError> {
    read(store, &RowKind::Given.key(peer.as_bytes()))
}

pub(super) fn given_row(peer: &DeviceId, given: &Given) -> Item {
    row(RowKind::Given.key(peer.as_bytes()), given)
}

pub(super) fn taken(store: &impl Store, peer: &DeviceId) -> Result<Option<Cursor>, StoreError> {
    read(store, &RowKind::Taken.key(peer.as_bytes()))
}

pub(super) fn taken_row(peer: &DeviceId, cursor: &Cursor) -> Item {
    row(RowKind::Taken.key(peer.as_bytes()), cursor)
}

pub(super) fn scope(
    store: &impl Store,
    peer: &DeviceId,
    record: &RecordId,
) -> Result<Scope, StoreError> {
    let key = RowKind::Scope.key(&scope_name(peer, record));
    Ok(read(store, &key)?.unwrap_or_default())
}

pub(super) fn scope_row(peer: &DeviceId, record: &RecordId, scope: &Scope) -> Item {
    row(RowKind::Scope.key(&scope_name(peer, record)), scope)
}

pub(super) fn found(store: &impl Store, peer: &DeviceId) -> Result<Option<Kept>, StoreError> {
    read(store, &RowKind::Found.key(peer.as_bytes()))
}

pub(super) fn found_row(peer: &DeviceId, kept: &Kept) -> Item {
    row(RowKind::Found.key(peer.as_bytes()), kept)
}

fn scope_name(peer: &DeviceId, record: &RecordId) -> Vec<u8> {
    [peer.as_bytes().as_slice(), record.as_bytes()].concat()
}

fn row<T: Serialize>(key: RowKey, value: &T) -> Item {
    Item::Row {
        key,
        value: Some(serde_bytes::ByteBuf::from(codec::encode(value))),
    }
}

/// A row that this build does not understand counts as none: what follows is a comparison.
fn read<T: DeserializeOwned>(store: &impl Store, key: &RowKey) -> Result<Option<T>, StoreError> {
    let bytes = store.row(key)?;
    Ok(bytes.and_then(|bytes| codec::decode_trusted(&bytes).ok()))
}

#[cfg(test)]
mod tests {
    use super::{Given, JournalPosition};

    fn at(n: u64) -> JournalPosition {
        JournalPosition(n)
    }

    #[test]
    fn a_peer_goes_on_where_its_disk_ends() {
        let mut given = Given {
            count: 4,
            position: at(40),
            ahead: vec![(5, at(50)), (6, at(60))],
            ..Given::default()
        };
        assert_eq!(given.last(), 6);
        assert_eq!(given.clone().resume(4), Some(()));
        assert_eq!(given.clone().resume(3), None);
        assert_eq!(given.clone().resume(7), None);
        assert_eq!(given.resume(5), Some(()));
        assert_eq!((given.count, given.position), (5, at(50)));
        assert!(given.ahead.is_empty());
    }

    #[test]
    fn a_batch_that_was_taken_takes_those_before_it_along() {
        let mut given = Given {
            ahead: vec![(1, at(10)), (2, at(20)), (3, at(30))],
            ..Given::default()
        };
        assert_eq!(given.took(2), Some(()));
        assert_eq!(given.took(2), None);
        assert_eq!((given.position, given.last()), (at(20), 3));
    }
}
