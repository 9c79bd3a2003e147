//! Opened blocks, so that reading a record opens each of its blocks once.

use std::{collections::BTreeMap, sync::Arc};

use super::segments::Block;

/// Bytes of opened blocks that are kept while something is asked for: a block has entries of several
/// records where they came together.
const CACHE_LEN_MAX: usize = 4 * 1024 * 1024;

type Place = (u32, u32);

/// The blocks used last.
#[derive(Default)]
pub(super) struct BlockCache {
    blocks: BTreeMap<Place, (u64, Arc<Block>)>,
    clock: u64,
    len: usize,
}

impl BlockCache {
    pub(super) fn get(&mut self, place: Place) -> Option<Arc<Block>> {
        self.clock += 1;
        let (used, block) = self.blocks.get_mut(&place)?;
        *used = self.clock;
        Some(Arc::clone(block))
    }

    /// Keeps nothing where what is kept is longer than this.
    pub(super) fn trim(&mut self, len: usize) {
        if self.len > len {
            self.blocks.clear();
            self.len = 0;
        }
    }

    pub(super) fn put(&mut self, place: Place, block: Arc<Block>) {
        self.clock += 1;
        self.len += block.len();
        // Two threads may have opened the same one.
        if let Some((_, before)) = self.blocks.insert(place, (self.clock, block)) {
            self.len -= before.len();
        }
        while self.len > CACHE_LEN_MAX && self.blocks.len() > 1 {
            let oldest = self.blocks.iter().min_by_key(|(_, (used, _))| *used);
            let Some(place) = oldest.map(|(place, _)| *place) else {
                return;
            };
            if let Some((_, block)) = self.blocks.remove(&place) {
                self.len -= block.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Block, BlockCache, CACHE_LEN_MAX};

    #[test]
    fn a_block_that_two_threads_opened_counts_once() {
        let block = |len| Arc::new(Block::of_len(len));
        let mut cache = BlockCache::default();
        for _ in 0..9 {
            cache.put((0, 1), block(CACHE_LEN_MAX / 4));
        }
        cache.put((0, 2), block(CACHE_LEN_MAX / 4));
        assert_eq!(cache.len, CACHE_LEN_MAX / 2);
        assert!(cache.get((0, 1)).is_some() && cache.get((0, 2)).is_some());
        cache.put((0, 3), block(CACHE_LEN_MAX));
        assert_eq!(cache.len, CACHE_LEN_MAX);
        assert!(cache.get((0, 1)).is_none() && cache.get((0, 3)).is_some());
    }
}
