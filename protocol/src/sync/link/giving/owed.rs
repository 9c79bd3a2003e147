//! What a peer may have of a record while this node may not: it goes once this node may have it
//! again, since until then it was not compared, and a peer that knows better took none of it
//! (decision 0093).

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;

use super::super::Desk;
use crate::{
    record::Rights,
    sync::{reach::Reach, shell::Shell},
};

/// What is owed, and what need not be any more.
#[derive(Default)]
pub(super) struct Owed {
    /// Documents that this node may not read itself.
    pub(super) shut: BTreeSet<DocumentId>,
    /// Documents that were owed and that it may read now.
    pub(super) due: BTreeSet<DocumentId>,
    /// When time alone next changes what this node reaches, where something is owed.
    pub(super) turns_ms: Option<u64>,
}

impl Owed {
    /// Of what was owed before, and of what was added to what the peer may have.
    pub(super) fn of<S: Shell>(
        desk: &Desk<'_, S>,
        rights: &mut Rights,
        before: &BTreeSet<DocumentId>,
        added: impl Iterator<Item = DocumentId>,
    ) -> Self {
        let ours = desk.shell.owner();
        let all: BTreeSet<_> = before.iter().cloned().chain(added).collect();
        let mut open = BTreeMap::new();
        for document in &all {
            let label = &document.label;
            open.entry(label.clone())
                .or_insert_with(|| rights.ledger().sections_open(&ours, label, desk.now_ms));
        }
        let is_open = |document: &DocumentId| open[&document.label].contains(&document.section);
        let (readable, shut): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(is_open);
        let turns_ms = match shut.is_empty() {
            true => None,
            false => Reach::of(rights.ledger(), &ours, desk.now_ms).turns_ms(),
        };
        Self {
            due: readable.intersection(before).cloned().collect(),
            shut,
            turns_ms,
        }
    }
}
