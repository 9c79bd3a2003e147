//! The leaves of a cut's tree over many records, worked out a run of records at a time.

use super::{CutPart, joined, leaf, leaf_hasher};
use crate::{
    codec,
    id::{CutRoot, RecordId},
};

/// The parts of a run of records, encoded and hashed. Runs of which none has a record of another's
/// can be worked out apart and then be one tree ([`super::KeptTree::of`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaves {
    /// Each record with its first leaf, ascending.
    pub(super) records: Vec<(RecordId, usize)>,
    /// The encoded parts, one after another.
    pub(super) encoded: Vec<u8>,
    /// Where each of them ends.
    pub(super) ends: Vec<usize>,
    /// The hash of each.
    pub(super) hashes: Vec<CutRoot>,
}

impl Leaves {
    /// The leaves of these records, ascending: of each all its parts, in any order; parts of one
    /// place are joined into one leaf.
    pub fn of(records: impl IntoIterator<Item = Vec<CutPart>>) -> Self {
        let hasher = leaf_hasher();
        let mut leaves = Self::default();
        for part in records.into_iter().flat_map(joined) {
            let (at, from) = (leaves.ends.len(), leaves.encoded.len());
            let last = leaves.records.last();
            if last.is_none_or(|(last, _)| *last != part.record) {
                leaves.records.push((part.record, at));
            }
            codec::encode_onto(&mut leaves.encoded, &part);
            leaves.hashes.push(leaf(&hasher, &leaves.encoded[from..]));
            leaves.ends.push(leaves.encoded.len());
        }
        leaves
    }

    /// With the leaves of another run behind these.
    pub(super) fn and(mut self, other: Self) -> Self {
        let (leaves, len) = (self.ends.len(), self.encoded.len());
        let records = other.records.into_iter();
        self.records
            .extend(records.map(|(record, at)| (record, leaves + at)));
        self.encoded.reserve_exact(other.encoded.len());
        self.encoded.extend_from_slice(&other.encoded);
        self.ends
            .extend(other.ends.into_iter().map(|end| len + end));
        self.hashes.extend(other.hashes);
        self
    }
}
