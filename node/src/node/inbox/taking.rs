//! Messages on their way to the disk: many in one commit, none understood yet.

use std::collections::BTreeMap;

use kith_protocol::{
    id::BlobId,
    limits::{INBOX_OPEN_MAX, INLINE_ATTACHMENT_LEN_MAX},
    store::{Item, Store},
};

use super::{
    super::{
        Node,
        identity::{RowKind, read_row, row},
        now_ms,
    },
    rows::{InboxRow, Kept, NEXT, SeenRow, seen_key},
};
use crate::{
    api::InboxState,
    failure::{Ending, Failure},
    health::hl7v2::Header,
    store::random,
};

/// Bytes that are remembered under one number: a sender that gives every message the same number is
/// known by the last of them.
const SEEN_MAX: usize = 512;

/// Bytes that came from another system.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// The message, or what was there in place of one.
    pub bytes: Vec<u8>,
    /// How it came: an address, or a file.
    pub from: String,
    /// Why a person has to look at it, whatever it says: its frame was broken.
    pub stop: Option<String>,
}

/// A message that is on the disk.
#[derive(Clone, Debug)]
pub struct TakenIn {
    /// Its number here; that of the first where it came before.
    pub number: u64,
    /// Its header, where it has one.
    pub header: Option<Header>,
    /// Whether the same bytes came before.
    pub again: bool,
}

impl Node {
    /// Makes messages durable, all or none.
    ///
    /// # Errors
    /// When they are not on the disk: whoever sent them has to send them again.
    pub(crate) fn take_in(&mut self, arrivals: Vec<Arrival>) -> Result<Vec<TakenIn>, Failure> {
        let open = self.inbox.to_file.len() + self.inbox.held_up.len();
        if open + arrivals.len() > INBOX_OPEN_MAX {
            return Err(Failure::new(
                Ending::TryAgain,
                format!("The inbox is full: {open} messages wait in it."),
                "Look at those that need a person: kith inbox. What is in it is safe.",
            ));
        }
        let now = now_ms();
        let mut next = self.inbox.next;
        let mut items = Vec::new();
        let mut taken = Vec::with_capacity(arrivals.len());
        let mut seen: BTreeMap<[u8; 32], SeenRow> = BTreeMap::new();
        let mut new = Vec::new();
        for arrival in arrivals {
            let header = Header::of(&arrival.bytes).ok();
            let digest = blake3::hash(&arrival.bytes).as_bytes().to_vec();
            let of = |read: fn(&Header) -> &str| header.as_ref().map_or("", read).to_owned();
            let sender = header.as_ref().map_or_else(String::new, Header::sender);
            let control_id = of(|header| &header.control_id);
            // What has no number is known by its bytes alone, and a broken frame is no message.
            let key = if control_id.is_empty() || arrival.stop.is_some() {
                seen_key(&sender, &format!("\u{1}{}", blake3::hash(&digest).to_hex()))
            } else {
                seen_key(&sender, &control_id)
            };
            let known = match seen.entry(key) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(place) => {
                    let known: Option<SeenRow> = read_row(&self.store, RowKind::InboxSeen, &key)?;
                    place.insert(known.unwrap_or_default())
                }
            };
            if let Some((_, number)) = known.seen.iter().find(|(before, _)| **before == digest) {
                taken.push(TakenIn {
                    number: *number,
                    header,
                    again: true,
                });
                continue;
            }
            let number = next;
            next += 1;
            let mut row_of = InboxRow {
                received_ms: now,
                from: arrival.from,
                sender,
                kind: of(|header| &header.kind),
                control_id,
                digest: digest.clone(),
                id: random::<16>().to_vec(),
                stop: arrival.stop,
                ..InboxRow::default()
            };
            if let Some((_, before)) = known.seen.last() {
                row_of.notes.push(format!(
                    "the sender used this number before, for something else: message {before}"
                ));
            }
            known.seen.push((digest.into(), number));
            let many = known.seen.len().saturating_sub(SEEN_MAX);
            known.seen.drain(..many);
            if let Some(stop) = &row_of.stop {
                row_of.reason = Some(stop.clone());
                row_of.set_state(InboxState::NeedsPerson);
            } else if header.is_none() {
                row_of.reason = Some("it does not begin with an MSH segment".to_owned());
                row_of.set_state(InboxState::NeedsPerson);
            }
            items.push(row_of.item(number));
            items.push(self.kept(number, arrival.bytes)?);
            new.push((number, row_of.state()));
            taken.push(TakenIn {
                number,
                header,
                again: false,
            });
        }
        if new.is_empty() {
            return Ok(taken);
        }
        let seen = seen.iter();
        items.extend(seen.map(|(key, seen)| row(RowKind::InboxSeen, key, seen)));
        items.push(row(RowKind::Integration, NEXT, &next));
        self.commit(items)?;
        self.inbox.next = next;
        for (number, state) in new {
            self.inbox.note(number, state);
        }
        Ok(taken)
    }

    /// The bytes of a message, in a row or beside it.
    fn kept(&mut self, number: u64, bytes: Vec<u8>) -> Result<Item, Failure> {
        let kept = if bytes.len() > INLINE_ATTACHMENT_LEN_MAX {
            Kept::Apart(self.store.put_blob(&bytes)?.as_bytes().to_vec())
        } else {
            Kept::Here(bytes)
        };
        Ok(row(RowKind::InboxBytes, &number.to_be_bytes(), &kept))
    }

    /// The bytes of a message that is not filed.
    pub(super) fn bytes_of(&self, number: u64) -> Result<Option<Vec<u8>>, Failure> {
        let kept: Option<Kept> = read_row(&self.store, RowKind::InboxBytes, &number.to_be_bytes())?;
        match kept {
            Some(Kept::Here(bytes)) => Ok(Some(bytes)),
            Some(Kept::Apart(id)) => match <[u8; 32]>::try_from(id) {
                Ok(id) => Ok(self.store.blob(&BlobId::from_bytes(id))?),
                Err(_) => Ok(None),
            },
            None => Ok(None),
        }
    }
}
