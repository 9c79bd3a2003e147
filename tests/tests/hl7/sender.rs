//! A system that sends messages by MLLP.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Its connection to a node.
pub struct Sender {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Sender {
    pub fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the node listens");
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("a time limit");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("they are sent");
    }

    /// Sends a message in its frame.
    pub fn begins(&mut self, message: &[u8]) {
        let mut framed = vec![0x0b];
        framed.extend_from_slice(message);
        framed.extend_from_slice(b"\x1c\r");
        self.raw(&framed);
    }

    /// The next answer; nothing where the node closed the connection.
    pub fn answer(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\x1c\r") {
                let frame: Vec<u8> = self.read.drain(..end + 2).collect();
                let text = String::from_utf8_lossy(&frame[1..end]).into_owned();
                return Some(text);
            }
            let mut buffer = [0; 4096];
            match self
                .stream
                .read(&mut buffer)
                .expect("the node answers in time")
            {
                0 => return None,
                len => self.read.extend_from_slice(&buffer[..len]),
            }
        }
    }

    /// MSA-1 of the answer to a message.
    pub fn sends(&mut self, message: impl AsRef<[u8]>) -> String {
        self.begins(message.as_ref());
        self.said()
    }

    /// MSA-1 of the next answer.
    pub fn said(&mut self) -> String {
        let answer = self.answer().expect("an answer");
        let msa = answer
            .split('\r')
            .find(|segment| segment.starts_with("MSA|"));
        let code = msa.and_then(|msa| msa.split('|').nth(1));
        code.expect("a code").to_owned()
    }
}
