//! What stays of someone who leaves, over every record that is here.
//!
//! One signed event carries the root of a tree over all records. The parts themselves are kept as
//! one sealed blob, and proved when a record is read or sent: writing tens of thousands of proofs
//! at once would make people wait.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use kith_crdt::Label;
use kith_protocol::{
    codec,
    consent::cut::{Cut, CutPart, CutPlace, CutPosition, KeptTree, Leaves, ProvenPart},
    id::{BlobId, DeviceId, EventId, RecordId},
    identity::SecretKey,
    logs::{PrincipalAct, record::Link},
    record::event_item,
    store::{ChainEnd, Damage, Item, Store, StoreError},
};

use super::{
    Node,
    identity::{RowKind, read_rows, row},
    now_ms,
};
use crate::{
    api::Keep,
    failure::{Ending, Failure},
    parallel,
    store::DiskStore,
};

/// Trees kept in memory: one of 12,000 records takes some four megabytes.
const TREES_MAX: usize = 4;

/// A device or a member of staff who leaves.
pub(super) struct Leaver {
    /// What ends.
    pub(super) link: Link,
    /// What they signed with.
    pub(super) devices: BTreeSet<DeviceId>,
    /// What stays of what they did.
    pub(super) keep: Keep,
    /// Events because of which alone something of theirs is marked and stays all the same.
    pub(super) awaited: Vec<EventId>,
}

/// The cuts over many records that this node signed.
#[derive(Default)]
pub(super) struct Cuts {
    blobs: BTreeMap<EventId, BlobId>,
    trees: RefCell<Vec<(EventId, Rc<KeptTree>)>>,
}

impl Cuts {
    pub(super) fn load(store: &DiskStore) -> Result<Self, StoreError> {
        let rows = read_rows::<BlobId>(store, RowKind::Cuts)?;
        let known = rows.into_iter().filter_map(|(name, blob)| {
            let event = <[u8; 32]>::try_from(name).ok()?;
            Some((EventId::from_bytes(event), blob))
        });
        Ok(Self {
            blobs: known.collect(),
            trees: RefCell::default(),
        })
    }

    /// The parts of all cuts for one record, each with its proof.
    pub(super) fn parts(
        &self,
        store: &DiskStore,
        record: &RecordId,
    ) -> Result<Vec<ProvenPart>, StoreError> {
        let mut parts = Vec::new();
        for (event, blob) in &self.blobs {
            parts.extend(self.tree(store, *event, blob)?.proven_of(record, *event));
        }
        Ok(parts)
    }

    fn tree(
        &self,
        store: &DiskStore,
        event: EventId,
        blob: &BlobId,
    ) -> Result<Rc<KeptTree>, StoreError> {
        let known = self.trees.borrow().iter().find_map(|(of, tree)| {
            let tree = (*of == event).then_some(tree);
            tree.map(Rc::clone)
        });
        if let Some(tree) = known {
            return Ok(tree);
        }
        let bytes = store.blob(blob)?;
        let tree = bytes.and_then(|bytes| KeptTree::from_bytes(&bytes));
        let tree = tree.ok_or_else(|| {
            StoreError::Damaged(Damage {
                place: "what stays of someone who left".to_owned(),
                what: "its file is gone or cannot be read".to_owned(),
            })
        })?;
        let tree = Rc::new(tree);
        self.keep(event, Rc::clone(&tree));
        Ok(tree)
    }

    fn keep(&self, event: EventId, tree: Rc<KeptTree>) {
        let mut trees = self.trees.borrow_mut();
        trees.push((event, tree));
        if trees.len() > TREES_MAX {
            trees.remove(0);
        }
    }
}

