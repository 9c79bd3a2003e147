//! A cut's tree as a node keeps it: nothing is decoded or hashed before a part is asked for.

use serde_bytes::ByteBuf;

use super::{CutPart, CutTree, PartProof, ProvenPart, path};
use crate::{
    codec,
    id::{CutRoot, EventId, RecordId},
};

/// A tree from which the parts of one record are proved when they are sent or asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTree {
    /// Each record with its first leaf, ascending.
    records: Vec<(RecordId, usize)>,
    encoded: Vec<u8>,
    ends: Vec<usize>,
    levels: Vec<Vec<CutRoot>>,
}

impl KeptTree {
    pub(super) fn of(tree: &CutTree) -> Self {
        let mut records: Vec<(RecordId, usize)> = Vec::new();
        for (leaf, part) in tree.parts.iter().enumerate() {
            if records.last().is_none_or(|(last, _)| *last != part.record) {
                records.push((part.record, leaf));
            }
        }
        Self {
            records,
            encoded: tree.encoded.clone(),
            ends: tree.ends.clone(),
            levels: tree.levels.clone(),
        }
    }

    /// As it is stored: the records with their first leaves, the parts, where each ends, and the
    /// hashes from the leaves upward.
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
        let stored = [records, self.encoded.clone(), ends, hashes];
        codec::encode(&stored.map(ByteBuf::from))
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
        let levels = levels(hashes, ends.len())?;
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
        let proven = |leaf: usize| {
            Some(ProvenPart {
                revocation,
                part: self.part(leaf)?,
                proof: PartProof::Issuer(path(&self.levels, leaf)),
            })
        };
        (from..to).filter_map(proven).collect()
    }

    fn part(&self, leaf: usize) -> Option<CutPart> {
        let from = leaf
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied())?;
        let bytes = self.encoded.get(from..*self.ends.get(leaf)?)?;
        codec::decode_trusted(bytes).ok()
    }
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
