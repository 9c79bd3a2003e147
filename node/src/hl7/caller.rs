//! Another system, as a demo and a benchmark play it: it sends one message and waits for the answer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::health::hl7v2::frame::framed;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What ends a message of MLLP.
const END: &[u8] = b"\x1c\r";

/// A connection over which messages are sent by MLLP.
pub struct Caller {
    stream: TcpStream,
}

impl Caller {
    /// Connects to a node that listens for messages.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn connect(at: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Sends a message; the code of its answer (MSA-1), such as `AA`.
    ///
    /// # Errors
    /// When the other side is gone, says nothing for a minute, or what it says is no answer.
    pub fn send(&mut self, message: &[u8]) -> std::io::Result<String> {
        self.stream.write_all(&framed(message))?;
        let mut answer = Vec::new();
        let mut buffer = [0; 2048];
        while !answer.ends_with(END) {
            let len = self.stream.read(&mut buffer)?;
            if len == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend_from_slice(&buffer[..len]);
        }
        let text = String::from_utf8_lossy(&answer);
        let mut segments = text.split('\r');
        let code = segments.find_map(|segment| segment.strip_prefix("MSA|")?.split('|').next());
        code.map(str::to_owned)
            .ok_or_else(|| std::io::ErrorKind::InvalidData.into())
    }
}
