//! Saved documents: caches that spare applying a large document's changes one by one.
//!
//! One is used when exactly the entries that it was made of are loaded, among others or not, and
//! when it loads as the document that they make. Otherwise it counts for nothing, and the document
//! is made from the log.

use std::collections::BTreeSet;

use kith_crdt::{ChangeHash, Document, DocumentId};
use serde::{Deserialize, Serialize};

use super::{Opened, Record};
use crate::{id::EnvelopeId, limits::SAVED_ENTRIES_MIN};

/// A document as it was, and of what it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The entries that no other of it builds on, ascending.
    heads: Vec<EnvelopeId>,
    /// A hash over all of its entries.
    #[serde(with = "crate::codec::array")]
    fingerprint: [u8; 32],
    /// The stock Automerge format.
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

impl Record {
    /// The documents for which a saved one is worth having.
    pub fn large_documents(&mut self) -> Vec<DocumentId> {
        let mut large = self.ledger.documents();
        large.retain(|id| self.ledger.count(id) >= SAVED_ENTRIES_MIN);
        large.retain(|id| !self.is_past(id));
        large
    }

    /// A document that was made, to be saved; nothing where the one saved before is nearly as long,
    /// or where the document is not worth saving.
    pub fn to_save(&mut self, document: &DocumentId) -> Option<Saved> {
        let material = self.ledger.loaded(document);
        let before = self.saved.get(document).copied().unwrap_or(0);
        let is_worth = material.main.len() >= SAVED_ENTRIES_MIN.max(before + before / 4);
        if !is_worth || !material.sides.is_empty() {
            return None;
        }
        let opened = self.open.get(document)?;
        let entries: BTreeSet<_> = material.main.into_iter().collect();
        let made = opened.document.as_ref()?;
        let bytes = (opened.entries == entries).then(|| made.save())?;
        let heads = self.ledger.heads(document);
        (self.below(&heads) == entries).then_some(())?;
        self.saved.insert(document.clone(), entries.len());
        Some(Saved {
            heads,
            fingerprint: fingerprint(&entries),
            bytes,
        })
    }

    /// Opens a document from a saved one, where that is made of entries that are loaded. Tells
    /// whether it was.
    pub fn open_saved(&mut self, document: &DocumentId, saved: &Saved) -> bool {
        let entries = self.below(&saved.heads);
        let loaded: BTreeSet<_> = self.ledger.loaded(document).main.into_iter().collect();
        if self.open.contains_key(document)
            || fingerprint(&entries) != saved.fingerprint
            || !entries.is_subset(&loaded)
        {
            return false;
        }
        let Ok(opened) = Document::load(&saved.bytes) else {
            return false;
        };
        if opened.heads() != self.change_heads(&entries) {
            return false;
        }
        self.saved.insert(document.clone(), entries.len());
        self.open.insert(
            document.clone(),
            Opened {
                entries,
                document: Some(opened),
                held: None,
                sides: Vec::new(),
            },
        );
        true
    }

    /// The changes of these entries that no other of them builds on, ascending. A hash of a change
    /// covers all that it builds on.
    fn change_heads(&self, entries: &BTreeSet<EnvelopeId>) -> Vec<ChangeHash> {
        let changes = || entries.iter().filter_map(|id| self.changes.get(id));
        let mut heads: BTreeSet<_> = changes().map(kith_crdt::Vetted::hash).collect();
        for change in changes() {
            for dep in change.deps() {
                heads.remove(dep);
            }
        }
        heads.into_iter().collect()
    }
}

fn fingerprint(entries: &BTreeSet<EnvelopeId>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 saved document");
    for id in entries {
        hasher.update(id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}
