//! A cut: for each chain, the last link that stands after a revocation.
//!
//! A revocation carries only the root of a tree of parts, one leaf per (record, place), so that it
//! stays small for a practice of 12,000 records and tells nobody about places that they cannot
//! see. Each part travels with its place and proves itself against the root. Where the issuer
//! cannot read a document, a custodian that it names signs the part.

mod entrusted;
mod kept;
mod leaves;

use kith_crdt::{DocumentId, Label};
use serde::{Deserialize, Serialize};

use crate::{
    codec,
    id::{CutRoot, DeviceId, EnvelopeId, EventId, RecordId},
    limits::CUT_PATH_MAX,
    logs::{Act, CoreAct, LabelAct, PrincipalAct},
};

pub(super) use entrusted::entrusted;
pub use entrusted::{Custodian, CustodianWord, Custody};
pub use kept::KeptTree;
pub use leaves::Leaves;

/// What of the entries under a revoked link stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// Nothing stands: the empty cut.
    Nothing,
    /// What the parts say whose tree has this root; a part travels with its document.
    Parts(CutRoot),
    /// What the issuer's own parts say, if there are any; where it has none for a document, what
    /// a custodian says that it names.
    Entrusted {
        /// The root of the issuer's own parts.
        root: Option<CutRoot>,
        /// Whose word counts for what, strictly ascending.
        custodies: Vec<Custody>,
    },
}

impl Cut {
    /// What stands is said later, in another event that takes the place of this one: nobody has a
    /// part of the tree of this cut, so that until then all of it is marked and nothing is out.
    pub fn to_be_said() -> Self {
        let of_no_record = CutPart {
            record: RecordId::from_bytes([0; 32]),
            place: CutPlace::Core,
            chains: Vec::new(),
            documents: Vec::new(),
        };
        CutTree::new([of_no_record]).cut()
    }

    /// The root of the issuer's own parts.
    pub const fn root(&self) -> Option<CutRoot> {
        match self {
            Self::Nothing => None,
            Self::Parts(root) => Some(*root),
            Self::Entrusted { root, .. } => *root,
        }
    }

    /// Whose word counts beside the issuer's.
    pub fn custodies(&self) -> &[Custody] {
        match self {
            Self::Nothing | Self::Parts(_) => &[],
            Self::Entrusted { custodies, .. } => custodies,
        }
    }
}

/// The cut that an act carries.
pub const fn of_act(act: &Act) -> Option<&Cut> {
    match act {
        Act::Principal(
            PrincipalAct::DeviceRetire { cut, .. }
            | PrincipalAct::StaffEnd { cut, .. }
            | PrincipalAct::KeyChange { cut, .. },
        )
        | Act::Core(CoreAct::Recover { cut, .. })
        | Act::Label(LabelAct::Lapse { cut, .. }) => Some(cut),
        Act::Label(LabelAct::Revoke(revoke)) => Some(&revoke.cut),
        Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
    }
}

/// Where in a record the chains of a part run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CutPlace {
    /// Entries of a document.
    Document(DocumentId),
    /// Events of the core log.
    Core,
    /// Events of a label's log.
    Label(Label),
}

/// The part of a cut that concerns one place: a leaf of the tree.
///
/// A chain that is not listed has an empty cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CutPart {
    /// The record.
    pub record: RecordId,
    /// The document, or the log whose events the positions are of.
    pub place: CutPlace,
    /// The last standing position of each chain, strictly ascending; a chain that forked may have
    /// one for each branch.
    pub chains: Vec<CutPosition>,
    /// Of a label's log: every document of the label that has a part of its own, ascending, so
    /// that nobody waits for a part that there is not. [`CutTree::new`] fills it in.
    pub documents: Vec<DocumentId>,
}

/// The last link of one chain that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CutPosition {
    /// The device whose chain it is.
    pub device: DeviceId,
    /// The chain's epoch (0 for event chains).
    pub epoch: u32,
    /// Its position.
    pub seq: u64,
    /// Its id (an event's id for event chains): a cut names the branch.
    pub id: EnvelopeId,
}

