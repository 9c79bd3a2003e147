//! A record that somebody known begins to share, without an invitation: it becomes one that both
//! have to do with when what was sent proves that it is.

use std::collections::BTreeSet;

use super::{Desk, Link, Stop};
use crate::{
    consent::Whoever,
    id::RecordId,
    limits::{AUTHORITY_EVENTS_MAX, RECORDS_IN_COMMON_MAX},
    logs::Event,
    record::{Record, named},
    signed::Verified,
    store::{Item, Store},
    sync::{heard::Sound, reach::Reach, shell::Shell},
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
        if peer.records.len() >= RECORDS_IN_COMMON_MAX || !self.is_proven(desk, id, sound, who)? {
            return Ok(false);
        }
        rows.extend(desk.shell.note_common(who.principal, id)?);
        let before = std::mem::take(&mut self.offered).events;
        sound.events.splice(..0, before);
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
            // A record that is here takes nothing from anyone whom its own logs do not name. One
            // that cannot be read names nobody: whoever asks is answered as if it were not here,
            // and somebody whom it does name is asked for it again by a comparison.
            let Some(mut rights) = super::whole(desk, id, S::rights)? else {
                return Ok(false);
            };
            let is_live = Reach::of(rights.ledger(), &who, desk.now_ms).is_live();
            desk.shell.put_rights(rights, false);
            return Ok(is_live);
        }
        let store = desk.shell.store();
        self.offered.keep(id, std::mem::take(&mut sound.events));
        let mut record = Record::new(id);
        let mut authors = BTreeSet::from([ours.principal]);
        for (_, event) in &self.offered.events {
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
