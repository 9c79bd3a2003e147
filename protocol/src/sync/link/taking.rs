//! Taking: what the other side gave, checked from its bytes and on the disk before it is said to
//! be taken.
//!
//! A device whose rights have ended may still hand in what it wrote itself: it is acknowledged
//! like anything else, so that it learns nothing, and waits for review.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;

use super::{Desk, Link, Stop};
use crate::{
    consent::Whoever,
    id::{DeviceId, PrincipalId, RecordId},
    limits::AUTHORITY_EVENTS_MAX,
    logs::Event,
    planted::{self, Planted},
    record::{ArrivalError, Record, event_item, named},
    signed::Verified,
    store::{Item, Store},
    sync::{
        heard::{Parcel, Sound},
        message::{Cursor, Farewell, Message, NotTaken},
        output::{News, Output},
        progress,
        reach::{Reach, certified},
        shell::{Shell, Taken},
        view::key_of,
    },
};

impl Link {
    /// A parcel: all of it is on the disk before any of it is said to be taken.
    pub(super) fn take<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        Parcel {
            through,
            people,
            batches,
        }: Parcel,
    ) -> Result<(), Stop> {
        self.theirs_settled = false;
        self.is_settled = false;
        let cursor = self.cursor_at(through)?;
        let mut rows = vec![progress::taken_row(&self.device, &cursor)];
        self.take_people(desk, &people)?;
        let (mut taken, mut kept_back) = (Vec::new(), Vec::new());
        for (record, mut sound) in batches {
            // Where it is not in common all goes the same way as for a record that is here:
            // whoever asks learns nothing.
            if self.has_in_common(desk, record, &mut sound, &mut rows)? {
                self.keep(desk, record, &mut sound, &mut taken)?;
            } else if planted::is(Planted::AbsenceTold)
                && !desk.shell.store().logs(&record)?.is_empty()
            {
                return Err(Stop::Bye(Farewell::NothingShared));
            }
            kept_back.append(&mut sound.kept_back);
        }
        if taken.is_empty() {
            desk.shell.commit(&mut [], rows)?;
        } else {
            self.commit_taken(desk, taken, rows)?;
        }
        self.control
            .push_back(Message::Taken { through, kept_back });
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
            .commit(&mut [], vec![progress::taken_row(&self.device, &cursor)])?;
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

    /// Keeps the logs of people, before the records that they are named in are judged. What their
    /// logs do not know the signer of is nobody's to keep.
    fn take_people<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        events: &[Verified<Event>],
    ) -> Result<(), Stop> {
        let known = certified(desk.shell.store(), events, AUTHORITY_EVENTS_MAX)?;
        self.giving
            .note_from_peer(events.iter().map(|event| *event.id().as_bytes()));
        let new = events.iter().filter(|event| known.contains(&event.id()));
        let new: Vec<_> = new.map(event_item).collect();
        if new.is_empty() {
            return Ok(());
        }
        let before = desk.end;
        desk.end = desk.shell.commit(&mut [], new)?;
        self.giving.note_taken(before, desk.end);
        Ok(())
    }

    /// Takes into a record what may be kept.
    fn keep<S: Shell>(
        &self,
        desk: &mut Desk<'_, S>,
        id: RecordId,
        sound: &mut Sound,
        taken: &mut Vec<Taken>,
    ) -> Result<(), Stop> {
        let Some(who) = self.who() else {
            return Ok(());
        };
        let ours = desk.shell.owner();
        let needed = touched(sound);
        // What came of it under another share in the same parcel is not on the disk yet.
        let known = taken.iter().position(|taken| taken.record.id() == id);
        let Taken {
            mut record,
            mut items,
        } = match known {
            Some(at) => taken.swap_remove(at),
            None => Taken {
                record: match needed.clone() {
                    Some(families) => desk.shell.take_part(id, families)?,
                    None => desk.shell.take(id)?,
                },
                items: Vec::new(),
            },
        };
        record.load_more(desk.shell.store(), needed.as_ref())?;
        // A record that is here and was never shared with them takes nothing from them. One whose
        // rights do not even say yet that it is for this node is still on its way.
        let before = Reach::of(record.ledger(), &who, desk.now_ms);
        let mut is_new = || !Reach::of(record.ledger(), &ours, desk.now_ms).is_any();
        if before.is_any() || is_new() {
            let mut people = People::default();
            let brings_rights = !sound.events.is_empty();
            take_rights(desk, (&mut record, &mut people), sound, &mut items)?;
            let after = match brings_rights {
                true => Reach::of(record.ledger(), &who, desk.now_ms),
                false => before,
            };
            if after.is_any() {
                take_parts(desk, (&mut record, &mut people), sound, &mut items)?;
                let from = (&after, &who);
                take_entries(desk, (&mut record, &mut people), sound, from, &mut items)?;
            }
        }
        taken.push(Taken { record, items });
        Ok(())
    }

    fn commit_taken<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        mut taken: Vec<Taken>,
        mut rows: Vec<Item>,
    ) -> Result<(), Stop> {
        let mut new = Vec::new();
        for Taken { record, items } in &taken {
            let id = record.id();
            let documents: BTreeSet<_> = items
                .iter()
                .filter_map(|item| with_attachments(record, item))
                .collect();
            let unfetched = documents
                .into_iter()
                .map(|document| super::attachments::unfetched_row(&id, &document, true));
            rows.extend(unfetched);
            new.push((id, count_new(desk, items)?));
            self.giving.note_from_peer(items.iter().filter_map(key_of));
        }
        rows.extend(self.giving.note_parcel(&self.device));
        rows.extend(self.giving.moved(&self.device));
        let before = desk.end;
        let after = match desk.shell.commit(&mut taken, rows) {
            Err(_) if planted::is(Planted::AcknowledgedBeforeDurable) => before,
            kept => kept?,
        };
        self.giving.note_taken(before, after);
        desk.end = after;
        for taken in taken {
            desk.shell.put(taken.record);
        }
        for (record, count) in new.into_iter().filter(|(_, count)| *count > 0) {
            desk.outputs.push_back(Output::Tell(News::Arrived {
                from: self.device,
                record,
                count,
            }));
        }
        Ok(())
    }
}

