//! What the reading of a document is made of, in one hash: whoever keeps something that was made
//! from it knows by that whether it still holds.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;

use super::Record;
use crate::id::EnvelopeId;

impl Record {
    /// A hash over all that [`Record::read`] makes a document's resources of: the entries that are
    /// loaded, whether their content is here, those that stand aside, and of an epoch that no
    /// longer stands what the next one took over. Nothing is opened for it.
    ///
    /// The status of an entry and the name of its author are not in it, since both may change
    /// while the same is loaded.
    pub fn basis(&mut self, document: &DocumentId) -> [u8; 32] {
        let material = self.ledger.loaded(document);
        let main: BTreeSet<_> = material.main.into_iter().collect();
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 basis of a view");
        self.count(&mut hasher, &main);
        if self.is_past(document) {
            let taken = self.taken_over(document);
            self.count(&mut hasher, &taken.intersection(&main).copied().collect());
        } else {
            // No list has this length.
            hasher.update(&u64::MAX.to_be_bytes());
        }
        for side in material.sides {
            self.count(&mut hasher, &side.into_iter().collect());
        }
        *hasher.finalize().as_bytes()
    }

    fn count(&self, hasher: &mut blake3::Hasher, entries: &BTreeSet<EnvelopeId>) {
        hasher.update(&(entries.len() as u64).to_be_bytes());
        for id in entries {
            hasher.update(id.as_bytes());
            hasher.update(&[u8::from(self.changes.contains_key(id))]);
        }
    }
}
