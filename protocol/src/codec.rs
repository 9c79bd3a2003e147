//! The one place where kith's own structures become CBOR and come back.
//!
//! Encoding is deterministic (RFC 8949, 4.2.1): shortest integers, definite lengths, ascending
//! integer keys. Decoding is strict: bytes that are not exactly what [`encode`] would write are
//! refused, because a signature or hash over bytes with two spellings proves nothing. The check
//! of the form comes before the parse, so that depth and length are bounded before anything is
//! allocated.

mod form;

use std::{io, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_cbor::ser::{IoWrite, Serializer};

pub(crate) use form::two_byte_strings;
pub use form::{FormError, check_form, places_in_array};

/// Bytes that are not the deterministic encoding of what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not deterministic CBOR.
    #[error("the bytes are not deterministic CBOR")]
    Form(#[from] FormError),
    /// The CBOR does not have the shape that was asked for.
    #[error("the CBOR has another shape")]
    Shape(#[source] serde_cbor::Error),
    /// The value has another spelling: an unknown or missing field, or one in its default form.
    #[error("the CBOR is not how this value is written")]
    Spelling,
}

/// The deterministic CBOR of `value`: names of fields, and of variants without data or with named
/// fields, are integers; a variant with unnamed data stands under its name (`docs/formats.md`).
///
/// # Panics
/// Never for types whose `Serialize` is derived and free of maps with keys other than integers:
/// writing to memory has no other failure.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_onto(&mut bytes, value);
    bytes
}

/// The same, written behind what is there.
///
/// # Panics
/// As [`encode`].
pub fn encode_onto<T: Serialize>(bytes: &mut Vec<u8>, value: &T) {
    write(bytes, value).expect("a derived value is written to memory");
}

fn write<T: Serialize>(to: impl io::Write, value: &T) -> Result<(), serde_cbor::Error> {
    let mut writer = IoWrite::new(to);
    value.serialize(&mut Serializer::new(&mut writer).packed_format())
}

/// Reads what [`encode`] wrote, and nothing else.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    check_form(bytes)?;
    let value = serde_cbor::from_slice(bytes).map_err(DecodeError::Shape)?;
    if is_written_so(&value, bytes) {
        Ok(value)
    } else {
        Err(DecodeError::Spelling)
    }
}

/// Whether [`encode`] would write these bytes; nothing is written for it.
fn is_written_so<T: Serialize>(value: &T, bytes: &[u8]) -> bool {
    let mut rest = Rest(bytes);
    write(&mut rest, value).is_ok() && rest.0.is_empty()
}

/// What is still to be written; takes nothing else.
struct Rest<'a>(&'a [u8]);

impl io::Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what [`encode`] wrote into this node's own sealed store, whose seal has been checked:
/// without the walk and the second encoding.
pub fn decode_trusted<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    serde_cbor::from_slice(bytes).map_err(DecodeError::Shape)
}

/// Reads a list of at most `MAX` things, for `#[serde(deserialize_with = …)]`: a byte on the wire
/// can become many in memory, so that the length of a frame alone does not bound what it costs.
///
/// # Errors
/// When there are more, as soon as there is one too many.
pub fn at_most<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(bounded::Bounded::<T, MAX>(PhantomData))
}

/// Byte arrays as CBOR byte strings, for `#[serde(with = "codec::array")]`.
pub mod array {
    use serde::{Deserializer, Serializer};

    use super::fixed;

    /// Writes a byte string.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    /// Reads a byte string of exactly `N` bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        deserializer.deserialize_bytes(fixed::Fixed::<N>)
    }
}

/// Optional byte arrays as CBOR byte strings or null.
pub mod optional_array {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Wrapped<const N: usize>(#[serde(with = "super::array")] [u8; N]);

    /// Writes a byte string or null.
    pub fn serialize<S: Serializer, const N: usize>(
        bytes: &Option<[u8; N]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        bytes.map(Wrapped).serialize(serializer)
    }

    /// Reads a byte string of exactly `N` bytes, or null.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Option<[u8; N]>, D::Error> {
        Option::<Wrapped<N>>::deserialize(deserializer).map(|wrapped| wrapped.map(|w| w.0))
    }
}

