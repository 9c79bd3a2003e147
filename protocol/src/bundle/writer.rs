//! Items in, bytes out.

use serde::{Deserialize, Serialize};

use super::{
    Counts, Manifest,
    frame::{Chain, FileForm, FrameKind},
    item::BundleItem,
    ledger::{ItemFault, Ledger},
};
use crate::{
    codec,
    identity::SecretKey,
    signed::{Domain, seal},
};

/// Why a bundle cannot be written so; no reader would take it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The manifest.
    #[error(
        "a manifest has one purpose, its records in ascending order, and no more of anything than \
         a reader takes"
    )]
    Manifest,
    /// An item that does not fit.
    #[error(transparent)]
    Item(#[from] ItemFault),
    /// An item that is too long.
    #[error("the {kind} has {len} bytes; at most {max} fit", max = kind.len_max())]
    Long {
        /// What.
        kind: FrameKind,
        /// Its length.
        len: usize,
    },
    /// Other items than were promised.
    #[error("there were {found:?} where the manifest promises {promised:?}")]
    Counts {
        /// What there was.
        found: Counts,
        /// What there should have been.
        promised: Counts,
    },
    /// A key other than the manifest's device.
    #[error("the bundle is signed by the device that its manifest names, and by no other")]
    Key,
}

/// What the trailer signs (domain `kith/v1/bundle`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Statement {
    /// The file's version.
    pub(super) version: u8,
    /// The hash of the last frame, chained over the preamble and all frames.
    #[serde(with = "crate::codec::array")]
    pub(super) root: [u8; 32],
    /// How many frames stand before.
    pub(super) frames: u64,
    /// How many items of each kind.
    pub(super) counts: Counts,
    /// BLAKE3 of the encoded manifest.
    #[serde(with = "crate::codec::array")]
    pub(super) manifest: [u8; 32],
}

/// Writes a plain bundle.
#[derive(Debug)]
pub struct BundleWriter {
    manifest: Manifest,
    manifest_hash: [u8; 32],
    chain: Chain,
    frames: u64,
    ledger: Ledger,
}

impl BundleWriter {
    /// Begins a bundle: the writer and the file's first bytes.
    pub fn begin(manifest: Manifest) -> Result<(Self, Vec<u8>), WriteError> {
        if !manifest.is_sound() {
            return Err(WriteError::Manifest);
        }
        let body = codec::encode(&manifest);
        let mut writer = Self {
            manifest_hash: manifest_hash(&body),
            chain: Chain::begin(FileForm::Plain),
            frames: 0,
            ledger: Ledger::new(manifest.counts),
            manifest,
        };
        let mut bytes = FileForm::Plain.preamble().to_vec();
        bytes.append(&mut writer.frame(FrameKind::Manifest, &body)?);
        Ok((writer, bytes))
    }

    /// The bytes of the next item.
    pub fn item(&mut self, item: &BundleItem) -> Result<Vec<u8>, WriteError> {
        self.ledger.take(item)?;
        match item {
            BundleItem::PrincipalEvent(bytes)
            | BundleItem::RecordEvent(bytes)
            | BundleItem::Part(bytes)
            | BundleItem::Entry(bytes) => self.frame(item.kind(), bytes),
            BundleItem::Attachment(piece) => self.frame(item.kind(), &codec::encode(piece)),
        }
    }

    /// The last bytes: the trailer, signed by the manifest's device.
    pub fn finish(mut self, key: &SecretKey) -> Result<Vec<u8>, WriteError> {
        if key.device() != self.manifest.device {
            return Err(WriteError::Key);
        }
        let found = self.ledger.close()?;
        let promised = self.ledger.promised();
        if found != promised {
            return Err(WriteError::Counts { found, promised });
        }
        let statement = Statement {
            version: super::BUNDLE_VERSION,
            root: *self.chain.as_bytes(),
            frames: self.frames,
            counts: found,
            manifest: self.manifest_hash,
        };
        let signed = seal(Domain::Bundle, codec::encode(&statement), key);
        self.frame(FrameKind::Trailer, &signed)
    }

    fn frame(&mut self, kind: FrameKind, body: &[u8]) -> Result<Vec<u8>, WriteError> {
        let len = body.len();
        if len > kind.len_max() {
            return Err(WriteError::Long { kind, len });
        }
        self.frames += 1;
        Ok(self.chain.write(kind, body))
    }
}

/// BLAKE3 of an encoded manifest.
pub(super) fn manifest_hash(body: &[u8]) -> [u8; 32] {
    blake3::derive_key("kith v1 bundle manifest", body)
}
