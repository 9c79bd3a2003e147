//! What arrives from a peer or a bundle: checked from the raw bytes, then held, whatever becomes
//! of it.

use kith_crdt::Vetted;

use super::{
    Record,
    write::{came_as, event_item, facts},
};
use crate::{
    author::Entry,
    codec::{self, DecodeError},
    consent::{
        ContentFacts, Full,
        cut::{PartProof, ProvenPart},
    },
    envelope::Header,
    id::{PrincipalId, RecordId},
    intake::{self, IntakeError},
    logs::{Event, LogId},
    signed::Verified,
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
    /// A custodian's part bears no signature of the device that it names.
    #[error("what a custodian is said to have signed is not signed")]
    Unsigned,
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
            Item::Event { bytes, .. } => {
                let event = intake::event(bytes)?;
                let author = Some(event.value().author);
                let item = self.arrive_event(event)?;
                Ok(Arrived { item, author })
            }
            Item::Entry { bytes, .. } => {
                self.arrive_weighed(Weighed::of(intake::entry(bytes)?, bytes.clone()))
            }
            Item::Part { bytes, .. } => self.arrive_part(bytes),
            Item::Row { .. } | Item::Audit { .. } => Err(ArrivalError::OtherRecord(None)),
        }
    }

    /// Takes in a part of a cut. It counts once it proves itself; what a custodian is said to have
    /// signed must be signed.
    pub fn arrive_part(&mut self, bytes: &[u8]) -> Result<Arrived, ArrivalError> {
        let part: ProvenPart = codec::decode(bytes)?;
        let author = match &part.proof {
            PartProof::Issuer(_) => None,
            PartProof::Custodian(word) if word.signs(part.revocation, &part.part) => {
                Some(word.custodian)
            }
            PartProof::Custodian(_) => return Err(ArrivalError::Unsigned),
        };
        if part.part.record != self.id {
            return Err(ArrivalError::OtherRecord(Some(part.part.record)));
        }
        let item = Item::Part {
            record: self.id,
            revocation: part.revocation,
            bytes: bytes.to_vec(),
        };
        self.ledger.add_part(part);
        Ok(Arrived { item, author })
    }

    /// Takes in an event whose signature was checked.
    pub fn arrive_event(&mut self, event: Verified<Event>) -> Result<Item, ArrivalError> {
        let of = intake::record_of(event.value(), event.id());
        let principal = matches!(event.value().log, LogId::Principal(_));
        if !principal && of != Some(self.id) {
            return Err(ArrivalError::OtherRecord(of));
        }
        self.ledger.admits_event(&event)?;
        let item = event_item(&event);
        self.ledger.add_event(event);
        Ok(item)
    }

    /// Takes in an entry whose signature and payload were checked, and of whose content it is known
    /// what vetting finds.
    pub fn arrive_weighed(&mut self, weighed: Weighed) -> Result<Arrived, ArrivalError> {
        let header = weighed.header();
        if header.record != self.id {
            return Err(ArrivalError::OtherRecord(Some(header.record)));
        }
        let author = Some(header.author);
        self.ledger.admits_entry(&weighed.entry.header)?;
        let Weighed {
            entry,
            bytes,
            facts,
            vetted,
        } = weighed;
        let item = came_as(&entry, bytes);
        self.add_vetted(entry, facts, vetted);
        Ok(Arrived { item, author })
    }
}

/// An entry whose signature and payload were checked, with what vetting finds in its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    entry: Entry,
    bytes: Vec<u8>,
    facts: ContentFacts,
    vetted: Option<Vetted>,
}

impl Weighed {
    /// Vets the content of an entry that came as these bytes.
    pub fn of(entry: Entry, bytes: Vec<u8>) -> Self {
        let (facts, vetted) = facts(&entry);
        Self {
            entry,
            bytes,
            facts,
            vetted,
        }
    }

    /// What its author signed.
    pub fn header(&self) -> &Header {
        self.entry.header.value()
    }
}

#[cfg(test)]
mod tests {
    use kith_crdt::{DocumentId, Label, Section};

    use super::{ArrivalError, Record};
    use crate::{
        author::{Author, EntryDraft, NextLink},
        consent::{Full, grant::Purposes},
        envelope::Content,
        id::{EnvelopeId, RecordId},
        identity::SecretKey,
        logs::Frontiers,
        record::entry_item,
    };

    #[test]
    fn what_is_over_a_limit_is_refused_at_the_door_and_leaves_no_trace() {
        let id = RecordId::from_bytes([1; 32]);
        let key = SecretKey::from_seed([2; 32]);
        let author = Author {
            principal: key.principal(),
            key: &key,
            staff: None,
        };
        let mut record = Record::new(id);
        let mut arrives = |time_ms| {
            let draft = EntryDraft {
                record: id,
                document: DocumentId::first(Section::Plans, Label::general()),
                epoch: 0,
                link: NextLink::FIRST,
                deps: Vec::new(),
                frontiers: Frontiers::default(),
                grant: None,
                purpose: Purposes::CARE,
                time_ms,
                actor_nonce: [0; 8],
            };
            let adopted = Content::Adopt {
                entries: vec![EnvelopeId::from_bytes([9; 32])],
            };
            let entry = author.entry(draft, adopted, None);
            let id = entry.id();
            let arrived = record.arrive(&entry_item(&entry));
            (arrived, record.ledger().holds_entry(&id))
        };
        assert!(matches!(arrives(1), (Ok(_), true)));
        assert!(matches!(arrives(2), (Ok(_), true)));
        let (third, held) = arrives(3);
        assert!(matches!(third, Err(ArrivalError::Full(Full::Branches))));
        assert!(!held);
        assert!(matches!(arrives(1), (Ok(_), true)), "what is held fits");
    }
}
