//! The other nodes that this one knows, and taking in what they signed.

mod acquaintance;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    consent::{approval::approvals, devices},
    id::{DeviceId, PrincipalId, RecordId},
    limits::{ADDRESS_LEN_MAX, ADDRESSES_MAX},
    logs::Event,
    record::ArrivalError,
    store::{Item, JournalPosition, StoreError},
    sync::given_through,
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_row, read_rows, row},
    now_ms,
};
use crate::{failure::Failure, store::DiskStore};

use acquaintance::common_row;
pub(super) use acquaintance::{Common, read_common};

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its device key's public half.
    pub device: DeviceId,
    /// Its signed name card.
    #[serde(with = "serde_bytes")]
    pub card: Vec<u8>,
    /// Where it was last said to listen.
    pub addresses: Vec<String>,
    /// Records that this node shared with it or had from it when they met: what came later is
    /// noted in rows of its own, of which there may be very many.
    pub records: BTreeSet<RecordId>,
    /// The end of the journal when it last had everything, as earlier builds noted it: a row of its
    /// own says it now, since this one is long where many records are shared.
    pub sent_through: Option<JournalPosition>,
}

/// Every known node.
pub(super) fn all(store: &DiskStore) -> Result<Vec<(PrincipalId, Peer)>, StoreError> {
    let rows = read_rows::<Peer>(store, RowKind::Peers)?;
    Ok(rows
        .into_iter()
        .filter_map(|(name, peer)| {
            let principal = <[u8; 32]>::try_from(name).ok()?;
            Some((PrincipalId::from_bytes(principal), peer))
        })
        .collect())
}

/// When a node had everything up to which place: the last of them, so that it can be said since when
/// it has something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Steps(Vec<(JournalPosition, u64)>);

/// Steps that are kept of a node.
const STEPS_MAX: usize = 16;
/// Two that are nearer are one, the later of both, milliseconds.
const STEP_MS: u64 = 60 * 1000;

impl Steps {
    fn with(mut self, through: JournalPosition, now_ms: u64) -> Self {
        if let [.., before, last] = self.0.as_mut_slice()
            && now_ms < before.1 + STEP_MS
        {
            *last = (through, now_ms);
            return self;
        }
        self.0.push((through, now_ms));
        if self.0.len() > STEPS_MAX {
            self.0.remove(0);
        }
        self
    }

    /// When it had everything up to a place at the latest, milliseconds since 1970 UTC.
    pub(super) fn reached(&self, position: JournalPosition) -> Option<u64> {
        let step = self.0.iter().find(|(through, _)| *through >= position);
        step.map(|(_, at)| *at)
    }
}

impl Node {
    /// Every known node, with all that it has in common with this one.
    pub(super) fn known_peers(&self) -> Result<Vec<(PrincipalId, Peer)>, StoreError> {
        let mut known = all(&self.store)?;
        for (principal, peer) in &mut known {
            peer.records
                .extend(self.common.get(principal).into_iter().flatten());
        }
        Ok(known)
    }

    /// Whose device this is, if it is known.
    pub fn peer_of(&self, device: DeviceId) -> Result<Option<(PrincipalId, Peer)>, Failure> {
        let last = self.device_owners.borrow().get(&device).copied();
        if let Some(principal) = last {
            let peer = read_row::<Peer>(&self.store, RowKind::Peers, principal.as_bytes())?;
            // A node may have another device since.
            if let Some(peer) = peer.filter(|peer| peer.device == device) {
                return Ok(Some((principal, peer)));
            }
        }
        let mut peers = all(&self.store)?.into_iter();
        let found = peers.find(|(_, peer)| peer.device == device);
        if let Some((principal, _)) = &found {
            let mut known = self.device_owners.borrow_mut();
            known.insert(device, *principal);
        }
        Ok(found)
    }

    /// Notes a node, or more about it. One that is met for the first time has in common with this
    /// one what others shared with both before.
    pub(super) fn note_peer(
        &mut self,
        principal: PrincipalId,
        change: impl FnOnce(Option<Peer>) -> Peer,
    ) -> Result<Vec<Item>, Failure> {
        let known: Option<Peer> = read_row(&self.store, RowKind::Peers, principal.as_bytes())?;
        let shared_before = match &known {
            Some(_) => Vec::new(),
            None => self.shared_with_both(principal)?,
        };
        let before = known
            .as_ref()
            .map(|known| (known.device, known.addresses.clone()));
        let peer = change(known);
        if before != Some((peer.device, peer.addresses.clone())) {
            self.met += 1;
        }
        let mut items = vec![row(RowKind::Peers, principal.as_bytes(), &peer)];
        let shared_before = shared_before.into_iter();
        let beyond = shared_before.filter(|record| !peer.records.contains(record));
        items.extend(beyond.map(|record| common_row(principal, record)));
        Ok(items)
    }

    /// Every device that this node knows, with where it was last said to be: those that were met,
    /// and the others of the same people and of the owner.
    pub fn acquaintances(&self) -> Result<BTreeMap<DeviceId, Vec<String>>, Failure> {
        let mut known = BTreeMap::new();
        for device in devices::certified(&self.principal_log()?, self.identity.principal) {
            known.insert(device, Vec::new());
        }
        known.remove(&self.device());
        for (principal, peer) in all(&self.store)? {
            let log = self.log_of(principal)?;
            for device in devices::certified(&log, principal) {
                known.entry(device).or_default();
            }
            known.insert(peer.device, peer.addresses);
        }
        Ok(known)
    }