/// A cut part with the proof that it belongs to a revocation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProvenPart {
    /// The event that carries the cut.
    pub revocation: EventId,
    /// What it says.
    pub part: CutPart,
    /// By whom.
    pub proof: PartProof,
}

/// Why a part belongs to a revocation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PartProof {
    /// It is a leaf of the issuer's own tree: sibling hashes from the leaf upward, with the side
    /// that each stands on.
    Issuer(Vec<(Side, CutRoot)>),
    /// A custodian signed it whom the revocation names.
    Custodian(CustodianWord),
}

/// Where a sibling stands in the tree of cut parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Side {
    /// Before.
    Left,
    /// After.
    Right,
}

/// Every part of a cut, before the revocation that carries its root is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutTree {
    parts: Vec<CutPart>,
    /// Hashes level by level, from the leaves to the root.
    levels: Vec<Vec<CutRoot>>,
}

impl CutTree {
    /// The tree of these parts, in any order; nothing when there is none.
    ///
    /// Parts of one place are joined into one leaf.
    pub fn new(parts: impl IntoIterator<Item = CutPart>) -> Self {
        let parts = joined(parts);
        let leaves = parts.iter().map(CutPart::leaf).collect();
        Self {
            parts,
            levels: levels(leaves),
        }
    }

    /// What a revocation carries.
    pub fn cut(&self) -> Cut {
        cut_of(&self.levels)
    }

    /// The parts.
    pub fn parts(&self) -> &[CutPart] {
        &self.parts
    }

    /// What a revocation carries whose issuer accepts the word of custodians where it has no part
    /// of its own.
    pub fn entrusting(&self, custodies: impl IntoIterator<Item = Custody>) -> Cut {
        let mut custodies: Vec<_> = custodies.into_iter().collect();
        custodies.sort_unstable();
        custodies.dedup();
        if custodies.is_empty() {
            return self.cut();
        }
        Cut::Entrusted {
            root: self.cut().root(),
            custodies,
        }
    }

    /// Each part with its proof, once the revocation has its id.
    pub fn proven(&self, revocation: EventId) -> Vec<ProvenPart> {
        let proven = |(at, part): (usize, &CutPart)| ProvenPart {
            revocation,
            part: part.clone(),
            proof: PartProof::Issuer(path(&self.levels, at)),
        };
        self.parts.iter().enumerate().map(proven).collect()
    }
}

/// The hashes level by level above these, up to the root.
fn levels(lowest: Vec<CutRoot>) -> Vec<Vec<CutRoot>> {
    let nodes = node_hasher();
    let mut levels = vec![lowest];
    while let Some(level) = levels.last()
        && level.len() > 1
    {
        levels.push(level.chunks(2).map(|pair| parent(&nodes, pair)).collect());
    }
    levels
}

/// What a revocation carries whose tree has these levels.
fn cut_of(levels: &[Vec<CutRoot>]) -> Cut {
    match levels.last().and_then(|level| level.first()) {
        Some(root) => Cut::Parts(*root),
        None => Cut::Nothing,
    }
}

/// The siblings of a node of the lowest of these levels, upward.
fn path(levels: &[Vec<CutRoot>], node: usize) -> Vec<(Side, CutRoot)> {
    let sibling = |(height, level): (usize, &Vec<CutRoot>)| {
        let at = node >> height;
        let side = if at.is_multiple_of(2) {
            Side::Right
        } else {
            Side::Left
        };
        level.get(at ^ 1).map(|hash| (side, *hash))
    };
    levels.iter().enumerate().filter_map(sibling).collect()
}

impl ProvenPart {
    /// Whether the part belongs to the issuer's tree with this root.
    pub fn belongs_to(&self, root: CutRoot) -> bool {
        let PartProof::Issuer(path) = &self.proof else {
            return false;
        };
        let nodes = node_hasher();
        let step = |below: CutRoot, (side, sibling): &(Side, CutRoot)| match side {
            Side::Left => parent(&nodes, &[*sibling, below]),
            Side::Right => parent(&nodes, &[below, *sibling]),
        };
        path.len() <= CUT_PATH_MAX
            && ascends(&self.part.chains)
            && path.iter().fold(self.part.leaf(), step) == root
    }
}

