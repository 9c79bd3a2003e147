//! Giving a place from its start.

use std::collections::{BTreeSet, VecDeque};

use kith_crdt::Label;

use super::{
    super::{Desk, Link, Stop},
    Giving,
    batch::{Batch, Parcel, position_of},
};
use crate::{
    id::{EnvelopeId, RecordId},
    planted::{self, Planted},
    record::Rights,
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
    /// Whether all of it is given.
    is_whole: bool,
    rights: VecDeque<Carried>,
    entries: VecDeque<EnvelopeId>,
}

/// What comes next into a parcel.
pub(super) enum Next {
    /// Nothing of this tier.
    Nothing,
    /// Something that has nothing for this peer any more.
    Empty,
    /// Something that does not go into this parcel.
    Full,
    /// Something.
    Batch(Batch),
}

impl Link {
    /// What comes next of the places that are given from their start: as many places of one record
    /// as go together.
    pub(super) fn next_of_places<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
        parcel: &Parcel,
    ) -> Result<Next, Stop> {
        let first = self.giving.open.as_ref().map(|open| &open.place);
        let turn = self.giving.places.first_key_value();
        let Some(first) = first.or(turn.map(|((.., place), _)| place)) else {
            return Ok(Next::Nothing);
        };
        if first.tier() != tier {
            return Ok(Next::Nothing);
        }
        if !parcel.takes(first.label()) {
            return Ok(Next::Full);
        }
        let (id, label) = (first.record(), first.label().cloned());
        let room = parcel.room();
        let filled = self.with_view(desk, id, |link, desk, of, view| {
            let mut batch = Batch::new(id, room);
            loop {
                if let Some(mut open) = link.giving.open.take() {
                    link.fill(desk, of, view, (&mut open, &mut batch))?;
                    if !open.is_empty() {
                        link.giving.open = Some(open);
                        return Ok((batch, false));
                    }
                }
                let Some((place, part)) = link.giving.next_place(tier, id, label.as_ref()) else {
                    return Ok((batch, true));
                };
                link.giving.open = Some(link.open_place(desk, (of, view), (&place, &part))?);
            }
        })?;
        let Some((batch, is_whole)) = filled else {
            // Of a damaged record nothing is given; the rest goes on.
            self.giving.open = None;
            while self.giving.next_place(tier, id, label.as_ref()).is_some() {}
            return Ok(Next::Empty);
        };
        Ok(match (batch.items.is_empty(), is_whole) {
            (false, _) => Next::Batch(batch),
            (true, true) => Next::Empty,
            (true, false) => Next::Full,
        })
    }

    fn open_place<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        (of, view): (&Rights, &View),
        (place, part): (&Place, &Part),
    ) -> Result<Open, StoreError> {
        let wanted = |key: &Key| match part {
            Part::Whole => !self.giving.keys_from_peer.contains(key),
            Part::Keys(keys) => keys.contains(key),
        };
        let store = desk.shell.store();
        let is_given = match place {
            Place::Principal(_, principal) => self.giving.logs_given.contains(principal),
            Place::Authority(_) | Place::Document(..) => false,
        };
        let mut open = Open {
            place: place.clone(),
            is_whole: *part == Part::Whole,
            rights: VecDeque::new(),
            entries: VecDeque::new(),
        };
        if is_given && open.is_whole {
            return Ok(open);
        }
        match (place, self.who()) {
            (Place::Document(id, document), _) => {
                let ids = store.entry_ids(id, document)?;
                open.entries = ids.into_iter().filter(|id| wanted(id.as_bytes())).collect();
            }
            (Place::Authority(_) | Place::Principal(..), Some(who)) => {
                let items = rights(view, of, desk.shell, &who, place)?;
                let items = items.into_iter().filter(|(key, _)| wanted(key));
                open.rights = items.map(|(_, carried)| carried).collect();
            }
            (Place::Authority(_) | Place::Principal(..), None) => {}
        }
        Ok(open)
    }

    /// Puts as much of a place into a batch as goes together.
    fn fill<S: Shell>(
        &mut self,
        desk: &Desk<'_, S>,
        of: &mut Rights,
        view: &View,
        (open, batch): (&mut Open, &mut Batch),
    ) -> Result<(), StoreError> {
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
        if let Place::Principal(_, principal) = open.place
            && (principal_may_go && open.is_whole && open.rights.is_empty())
        {
            self.giving.logs_given.insert(principal);
        }
        let (Place::Document(_, document), Some(who)) = (&open.place, self.who()) else {
            return Ok(());
        };
        let find = || match planted::is(Planted::RightSkippedOnResend) {
            true => Some(of.ledger().own_copy(document, who)),
            false => of.reader(&who, document, desk.now_ms),
        };
        let Some(reader) = batch.reader(document, find) else {
            open.entries.clear();
            return Ok(());
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
        Ok(())
    }
}

impl Open {
    fn is_empty(&self) -> bool {
        self.rights.is_empty() && self.entries.is_empty()
    }
}

impl Giving {
    /// Takes out the next place, where it is of this tier, record and label.
    fn next_place(
        &mut self,
        tier: Tier,
        record: RecordId,
        label: Option<&Label>,
    ) -> Option<(Place, Part)> {
        let first = self.places.first_entry()?;
        let (of_tier, of_label, _, of_record, ..) = first.key();
        if (*of_tier, of_label.as_ref(), *of_record) != (tier, label, record) {
            return None;
        }
        let ((.., place), part) = first.remove_entry();
        Some((place, part))
    }
}
