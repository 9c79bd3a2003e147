//! Messages that go out: they wait on the disk until the other side has said that it has them.

use std::path::Path;

use super::{
    super::{
        Node,
        identity::{RowKind, no_row, read_row, read_rows, row},
        import, now_ms,
    },
    rows::{NEXT, OutRow, number_of},
};
use crate::{
    api::{OutState, Outgoing, SendAsk},
    failure::{Ending, Failure},
    health::hl7v2::{Header, batch},
};

/// Messages that wait to be sent.
const WAITING_MAX: usize = 10_000;
/// Bytes of one.
const LEN_MAX: usize = 16 * 1024 * 1024;
/// Messages that went and are still shown.
const SENT_SHOWN_MAX: usize = 100;
/// Milliseconds until the first next try; it doubles up to [`AGAIN_MS_MAX`].
const AGAIN_MS: u64 = 2_000;
const AGAIN_MS_MAX: u64 = 10 * 60 * 1000;

/// A message whose turn it is.
#[derive(Clone, Debug)]
pub struct OutMessage {
    /// Its number.
    pub number: u64,
    /// `HOST:PORT`.
    pub to: String,
    /// Its number at the sender, which an answer names.
    pub control_id: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What came of sending one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOutcome {
    /// The other side has it.
    Taken,
    /// It is tried again, and why.
    Again(String),
    /// The other side does not take it.
    Refused(String),
}

impl Node {
    pub(in crate::node) fn send(&mut self, asked: &SendAsk) -> Result<Outgoing, Failure> {
        match asked {
            SendAsk::List => self.outgoing(),
            SendAsk::File { file, to } => self.queue(file, to),
            SendAsk::Retry { number } => {
                let mut out = self.out_row(*number)?;
                out.set_state(OutState::Waiting);
                out.next_ms = now_ms();
                self.keep_out(*number, &out)?;
                self.outgoing()
            }
            SendAsk::Drop { number } => {
                let out = self.out_row(*number)?;
                if out.state() == OutState::Sent {
                    return Err(Failure::new(
                        Ending::Usage,
                        format!("Message {number} was sent already."),
                        "Nothing was changed.",
                    ));
                }
                self.commit(vec![no_row(RowKind::Outbox, &number.to_be_bytes())])?;
                self.inbox.outgoing.remove(number);
                self.inbox.changes += 1;
                self.outgoing()
            }
        }
    }

    fn queue(&mut self, file: &Path, to: &str) -> Result<Outgoing, Failure> {
        let is_address = to.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if !is_address {
            return Err(Failure::new(
                Ending::Usage,
                format!("{to:?} is not an address."),
                "Write it as HOST:PORT, such as lab.example:2575. Nothing was queued.",
            ));
        }
        let bytes = import::letter_file(file)?;
        let messages = batch::messages(&bytes);
        let mut new = Vec::new();
        for message in &messages {
            let header = Header::of(message)
                .ok()
                .filter(|header| !header.control_id.is_empty());
            let Some(header) = header.filter(|_| message.len() <= LEN_MAX) else {
                return Err(Failure::new(
                    Ending::NotUnderstood,
                    format!("{} has a message that cannot be sent.", file.display()),
                    "Each message begins with an MSH segment, has a number of its own (MSH-10) and at most 16 MiB. Nothing was queued.",
                ));
            };
            new.push((header, message.to_vec()));
        }
        if new.is_empty() {
            return Err(Failure::new(
                Ending::NotUnderstood,
                format!("{} has no HL7 v2 message in it.", file.display()),
                "A message begins with an MSH segment. Nothing was queued.",
            ));
        }
        if self.inbox.outgoing.len() + new.len() > WAITING_MAX {
            return Err(Failure::new(
                Ending::TryAgain,
                format!(
                    "{} messages wait to be sent already.",
                    self.inbox.outgoing.len()
                ),
                "See why: kith send. Nothing was queued.",
            ));
        }
        let now = now_ms();
        let mut items = Vec::new();
        let mut noted = Vec::new();
        let mut next = self.inbox.next;
        for (header, bytes) in new {
            let out = OutRow {
                to: to.to_owned(),
                kind: header.kind,
                control_id: header.control_id,
                queued_ms: now,
                next_ms: now,
                bytes,
                ..OutRow::default()
            };
            items.push(out.item(next));
            noted.push((next, out));
            next += 1;
        }
        items.push(row(RowKind::Integration, NEXT, &next));
        self.commit(items)?;
        self.inbox.next = next;
        let mut said = Outgoing {
            running: !self.addresses.is_empty(),
            ..Outgoing::default()
        };
        for (number, out) in noted {
            self.inbox.note_out(number, &out);
            said.messages.push(out.line(number));
        }
        self.inbox.changes += 1;
        Ok(said)
    }

