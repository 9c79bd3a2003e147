//! What this node's owner said in a record, with what is made of it to compare what comes in.
//!
//! A system may send something about one person every few seconds, and each time all that was said
//! of them is compared. What is made of a resource for that is kept for as long as the resource
//! stands as it is.

use std::sync::{Arc, OnceLock};

use kith_crdt::{DocumentId, Held, refile::SourceKey};
use kith_protocol::record::Record;

use super::Node;
use crate::{failure::Failure, health::hl7v2::map::Made};

/// A resource that this node's owner wrote.
#[derive(Clone)]
pub(super) struct Statement {
    pub(super) document: DocumentId,
    said: Arc<Said>,
}

/// What is made of a resource, the first time that it is asked for.
pub(super) struct Said {
    held: Arc<Held>,
    key: OnceLock<SourceKey>,
    made: OnceLock<Option<Made>>,
}

/// What was made of a record's resources, in the order in which they are read.
pub(super) type Statements = Vec<Arc<Said>>;

impl Statement {
    pub(super) fn held(&self) -> &Held {
        &self.said.held
    }

    /// What makes it the same as something that comes in.
    pub(super) fn key(&self) -> &SourceKey {
        let held = self.held();
        self.said
            .key
            .get_or_init(|| SourceKey::of(&held.meta, || held.to_text(0)))
    }

    /// It as a message would say it, where it has a full URL.
    pub(super) fn made(&self) -> Option<&Made> {
        let held = self.held();
        let made = self.said.made.get_or_init(|| {
            let full_url = held.meta.full_url()?;
            let value = held.value(0);
            value.is_object().then_some(Made { full_url, value })
        });
        made.as_ref()
    }
}

impl Node {
    /// What this node's owner wrote into a record before, in the order of its documents.
    pub(super) fn own_statements(
        &mut self,
        record: &mut Record,
    ) -> Result<Vec<Statement>, Failure> {
        let own = self.identity.principal;
        let before = self.statements.take(&record.id()).unwrap_or_default();
        let mut before = before.into_iter().peekable();
        let mut kept = Statements::new();
        let mut statements = Vec::new();
        let mut weight = 0;
        for placed in self.read_all(record)? {
            let is_own = record.author(&placed.held.created) == Some(own);
            if placed.aside || placed.late || !is_own {
                continue;
            }
            // Nearly everything stands where it stood: what is new stands between, and what was
            // changed in the place of what it was.
            let known = before.next_if(|said| said.held.id == placed.held.id);
            let known = known.filter(|said| Arc::ptr_eq(&said.held, &placed.held));
            let said = known.unwrap_or_else(|| {
                Arc::new(Said {
                    held: placed.held,
                    key: OnceLock::new(),
                    made: OnceLock::new(),
                })
            });
            weight += said.held.texts_len();
            kept.push(Arc::clone(&said));
            let document = placed.document;
            statements.push(Statement { document, said });
        }
        self.statements.put(record.id(), kept, weight);
        Ok(statements)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kith_crdt::samples::sample_bundle;

    use super::Statement;
    use crate::node::epochs::tests::Place;

    /// What is kept of readings while things are written is what a fresh reading gives.
    #[test]
    fn what_is_kept_is_what_is_there() {
        let mut place = Place::new();
        let text = sample_bundle(7, 3, 60);
        let record = place.imports(&text);
        for round in 0..4 {
            place.notes(record, &format!("slept well, night {round}"));
            // The same file with one word changed in many places.
            let changed = text.replace("\"final\"", &format!("\"amended-{round}\""));
            assert_eq!(place.imports(&changed), record);
            let kept = place.statements(record);
            let again = place.statements(record);
            let same = kept.iter().zip(&again);
            let mut same = same.map(|(a, b)| Arc::ptr_eq(&a.said, &b.said));
            assert!(same.all(|same| same), "nothing is made twice");
            place.node.loaded.clear();
            let fresh = place.statements(record);
            let both = |of: &Statement| (of.held().clone(), of.key().clone());
            assert!(
                fresh.iter().map(both).eq(kept.iter().map(both)),
                "round {round}"
            );
        }
    }
}
