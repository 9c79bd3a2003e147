//! A record that somebody known begins to share, without an invitation: it becomes one that both
//! have to do with when what was sent proves that it is.

use std::collections::BTreeSet;

use super::{Desk, Link, Stop, taking::Sound};
use crate::{
    consent::Whoever,
    id::RecordId,
    limits::{AUTHORITY_EVENTS_MAX, RECORDS_IN_COMMON_MAX},
    logs::{Event, LogId},
    record::{Record, event_item, named},
    signed::Verified,
    store::{Item, Store},
    sync::{
        reach::{Reach, certified},
        shell::Shell,
    },
};

/// Rights of one record that do not prove yet that it is shared with this node: they may come in
/// several batches. What is here when a conversation ends is found again by a comparison.
#[derive(Default)]
pub(super) struct Offered {
    record: Option<RecordId>,
    events: Vec<(u32, Verified<Event>)>,
}

impl Offered {
    /// One record at a time, and no more than a record may have.
    fn keep(&mut self, record: RecordId, events: Vec<(u32, Verified<Event>)>) {
        if self.record != Some(record) {
            self.events.clear();
            self.record = Some(record);
        }
        let room = AUTHORITY_EVENTS_MAX.saturating_sub(self.events.len());
        self.events.extend(events.into_iter().take(room));
    }
}

impl Link {
    /// Whether both have to do with a record: known before, or proven by what came now. What came
    /// before it was proven is put in front of what came now, and the row that says it is added.
    pub(super) fn has_in_common<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        id: RecordId,
        sound: &mut Sound,
        rows: &mut Vec<Item>,
    ) -> Result<bool, Stop> {
        let (Some(peer), Some(who)) = (&self.peer, self.who()) else {
            return Ok(false);
        };
        // Another device of the owner's own may be the first to tell of a record.
        if peer.records.contains(&id) || peer.principal == desk.shell.owner().principal {
            return Ok(true);
        }
        if peer.records.len() >= RECORDS_IN_COMMON_MAX {
            return Ok(false);
        }
        if !self.is_proven(desk, id, sound, who)? {
            // Who acts for whom is kept: it may be what proves the rest.
            let people = sound.events.drain(..);
            rows.extend(people.map(|(_, event)| event_item(&event)));
            return Ok(false);
        }
        rows.extend(desk.shell.note_common(who.principal, id)?);
        sound
            .events
            .extend(std::mem::take(&mut self.offered).events);
        if let Some(peer) = &mut self.peer {
            peer.records.insert(id);
        }
        self.forget(id);
        Ok(true)
    }

    fn is_proven<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        id: RecordId,
        sound: &mut Sound,
        who: Whoever,
    ) -> Result<bool, Stop> {
        let ours = desk.shell.owner();
        if !desk.shell.store().logs(&id)?.is_empty() {
            // A record that is here takes nothing from anyone whom its own logs do not name.
            let mut rights = desk.shell.rights(id)?;
            let is_live = Reach::of(rights.ledger(), &who, desk.now_ms).is_live();
            desk.shell.put_rights(rights);
            if !is_live {
                sound.events.clear();
            }
            return Ok(is_live);
        }
        let store = desk.shell.store();
        let (of_people, of_record): (Vec<_>, Vec<_>) = std::mem::take(&mut sound.events)
            .into_iter()
            .partition(|(_, event)| matches!(event.value().log, LogId::Principal(_)));
        let people: Vec<_> = of_people.iter().map(|(_, event)| event.clone()).collect();
        let known = certified(store, &people, AUTHORITY_EVENTS_MAX)?;
        let is_known = |(_, event): &(u32, Verified<Event>)| known.contains(&event.id());
        sound.events = of_people.into_iter().filter(is_known).collect();
        self.offered.keep(id, of_record);
        let mut record = Record::new(id);
        let mut authors = BTreeSet::from([ours.principal]);
        let offered = self.offered.events.iter().map(|(_, event)| event);
        let people = sound.events.iter().map(|(_, event)| event);
        for event in people.chain(offered) {
            authors.extend(named(event.value()));
            if record.arrive_event(event.clone()).is_err() {
                // It is looked at, and answered, again when all of it is taken in.
                break;
            }
        }
        record.load_principals(store, authors)?;
        Ok(Reach::of(record.ledger(), &ours, desk.now_ms).is_live()
            && Reach::of(record.ledger(), &who, desk.now_ms).is_any())
    }
}
