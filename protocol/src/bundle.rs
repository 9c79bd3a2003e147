//! The portable bundle, a `.kith` file: a sync session written down.
//!
//! A [`BundleWriter`] turns items into bytes, a [`BundleReader`] turns bytes, in any split, back
//! into items. Neither touches a file. A bundle is a preamble, a [`Manifest`], items in the order
//! of a sync session (principal logs, the records' own logs, parts of cuts, entries, attachments)
//! and a trailer that the making device signed.
//!
//! Each frame carries a hash that is chained to the frame before, so that a flipped bit, a
//! missing, moved, repeated or foreign frame is found at its place, and a [`BundleError`] always
//! names one. The trailer signs the last link of that chain, which covers everything before it.
//!
//! Items are the bytes as they were received and signed; the bundle's own signature says who put
//! them together, not that they are true. Importing is replaying a sync session: each item goes
//! through the same intake as a peer's, and an item that was taken in from a file which turns out
//! to be cut off stands on its own signature. Whoever has the whole file reads it twice: once to
//! its end for the [`Summary`], then for the items.
//!
//! Writing a bundle is a disclosure: its link in the access log (`audit`) is durable before the
//! first byte leaves. It is sealed ([`seal`]) unless somebody asked for a plain one.

mod error;
mod frame;
mod incoming;
mod item;
mod ledger;
mod reader;
pub mod seal;
mod writer;

use serde::{Deserialize, Serialize};

use crate::{
    consent::grant::Purposes,
    id::{DeviceId, PrincipalId, RecordId, StaffId},
    limits::{BUNDLE_ITEMS_MAX, BUNDLE_LEN_MAX, BUNDLE_RECORDS_MAX},
    logs::LogId,
    store::Item,
};

pub use error::{Area, BundleError, Fault, Place};
pub use frame::{FileForm, FrameKind, PREAMBLE_LEN};
pub use item::{AttachmentPiece, BundleItem, attachment_pieces};
pub use ledger::{AttachmentFault, ItemFault};
pub use reader::{BundleReader, Frame, Summary};
pub use writer::{BundleWriter, WriteError};

/// The version of the file format that this build writes and reads.
pub const BUNDLE_VERSION: u8 = 1;

/// What a bundle says of itself before its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is of: strictly ascending.
    pub records: Vec<RecordId>,
    /// On whose behalf it was made.
    pub principal: PrincipalId,
    /// The member of staff who made it.
    pub staff: Option<StaffId>,
    /// The key that signs the trailer. That `principal` certified it is for its log to say.
    pub device: DeviceId,
    /// Claimed time, milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// What for; exactly one bit.
    pub purpose: Purposes,
    /// How many items of each kind follow.
    pub counts: Counts,
}

impl Manifest {
    /// Whether something taken in belongs to a record that the manifest names, or to none.
    pub fn covers(&self, item: &Item) -> bool {
        let record = match item {
            Item::Event { log, .. } => match log {
                LogId::Principal(_) | LogId::Core(None) => return true,
                LogId::Core(Some(record)) | LogId::Label(record, _) => record,
            },
            Item::Entry { record, .. } | Item::Part { record, .. } => record,
            Item::Row { .. } | Item::Audit { .. } => return false,
        };
        self.records.binary_search(record).is_ok()
    }

    fn is_sound(&self) -> bool {
        let one_purpose = [
            Purposes::CARE,
            Purposes::EMERGENCY,
            Purposes::OPERATIONS,
            Purposes::RESEARCH,
        ]
        .contains(&self.purpose);
        one_purpose
            && self.records.len() <= BUNDLE_RECORDS_MAX
            && self.records.windows(2).all(|pair| pair[0] < pair[1])
            && self
                .counts
                .total()
                .is_some_and(|total| total <= BUNDLE_ITEMS_MAX)
    }
}

/// How many items of each kind a bundle holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events of principal logs.
    pub principal_events: u64,
    /// Events of core and label logs.
    pub record_events: u64,
    /// Parts of cuts.
    pub parts: u64,
    /// Entries.
    pub entries: u64,
    /// Attachments, each of one or more pieces.
    pub attachments: u64,
}

impl Counts {
    /// All of them; `None` where no file could hold so many.
    pub fn total(&self) -> Option<u64> {
        [
            self.record_events,
            self.parts,
            self.entries,
            self.attachments,
        ]
        .into_iter()
        .try_fold(self.principal_events, u64::checked_add)
    }
}

/// How much a reader takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleLimits {
    /// Bytes of the file.
    pub len_max: u64,
}

impl Default for BundleLimits {
    fn default() -> Self {
        Self {
            len_max: BUNDLE_LEN_MAX,
        }
    }
}
