//! A share: grants that were issued together to one principal.

use std::collections::BTreeMap;

use kith_protocol::{
    consent::{
        GrantFate, GrantState,
        grant::{Actions, Basis},
    },
    id::{EventId, PrincipalId, RecordId},
    record::Record,
};

use super::scopes::Scopes;
use crate::{
    api::{ShareBasis, ShareLine, Side},
    node::{Node, now_ms, people::Known, show},
};

/// Grants that were issued together to one principal.
pub(super) struct Share {
    pub(super) issuer: PrincipalId,
    pub(super) audience: PrincipalId,
    pub(super) grants: Vec<GrantState>,
    issued_ms: u64,
    /// Those who passed it on, the one nearest to a controller first.
    via: Vec<PrincipalId>,
}

impl Share {
    /// Every share of a record that ever held, by when it was given.
    pub(super) fn all(record: &mut Record) -> Vec<Self> {
        let grants = record.ledger().grants();
        let mut shares: BTreeMap<(u64, PrincipalId, PrincipalId), Self> = BTreeMap::new();
        for grant in grants.iter().filter(|grant| grant.effective.is_some()) {
            let (issuer, audience) = (grant.issuer, grant.grant.audience);
            let key = (grant.issued_ms, issuer, audience);
            let share = shares.entry(key).or_insert_with(|| Self {
                issuer,
                audience,
                grants: Vec::new(),
                issued_ms: grant.issued_ms,
                via: via(&grants, grant),
            });
            share.grants.push(grant.clone());
        }
        shares.into_values().collect()
    }

    /// Those that stand, and of the others the last one that somebody gave to somebody, where
    /// none of theirs stands: one that took another's place hides it.
    pub(super) fn shown(record: &mut Record) -> Vec<Self> {
        let all = Self::all(record);
        let hides = |other: &Self, share: &Self| {
            (other.issuer, other.audience) == (share.issuer, share.audience)
                && (other.is_active() || other.issued_ms > share.issued_ms)
        };
        let hidden: Vec<_> = all
            .iter()
            .map(|share| !share.is_active() && all.iter().any(|other| hides(other, share)))
            .collect();
        let shown = all.into_iter().zip(hidden);
        shown
            .filter_map(|(share, hidden)| (!hidden).then_some(share))
            .collect()
    }

    pub(super) fn id(&self) -> String {
        let first = self.grants.iter().map(|grant| grant.id).min();
        first.map_or_else(String::new, |id| id.to_string()[..12].to_owned())
    }

    pub(super) fn is_active(&self) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.state == GrantFate::Active)
    }

    /// Its grants that hold; where none does, all of them.
    fn counting(&self) -> Vec<&GrantState> {
        let holds = |grant: &&GrantState| grant.state == GrantFate::Active || !self.is_active();
        self.grants.iter().filter(holds).collect()
    }

    fn scopes(&self, with: Actions) -> Scopes {
        let rights = self.counting().into_iter().filter_map(|grant| {
            let right = grant.effective.as_ref()?;
            let does = right.actions.contains(with);
            does.then(|| (grant.label.clone(), right.sections.clone()))
        });
        rights.collect()
    }

    /// When the last of it ends; nothing where it is open-ended.
    fn until_ms(&self) -> Option<u64> {
        let rights = self.counting().into_iter();
        let ends = rights.filter_map(|grant| grant.effective.as_ref().map(|right| right.until_ms));
        let ends: Option<Vec<_>> = ends.collect();
        ends?.into_iter().max()
    }

    fn begins_ms(&self) -> u64 {
        let rights = self.counting().into_iter();
        let begins = rights.filter_map(|grant| grant.effective.as_ref().map(|right| right.from_ms));
        begins.min().unwrap_or(0)
    }

    fn state(&self, now: u64) -> &'static str {
        let fates = |fate| self.grants.iter().any(|grant| grant.state == fate);
        if self.is_active() {
            return if self.until_ms().is_some_and(|until| until <= now) {
                "ended"
            } else if self.begins_ms() > now {
                "not begun"
            } else {
                "active"
            };
        }
        if fates(GrantFate::Suspended) {
            // It goes on being served until somebody has decided.
            "stop to review"
        } else if fates(GrantFate::Lapsed) {
            "ended"
        } else if fates(GrantFate::Renounced) {
            "given back"
        } else {
            "stopped"
        }
    }
}

impl Node {
    pub(super) fn share_line(&self, record: RecordId, share: &Share) -> ShareLine {
        let own = self.identity.principal;
        let can = |actions| !share.scopes(actions).is_empty();
        let now = now_ms();
        let from_ms = share.begins_ms();
        let first = share.counting().into_iter().next();
        let basis = first.map_or(Basis::Consent, |grant| grant.grant.basis);
        let steps = share.counting().into_iter();
        let steps = steps.filter_map(|grant| grant.effective.as_ref().map(|right| right.depth));
        ShareLine {
            id: share.id(),
            who: share.audience.to_string(),
            name: self.name_of(share.audience),
            see: share.scopes(Actions::READ).to_string(),
            add: share.scopes(Actions::APPEND).to_string(),
            change: share.scopes(Actions::EDIT).to_string(),
            until: share.until_ms().map(show::time),
            state: share.state(now).to_owned(),
            record: record.to_string(),
            person: self
                .people
                .get(&record)
                .map_or_else(String::new, Known::banner),
            by: self.name_of(share.issuer),
            via: share.via.iter().map(|who| self.name_of(*who)).collect(),
            side: if share.audience == own {
                Side::WithUs
            } else if share.issuer == own {
                Side::FromUs
            } else {
                Side::BetweenOthers
            },
            from: (from_ms > now).then(|| show::time(from_ms)),
            share_on: if can(Actions::SHARE_ON) {
                steps.max().unwrap_or(0)
            } else {
                0
            },
            review: can(Actions::REVIEW),
            basis: said(basis),
        }
    }
}

/// Who passed a grant on: the audiences of those that it hangs on.
fn via(grants: &[GrantState], grant: &GrantState) -> Vec<PrincipalId> {
    let mut via: Vec<_> = above(grants, grant)
        .into_iter()
        .map(|above| above.grant.audience)
        .collect();
    via.reverse();
    via
}

/// The grants that one hangs on, the nearest first.
pub(super) fn above<'a>(grants: &'a [GrantState], grant: &GrantState) -> Vec<&'a GrantState> {
    let named = |id: EventId| grants.iter().find(|grant| grant.id == id);
    let mut above = Vec::new();
    let mut next = grant.grant.parent.and_then(named);
    // What is judged hangs on what came before it, so that this ends.
    while let Some(parent) = next {
        above.push(parent);
        next = parent.grant.parent.and_then(named);
    }
    above
}

/// A ground as people and programs see it.
pub(super) const fn said(basis: Basis) -> ShareBasis {
    match basis {
        Basis::Consent => ShareBasis::Consent,
        Basis::DirectCare => ShareBasis::Care,
        Basis::LegalDuty => ShareBasis::Legal,
    }
}
