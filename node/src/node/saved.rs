//! Saved documents as rows of the store: read when a record is loaded, written when one was read.

use kith_crdt::DocumentId;
use kith_protocol::{
    codec,
    id::RecordId,
    record::{Record, Saved},
    store::{Store, StoreError},
};

use super::{
    Node,
    identity::{RowKind, row},
};
use crate::store::DiskStore;

/// Opens what was saved of a record's large documents. One that is missing, damaged or of other
/// entries costs the time to make the document from the log.
pub(super) fn open_saved(store: &DiskStore, record: &mut Record) -> Result<(), StoreError> {
    for document in record.large_documents() {
        let name = name_of(record.id(), &document);
        let row = store.row(&RowKind::Saved.key(&name))?;
        let saved = row.and_then(|bytes| codec::decode_trusted::<Saved>(&bytes).ok());
        let used = saved.is_some_and(|saved| record.open_saved(&document, &saved));
        tracing::debug!(used, "a saved document");
    }
    Ok(())
}

impl Node {
    /// Saves the large documents of a record that was read. What cannot be saved is made again the
    /// next time, so that nobody is troubled by it.
    pub(super) fn save_large(&mut self, record: &mut Record) {
        let mut rows = Vec::new();
        for document in record.large_documents() {
            if let Some(saved) = record.to_save(&document) {
                let name = name_of(record.id(), &document);
                rows.push(row(RowKind::Saved, &name, &saved));
            }
        }
        if !rows.is_empty()
            && let Err(failure) = self.commit(rows)
        {
            tracing::warn!(what = failure.what, "documents were not saved");
        }
    }
}

fn name_of(record: RecordId, document: &DocumentId) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 saved document name");
    hasher.update(record.as_bytes());
    hasher.update(&codec::encode(document));
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use kith_crdt::samples::sample_bundle;
    use kith_protocol::store::{Item, Store as _};

    use super::RowKind;
    use crate::node::epochs::tests::Place;

    #[test]
    fn a_saved_document_is_used_and_a_damaged_or_strange_one_changes_nothing() {
        let mut place = Place::new();
        let record = place.imports(&sample_bundle(5, 1, 20));
        for n in 0..300 {
            place.notes(record, &format!("{n}: slept well"));
        }
        let rows = |place: &Place| place.node.store.rows(RowKind::Saved as u8).expect("rows");
        assert!(rows(&place).is_empty(), "nothing is saved by writing");
        let shown = place.shown(record);
        let saved = rows(&place);
        assert_eq!(saved.len(), 1);
        assert_eq!(place.opened_from_saved(record), 1);
        assert_eq!(place.shown(record), shown);
        assert_eq!(rows(&place), saved, "reading it does not save it again");

        place.notes(record, "One more");
        let more = place.shown(record);
        assert_ne!(more, shown);
        assert_eq!(
            place.opened_from_saved(record),
            1,
            "the rest is applied to it"
        );
        assert_eq!(place.shown(record), more);

        let (name, bytes) = saved[0].clone();
        let len = bytes.len();
        for at in (0..len).step_by(len / 40) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let key = RowKind::Saved.key(&name);
            let value = Some(serde_bytes::ByteBuf::from(flipped));
            place
                .node
                .commit(vec![Item::Row { key, value }])
                .expect("a row");
            place.opened_from_saved(record);
            assert_eq!(place.shown(record), more, "a bit at {at} of {len}");
        }
    }
}
