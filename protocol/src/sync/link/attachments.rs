//! Attachments: asked for piece by piece by whoever lacks them, each piece proved by its hash.
//!
//! The name of an attachment is the BLAKE3 hash of its bytes. Its outline lists the chaining
//! values of its pieces, which together make that hash, so that each piece proves itself as it
//! comes. Nothing is given but what a document names that the other side may read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root,
};
use kith_crdt::DocumentId;

use super::{Desk, Flight, Link, Stop, Want, with_documents};
use crate::{
    audit::{Audience, Disclosure, How, Recipient},
    codec,
    consent::Reader,
    id::{BlobId, RecordId},
    limits::{ATTACHMENT_LEN_MAX, ATTACHMENT_PIECE_LEN_MAX},
    record::Record,
    store::{Item, RowKey, Store, StoreError},
    sync::{
        message::{Farewell, Message, PieceHash},
        output::{News, Output},
        shell::Shell,
    },
};

/// Rows for documents whose attachments may be missing: after those of `progress`.
const UNFETCHED: u8 = 68;

/// The attachment that was asked for last: its pieces are asked for one after the other, and each
/// would read all of it.
#[derive(Debug)]
pub(in crate::sync) struct Served {
    record: RecordId,
    document: DocumentId,
    blob: BlobId,
    bytes: Vec<u8>,
}

/// What is fetched from one peer.
#[derive(Default)]
pub(super) struct Fetching {
    wanted: VecDeque<(RecordId, DocumentId, BlobId)>,
    coming: Option<Coming>,
    absent: BTreeSet<BlobId>,
}

/// An attachment that is on its way.
struct Coming {
    record: RecordId,
    document: DocumentId,
    blob: BlobId,
    len: u64,
    pieces: Vec<PieceHash>,
    bytes: Vec<u8>,
}

impl Fetching {
    pub(super) const fn waits(&self) -> bool {
        self.coming.is_some()
    }

    /// What the other side did not have it may have by now.
    pub(super) fn ask_again(&mut self) {
        self.absent.clear();
    }
}

/// The row that says that a document's attachments have to be looked for, or not any more.
pub(super) fn unfetched_row(record: &RecordId, document: &DocumentId, is_unfetched: bool) -> Item {
    Item::Row {
        key: RowKey {
            kind: UNFETCHED,
            name: codec::encode(&(record, document)),
        },
        value: is_unfetched.then(serde_bytes::ByteBuf::new),
    }
}

/// The attachments that the resources of a document name.
fn named<S: Shell>(
    desk: &Desk<'_, S>,
    record: &mut Record,
    document: &DocumentId,
) -> BTreeSet<BlobId> {
    let reader = record.ledger().own_copy(document, desk.shell.owner());
    blobs(record, &reader)
}

/// Those of them that are not here.
fn missing<S: Shell>(
    desk: &Desk<'_, S>,
    record: &mut Record,
    document: &DocumentId,
) -> Result<Vec<BlobId>, StoreError> {
    let mut missing = Vec::new();
    for blob in named(desk, record, document) {
        if desk.shell.store().blob(&blob)?.is_none() {
            missing.push(blob);
        }
    }
    Ok(missing)
}

fn blobs(record: &mut Record, reader: &Reader) -> BTreeSet<BlobId> {
    let placed = record.read(reader);
    placed
        .iter()
        .flat_map(|placed| &placed.held.meta.attachments)
        .filter_map(|attachment| BlobId::from_hex(&attachment.blob))
        .collect()
}

