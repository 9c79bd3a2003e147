//! What a bundle carries, and what it is in the store.

use serde::{Deserialize, Serialize};

use super::frame::FrameKind;
use crate::{
    codec, condensed,
    consent::cut::ProvenPart,
    id::BlobId,
    intake::{self, IntakeError},
    limits::ATTACHMENT_PIECE_LEN_MAX,
    logs::LogId,
    record::{entry_item, event_item, not_ours},
    store::{Item, StoreError},
};

/// One thing that a bundle carries: bytes as they were received, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleItem {
    /// The signed bytes of an event of a principal log.
    PrincipalEvent(Vec<u8>),
    /// The signed bytes of an event of a core or label log.
    RecordEvent(Vec<u8>),
    /// An encoded part of a cut with its proof ([`ProvenPart`]).
    Part(Vec<u8>),
    /// An encoded envelope ([`crate::envelope::Envelope`]).
    Entry(Vec<u8>),
    /// A piece of an attachment.
    Attachment(AttachmentPiece),
}

/// A piece of an attachment. The pieces of one follow each other; attachments ascend by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentPiece {
    /// The BLAKE3 hash of the whole.
    pub id: BlobId,
    /// Bytes of the whole.
    pub len: u64,
    /// Where in the whole this piece begins.
    pub from: u64,
    /// The piece: at most 256 KiB, and empty only where the whole is.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl AttachmentPiece {
    /// Whether it is the last of its attachment.
    pub fn is_last(&self) -> bool {
        self.from.checked_add(self.bytes.len() as u64) == Some(self.len)
    }
}

/// The pieces of an attachment.
pub fn attachment_pieces(whole: &[u8]) -> impl Iterator<Item = BundleItem> + '_ {
    let id = BlobId::from_bytes(*blake3::hash(whole).as_bytes());
    let len = whole.len() as u64;
    let starts = (0..whole.len().max(1)).step_by(ATTACHMENT_PIECE_LEN_MAX);
    starts.map(move |from| {
        let to = whole.len().min(from + ATTACHMENT_PIECE_LEN_MAX);
        BundleItem::Attachment(AttachmentPiece {
            id,
            len,
            from: from as u64,
            bytes: whole[from..to].to_vec(),
        })
    })
}

impl BundleItem {
    /// An entry as the store has it: in a bundle its envelope is whole, so that whoever reads one
    /// needs nothing of Automerge to check a signature.
    ///
    /// # Errors
    /// When this version of kith cannot read it.
    pub fn of_entry(stored: Vec<u8>) -> Result<Self, StoreError> {
        let whole = condensed::whole(stored).map_err(|_| not_ours("an entry"))?;
        Ok(Self::Entry(whole))
    }

    /// Checks it as something that arrived (`intake`) and says where it is stored; `None` for a
    /// piece of an attachment, which goes to the blobs.
    pub fn into_stored(self) -> Result<Option<Item>, IntakeError> {
        match self {
            Self::PrincipalEvent(bytes) => stored_event(&bytes, true).map(Some),
            Self::RecordEvent(bytes) => stored_event(&bytes, false).map(Some),
            Self::Part(bytes) => stored_part(bytes).map(Some),
            Self::Entry(bytes) => stored_entry(&bytes).map(Some),
            Self::Attachment(_) => Ok(None),
        }
    }

    /// The kind of its frame.
    pub const fn kind(&self) -> FrameKind {
        match self {
            Self::PrincipalEvent(_) => FrameKind::PrincipalEvent,
            Self::RecordEvent(_) => FrameKind::RecordEvent,
            Self::Part(_) => FrameKind::Part,
            Self::Entry(_) => FrameKind::Entry,
            Self::Attachment(_) => FrameKind::Attachment,
        }
    }
}

fn stored_event(bytes: &[u8], of_principal: bool) -> Result<Item, IntakeError> {
    let event = intake::event(bytes)?;
    let log = intake::stored_log(event.value(), event.id());
    if matches!(log, LogId::Principal(_)) != of_principal {
        return Err(IntakeError::Log);
    }
    Ok(event_item(&event))
}

fn stored_entry(bytes: &[u8]) -> Result<Item, IntakeError> {
    Ok(entry_item(&intake::entry(bytes)?))
}

fn stored_part(bytes: Vec<u8>) -> Result<Item, IntakeError> {
    let proven: ProvenPart = codec::decode(&bytes)?;
    Ok(Item::Part {
        record: proven.part.record,
        revocation: proven.revocation,
        bytes,
    })
}
