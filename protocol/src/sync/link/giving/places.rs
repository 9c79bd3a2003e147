//! Giving a place from its start.

use std::collections::{BTreeSet, VecDeque};

use super::{
    super::{Desk, Link, Stop},
    batch::{Batch, position_of},
};
use crate::{
    id::EnvelopeId,
    planted::{self, Planted},
    record::Record,
    store::{Store, StoreError},
    sync::{
        message::Carried,
        ranges::Key,
        shell::Shell,
        view::{Place, Tier, View, rights},
    },
};

/// What is given of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sync::link) enum Part {
    /// All of it.
    Whole,
    /// What has these keys.
    Keys(BTreeSet<Key>),
}

/// A place that is being given.
pub(super) struct Open {
    place: Place,
    rights: VecDeque<Carried>,
    entries: VecDeque<EnvelopeId>,
}

/// What comes next of the places that are given from their start.
pub(super) enum Next {
    /// Nothing of this tier.
    Nothing,
    /// A place that has nothing for this peer any more.
    Empty,
    /// Something.
    Batch(Batch),
}

impl Link {
    /// What comes next of the places that are given from their start.
    pub(super) fn next_of_places<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
    ) -> Result<Next, Stop> {
        if self.giving.open.is_none() {
            let first = self.giving.places.first_entry();
            let Some(first) = first.filter(|first| first.key().0 == tier) else {
                return Ok(Next::Nothing);
            };
            let ((_, _, place), part) = first.remove_entry();
            self.giving.open =
                self.with_view(desk, place.record(), |link, desk, record, view| {
                    link.open_place(desk, record, view, (&place, &part))
                })?;
        }
        let Some(mut open) = self.giving.open.take() else {
            return Ok(Next::Empty);
        };
        if open.place.tier() != tier {
            self.giving.open = Some(open);
            return Ok(Next::Nothing);
        }
        let batch = self.with_view(desk, open.place.record(), |link, desk, record, view| {
            link.fill(desk, record, view, &mut open)
        })?;
        if !open.rights.is_empty() || !open.entries.is_empty() {
            self.giving.open = Some(open);
        }
        Ok(match batch {
            Some(batch) if !batch.items.is_empty() => Next::Batch(batch),
            Some(_) | None => Next::Empty,
        })
    }

    fn open_place<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        record: &Record,
        view: &View,
        (place, part): (&Place, &Part),
    ) -> Result<Open, StoreError> {
        let wanted = |key: &Key| match part {
            Part::Whole => true,
            Part::Keys(keys) => keys.contains(key),
        };
        let store = desk.shell.store();
        let mut open = Open {
            place: place.clone(),
            rights: VecDeque::new(),
            entries: VecDeque::new(),
        };
        match (place, self.who()) {
            (Place::Document(id, document), _) => {
                let ids = store.entry_ids(id, document)?;
                open.entries = ids.into_iter().filter(|id| wanted(id.as_bytes())).collect();
            }
            (Place::Authority(_) | Place::Principal(..), Some(who)) => {
                let items = rights(view, record, desk.shell, &who, place)?;
                let items = items.into_iter().filter(|(key, _)| wanted(key));
                open.rights = items.map(|(_, carried)| carried).collect();
            }
            (Place::Authority(_) | Place::Principal(..), None) => {}
        }
        Ok(open)
    }

    fn fill<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        record: &mut Record,
        view: &View,
        open: &mut Open,
    ) -> Result<Batch, StoreError> {
        let mut batch = Batch::new(record.id());
        let principal_may_go = match &open.place {
            Place::Principal(_, principal) => view.has_principal(principal),
            Place::Authority(_) | Place::Document(..) => view.reach.is_any(),
        };
        if !principal_may_go {
            open.rights.clear();
        }
        while let Some(next) = open.rights.front()
            && batch.has_room(next.bytes.len())
        {
            if let Some(next) = open.rights.pop_front() {
                batch.add(next);
            }
        }
        let (Place::Document(_, document), Some(who)) = (&open.place, self.who()) else {
            return Ok(batch);
        };
        let reader = match planted::is(Planted::RightSkippedOnResend) {
            true => Some(record.ledger().own_copy(document, who)),
            false => record.reader(&who, document, desk.now_ms),
        };
        let Some(reader) = reader else {
            open.entries.clear();
            return Ok(batch);
        };
        while let Some(id) = open.entries.front() {
            let held = desk.shell.store().entry(id)?;
            let Some((position, bytes)) =
                held.and_then(|(_, _, bytes)| Some((position_of(&bytes)?, bytes)))
            else {
                open.entries.pop_front();
                continue;
            };
            if !batch.add_entry(&reader, position, bytes) {
                break;
            }
            open.entries.pop_front();
        }
        Ok(batch)
    }
}