impl Link {
    /// The other side has given everything: what documents name and is not here is asked for.
    pub(super) fn look_for_attachments<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
    ) -> Result<(), Stop> {
        // Record by record, since each has to be loaded.
        let mut unfetched = BTreeMap::<RecordId, Vec<DocumentId>>::new();
        for (name, _) in desk.shell.store().rows(UNFETCHED)? {
            let Ok((id, document)) = codec::decode_trusted::<(RecordId, DocumentId)>(&name) else {
                continue;
            };
            let peer = self.peer.as_ref();
            if peer.is_some_and(|peer| peer.records.contains(&id)) {
                unfetched.entry(id).or_default().push(document);
            }
        }
        let mut done = Vec::new();
        for (id, documents) in unfetched {
            let families = documents.iter().map(DocumentId::family).collect();
            let missing = with_documents(desk, id, families, |desk, record| {
                documents
                    .iter()
                    .map(|document| missing(desk, record, document))
                    .collect::<Result<Vec<_>, _>>()
            })?;
            let missing = missing.unwrap_or_else(|| vec![Vec::new(); documents.len()]);
            for (document, missing) in documents.into_iter().zip(missing) {
                if missing.is_empty() {
                    done.push(unfetched_row(&id, &document, false));
                }
                let waiting = &mut self.fetching;
                for blob in missing {
                    let want = (id, document.clone(), blob);
                    if !waiting.wanted.contains(&want) && !waiting.absent.contains(&blob) {
                        waiting.wanted.push_back(want);
                    }
                }
            }
        }
        if !done.is_empty() {
            desk.shell.commit(&mut [], done)?;
        }
        self.fetch_next();
        Ok(())
    }

    fn fetch_next(&mut self) {
        if self.fetching.coming.is_some() {
            return;
        }
        if let Some((record, document, blob)) = self.fetching.wanted.pop_front() {
            self.control.push_back(Message::Want {
                record,
                document: document.clone(),
                blob,
                piece: None,
            });
            self.fetching.coming = Some(Coming {
                record,
                document,
                blob,
                len: 0,
                pieces: Vec::new(),
                bytes: Vec::new(),
            });
        }
    }

    /// The other side asks for an attachment's outline or for a piece of it.
    pub(super) fn wanted<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        want: &Want,
    ) -> Result<(), Stop> {
        let (id, document, blob) = (want.record, &want.document, want.blob);
        let shared = self
            .peer
            .as_ref()
            .is_some_and(|peer| peer.records.contains(&id));
        let reader = if shared {
            let families = BTreeSet::from([document.family()]);
            with_documents(desk, id, families, |desk, record| {
                self.serve(desk, record, want)
            })?
        } else {
            None
        };
        let (Some(Some(reader)), Some(served)) = (reader, desk.served.as_ref()) else {
            self.hand_over(desk, &Message::Absent { blob }, Flight::default());
            return Ok(());
        };
        let bytes = served.bytes.as_slice();
        let flight = Flight {
            documents: vec![(id, document.clone())],
        };
        let Some(nth) = want.piece else {
            let outline = Message::Outline {
                blob,
                len: bytes.len() as u64,
                pieces: outline(bytes),
            };
            self.hand_over(desk, &outline, flight);
            return Ok(());
        };
        let from = nth as usize * ATTACHMENT_PIECE_LEN_MAX;
        let Some(rest) = bytes
            .get(from..)
            .filter(|rest| !rest.is_empty() || from == 0)
        else {
            return Err(Stop::Bye(Farewell::Misspoke));
        };
        let rest_len = rest.len();
        let piece = rest[..rest_len.min(ATTACHMENT_PIECE_LEN_MAX)].to_vec();
        desk.shell.disclose(
            vec![Disclosure {
                to: Audience::Named(vec![Recipient {
                    principal: reader.who().principal,
                    device: Some(self.device),
                    staff: None,
                }]),
                record: id,
                documents: Vec::new(),
                attachments: vec![blob],
                grant: reader.grant(),
                purpose: reader.purpose(),
                how: How::Sync,
                len: piece.len() as u64,
            }],
            Vec::new(),
        )?;
        if piece.len() == rest_len {
            // The last one: nobody asks for more of it.
            *desk.served = None;
        }
        let message = Message::Piece {
            blob,
            piece: nth,
            bytes: serde_bytes::ByteBuf::from(piece),
        };
        self.hand_over(desk, &message, flight);
        Ok(())
    }

    /// Has the attachment at hand, where the peer may have it at this moment and the document
    /// names it.
    fn serve<S: Shell>(
        &self,
        desk: &mut Desk<'_, S>,
        record: &mut Record,
        want: &Want,
    ) -> Result<Option<Reader>, StoreError> {
        let Some(who) = self.who() else {
            return Ok(None);
        };
        // Looked at for each piece: a right may end between two.
        let Some(reader) = record.reader(&who, &want.document, desk.now_ms) else {
            return Ok(None);
        };
        let is_at_hand = desk.served.as_ref().is_some_and(|served| {
            (served.record, &served.document, served.blob)
                == (want.record, &want.document, want.blob)
        });
        if is_at_hand {
            return Ok(Some(reader));
        }
        if !blobs(record, &reader).contains(&want.blob) {
            return Ok(None);
        }
        let Some(bytes) = desk.shell.store().blob(&want.blob)? else {
            return Ok(None);
        };
        *desk.served = Some(Served {
            record: want.record,
            document: want.document.clone(),
            blob: want.blob,
            bytes,
        });
        Ok(Some(reader))
    }

    /// An outline came: it must make the attachment's name.
    pub(super) fn outlined(
        &mut self,
        blob: BlobId,
        len: u64,
        pieces: Vec<PieceHash>,
    ) -> Result<(), Stop> {
        let misspoke = || Stop::Bye(Farewell::Misspoke);
        let coming = self.fetching.coming.as_mut().ok_or_else(misspoke)?;
        if coming.blob != blob || !coming.pieces.is_empty() || !makes(blob, len, &pieces) {
            return Err(misspoke());
        }
        coming.len = len;
        coming.pieces = pieces;
        let want = coming.next();
        self.control.push_back(want);
        Ok(())
    }

    /// A piece came.
    pub(super) fn fetched<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        blob: BlobId,
        piece: u32,
        bytes: Vec<u8>,
    ) -> Result<(), Stop> {
        let misspoke = || Stop::Bye(Farewell::Misspoke);
        let coming = self.fetching.coming.as_mut().ok_or_else(misspoke)?;
        if coming.blob != blob || !coming.takes(piece, &bytes) {
            return Err(misspoke());
        }
        coming.bytes.extend(bytes);
        if (coming.bytes.len() as u64) < coming.len {
            let want = coming.next();
            self.control.push_back(want);
            return Ok(());
        }
        let Some(whole) = self.fetching.coming.take() else {
            return Ok(());
        };
        desk.shell.put_blob(&whole.bytes)?;
        desk.outputs.push_back(Output::Tell(News::Arrived {
            from: self.device,
            record: whole.record,
            count: 1,
        }));
        self.fetch_next();
        if self.fetching.coming.is_none() {
            self.look_for_attachments(desk)?;
        }
        Ok(())
    }

    /// The other side does not have it, or not for this one.
    pub(super) fn absent(&mut self, blob: BlobId) {
        if self
            .fetching
            .coming
            .as_ref()
            .is_some_and(|coming| coming.blob == blob)
        {
            self.fetching.coming = None;
            self.fetching.absent.insert(blob);
            self.fetch_next();
        }
    }
}

