//! Bytes in, frames out.

use super::{
    BUNDLE_VERSION, BundleLimits, Manifest,
    error::{Area, BundleError, Fault, Place},
    frame::{Chain, FileForm, FrameKind},
    incoming::{Incoming, Whole},
    item::BundleItem,
    ledger::Ledger,
    writer::{Statement, manifest_hash},
};
use crate::{
    codec,
    signed::{Domain, unseal},
};

/// What a reader gives out: the manifest first, then items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// What the bundle says of itself; believed when the trailer was read.
    Manifest(Manifest),
    /// An item, undamaged and unchecked.
    Item(BundleItem),
}

/// A bundle that was read to its end, its signature checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it says of itself, signed by the device in it.
    pub manifest: Manifest,
    /// The hash over all frames: names this bundle.
    pub root: [u8; 32],
    /// Bytes of the file.
    pub len: u64,
}

/// Reads a plain bundle, fed in any split.
///
/// ```
/// # use kith_protocol::bundle::*;
/// # use kith_protocol::{consent::grant::Purposes, identity::SecretKey};
/// # let key = SecretKey::from_seed([1; 32]);
/// # let manifest = Manifest {
/// #     records: vec![], principal: key.principal(), staff: None, device: key.device(),
/// #     time_ms: 0, purpose: Purposes::CARE, counts: Counts::default(),
/// # };
/// let (writer, mut file) = BundleWriter::begin(manifest.clone())?;
/// file.extend(writer.finish(&key)?);
///
/// let mut reader = BundleReader::new(BundleLimits::default());
/// for chunk in file.chunks(100) {
///     reader.feed(chunk);
///     while let Some(frame) = reader.next_frame()? {
///         assert_eq!(frame, Frame::Manifest(manifest.clone()));
///     }
/// }
/// assert_eq!(reader.finish()?.manifest, manifest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BundleReader {
    incoming: Incoming,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Preamble,
    Manifest,
    Items(Box<Reading>),
    Done(Box<Summary>),
    Stopped(Place),
}

#[derive(Debug)]
struct Reading {
    manifest: Manifest,
    manifest_hash: [u8; 32],
    ledger: Ledger,
}

impl BundleReader {
    /// Before the first byte.
    pub fn new(limits: BundleLimits) -> Self {
        Self {
            incoming: Incoming::new(FileForm::Plain, limits),
            phase: Phase::Preamble,
        }
    }