    /// A device says where it is now. Where it was reached last stays the first to be tried.
    pub fn is_at(&mut self, device: DeviceId, said: Vec<String>) -> Result<(), Failure> {
        self.moved(device, |before| {
            let mut now: Vec<_> = said
                .into_iter()
                .filter(|address| is_address(address))
                .take(ADDRESSES_MAX)
                .collect();
            if let Some(first) = before.first() {
                match now.iter().position(|address| address == first) {
                    Some(at) => now[..=at].rotate_right(1),
                    None => now.push(first.clone()),
                }
            }
            now
        })
    }

    /// A device was reached there.
    pub fn reached_at(&mut self, device: DeviceId, address: &str) -> Result<(), Failure> {
        self.moved(device, |mut before| {
            if let Some(at) = before.iter().position(|known| known == address) {
                before[..=at].rotate_right(1);
            }
            before
        })
    }

    fn moved(
        &mut self,
        device: DeviceId,
        to: impl FnOnce(Vec<String>) -> Vec<String>,
    ) -> Result<(), Failure> {
        let Some((principal, peer)) = self.peer_of(device)? else {
            return Ok(());
        };
        let mut addresses = to(peer.addresses.clone());
        addresses.truncate(ADDRESSES_MAX);
        if addresses == peer.addresses {
            return Ok(());
        }
        let items = self.note_peer(principal, |_| Peer { addresses, ..peer })?;
        self.commit(items)
    }

    /// Changes when [`Self::acquaintances`] may have changed.
    pub const fn met(&self) -> u64 {
        self.met
    }

    /// The end of the journal, the access log left out: nothing later is for others.
    pub(super) const fn journal_end(&self) -> JournalPosition {
        self.changed
    }

    /// Says that a node has everything up to the present end of the journal.
    pub fn has_everything(
        &mut self,
        device: DeviceId,
        through: JournalPosition,
    ) -> Result<(), Failure> {
        let Some((_, peer)) = self.peer_of(device)? else {
            return Ok(());
        };
        if self.was_up_to_date(&peer)? && self.had_through(&peer)? == Some(through) {
            return Ok(());
        }
        let known: Option<Steps> = read_row(&self.store, RowKind::Steps, device.as_bytes())?;
        let steps = known.unwrap_or_default().with(through, now_ms());
        self.commit(vec![
            row(RowKind::Through, device.as_bytes(), &through),
            row(RowKind::Steps, device.as_bytes(), &steps),
        ])
    }

    /// Whether a node and this one ever had everything of each other.
    pub(super) fn was_up_to_date(&self, peer: &Peer) -> Result<bool, StoreError> {
        let noted: Option<JournalPosition> =
            read_row(&self.store, RowKind::Through, peer.device.as_bytes())?;
        Ok(noted.or(peer.sent_through).is_some())
    }

    /// The end of the journal when a node last had everything.
    pub(super) fn had_through(&self, peer: &Peer) -> Result<Option<JournalPosition>, StoreError> {
        let noted = read_row(&self.store, RowKind::Through, peer.device.as_bytes())?;
        // What was written here and taken there since both last had everything is kept with the
        // conversation.
        let given = given_through(&self.store, &peer.device)?;
        Ok(noted.or(peer.sent_through).max(given))
    }

    /// The present end of the journal.
    pub const fn position(&self) -> JournalPosition {
        self.journal_end()
    }

    /// Takes in items of a record, from a file: each is checked from its bytes; those that do not
    /// hold are left out and counted.
    pub(super) fn take_items(&mut self, id: RecordId, items: &[Item]) -> Result<usize, Failure> {
        if items.is_empty() {
            return Ok(0);
        }
        let (refused, over) = self.with_record(id, |node, record| {
            let mut commit = Vec::with_capacity(items.len());
            let (mut refused, mut over) = (0, 0);
            for item in items {
                match record.arrive(item) {
                    Ok(arrived) => {
                        if let Some(author) = arrived.author {
                            record.load_principals(&node.store, [author])?;
                        }
                        commit.push(arrived.item);
                    }
                    Err(error @ ArrivalError::Full(_)) => {
                        over += 1;
                        tracing::warn!(%error, "something that arrived was not taken");
                    }
                    Err(error) => {
                        refused += 1;
                        tracing::warn!(%error, "something that arrived does not hold");
                    }
                }
            }
            let noted = node.noted(record, &commit)?;
            let own = node.signs_as_custodian(record, &commit);
            commit.extend(noted);
            commit.extend(own);
            node.commit_noting(commit)?;
            Ok((refused, over))
        })?;
        Ok(refused + over)
    }
}

fn is_address(text: &str) -> bool {
    text.len() <= ADDRESS_LEN_MAX && crate::network::parse_address(text).is_ok()
}

fn event_of(bytes: &[u8]) -> Option<Event> {
    let event = kith_protocol::signed::Signed::<Event>::new(bytes.to_vec());
    Some(event.trust_own_store().ok()?.into_value())
}

/// Whose devices signed an event: its author's, and those of whoever agreed to it.
pub(super) fn signers_of(bytes: &[u8]) -> Vec<PrincipalId> {
    let event = event_of(bytes);
    event.iter().flat_map(signers).collect()
}

/// The same of an event that is read.
pub(super) fn signers(event: &Event) -> impl Iterator<Item = PrincipalId> {
    let agreed = approvals(&event.act).iter().map(|given| given.member);
    std::iter::once(event.author).chain(agreed)
}

#[cfg(test)]
pub(super) mod tests;
