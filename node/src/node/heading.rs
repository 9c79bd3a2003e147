//! What stands at the top of every page: whose node it is, how it stands with others, and whose
//! record is looked at.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Section;
use kith_protocol::{
    audit::How,
    id::RecordId,
    record::{Placed, Record},
};

use super::{Node, Role, find, show};
use crate::{
    api::{AllergyState, AwaySource, Connection, Doubts, RecordLine},
    failure::Failure,
    health::drugs::Drugs,
};

/// The top of a page.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// What the node's owner is called.
    pub owner: String,
    /// What they are; nothing before there is a node.
    pub role: Option<Role>,
    /// How many other nodes it knows.
    pub known: usize,
    /// How many of them are to be sent something.
    pub waiting: usize,
    /// How many are not connected.
    pub away: usize,
    /// Where the journal stood, the access log left out: what comes later is news.
    pub end: u64,
    /// Whose record it is; nothing on pages of the node itself.
    pub person: Option<Person>,
}

/// Whose record a page shows.
#[derive(Clone, Debug)]
pub struct Person {
    /// The record and whose it is.
    pub line: RecordLine,
    /// Whether allergies are recorded, said to be none, or not known here.
    pub allergies: AllergyState,
    /// Those that are recorded, in words.
    pub allergic_to: Vec<String>,
    /// How many things of it wait for a decision.
    pub to_review: usize,
    /// How many tasks of it are late.
    pub late: usize,
    /// From whom something of it may be missing here.
    pub doubts: Doubts,
}

impl Node {
    /// The top of a page of a record, or of the node.
    ///
    /// # Errors
    /// When the record is not here or cannot be read, and when the access log cannot be written.
    pub(crate) fn heading(&mut self, record: Option<&str>) -> Result<Heading, Failure> {
        let connections = self.connections()?;
        let person = record.map(|word| self.person_of(word)).transpose()?;
        Ok(Heading {
            owner: self.identity.name.clone(),
            role: Some(self.identity.role),
            known: connections.len(),
            waiting: connections.iter().filter(|other| other.waits).count(),
            away: connections.iter().filter(|other| other.is_away()).count(),
            end: self.position().0,
            person,
        })
    }

    fn person_of(&mut self, word: &str) -> Result<Person, Failure> {
        let id = self.record_named(word)?;
        let doubts = self.doubts(id)?;
        let to_review = self.attention(id)?.items.len();
        let (mut allergies, mut allergic_to) = self.with_record(id, Self::allergies)?;
        // An allergy that only another record of the same person holds is never out of sight.
        for other in self.joined_ids(id)? {
            let (state, named) = self.with_record(other, Self::allergies)?;
            if state == AllergyState::Recorded {
                allergies = state;
                allergic_to.extend(named);
            }
        }
        // Several sources name one allergy.
        let mut named = BTreeSet::new();
        allergic_to.retain(|said| named.insert(said.to_lowercase()));
        let known = self.people.get(&id).cloned().unwrap_or_default();
        Ok(Person {
            line: find::line(id, &known),
            allergies,
            allergic_to,
            to_review,
            late: self.late_tasks(id),
            doubts,
        })
    }

    /// From whom something of a record may be missing here: those of them who are away, and those of
    /// whom not everything has come since they were met.
    pub(super) fn doubts(&mut self, id: RecordId) -> Result<Doubts, Failure> {
        let new = self.never_up_to_date()?;
        let connections = self.connections()?.into_iter();
        let away = connections.filter(Connection::is_away);
        let away: BTreeSet<_> = away.map(|other| other.name).collect();
        let sources = self.with_record(id, |node, record| {
            let said = node.as_of(record).into_iter();
            let mut sources: BTreeMap<_, _> =
                said.map(|said| (said.source, Some(said.last))).collect();
            for controller in node.controllers(record) {
                if controller.state == "now" && !controller.is_us {
                    sources.entry(controller.name).or_default();
                }
            }
            Ok(sources)
        })?;
        let coming = sources.keys().filter(|name| new.contains(*name));
        let coming = coming.cloned().collect();
        let gone = sources.into_iter().filter(|(name, _)| away.contains(name));
        let away = gone.map(|(name, last)| AwaySource { name, last }).collect();
        Ok(Doubts { coming, away })
    }

    /// What is known of a person's allergies, which is in the access log when this returns.
    fn allergies(&mut self, record: &mut Record) -> Result<(AllergyState, Vec<String>), Failure> {
        let mut documents = record.ledger().documents();
        documents
            .retain(|document| matches!(document.section, Section::Allergies | Section::Identity));
        let said = Self::state_of(record, documents.clone(), self.owner(), None, How::Show);
        self.disclosed(vec![said], Vec::new())?;
        let placed: Vec<Placed> = documents
            .iter()
            .filter(|document| document.section == Section::Allergies)
            .flat_map(|document| self.read_document(record, document))
            .collect();
        let state = show::allergy_state(record, &placed);
        let drugs = Drugs::of(&placed);
        let is_said = |placed: &&Placed| {
            placed.held.meta.kind == "AllergyIntolerance" && !placed.held.is_retracted()
        };
        let named = match state {
            AllergyState::Recorded => placed
                .iter()
                .filter(is_said)
                .map(|placed| self.line(record, placed, &drugs).text)
                .collect(),
            AllergyState::NoneKnown | AllergyState::NotKnownHere => Vec::new(),
        };
        Ok((state, named))
    }

    /// The record of what names no patient, where there is one.
    pub(crate) fn library(&self) -> Option<String> {
        self.people.library().map(|id| id.to_string())
    }

    /// The records of a node, for a list that begins with whose it is.
    pub(crate) fn only_record(&self) -> Option<RecordId> {
        let mut own = self.people.iter().filter(|(_, known)| !known.library);
        let (first, _) = own.next()?;
        own.next().is_none().then_some(*first)
    }
}
