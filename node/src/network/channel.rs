//! Frames on a stream: a four-byte big-endian length, then deterministic CBOR.

use std::io;

use futures::{AsyncReadExt, AsyncWriteExt};
use kith_protocol::{
    codec::{self, DecodeError},
    limits::FRAME_LEN_MAX,
};
use serde::{Serialize, de::DeserializeOwned};

/// A stream of frames to one device.
pub struct Channel {
    stream: libp2p::Stream,
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
    /// The frame is not understood.
    #[error("the other node sent something that is not understood")]
    Content(#[from] DecodeError),
}

impl Channel {
    pub(super) const fn new(stream: libp2p::Stream) -> Self {
        Self { stream }
    }

    /// Sends one frame.
    pub async fn send<T: Serialize>(&mut self, message: &T) -> Result<(), ChannelError> {
        let bytes = codec::encode(message);
        let len = u32::try_from(bytes.len())
            .ok()
            .filter(|_| bytes.len() <= FRAME_LEN_MAX)
            .ok_or(ChannelError::Long(bytes.len()))?;
        self.stream.write_all(&len.to_be_bytes()).await?;
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Reads one frame; its length is checked before anything is allocated.
    pub async fn receive<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, ChannelError> {
        let mut len = [0; 4];
        self.stream.read_exact(&mut len).await?;
        let len = u32::from_be_bytes(len) as usize;
        if len > FRAME_LEN_MAX {
            return Err(ChannelError::Long(len));
        }
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes).await?;
        Ok(codec::decode(&bytes)?)
    }

    /// Says that nothing more will be sent.
    pub async fn close(&mut self) -> Result<(), ChannelError> {
        Ok(self.stream.close().await?)
    }
}
