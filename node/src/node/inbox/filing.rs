//! From a message to a record.

use kith_protocol::{id::RecordId, logs::record::LinkState, store::Item};

use super::{
    super::{
        Node,
        identity::{RowKind, no_row, read_row},
        now_ms,
        statements::Statement,
    },
    original,
    rows::InboxRow,
    whose::Whose,
};
use crate::{
    api::{Filed, Imported, InboxState},
    failure::{Ending, Failure},
    health::hl7v2::{
        Header, Message, Trigger,
        map::{self, Made, Mapped, Numbers},
    },
};

/// Milliseconds until what could not be written is tried again.
const AGAIN_MS: u64 = 5_000;

/// Why a message was not filed.
enum NotFiled {
    /// A person has to look at it; whether it was understood.
    Person(String, bool),
    /// The node tries again.
    Again(String),
}

impl From<Failure> for NotFiled {
    fn from(failure: Failure) -> Self {
        match failure.ending {
            Ending::TryAgain | Ending::Locked => Self::Again(failure.what),
            Ending::Done
            | Ending::Failed
            | Ending::Usage
            | Ending::Partly
            | Ending::NeedsPerson
            | Ending::NoNode
            | Ending::NotRunning
            | Ending::NotAllowed
            | Ending::CannotReach
            | Ending::NotUnderstood
            | Ending::NewerVersion => {
                let mut said = failure.what;
                if let Some(why) = failure.why.first() {
                    said.push_str(" Because: ");
                    said.push_str(why);
                }
                Self::Person(said, true)
            }
        }
    }
}

/// Where a message went.
struct Went {
    record: RecordId,
    began: bool,
    notes: Vec<String>,
    imported: Imported,
}

