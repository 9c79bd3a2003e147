//! A cut: for each chain, the last entry that stands after a revocation.

use kith_crdt::DocumentId;
use serde::{Deserialize, Serialize};

use crate::id::{CutRoot, DeviceId, EnvelopeId, EventId, RecordId};

/// What of the entries under a revoked link stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// Nothing stands: the empty cut.
    Nothing,
    /// What the parts say whose tree has this root; a part travels with its document.
    Parts(CutRoot),
}

/// The part of a cut that concerns one document: a leaf of the tree.
///
/// A chain that is not listed has an empty cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutPart {
    /// The record.
    pub record: RecordId,
    /// The document, or the label log's events (`None`: positions are of event chains).
    pub document: Option<DocumentId>,
    /// The last standing position of each chain, strictly ascending by (device, epoch).
    pub chains: Vec<CutPosition>,
}

/// The last entry of one chain that stands.
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

/// A cut part with the proof that it belongs to a revocation's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenPart {
    /// The event that carries the root.
    pub revocation: EventId,
    /// The leaf.
    pub part: CutPart,
    /// Sibling hashes from the leaf upward, with the side that each stands on.
    pub path: Vec<(Side, CutRoot)>,
}

/// Where a sibling stands in the tree of cut parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Before.
    Left,
    /// After.
    Right,
}
