//! A plain file in, a sealed one out.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    PIECE_LEN, Pieces, commitment,
    slot::{PassphraseCost, SealingKey, Slot, Slots},
};
use crate::{
    bundle::frame::{Chain, FileForm, FrameKind},
    codec,
    limits::SEAL_SLOTS_MAX,
};

/// Why a file cannot be sealed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Nobody could open it.
    #[error("name a receiver or a passphrase: otherwise nobody can open the bundle")]
    Nobody,
    /// Too many receivers.
    #[error("a bundle is sealed to at most {SEAL_SLOTS_MAX} receivers")]
    Receivers,
    /// A receiver's key is none.
    #[error("the sealing key of receiver {0} is no key: ask for a new one")]
    Key(usize),
    /// The passphrase's cost.
    #[error("trying the passphrase would cost more, or less, than is allowed")]
    Cost,
}

/// Seals a file, fed in any split.
pub struct Sealer {
    pieces: Pieces,
    waiting: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// Begins a sealed file: the sealer and the file's first bytes.
    ///
    /// All randomness is from `rng`: it must be the operating system's.
    pub fn begin(
        receivers: &[SealingKey],
        passphrase: Option<(&str, PassphraseCost)>,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), SealError> {
        let mut content_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(content_key.as_mut_slice());
        let mut slots = Vec::new();
        for (index, receiver) in receivers.iter().enumerate() {
            let slot = Slot::for_receiver(&content_key, *receiver, rng);
            slots.push(slot.ok_or(SealError::Key(index))?);
        }
        if let Some((passphrase, cost)) = passphrase {
            let slot = Slot::for_passphrase(&content_key, passphrase, cost, rng);
            slots.push(slot.ok_or(SealError::Cost)?);
        }
        let slots = Slots {
            commitment: commitment(&content_key),
            slots,
        };
        match slots.slots.len() {
            0 => return Err(SealError::Nobody),
            1..=SEAL_SLOTS_MAX => {}
            _ => return Err(SealError::Receivers),
        }
        let mut chain = Chain::begin(FileForm::Sealed);
        let frame = chain.write(FrameKind::Slots, &codec::encode(&slots));
        let sealer = Self {
            pieces: Pieces::new(&content_key, chain.as_bytes()),
            waiting: Zeroizing::new(Vec::with_capacity(2 * PIECE_LEN)),
        };
        Ok((
            sealer,
            [&FileForm::Sealed.preamble(), frame.as_slice()].concat(),
        ))
    }

    /// Takes the plain file's next bytes and gives the sealed file's next, of which there may be
    /// none yet.
    pub fn push(&mut self, mut plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        while !plain.is_empty() {
            // A full piece waits for the byte after it, because the last one is sealed as the last.
            if self.waiting.len() == PIECE_LEN {
                sealed.append(&mut self.pieces.seal(&self.waiting, false));
                self.waiting.clear();
            }
            let room = (PIECE_LEN - self.waiting.len()).min(plain.len());
            let (now, later) = plain.split_at(room);
            self.waiting.extend_from_slice(now);
            plain = later;
        }
        sealed
    }

    /// The last bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.pieces.seal(&self.waiting, true)
    }
}
