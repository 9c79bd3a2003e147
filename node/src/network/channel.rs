//! Frames on a stream: a four-byte big-endian length, then deterministic CBOR.

use std::{io, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt};
use kith_protocol::{
    codec::{self, DecodeError},
    limits::FRAME_LEN_MAX,
};
use serde::{Serialize, de::DeserializeOwned};

/// How long one frame may take to be sent or to come; the work between two frames counts too.
const FRAME_LASTS: Duration = Duration::from_mins(2);

/// A stream of frames to one device.
pub struct Channel {
    stream: libp2p::Stream,
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
    pub(super) const fn new(stream: libp2p::Stream, frame_len_max: usize) -> Self {
        Self {
            stream,
            frame_len_max,
        }
    }

    /// Sends one frame.
    pub async fn send<T: Serialize>(&mut self, message: &T) -> Result<(), ChannelError> {
        let bytes = codec::encode(message);
        let len = u32::try_from(bytes.len())
            .ok()
            .filter(|_| bytes.len() <= FRAME_LEN_MAX)
            .ok_or(ChannelError::Long(bytes.len()))?;
        let sending = async {
            self.stream.write_all(&len.to_be_bytes()).await?;
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        Ok(tokio::time::timeout(FRAME_LASTS, sending).await??)
    }

    /// Reads one frame; its length is checked before anything is allocated.
    pub async fn receive<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, ChannelError> {
        let bytes = tokio::time::timeout(FRAME_LASTS, self.frame()).await??;
        Ok(codec::decode(&bytes)?)
    }

    /// The bytes of a frame; memory grows with what comes and not with what was announced.
    async fn frame(&mut self) -> Result<Vec<u8>, ChannelError> {
        let mut len = [0; 4];
        self.stream.read_exact(&mut len).await?;
        let len = u32::from_be_bytes(len) as usize;
        if len > self.frame_len_max {
            return Err(ChannelError::Long(len));
        }
        let mut bytes = Vec::new();
        let mut rest = (&mut self.stream).take(len as u64);
        rest.read_to_end(&mut bytes).await?;
        if bytes.len() == len {
            Ok(bytes)
        } else {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        }
    }

    /// Says that nothing more will be sent.
    pub async fn close(&mut self) -> Result<(), ChannelError> {
        Ok(self.stream.close().await?)
    }
}