impl Node {
    /// Files the next message that waits for nobody; whether there was one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) fn file_next(&mut self) -> Result<bool, Failure> {
        let now = now_ms();
        let due = |number: &&u64| {
            let again = self.inbox.again_ms.get(*number);
            again.is_none_or(|again| *again <= now)
        };
        let Some(number) = self.inbox.to_file.iter().find(due).copied() else {
            return Ok(false);
        };
        self.working_for(None, |node| node.file_message(number, None))?;
        Ok(true)
    }

    /// When the next message is tried again, milliseconds since 1970 UTC.
    pub(crate) fn files_again_ms(&self) -> Option<u64> {
        self.inbox.again_ms.values().min().copied()
    }

    /// A message's row, wherever it stands.
    pub(super) fn inbox_row(&self, number: u64) -> Result<Option<InboxRow>, Failure> {
        let name = number.to_be_bytes();
        let open: Option<InboxRow> = read_row(&self.store, RowKind::Inbox, &name)?;
        match open {
            Some(open) => Ok(Some(open)),
            None => Ok(read_row(&self.store, RowKind::InboxFiled, &name)?),
        }
    }

    /// Files a message by itself, or into the record that a person named; what was filed.
    pub(super) fn file_message(
        &mut self,
        number: u64,
        into: Option<RecordId>,
    ) -> Result<(InboxRow, Option<Filed>), Failure> {
        let Some(mut row) = self.inbox_row(number)? else {
            self.inbox.note(number, InboxState::Filed);
            return Err(no_message(number));
        };
        if row.state() == InboxState::Filed {
            self.inbox.note(number, InboxState::Filed);
            return Ok((row, None));
        }
        let Some(bytes) = self.bytes_of(number)? else {
            return Err(Failure::new(
                Ending::Failed,
                format!("The bytes of message {number} are not in this node's store."),
                "The store is damaged there. Ask the sender to send it again.",
            ));
        };
        let before = row.clone();
        let outcome = self.read_and_file(number, &row, &bytes, into);
        let made = self.deferred.take().unwrap_or_default();
        let (made, filed) = match outcome {
            Ok(went) => {
                row.set_state(InboxState::Filed);
                row.understood = true;
                row.reason = None;
                row.record = Some(went.record.to_string());
                row.began_record = went.began;
                row.notes.extend(went.notes);
                let flags = went.imported.flagged.iter();
                row.notes.extend(flags.map(|flag| flag.what.clone()));
                (made, went.imported.records.into_iter().next())
            }
            Err(NotFiled::Person(reason, understood)) => {
                row.set_state(InboxState::NeedsPerson);
                row.understood = understood;
                row.reason = Some(reason);
                (self.nothing_of(&made)?, None)
            }
            Err(NotFiled::Again(reason)) => {
                row.waits_again(reason);
                (self.nothing_of(&made)?, None)
            }
        };
        match self.keep(number, &row, made) {
            Ok(()) => Ok((row, filed)),
            Err(failure) if failure.ending == Ending::TryAgain => {
                let mut row = before;
                row.waits_again(failure.what);
                Ok((row, None))
            }
            Err(failure) => Err(failure),
        }
    }

    /// What was made of a message that is not filed after all: nothing, on the disk or in memory.
    fn nothing_of(&mut self, made: &[Item]) -> Result<Vec<Item>, Failure> {
        if !made.is_empty() {
            self.forget_unwritten()?;
        }
        Ok(Vec::new())
    }

    /// Writes down how it stands with a message, with what was made of it, all or nothing; the bytes
    /// of one that is filed stand in the record.
    fn keep(&mut self, number: u64, row: &InboxRow, made: Vec<Item>) -> Result<(), Failure> {
        let mut items = made;
        items.push(row.item(number));
        if row.state() == InboxState::Filed {
            items.push(no_row(RowKind::Inbox, &number.to_be_bytes()));
            items.push(no_row(RowKind::InboxBytes, &number.to_be_bytes()));
        }
        let again = now_ms() + AGAIN_MS;
        let kept = self.commit_noting(items);
        match (row.state(), kept.is_ok()) {
            // On a full disk not even the reason can be written; it is tried again all the same.
            (InboxState::TryAgain, _) | (_, false) => {
                self.inbox.note(number, InboxState::TryAgain);
                self.inbox.again_ms.insert(number, again);
            }
            (state, true) => self.inbox.note(number, state),
        }
        kept
    }

    fn read_and_file(
        &mut self,
        number: u64,
        row: &InboxRow,
        bytes: &[u8],
        into: Option<RecordId>,
    ) -> Result<Went, NotFiled> {
        if let Some(stop) = &row.stop {
            return Err(NotFiled::Person(stop.clone(), false));
        }
        let message = guarded(|| self.read_message(bytes))?;
        let sender = message.header.sender();
        if into.is_none() && !self.inbox.settings.knows(&sender) {
            return Err(NotFiled::Person(
                format!(
                    "{sender} is not among the senders of this node (kith connect hl7 --sender)"
                ),
                false,
            ));
        }
        let waits = |waits: crate::health::hl7v2::Waits| NotFiled::Person(waits.to_string(), false);
        let numbers = map::numbers(&message, &self.inbox.tables);
        let record = match (into, &numbers) {
            (Some(record), _) => Some(record),
            (None, Err(reason)) => return Err(waits(reason.clone())),
            (None, Ok(numbers)) => match self.record_of_numbers(numbers) {
                Whose::Of(record) => Some(record),
                Whose::Nobody => None,
                Whose::Doubtful(reason) => return Err(NotFiled::Person(reason, true)),
            },
        };
        let other = match (into, &numbers) {
            // Somebody said that it is the same person although it does not look so.
            (Some(record), Ok(numbers)) => !self.looks_like(record, numbers),
            (Some(_), Err(_)) | (None, _) => false,
        };
        // What was said of somebody else stays out of what is said of this one.
        let held = match record {
            Some(record) if !other => self.said_by_messages(record)?,
            Some(_) | None => Vec::new(),
        };
        let held: Vec<&Made> = held.iter().filter_map(Statement::made).collect();
        let mapped = guarded(|| {
            let mapped = match (&numbers, into) {
                (Err(_), Some(_)) => map::map_of_nobody(&message, &self.inbox.tables, &held),
                (_, _) => map::map(&message, &self.inbox.tables, &held),
            };
            mapped.map_err(waits)
        })?;
        let text = original::bundle(&mapped.resources, row, number, bytes)?;
        let name = format!("message {number}");
        // What goes into a record that is here, and into no other, is written with the word that it
        // did: nothing of it is read again before.
        if record.is_some() && !other && mapped.trigger != Trigger::SamePerson {
            self.deferred = Some(Vec::new());
        }
        let imported = self.import_made(&name, &text, record, other)?;
        let Some(filed) = imported.records.first() else {
            return Err(NotFiled::Person(
                "nothing could be filed of it".to_owned(),
                true,
            ));
        };
        let Some(id) = RecordId::from_hex(&filed.record) else {
            return Err(NotFiled::Person(
                "nothing could be filed of it".to_owned(),
                true,
            ));
        };
        let mut notes =
            self.same_person_notes(id, &mapped, &numbers.unwrap_or_default(), &sender, row)?;
        notes.extend(mapped.notes);
        Ok(Went {
            record: id,
            began: record.is_none() || other,
            notes,
            imported,
        })
    }

    /// Takes a message apart.
    fn read_message(&self, bytes: &[u8]) -> Result<Message, NotFiled> {
        let header =
            Header::of(bytes).map_err(|error| NotFiled::Person(error.to_string(), false))?;
        Message::parse(header, bytes, self.inbox.tables.charset())
            .map_err(|error| NotFiled::Person(error.to_string(), false))
    }

    /// Whether nothing that is known of a record's person speaks against a message.
    fn looks_like(&self, record: RecordId, numbers: &Numbers) -> bool {
        let Some(known) = self.people.get(&record) else {
            return false;
        };
        let same = |ours: &str, theirs: &str| {
            ours.is_empty() || theirs.is_empty() || ours.eq_ignore_ascii_case(theirs)
        };
        known.said.is_empty()
            || known.said.iter().any(|said| {
                same(&said.family, &numbers.family) && same(&said.birth_date, &numbers.birth_date)
            })
    }

    /// What this node's messages said in a record before, of what a message has to know.
    fn said_by_messages(&mut self, record: RecordId) -> Result<Vec<Statement>, Failure> {
        let mut said = self.with_record(record, Self::own_statements)?;
        said.retain(|statement| {
            let meta = &statement.held().meta;
            !meta.made_here && map::LOOKED_UP.contains(&meta.kind.as_str())
        });
        Ok(said)
    }

    /// Proposes that two records are of one person, where a message says so of two numbers.
    fn same_person_notes(
        &mut self,
        record: RecordId,
        mapped: &Mapped,
        numbers: &Numbers,
        sender: &str,
        row: &InboxRow,
    ) -> Result<Vec<String>, Failure> {
        if mapped.trigger != Trigger::SamePerson {
            return Ok(Vec::new());
        }
        let mut others = self.with_numbers(&numbers.before);
        let known = !others.is_empty();
        others.remove(&record);
        let mut notes = Vec::new();
        if numbers.before.is_empty() {
            notes.push("the message names no earlier number (MRG-1)".to_owned());
        } else if !known {
            notes.push(
                "nobody here has the earlier number (MRG-1), so there is nothing to link"
                    .to_owned(),
            );
        }
        let evidence = format!(
            "{} of {sender} says that two of their numbers are of one person (message of {})",
            row.kind,
            super::super::show::time(row.received_ms)
        );
        for other in others {
            let said = self.with_record(record, |_, record| Ok(record.ledger().same_person()))?;
            if said.contains_key(&other) {
                continue;
            }
            let events = self.say_in_both((record, other), LinkState::Proposed, &evidence)?;
            if !events.is_empty() {
                notes.push(format!(
                    "proposed that this record and {} are of one person: kith review",
                    &other.to_string()[..12]
                ));
            }
        }
        Ok(notes)
    }
}

/// Does what only reads: a message at which this build fails waits for a person and a newer one,
/// instead of ending the node at each start.
fn guarded<T>(work: impl FnOnce() -> Result<T, NotFiled>) -> Result<T, NotFiled> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(NotFiled::Person(
            "this version of kith failed at it, which is our fault: it is kept for a newer one"
                .to_owned(),
            false,
        ))
    })
}

pub(super) fn no_message(number: u64) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("There is no message {number} here."),
        "Run kith inbox to see the messages with their numbers. Nothing was changed.",
    )
}