/// Parts of one place as one, and a part for the log of each label that has documents.
fn joined(parts: impl IntoIterator<Item = CutPart>) -> Vec<CutPart> {
    let mut all: Vec<_> = parts.into_iter().collect();
    all.sort_unstable_by(|a, b| (a.record, &a.place).cmp(&(b.record, &b.place)));
    let mut joined: Vec<CutPart> = Vec::with_capacity(all.len());
    let mut all = all.into_iter().peekable();
    while let Some(first) = all.peek() {
        let record = first.record;
        let mut labels = Vec::new();
        while let Some(part) = all.next_if(|part| part.record == record) {
            match &part.place {
                CutPlace::Document(document) => {
                    let log = of_label(&mut labels, record, &document.label);
                    log.documents.push(document.clone());
                    add(&mut joined, part);
                }
                CutPlace::Core => add(&mut joined, part),
                CutPlace::Label(label) => {
                    let log = of_label(&mut labels, record, label);
                    log.chains.extend(part.chains);
                }
            }
        }
        labels.sort_unstable_by(|a: &CutPart, b| a.place.cmp(&b.place));
        joined.extend(labels);
    }
    for part in &mut joined {
        part.chains.sort_unstable();
        part.chains.dedup();
        part.documents.dedup();
    }
    joined
}

/// The part of a label's log; a record has few labels.
fn of_label<'a>(labels: &'a mut Vec<CutPart>, record: RecordId, label: &Label) -> &'a mut CutPart {
    let is_its = |part: &CutPart| matches!(&part.place, CutPlace::Label(of) if of == label);
    let at = labels.iter().position(is_its).unwrap_or_else(|| {
        labels.push(CutPart {
            record,
            place: CutPlace::Label(label.clone()),
            chains: Vec::new(),
            documents: Vec::new(),
        });
        labels.len() - 1
    });
    &mut labels[at]
}

fn add(joined: &mut Vec<CutPart>, mut part: CutPart) {
    part.documents.clear();
    match joined.last_mut() {
        Some(last) if last.record == part.record && last.place == part.place => {
            last.chains.extend(part.chains);
        }
        Some(_) | None => joined.push(part),
    }
}

fn ascends(chains: &[CutPosition]) -> bool {
    chains.windows(2).all(|pair| pair[0] < pair[1])
}

impl CutPart {
    fn leaf(&self) -> CutRoot {
        leaf(&leaf_hasher(), &codec::encode(self))
    }
}

/// Hashes of leaves begin with this.
fn leaf_hasher() -> blake3::Hasher {
    blake3::Hasher::new_derive_key("kith v1 cut part")
}

/// Hashes above others begin with this.
fn node_hasher() -> blake3::Hasher {
    blake3::Hasher::new_derive_key("kith v1 cut node")
}

fn leaf(hasher: &blake3::Hasher, encoded: &[u8]) -> CutRoot {
    CutRoot::from_bytes(*hasher.clone().update(encoded).finalize().as_bytes())
}

/// The hash above two nodes; a node without a sibling moves up as it is.
fn parent(hasher: &blake3::Hasher, pair: &[CutRoot]) -> CutRoot {
    match pair {
        [left, right] => {
            let mut hasher = hasher.clone();
            hasher.update(left.as_bytes());
            hasher.update(right.as_bytes());
            CutRoot::from_bytes(*hasher.finalize().as_bytes())
        }
        [alone] => *alone,
        [] | [_, _, _, ..] => unreachable!("pairs come from chunks of two"),
    }
}

#[cfg(test)]
mod tests {
    use kith_crdt::{DocumentId, Label, Section};
    use proptest::prelude::*;

    use super::{Cut, CutPart, CutPlace, CutPosition, CutTree, KeptTree, Leaves};
    use crate::{
        codec,
        id::{CutRoot, DeviceId, EnvelopeId, EventId, RecordId},
    };

