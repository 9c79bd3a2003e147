//! Taking: what the other side gave, checked from its bytes and on the disk before it is said to
//! be taken.
//!
//! A device whose rights have ended may still hand in what it wrote itself: it is acknowledged
//! like anything else, so that it learns nothing, and waits for review.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;

use super::{Desk, Link, Stop};
use crate::{
    author::Entry,
    consent::Whoever,
    id::{DeviceId, RecordId},
    intake,
    limits::{AUTHORITY_EVENTS_MAX, ITEMS_MAX},
    logs::{Event, LogId},
    planted::{self, Planted},
    record::{ArrivalError, Record, named},
    signed::Verified,
    store::{Item, Store},
    sync::{
        message::{Carried, Cursor, Farewell, KeptBack, Kind, Message, NotTaken},
        output::{News, Output},
        progress,
        reach::{Reach, certified},
        shell::Shell,
    },
};

/// What of a batch holds.
#[derive(Default)]
pub(super) struct Sound {
    pub(super) events: Vec<(u32, Verified<Event>)>,
    parts: Vec<(u32, Vec<u8>)>,
    entries: Vec<(u32, Entry)>,
    kept_back: Vec<KeptBack>,
}

impl Sound {
    /// Checks every signature, hash and bound over the bytes as they came.
    fn of(items: &[Carried]) -> Self {
        let mut sound = Self::default();
        for (nth, item) in (0_u32..).zip(items) {
            let holds = match item.kind {
                Kind::Event => intake::event(&item.bytes)
                    .map(|event| sound.events.push((nth, event)))
                    .is_ok(),
                Kind::Entry => intake::entry(&item.bytes)
                    .map(|entry| sound.entries.push((nth, entry)))
                    .is_ok(),
                Kind::Part => {
                    sound.parts.push((nth, item.bytes.clone()));
                    true
                }
            };
            if !holds {
                sound.keep_back(nth, NotTaken::Unsound);
            }
        }
        sound
    }

    fn keep_back(&mut self, nth: u32, why: NotTaken) {
        self.kept_back.push(KeptBack { nth, why });
    }
}

impl Link {
    /// A batch of one record.
    pub(super) fn take<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        id: RecordId,
        through: u64,
        items: &[Carried],
    ) -> Result<(), Stop> {
        if items.len() > ITEMS_MAX {
            return Err(Stop::Bye(Farewell::Misspoke));
        }
        self.theirs_settled = false;
        self.is_settled = false;
        let mut sound = Sound::of(items);
        let cursor = self.cursor_at(through)?;
        let mut rows = vec![progress::taken_row(&self.device, &cursor)];
        let kept = if self.has_in_common(desk, id, &mut sound, &mut rows)? {
            self.keep(desk, id, &mut sound, rows)?
        } else if planted::is(Planted::AbsenceTold) && !desk.shell.store().logs(&id)?.is_empty() {
            return Err(Stop::Bye(Farewell::NothingShared));
        } else {
            // The same as for a record that is here: whoever asks learns nothing.
            desk.shell.commit(None, rows)?;
            0
        };
        if kept > 0 {
            desk.outputs.push_back(Output::Tell(News::Arrived {
                from: self.device,
                record: id,
                count: kept,
            }));
        }
        self.control.push_back(Message::Taken {
            through,
            kept_back: sound.kept_back,
        });
        Ok(())
    }

    /// Nothing is missing up to here.
    pub(super) fn take_through<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        through: u64,
    ) -> Result<(), Stop> {
        let cursor = self.cursor_at(through)?;
        desk.shell
            .commit(None, vec![progress::taken_row(&self.device, &cursor)])?;
        self.control.push_back(Message::Taken {
            through,
            kept_back: Vec::new(),
        });
        Ok(())
    }

    fn cursor_at(&self, count: u64) -> Result<Cursor, Stop> {
        let journal = self.taking_journal.ok_or(Stop::Bye(Farewell::Misspoke))?;
        Ok(Cursor { journal, count })
    }

    /// Keeps what may be kept; how much of it is new.
    fn keep<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        id: RecordId,
        sound: &mut Sound,
        rows: Vec<Item>,
    ) -> Result<usize, Stop> {
        let Some(who) = self.who() else {
            return Ok(0);
        };
        let ours = desk.shell.owner();
        let mut record = desk.shell.take(id)?;
        // A record that is here and was never shared with them takes nothing from them. One whose
        // rights do not even say yet that it is for this node is still on its way.
        let is_new = !Reach::of(&mut record, &ours, desk.now_ms).is_any();
        let before = Reach::of(&mut record, &who, desk.now_ms);
        if !is_new && !before.is_any() {
            desk.shell.put(record);
            desk.shell.commit(None, rows)?;
            return Ok(0);
        }
        let mut commit = rows;
        take_rights(desk, &mut record, sound, &mut commit)?;
        let after = Reach::of(&mut record, &who, desk.now_ms);
        if after.is_any() {
            take_parts(desk, &mut record, sound, &mut commit)?;
            take_entries(desk, &mut record, sound, (&after, &who), &mut commit)?;
        }
        self.commit_taken(desk, record, commit)
    }

    fn commit_taken<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        mut record: Record,
        mut commit: Vec<Item>,
    ) -> Result<usize, Stop> {
        let documents: BTreeSet<_> = commit.iter().filter_map(document_of).cloned().collect();
        let id = record.id();
        let new = count_new(desk, &commit)?;
        let unfetched = documents
            .into_iter()
            .map(|document| super::attachments::unfetched_row(&id, &document, true));
        commit.extend(unfetched);
        commit.extend(self.giving.moved(&self.device));
        let before = desk.end;
        let after = match desk.shell.commit(Some(&mut record), commit) {
            Err(_) if planted::is(Planted::AcknowledgedBeforeDurable) => before,
            kept => kept?,
        };
        self.giving.note_taken(before, after);
        desk.end = after;
        desk.shell.put(record);
        Ok(new)
    }
}

