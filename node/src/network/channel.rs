//! Frames on a stream: a four-byte big-endian length, then the frame.
//!
//! On a sync stream a frame has a byte before it that says whether it is compressed: by itself, or
//! together with those before it, where the engine says that all of them carry content of one label
//! (`Output::Send`). So the size of a frame tells nothing of another label's content.

use std::{io, sync::Arc, time::Duration};

use futures::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
    io::{ReadHalf, WriteHalf},
};
use kith_protocol::{
    codec::{self, DecodeError},
    limits::FRAME_LEN_MAX,
    sync::Together,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{talks::Attended, traffic::Traffic};
use crate::packing::{self, Window, WindowReader};

/// How long one frame may take to be sent, or to come once it has begun.
const FRAME_LASTS: Duration = Duration::from_mins(2);

/// Frames shorter than this are not compressed: it would not make them shorter.
const COMPRESS_FROM: usize = 512;

/// How hard a frame is compressed. More saves next to nothing: much of what is left are signatures,
/// hashes and names that nobody can guess.
const COMPRESS_LEVEL: i32 = 3;

/// How hard frames are compressed that go on in a window. Three times as hard saves 4 in 1,000.
const WINDOW_LEVEL: i32 = 1;

/// Shorter frames begin no window: what is kept for one costs more than they are.
const WINDOW_FROM: usize = 64 * 1024;

/// Bytes of the length before each frame.
const LENGTH_LEN: usize = 4;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;
/// Compressed, and those that go on in its window may follow.
const BEGINS: u8 = 2;
/// Compressed in the window of the one before.
const GOES_ON: u8 = 3;
/// No frame: nothing goes on in the window, so that nobody has to keep it.
const ENDS: u8 = 4;

/// A stream of bytes to one device.
pub(super) type Stream = Attended<libp2p::Stream>;

/// A stream of frames to one device.
pub struct Channel {
    stream: Stream,
    traffic: Arc<Traffic>,
    /// Bytes of the longest frame that is read: strangers have less than known devices.
    frame_len_max: usize,
}

/// Why a frame could not be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The stream broke or ended.
    #[error("the connection ended")]
    Ended(#[from] io::Error),
    /// The other side announced a frame longer than any of ours.
    #[error("the other node sent a frame of {0} bytes")]
    Long(usize),
    /// The other side is silent or does not read.
    #[error("the other node did not go on within two minutes")]
    Late(#[from] tokio::time::error::Elapsed),
    /// The frame is not understood.
    #[error("the other node sent something that is not understood")]
    Content(#[from] DecodeError),
}

impl Channel {
    pub(super) const fn new(stream: Stream, frame_len_max: usize, traffic: Arc<Traffic>) -> Self {
        Self {
            stream,
            traffic,
            frame_len_max,
        }
    }

    /// Sends one message.
    pub async fn send<T: Serialize>(&mut self, message: &T) -> Result<(), ChannelError> {
        let bytes = codec::encode(message);
        let sending = send_frame(&mut self.stream, &self.traffic, &[], &bytes);
        tokio::time::timeout(FRAME_LASTS, sending).await?
    }

    /// Reads one message that begins within `patience`; its length is checked before anything is
    /// allocated.
    pub async fn receive<T: Serialize + DeserializeOwned>(
        &mut self,
        patience: Duration,
    ) -> Result<T, ChannelError> {
        let announced = announced(&mut self.stream, self.frame_len_max);
        let len = tokio::time::timeout(patience, announced).await??;
        let coming = body(&mut self.stream, &self.traffic, len);
        let bytes = tokio::time::timeout(FRAME_LASTS, coming).await??;
        Ok(codec::decode(&bytes)?)
    }

    /// Reads no frame that is longer than this.
    pub const fn limit(&mut self, frame_len_max: usize) {
        self.frame_len_max = frame_len_max;
    }

    /// Returns when the other side has gone, or says something where it should be silent.
    pub async fn gone(&mut self) {
        let mut byte = [0];
        // Whatever comes of it, nobody waits in silence any more.
        let _read = self.stream.read(&mut byte).await;
    }

    /// Says that nothing more will be sent.
    pub async fn close(&mut self) -> Result<(), ChannelError> {
        Ok(self.stream.close().await?)
    }

    /// Its two directions, for sync.
    pub fn split(self) -> (FrameReader, FrameWriter) {
        let frame_len_max = self.frame_len_max;
        let (reading, writing) = self.stream.split();
        let reader = FrameReader {
            stream: reading,
            frame_len_max,
            traffic: Arc::clone(&self.traffic),
            window: None,
        };
        let writer = FrameWriter {
            stream: writing,
            traffic: self.traffic,
            window: None,
        };
        (reader, writer)
    }
}

/// The frames that come.
pub struct FrameReader {
    stream: ReadHalf<Stream>,
    frame_len_max: usize,
    traffic: Arc<Traffic>,
    window: Option<WindowReader>,
}

/// The frames that go.
pub struct FrameWriter {
    stream: WriteHalf<Stream>,
    traffic: Arc<Traffic>,
    window: Option<Window>,
}

impl FrameReader {
    /// Reads no frame that is longer than this.
    pub const fn limit(&mut self, frame_len_max: usize) {
        self.frame_len_max = frame_len_max;
    }

    /// The next frame, however long it takes to begin.
    pub async fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        loop {
            let len = announced(&mut self.stream, self.frame_len_max).await?;
            let coming = body(&mut self.stream, &self.traffic, len);
            let bytes = tokio::time::timeout(FRAME_LASTS, coming).await??;
            let (kind, rest) = bytes.split_first().ok_or_else(malformed)?;
            match *kind {
                PLAIN => return Ok(rest.to_vec()),
                ENDS if rest.is_empty() && self.window.take().is_some() => {}
                COMPRESSED | BEGINS | GOES_ON => return self.expanded(*kind, rest),
                _ => return Err(malformed()),
            }
        }
    }

    /// The frame that was compressed: its length is said first, and believed up to the bound.
    fn expanded(&mut self, kind: u8, rest: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let (len, compressed) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
        let len = u32::from_be_bytes(*len) as usize;
        if len > self.frame_len_max {
            return Err(ChannelError::Long(len));
        }
        let frame = match (kind, &mut self.window) {
            (COMPRESSED, _) => packing::unpack(compressed, len),
            // Nobody keeps a window for a stranger.
            (BEGINS, window) if self.frame_len_max == FRAME_LEN_MAX => {
                let window = window.insert(WindowReader::begin()?);
                window.unpack(compressed, len)
            }
            (GOES_ON, Some(window)) => window.unpack(compressed, len),
            _ => None,
        };
        frame
            .filter(|frame| frame.len() == len)
            .ok_or_else(malformed)
    }
}

impl FrameWriter {
    /// Sends a frame; returns when it has left this process.
    pub async fn send(&mut self, frame: &[u8], together: Together) -> Result<(), ChannelError> {
        let (kind, bytes) = self.packed(frame, together)?;
        let sending = async {
            let Some(bytes) = &bytes else {
                return send_frame(&mut self.stream, &self.traffic, &[PLAIN], frame).await;
            };
            let len = u32::try_from(frame.len())
                .map_err(|_| ChannelError::Long(frame.len()))?
                .to_be_bytes();
            let front = [&[kind], len.as_slice()].concat();
            send_frame(&mut self.stream, &self.traffic, &front, bytes).await
        };
        tokio::time::timeout(FRAME_LASTS, sending).await?
    }

    /// The frame compressed, where that makes it shorter, and in which way.
    fn packed(&mut self, frame: &[u8], together: Together) -> io::Result<(u8, Option<Vec<u8>>)> {
        match (together, &mut self.window) {
            (Together::GoesOn, Some(window)) => return Ok((GOES_ON, Some(window.pack(frame)?))),
            (Together::Begins, window) => *window = None,
            (Together::GoesOn, None) | (Together::Alone, _) => {}
        }
        if frame.len() >= WINDOW_FROM && together != Together::Alone {
            let window = self.window.insert(Window::begin(WINDOW_LEVEL)?);
            return Ok((BEGINS, Some(window.pack(frame)?)));
        }
        if frame.len() < COMPRESS_FROM {
            return Ok((PLAIN, None));
        }
        let compressed = packing::pack(frame, COMPRESS_LEVEL)?;
        let is_shorter = compressed.len() < frame.len();
        Ok((COMPRESSED, is_shorter.then_some(compressed)))
    }

    /// Whether something is kept of what was sent, for what follows.
    pub const fn keeps(&self) -> bool {
        self.window.is_some()
    }

    /// Nothing more comes for a while: neither side keeps anything of what was sent.
    pub async fn rest(&mut self) -> Result<(), ChannelError> {
        self.window = None;
        let sending = send_frame(&mut self.stream, &self.traffic, &[ENDS], &[]);
        tokio::time::timeout(FRAME_LASTS, sending).await?
    }

    /// Says that nothing more will be sent.
    pub async fn close(&mut self) -> Result<(), ChannelError> {
        Ok(self.stream.close().await?)
    }
}

async fn send_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    traffic: &Traffic,
    front: &[u8],
    bytes: &[u8],
) -> Result<(), ChannelError> {
    let whole = front.len() + bytes.len();
    let len = u32::try_from(whole)
        .ok()
        .filter(|_| bytes.len() <= FRAME_LEN_MAX)
        .ok_or(ChannelError::Long(whole))?;
    traffic.sent(LENGTH_LEN + whole);
    stream.write_all(&len.to_be_bytes()).await?;
    stream.write_all(front).await?;
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

async fn announced(
    stream: &mut (impl AsyncRead + Unpin),
    frame_len_max: usize,
) -> Result<usize, ChannelError> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await?;
    let len = u32::from_be_bytes(len) as usize;
    if len > frame_len_max {
        return Err(ChannelError::Long(len));
    }
    Ok(len)
}

/// The bytes of a frame; memory grows with what comes and not with what was announced.
async fn body(
    stream: &mut (impl AsyncRead + Unpin),
    traffic: &Traffic,
    len: usize,
) -> Result<Vec<u8>, ChannelError> {
    let mut bytes = Vec::new();
    let mut rest = stream.take(len as u64);
    rest.read_to_end(&mut bytes).await?;
    traffic.received(LENGTH_LEN + bytes.len());
    if bytes.len() == len {
        Ok(bytes)
    } else {
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}

fn malformed() -> ChannelError {
    io::Error::from(io::ErrorKind::InvalidData).into()
}
