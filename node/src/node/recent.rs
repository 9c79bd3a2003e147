//! What was used last of each record, kept at hand.

use std::collections::BTreeMap;

use kith_protocol::id::RecordId;

/// Something of each of the records that were used last.
pub(super) struct Recent<T> {
    kept: BTreeMap<RecordId, Kept<T>>,
    uses: u64,
    weight: usize,
    max: usize,
}

struct Kept<T> {
    used: u64,
    weight: usize,
    it: T,
}

impl<T> Recent<T> {
    /// Keeps what weighs at most `max` together, and always what was used last.
    pub(super) const fn of(max: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            uses: 0,
            weight: 0,
            max,
        }
    }

    /// Takes out what is kept of a record.
    pub(super) fn take(&mut self, id: &RecordId) -> Option<T> {
        let kept = self.kept.remove(id)?;
        self.weight -= kept.weight;
        Some(kept.it)
    }

    /// Keeps it for the next time, and no longer what was used longest ago where that is too much.
    pub(super) fn put(&mut self, id: RecordId, it: T, weight: usize) {
        self.take(&id);
        self.uses += 1;
        self.weight += weight;
        let used = self.uses;
        self.kept.insert(id, Kept { used, weight, it });
        self.trim(self.max);
    }

    /// Keeps no more than what weighs `max` together now, and always what was used last.
    pub(super) fn trim(&mut self, max: usize) {
        self.let_go_while(|this| this.weight > max && this.kept.len() > 1);
    }

    /// Keeps no more than so many records now.
    pub(super) fn keep_last(&mut self, records: usize) {
        self.let_go_while(|this| this.kept.len() > records);
    }

    fn let_go_while(&mut self, is_too_much: impl Fn(&Self) -> bool) {
        while is_too_much(self) {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
            let Some(oldest) = oldest.map(|(id, _)| *id) else {
                return;
            };
            self.take(&oldest);
        }
    }

    /// Whether something of a record is kept.
    pub(super) fn has(&self, id: &RecordId) -> bool {
        self.kept.contains_key(id)
    }

    /// All that is kept.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&RecordId, &mut T)> {
        self.kept.iter_mut().map(|(id, kept)| (id, &mut kept.it))
    }

    /// Keeps nothing any more.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.weight = 0;
    }
}

#[cfg(test)]
mod tests {
    use kith_crdt::samples::sample_bundle;
    use kith_protocol::id::RecordId;

    use super::{super::records::LOADED_LEN, Recent};
    use crate::node::epochs::tests::Place;

    #[test]
    fn a_hundred_and_fifty_records_of_sixty_resources_stay_at_hand() {
        let mut place = Place::new();
        let record = place.imports(&sample_bundle(1, 1, 60));
        let weighed = place
            .node
            .with_record(record, |_, record| Ok(record.changes_len()));
        let weighed = weighed.expect("a record");
        assert!(weighed > 0 && weighed * 150 < LOADED_LEN, "{weighed}");
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let [a, b, c, d] = [1, 2, 3, 4].map(|n| RecordId::from_bytes([n; 32]));
        let mut recent = Recent::of(3);
        recent.put(a, "a", 1);
        recent.put(b, "b", 1);
        let again = recent.take(&a).expect("kept");
        recent.put(a, again, 1);
        recent.put(c, "c", 2);
        assert_eq!(recent.take(&b), None);
        assert_eq!((recent.take(&a), recent.take(&c)), (Some("a"), Some("c")));

        recent.put(a, "a", 1);
        recent.put(b, "b", 1);
        recent.put(d, "more than all", 9);
        assert_eq!((recent.take(&a), recent.take(&b)), (None, None));
        recent.put(a, "a", 1);
        recent.put(b, "b", 1);
        recent.put(a, "again", 1);
        recent.keep_last(1);
        assert_eq!((recent.take(&a), recent.take(&b)), (Some("again"), None));
        recent.put(d, "more than all", 9);
        assert_eq!(recent.take(&d), Some("more than all"));
        assert_eq!(recent.weight, 0);
    }
}
