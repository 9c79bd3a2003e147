//! The bytes of a file: the preamble, and frames that find their own damage.
//!
//! Preamble, 16 bytes: `kith`, the form (`b` plain, `s` sealed), the version, ten bytes of check.
//! Frame: a head of 12 bytes (length of the body, kind, seven bytes of check), a hash of 32 bytes,
//! the body. The head has a check of its own so that a damaged length is never believed. The hash
//! is over the hash of the frame before (for the first, of the preamble), the head and the body.

use std::fmt;

use super::{BUNDLE_VERSION, error::Fault};
use crate::limits::{
    ATTACHMENT_PIECE_LEN_MAX, BUNDLE_RECORDS_MAX, CHANGE_LEN_MAX, CUT_PART_LEN_MAX, SEAL_SLOTS_MAX,
    SIGNED_LEN_MAX,
};

/// Bytes of the preamble.
pub const PREAMBLE_LEN: usize = 16;

/// Bytes of a frame's head.
pub(super) const HEAD_LEN: usize = 12;

/// Bytes of a frame before its body: head and hash.
pub(super) const FRONT_LEN: usize = HEAD_LEN + 32;

const MAGIC: &[u8; 4] = b"kith";

/// Whether a file is plain or sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// Frames in clear.
    Plain,
    /// A plain file within a seal.
    Sealed,
}

impl FileForm {
    /// What a file's first 16 bytes say that it is.
    pub fn of(preamble: &[u8; PREAMBLE_LEN]) -> Result<Self, Fault> {
        let form = match (preamble.starts_with(MAGIC), preamble[4]) {
            (true, b'b') => Self::Plain,
            (true, b's') => Self::Sealed,
            (true | false, _) => return Err(Fault::NotABundle),
        };
        if *preamble != form.preamble_of(preamble[5]) {
            return Err(Fault::Damaged);
        }
        if preamble[5] == BUNDLE_VERSION {
            Ok(form)
        } else {
            Err(Fault::Newer(preamble[5]))
        }
    }

    /// The preamble that this version writes.
    pub(super) fn preamble(self) -> [u8; PREAMBLE_LEN] {
        self.preamble_of(BUNDLE_VERSION)
    }

    pub(super) fn preamble_of(self, version: u8) -> [u8; PREAMBLE_LEN] {
        let mut bytes = [0; PREAMBLE_LEN];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4] = match self {
            Self::Plain => b'b',
            Self::Sealed => b's',
        };
        bytes[5] = version;
        let check = blake3::derive_key("kith v1 bundle preamble", &bytes[..6]);
        bytes[6..].copy_from_slice(&check[..10]);
        bytes
    }
}

/// What a frame holds. Frames stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameKind {
    /// In a sealed file, the ways to open it.
    Slots,
    /// What the bundle says of itself.
    Manifest,
    /// An event of a principal log.
    PrincipalEvent,
    /// An event of a core or label log.
    RecordEvent,
    /// A part of a cut.
    Part,
    /// An entry.
    Entry,
    /// A piece of an attachment.
    Attachment,
    /// The signature.
    Trailer,
}

impl FrameKind {
    const ALL: [Self; 8] = [
        Self::Slots,
        Self::Manifest,
        Self::PrincipalEvent,
        Self::RecordEvent,
        Self::Part,
        Self::Entry,
        Self::Attachment,
        Self::Trailer,
    ];

    const fn number(self) -> u8 {
        match self {
            Self::Slots => 1,
            Self::Manifest => 2,
            Self::PrincipalEvent => 3,
            Self::RecordEvent => 4,
            Self::Part => 5,
            Self::Entry => 6,
            Self::Attachment => 7,
            Self::Trailer => 8,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The longest body, in bytes.
    pub(super) const fn len_max(self) -> usize {
        match self {
            Self::Slots => 1024 + SEAL_SLOTS_MAX * 128,
            Self::Manifest => 1024 + BUNDLE_RECORDS_MAX * 34,
            Self::PrincipalEvent | Self::RecordEvent => SIGNED_LEN_MAX,
            Self::Part => CUT_PART_LEN_MAX,
            Self::Entry => CHANGE_LEN_MAX + SIGNED_LEN_MAX + 1024,
            Self::Attachment => ATTACHMENT_PIECE_LEN_MAX + 1024,
            Self::Trailer => 1024,
        }
    }
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slots => "receivers",
            Self::Manifest => "manifest",
            Self::PrincipalEvent => "certificate",
            Self::RecordEvent => "log event",
            Self::Part => "part of a cut",
            Self::Entry => "entry",
            Self::Attachment => "attachment",
            Self::Trailer => "signature",
        })
    }
}