    /// Takes the file's next bytes. They are held until [`Self::next_frame`] has read them: call
    /// it until it gives `None` before feeding more, and nothing above one frame is held.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.incoming.feed(bytes);
    }

    /// The next frame; `None` when more bytes are needed or the end was read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BundleError> {
        let read = self.step();
        if let Err(error) = &read {
            self.phase = Phase::Stopped(error.place);
        }
        read
    }

    /// What was read, once the whole file was fed.
    pub fn finish(mut self) -> Result<Summary, BundleError> {
        while self.next_frame()?.is_some() {}
        let rest = self.incoming.rest(self.area());
        match self.phase {
            Phase::Done(summary) => Ok(*summary),
            Phase::Preamble | Phase::Manifest | Phase::Items(_) => Err(rest.with(Fault::CutOff)),
            Phase::Stopped(place) => Err(place.with(Fault::Stopped)),
        }
    }

    fn step(&mut self) -> Result<Option<Frame>, BundleError> {
        self.incoming.check_len(self.area())?;
        match &self.phase {
            Phase::Preamble => {
                if !self.incoming.preamble()? {
                    return Ok(None);
                }
                self.phase = Phase::Manifest;
            }
            Phase::Manifest | Phase::Items(_) => {}
            Phase::Done(_) => return self.nothing_follows().map(|()| None),
            Phase::Stopped(place) => return Err(place.with(Fault::Stopped)),
        }
        match self.incoming.frame()? {
            Some(whole) => self.handle(whole),
            None => Ok(None),
        }
    }

    fn handle(&mut self, whole: Whole) -> Result<Option<Frame>, BundleError> {
        let place = whole.place;
        let (phase, frame) = match std::mem::replace(&mut self.phase, Phase::Stopped(place)) {
            Phase::Manifest => Reading::begin(&whole).map(|reading| {
                let frame = Frame::Manifest(reading.manifest.clone());
                (Phase::Items(Box::new(reading)), Some(frame))
            }),
            Phase::Items(reading) if whole.kind == FrameKind::Trailer => reading
                .close(&whole, self.incoming.frames() - 1)
                .map(|manifest| (self.done(manifest, whole.before), None)),
            Phase::Items(mut reading) => reading
                .item(whole)
                .map(|item| (Phase::Items(reading), Some(Frame::Item(item)))),
            Phase::Preamble | Phase::Done(_) | Phase::Stopped(_) => Err(Fault::Stopped),
        }
        .map_err(|fault| place.with(fault))?;
        self.phase = phase;
        if frame.is_none() {
            self.nothing_follows()?;
        }
        Ok(frame)
    }

    fn done(&self, manifest: Manifest, chain: Chain) -> Phase {
        Phase::Done(Box::new(Summary {
            manifest,
            root: *chain.as_bytes(),
            len: self.incoming.at(),
        }))
    }

    fn nothing_follows(&self) -> Result<(), BundleError> {
        if self.incoming.waiting().is_empty() {
            Ok(())
        } else {
            Err(self.incoming.rest(Area::After).with(Fault::Trailing))
        }
    }

    fn area(&self) -> Area {
        match self.phase {
            Phase::Preamble => Area::Preamble,
            Phase::Manifest | Phase::Items(_) => self.incoming.frame_area(None),
            Phase::Done(_) => Area::After,
            Phase::Stopped(place) => place.area,
        }
    }
}

impl Reading {
    fn begin(whole: &Whole) -> Result<Self, Fault> {
        if whole.kind != FrameKind::Manifest {
            return Err(Fault::Misplaced);
        }
        let manifest: Manifest = codec::decode(&whole.body)?;
        if !manifest.is_sound() {
            return Err(Fault::Manifest);
        }
        Ok(Self {
            manifest_hash: manifest_hash(&whole.body),
            ledger: Ledger::new(manifest.counts),
            manifest,
        })
    }

    fn item(&mut self, whole: Whole) -> Result<BundleItem, Fault> {
        let item = match whole.kind {
            FrameKind::PrincipalEvent => BundleItem::PrincipalEvent(whole.body),
            FrameKind::RecordEvent => BundleItem::RecordEvent(whole.body),
            FrameKind::Part => BundleItem::Part(whole.body),
            FrameKind::Entry => BundleItem::Entry(whole.body),
            FrameKind::Attachment => BundleItem::Attachment(codec::decode(&whole.body)?),
            FrameKind::Slots | FrameKind::Manifest | FrameKind::Trailer => {
                return Err(Fault::Misplaced);
            }
        };
        self.ledger.take(&item)?;
        Ok(item)
    }

    /// Checks the trailer after `frames` frames.
    fn close(self, whole: &Whole, frames: u64) -> Result<Manifest, Fault> {
        let signed = unseal(Domain::Bundle, &whole.body, self.manifest.device)?;
        let statement: Statement = codec::decode(&signed)?;
        let found = self.ledger.close()?;
        let expected = Statement {
            version: BUNDLE_VERSION,
            root: *whole.before.as_bytes(),
            frames,
            counts: found,
            manifest: self.manifest_hash,
        };
        if statement != expected {
            return Err(Fault::OtherBundle);
        }
        let promised = self.ledger.promised();
        if found == promised {
            Ok(self.manifest)
        } else {
            Err(Fault::Counts { found, promised })
        }
    }
}

#[cfg(test)]
mod tests;
