//! A sealed file in, the plain one out.

use super::{
    PIECE_LEN, Pieces, TAG_LEN,
    slot::{PassphraseCost, Slots, Unlock},
};
use crate::{
    bundle::{
        BundleLimits,
        error::{Area, BundleError, Fault, Place},
        frame::{FileForm, FrameKind},
        incoming::Incoming,
    },
    codec,
};

/// Why a sealed file does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file itself: what, and where.
    #[error(transparent)]
    File(#[from] BundleError),
    /// The key or passphrase.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
}

/// Why a key or passphrase does not open a file that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    /// The beginning of the file is not here yet.
    #[error("the beginning of the bundle is not here yet: read on, then open it")]
    Early,
    /// Nothing was tried yet.
    #[error("the bundle is sealed: open it with your key or its passphrase first")]
    Locked,
    /// Not a receiver.
    #[error("the bundle is not sealed to this key: ask its sender to name you as a receiver")]
    NotForYou,
    /// No passphrase opens it.
    #[error("no passphrase opens this bundle: it is sealed to named receivers")]
    NoPassphrase,
    /// Another passphrase.
    #[error("the passphrase is not the one that the bundle was sealed with")]
    WrongPassphrase,
    /// It asks for more memory or time than is given.
    #[error(
        "trying a passphrase would take {} KiB of memory and {} passes: more than is given",
        .0.memory_kib, .0.passes
    )]
    Cost(PassphraseCost),
}

/// The ways to open a file, as far as they show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// How many receivers it is sealed to.
    pub receivers: usize,
    /// What trying a passphrase costs, where one opens it.
    pub passphrase: Option<PassphraseCost>,
}

/// Opens a sealed file, fed in any split: [`Self::ways`], then [`Self::unlock`], then pieces.
///
/// A piece that is given out is undamaged and in its place. That none is missing at the end is
/// known when [`Self::finish`] gave the last.
#[derive(Debug)]
pub struct Opener {
    incoming: Incoming,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Preamble,
    Slots,
    Locked(Slots),
    Open(Box<Pieces>),
    Stopped(Place),
}

const SEALED_PIECE_LEN: usize = PIECE_LEN + TAG_LEN;

impl Opener {
    /// Before the first byte.
    pub fn new(limits: BundleLimits) -> Self {
        Self {
            incoming: Incoming::new(FileForm::Sealed, limits),
            phase: Phase::Preamble,
        }
    }

