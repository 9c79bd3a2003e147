//! Bytes from the front, numbers in their shortest form only.

use super::Refusal;

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], Refusal> {
        let len = usize::try_from(len).map_err(|_| Refusal::Short)?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Refusal::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Refusal::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        Ok(self.array::<1>()?[0])
    }

    /// Bytes after their length.
    pub(super) fn prefixed(&mut self) -> Result<&'a [u8], Refusal> {
        let len = self.unsigned()?;
        self.take(len)
    }

    /// ULEB128 of at most 64 bits.
    pub(super) fn unsigned(&mut self) -> Result<u64, Refusal> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(Refusal::Number);
            }
            value |= low << shift;
            if byte & 0x80 == 0 {
                let padded = byte == 0 && shift > 0;
                return if padded {
                    Err(Refusal::Number)
                } else {
                    Ok(value)
                };
            }
        }
        Err(Refusal::Number)
    }

    /// SLEB128 of at most 64 bits.
    pub(super) fn signed(&mut self) -> Result<i64, Refusal> {
        let mut value = 0_i64;
        let mut before = 0_u8;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let low = byte & 0x7f;
            if shift == 63 && low != 0 && low != 0x7f {
                return Err(Refusal::Number);
            }
            value |= i64::from(low) << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0;
                let sign_stood_before = (before & 0x40 != 0) == negative;
                let only_sign = low == 0 || low == 0x7f;
                if shift > 0 && only_sign && sign_stood_before {
                    return Err(Refusal::Number);
                }
                if negative && shift < 57 {
                    value |= -1 << (shift + 7);
                }
                return Ok(value);
            }
            before = byte;
        }
        Err(Refusal::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;

    fn unsigned(bytes: &[u8]) -> Option<u64> {
        let mut reader = Reader::new(bytes);
        let value = reader.unsigned().ok()?;
        reader.is_empty().then_some(value)
    }

    fn signed(bytes: &[u8]) -> Option<i64> {
        let mut reader = Reader::new(bytes);
        let value = reader.signed().ok()?;
        reader.is_empty().then_some(value)
    }

    #[test]
    fn numbers_come_back_at_their_borders() {
        assert_eq!(unsigned(&[0]), Some(0));
        assert_eq!(unsigned(&[0xe5, 0x8e, 0x26]), Some(624_485));
        let mut most = [0xff; 10];
        most[9] = 1;
        assert_eq!(unsigned(&most), Some(u64::MAX));
        assert_eq!(signed(&[0x7f]), Some(-1));
        assert_eq!(signed(&[0x3f]), Some(63));
        assert_eq!(signed(&[0xc0, 0]), Some(64));
        assert_eq!(signed(&[0xbf, 0x7f]), Some(-65));
        let mut least = [0x80; 10];
        least[9] = 0x7f;
        assert_eq!(signed(&least), Some(i64::MIN));
        let mut most = [0xff; 10];
        most[9] = 0;
        assert_eq!(signed(&most), Some(i64::MAX));
    }

    #[test]
    fn longer_forms_and_larger_numbers_are_refused() {
        assert_eq!(unsigned(&[0x80, 0]), None);
        assert_eq!(unsigned(&[0xff; 10]), None);
        let mut above = [0xff; 10];
        above[9] = 2;
        assert_eq!(unsigned(&above), None);
        assert_eq!(signed(&[0x80, 0]), None);
        assert_eq!(signed(&[0xff, 0x7f]), None);
        assert_eq!(signed(&[0xff, 0xff, 0]), Some(16383));
        let mut odd = [0x80; 10];
        odd[9] = 0x3f;
        assert_eq!(signed(&odd), None);
    }
}
