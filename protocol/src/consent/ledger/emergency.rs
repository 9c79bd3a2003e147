//! Emergencies that were opened, and the standing rules for them.

use kith_crdt::{Label, Section};

use super::{GrantFate, Ledger, judge};
use crate::{
    id::{EventId, PrincipalId},
    logs::{Act, CoreAct, principal::RecoverySet, record::Policy},
};

/// A record that was opened in an emergency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// The event that says so.
    pub id: EventId,
    /// Who opened it.
    pub by: PrincipalId,
    /// Why, in their words.
    pub reason: String,
    /// Since when, milliseconds since 1970 UTC.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
    /// Of which labels.
    pub labels: Vec<Label>,
    /// Which sections, ascending.
    pub sections: Vec<Section>,
    /// Whether they had the secret of the emergency page; the rules name them otherwise.
    pub with_secret: bool,
    /// What became of the right.
    pub state: GrantFate,
}

impl Ledger {
    /// Every emergency that somebody had the right to open, ascending by id.
    pub fn emergencies(&mut self) -> Vec<Emergency> {
        let a = &self.authority;
        let grants = a.targets.grants.iter().copied();
        let opened: Vec<_> = grants
            .filter(|at| matches!(a.event(*at).act, Act::Core(CoreAct::BreakGlass { .. })))
            .collect();
        let mut emergencies = Vec::new();
        for at in opened {
            let state = self.authority.grant_fate(at);
            let event = self.authority.event(at);
            let Act::Core(CoreAct::BreakGlass {
                reason,
                until_ms,
                secret_proof,
                ..
            }) = &event.act
            else {
                continue;
            };
            let Some(right) = self.authority.right(at) else {
                continue;
            };
            emergencies.push(Emergency {
                id: self.authority.id(at),
                by: event.author,
                reason: reason.clone(),
                from_ms: event.time_ms,
                until_ms: *until_ms,
                labels: right.labels.clone(),
                sections: right.sections.iter().copied().collect(),
                with_secret: secret_proof.is_some(),
                state,
            });
        }
        emergencies.sort_by_key(|opened| opened.id);
        emergencies
    }

    /// The standing rules of the record: several where they were changed at the same time.
    pub fn policies(&mut self) -> Vec<Policy> {
        let valid = self.authority.valid.clone();
        judge::policies(&mut self.authority, &valid)
    }

    /// Who may recover the record: several where that was changed at the same time.
    pub fn recovery_sets(&mut self) -> Vec<RecoverySet> {
        let valid = self.authority.valid.clone();
        judge::recovery_sets(&mut self.authority, &valid)
    }
}
