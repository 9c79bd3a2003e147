//! A stream of choices that depends on a seed, a person and a purpose, and on nothing else.

/// The domain of every stream: another version of the generator has another.
const KEY: &[u8; 32] = b"kith: synthetic people, 2026-11.";

/// Choices for one purpose. A new field takes a new purpose, so that it shifts nothing else.
pub(super) struct Stream {
    reader: blake3::OutputReader,
    block: [u8; 64],
    used: usize,
}

impl Stream {
    /// The stream of `purpose` for person `number` of the population `seed`.
    pub(super) fn of(seed: u64, number: u32, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(KEY);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&number.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self {
            reader: hasher.finalize_xof(),
            block: [0; 64],
            used: 64,
        }
    }

    fn next(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.reader.fill(&mut self.block);
            self.used = 0;
        }
        let word = self.block[self.used..]
            .first_chunk()
            .expect("64 is a multiple of 4");
        self.used += 4;
        u32::from_le_bytes(*word)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let scaled = (u64::from(self.next()) * u64::from(end)) >> 32;
        u32::try_from(scaled).expect("a product of two u32 has 64 bits")
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u32::try_from(high - low + 1).unwrap_or(1);
        low + i32::try_from(self.below(span)).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `items`, which are not empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let end = u32::try_from(items.len()).expect("tables are short");
        &items[self.below(end) as usize]
    }

    /// A UUID of version 8 (RFC 9562, 5.8).
    pub(super) fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        for word in bytes.chunks_exact_mut(4) {
            word.copy_from_slice(&self.next().to_be_bytes());
        }
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::Stream;

    #[test]
    fn a_stream_depends_on_all_that_names_it() {
        let draw = |seed, number, purpose| Stream::of(seed, number, purpose).uuid();
        let first = draw(1, 2, "name");
        assert_eq!(first, draw(1, 2, "name"));
        for other in [draw(2, 2, "name"), draw(1, 3, "name"), draw(1, 2, "dose")] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut stream = Stream::of(1, 1, "range");
        let drawn: Vec<_> = (0..500).map(|_| stream.between(-2, 2)).collect();
        assert_eq!(drawn.iter().min(), Some(&-2));
        assert_eq!(drawn.iter().max(), Some(&2));
    }
}