    /// Takes the file's next bytes. They are held until [`Self::next_piece`] has read them.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.incoming.feed(bytes);
    }

    /// How the file can be opened; `None` when more bytes are needed, or it is open.
    pub fn ways(&mut self) -> Result<Option<Ways>, BundleError> {
        let read = self.read_slots();
        self.stop_on_error(read)?;
        match &self.phase {
            Phase::Locked(slots) => Ok(Some(slots.ways())),
            Phase::Preamble | Phase::Slots | Phase::Open(_) => Ok(None),
            Phase::Stopped(place) => Err(place.with(Fault::Stopped)),
        }
    }

    /// Tries a key or passphrase, once [`Self::ways`] gave something; where it does not open the file, another can be tried.
    ///
    /// A passphrase takes the time and memory that [`Self::ways`] says.
    pub fn unlock(&mut self, with: Unlock<'_>) -> Result<(), UnlockError> {
        let slots = match &self.phase {
            Phase::Locked(slots) => slots,
            Phase::Open(_) => return Ok(()),
            Phase::Preamble | Phase::Slots | Phase::Stopped(_) => return Err(UnlockError::Early),
        };
        let content_key = slots.open(with)?;
        let pieces = Pieces::new(&content_key, self.incoming.chain().as_bytes());
        self.phase = Phase::Open(Box::new(pieces));
        Ok(())
    }

    /// The plain file's next bytes; `None` when more bytes are needed.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, OpenError> {
        let read = self.read_slots().and_then(|()| self.piece_before_last());
        let piece = self.stop_on_error(read)?;
        match &self.phase {
            Phase::Preamble | Phase::Slots | Phase::Open(_) => Ok(piece),
            Phase::Locked(_) => Err(UnlockError::Locked.into()),
            Phase::Stopped(place) => Err(place.with(Fault::Stopped).into()),
        }
    }

    /// The plain file's last bytes, once the whole file was fed.
    pub fn finish(mut self) -> Result<Vec<u8>, OpenError> {
        let mut plain = Vec::new();
        while let Some(mut piece) = self.next_piece()? {
            plain.append(&mut piece);
        }
        let rest = self.incoming.rest(self.area());
        match &self.phase {
            Phase::Open(pieces) => {
                plain.append(&mut last_piece(pieces, self.incoming.waiting(), rest)?);
                Ok(plain)
            }
            Phase::Preamble | Phase::Slots => Err(rest.with(Fault::CutOff).into()),
            Phase::Locked(_) => Err(UnlockError::Locked.into()),
            Phase::Stopped(place) => Err(place.with(Fault::Stopped).into()),
        }
    }

    fn read_slots(&mut self) -> Result<(), BundleError> {
        self.incoming.check_len(self.area())?;
        if matches!(self.phase, Phase::Preamble) && self.incoming.preamble()? {
            self.phase = Phase::Slots;
        }
        if !matches!(self.phase, Phase::Slots) {
            return Ok(());
        }
        if let Some(whole) = self.incoming.frame()? {
            let slots = Slots::read(whole.kind, &whole.body);
            self.phase = Phase::Locked(slots.map_err(|fault| whole.place.with(fault))?);
        }
        Ok(())
    }

    /// The next piece, where bytes follow it: without them it may be the last.
    fn piece_before_last(&mut self) -> Result<Option<Vec<u8>>, BundleError> {
        let Phase::Open(pieces) = &mut self.phase else {
            return Ok(None);
        };
        let waiting = self.incoming.waiting();
        if waiting.len() <= SEALED_PIECE_LEN {
            return Ok(None);
        }
        let sealed = &waiting[..SEALED_PIECE_LEN];
        let place = self
            .incoming
            .place(Area::Piece(pieces.index()), SEALED_PIECE_LEN);
        let Some(plain) = pieces.open(sealed, false) else {
            let is_last = pieces.open(sealed, true).is_some();
            return Err(if is_last {
                self.incoming.rest(Area::After).with(Fault::Trailing)
            } else {
                place.with(Fault::Damaged)
            });
        };
        pieces.go_on();
        self.incoming.skip(SEALED_PIECE_LEN);
        Ok(Some(plain))
    }

    fn stop_on_error<T>(&mut self, read: Result<T, BundleError>) -> Result<T, BundleError> {
        if let Err(error) = &read {
            self.phase = Phase::Stopped(error.place);
        }
        read
    }

    fn area(&self) -> Area {
        match &self.phase {
            Phase::Preamble => Area::Preamble,
            Phase::Slots | Phase::Locked(_) => Area::Frame {
                index: 0,
                kind: Some(FrameKind::Slots),
            },
            Phase::Open(pieces) => Area::Piece(pieces.index()),
            Phase::Stopped(place) => place.area,
        }
    }
}

fn last_piece(pieces: &Pieces, sealed: &[u8], place: Place) -> Result<Vec<u8>, BundleError> {
    if sealed.len() < TAG_LEN {
        return Err(place.with(Fault::CutOff));
    }
    if let Some(plain) = pieces.open(sealed, true) {
        return Ok(plain);
    }
    let is_followed = pieces.open(sealed, false).is_some();
    Err(place.with(if is_followed {
        Fault::CutOff
    } else {
        Fault::Unopened
    }))
}

impl Slots {
    fn read(kind: FrameKind, body: &[u8]) -> Result<Self, Fault> {
        if kind != FrameKind::Slots {
            return Err(Fault::Misplaced);
        }
        let slots: Self = codec::decode(body)?;
        if slots.is_sound() {
            Ok(slots)
        } else {
            Err(Fault::Manifest)
        }
    }

    fn ways(&self) -> Ways {
        let passphrase = self.cost();
        Ways {
            receivers: self.slots.len() - usize::from(passphrase.is_some()),
            passphrase,
        }
    }

    /// The content key.
    fn open(&self, with: Unlock<'_>) -> Result<super::Key, UnlockError> {
        let none = match (with, self.cost()) {
            (Unlock::Secret(_), _) => UnlockError::NotForYou,
            (Unlock::Passphrase(_), None) => UnlockError::NoPassphrase,
            (Unlock::Passphrase(_), Some(cost)) if !cost.is_bearable() => {
                return Err(UnlockError::Cost(cost));
            }
            (Unlock::Passphrase(_), Some(_)) => UnlockError::WrongPassphrase,
        };
        let mut keys = self
            .slots
            .iter()
            .filter_map(|slot| slot.open(with, &self.commitment));
        keys.next().ok_or(none)
    }
}