mod bounded {
    use std::{fmt, marker::PhantomData};

    use serde::{Deserialize, de};

    pub(super) struct Bounded<T, const MAX: usize>(pub(super) PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MAX: usize> de::Visitor<'de> for Bounded<T, MAX> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX} things")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut things = Vec::new();
            while let Some(thing) = list.next_element()? {
                if things.len() == MAX {
                    return Err(de::Error::invalid_length(MAX + 1, &self));
                }
                things.push(thing);
            }
            Ok(things)
        }
    }
}

mod fixed {
    use std::fmt;

    use serde::de;

    pub(super) struct Fixed<const N: usize>;

    impl<const N: usize> de::Visitor<'_> for Fixed<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes")
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            bytes
                .try_into()
                .map_err(|_| E::invalid_length(bytes.len(), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{DecodeError, at_most, decode, encode};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Plain,
        Pair(u32, u32),
        Named { a: u8, b: Option<String> },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        kinds: Vec<Kind>,
        #[serde(with = "super::array")]
        nonce: [u8; 8],
        #[serde(with = "super::optional_array")]
        proof: Option<[u8; 4]>,
        n: u64,
    }

    fn thing() -> Thing {
        Thing {
            kinds: vec![
                Kind::Plain,
                Kind::Pair(1, 70_000),
                Kind::Named {
                    a: 3,
                    b: Some("x".into()),
                },
            ],
            nonce: [7; 8],
            proof: Some([1, 2, 3, 4]),
            n: u64::MAX,
        }
    }

    #[test]
    fn a_variant_is_spelled_as_the_format_says() {
        let bytes = encode(&thing().kinds);
        let plain = [0x00];
        let pair = b"\xa1\x64Pair\x82\x01\x1a\x00\x01\x11\x70";
        let named = [0xa1, 0x02, 0xa2, 0x00, 0x03, 0x01, 0x61, b'x'];
        assert_eq!(bytes, [&[0x83], &plain[..], &pair[..], &named[..]].concat());
        assert_eq!(encode(&Some(Ok::<u8, ()>(1))), b"\xa1\x62Ok\x01");
    }

    #[test]
    fn what_was_written_comes_back() {
        let bytes = encode(&thing());
        assert_eq!(decode::<Thing>(&bytes).ok(), Some(thing()));
    }

    #[test]
    fn byte_arrays_are_byte_strings() {
        let bytes = encode(&thing());
        let nonce = [[0x48].as_slice(), &[7; 8]].concat();
        assert!(bytes.windows(9).any(|window| window == nonce));
    }

    #[test]
    fn every_truncation_and_every_extra_byte_is_refused() {
        let mut bytes = encode(&thing());
        for end in 0..bytes.len() {
            assert!(decode::<Thing>(&bytes[..end]).is_err(), "{end}");
        }
        bytes.push(0);
        assert!(matches!(decode::<Thing>(&bytes), Err(DecodeError::Form(_))));
    }

    #[test]
    fn no_flipped_bit_reads_as_the_same_value() {
        let bytes = encode(&thing());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(decode::<Thing>(&flipped).ok(), Some(thing()), "bit {bit}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        #[derive(Serialize)]
        struct Wider {
            kinds: Vec<Kind>,
            #[serde(with = "super::array")]
            nonce: [u8; 8],
            #[serde(with = "super::optional_array")]
            proof: Option<[u8; 4]>,
            n: u64,
            extra: bool,
        }
        let bytes = encode(&Wider {
            kinds: vec![],
            nonce: [0; 8],
            proof: None,
            n: 0,
            extra: true,
        });
        assert!(decode::<Thing>(&bytes).is_err());
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Few {
        #[serde(deserialize_with = "at_most::<_, _, 3>")]
        things: Vec<u8>,
    }

    #[test]
    fn a_list_is_read_up_to_its_bound() {
        for len in 0..6 {
            let few = Few {
                things: vec![7; len],
            };
            let read = decode::<Few>(&encode(&few));
            assert_eq!(read.ok(), (len <= 3).then_some(few));
        }
    }
}
