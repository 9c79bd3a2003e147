//! What of each record needs somebody's attention, kept until something of the record changes: a
//! practice's list of what waits is there at once, and a page of a long record does not look through
//! all of it again.

use std::{collections::BTreeMap, sync::Arc};

use kith_protocol::{id::RecordId, store::Item};

use super::{Node, bundle::record_of};
use crate::{
    api::{OpenedLine, ToReview},
    failure::Failure,
};

/// Records of which more than nothing is kept.
const KEPT_MAX: usize = 256;

/// What of a record needs attention.
#[derive(Default)]
pub(super) struct Attention {
    /// What waits for a decision.
    pub items: Vec<ToReview>,
    /// Entries that this build cannot read.
    pub unreadable: usize,
    /// Emergencies that nobody here has seen.
    pub opened: Vec<OpenedLine>,
}

impl Attention {
    const fn is_nothing(&self) -> bool {
        self.items.is_empty() && self.unreadable == 0 && self.opened.is_empty()
    }
}

/// Records that were looked through, as they stand. What somebody decides about them comes as
/// something new in them. Time alone changes nothing of it: what becomes late is counted elsewhere
/// (`work::Deadlines`), and how an emergency stands, which time does change, is not kept.
#[derive(Default)]
pub(super) struct Looked(BTreeMap<RecordId, Option<Arc<Attention>>>);

impl Looked {
    /// Something comes in. Who acts for whom concerns every record, and so do names.
    pub fn note(&mut self, items: &[Item], of_principal: bool) {
        if of_principal {
            self.0.clear();
        }
        for record in items.iter().filter_map(record_of) {
            self.0.remove(&record);
        }
    }

    /// People are called something else, or are known now.
    pub fn names_changed(&mut self) {
        self.0.retain(|_, kept| kept.is_none());
    }

    fn keep(&mut self, record: RecordId, found: &Arc<Attention>) {
        if found.is_nothing() {
            self.0.insert(record, None);
        } else if found.opened.is_empty() {
            if self.0.values().filter(|kept| kept.is_some()).count() >= KEPT_MAX {
                self.names_changed();
            }
            self.0.insert(record, Some(Arc::clone(found)));
        }
    }
}

impl Node {
    /// What of a record needs attention now.
    pub(super) fn attention(&mut self, id: RecordId) -> Result<Arc<Attention>, Failure> {
        if let Some(kept) = self.looked.0.get(&id) {
            return Ok(kept.clone().unwrap_or_default());
        }
        let found = self.with_record(id, |node, record| {
            Ok(Attention {
                items: node.to_review(record)?,
                unreadable: record.unreadable(),
                opened: node.unseen_emergencies(record)?,
            })
        })?;
        let found = Arc::new(found);
        self.looked.keep(id, &found);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{
        id::{EventId, RecordId},
        store::Item,
    };

    use super::Looked;

    #[test]
    fn a_record_is_looked_through_again_when_something_of_it_comes_in() {
        let [one, other] = [1, 2].map(|n| RecordId::from_bytes([n; 32]));
        let part = |record| Item::Part {
            record,
            revocation: EventId::from_bytes([3; 32]),
            bytes: Vec::new(),
        };
        let mut quiet = Looked([(one, None), (other, None)].into());
        quiet.note(&[part(one)], false);
        assert!(quiet.0.keys().eq([&other]));
        quiet.note(&[], false);
        assert!(quiet.0.keys().eq([&other]));
        quiet.note(&[], true);
        assert!(quiet.0.is_empty(), "who acts for whom concerns all");
    }
}
