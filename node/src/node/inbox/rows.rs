//! What is kept of a message on this node.

use kith_protocol::{id::RecordId, store::Item};
use serde::{Deserialize, Serialize};

use super::super::{
    identity::{RowKind, row},
    show,
};
use crate::api::{InboxLine, InboxState, OutLine, OutState};

/// The name of the row with the next number.
pub(super) const NEXT: &[u8] = b"inbox-next";

/// A message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct InboxRow {
    pub(super) received_ms: u64,
    pub(super) from: String,
    pub(super) sender: String,
    pub(super) kind: String,
    pub(super) control_id: String,
    /// Of the bytes as they came.
    #[serde(with = "serde_bytes")]
    pub(super) digest: Vec<u8>,
    /// What names it in records; drawn, since what it says could be guessed from a hash.
    #[serde(with = "serde_bytes")]
    pub(super) id: Vec<u8>,
    /// See [`state_code`].
    pub(super) state: u8,
    pub(super) understood: bool,
    pub(super) reason: Option<String>,
    pub(super) record: Option<String>,
    pub(super) began_record: bool,
    pub(super) notes: Vec<String>,
    /// What a person has to see before anything is made of it, whatever it says.
    pub(super) stop: Option<String>,
}

const fn state_code(state: InboxState) -> u8 {
    match state {
        InboxState::Received => 0,
        InboxState::TryAgain => 1,
        InboxState::NeedsPerson => 2,
        InboxState::Filed => 3,
    }
}

impl InboxRow {
    pub(super) const fn state(&self) -> InboxState {
        match self.state {
            0 => InboxState::Received,
            1 => InboxState::TryAgain,
            3 => InboxState::Filed,
            // A word of a later version is for a person.
            _ => InboxState::NeedsPerson,
        }
    }

    pub(super) const fn set_state(&mut self, state: InboxState) {
        self.state = state_code(state);
    }

    /// It could not be written, and the node tries again.
    pub(super) fn waits_again(&mut self, reason: String) {
        self.set_state(InboxState::TryAgain);
        self.understood = true;
        self.reason = Some(reason);
    }

    pub(super) fn record(&self) -> Option<RecordId> {
        self.record.as_deref().and_then(RecordId::from_hex)
    }

    pub(super) fn line(&self, number: u64) -> InboxLine {
        InboxLine {
            number,
            received: show::time(self.received_ms),
            from: self.from.clone(),
            sender: self.sender.clone(),
            kind: self.kind.clone(),
            control_id: self.control_id.clone(),
            state: self.state(),
            understood: self.understood,
            reason: self.reason.clone(),
            record: self.record.clone(),
            began_record: self.began_record,
            notes: self.notes.clone(),
        }
    }

    /// The row where it belongs now.
    pub(super) fn item(&self, number: u64) -> Item {
        let kind = match self.state() {
            InboxState::Filed => RowKind::InboxFiled,
            InboxState::Received | InboxState::TryAgain | InboxState::NeedsPerson => RowKind::Inbox,
        };
        row(kind, &number.to_be_bytes(), self)
    }
}

/// Bytes of a message: in the row, or in a large value that it names.
#[derive(Serialize, Deserialize)]
pub(super) enum Kept {
    Here(#[serde(with = "serde_bytes")] Vec<u8>),
    Apart(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// Bytes that came under one number of one sender.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SeenRow {
    /// Hash and number of each.
    pub(super) seen: Vec<(serde_bytes::ByteBuf, u64)>,
}

/// The key of what came under one number of one sender.
pub(super) fn seen_key(sender: &str, control_id: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(sender.len() as u64).to_le_bytes());
    hasher.update(sender.as_bytes());
    hasher.update(control_id.as_bytes());
    *hasher.finalize().as_bytes()
}

/// A message that goes out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OutRow {
    pub(super) to: String,
    pub(super) kind: String,
    pub(super) control_id: String,
    pub(super) queued_ms: u64,
    /// 0 waits, 1 was sent, 2 is refused.
    pub(super) state: u8,
    pub(super) reason: Option<String>,
    pub(super) tries: u32,
    pub(super) next_ms: u64,
    /// Its bytes, until it was sent.
    #[serde(with = "serde_bytes")]
    pub(super) bytes: Vec<u8>,
}

impl OutRow {
    pub(super) const fn state(&self) -> OutState {
        match self.state {
            0 => OutState::Waiting,
            1 => OutState::Sent,
            _ => OutState::Refused,
        }
    }

    pub(super) const fn set_state(&mut self, state: OutState) {
        self.state = match state {
            OutState::Waiting => 0,
            OutState::Sent => 1,
            OutState::Refused => 2,
        };
    }

    pub(super) const fn waits_until_ms(&self) -> Option<u64> {
        match self.state() {
            OutState::Waiting => Some(self.next_ms),
            OutState::Sent | OutState::Refused => None,
        }
    }

    pub(super) fn line(&self, number: u64) -> OutLine {
        let waits = self.waits_until_ms().filter(|_| self.tries > 0);
        OutLine {
            number,
            to: self.to.clone(),
            kind: self.kind.clone(),
            control_id: self.control_id.clone(),
            queued: show::time(self.queued_ms),
            state: self.state(),
            reason: self.reason.clone(),
            tries: self.tries,
            next: waits.map(show::time),
        }
    }

    pub(super) fn item(&self, number: u64) -> Item {
        row(RowKind::Outbox, &number.to_be_bytes(), self)
    }
}

/// The number that a row's name is.
pub(super) fn number_of(name: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(<[u8; 8]>::try_from(name).ok()?))
}
