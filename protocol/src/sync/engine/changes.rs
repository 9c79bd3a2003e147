//! What came into the journal, by whatever hands.

use std::collections::BTreeSet;

use kith_crdt::Label;

use super::{Engine, round::Round};
use crate::{
    id::RecordId,
    logs::LogId,
    store::{Item, Store, StoreError},
    sync::{link::Link, message::Farewell, shell::Shell},
};

/// Items of the journal that are looked at in one go.
const JOURNAL_STEP: usize = 256;

/// What came in, as far as a conversation may have to look at it.
#[derive(Default)]
pub(in crate::sync) struct Changes {
    /// Who acts for whom: in any record.
    all: bool,
    /// Records whose logs or cuts are others.
    records: BTreeSet<RecordId>,
    /// Under which labels something was written.
    written: BTreeSet<(RecordId, Label)>,
}

impl Changes {
    fn note(&mut self, item: Item) {
        match item {
            Item::Event { log, .. } => match log {
                LogId::Principal(_) | LogId::Core(None) => self.all = true,
                LogId::Core(Some(record)) | LogId::Label(record, _) => {
                    self.records.insert(record);
                }
            },
            Item::Part { record, .. } => {
                self.records.insert(record);
            }
            Item::Entry {
                record, document, ..
            } => {
                self.written.insert((record, document.label));
            }
            Item::Row { .. } | Item::Audit { .. } => {}
        }
    }

    fn is_empty(&self) -> bool {
        !self.all && self.records.is_empty() && self.written.is_empty()
    }

    /// Whether any of it is for a conversation.
    pub(in crate::sync) fn concern(&self, link: &Link) -> bool {
        let written = self.written.iter().map(|(record, _)| record);
        self.all || self.records.iter().chain(written).any(|id| link.has(id))
    }

    fn extend(&mut self, more: Self) {
        self.all |= more.all;
        self.records.extend(more.records);
        self.written.extend(more.written);
    }
}

impl Engine {
    /// Looks at what came into the journal: rights that changed are found out again, and content
    /// on its way that nobody may have any more is stopped.
    pub(super) fn note_changes<S: Shell>(&mut self, shell: &mut S) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        let read = self.read_on(shell, &mut changes);
        if !changes.is_empty() {
            self.forget_weights(&changes);
            self.own_devices_have(shell, &changes.records);
            self.pass_on(shell, &changes);
            self.tail.extend(changes);
        }
        read
    }

    /// Reads on in the journal; what was read before one of its items is damaged counts too.
    fn read_on<S: Shell>(&mut self, shell: &S, changes: &mut Changes) -> Result<(), StoreError> {
        loop {
            let step = shell.store().journal(self.seen, JOURNAL_STEP)?;
            let Some((last, _)) = step.last() else {
                return Ok(());
            };
            self.seen = *last;
            step.into_iter().for_each(|(_, item)| changes.note(item));
        }
    }

    fn forget_weights(&mut self, changes: &Changes) {
        if changes.all {
            self.weighed.forget_all();
        }
        let written = changes.written.iter().map(|(record, _)| record);
        for record in changes.records.iter().chain(written) {
            self.weighed.forget(*record);
        }
    }

    fn pass_on<S: Shell>(&mut self, shell: &mut S, changes: &Changes) {
        let mut round = Round::of(&self.links);
        for id in self.links.ids() {
            let link = self.links.get(id);
            let concerned =
                link.is_some_and(|link| link.is_sending_content() || changes.concern(link));
            if !concerned && !self.looks_at_all {
                continue;
            }
            round.comes_to(id, &self.links, &mut self.chances);
            self.links.wake(id);
            let mut overtaken = false;
            let done = self.at_desk(shell, id, |link, desk| {
                if changes.all {
                    link.forget_all();
                }
                for record in &changes.records {
                    link.forget(*record);
                }
                for (record, label) in &changes.written {
                    link.note_label(desk, *record, label)?;
                }
                let may_end = changes.all || !changes.records.is_empty();
                overtaken = may_end && link.is_overtaken(desk);
                Ok(())
            });
            self.ends_where_over(id, done.as_ref());
            if overtaken && let Some(link) = self.links.remove(id) {
                self.close(id, link.device, Farewell::NothingShared, true);
            }
        }
        round.ends(&mut self.chances);
    }

    /// What one device of the owner's has, all have: also records that were not here before.
    fn own_devices_have<S: Shell>(&mut self, shell: &S, records: &BTreeSet<RecordId>) {
        if records.is_empty() {
            return;
        }
        let owner = shell.owner().principal;
        for id in self.links.ids() {
            let link = self.links.get(id);
            let peer = link.and_then(|link| link.peer.as_ref());
            if peer.is_some_and(|peer| peer.principal == owner) {
                self.links.work(id, |link| link.has_too(records));
            }
        }
    }
}
