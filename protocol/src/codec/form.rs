//! A walk over CBOR that accepts only the deterministic form, without building anything.

use std::ops::Range;

use crate::limits::CBOR_DEPTH_MAX;

/// Why bytes are not deterministic CBOR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The bytes end within an item.
    #[error("the bytes end in the middle of an item at byte {0}")]
    Short(usize),
    /// Bytes follow the item.
    #[error("bytes follow the item at byte {0}")]
    Trailing(usize),
    /// An integer or length is not in its shortest form.
    #[error("a number is not in its shortest form at byte {0}")]
    LongForm(usize),
    /// A length is not given in advance.
    #[error("a length is not given in advance at byte {0}")]
    Indefinite(usize),
    /// The keys of a map do not ascend.
    #[error("the keys of a map are out of order or twice there at byte {0}")]
    KeyOrder(usize),
    /// Text is not UTF-8.
    #[error("text is not UTF-8 at byte {0}")]
    Text(usize),
    /// A tag, float or unassigned simple value, which kith never writes.
    #[error("an item of a kind that is never written stands at byte {0}")]
    Kind(usize),
    /// Nested too deeply.
    #[error("nested too deeply at byte {0}")]
    Deep(usize),
}

/// Checks that `bytes` are exactly one deterministic CBOR item of the kinds that kith writes:
/// integers, byte strings, text, arrays, maps, booleans and null.
pub fn check_form(bytes: &[u8]) -> Result<(), FormError> {
    let mut walk = Walk { bytes, at: 0 };
    walk.item(0)?;
    if walk.at == bytes.len() {
        Ok(())
    } else {
        Err(FormError::Trailing(walk.at))
    }
}

/// Where each item of an array stands that is all of these bytes.
pub fn places_in_array(bytes: &[u8]) -> Result<Vec<Range<usize>>, FormError> {
    let mut walk = Walk { bytes, at: 0 };
    let (major, count) = walk.head()?;
    if major != 4 {
        return Err(FormError::Kind(0));
    }
    let mut places = Vec::new();
    for _ in 0..count {
        let start = walk.at;
        walk.item(1)?;
        places.push(start..walk.at);
    }
    if walk.at == bytes.len() {
        Ok(places)
    } else {
        Err(FormError::Trailing(walk.at))
    }
}

/// Two byte strings in their shortest form and nothing else; nothing where it is anything else.
pub fn two_byte_strings(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut walk = Walk { bytes, at: 0 };
    let first = walk.byte_string()?;
    let second = walk.byte_string()?;
    (walk.at == bytes.len()).then_some((first, second))
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn byte_string(&mut self) -> Option<&'a [u8]> {
        match self.head().ok()? {
            (2, len) => self.take(len).ok(),
            _ => None,
        }
    }

    fn item(&mut self, depth: usize) -> Result<(), FormError> {
        let start = self.at;
        if depth > CBOR_DEPTH_MAX {
            return Err(FormError::Deep(start));
        }
        let (major, argument) = self.head()?;
        match major {
            0 | 1 => Ok(()),
            2 => self.take(argument).map(|_| ()),
            3 => {
                let text = self.take(argument)?;
                std::str::from_utf8(text)
                    .map(|_| ())
                    .map_err(|_| FormError::Text(start))
            }
            4 => (0..argument).try_for_each(|_| self.item(depth + 1)),
            5 => self.map(argument, depth),
            7 if (20..=22).contains(&argument) && self.at == start + 1 => Ok(()),
            _ => Err(FormError::Kind(start)),
        }
    }

    fn map(&mut self, pairs: u64, depth: usize) -> Result<(), FormError> {
        let mut before: Option<&'a [u8]> = None;
        for _ in 0..pairs {
            let start = self.at;
            self.item(depth + 1)?;
            let key = &self.bytes[start..self.at];
            if before.is_some_and(|before| before >= key) {
                return Err(FormError::KeyOrder(start));
            }
            before = Some(key);
            self.item(depth + 1)?;
        }
        Ok(())
    }

    /// Reads an item's first byte and its argument (RFC 8949, 3).
    fn head(&mut self) -> Result<(u8, u64), FormError> {
        let start = self.at;
        let first = self.take(1)?[0];
        let (major, short) = (first >> 5, first & 0x1f);
        let argument = match short {
            0..=23 => u64::from(short),
            24 => self.number(1, 24)?,
            25 => self.number(2, 1 << 8)?,
            26 => self.number(4, 1 << 16)?,
            27 => self.number(8, 1 << 32)?,
            31 => return Err(FormError::Indefinite(start)),
            _ => return Err(FormError::Kind(start)),
        };
        Ok((major, argument))
    }

    fn number(&mut self, len: u64, least: u64) -> Result<u64, FormError> {
        let start = self.at;
        let value = self
            .take(len)?
            .iter()
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        if value < least {
            Err(FormError::LongForm(start))
        } else {
            Ok(value)
        }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], FormError> {
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| self.at.checked_add(len))
            .filter(|end| *end <= self.bytes.len())
            .ok_or(FormError::Short(self.at))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::{FormError, check_form};

    #[test]
    fn deterministic_items_pass() {
        for bytes in [
            &[0x00][..],
            &[0x18, 0x18],
            &[0x43, 1, 2, 3],
            &[0x82, 0x01, 0x61, b'a'],
            &[0xa2, 0x00, 0x01, 0x01, 0x02],
            &[0xf6],
        ] {
            assert_eq!(check_form(bytes), Ok(()), "{bytes:02x?}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for (bytes, fault) in [
            (&[0x18, 0x17][..], FormError::LongForm(1)),
            (&[0x19, 0x00, 0xff], FormError::LongForm(1)),
            (&[0x5f, 0x41, 0x00, 0xff], FormError::Indefinite(0)),
            (&[0xa2, 0x01, 0x01, 0x01, 0x02], FormError::KeyOrder(3)),
            (&[0xa2, 0x01, 0x01, 0x00, 0x02], FormError::KeyOrder(3)),
            (&[0x00, 0x00], FormError::Trailing(1)),
            (&[0x42, 0x00], FormError::Short(1)),
            (&[0x61, 0xff], FormError::Text(0)),
            (&[0xc0, 0x00], FormError::Kind(0)),
            (&[0xf9, 0x00, 0x00], FormError::LongForm(1)),
            (&[0xf7], FormError::Kind(0)),
            (
                &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                FormError::Short(9),
            ),
        ] {
            assert_eq!(check_form(bytes), Err(fault), "{bytes:02x?}");
        }
        assert!(matches!(check_form(&[0x81; 200]), Err(FormError::Deep(_))));
    }
}
