//! What arrives from a peer or a bundle: checked from the raw bytes, then held, whatever becomes
//! of it.

use super::{
    Record,
    write::{entry_item, event_item},
};
use crate::{
    author::Entry,
    codec::{self, DecodeError},
    consent::{Full, cut::ProvenPart},
    id::{PrincipalId, RecordId},
    intake::{self, IntakeError},
    logs::LogId,
    store::Item,
};

/// What was taken in and is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// What to commit.
    pub item: Item,
    /// Whose principal log is needed to judge it.
    pub author: Option<PrincipalId>,
}

/// Why something that arrived is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// Its own bytes do not hold.
    #[error("what arrived does not hold")]
    Intake(#[from] IntakeError),
    /// A cut's part is not understood.
    #[error("a part of a cut is not understood")]
    Part(#[from] DecodeError),
    /// There is no room for it now: whoever sent it keeps it.
    #[error(transparent)]
    Full(#[from] Full),
    /// It belongs elsewhere.
    #[error("it belongs to another record")]
    OtherRecord(Option<RecordId>),
}

impl Record {
    /// Takes in an item from outside: every signature and hash is checked over the bytes as they
    /// came. An event of a principal's log is taken in by any record.
    pub fn arrive(&mut self, item: &Item) -> Result<Arrived, ArrivalError> {
        match item {
            Item::Event { bytes, .. } => self.event_arrives(bytes),
            Item::Entry { bytes, .. } => self.entry_arrives(bytes),
            Item::Part { bytes, .. } => {
                let part: ProvenPart = codec::decode(bytes)?;
                if part.part.record != self.id {
                    return Err(ArrivalError::OtherRecord(Some(part.part.record)));
                }
                let item = Item::Part {
                    record: self.id,
                    revocation: part.revocation,
                    bytes: bytes.clone(),
                };
                self.ledger.add_part(part);
                Ok(Arrived { item, author: None })
            }
            Item::Row { .. } | Item::Audit { .. } => Err(ArrivalError::OtherRecord(None)),
        }
    }

    fn event_arrives(&mut self, bytes: &[u8]) -> Result<Arrived, ArrivalError> {
        let event = intake::event(bytes)?;
        let of = intake::record_of(event.value(), event.id());
        let principal = matches!(event.value().log, LogId::Principal(_));
        if !principal && of != Some(self.id) {
            return Err(ArrivalError::OtherRecord(of));
        }
        self.ledger.admits_event(&event)?;
        let arrived = Arrived {
            item: event_item(&event),
            author: Some(event.value().author),
        };
        self.ledger.add_event(event);
        Ok(arrived)
    }

    fn entry_arrives(&mut self, bytes: &[u8]) -> Result<Arrived, ArrivalError> {
        self.arrive_entry(intake::entry(bytes)?)
    }

    /// Takes in an entry whose signature and payload were checked.
    pub fn arrive_entry(&mut self, entry: Entry) -> Result<Arrived, ArrivalError> {
        let header = entry.header.value();
        if header.record != self.id {
            return Err(ArrivalError::OtherRecord(Some(header.record)));
        }
        let author = Some(header.author);
        self.ledger.admits_entry(&entry.header)?;
        let item = entry_item(entry.clone());
        self.add(entry);
        Ok(Arrived { item, author })
    }
}
