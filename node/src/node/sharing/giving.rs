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
    pub(super) until_ms: u64,
}

impl Node {
    /// Only a controller shares in this version; sharing on comes with the engine's delegation.
    pub(super) fn may_share(&self, record: &mut Record, terms: &Terms) -> Result<(), Failure> {
        if terms.see.is_empty() && terms.add.is_empty() {
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
        for (label, actions, sections) in rights(&terms.see, &terms.add) {
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

/// Labels with the sections that can be seen, and those that can be added to.
fn rights(see: &Scopes, add: &Scopes) -> Vec<(Label, Actions, Vec<Section>)> {
    let mut rights = Vec::new();
    for label in see
        .labels()
        .chain(add.labels())
        .cloned()
        .collect::<BTreeSet<_>>()
    {
        let adding: Vec<_> = add.sections(&label);
        let seeing: Vec<_> = see
            .sections(&label)
            .into_iter()
            .filter(|section| !adding.contains(section))
            .collect();
        if !seeing.is_empty() {
            rights.push((label.clone(), Actions::READ, seeing));
        }
        if !adding.is_empty() {
            rights.push((label, Actions::READ.union(Actions::APPEND), adding));
        }
    }
    rights
}
