//! What may come next in a bundle: one rule for writer and reader.

use std::cmp::Ordering;

use super::{
    Counts,
    frame::FrameKind,
    item::{AttachmentPiece, BundleItem},
};
use crate::{
    id::BlobId,
    limits::{ATTACHMENT_LEN_MAX, ATTACHMENT_PIECE_LEN_MAX},
};

/// Why an item does not fit in a bundle at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemFault {
    /// Kinds stand in the order of a sync session.
    #[error("a {found} does not come after a {before}")]
    Order {
        /// What came.
        found: FrameKind,
        /// After what.
        before: FrameKind,
    },
    /// More than the manifest promises.
    #[error("the manifest promises fewer of this kind ({0})")]
    Unpromised(FrameKind),
    /// A piece of an attachment.
    #[error(transparent)]
    Attachment(#[from] AttachmentFault),
}

/// What is wrong with an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentFault {
    /// It or its piece is longer than is taken.
    #[error("attachment {0} is too long")]
    Long(BlobId),
    /// Its pieces do not follow each other.
    #[error("attachment {0} has a gap or an overlap")]
    Gap(BlobId),
    /// It does not come after the one before by its id.
    #[error("attachment {0} is there twice or out of order")]
    Order(BlobId),
    /// Another one begins before it is whole, or the bundle ends.
    #[error("attachment {0} is not whole")]
    Unfinished(BlobId),
    /// Its bytes are not those of its id.
    #[error("attachment {0} has other bytes than its id says")]
    OtherBytes(BlobId),
}

#[derive(Debug)]
pub(super) struct Ledger {
    promised: Counts,
    found: Counts,
    last: FrameKind,
    attachment: Attachment,
}

impl Ledger {
    pub(super) fn new(promised: Counts) -> Self {
        Self {
            promised,
            found: Counts::default(),
            last: FrameKind::Manifest,
            attachment: Attachment::default(),
        }
    }

    pub(super) const fn promised(&self) -> Counts {
        self.promised
    }

    /// Whether `item` may come next.
    pub(super) fn take(&mut self, item: &BundleItem) -> Result<(), ItemFault> {
        let kind = item.kind();
        if kind < self.last {
            return Err(ItemFault::Order {
                found: kind,
                before: self.last,
            });
        }
        self.last = kind;
        let is_whole = match item {
            BundleItem::Attachment(piece) => self.attachment.take(piece)?,
            BundleItem::PrincipalEvent(_)
            | BundleItem::RecordEvent(_)
            | BundleItem::Part(_)
            | BundleItem::Entry(_) => true,
        };
        if is_whole { self.count(item) } else { Ok(()) }
    }

    fn count(&mut self, item: &BundleItem) -> Result<(), ItemFault> {
        let (found, promised) = match item {
            BundleItem::PrincipalEvent(_) => (
                &mut self.found.principal_events,
                self.promised.principal_events,
            ),
            BundleItem::RecordEvent(_) => {
                (&mut self.found.record_events, self.promised.record_events)
            }
            BundleItem::Part(_) => (&mut self.found.parts, self.promised.parts),
            BundleItem::Entry(_) => (&mut self.found.entries, self.promised.entries),
            BundleItem::Attachment(_) => (&mut self.found.attachments, self.promised.attachments),
        };
        if *found == promised {
            return Err(ItemFault::Unpromised(item.kind()));
        }
        *found += 1;
        Ok(())
    }

    /// What was found, once nothing more comes.
    pub(super) fn close(&self) -> Result<Counts, ItemFault> {
        match &self.attachment.open {
            Some(open) => Err(AttachmentFault::Unfinished(open.id).into()),
            None => Ok(self.found),
        }
    }
}

/// The attachment whose pieces are coming, and the last whole one.
#[derive(Debug, Default)]
struct Attachment {
    last: Option<BlobId>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    id: BlobId,
    len: u64,
    so_far: u64,
    hasher: Box<blake3::Hasher>,
}

impl Attachment {
    /// Takes a piece; `true` when it makes its attachment whole.
    fn take(&mut self, piece: &AttachmentPiece) -> Result<bool, AttachmentFault> {
        let id = piece.id;
        let len = piece.bytes.len();
        if piece.len > ATTACHMENT_LEN_MAX || len > ATTACHMENT_PIECE_LEN_MAX {
            return Err(AttachmentFault::Long(id));
        }
        let mut open = self.continues(piece)?;
        let is_empty = len == 0 && piece.len > 0;
        if open.so_far != piece.from || open.len != piece.len || is_empty {
            return Err(AttachmentFault::Gap(id));
        }
        open.hasher.update(&piece.bytes);
        open.so_far += len as u64;
        match open.so_far.cmp(&open.len) {
            Ordering::Greater => Err(AttachmentFault::Gap(id)),
            Ordering::Less => {
                self.open = Some(open);
                Ok(false)
            }
            Ordering::Equal if open.hasher.finalize().as_bytes() == id.as_bytes() => {
                self.last = Some(id);
                Ok(true)
            }
            Ordering::Equal => Err(AttachmentFault::OtherBytes(id)),
        }
    }

    fn continues(&mut self, piece: &AttachmentPiece) -> Result<Open, AttachmentFault> {
        match self.open.take() {
            Some(open) if open.id == piece.id => Ok(open),
            Some(open) => Err(AttachmentFault::Unfinished(open.id)),
            None if self.last.is_none_or(|last| last < piece.id) => Ok(Open {
                id: piece.id,
                len: piece.len,
                so_far: 0,
                hasher: Box::default(),
            }),
            None => Err(AttachmentFault::Order(piece.id)),
        }
    }
}
