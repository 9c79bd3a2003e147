//! Which other records are said to be of the same person.

use std::collections::BTreeMap;

use super::{Ledger, authority::At};
use crate::{
    id::RecordId,
    logs::{Act, CoreAct, record::LinkState},
};

impl Ledger {
    /// What those who may say of other records: the newest word on each. Of words that had not
    /// seen each other a withdrawal counts, then a confirmation: a link is shown only where nobody
    /// who may has taken it back.
    pub fn same_person(&self) -> BTreeMap<RecordId, LinkState> {
        let mut said: BTreeMap<RecordId, Vec<(At, LinkState)>> = BTreeMap::new();
        for at in self.authority.valid.iter() {
            if let Act::Core(CoreAct::SamePerson { other, link, .. }) =
                &self.authority.event(at).act
            {
                said.entry(*other).or_default().push((at, *link));
            }
        }
        let newest = |words: Vec<(At, LinkState)>| {
            let seen = |at: At| {
                let later = words
                    .iter()
                    .filter_map(|(later, _)| self.authority.past(*later));
                later.into_iter().any(|past| past.contains(at))
            };
            let standing = words.iter().filter(|(at, _)| !seen(*at));
            standing
                .map(|(_, link)| *link)
                .max_by_key(|link| match link {
                    LinkState::Proposed => 0,
                    LinkState::Confirmed => 1,
                    LinkState::Withdrawn => 2,
                })
        };
        said.into_iter()
            .filter_map(|(other, words)| Some((other, newest(words)?)))
            .collect()
    }
}
