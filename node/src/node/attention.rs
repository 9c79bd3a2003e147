//! Which records need nobody's attention: they are not looked through again until something of
//! them changes, so that a practice's list of what waits is there at once.

use std::collections::BTreeSet;

use kith_protocol::{id::RecordId, store::Item};

use super::{Node, bundle::record_of};
use crate::{
    api::{OpenedLine, ToReview},
    failure::Failure,
};

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

/// Records that were looked through and need none, as they stand. What somebody decides about them
/// comes as something new in them. Time alone changes nothing of it: what becomes late is counted
/// elsewhere (`work::Deadlines`).
#[derive(Default)]
pub(super) struct Quiet(BTreeSet<RecordId>);

impl Quiet {
    /// Something comes in. Who acts for whom concerns every record.
    pub fn note(&mut self, items: &[Item], of_principal: bool) {
        if of_principal {
            self.0.clear();
        }
        for record in items.iter().filter_map(record_of) {
            self.0.remove(&record);
        }
    }
}

impl Node {
    /// What of a record needs attention now.
    pub(super) fn attention(&mut self, id: RecordId) -> Result<Attention, Failure> {
        if self.quiet.0.contains(&id) {
            return Ok(Attention::default());
        }
        let found = self.with_record(id, |node, record| {
            Ok(Attention {
                items: node.to_review(record)?,
                unreadable: record.unreadable(),
                opened: node.unseen_emergencies(record)?,
            })
        })?;
        if found.items.is_empty() && found.unreadable == 0 && found.opened.is_empty() {
            self.quiet.0.insert(id);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{
        id::{EventId, RecordId},
        store::Item,
    };

    use super::Quiet;

    #[test]
    fn a_record_is_looked_through_again_when_something_of_it_comes_in() {
        let [one, other] = [1, 2].map(|n| RecordId::from_bytes([n; 32]));
        let part = |record| Item::Part {
            record,
            revocation: EventId::from_bytes([3; 32]),
            bytes: Vec::new(),
        };
        let mut quiet = Quiet([one, other].into());
        quiet.note(&[part(one)], false);
        assert_eq!(quiet.0, [other].into());
        quiet.note(&[], false);
        assert_eq!(quiet.0, [other].into());
        quiet.note(&[], true);
        assert!(quiet.0.is_empty(), "who acts for whom concerns all");
    }
}
