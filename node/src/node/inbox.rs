//! The inbox: messages of other systems. Each is on the disk before anything is made of it, and
//! stays there until it stands in a record.

mod asking;
mod explaining;
mod filing;
mod original;
mod outbox;
mod rows;
mod settings;
mod taking;
#[cfg(test)]
mod tests;
mod whose;

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::store::StoreError;

use super::identity::{RowKind, read_row, read_rows};
use crate::{api::InboxState, health::hl7v2::Tables, store::DiskStore};

use rows::{InboxRow, NEXT, OutRow, number_of};

pub use outbox::{OutMessage, OutOutcome};
pub use settings::Hl7Settings;
pub use taking::{Arrival, TakenIn};

/// What is known of the inbox without reading it.
#[derive(Default)]
pub(super) struct Desk {
    /// The number of the next message.
    next: u64,
    /// Those at which nobody has looked yet, or which are to be tried again, in their order.
    to_file: BTreeSet<u64>,
    /// Those that need a person.
    held_up: BTreeSet<u64>,
    /// Those that are to be tried again, with when, milliseconds since 1970 UTC.
    again_ms: BTreeMap<u64, u64>,
    /// Messages that go out and have not, with when they are tried next.
    outgoing: BTreeMap<u64, u64>,
    settings: Hl7Settings,
    tables: Tables,
    /// How often the settings or the messages that go out have changed.
    changes: u64,
    /// Where this node listens for messages, while it runs.
    listening: Option<Result<std::net::SocketAddr, String>>,
}

impl Desk {
    pub(super) fn load(store: &DiskStore) -> Result<Self, StoreError> {
        let settings: Option<Hl7Settings> = read_row(store, RowKind::Integration, b"hl7")?;
        let settings = settings.unwrap_or_default();
        // They were understood when they were set.
        let tables = settings
            .tables
            .as_deref()
            .and_then(|text| Tables::with(text).ok())
            .unwrap_or_default();
        let next: Option<u64> = read_row(store, RowKind::Integration, NEXT)?;
        let mut desk = Self {
            next: next.unwrap_or(1),
            settings,
            tables,
            ..Self::default()
        };
        for (name, row) in read_rows::<InboxRow>(store, RowKind::Inbox)? {
            if let Some(number) = number_of(&name) {
                desk.note(number, row.state());
            }
        }
        for (name, row) in read_rows::<OutRow>(store, RowKind::Outbox)? {
            if let Some(number) = number_of(&name) {
                desk.note_out(number, &row);
            }
        }
        Ok(desk)
    }

    /// How it stands with a message now.
    fn note(&mut self, number: u64, state: InboxState) {
        self.to_file.remove(&number);
        self.held_up.remove(&number);
        match state {
            InboxState::Received | InboxState::TryAgain => {
                self.to_file.insert(number);
            }
            InboxState::NeedsPerson => {
                self.held_up.insert(number);
                self.again_ms.remove(&number);
            }
            InboxState::Filed => {
                self.again_ms.remove(&number);
            }
        }
    }

    fn note_out(&mut self, number: u64, row: &OutRow) {
        match row.waits_until_ms() {
            Some(next_ms) => self.outgoing.insert(number, next_ms),
            None => self.outgoing.remove(&number),
        };
    }
}
