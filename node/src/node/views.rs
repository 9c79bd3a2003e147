//! Views: rows of what stands in a document, kept at hand and beside the log, and made again from it
//! whenever they do not fit.
//!
//! Nothing is written when something is imported or arrives. Whoever needs a view says with a
//! [`Reader`] that the document may be read; one that is missing, damaged, of another version or of
//! other entries costs the time to make it. A node that runs keeps what it made at hand, and stores it
//! when nobody asks for anything; large ones, and those of a node that answers one command, are stored
//! with the disclosure for which they were made.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

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
    store::DiskStore,
};

#[cfg(test)]
mod tests;

/// How hard zstd tries: more than this gains little on rows.
const ZSTD_LEVEL: i32 = 1;

/// From so many resources on views are made by all processors.
const SHARED_FROM: usize = 32;

/// Where so many resources of a record are looked at for the first time what is made of them is
/// stored at once: to make all of it again would have somebody wait.
const LARGE_FROM: usize = 256;

/// Rows that are kept at hand, each of which takes about 1.5 KB.
pub(super) const AT_HAND_MAX: usize = 16_000;

/// The same while nobody asks for anything.
pub(super) const RESTING_AT_HAND_MAX: usize = 1_000;

/// A view that is kept at hand.
struct Kept {
    /// See [`Record::basis`].
    basis: [u8; 32],
    view: Arc<View>,
    is_stored: bool,
}

/// The views of a record that were used last, by their documents.
#[derive(Default)]
pub(super) struct Views(BTreeMap<DocumentId, Kept>);

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

    /// The view of each of these documents: one that is at hand or stored where it fits, and made
    /// where not. With them the rows to store now, which go into the commit of the disclosure; what
    /// is not stored is made again the next time.
    pub(super) fn views(
        &mut self,
        record: &mut Record,
        readers: &[Reader],
    ) -> (Vec<Arc<View>>, Vec<Item>) {
        let id = record.id();
        let mut at_hand = self.views.take(&id).unwrap_or_default();
        let missing = at_hand.lacks(&self.store, record, readers);
        let made: usize = missing.iter().map(|missing| missing.placed.len()).sum();
        let is_stored = !self.comes_back() || made >= LARGE_FROM;
        let make = |piece: Vec<Missing>| {
            let made = piece.into_iter().map(|missing| {
                let (document, mut kept) = missing.make();
                let row = is_stored.then(|| kept.stores(id, &document));
                (document, kept, row.flatten())
            });
            made.collect::<Vec<_>>()
        };
        let mut rows = Vec::new();
        for (document, kept, row) in parallel::each(pieces(missing), make).into_iter().flatten() {
            at_hand.0.insert(document, kept);
            rows.extend(row);
        }
        let views = readers.iter().map(|reader| &at_hand.0[reader.document()]);
        let views: Vec<_> = views.map(|kept| Arc::clone(&kept.view)).collect();
        tracing::debug!(of = views.len(), stored = rows.len(), "views");
        self.keep_views(id, at_hand);
        (views, rows)
    }

    pub(super) fn keep_views(&mut self, id: RecordId, views: Views) {
        let weight = views.0.values().map(|kept| kept.view.rows.len()).sum();
        self.views.put(id, views, weight);
    }

    /// Stores the views that are at hand and were not yet. Those that cannot be are made again when
    /// they are asked for.
    pub(super) fn store_views(&mut self) {
        let mut rows = Vec::new();
        for (id, views) in self.views.iter_mut() {
            for (document, kept) in views.0.iter_mut().filter(|(_, kept)| !kept.is_stored) {
                rows.extend(kept.stores(*id, document));
            }
        }
        if !rows.is_empty()
            && let Err(failure) = self.commit(rows)
        {
            tracing::warn!(what = failure.what, "views were not stored");
        }
    }
}

impl Views {
    /// Has the view of each document of a record, and stores none of them now.
    pub(super) fn make_all(&mut self, store: &DiskStore, record: &mut Record, owner: Whoever) {
        let documents = record.ledger().documents();
        let own = |document| record.ledger().own_copy(document, owner);
        let readers: Vec<_> = documents.iter().map(own).collect();
        let missing = self.lacks(store, record, &readers);
        self.0.extend(missing.into_iter().map(Missing::make));
    }

    /// Takes up what is stored of these documents. Gives those of which a view is to be made.
    fn lacks(
        &mut self,
        store: &DiskStore,
        record: &mut Record,
        readers: &[Reader],
    ) -> Vec<Missing> {
        let mut missing = Vec::new();
        for reader in readers {
            let document = reader.document();
            let basis = record.basis(document);
            let kept = self.0.get(document);
            if kept.is_some_and(|kept| kept.basis == basis) {
                continue;
            }
            if let Some(kept) = Kept::stored(store, record.id(), document, basis) {
                self.0.insert(document.clone(), kept);
                continue;
            }
            let placed = record.read(reader);
            missing.push(Missing {
                document: document.clone(),
                // Reading may have found what cannot be read: now it is known what counts.
                basis: record.basis(document),
                placed,
            });
        }
        missing
    }
}

impl Kept {
    /// The view of a document as it is stored, where that is of this basis.
    fn stored(
        store: &DiskStore,
        id: RecordId,
        document: &DocumentId,
        basis: [u8; 32],
    ) -> Option<Self> {
        let bytes = store
            .row(&RowKind::View.key(&name_of(id, document)))
            .ok()??;
        let stored: Stored = codec::decode_trusted(&bytes).ok()?;
        let fits = stored.version == VIEW_VERSION && stored.basis == basis;
        let bytes = fits.then(|| packing::unpack(&stored.packed, usize::MAX))??;
        Some(Self {
            basis,
            view: Arc::new(codec::decode_trusted(&bytes).ok()?),
            is_stored: true,
        })
    }

    /// The row that keeps it, which is to be committed; nothing where it cannot be compressed.
    fn stores(&mut self, id: RecordId, document: &DocumentId) -> Option<Item> {
        self.is_stored = true;
        let packed = packing::pack(&codec::encode(&*self.view), ZSTD_LEVEL).ok()?;
        let stored = Stored {
            version: VIEW_VERSION,
            basis: self.basis,
            packed,
        };
        Some(row(RowKind::View, &name_of(id, document), &stored))
    }
}

/// A document of which a view is to be made.
#[derive(Clone)]
struct Missing {
    document: DocumentId,
    /// See [`Record::basis`].
    basis: [u8; 32],
    placed: Vec<Placed>,
}

impl Missing {
    fn make(self) -> (DocumentId, Kept) {
        let kept = Kept {
            basis: self.basis,
            view: Arc::new(View::of(&self.placed)),
            is_stored: false,
        };
        (self.document, kept)
    }
}

/// Documents of which views are to be made, shared out between the processors where that is quicker.
fn pieces(mut missing: Vec<Missing>) -> Vec<Vec<Missing>> {
    let len = |of: &Missing| of.placed.len();
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

fn name_of(id: RecordId, document: &DocumentId) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 view name");
    hasher.update(id.as_bytes());
    hasher.update(&codec::encode(document));
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
