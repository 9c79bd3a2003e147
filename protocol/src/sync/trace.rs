//! A trace: everything that one run of a node's engine was told and did, so that it can be played
//! again on another shell and compared (decision 0086).
//!
//! A file of it is [`HEAD`] and then step after step, each its length (4 bytes, big-endian) and its
//! encoding. Nothing in it is a key, but it holds what records say: only a build with the feature
//! `trace` writes one, and only of a home of the demo.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    heard::Heard,
    input::{Input, LinkId},
    output::Output,
    shell::Peer,
};
use crate::{
    audit::AuditChain,
    codec::{self, DecodeError},
    consent::cut::ProvenPart,
    id::{BlobId, DeviceId, PrincipalId, RecordId},
    store::{Item, JournalPosition},
};

/// How a file of a trace begins.
pub const HEAD: &[u8] = b"kith trace 1\n";

/// Kinds of rows from here on are the engine's; those below are their shell's own.
pub const ENGINE_ROWS_FROM: u8 = 64;

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The engine was made.
    Start(Box<Start>),
    /// What other hands than the engine's did meanwhile.
    Others(Box<Others>),
    /// The engine was told something.
    Input {
        /// When, by its clock, milliseconds since 1970 UTC.
        at_ms: u64,
        /// What.
        told: Told,
        /// What it did.
        did: Did,
    },
    /// The engine was told to stop.
    Stop(Did),
}

/// What an engine was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Whose node it is.
    pub principal: PrincipalId,
    /// The node's device.
    pub device: DeviceId,
    /// The seed of the engine's chances.
    #[serde(with = "crate::codec::array")]
    pub seed: [u8; 32],
    /// When, milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// What lay in the store.
    pub found: Others,
    /// What it did.
    pub did: Did,
}

/// What is in a store that the engine did not put there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// What came into the journal, in its order.
    pub items: Vec<Item>,
    /// Rows of the engine's from runs before.
    pub rows: Vec<Item>,
    /// Where the access log stands, when others wrote in it.
    pub log: Option<AuditChain>,
    /// Whom the node knows, when that is not what it was.
    pub peers: Option<Vec<Peer>>,
}

/// What happened, as an engine can be told it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// A stream was opened.
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
        /// Its bytes.
        #[serde(with = "serde_bytes")]
        frame: Vec<u8>,
    },
    /// A frame came, and was read beside the engine.
    Heard {
        /// On which stream.
        link: LinkId,
        /// Its bytes.
        #[serde(with = "serde_bytes")]
        frame: Vec<u8>,
    },
    /// A frame has left.
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
    /// Something was committed by other hands.
    Changed,
    /// Time has passed.
    Timer,
    /// The machine woke up.
    Awake,
}

/// What an engine did about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Did {
    /// Attachments that it read and that it did not keep itself, each the first time.
    pub read: Vec<ByteBuf>,
    /// What it asked of its shell.
    pub calls: Vec<Call>,
    /// Whether its store did not answer at all.
    pub failed: bool,
    /// Whom the node knows afterwards, when that is not what it was.
    pub peers: Option<Vec<Peer>>,
    /// What it wants done.
    pub outputs: Vec<Output>,
    /// When it wants to be told that time has passed, milliseconds since 1970 UTC.
    pub wake_ms: Option<u64>,
}

/// What an engine asked of its shell beyond reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// To keep items.
    Commit {
        /// Which: those that came of records, then rows.
        given: Vec<Digest>,
        /// Where the journal stood then; nothing where it was refused.
        end: Option<JournalPosition>,
        /// What the node signed and kept because of them.
        added: Vec<Item>,
        /// Why it was refused.
        refused: Option<Refused>,
    },
    /// To enter disclosures into the access log.
    Disclose {
        /// Which.
        what: Vec<Digest>,
        /// Rows that are kept with them.
        rows: Vec<Digest>,
        /// When, milliseconds since 1970 UTC.
        at_ms: u64,
        /// What makes the log one of its own, where it began with them.
        begun: Option<Nonce>,
        /// The links that were written.
        links: Vec<Digest>,
        /// A checkpoint that the node signed behind them, and where the log stands with it.
        checkpoint: Option<Box<(Item, AuditChain)>>,
        /// Why it was refused.
        refused: Option<Refused>,
    },
    /// To keep an attachment.
    PutBlob {
        /// Which.
        blob: BlobId,
        /// Why it was refused.
        refused: Option<Refused>,
    },
    /// To note that a record is common to a principal and this node.
    NoteCommon {
        /// The principal.
        principal: PrincipalId,
        /// The record.
        record: RecordId,
    },
    /// For a record or what belongs to it, of which there are parts of cuts that the node makes
    /// when they are asked for; noted when they are not those that it made before.
    MadeParts {
        /// Of which record.
        record: RecordId,
        /// They.
        parts: Vec<ProvenPart>,
    },
}

