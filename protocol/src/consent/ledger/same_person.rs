//! Which other records are said to be of the same person.

use std::collections::BTreeMap;

use super::{Ledger, authority::At};
use crate::{
    id::{PrincipalId, RecordId},
    logs::{Act, CoreAct, record::LinkState},
};

/// The word that counts on another record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidLink {
    /// What is said.
    pub link: LinkState,
    /// Why, in words for whoever decides.
    pub evidence: String,
    /// Who said it.
    pub by: PrincipalId,
}

impl Ledger {
    /// What those who may say of other records: the newest word on each. Of words that had not
    /// seen each other a withdrawal counts, then a confirmation: a link is shown only where nobody
    /// who may has taken it back.
    pub fn same_person(&self) -> BTreeMap<RecordId, LinkState> {
        let said = self.same_person_said().into_iter();
        said.map(|(other, said)| (other, said.link)).collect()
    }

    /// The same, with who said it and why.
    pub fn same_person_said(&self) -> BTreeMap<RecordId, SaidLink> {
        let mut said: BTreeMap<RecordId, Vec<(At, SaidLink)>> = BTreeMap::new();
        for at in self.authority.valid.iter() {
            let event = self.authority.event(at);
            if let Act::Core(CoreAct::SamePerson {
                other,
                link,
                evidence,
            }) = &event.act
            {
                let word = SaidLink {
                    link: *link,
                    evidence: evidence.clone(),
                    by: event.author,
                };
                said.entry(*other).or_default().push((at, word));
            }
        }
        let newest = |words: Vec<(At, SaidLink)>| {
            let seen = |at: At| {
                let later = words
                    .iter()
                    .filter_map(|(later, _)| self.authority.past(*later));
                later.into_iter().any(|past| past.contains(at))
            };
            let standing = words.iter().filter(|(at, _)| !seen(*at));
            let word = standing.max_by_key(|(_, said)| match said.link {
                LinkState::Proposed => 0,
                LinkState::Confirmed => 1,
                LinkState::Withdrawn => 2,
            });
            word.map(|(_, said)| said.clone())
        };
        said.into_iter()
            .filter_map(|(other, words)| Some((other, newest(words)?)))
            .collect()
    }
}
