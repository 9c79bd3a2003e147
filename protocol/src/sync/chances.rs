//! The engine's chances: one stream of bytes that follows from its seed.
//!
//! Every conversation has a nonce's worth of it at each step, whether it is looked at or not, so
//! that what an engine says never hangs on which conversations it passed over. What is not wanted
//! is not made.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Words of the stream, four bytes each, that a nonce takes.
const NONCE_WORDS: u128 = 4;

/// What is left of the stream.
pub(super) struct Chances {
    rng: ChaCha20Rng,
    /// Words that are passed over before the next is made.
    ahead: u128,
}

impl Chances {
    pub(super) fn of(seed: [u8; 32]) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed(seed),
            ahead: 0,
        }
    }

    /// The stream from here on.
    pub(super) fn rng(&mut self) -> &mut ChaCha20Rng {
        let ahead = std::mem::take(&mut self.ahead);
        if ahead > 0 {
            let at = self.rng.get_word_pos();
            self.rng.set_word_pos(at.wrapping_add(ahead));
        }
        &mut self.rng
    }

    /// Passes over the nonces of so many conversations.
    pub(super) fn pass(&mut self, conversations: usize) {
        self.ahead += NONCE_WORDS * conversations as u128;
    }

    /// The nonce of one step of one conversation, made when it is asked for.
    pub(super) const fn nonce(&mut self) -> Nonce<'_> {
        Nonce {
            chances: self,
            is_made: false,
        }
    }
}

/// The nonce of one step.
pub(super) struct Nonce<'a> {
    chances: &'a mut Chances,
    is_made: bool,
}

impl Nonce<'_> {
    /// The nonce: a step makes one at most.
    pub(super) fn make(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.chances.rng().fill_bytes(&mut nonce);
        self.is_made = true;
        nonce
    }
}

impl Drop for Nonce<'_> {
    fn drop(&mut self) {
        if !self.is_made {
            self.chances.pass(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::Chances;

    #[test]
    fn what_is_not_made_is_passed_over() {
        let (mut all, mut some) = (Chances::of([3; 32]), Chances::of([3; 32]));
        for round in 0..200_usize {
            let made: Vec<_> = (0..round).map(|_| all.nonce().make()).collect();
            if round % 3 == 0 {
                some.pass(round - round / 2);
                for made in &made[round - round / 2..] {
                    assert_eq!(some.nonce().make(), *made);
                }
            } else {
                (0..round).for_each(|_| drop(some.nonce()));
            }
            assert_eq!(all.rng().next_u32(), some.rng().next_u32());
        }
    }
}
