//! How a resource came to say what it says.

use std::collections::BTreeSet;

use kith_crdt::{Document, Held, ResourceId};

use super::Record;
use crate::{
    consent::{Reader, Status},
    id::EnvelopeId,
};

/// What one entry made of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry.
    pub entry: EnvelopeId,
    /// The step before it that its author had seen, by its place; nothing where the entry made the
    /// resource.
    pub upon: Option<usize>,
    /// The resource with it.
    pub held: Held,
}

impl Record {
    /// What each loaded entry made of a resource, each after what it builds on. In an epoch that was
    /// begun anew the first of them is what was carried over.
    pub fn history(&mut self, reader: &Reader, resource: &ResourceId) -> Vec<Step> {
        let main = self.ledger.loaded(reader.document()).main;
        let mut document = Document::new();
        let mut steps: Vec<Step> = Vec::new();
        for entry in main {
            document = self.apply(document, &[entry]);
            let Some(held) = document.resource(resource) else {
                continue;
            };
            if steps.last().is_some_and(|last| last.held == held) {
                continue;
            }
            let deps = self.ledger.header(&entry).map(|header| &header.deps);
            let seen = deps.map_or_else(BTreeSet::new, |deps| self.below(deps));
            let upon = steps.iter().rposition(|step| seen.contains(&step.entry));
            steps.push(Step { entry, upon, held });
        }
        steps
    }

    /// The entries that write something of a resource and are not in the view, each with why.
    pub fn aside(&mut self, reader: &Reader, resource: &ResourceId) -> Vec<(EnvelopeId, Status)> {
        let main = self.ledger.loaded(reader.document()).main;
        let all = self.ledger.entries(reader.document());
        let is_aside = |(entry, _): &&(EnvelopeId, Status)| !main.contains(entry);
        let aside: Vec<_> = all.iter().filter(is_aside).cloned().collect();
        let writes = |(entry, _): &(EnvelopeId, Status)| {
            let below = self.below(&[*entry]);
            let ids = all.iter().map(|(id, _)| *id);
            let made: Vec<_> = ids.filter(|id| below.contains(id)).collect();
            let made = self.made_of(&made).unwrap_or_default();
            let held = made.iter().find(|held| held.id == *resource);
            held.is_some_and(|held| self.is_written_by(held, entry))
        };
        aside.into_iter().filter(writes).collect()
    }

    fn is_written_by(&self, held: &Held, entry: &EnvelopeId) -> bool {
        let units = held.units.iter().flat_map(|unit| unit.content.writers());
        let said = held.retractions.iter().map(|said| said.writer);
        let mut all = units.chain(said).chain([held.created]);
        all.any(|change| self.writer(&change) == Some(*entry))
    }
}
