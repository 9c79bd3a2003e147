//! What was fed and not yet read, and the frames at its front.

use super::{
    BundleLimits,
    error::{Area, BundleError, Fault, Place},
    frame::{Chain, FRONT_LEN, FileForm, FrameKind, HEAD_LEN, Head, PREAMBLE_LEN},
};

/// Bytes waiting, and where in the file they stand. It grows by what is fed and by nothing that
/// the bytes say.
#[derive(Debug)]
pub(super) struct Incoming {
    form: FileForm,
    limits: BundleLimits,
    bytes: Vec<u8>,
    taken: usize,
    at: u64,
    chain: Chain,
    frames: u64,
}

/// A whole frame whose hash was checked.
pub(super) struct Whole {
    pub(super) kind: FrameKind,
    pub(super) place: Place,
    /// The chain before it.
    pub(super) before: Chain,
    pub(super) body: Vec<u8>,
}

impl Incoming {
    pub(super) fn new(form: FileForm, limits: BundleLimits) -> Self {
        Self {
            form,
            limits,
            bytes: Vec::new(),
            taken: 0,
            at: 0,
            chain: Chain::begin(form),
            frames: 0,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Reads the preamble; `false` when more bytes are needed.
    pub(super) fn preamble(&mut self) -> Result<bool, BundleError> {
        let Some(bytes) = self.waiting().first_chunk::<PREAMBLE_LEN>() else {
            return Ok(false);
        };
        let fault = match (FileForm::of(bytes), self.form) {
            (Ok(FileForm::Plain), FileForm::Plain) | (Ok(FileForm::Sealed), FileForm::Sealed) => {
                self.skip(PREAMBLE_LEN);
                return Ok(true);
            }
            (Ok(FileForm::Plain), FileForm::Sealed) => Fault::Plain,
            (Ok(FileForm::Sealed), FileForm::Plain) => Fault::Sealed,
            (Err(fault), _) => fault,
        };
        Err(self.place(Area::Preamble, PREAMBLE_LEN).with(fault))
    }

    /// The next frame whose hash holds, once all of it was fed.
    pub(super) fn frame(&mut self) -> Result<Option<Whole>, BundleError> {
        let Some(head) = self.waiting().first_chunk::<HEAD_LEN>() else {
            return Ok(None);
        };
        let head = Head::read(head)
            .map_err(|(kind, fault)| self.place(self.frame_area(kind), HEAD_LEN).with(fault))?;
        let len = FRONT_LEN + head.len;
        let place = self.place(self.frame_area(Some(head.kind)), len);
        let Some(bytes) = self.waiting().get(..len) else {
            return Ok(None);
        };
        let (front, body) = bytes.split_at(FRONT_LEN);
        let chain = self.chain.next(head, body);
        if front[HEAD_LEN..] != *chain.as_bytes() {
            return Err(place.with(Fault::Damaged));
        }
        let whole = Whole {
            kind: head.kind,
            place,
            before: self.chain,
            body: body.to_vec(),
        };
        self.skip(len);
        self.chain = chain;
        self.frames += 1;
        Ok(Some(whole))
    }

    /// The frame that comes next.
    pub(super) const fn frame_area(&self, kind: Option<FrameKind>) -> Area {
        Area::Frame {
            index: self.frames,
            kind,
        }
    }

    /// How many frames were read.
    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    /// The chain over the frames that were read.
    pub(super) const fn chain(&self) -> Chain {
        self.chain
    }

    /// The place in the file of the next byte.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// What waits.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// The next `len` bytes as a place.
    pub(super) const fn place(&self, area: Area, len: usize) -> Place {
        Place {
            area,
            from: self.at,
            to: self.at + len as u64,
        }
    }

    /// All that waits as a place.
    pub(super) fn rest(&self, area: Area) -> Place {
        self.place(area, self.waiting().len())
    }

    /// Goes on by `len` bytes that wait.
    pub(super) fn skip(&mut self, len: usize) {
        self.taken += len;
        self.at += len as u64;
    }

    /// Refuses a file that is longer than is taken; `area` is where reading is.
    pub(super) fn check_len(&self, area: Area) -> Result<(), BundleError> {
        let place = self.rest(area);
        let (len, max) = (place.to, self.limits.len_max);
        if len <= max {
            Ok(())
        } else {
            Err(place.with(Fault::Long { len, max }))
        }
    }
}
