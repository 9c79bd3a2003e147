//! What the two sides of a pairing say (`docs/formats.md`).

use kith_protocol::{
    codec,
    id::{DeviceId, RecordId},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    node::{Peer, Role},
    store::SheetSealed,
};

/// The version of this conversation.
pub const PAIR_VERSION: u8 = 1;

/// Where a guest knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Door {
    /// The first of four words, by its place in the list.
    Words(u16),
    /// The name of a link's invitation, which its secret gives.
    Link(#[serde(with = "codec::array")] [u8; 32]),
}

/// The guest's first word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    /// [`PAIR_VERSION`].
    pub version: u8,
    /// Which invitation.
    pub door: Door,
    /// The guest's half of the key.
    pub half: ByteBuf,
}

/// The host's first word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// The host's half of the key.
    Half(ByteBuf),
    /// Not through this door.
    No(Refusal),
}

/// The guest's proof that it has the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof(#[serde(with = "codec::array")] pub [u8; 32]);

/// What the host says to the guest's proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Checked {
    /// It holds, and this is the host's own.
    Holds(Proof),
    /// Not through this door.
    No(Refusal),
}

/// A message that carries a MAC of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The message.
    pub body: ByteBuf,
    /// Over the key, the side, the place in the conversation and the body.
    #[serde(with = "codec::array")]
    pub mac: [u8; 32],
}

/// What the host offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Who the host is.
    pub card: ByteBuf,
    /// Its principal log.
    pub log: Vec<ByteBuf>,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// What there is to take.
    pub gives: Gives,
    /// Until when what is given holds, where it ends, milliseconds since 1970 UTC.
    pub until_ms: Option<u64>,
    /// Whether a person of the host's confirms before it is given.
    pub waits: bool,
}

/// What there is to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gives {
    /// A share of a record.
    Share {
        /// What can be seen, such as `medicines,plans:general`.
        see: String,
        /// What can be added to.
        add: String,
        /// What can be changed.
        change: String,
    },
    /// To be another device of the host's owner.
    Device {
        /// The key that adds the device, to which the guest agrees.
        parent: DeviceId,
    },
}

/// What the guest says to the offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The share is taken.
    Share {
        /// Who the guest is.
        card: ByteBuf,
        /// Its principal log.
        log: Vec<ByteBuf>,
        /// Where it listens.
        addresses: Vec<String>,
    },
    /// The guest becomes a device of the host's owner.
    Device {
        /// Its agreement to act for the owner, added by the parent that the offer names.
        proof: ByteBuf,
    },
    /// It is not taken.
    Declined,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A share was given.
    Shared {
        /// The record.
        record: RecordId,
    },
    /// The guest is a device of the owner.
    Added(Box<Added>),
    /// A person is asked; the outcome follows.
    Waits,
    /// It was not given.
    No(Refusal),
}

/// All that a new device needs to act for its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The owner's principal log, with the new device in it.
    pub log: Vec<ByteBuf>,
    /// What the owner is called.
    pub name: String,
    /// What the owner is.
    pub role: Role,
    /// The secret half of the key that bundles for the owner are sealed to.
    #[serde(with = "codec::array")]
    pub sealing: [u8; 32],
    /// Nodes of others that the owner knows.
    pub others: Vec<Known>,
    /// The owner's root key, sealed to the code of the first device's recovery sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<SheetSealed>,
}

/// Somebody whom the owner knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Who.
    pub principal: kith_protocol::id::PrincipalId,
    /// Their principal log.
    pub log: Vec<ByteBuf>,
    /// Their node.
    pub peer: Peer,
}

/// Why an invitation is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// No such invitation is open: used, ended, taken back, or never made.
    NotOpen,
    /// The words are others, or no invitation begins with the first of them.
    NotMatched,
    /// Too many have tried in a short time.
    Later,
    /// Somebody else has used it.
    Used,
    /// The other side speaks another version of this conversation.
    Version,
    /// A person said no.
    Declined,
    /// Who the guest is could not be checked.
    NotChecked,
    /// It was answered with something else than what was offered.
    Misspoke,
}