/// A frame's head that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: FrameKind,
    pub(super) len: usize,
}

impl Head {
    /// Reads a head; a length above the kind's limit is refused here, before anything is held.
    pub(super) fn read(bytes: &[u8; HEAD_LEN]) -> Result<Self, (Option<FrameKind>, Fault)> {
        let len = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if head_bytes(len, bytes[4]) != *bytes {
            return Err((None, Fault::Damaged));
        }
        let kind = FrameKind::from_number(bytes[4]).ok_or((None, Fault::Misplaced))?;
        let long = Fault::Long {
            len: u64::from(len),
            max: kind.len_max() as u64,
        };
        match usize::try_from(len) {
            Ok(len) if len <= kind.len_max() => Ok(Self { kind, len }),
            Ok(_) | Err(_) => Err((Some(kind), long)),
        }
    }

    fn bytes(self) -> [u8; HEAD_LEN] {
        let len = u32::try_from(self.len).expect("no kind's limit is above 4 GiB");
        head_bytes(len, self.kind.number())
    }
}

fn head_bytes(len: u32, kind: u8) -> [u8; HEAD_LEN] {
    let mut bytes = [0; HEAD_LEN];
    bytes[..4].copy_from_slice(&len.to_be_bytes());
    bytes[4] = kind;
    let check = blake3::derive_key("kith v1 bundle head", &bytes[..5]);
    bytes[5..].copy_from_slice(&check[..7]);
    bytes
}

/// The hash of the last frame, to which the next one is chained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain([u8; 32]);

impl Chain {
    /// Before the first frame.
    pub(super) fn begin(form: FileForm) -> Self {
        Self(blake3::derive_key("kith v1 bundle chain", &form.preamble()))
    }

    /// The hash of the frame that comes next.
    pub(super) fn next(self, head: Head, body: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 bundle frame");
        hasher.update(&self.0);
        hasher.update(&head.bytes());
        hasher.update(body);
        Self(*hasher.finalize().as_bytes())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Writes the next frame. `body` is within the kind's limit.
    pub(super) fn write(&mut self, kind: FrameKind, body: &[u8]) -> Vec<u8> {
        let head = Head {
            kind,
            len: body.len(),
        };
        *self = self.next(head, body);
        [&head.bytes(), self.as_bytes().as_slice(), body].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::{FileForm, FrameKind, HEAD_LEN, Head, head_bytes};
    use crate::bundle::{BUNDLE_VERSION, Fault};

    #[test]
    fn a_newer_version_is_told_from_damage() {
        for form in [FileForm::Plain, FileForm::Sealed] {
            let mut newer = form.preamble_of(BUNDLE_VERSION + 1);
            assert!(matches!(FileForm::of(&newer), Err(Fault::Newer(2))));
            newer[5] += 1;
            assert!(matches!(FileForm::of(&newer), Err(Fault::Damaged)));
        }
    }

    #[test]
    fn a_length_above_its_kinds_limit_is_refused_from_the_head_alone() {
        for kind in FrameKind::ALL {
            let max = u32::try_from(kind.len_max()).expect("limits are below 4 GiB");
            let longest = Head {
                kind,
                len: kind.len_max(),
            };
            let read = Head::read(&head_bytes(max, kind.number()));
            assert_eq!(read.ok(), Some(longest));
            for len in [max + 1, u32::MAX] {
                let read = Head::read(&head_bytes(len, kind.number()));
                let of = Some(kind);
                assert!(matches!(read, Err((named, Fault::Long { .. })) if named == of));
            }
        }
    }

    #[test]
    fn a_kind_that_is_unknown_is_refused() {
        for number in [0, 9, 255] {
            let read = Head::read(&head_bytes(4, number));
            assert!(matches!(read, Err((None, Fault::Misplaced))));
        }
    }

    #[test]
    fn no_flipped_bit_of_a_head_is_believed() {
        let head = head_bytes(1000, FrameKind::Entry.number());
        for bit in 0..HEAD_LEN * 8 {
            let mut flipped = head;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(Head::read(&flipped), Err((None, Fault::Damaged))));
        }
    }
}
