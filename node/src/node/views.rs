//! Stored views: rows of what stands in a document, kept beside the log and made again from it
//! whenever they do not fit.
//!
//! Nothing is written when something is imported or arrives. Whoever needs a view says with a
//! [`Reader`] that the document may be read; one that is missing, damaged, of another version or of
//! other entries costs the time to make it.

use std::{cmp::Reverse, collections::BTreeMap};

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::{Audience, How, Recipient},
    codec,
    consent::{Reader, Whoever},
    id::{EventId, RecordId},
    record::{Placed, Record},
    store::{Item, Store},
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, row},
    now_ms,
};
use crate::{
    failure::Failure,
    health::search::{Query, Row, VIEW_VERSION, View},
    packing, parallel,
};

#[cfg(test)]
mod tests;

/// How hard zstd tries: more than this gains little on rows.
const ZSTD_LEVEL: i32 = 1;

/// From so many resources on views are made by all processors.
const SHARED_FROM: usize = 32;

/// A view as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    /// See [`Record::basis`].
    #[serde(with = "codec::array")]
    basis: [u8; 32],
    /// The CBOR of a [`View`], compressed.
    #[serde(with = "serde_bytes")]
    packed: Vec<u8>,
}

/// A resource that a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The document in which it stands.
    pub document: DocumentId,
    /// When it was written last, by the time that its author signed; milliseconds since 1970 UTC.
    pub updated_ms: u64,
    /// What is known of it.
    pub row: Row,
}

impl Node {
    /// What of a record fits a query, in the documents that someone may read. What they may not
    /// read looks like what is not there. The documents in which something was found are in the
    /// access log when this returns.
    ///
    /// # Errors
    /// When the record is not here or cannot be read, and when the access log cannot be written.
    pub fn search(
        &mut self,
        record: RecordId,
        query: &Query,
        who: &Whoever,
    ) -> Result<Vec<Found>, Failure> {
        self.with_record(record, |node, record| {
            let readers = node.readers(record, who);
            let (views, made) = node.views(record, &readers);
            let mut found = Vec::new();
            let mut shares: BTreeMap<Option<EventId>, Vec<DocumentId>> = BTreeMap::new();
            for (reader, view) in readers.iter().zip(&views) {
                let document = reader.document();
                let before = found.len();
                for row in &view.rows {
                    let updated_ms = updated_ms(record, document, view, row);
                    if query.finds(row, updated_ms) {
                        found.push(Found {
                            document: document.clone(),
                            updated_ms,
                            row: row.clone(),
                        });
                    }
                }
                if found.len() > before {
                    let of_share = shares.entry(reader.grant()).or_default();
                    of_share.push(document.clone());
                }
            }
            let to = Audience::Named(vec![Recipient {
                principal: who.principal,
                device: Some(who.device),
                staff: who.staff,
            }]);
            let shares = shares.into_iter();
            let said: Vec<_> = shares
                .map(|(grant, documents)| {
                    Self::state_of(record, documents, to.clone(), grant, How::Search)
                })
                .collect();
            if !said.is_empty() {
                node.disclosed(said, made)?;
            } else if let Err(failure) = node.commit(made) {
                tracing::warn!(what = failure.what, "views were not stored");
            }
            node.save_large(record);
            Ok(found)
        })
    }

    /// A token for each document of a record that someone may read. To whoever opened this store
    /// that is all of them.
    pub(super) fn readers(&self, record: &mut Record, who: &Whoever) -> Vec<Reader> {
        let is_owner = *who == self.whoever();
        let documents = record.ledger().documents();
        let may = |document: &DocumentId| {
            if is_owner {
                Some(record.ledger().own_copy(document, *who))
            } else {
                record.reader(who, document, now_ms())
            }
        };
        documents.iter().filter_map(may).collect()
    }

