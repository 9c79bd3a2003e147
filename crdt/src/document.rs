//! One document: the resources of one (section, label, epoch) over automerge.
//!
//! At the root stands one map per resource, under an id that no other creation can have, so that
//! two people who add at the same time never meet in one key. In it: `$` (written once), `$o`
//! (the order of members), `$x` (retractions), `$v:UNIT` (what a resolution decided between), `$c`
//! (who wrote what in an earlier epoch) and the units themselves, registers as text and lists as lists of text.

mod carry_over;
mod edit;
pub mod guard;
mod list;
pub(crate) mod member;
mod view;

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use automerge::{ActorId, Automerge};

pub use automerge::ChangeHash;
pub use edit::{Edit, EditError, ListEdit};
pub use guard::{Fault, Unreadable};
pub use view::{Held, HeldUnit, Item, Retraction, UnitContent, Version};

use crate::vet::Vetted;

/// Names a resource within a document: 96 bits of a hash over the actor and place of its creation,
/// as 24 hexadecimal digits. Vetting derives it again, so that nobody makes a resource under the
/// id of another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

/// What every resource id is a hash over begins with.
static RESOURCE_IDS: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("kith v1 resource id"));

impl ResourceId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads 24 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 24 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn derive(actor: &Actor, start_op: u64, ordinal: usize) -> Self {
        let mut hasher = RESOURCE_IDS.clone();
        hasher.update(&actor.0);
        hasher.update(&start_op.to_be_bytes());
        hasher.update(&(ordinal as u64).to_be_bytes());
        let hash = hasher.finalize().to_hex();
        Self(hash.as_str()[..24].to_owned())
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whoever writes, to automerge: derived by the caller from device, document, epoch and nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub [u8; 16]);

/// The Automerge change that a write made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The uncompressed chunk.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: ChangeHash,
    /// The same, with what vetting found in it.
    pub vetted: Vetted,
    /// The resources that it made, in the order of the edits.
    pub created: Vec<ResourceId>,
}

/// A document could not take a change or be read; what it held before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Automerge refused.
    #[error("the document does not take the change")]
    Automerge(#[from] automerge::AutomergeError),
}

/// One document.
#[derive(Clone, Debug)]
pub struct Document {
    inner: Automerge,
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl Document {
    /// An empty document.
    pub fn new() -> Self {
        Self {
            inner: Automerge::new().with_actor(ActorId::from([0_u8; 16])),
        }
    }

    /// The document that automerge holds.
    pub const fn inner(&self) -> &Automerge {
        &self.inner
    }

    /// Wraps a document that was loaded or applied under guard.
    pub const fn from_inner(inner: Automerge) -> Self {
        Self { inner }
    }

    /// The stock Automerge format.
    pub fn save(&self) -> Vec<u8> {
        self.inner.save()
    }

    /// The hashes of the newest changes, ascending.
    pub fn heads(&self) -> Vec<ChangeHash> {
        let mut heads = self.inner.get_heads();
        heads.sort_unstable();
        heads
    }

    /// Whether a change is here.
    pub fn holds(&self, change: &ChangeHash) -> bool {
        self.inner.get_change_meta_by_hash(change).is_some()
    }

    /// The counter of the next operation: one above all that are here.
    fn next_counter(&self) -> u64 {
        let heads = self.inner.get_heads();
        let newest = heads
            .iter()
            .filter_map(|head| self.inner.get_change_meta_by_hash(head));
        1 + newest.map(|change| change.max_op).max().unwrap_or(0)
    }

    /// What each change builds on.
    fn ancestry(&self) -> BTreeMap<ChangeHash, Vec<ChangeHash>> {
        self.inner
            .get_changes_meta(&[])
            .into_iter()
            .map(|change| (change.hash, change.deps.clone()))
            .collect()
    }
}

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod tests;