/// The documents of which a record has to be at hand to take this in; nothing where it is all of
/// them, since rights change what becomes of everything.
fn touched(sound: &Sound) -> Option<BTreeSet<DocumentId>> {
    let is_content = sound.events.is_empty() && sound.parts.is_empty();
    let entries = sound.entries.iter();
    is_content.then(|| {
        entries
            .map(|(_, entry)| entry.header().document.family())
            .collect()
    })
}

/// Whose logs a record has been given since it was handed over: none of them changes while a
/// parcel is taken, and most of what comes is of the same few.
#[derive(Default)]
struct People(BTreeSet<PrincipalId>);

impl People {
    /// Takes in the logs of those who were not met before.
    fn meet<S: Shell>(
        &mut self,
        desk: &Desk<'_, S>,
        record: &mut Record,
        people: impl IntoIterator<Item = PrincipalId>,
    ) -> Result<(), Stop> {
        let people = people.into_iter();
        let new: Vec<_> = people.filter(|person| self.0.insert(*person)).collect();
        Ok(record.load_principals(desk.shell.store(), new)?)
    }
}

fn take_rights<S: Shell>(
    desk: &Desk<'_, S>,
    (record, known): (&mut Record, &mut People),
    sound: &mut Sound,
    commit: &mut Vec<Item>,
) -> Result<(), Stop> {
    for (nth, event) in std::mem::take(&mut sound.events) {
        let people: Vec<_> = named(event.value()).collect();
        match record.arrive_event(event) {
            Ok(item) => {
                known.meet(desk, record, people)?;
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
    (record, known): (&mut Record, &mut People),
    sound: &mut Sound,
    commit: &mut Vec<Item>,
) -> Result<(), Stop> {
    for (nth, bytes) in std::mem::take(&mut sound.parts) {
        match record.arrive_part(&bytes) {
            Ok(taken) => {
                known.meet(desk, record, taken.author)?;
                commit.push(taken.item);
            }
            Err(error) => sound.keep_back(nth, why(&error)),
        }
    }
    Ok(())
}

fn take_entries<S: Shell>(
    desk: &Desk<'_, S>,
    (record, known): (&mut Record, &mut People),
    sound: &mut Sound,
    (reach, who): (&Reach, &Whoever),
    commit: &mut Vec<Item>,
) -> Result<(), Stop> {
    for (nth, entry) in std::mem::take(&mut sound.entries) {
        let header = entry.header();
        let (author, device) = (header.author, header.device);
        let hands_in = hands_in(who, device) && !planted::is(Planted::HandInDropped);
        if !reach.is_live() && !hands_in {
            continue;
        }
        match record.arrive_weighed(entry) {
            Ok(taken) => {
                known.meet(desk, record, [author])?;
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

/// The document of an entry that may bring attachments into sight.
fn with_attachments(record: &Record, item: &Item) -> Option<DocumentId> {
    match item {
        Item::Entry { id, document, .. } => {
            record.may_name_attachments(id).then(|| document.clone())
        }
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