    fn part(number: u8) -> CutPart {
        let document = DocumentId {
            epoch: u32::from(number),
            ..DocumentId::first(Section::Plans, Label::general())
        };
        CutPart {
            record: RecordId::from_bytes([number / 3; 32]),
            place: CutPlace::Document(document),
            chains: vec![CutPosition {
                device: DeviceId::from_bytes([number; 32]),
                epoch: 0,
                seq: 7,
                id: EnvelopeId::from_bytes([number; 32]),
            }],
            documents: Vec::new(),
        }
    }

    fn leaves(parts: impl IntoIterator<Item = CutPart>) -> Leaves {
        let mut records = std::collections::BTreeMap::<_, Vec<_>>::new();
        for part in parts {
            records.entry(part.record).or_default().push(part);
        }
        Leaves::of(records.into_values())
    }

    fn kept(parts: impl IntoIterator<Item = CutPart>) -> KeptTree {
        KeptTree::of([leaves(parts)])
    }

    #[test]
    fn bytes_that_are_no_tree_are_refused() {
        let mut bytes = kept((0..9).map(part)).to_bytes();
        assert!(KeptTree::from_bytes(&bytes).is_some());
        bytes.pop();
        assert!(KeptTree::from_bytes(&bytes).is_none());
        assert!(KeptTree::from_bytes(b"").is_none());
    }

    #[test]
    fn no_part_is_the_empty_cut() {
        assert_eq!(CutTree::new([]).cut(), Cut::Nothing);
    }

    proptest! {
        #[test]
        fn every_part_proves_itself_and_no_other(count in 1_u8..40, other in 40_u8..80) {
            let tree = CutTree::new((0..count).map(part));
            let Cut::Parts(root) = tree.cut() else { panic!("there are parts") };
            let revocation = EventId::from_bytes([1; 32]);
            for proven in tree.proven(revocation) {
                prop_assert!(proven.belongs_to(root));
                let mut forged = proven.clone();
                forged.part = part(other);
                prop_assert!(!forged.belongs_to(root));
                let mut longer = proven;
                longer.part.documents.push(DocumentId::first(Section::Tasks, Label::private()));
                prop_assert!(!longer.belongs_to(root));
            }
        }

        #[test]
        fn the_parts_of_one_record_are_those_of_the_whole(count in 1_u8..100, of in 0_u8..35) {
            let tree = CutTree::new((0..count).map(part));
            let revocation = EventId::from_bytes([1; 32]);
            let record = RecordId::from_bytes([of; 32]);
            let mut all = tree.proven(revocation);
            all.retain(|proven| proven.part.record == record);
            let whole = kept((0..count).map(part));
            prop_assert_eq!(whole.cut(), tree.cut());
            let read = KeptTree::from_bytes(&whole.to_bytes()).expect("it was kept");
            prop_assert_eq!(read.proven_of(&record, revocation), all);
            prop_assert_eq!(CutTree::new(tree.parts().to_vec()), tree);
        }

        #[test]
        fn runs_of_records_are_one_tree(count in 0_u8..100, first in 0_u8..35, second in 0_u8..35) {
            let (low, high) = (first.min(second), first.max(second));
            let whole = kept((0..count).map(part));
            let run = |of: std::ops::Range<u8>| {
                let parts = (0..count).map(part);
                leaves(parts.filter(|part| of.contains(&part.record.as_bytes()[0])))
            };
            let runs = [run(0..low), run(low..high), run(high..u8::MAX)];
            prop_assert_eq!(KeptTree::of(runs), whole);
        }

        #[test]
        fn a_tree_that_was_kept_with_all_hashes_is_read(count in 1_u8..100) {
            let parts = || (0..count).map(part);
            let tree = CutTree::new(parts());
            let mut stored: [serde_bytes::ByteBuf; 4] =
                codec::decode_trusted(&kept(parts()).to_bytes()).expect("a list");
            let hashes = tree.levels.iter().flatten();
            let hashes: Vec<_> = hashes.flat_map(CutRoot::as_bytes).copied().collect();
            stored[3] = serde_bytes::ByteBuf::from(hashes);
            prop_assert_eq!(KeptTree::from_bytes(&codec::encode(&stored)), Some(kept(parts())));
        }
    }
}