impl Node {
    /// Every encoded part of a cut that is here for a record: those that arrived or were made for
    /// it alone, and those of leavers.
    pub(super) fn parts_of(&self, record: &RecordId) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut parts = self.store.parts(record)?;
        let held: BTreeSet<_> = parts.iter().cloned().collect();
        let own = self.cuts.parts(&self.store, record)?;
        let own = own.iter().map(codec::encode);
        parts.extend(own.filter(|part| !held.contains(part)));
        Ok(parts)
    }

    /// Signs the event by which a device or a member of staff leaves, with what stays of their
    /// work in every record here; with `root` where the owner's root key is not this node's. Gives
    /// the event and the number of records.
    pub(super) fn leave(
        &mut self,
        leaver: &Leaver,
        root: Option<&SecretKey>,
        act: impl FnOnce(Cut) -> PrincipalAct,
    ) -> Result<(EventId, usize), Failure> {
        self.own_log_has_room()?;
        let kept = self.what_stays(leaver)?;
        let records = kept.records();
        let key = root.unwrap_or_else(|| self.identity.adding_key());
        let event = self.sign_own_with(key, now_ms(), act(kept.cut()))?;
        let mut items = vec![event_item(&event)];
        let mut cut = None;
        if records > 0 {
            let blob = self.store.put_blob(&kept.to_bytes())?;
            items.push(row(RowKind::Cuts, event.id().as_bytes(), &blob));
            cut = Some(blob);
        }
        self.commit(items)?;
        if let Some(blob) = cut {
            self.cuts.blobs.insert(event.id(), blob);
            self.cuts.keep(event.id(), Rc::new(kept));
        }
        Ok((event.id(), records))
    }

    /// The parts of the cut over every record. Where the chains are straight and everything of
    /// them counts, their ends say it; the statuses of a record say it where not, and where a date
    /// decides.
    fn what_stays(&mut self, leaver: &Leaver) -> Result<KeptTree, Failure> {
        let (link, keep) = (leaver.link, leaver.keep);
        let mut ends = Vec::new();
        for device in &leaver.devices {
            ends.extend(self.store.chains(device, None)?);
        }
        ends.sort_unstable();
        let doubtful = self.store.rows(RowKind::Doubtful as u8)?;
        let doubtful: BTreeSet<_> = doubtful.into_iter().map(|(name, _)| name).collect();
        let looked_at: BTreeSet<_> = ends
            .iter()
            .filter(|end| match keep {
                Keep::All => {
                    !end.is_straight
                        || !leaver.awaited.is_empty()
                        || doubtful.contains(end.record.as_bytes().as_slice())
                }
                Keep::NoneAfter(_) => true,
            })
            .map(|end| end.record)
            .collect();
        let mut exact = BTreeMap::new();
        for record in looked_at {
            let parts = self.with_record(record, |_, record| {
                let date_ms = match keep {
                    Keep::All => u64::MAX,
                    Keep::NoneAfter(date_ms) => date_ms,
                };
                Ok(record.ledger().keep_instead(link, date_ms, &leaver.awaited))
            })?;
            exact.insert(record, parts);
        }
        let records = self.store.labels()?.into_iter().collect();
        let leaves = |run: Run| run.leaves(&exact);
        Ok(KeptTree::of(parallel::each(
            Run::all(records, ends),
            leaves,
        )))
    }

    /// Notes that something by one of the owner's own devices in a record does not simply count,
    /// so that the record is looked at when one of them leaves.
    pub(super) fn doubt(&self, record: &RecordId) -> Result<Option<Item>, StoreError> {
        let key = RowKind::Doubtful.key(record.as_bytes());
        let known = self.store.row(&key)?.is_some();
        Ok((!known).then(|| row(RowKind::Doubtful, record.as_bytes(), &())))
    }

    /// A principal's log is bounded: everybody who meets the owner reads all of it.
    pub(super) fn own_log_has_room(&self) -> Result<(), Failure> {
        if self.principal_log()?.len() < kith_protocol::limits::AUTHORITY_EVENTS_MAX {
            return Ok(());
        }
        Err(Failure::new(
            Ending::Failed,
            "This node's list of devices and staff is full.",
            "Everything so far holds. Set another node up for new staff; nothing was changed.",
        ))
    }
}

/// Some of the records here, with what is known of each: the labels that it has, and the ends of
/// the chains in it. Both ascend by record.
struct Run {
    records: Vec<(RecordId, BTreeSet<Label>)>,
    ends: Vec<ChainEnd>,
}

impl Run {
    /// All records, in as many runs as are worked on at once.
    fn all(mut records: Vec<(RecordId, BTreeSet<Label>)>, mut ends: Vec<ChainEnd>) -> Vec<Self> {
        let len = records.len().div_ceil(parallel::width()).max(1);
        let mut runs = Vec::new();
        while records.len() > len {
            let last = records.split_off((records.len() - 1) / len * len);
            let from = ends.partition_point(|end| end.record < last[0].0);
            runs.push(Self {
                ends: ends.split_off(from),
                records: last,
            });
        }
        runs.push(Self { records, ends });
        runs.reverse();
        runs
    }

    /// The leaves of these records, where `exact` does not say better what stays.
    fn leaves(self, exact: &BTreeMap<RecordId, Vec<CutPart>>) -> Leaves {
        let mut ends = self.ends.into_iter().peekable();
        Leaves::of(self.records.into_iter().map(|(record, labels)| {
            let own = std::iter::from_fn(|| ends.next_if(|end| end.record == record));
            let ends = parts(record, labels, own);
            exact.get(&record).cloned().unwrap_or(ends)
        }))
    }
}

/// The parts of a record in which everything counts: its chains' ends, and one for each of its
/// logs.
fn parts(
    record: RecordId,
    labels: BTreeSet<Label>,
    ends: impl Iterator<Item = ChainEnd>,
) -> Vec<CutPart> {
    let logs = labels.into_iter().chain([Label::general()]);
    let logs = logs.map(CutPlace::Label).chain([CutPlace::Core]);
    let of_logs = logs.map(|place| part(record, place, None));
    let of_chains = ends.map(|end| {
        let position = CutPosition {
            device: end.position.device,
            epoch: end.position.epoch,
            seq: end.position.seq,
            id: end.id,
        };
        part(record, end.place, Some(position))
    });
    of_logs.chain(of_chains).collect()
}

fn part(record: RecordId, place: CutPlace, position: Option<CutPosition>) -> CutPart {
    CutPart {
        record,
        place,
        chains: position.into_iter().collect(),
        documents: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
