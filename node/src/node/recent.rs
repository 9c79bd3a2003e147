//! What was used last of each record, kept at hand.

use std::collections::BTreeMap;

use kith_protocol::id::RecordId;

/// Something of each of the records that were used last.
pub(super) struct Recent<T> {
    kept: BTreeMap<RecordId, (u64, T)>,
    uses: u64,
    max: usize,
}

impl<T> Recent<T> {
    /// Keeps at most `max`.
    pub(super) const fn of(max: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            uses: 0,
            max,
        }
    }

    /// Takes out what is kept of a record.
    pub(super) fn take(&mut self, id: &RecordId) -> Option<T> {
        self.kept.remove(id).map(|(_, kept)| kept)
    }

    /// Keeps it for the next time, and no longer what was used longest ago where that is too much.
    pub(super) fn put(&mut self, id: RecordId, it: T) {
        self.uses += 1;
        self.kept.insert(id, (self.uses, it));
        if self.kept.len() > self.max {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used);
            let oldest = oldest.map(|(id, _)| *id);
            oldest.and_then(|id| self.kept.remove(&id));
        }
    }

    /// Keeps nothing any more.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::id::RecordId;

    use super::Recent;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let [a, b, c] = [1, 2, 3].map(|n| RecordId::from_bytes([n; 32]));
        let mut recent = Recent::of(2);
        recent.put(a, "a");
        recent.put(b, "b");
        let again = recent.take(&a).expect("kept");
        recent.put(a, again);
        recent.put(c, "c");
        assert_eq!(recent.take(&b), None);
        assert_eq!((recent.take(&a), recent.take(&c)), (Some("a"), Some("c")));
    }
}
