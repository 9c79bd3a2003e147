//! A cut's tree as a node keeps it: nothing is decoded or hashed before a part is asked for.

use serde_bytes::{ByteBuf, Bytes};

use super::{Cut, CutPart, Leaves, PartProof, ProvenPart, Side, cut_of, leaf, leaf_hasher, path};
use crate::{
    codec,
    id::{CutRoot, EventId, RecordId},
};

/// Levels of hashes that are not kept, since a record's few leaves say them quickly: most of the
/// hashes of a tree are in them.
const HEIGHT_NOT_KEPT: usize = 4;
/// Leaves under each of the lowest hashes that are kept.
const GROUP: usize = 1 << HEIGHT_NOT_KEPT;

/// A tree from which the parts of one record are proved when they are sent or asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTree {
    /// Each record with its first leaf, ascending.
    records: Vec<(RecordId, usize)>,
    encoded: Vec<u8>,
    ends: Vec<usize>,
    /// Hashes level by level, from those over groups of leaves to the root.
    levels: Vec<Vec<CutRoot>>,
}

impl KeptTree {
    /// The tree of these runs of records, which ascend.
    pub fn of(runs: impl IntoIterator<Item = Leaves>) -> Self {
        let leaves = runs.into_iter().reduce(Leaves::and).unwrap_or_default();
        Self {
            records: leaves.records,
            encoded: leaves.encoded,
            ends: leaves.ends,
            levels: above_groups(super::levels(leaves.hashes)),
        }
    }

    /// What a revocation carries.
    pub fn cut(&self) -> Cut {
        cut_of(&self.levels)
    }

    /// As it is stored: the records with their first leaves, the parts, where each ends, and the
    /// hashes from those over groups of sixteen leaves upward.
    pub fn to_bytes(&self) -> Vec<u8> {
        let number = |at: &usize| (*at as u64).to_be_bytes();
        let mut records = Vec::with_capacity(self.records.len() * 40);
        for (record, leaf) in &self.records {
            records.extend(record.as_bytes());
            records.extend(number(leaf));
        }
        let ends: Vec<_> = self.ends.iter().flat_map(number).collect();
        let hashes = self.levels.iter().flatten();
        let hashes: Vec<_> = hashes.flat_map(CutRoot::as_bytes).copied().collect();
        let stored = [&records, &self.encoded, &ends, &hashes];
        let len: usize = stored.iter().map(|bytes| bytes.len()).sum();
        let mut bytes = Vec::with_capacity(len + 64);
        codec::encode_onto(&mut bytes, &stored.map(|bytes| Bytes::new(bytes)));
        bytes
    }

    /// Reads what [`KeptTree::to_bytes`] wrote; nothing where it does not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [records, encoded, ends, hashes]: [ByteBuf; 4] = codec::decode_trusted(bytes).ok()?;
        let (records, left) = records.as_chunks::<40>();
        let (ends, left_of_ends) = ends.as_chunks::<8>();
        let (hashes, left_of_hashes) = hashes.as_chunks::<32>();
        let whole = left.is_empty() && left_of_ends.is_empty() && left_of_hashes.is_empty();
        let records: Vec<_> = records.iter().map(record).collect::<Option<_>>()?;
        let ends: Vec<_> = ends.iter().map(|end| number(*end)).collect::<Option<_>>()?;
        // Before decision 0080 the hashes of the leaves, and all others, were kept.
        let levels = levels(hashes, ends.len().div_ceil(GROUP))
            .or_else(|| levels(hashes, ends.len()).map(above_groups))?;
        let fits = ends.last().is_none_or(|end| *end == encoded.len()) && ends.is_sorted();
        (whole && fits).then(|| Self {
            records,
            encoded: encoded.into_vec(),
            ends,
            levels,
        })
    }

    /// How many records it is about.
    pub const fn records(&self) -> usize {
        self.records.len()
    }

    /// The parts of one record, each with its proof.
    pub fn proven_of(&self, record: &RecordId, revocation: EventId) -> Vec<ProvenPart> {
        let Ok(at) = self.records.binary_search_by(|(of, _)| of.cmp(record)) else {
            return Vec::new();
        };
        let from = self.records[at].1;
        let to = self.records.get(at + 1);
        let to = to.map_or(self.ends.len(), |(_, leaf)| *leaf);
        let mut proven = Vec::with_capacity(to - from);
        let mut leaf = from;
        while leaf < to {
            let group = leaf / GROUP;
            let in_group = self.in_group(group);
            let end = to.min((group + 1) * GROUP);
            proven.extend((leaf..end).filter_map(|leaf| {
                Some(ProvenPart {
                    revocation,
                    part: self.part(leaf)?,
                    proof: PartProof::Issuer(self.path(leaf, &in_group)),
                })
            }));
            leaf = end;
        }
        proven
    }

    /// The levels below a kept hash, from its leaves upward.
    fn in_group(&self, group: usize) -> Vec<Vec<CutRoot>> {
        let hasher = leaf_hasher();
        let leaves = group * GROUP..self.ends.len().min((group + 1) * GROUP);
        let encoded = leaves.filter_map(|leaf| self.encoded_part(leaf));
        super::levels(encoded.map(|bytes| leaf(&hasher, bytes)).collect())
    }

    /// The siblings of a leaf, upward.
    fn path(&self, leaf: usize, in_group: &[Vec<CutRoot>]) -> Vec<(Side, CutRoot)> {
        let mut siblings = path(in_group, leaf % GROUP);
        siblings.extend(path(&self.levels, leaf / GROUP));
        siblings
    }

    fn part(&self, leaf: usize) -> Option<CutPart> {
        codec::decode_trusted(self.encoded_part(leaf)?).ok()
    }

    fn encoded_part(&self, leaf: usize) -> Option<&[u8]> {
        let from = leaf
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.encoded.get(from..*self.ends.get(leaf)?)
    }
}

/// Without the levels that are not kept.
fn above_groups(mut levels: Vec<Vec<CutRoot>>) -> Vec<Vec<CutRoot>> {
    levels.split_off(HEIGHT_NOT_KEPT.min(levels.len() - 1))
}

fn record(bytes: &[u8; 40]) -> Option<(RecordId, usize)> {
    let (id, leaf) = bytes.split_first_chunk::<32>()?;
    Some((RecordId::from_bytes(*id), number(leaf.try_into().ok()?)?))
}

fn number(bytes: [u8; 8]) -> Option<usize> {
    usize::try_from(u64::from_be_bytes(bytes)).ok()
}

/// The levels above so many leaves: each has half as many as the one below, rounded up.
fn levels(hashes: &[[u8; 32]], leaves: usize) -> Option<Vec<Vec<CutRoot>>> {
    let (mut levels, mut rest, mut len) = (Vec::new(), hashes, leaves);
    loop {
        let (level, above) = rest.split_at_checked(len)?;
        levels.push(level.iter().copied().map(CutRoot::from_bytes).collect());
        rest = above;
        if len <= 1 {
            return rest.is_empty().then_some(levels);
        }
        len = len.div_ceil(2);
    }
}