/// Why a store refused to keep something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// There was no room.
    Full,
    /// It did not answer.
    Broken,
}

/// BLAKE3 of what an engine asked to keep, as it is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "crate::codec::array")] pub [u8; 32]);

/// What makes an access log one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(#[serde(with = "crate::codec::array")] pub [u8; 16]);

/// Why a file is not read as a trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It does not begin as one.
    #[error("this is not a trace of this version of kith")]
    Head,
    /// A step is whole and says nothing that is known here.
    #[error("step {nth} of the trace is not understood")]
    Step {
        /// Which, from 0.
        nth: usize,
        /// What is wrong with it.
        source: DecodeError,
    },
}

impl Digest {
    /// Of a value.
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self(*blake3::hash(&codec::encode(value)).as_bytes())
    }

    /// Of items, without the rows that are the shell's own.
    pub fn of_items<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<Self> {
        let of_engine =
            |item: &&Item| !matches!(item, Item::Row { key, .. } if key.kind < ENGINE_ROWS_FROM);
        let items = items.into_iter().filter(of_engine);
        items.map(Self::of).collect()
    }
}

impl Step {
    /// As it stands in a file.
    ///
    /// # Panics
    /// Never: a step holds some frames, each of at most 20 MiB, and what one commit kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let encoded = codec::encode(self);
        let len = u32::try_from(encoded.len()).expect("a step is shorter than 4 GiB");
        [&len.to_be_bytes(), encoded.as_slice()].concat()
    }

    /// Every step of a file. A last one that is not whole was being written when the node ended,
    /// and is left out.
    ///
    /// # Errors
    /// When the file is no trace, or one of another version.
    pub fn read_all(file: &[u8]) -> Result<Vec<Self>, TraceError> {
        let mut rest = file.strip_prefix(HEAD).ok_or(TraceError::Head)?;
        let mut steps = Vec::new();
        while let Some((len, behind)) = rest.split_first_chunk::<4>()
            && let Ok(len) = usize::try_from(u32::from_be_bytes(*len))
            && let Some((step, behind)) = behind.split_at_checked(len)
        {
            let nth = steps.len();
            let step = codec::decode_trusted(step);
            steps.push(step.map_err(|source| TraceError::Step { nth, source })?);
            rest = behind;
        }
        Ok(steps)
    }
}

impl Told {
    /// As an engine is told it.
    pub fn to_input(&self) -> Input {
        match self {
            Self::Connected {
                link,
                device,
                is_caller,
            } => Input::Connected {
                link: *link,
                device: *device,
                is_caller: *is_caller,
            },
            Self::Received { link, frame } => Input::Received {
                link: *link,
                frame: frame.clone(),
            },
            Self::Heard { link, frame } => Input::Heard {
                link: *link,
                heard: Heard::read(frame),
            },
            Self::Sent { link } => Input::Sent { link: *link },
            Self::Lost { link } => Input::Lost { link: *link },
            Self::NotReached { device } => Input::NotReached { device: *device },
            Self::Changed => Input::Changed,
            Self::Timer => Input::Timer,
            Self::Awake => Input::Awake,
        }
    }

    /// What an engine is about to be told.
    #[cfg(feature = "trace")]
    pub fn of(input: &Input) -> Self {
        match input {
            Input::Connected {
                link,
                device,
                is_caller,
            } => Self::Connected {
                link: *link,
                device: *device,
                is_caller: *is_caller,
            },
            Input::Received { link, frame } => Self::Received {
                link: *link,
                frame: frame.clone(),
            },
            Input::Heard { link, heard } => Self::Heard {
                link: *link,
                frame: heard.frame.clone(),
            },
            Input::Sent { link } => Self::Sent { link: *link },
            Input::Lost { link } => Self::Lost { link: *link },
            Input::NotReached { device } => Self::NotReached { device: *device },
            Input::Changed => Self::Changed,
            Input::Timer => Self::Timer,
            Input::Awake => Self::Awake,
        }
    }
}
