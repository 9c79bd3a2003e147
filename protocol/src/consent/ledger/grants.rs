//! Every grant with what became of it, and who controls the record.

use std::collections::BTreeSet;

use kith_crdt::Label;

use super::{
    Ledger,
    authority::{Acting, At, Authority},
    judge,
    need::{Coverage, Need},
};
use crate::{
    consent::{
        grant::{Actions, Grant, Purposes},
        status::Cause,
    },
    id::{EventId, PrincipalId},
    logs::{Act, LabelAct, LogId},
};

/// A grant and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantState {
    /// Its id.
    pub id: EventId,
    /// What it says.
    pub grant: Grant,
    /// Who gave it.
    pub issuer: PrincipalId,
    /// When, by its own word: milliseconds since 1970 UTC. Grants of one share have the same.
    pub issued_ms: u64,
    /// For which label.
    pub label: Label,
    /// What became of it.
    pub state: GrantFate,
    /// The right that it gives: the intersection along its chain. Nothing for an invalid one.
    pub effective: Option<Effective>,
}

/// An effective right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Which sections, ascending.
    pub sections: Vec<kith_crdt::Section>,
    /// What may be done.
    pub actions: Actions,
    /// For what.
    pub purposes: Purposes,
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: Option<u64>,
    /// How many further delegations may hang beneath it.
    pub depth: u8,
}

/// What became of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantFate {
    /// It holds.
    Active,
    /// It, or something that it hangs on, was revoked.
    Revoked,
    /// A revocation of it waits for a decision.
    Suspended,
    /// Its end was said to have passed by those who may.
    Lapsed,
    /// Its audience gave it back.
    Renounced,
    /// It never held.
    Invalid,
}

impl Ledger {
    /// Every grant that is held, with what became of it, ascending by id.
    pub fn grants(&mut self) -> Vec<GrantState> {
        let a = &self.authority;
        let grant = |at: At| match (&a.event(at).act, &a.event(at).log) {
            (Act::Label(LabelAct::Grant(grant)), LogId::Label(record, label))
                if *record == a.record =>
            {
                Some((at, grant.clone(), label.clone()))
            }
            (Act::Label(_) | Act::Core(_) | Act::Principal(_), _) => None,
        };
        let grants: Vec<_> = (0..a.known.len()).filter_map(grant).collect();
        let judged = |at: &At| self.authority.known[*at].judged.is_some();
        let grants: Vec<_> = grants.into_iter().filter(|(at, ..)| judged(at)).collect();
        let mut states: Vec<_> = grants
            .into_iter()
            .map(|(at, grant, label)| GrantState {
                id: self.authority.id(at),
                issuer: self.authority.event(at).author,
                issued_ms: self.authority.event(at).time_ms,
                state: self.authority.grant_fate(at),
                effective: self.authority.right(at).map(|right| Effective {
                    sections: right.sections.iter().copied().collect(),
                    actions: right.actions,
                    purposes: right.purposes,
                    from_ms: right.from_ms,
                    until_ms: right.until_ms,
                    depth: right.depth,
                }),
                grant,
                label,
            })
            .collect();
        states.sort_by_key(|state| state.id);
        states
    }

    /// Who controls the record now, ascending.
    pub fn controllers(&mut self) -> Vec<PrincipalId> {
        let a = &mut self.authority;
        let all: Vec<_> = a.targets.root_certs.keys().copied().collect();
        let valid = a.valid.clone();
        all.into_iter()
            .filter(|who| judge::controls(a, *who, &valid).is_ok())
            .collect()
    }

    /// Who controls the record now or has a share of it that goes on: also where somebody's word is
    /// awaited about it meanwhile, and whether or not its time has come or is over.
    pub fn holders(&mut self) -> BTreeSet<PrincipalId> {
        let goes_on = [GrantFate::Active, GrantFate::Suspended];
        let mut holders: BTreeSet<_> = self.controllers().into_iter().collect();
        let grants = self.grants().into_iter();
        let going_on = grants.filter(|grant| goes_on.contains(&grant.state));
        holders.extend(going_on.map(|grant| grant.grant.audience));
        holders
    }
}

impl Authority {
    pub(super) fn grant_fate(&mut self, at: At) -> GrantFate {
        let Some(standing) = self.standing(at) else {
            return GrantFate::Invalid;
        };
        let chain = standing.chain.clone().acting(Acting::Grant(at), None);
        let (revoked, lapsed) = self.in_present_view(|view, a| {
            let need = view.grant(a, at);
            let lapses = view.lapses(a, &chain);
            let weigh = |need: &Need| need.weigh(&|at| a.id(at), &mut |_| Coverage::Uncovered);
            (weigh(&need), weigh(&lapses))
        });
        let all = self.valid.clone();
        match (revoked, lapsed) {
            (Some(Cause::Revoked(_)), _) => GrantFate::Revoked,
            (_, Some(Cause::Lapsed(_))) => GrantFate::Lapsed,
            _ if judge::renounced(self, at, &all) => GrantFate::Renounced,
            (Some(_), _) => GrantFate::Suspended,
            (None, _) => GrantFate::Active,
        }
    }
}
