//! Compression. What makes and opens a frame is kept by each thread: a node handles very many small
//! ones, and making an opener for each was a tenth of the time that opening took.
//!
//! What goes one after the other and is alike is compressed in one [`Window`]: each piece can be
//! opened when it comes, and refers to what came before it.

use std::{cell::RefCell, io};

use zstd::{
    bulk::{Compressor, Decompressor},
    stream::raw::{CParameter, DParameter, Decoder, Encoder, InBuffer, Operation, OutBuffer},
    zstd_safe::{compress_bound, get_frame_content_size},
};

/// How far back a window reaches, as a power of two: one mebibyte. Twice as far saves 3 in 100 and costs
/// twice the memory on both sides.
const WINDOW_LOG: u32 = 20;

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static OPENER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses bytes into one frame that says how long they are.
pub fn pack(bytes: &[u8], level: i32) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        let packer = match packer {
            Some(packer) => packer,
            None => packer.insert(Compressor::new(level)?),
        };
        packer.set_compression_level(level)?;
        packer.compress(bytes)
    })
}

/// What [`pack`] made; nothing where it is no such frame or says that it holds more than
/// `len_max` bytes, which needs no bound where this node itself sealed it.
pub fn unpack(packed: &[u8], len_max: usize) -> Option<Vec<u8>> {
    let len = get_frame_content_size(packed).ok()??;
    let len = usize::try_from(len).ok().filter(|len| *len <= len_max)?;
    OPENER.with_borrow_mut(|opener| {
        let opener = match opener {
            Some(opener) => opener,
            None => opener.insert(Decompressor::new().ok()?),
        };
        opener.decompress(packed, len).ok()
    })
}

/// Pieces that are compressed one after the other.
pub struct Window(Encoder<'static>);

impl Window {
    /// Begins one.
    pub fn begin(level: i32) -> io::Result<Self> {
        let mut encoder = Encoder::new(level)?;
        encoder.set_parameter(CParameter::WindowLog(WINDOW_LOG))?;
        Ok(Self(encoder))
    }

    /// Compresses the next piece, all of it.
    pub fn pack(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(compress_bound(bytes.len()) + 64);
        let (mut from, mut to) = (InBuffer::around(bytes), OutBuffer::around(&mut packed));
        loop {
            if from.pos() < bytes.len() {
                self.0.run(&mut from, &mut to)?;
            } else if self.0.flush(&mut to)? == 0 {
                return Ok(packed);
            }
            if to.pos() == to.capacity() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
        }
    }
}

/// The other side of a [`Window`].
pub struct WindowReader(Decoder<'static>);

impl WindowReader {
    /// Begins one, which keeps no more than this node's own would need.
    pub fn begin() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self(decoder))
    }

    /// The next piece; nothing where it is none of a window, or not of this many bytes. After that
    /// nothing more can be read.
    pub fn unpack(&mut self, packed: &[u8], len: usize) -> Option<Vec<u8>> {
        // One byte of room more: what is longer than it says shows itself.
        let mut bytes = Vec::with_capacity(len.checked_add(1)?);
        let (mut from, mut to) = (InBuffer::around(packed), OutBuffer::around(&mut bytes));
        loop {
            let before = (from.pos(), to.pos());
            self.0.run(&mut from, &mut to).ok()?;
            if before == (from.pos(), to.pos()) || to.pos() > len {
                break;
            }
        }
        let is_all = from.pos() == packed.len();
        (is_all && bytes.len() == len).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, WindowReader, pack, unpack};

    #[test]
    fn pieces_of_a_window_are_opened_as_they_come_and_grow_shorter() {
        let piece = |n: u64| -> Vec<u8> {
            let mut state = 7_u64;
            let noise = (0..200_000).map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            });
            noise.chain(n.to_be_bytes()).collect()
        };
        let mut window = Window::begin(3).expect("begun");
        let mut reader = WindowReader::begin().expect("begun");
        let packed: Vec<_> = (0..40)
            .map(|n| window.pack(&piece(n)).expect("packed"))
            .collect();
        for (n, packed) in (0..).zip(&packed) {
            assert!(n == 0 || packed.len() < 1000, "{n}: {}", packed.len());
            assert_eq!(reader.unpack(packed, piece(n).len()), Some(piece(n)));
        }
        assert_eq!(
            reader.unpack(&window.pack(&[]).expect("packed"), 0),
            Some(Vec::new())
        );
        // One that is missing is not passed over.
        let mut other = WindowReader::begin().expect("begun");
        assert_eq!(other.unpack(&packed[1], piece(1).len()), None);
    }

    #[test]
    fn a_piece_of_another_length_than_it_says_is_refused() {
        let bytes = b"a sentence, said again and again; ".repeat(40);
        let packed = Window::begin(3).expect("begun").pack(&bytes);
        let packed = packed.expect("packed");
        let unpack = |packed: &[u8], len| WindowReader::begin().expect("begun").unpack(packed, len);
        assert_eq!(unpack(&packed, bytes.len()), Some(bytes.clone()));
        assert_eq!(unpack(&packed, bytes.len() - 1), None);
        assert_eq!(unpack(&packed, bytes.len() + 1), None);
        assert_eq!(unpack(&packed[..packed.len() - 1], bytes.len()), None);
        assert_eq!(unpack(b"no window", 9), None);
        assert_eq!(unpack(&[], 1), None);
    }

    #[test]
    fn what_was_packed_is_opened_whole_up_to_its_bound() {
        let bytes = b"a sentence, said again and again; ".repeat(40);
        let packed = pack(&bytes, 3).expect("packed");
        assert!(packed.len() < bytes.len());
        assert_eq!(unpack(&packed, bytes.len()), Some(bytes.clone()));
        assert_eq!(unpack(&packed, bytes.len() - 1), None);
        assert_eq!(unpack(&packed[..packed.len() - 1], bytes.len()), None);
        assert_eq!(unpack(&[], 1000), None);
        let empty = pack(&[], 3).expect("packed");
        assert_eq!(unpack(&empty, 0), Some(Vec::new()));
        // What failed leaves nothing behind for the next.
        assert_eq!(unpack(&packed, bytes.len()), Some(bytes));
    }
}
