//! What is wrong with a bundle, and where.

use std::fmt;

use super::{BUNDLE_VERSION, Counts, frame::FrameKind, ledger::ItemFault};
use crate::{codec::DecodeError, signed::SignatureError};

/// A bundle is refused: what is wrong, and at which place of the file.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct BundleError {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which part of it.
    pub area: Area,
    /// Its first byte, from 0.
    pub from: u64,
    /// The byte after its last.
    pub to: u64,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The first 16 bytes.
    Preamble,
    /// A frame, counted from 0 (the manifest).
    Frame {
        /// Which.
        index: u64,
        /// Of which kind; `None` where that cannot be read.
        kind: Option<FrameKind>,
    },
    /// A sealed piece, counted from 0.
    Piece(u64),
    /// What follows the end.
    After,
}

/// What is wrong at a place.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not one of ours, or damaged at its very beginning.
    #[error("this is no kith bundle, or its beginning is damaged")]
    NotABundle,
    /// A newer version wrote it.
    #[error(
        "a newer version wrote it (format {0}, this one reads {BUNDLE_VERSION}): update kith here"
    )]
    Newer(u8),
    /// A sealed file where a plain one is read.
    #[error("the bundle is sealed: open it first")]
    Sealed,
    /// A plain file where a sealed one is read.
    #[error("the bundle is not sealed: read it as it is")]
    Plain,
    /// The bytes are not those that were written.
    #[error("the bytes are damaged: ask for another copy")]
    Damaged,
    /// A frame or file longer than is ever written.
    #[error("it has {len} bytes; at most {max} are taken")]
    Long {
        /// How long it is.
        len: u64,
        /// How long it may be.
        max: u64,
    },
    /// A frame that is not understood, though undamaged.
    #[error("what it holds is not understood: {0}")]
    Content(#[from] DecodeError),
    /// The manifest contradicts itself.
    #[error("its lists are too long or out of order, or it has not exactly one purpose")]
    Manifest,
    /// An item that does not fit in here.
    #[error(transparent)]
    Item(#[from] ItemFault),
    /// A frame of this kind does not stand here.
    #[error("a frame of this kind does not belong here")]
    Misplaced,
    /// The device that the manifest names did not sign it.
    #[error("the device that the bundle names did not sign it: {0}")]
    Signature(#[from] SignatureError),
    /// What was signed is not what stands before.
    #[error("the signature is of another bundle than this")]
    OtherBundle,
    /// It holds other items than its manifest promises.
    #[error("it holds {found:?} where its manifest promises {promised:?}")]
    Counts {
        /// What it holds.
        found: Counts,
        /// What it should hold.
        promised: Counts,
    },
    /// A sealed piece that does not open, though the key is right.
    #[error("the piece does not open: it is damaged, or the file ends too early")]
    Unopened,
    /// It ends too early.
    #[error("the file ends too early: ask for another copy")]
    CutOff,
    /// Something follows its end.
    #[error("bytes follow the end of the bundle")]
    Trailing,
    /// Reading went on after an error.
    #[error("reading stopped here before")]
    Stopped,
}

impl Place {
    pub(super) const fn with(self, fault: Fault) -> BundleError {
        BundleError { place: self, fault }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.area {
            Area::Preamble => f.write_str("beginning")?,
            Area::Frame { index, kind: None } => write!(f, "frame {index}")?,
            Area::Frame {
                index,
                kind: Some(kind),
            } => write!(f, "frame {index} ({kind})")?,
            Area::Piece(index) => write!(f, "sealed piece {index}")?,
            Area::After => f.write_str("end")?,
        }
        write!(f, ", bytes {} to {}", self.from, self.to)
    }
}
