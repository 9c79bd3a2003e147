//! What an act that several people agree to would do, in words.

use kith_protocol::{
    id::{PrincipalId, RecordId},
    logs::{Act, CoreAct},
};

use super::paper::Proposal;
use crate::node::{Node, people::Known};

impl Node {
    /// Whose record it is.
    pub(super) fn whose(&self, record: RecordId) -> String {
        let known = self.people.get(&record);
        known.map_or_else(String::new, Known::banner)
    }

    /// Somebody by the name of a node that was met; else that it was not, and what a record's
    /// circle or whoever asks calls them, which proves nothing.
    pub(super) fn called(&self, who: PrincipalId, names: &[(PrincipalId, String)]) -> String {
        if let Some(name) = self.name_of_met(who) {
            return name;
        }
        let key = &who.to_string()[..12];
        let there = names.iter().find(|(named, _)| *named == who);
        let there = there.map(|(_, name)| name.clone());
        match self.name_in_circles(who).or(there) {
            Some(name) => {
                format!("somebody whom this node does not know, called {name} there (key {key})")
            }
            None => format!("somebody whom this node does not know (key {key})"),
        }
    }

    /// What an act would do, in words.
    pub(super) fn said(&self, proposal: &Proposal) -> String {
        let Proposal {
            record,
            act,
            person,
            names,
            ..
        } = proposal;
        let all = |people: &[PrincipalId]| {
            let called: Vec<_> = people.iter().map(|who| self.called(*who, names)).collect();
            called.join(", ")
        };
        // What is known here goes before what whoever asks says.
        let person = match self.people.get(record) {
            Some(known) => known.banner(),
            None => format!("of {person}, as they say"),
        };
        let record = format!("record {} ({person})", &record.to_string()[..12]);
        match act {
            Act::Core(CoreAct::Recover {
                controller, void, ..
            }) => {
                let stops = match void.len() {
                    0 => String::new(),
                    n => format!(
                        " {n} that waits of what those who controlled it before stopped does not hold."
                    ),
                };
                format!(
                    "{} is to control {record}, and whoever else controls it now is not.{stops}",
                    self.called(*controller, names)
                )
            }
            Act::Core(CoreAct::RecoverySet { set, .. }) => format!(
                "{} of these are to be able to recover {record} together: {}.",
                set.needed,
                all(&set.members)
            ),
            Act::Core(CoreAct::Policy { policy, .. }) => {
                let code = match policy.emergency_secret {
                    Some(_) => "whoever has the code of its emergency page",
                    None => "nobody by a code",
                };
                let labels: Vec<_> = policy
                    .emergency_labels
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                format!(
                    "In an emergency these are to be able to open {record}: {}; {code}. It opens parts labelled {}.",
                    all(&policy.emergency),
                    labels.join(", ")
                )
            }
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => String::new(),
        }
    }
}

/// Whom an act is about.
pub(super) fn concerned(act: &Act) -> Vec<PrincipalId> {
    match act {
        Act::Core(CoreAct::Recover { controller, .. }) => vec![*controller],
        Act::Core(CoreAct::RecoverySet { set, .. }) => set.members.clone(),
        Act::Core(CoreAct::Policy { policy, .. }) => policy.emergency.clone(),
        Act::Core(_) | Act::Label(_) | Act::Principal(_) => Vec::new(),
    }
}
