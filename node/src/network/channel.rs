//! Frames on a stream: a four-byte big-endian length, then the frame.
//!
//! On a sync stream a frame has a byte before it that says whether it is compressed: each frame by
//! itself, so that its size tells nothing of another record's.

use std::{io, sync::Arc, time::Duration};

use futures::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt,
    io::{ReadHalf, WriteHalf},
};
use kith_protocol::{
    codec::{self, DecodeError},
    limits::FRAME_LEN_MAX,
};
use serde::{Serialize, de::DeserializeOwned};

use super::traffic::Traffic;
use crate::packing;

/// How long one frame may take to be sent, or to come once it has begun.
const FRAME_LASTS: Duration = Duration::from_mins(2);

/// Frames shorter than this are not compressed: it would not make them shorter.
const COMPRESS_FROM: usize = 512;

/// How hard a frame is compressed. More saves next to nothing: much of what is left are signatures,
/// hashes and names that nobody can guess.
const COMPRESS_LEVEL: i32 = 3;

/// Bytes of the length before each frame.
const LENGTH_LEN: usize = 4;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// A stream of frames to one device.
pub struct Channel {
    stream: libp2p::Stream,
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
    pub(super) const fn new(
        stream: libp2p::Stream,
        frame_len_max: usize,
        traffic: Arc<Traffic>,
    ) -> Self {
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
        };
        let writer = FrameWriter {
            stream: writing,
            traffic: self.traffic,
        };
        (reader, writer)
    }
}

/// The frames that come.
pub struct FrameReader {
    stream: ReadHalf<libp2p::Stream>,
    frame_len_max: usize,
    traffic: Arc<Traffic>,
}

/// The frames that go.
pub struct FrameWriter {
    stream: WriteHalf<libp2p::Stream>,
    traffic: Arc<Traffic>,
}

impl FrameReader {
    /// Reads no frame that is longer than this.
    pub const fn limit(&mut self, frame_len_max: usize) {
        self.frame_len_max = frame_len_max;
    }

    /// The next frame, however long it takes to begin.
    pub async fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        let len = announced(&mut self.stream, self.frame_len_max).await?;
        let coming = body(&mut self.stream, &self.traffic, len);
        let bytes = tokio::time::timeout(FRAME_LASTS, coming).await??;
        match bytes.split_first() {
            Some((&PLAIN, frame)) => Ok(frame.to_vec()),
            Some((&COMPRESSED, rest)) => self.expanded(rest),
            Some(_) | None => Err(malformed()),
        }
    }

    /// The frame that was compressed: its length is said first, and believed up to the bound.
    fn expanded(&self, rest: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let (len, compressed) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
        let len = u32::from_be_bytes(*len) as usize;
        if len > self.frame_len_max {
            return Err(ChannelError::Long(len));
        }
        let frame = packing::unpack(compressed, len);
        frame
            .filter(|frame| frame.len() == len)
            .ok_or_else(malformed)
    }
}

impl FrameWriter {
    /// Sends a frame; returns when it has left this process.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), ChannelError> {
        let compressed = if frame.len() >= COMPRESS_FROM {
            let compressed = packing::pack(frame, COMPRESS_LEVEL)?;
            (compressed.len() < frame.len()).then_some(compressed)
        } else {
            None
        };
        let sending = async {
            match &compressed {
                Some(compressed) => {
                    let len = u32::try_from(frame.len())
                        .map_err(|_| ChannelError::Long(frame.len()))?
                        .to_be_bytes();
                    let front = [&[COMPRESSED], len.as_slice()].concat();
                    send_frame(&mut self.stream, &self.traffic, &front, compressed).await
                }
                None => send_frame(&mut self.stream, &self.traffic, &[PLAIN], frame).await,
            }
        };
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
