//! Compression. What makes and opens a frame is kept by each thread: a node handles very many small
//! ones, and making an opener for each was a tenth of the time that opening took.

use std::{cell::RefCell, io};

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::get_frame_content_size,
};

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

#[cfg(test)]
mod tests {
    use super::{pack, unpack};

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
