//! MLLP: a message between `0x0B` and `0x1C 0x0D` on a stream (HL7 MLLP release 1).
//!
//! The framer is our own. Of the codecs that are kept, `hl7-mllp-codec` 0.4 writes each message into
//! the log, looks for the end from the back, so that two messages in one read become one, and waits
//! for an end without a bound.

/// The byte before a message.
pub const START: u8 = 0x0b;
/// The bytes behind one.
pub const END: [u8; 2] = [0x1c, 0x0d];

/// Something that came on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A message between its marks.
    Message(Vec<u8>),
    /// Bytes that stood outside of any frame, or a frame that a new one broke off: kept as they
    /// came.
    Broken(Vec<u8>),
    /// More bytes without an end than a message may have: nothing more is read from this stream.
    TooLong(Vec<u8>),
}

/// Takes a stream apart.
#[derive(Debug)]
pub struct Framer {
    bytes: Vec<u8>,
    len_max: usize,
    /// Up to here no end was found.
    looked: usize,
}

impl Framer {
    /// For messages of at most so many bytes.
    pub const fn new(len_max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            len_max,
            looked: 0,
        }
    }

    /// Takes in what was read.
    pub fn take(&mut self, read: &[u8]) {
        self.bytes.extend_from_slice(read);
    }

    /// Whether something was begun and has not ended.
    pub fn is_begun(&self) -> bool {
        self.bytes.iter().any(|byte| !is_filling(*byte))
    }

    /// The next thing that is whole.
    pub fn next_whole(&mut self) -> Option<Came> {
        let start = self
            .bytes
            .iter()
            .position(|byte| !is_filling(*byte))
            .unwrap_or(self.bytes.len());
        self.bytes.drain(..start);
        self.looked = self.looked.saturating_sub(start);
        let first = *self.bytes.first()?;
        if first != START {
            return self.outside();
        }
        let from = self.looked.max(1);
        let found = (from..self.bytes.len())
            .find(|at| self.bytes[*at] == START || self.bytes[*at..].starts_with(&END));
        match found {
            Some(at) if self.bytes[at] == START => {
                self.looked = 0;
                let broken = self.bytes.drain(..at).skip(1).collect();
                Some(Came::Broken(broken))
            }
            Some(at) => {
                self.looked = 0;
                let message = self.bytes[1..at].to_vec();
                self.bytes.drain(..at + END.len());
                Some(Came::Message(message))
            }
            None if self.bytes.len() > self.len_max => {
                Some(Came::TooLong(std::mem::take(&mut self.bytes)))
            }
            None => {
                // The last byte may be the first of the end.
                self.looked = self.bytes.len().saturating_sub(1).max(1);
                None
            }
        }
    }

    /// What is left when the stream has ended.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        let rest: Vec<u8> = std::mem::take(&mut self.bytes);
        let rest = match rest.split_first() {
            Some((&START, rest)) => rest.to_vec(),
            Some(_) | None => rest,
        };
        rest.iter().any(|byte| !is_filling(*byte)).then_some(rest)
    }

    /// Bytes that no frame holds, up to where one begins or up to an end of one.
    fn outside(&mut self) -> Option<Came> {
        let end = (0..self.bytes.len())
            .find(|at| self.bytes[*at] == START || self.bytes[*at..].starts_with(&END));
        match end {
            Some(at) => {
                let len = if self.bytes[at] == START {
                    at
                } else {
                    at + END.len()
                };
                let broken: Vec<u8> = self.bytes.drain(..len).collect();
                self.looked = 0;
                let broken = broken
                    .strip_suffix(&END)
                    .map(<[u8]>::to_vec)
                    .unwrap_or(broken);
                Some(Came::Broken(broken))
            }
            None if self.bytes.len() > self.len_max => {
                Some(Came::TooLong(std::mem::take(&mut self.bytes)))
            }
            None => None,
        }
    }
}

/// A message between its marks.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend_from_slice(&END);
    framed
}

/// What senders put between frames.
const fn is_filling(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Came, Framer, framed};

    fn all(framer: &mut Framer) -> Vec<Came> {
        std::iter::from_fn(|| framer.next_whole()).collect()
    }

    #[test]
    fn what_stands_outside_of_a_frame_is_kept_and_the_next_one_is_read() {
        let mut framer = Framer::new(100);
        framer.take(b"hello\x0bone\x1c\r\x0bbroken off\x0btwo\x1c\r\r\n");
        assert_eq!(
            all(&mut framer),
            [
                Came::Broken(b"hello".to_vec()),
                Came::Message(b"one".to_vec()),
                Came::Broken(b"broken off".to_vec()),
                Came::Message(b"two".to_vec()),
            ]
        );
        assert!(!framer.is_begun());
        framer.take(b"\x0bthree");
        assert_eq!(framer.next_whole(), None);
        assert_eq!(framer.rest(), Some(b"three".to_vec()));
        framer.take(b"MSH without a start\x1c\r\x0bfour\x1c\r");
        assert_eq!(
            all(&mut framer),
            [
                Came::Broken(b"MSH without a start".to_vec()),
                Came::Message(b"four".to_vec()),
            ]
        );
    }

    #[test]
    fn a_message_without_an_end_is_given_up() {
        let mut framer = Framer::new(10);
        framer.take(b"\x0b0123456789");
        assert!(matches!(framer.next_whole(), Some(Came::TooLong(_))));
        assert!(!framer.is_begun());
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_messages_come(
            messages in prop::collection::vec(prop::collection::vec(0x20_u8..0x7f, 1..40), 0..6),
            cuts in prop::collection::vec(1_usize..9, 1..50),
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
            let mut framer = Framer::new(1000);
            let mut came = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                framer.take(now);
                came.extend(all(&mut framer));
                rest = later;
            }
            let messages: Vec<_> = messages.into_iter().map(Came::Message).collect();
            prop_assert_eq!(came, messages);
        }

        #[test]
        fn no_bytes_make_it_panic_or_lose_a_later_message(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framer = Framer::new(1000);
            framer.take(&noise);
            let mut came = all(&mut framer);
            framer.take(&framed(b"MSH"));
            came.extend(all(&mut framer));
            prop_assert_eq!(came.last(), Some(&Came::Message(b"MSH".to_vec())));
        }
    }
}
