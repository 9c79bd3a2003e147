//! The key that two devices find together from a secret that both know, and what is proved by it.
//!
//! SPAKE2 over Ed25519 gives whoever listens nothing to try guesses on, and whoever takes part one
//! guess. The guest proves first, so that a guess that was wrong is known to the host before it has
//! said anything.

use kith_protocol::{codec, id::DeviceId};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use zeroize::Zeroizing;

use super::message::{Bound, Door, PAIR_VERSION};

/// Which side speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who was invited.
    Guest,
    /// Who invites.
    Host,
}

/// One side's half of finding a key: used once.
pub struct Half {
    half: Spake2<Ed25519Group>,
    side: Side,
    door: Door,
    said: Vec<u8>,
}

impl Half {
    /// Begins, and gives what the other side has to hear.
    pub fn begin(
        side: Side,
        door: Door,
        password: &[u8],
        (guest, host): (DeviceId, DeviceId),
    ) -> Self {
        let password = Password::new(password);
        let guest = Identity::new(guest.as_bytes());
        let host = Identity::new(host.as_bytes());
        let (half, said) = match side {
            Side::Guest => Spake2::start_a(&password, &guest, &host),
            Side::Host => Spake2::start_b(&password, &guest, &host),
        };
        Self {
            half,
            side,
            door,
            said,
        }
    }

    /// What the other side has to hear.
    pub fn said(&self) -> &[u8] {
        &self.said
    }

    /// The key, which is the other's too if it began with the same password, devices and door;
    /// nothing when what it said is no message of this exchange.
    pub fn finish(self, heard: &[u8]) -> Option<Key> {
        let Self {
            half,
            side,
            door,
            said,
        } = self;
        let found = Zeroizing::new(half.finish(heard).ok()?);
        let (guest, host) = match side {
            Side::Guest => (said.as_slice(), heard),
            Side::Host => (heard, said.as_slice()),
        };
        let transcript = codec::encode(&(
            PAIR_VERSION,
            door,
            serde_bytes::Bytes::new(guest),
            serde_bytes::Bytes::new(host),
        ));
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 pairing key");
        hasher.update(&found);
        hasher.update(&transcript);
        Some(Key {
            key: Zeroizing::new(*hasher.finalize().as_bytes()),
            sent: 0,
            heard: 0,
            side,
        })
    }
}

/// A key that both sides have if both knew the secret.
pub struct Key {
    key: Zeroizing<[u8; 32]>,
    side: Side,
    sent: u64,
    heard: u64,
}

impl Key {
    /// This side's proof that it has the key.
    pub fn proof(&self) -> [u8; 32] {
        *self.proof_of(self.side).as_bytes()
    }

    /// Whether the other side has proved that it has the key.
    pub fn proves(&self, proof: &[u8; 32]) -> bool {
        // Hashes compare in constant time.
        self.proof_of(self.other()) == blake3::Hash::from_bytes(*proof)
    }

    /// Binds a message to the key and to its place in the conversation.
    pub fn bind(&mut self, body: Vec<u8>) -> Bound {
        let mac = *self.mac(self.side, self.sent, &body).as_bytes();
        self.sent += 1;
        Bound {
            body: serde_bytes::ByteBuf::from(body),
            mac,
        }
    }

    /// A message of the other side's, if it is the next one and bound to the key.
    pub fn unbind(&mut self, bound: Bound) -> Option<Vec<u8>> {
        let mac = self.mac(self.other(), self.heard, &bound.body);
        if mac != blake3::Hash::from_bytes(bound.mac) {
            return None;
        }
        self.heard += 1;
        Some(bound.body.into_vec())
    }

    const fn other(&self) -> Side {
        match self.side {
            Side::Guest => Side::Host,
            Side::Host => Side::Guest,
        }
    }

    fn proof_of(&self, side: Side) -> blake3::Hash {
        let context = match side {
            Side::Guest => "kith v1 pairing proof of the guest",
            Side::Host => "kith v1 pairing proof of the host",
        };
        let key = Zeroizing::new(blake3::derive_key(context, &*self.key));
        blake3::keyed_hash(&key, b"")
    }

    fn mac(&self, side: Side, place: u64, body: &[u8]) -> blake3::Hash {
        let context = match side {
            Side::Guest => "kith v1 pairing message of the guest",
            Side::Host => "kith v1 pairing message of the host",
        };
        let key = Zeroizing::new(blake3::derive_key(context, &*self.key));
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&place.to_be_bytes());
        hasher.update(body);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests;