fn take_rights<S: Shell>(
    desk: &Desk<'_, S>,
    record: &mut Record,
    sound: &mut Sound,
    commit: &mut Vec<Item>,
) -> Result<(), Stop> {
    let store = desk.shell.store();
    let events = std::mem::take(&mut sound.events);
    let all: Vec<_> = events.iter().map(|(_, event)| event.clone()).collect();
    let known = certified(store, &all, AUTHORITY_EVENTS_MAX)?;
    for (nth, event) in events {
        let of_principal = matches!(event.value().log, LogId::Principal(_));
        if of_principal && !known.contains(&event.id()) {
            continue;
        }
        let people: Vec<_> = named(event.value()).collect();
        match record.arrive_event(event) {
            Ok(item) => {
                record.load_principals(store, people)?;
                commit.push(item);
            }
            Err(error) => sound.keep_back(nth, why(&error)),
        }
    }
    Ok(())
}

/// Why something is kept back, as the sender is told.
const fn why(error: &ArrivalError) -> NotTaken {
    match error {
        ArrivalError::Full(_) => NotTaken::Full,
        ArrivalError::Intake(_)
        | ArrivalError::Part(_)
        | ArrivalError::Unsigned
        | ArrivalError::OtherRecord(_) => NotTaken::Unsound,
    }
}

fn take_parts<S: Shell>(
    desk: &Desk<'_, S>,
    record: &mut Record,
    sound: &mut Sound,
    commit: &mut Vec<Item>,
) -> Result<(), Stop> {
    for (nth, bytes) in std::mem::take(&mut sound.parts) {
        match record.arrive_part(&bytes) {
            Ok(taken) => {
                record.load_principals(desk.shell.store(), taken.author)?;
                commit.push(taken.item);
            }
            Err(error) => sound.keep_back(nth, why(&error)),
        }
    }
    Ok(())
}

fn take_entries<S: Shell>(
    desk: &Desk<'_, S>,
    record: &mut Record,
    sound: &mut Sound,
    (reach, who): (&Reach, &Whoever),
    commit: &mut Vec<Item>,
) -> Result<(), Stop> {
    for (nth, entry) in std::mem::take(&mut sound.entries) {
        let header = entry.header.value();
        let (author, device) = (header.author, header.device);
        let hands_in = hands_in(who, device) && !planted::is(Planted::HandInDropped);
        if !reach.is_live() && !hands_in {
            continue;
        }
        match record.arrive_entry(entry) {
            Ok(taken) => {
                record.load_principals(desk.shell.store(), [author])?;
                commit.push(taken.item);
            }
            Err(error) => sound.keep_back(nth, why(&error)),
        }
    }
    Ok(())
}

/// Whether the entry of a device is the sender's own: all that may be handed in after an end.
fn hands_in(who: &Whoever, device: DeviceId) -> bool {
    who.device == device
}

fn document_of(item: &Item) -> Option<&DocumentId> {
    match item {
        Item::Entry { document, .. } => Some(document),
        Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    }
}

fn count_new<S: Shell>(desk: &Desk<'_, S>, items: &[Item]) -> Result<usize, Stop> {
    let store = desk.shell.store();
    let mut new = 0;
    for item in items {
        let known = match item {
            Item::Event { id, .. } => store.has_event(id)?,
            Item::Entry { id, .. } => store.has_entry(id)?,
            Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => true,
        };
        new += usize::from(!known);
    }
    Ok(new)
}