    /// The view of each of these documents: from the store where it fits, and made where not. With
    /// them the rows to store, which go into the commit of the disclosure; what is not stored is
    /// made again the next time.
    pub(super) fn views(&self, record: &mut Record, readers: &[Reader]) -> (Vec<View>, Vec<Item>) {
        let mut missing = Vec::new();
        let mut views = Vec::with_capacity(readers.len());
        for (at, reader) in readers.iter().enumerate() {
            let view = self.stored_view(record, reader);
            if view.is_none() {
                let placed = record.read(reader);
                // Reading may have found what cannot be read: now it is known what counts.
                let basis = record.basis(reader.document());
                missing.push((at, basis, placed));
            }
            views.push(view.unwrap_or_default());
        }
        let make = |piece: Vec<Missing>| {
            let made = piece.into_iter().map(|(at, basis, placed)| {
                let view = View::of(&placed);
                let item = stored(basis, &readers[at], &view);
                (at, view, item)
            });
            made.collect::<Vec<_>>()
        };
        let mut made = Vec::with_capacity(missing.len());
        for (at, view, item) in parallel::each(pieces(missing), make).into_iter().flatten() {
            views[at] = view;
            made.extend(item);
        }
        tracing::debug!(of = readers.len(), made = made.len(), "views");
        (views, made)
    }

    fn stored_view(&self, record: &mut Record, reader: &Reader) -> Option<View> {
        let name = name_of(reader);
        let bytes = self.store.row(&RowKind::View.key(&name)).ok()??;
        let stored: Stored = codec::decode_trusted(&bytes).ok()?;
        let fits =
            stored.version == VIEW_VERSION && stored.basis == record.basis(reader.document());
        let bytes = fits.then(|| packing::unpack(&stored.packed, usize::MAX))??;
        codec::decode_trusted(&bytes).ok()
    }
}

/// A document of which a view is to be made: its place among those that were asked for, its basis,
/// and what stands in it.
type Missing = (usize, [u8; 32], Vec<Placed>);

/// Documents of which views are to be made, shared out between the processors where that is quicker.
fn pieces(mut missing: Vec<Missing>) -> Vec<Vec<Missing>> {
    let len = |of: &Missing| of.2.len();
    let total: usize = missing.iter().map(len).sum();
    if total < SHARED_FROM {
        return vec![missing];
    }
    let mut pieces = vec![Vec::new(); parallel::width()];
    let mut loads = vec![0; pieces.len()];
    missing.sort_by_key(|of| Reverse(len(of)));
    for of in missing {
        let least = (0..loads.len()).min_by_key(|n| loads[*n]).unwrap_or(0);
        loads[least] += len(&of);
        pieces[least].push(of);
    }
    pieces
}

/// The row that keeps a view; nothing where it cannot be compressed.
fn stored(basis: [u8; 32], reader: &Reader, view: &View) -> Option<Item> {
    let packed = packing::pack(&codec::encode(view), ZSTD_LEVEL).ok()?;
    let stored = Stored {
        version: VIEW_VERSION,
        basis,
        packed,
    };
    Some(row(RowKind::View, &name_of(reader), &stored))
}

fn name_of(reader: &Reader) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 view name");
    hasher.update(reader.record().as_bytes());
    hasher.update(&codec::encode(reader.document()));
    *hasher.finalize().as_bytes()
}

/// When the last entry was signed of those by which a resource is as it is; where an earlier epoch
/// is not held, when it was carried over.
pub(super) fn updated_ms(
    record: &mut Record,
    document: &DocumentId,
    view: &View,
    row: &Row,
) -> u64 {
    let writers: Vec<_> = view
        .touched(row)
        .filter_map(|change| record.writer(&change))
        .collect();
    let begun = if writers.is_empty() {
        record.begun_by(document)
    } else {
        None
    };
    let times = writers.iter().chain(&begun);
    let times = times.filter_map(|entry| record.ledger().header(entry).map(|h| h.time_ms));
    times.max().unwrap_or(0)
}
