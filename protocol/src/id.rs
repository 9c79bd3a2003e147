//! Names of things: 32 bytes each, told apart by the compiler.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads 64 hexadecimal digits.
            pub fn from_hex(text: &str) -> Option<Self> {
                parse_hex(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(", stringify!($name))?;
                self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(")")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_bytes(ThirtyTwo).map(Self)
            }
        }
    };
}

id! {
    /// A person or organisation: the first root key of its principal log.
    PrincipalId
}
id! {
    /// A node's own Ed25519 key, which is its libp2p identity too.
    DeviceId
}
id! {
    /// One person's record at one origin: the hash of its signed Genesis.
    RecordId
}
id! {
    /// A signed event of a core, label or principal log: the hash of its signed bytes.
    EventId
}
id! {
    /// A signed entry of a document: the hash of its signed bytes.
    EnvelopeId
}
id! {
    /// A member of staff, as named in the organisation's principal log.
    StaffId
}
id! {
    /// The hash of 16 random bytes and a payload.
    PayloadHash
}
id! {
    /// The BLAKE3 root of an attachment's bytes.
    BlobId
}
id! {
    /// The root of a tree of cut parts.
    CutRoot
}
id! {
    /// A link of an access log: the hash of its bytes.
    AuditLinkId
}

struct ThirtyTwo;

impl<'de> de::Visitor<'de> for ThirtyTwo {
    type Value = [u8; 32];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("32 bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        bytes
            .try_into()
            .map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}
