//! Two records of one person: proposed, confirmed or taken back by a person, and shown together
//! without ever being merged.

use std::collections::BTreeSet;

use kith_protocol::{
    audit::How,
    id::RecordId,
    logs::{Act, CoreAct, record::LinkState},
    record::Record,
};

use super::{Node, find, now_ms, show};
use crate::{
    api::{Decided, JoinedRecord, LinkWord, SamePersonRequest},
    failure::{Ending, Failure},
};

/// Bytes of the reason of a link.
const EVIDENCE_LEN_MAX: usize = 1000;

impl Node {
    /// Says of two records, in each that this node's owner controls, that they are or are not of
    /// one person.
    pub(super) fn say_same_person(
        &mut self,
        asked: &SamePersonRequest,
    ) -> Result<Decided, Failure> {
        let id = self.record_named(&asked.record)?;
        let other = match RecordId::from_hex(&asked.other) {
            Some(other) => other,
            None => self.record_named(&asked.other)?,
        };
        if id == other {
            return Err(Failure::new(
                Ending::Usage,
                "That is one and the same record.",
                "Name two records. Nothing was changed.",
            ));
        }
        let evidence = self.evidence(id, other, asked)?;
        let link = match asked.word {
            LinkWord::Propose => LinkState::Proposed,
            LinkWord::Confirm => LinkState::Confirmed,
            LinkWord::Withdraw => LinkState::Withdrawn,
        };
        let events = self.say_in_both((id, other), link, &evidence)?;
        let Some(event) = events.first() else {
            return Err(Failure::new(
                Ending::NotAllowed,
                "Neither of the two records is controlled from here.",
                "Ask whoever controls one of them: kith record control RECORD says who. Nothing was changed.",
            ));
        };
        let both = if events.len() == 2 {
            "Both records say"
        } else {
            "One of the two records, the one that is controlled from here, says"
        };
        let what = match link {
            LinkState::Proposed => format!(
                "{both} that they may be of one person. It waits in kith review until somebody has decided."
            ),
            LinkState::Confirmed => format!(
                "{both} that they are of one person. kith show shows them together; each keeps its id and all that is in it."
            ),
            LinkState::Withdrawn => {
                format!("{both} that they are not of one person. Neither was changed otherwise.")
            }
        };
        Ok(Decided {
            entry: event.clone(),
            what,
        })
    }

    /// Says it in each of the two records that is here and controlled from here; the events.
    pub(super) fn say_in_both(
        &mut self,
        (id, other): (RecordId, RecordId),
        link: LinkState,
        evidence: &str,
    ) -> Result<Vec<String>, Failure> {
        let mut events = Vec::new();
        for (record, other) in [(id, other), (other, id)] {
            if self.people.get(&record).is_none() {
                continue;
            }
            let said = self.with_record(record, |node, record| {
                node.says_link(record, (other, link), evidence)
            })?;
            events.extend(said);
        }
        Ok(events)
    }

    fn says_link(
        &mut self,
        record: &mut Record,
        (other, link): (RecordId, LinkState),
        evidence: &str,
    ) -> Result<Option<String>, Failure> {
        if !self.controls(record) {
            return Ok(None);
        }
        let act = Act::Core(CoreAct::SamePerson {
            other,
            link,
            evidence: evidence.to_owned(),
        });
        let (event, item) = self.act(record, None, act, now_ms())?;
        self.commit(vec![item])?;
        Ok(Some(event.to_string()))
    }

    /// Why, in words: what the person said, and what the two records have in common. Nothing at
    /// all is only enough to take a link back.
    fn evidence(
        &self,
        id: RecordId,
        other: RecordId,
        asked: &SamePersonRequest,
    ) -> Result<String, Failure> {
        let mut said: Vec<String> = asked.because.iter().cloned().collect();
        if let (Some(ours), Some(theirs)) = (self.people.get(&id), self.people.get(&other)) {
            let pairs = ours.said.iter().flat_map(|one| {
                let evidence = |other| one.evidence(other);
                theirs.said.iter().flat_map(evidence)
            });
            let common: BTreeSet<_> = pairs.collect();
            said.extend(common);
        }
        let said = said.join("; ");
        if said.is_empty() && asked.word != LinkWord::Withdraw {
            return Err(Failure::new(
                Ending::Usage,
                "Nothing that is known here speaks for the two records being of one person.",
                "Look at both first. If you know it, say why with --because. Nothing was changed.",
            ));
        }
        if said.len() > EVIDENCE_LEN_MAX {
            return Err(Failure::new(
                Ending::Usage,
                "The reason is too long.",
                "Say it in a few words. Nothing was changed.",
            ));
        }
        Ok(said)
    }

    /// The other records of the same person that are here, each on its own.
    pub(super) fn joined_with(&mut self, id: RecordId) -> Result<Vec<JoinedRecord>, Failure> {
        let mut joined = Vec::new();
        for other in self.joined_ids(id)? {
            joined.push(self.with_record(other, |node, record| {
                node.disclose(record, node.owner(), How::Show, 0)?;
                let placed = node.read_all(record)?;
                let known = node.people.get(&other).cloned().unwrap_or_default();
                Ok(JoinedRecord {
                    record: other.to_string(),
                    person: find::line(other, &known),
                    allergies: show::allergy_state(record, &placed),
                    control: node.controllers(record),
                    sections: node.sections(record, &placed),
                    as_of: node.as_of(record),
                })
            })?);
        }
        Ok(joined)
    }

    /// Which they are: where somebody confirmed it in one of the two and nobody took it back in
    /// either.
    pub(super) fn joined_ids(&mut self, id: RecordId) -> Result<Vec<RecordId>, Failure> {
        let said = self.with_record(id, |_, record| Ok(record.ledger().same_person()))?;
        let here: Vec<RecordId> = said
            .keys()
            .copied()
            .filter(|other| self.people.get(other).is_some())
            .collect();
        let mut joined = Vec::new();
        for other in here {
            let ours = said.get(&other).copied();
            let theirs = self.with_record(other, |_, record| {
                Ok(record.ledger().same_person().get(&id).copied())
            })?;
            let words = [ours, theirs];
            let stands = words.contains(&Some(LinkState::Confirmed))
                && !words.contains(&Some(LinkState::Withdrawn));
            if stands {
                joined.push(other);
            }
        }
        Ok(joined)
    }
}

#[cfg(test)]
mod tests;
