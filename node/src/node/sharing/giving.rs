//! Giving rights: who may, and the grants that say so.

use std::collections::BTreeSet;

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::grant::{Actions, Basis, Grant, Purposes},
    id::{PrincipalId, RecordId},
    logs::{Act, Event, LabelAct},
    record::Record,
    signed::Verified,
    store::Item,
};
use serde::{Deserialize, Serialize};

use super::scopes::Scopes;
use crate::{
    failure::{Ending, Failure},
    node::{Node, now_ms},
};

/// What is shared, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) record: RecordId,
    pub(super) see: Scopes,
    pub(super) add: Scopes,
    pub(super) change: Scopes,
    pub(super) until_ms: u64,
}

impl Node {
    /// Only a controller shares in this version; sharing on comes with the engine's delegation.
    pub(super) fn may_share(&self, record: &mut Record, terms: &Terms) -> Result<(), Failure> {
        if terms.see.is_empty() && terms.add.is_empty() && terms.change.is_empty() {
            return Err(Failure::new(
                Ending::Usage,
                "Nothing is named that they could see.",
                "Name sections, such as --see allergies,medicines,plans, or --see all.",
            ));
        }
        if record
            .ledger()
            .controllers()
            .contains(&self.identity.principal)
        {
            return Ok(());
        }
        Err(Failure::new(
            Ending::NotAllowed,
            "This record is controlled elsewhere, so it cannot be shared from here.",
            "Ask whoever shares it with you.",
        ))
    }

    /// The grants of a share: one for each label and set of actions.
    pub(super) fn grant(
        &mut self,
        record: &mut Record,
        (audience, log): (PrincipalId, &[Verified<Event>]),
        terms: &Terms,
    ) -> Result<Vec<Item>, Failure> {
        let now = now_ms();
        let mut items: Vec<_> = Vec::new();
        for event in log {
            record.ledger().add_event(event.clone());
        }
        for (label, actions, sections) in rights(terms) {
            let grant = Grant {
                audience,
                sections,
                actions,
                from_ms: now,
                until_ms: Some(terms.until_ms),
                purposes: Purposes::CARE.union(Purposes::EMERGENCY),
                basis: Basis::Consent,
                depth: 0,
                parent: None,
                custodians: Vec::new(),
            };
            let act = Act::Label(LabelAct::Grant(grant));
            let (_, item) = self.act(record, Some(&label), act, now)?;
            items.push(item);
        }
        Ok(items)
    }
}

/// Labels with their sections by what may be done there: who may change may add, who may add may
/// see.
fn rights(terms: &Terms) -> Vec<(Label, Actions, Vec<Section>)> {
    let levels = [
        (
            &terms.change,
            Actions::READ.union(Actions::APPEND).union(Actions::EDIT),
        ),
        (&terms.add, Actions::READ.union(Actions::APPEND)),
        (&terms.see, Actions::READ),
    ];
    let labels: BTreeSet<_> = levels
        .iter()
        .flat_map(|(scopes, _)| scopes.labels())
        .collect();
    let mut rights = Vec::new();
    for label in labels {
        let mut given = BTreeSet::new();
        for (scopes, actions) in levels {
            let mut sections = scopes.sections(label);
            sections.retain(|section| given.insert(*section));
            if !sections.is_empty() {
                rights.push((label.clone(), actions, sections));
            }
        }
    }
    rights
}