    fn outgoing(&mut self) -> Result<Outgoing, Failure> {
        let mut rows: Vec<(u64, OutRow)> = read_rows::<OutRow>(&self.store, RowKind::Outbox)?
            .into_iter()
            .filter_map(|(name, out)| Some((number_of(&name)?, out)))
            .collect();
        rows.sort_by_key(|(number, _)| *number);
        let sent = rows
            .iter()
            .filter(|(_, out)| out.state() == OutState::Sent)
            .count();
        let mut skip = sent.saturating_sub(SENT_SHOWN_MAX);
        rows.retain(|(_, out)| {
            let skipped = out.state() == OutState::Sent && skip > 0;
            skip -= usize::from(skipped);
            !skipped
        });
        Ok(Outgoing {
            messages: rows.iter().map(|(number, out)| out.line(*number)).collect(),
            running: !self.addresses.is_empty(),
        })
    }

    fn out_row(&self, number: u64) -> Result<OutRow, Failure> {
        let out: Option<OutRow> = read_row(&self.store, RowKind::Outbox, &number.to_be_bytes())?;
        out.ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                format!("No message {number} goes out from here."),
                "Run kith send to see those that do. Nothing was changed.",
            )
        })
    }

    fn keep_out(&mut self, number: u64, out: &OutRow) -> Result<(), Failure> {
        self.commit(vec![out.item(number)])?;
        self.inbox.note_out(number, out);
        self.inbox.changes += 1;
        Ok(())
    }

    /// The message whose turn it is, where one's time has come: of each other system the oldest
    /// first, so that what was queued later does not overtake.
    pub(crate) fn next_out(&self) -> Result<Option<OutMessage>, Failure> {
        let now = now_ms();
        let mut passed = std::collections::BTreeSet::new();
        for (number, next_ms) in &self.inbox.outgoing {
            let out = self.out_row(*number)?;
            if !passed.insert(out.to.clone()) || *next_ms > now {
                continue;
            }
            return Ok(Some(OutMessage {
                number: *number,
                to: out.to,
                control_id: out.control_id,
                bytes: out.bytes,
            }));
        }
        Ok(None)
    }

    /// When the next message may go, milliseconds since 1970 UTC.
    pub(crate) fn next_out_ms(&self) -> Option<u64> {
        self.inbox.outgoing.values().min().copied()
    }

    /// Writes down what came of sending a message.
    pub(crate) fn went_out(&mut self, number: u64, outcome: &OutOutcome) -> Result<(), Failure> {
        let mut out = self.out_row(number)?;
        out.tries += 1;
        match outcome {
            OutOutcome::Taken => {
                out.set_state(OutState::Sent);
                out.reason = None;
                out.bytes = Vec::new();
            }
            OutOutcome::Again(reason) => {
                let doubled = AGAIN_MS << out.tries.saturating_sub(1).min(16);
                out.next_ms = now_ms() + doubled.min(AGAIN_MS_MAX);
                out.reason = Some(reason.clone());
            }
            OutOutcome::Refused(reason) => {
                out.set_state(OutState::Refused);
                out.reason = Some(reason.clone());
            }
        }
        self.keep_out(number, &out)
    }
}