impl Coming {
    fn next(&self) -> Message {
        let piece = self.bytes.len() / ATTACHMENT_PIECE_LEN_MAX;
        Message::Want {
            record: self.record,
            document: self.document.clone(),
            blob: self.blob,
            piece: u32::try_from(piece).ok(),
        }
    }

    /// Whether this is the next piece, and what the outline says of it.
    fn takes(&self, piece: u32, bytes: &[u8]) -> bool {
        let nth = self.bytes.len() / ATTACHMENT_PIECE_LEN_MAX;
        let rest = self.len - self.bytes.len() as u64;
        piece as usize == nth
            && bytes.len() as u64 == rest.min(ATTACHMENT_PIECE_LEN_MAX as u64)
            && match self.pieces.as_slice() {
                [_] => BlobId::from_bytes(*blake3::hash(bytes).as_bytes()) == self.blob,
                pieces => pieces.get(nth) == Some(&PieceHash(chaining_value(nth, bytes))),
            }
    }
}

/// The chaining values of an attachment's pieces; of one that is a single piece, its hash.
fn outline(bytes: &[u8]) -> Vec<PieceHash> {
    if bytes.len() <= ATTACHMENT_PIECE_LEN_MAX {
        return vec![PieceHash(*blake3::hash(bytes).as_bytes())];
    }
    bytes
        .chunks(ATTACHMENT_PIECE_LEN_MAX)
        .enumerate()
        .map(|(nth, piece)| PieceHash(chaining_value(nth, piece)))
        .collect()
}

fn chaining_value(nth: usize, piece: &[u8]) -> ChainingValue {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset((nth * ATTACHMENT_PIECE_LEN_MAX) as u64);
    hasher.update(piece);
    hasher.finalize_non_root()
}

/// Whether these pieces make an attachment of this name and length.
fn makes(blob: BlobId, len: u64, pieces: &[PieceHash]) -> bool {
    let count = len.div_ceil(ATTACHMENT_PIECE_LEN_MAX as u64).max(1);
    if len > ATTACHMENT_LEN_MAX || pieces.len() as u64 != count {
        return false;
    }
    match pieces {
        [one] => one.0 == *blob.as_bytes(),
        _ => {
            let (left, right) = pieces.split_at(left_len(pieces.len()));
            let root = merge_subtrees_root(&merged(left), &merged(right), Mode::Hash);
            root.as_bytes() == blob.as_bytes()
        }
    }
}

/// The chaining value of a subtree of whole pieces (BLAKE3, 2.1: the left one is the largest
/// power of two that leaves something on the right).
fn merged(pieces: &[PieceHash]) -> ChainingValue {
    match pieces {
        [one] => one.0,
        [] => [0; 32],
        _ => {
            let (left, right) = pieces.split_at(left_len(pieces.len()));
            merge_subtrees_non_root(&merged(left), &merged(right), Mode::Hash)
        }
    }
}

const fn left_len(count: usize) -> usize {
    count.div_ceil(2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::{ATTACHMENT_PIECE_LEN_MAX, BlobId, PieceHash, chaining_value, makes, outline};

    #[test]
    fn pieces_make_the_name_of_the_whole() {
        let piece = ATTACHMENT_PIECE_LEN_MAX;
        for len in [
            0,
            1,
            piece - 1,
            piece,
            piece + 1,
            2 * piece,
            3 * piece,
            7 * piece + 5,
        ] {
            let whole: Vec<u8> = (0_u8..251).cycle().take(len).collect();
            let name = BlobId::from_bytes(*blake3::hash(&whole).as_bytes());
            let pieces = outline(&whole);
            assert!(makes(name, len as u64, &pieces), "{len}");
            let longer = len.max(1) as u64 + piece as u64;
            assert!(!makes(name, longer, &pieces), "{len}");
            let mut wrong = pieces.clone();
            wrong[0].0[0] ^= 1;
            assert!(!makes(name, len as u64, &wrong), "{len}");
        }
    }

    #[test]
    fn a_piece_at_another_place_has_another_hash() {
        let piece = vec![7; ATTACHMENT_PIECE_LEN_MAX];
        let first = PieceHash(chaining_value(0, &piece));
        assert_ne!(first, PieceHash(chaining_value(1, &piece)));
    }
}
