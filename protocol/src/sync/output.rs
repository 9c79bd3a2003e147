//! What is to be done, as the engine says.

use serde::{Deserialize, Serialize};

use super::{
    input::LinkId,
    message::{Farewell, NotTaken},
};
use crate::id::{DeviceId, RecordId};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Send a frame; `Input::Sent` is the answer, or `Input::Lost`.
    Send {
        /// On which stream.
        link: LinkId,
        /// Its bytes, without the length.
        #[serde(with = "serde_bytes")]
        frame: Vec<u8>,
        /// With what it may be compressed.
        together: Together,
    },
    /// End a stream. What of the last frame has not left does not leave where `at_once` is set.
    Close {
        /// Which.
        link: LinkId,
        /// Whether nothing more may leave.
        at_once: bool,
    },
    /// Open a stream to a device; `Input::Connected` is the answer, or `Input::NotReached`.
    Dial {
        /// To which.
        device: DeviceId,
    },
    /// Something that people or programs may want to know.
    Tell(News),
}

/// With what a frame may be compressed: content of one label only with its like, so that how well
/// it compresses tells nothing of another label's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Together {
    /// With nothing else.
    Alone,
    /// With those that go on after it.
    Begins,
    /// With the frames before it from the last that began.
    GoesOn,
}

/// How it stands with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is connected, and both have what they may.
    UpToDate,
    /// It is connected, and there is something to give or take.
    Talking,
    /// It is connected and waits for its turn, since many catch up.
    Queued,
    /// It is being called.
    Called,
    /// It is not connected.
    Away {
        /// When it is called next, milliseconds since 1970 UTC.
        next_ms: u64,
    },
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// A node is connected.
    Connected(DeviceId),
    /// Both have given each other everything that they may.
    UpToDate(DeviceId),
    /// New entries or events of a record came.
    Arrived {
        /// From whom.
        from: DeviceId,
        /// Of which record.
        record: RecordId,
        /// How many.
        count: usize,
    },
    /// The other side did not take something.
    KeptBack {
        /// Who.
        by: DeviceId,
        /// How much of one batch.
        count: usize,
        /// Why, of the first.
        why: NotTaken,
    },
    /// A conversation ended.
    Ended {
        /// With whom.
        with: DeviceId,
        /// Why; nothing when the connection was lost.
        why: Option<Farewell>,
    },
    /// A record cannot be read here, so nothing of it is sent.
    Unreadable(RecordId),
}
