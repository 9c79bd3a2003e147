//! Who said of which shares that their end has passed.

use std::collections::BTreeSet;

use super::Ledger;
use crate::{
    id::{EventId, PrincipalId},
    logs::{Act, LabelAct},
};

impl Ledger {
    /// The grants of which a principal said, and had the right to say, that they have lapsed.
    pub fn lapsed_by(&self, principal: PrincipalId) -> BTreeSet<EventId> {
        let a = &self.authority;
        let events = a.valid.iter().map(|at| a.event(at));
        let own = events.filter(|event| event.author == principal);
        own.filter_map(|event| match &event.act {
            Act::Label(LabelAct::Lapse { grant, .. }) => Some(*grant),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
        })
        .collect()
    }
}
