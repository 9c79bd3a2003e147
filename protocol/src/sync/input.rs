//! What happened, as the engine is told.

use serde::{Deserialize, Serialize};

use super::heard::Heard;
use crate::id::DeviceId;

/// Names a stream between two nodes: given by the shell, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub u64);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A stream was opened to a device, whose key the transport has proved.
    Connected {
        /// The stream.
        link: LinkId,
        /// The device at its other end.
        device: DeviceId,
        /// Whether this side called.
        is_caller: bool,
    },
    /// A frame came.
    Received {
        /// On which stream.
        link: LinkId,
        /// Its bytes, without the length.
        frame: Vec<u8>,
    },
    /// A frame came, and was read beside the engine.
    Heard {
        /// On which stream.
        link: LinkId,
        /// What it says.
        heard: Heard,
    },
    /// The frame that was handed over has left, and the next may be handed over.
    Sent {
        /// On which stream.
        link: LinkId,
    },
    /// A stream ended.
    Lost {
        /// Which.
        link: LinkId,
    },
    /// A device could not be reached.
    NotReached {
        /// Which.
        device: DeviceId,
    },
    /// Something was committed, or someone became known, by other hands than the engine's.
    Changed,
    /// Time has passed.
    Timer,
    /// The machine woke up or has another network: those who were not reached may be now.
    Awake,
}
