//! What somebody who does not control a record may share on of it.

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::{Effective, GrantFate, GrantState, grant::Actions},
    id::{EventId, PrincipalId},
    record::Record,
};

use super::{
    giving::{Terms, day},
    scopes::Scopes,
};

/// The rights that somebody may share on: they hold, and leave at least one step.
pub(super) struct Held {
    rights: Vec<(GrantState, Effective)>,
}

impl Held {
    pub(super) fn of(record: &mut Record, who: PrincipalId, now: u64) -> Self {
        let grants = record.ledger().grants().into_iter();
        let own =
            grants.filter(|grant| grant.grant.audience == who && grant.state == GrantFate::Active);
        let rights = own.filter_map(|grant| {
            let right = grant.effective.clone()?;
            let goes_on = right.actions.contains(Actions::SHARE_ON) && right.depth > 0;
            let stands = right.until_ms.is_none_or(|until| until > now);
            (goes_on && stands).then_some((grant, right))
        });
        Self {
            rights: rights.collect(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rights.is_empty()
    }

    /// The right under which a section can be given on these terms: of several the one that lasts
    /// longest.
    pub(super) fn under(
        &self,
        label: &Label,
        section: Section,
        actions: Actions,
        terms: &Terms,
    ) -> Option<EventId> {
        let fits = |(grant, right): &&(GrantState, Effective)| {
            grant.label == *label
                && right.sections.contains(&section)
                && right.actions.contains(actions)
                && right.until_ms.is_none_or(|until| terms.until_ms <= until)
                && terms.from_ms.is_none_or(|from| right.from_ms <= from)
                && terms.share_on < right.depth
        };
        let fitting = self.rights.iter().filter(fits);
        let longest = |(_, right): &&(GrantState, Effective)| right.until_ms.unwrap_or(u64::MAX);
        fitting.max_by_key(longest).map(|(grant, _)| grant.id)
    }

    /// What may be shared on, for people.
    pub(super) fn allowed(&self) -> String {
        let with = |actions: Actions| -> Scopes {
            let rights = self.rights.iter();
            let rights = rights.filter(|(_, right)| right.actions.contains(actions));
            rights
                .map(|(grant, right)| (grant.label.clone(), right.sections.clone()))
                .collect()
        };
        let (see, add) = (
            with(Actions::READ),
            with(Actions::READ.union(Actions::APPEND)),
        );
        let mut said = format!("You may share on what they see: {see}");
        if !add.is_empty() {
            said += &format!("; what they add to: {add}");
        }
        let change = with(Actions::READ.union(Actions::EDIT));
        if !change.is_empty() {
            said += &format!("; what they change: {change}");
        }
        let ends = self.rights.iter().map(|(_, right)| right.until_ms);
        if let Some(end) = ends
            .clone()
            .flatten()
            .max()
            .filter(|_| ends.clone().all(|end| end.is_some()))
        {
            said += &format!("; until {}", day(end.saturating_sub(1)));
        }
        let steps = self.rights.iter().map(|(_, right)| right.depth).max();
        match steps.unwrap_or(1) {
            0 | 1 => said += "; they may not share it on further",
            steps => said += &format!("; and they on over {} more", steps - 1),
        }
        let review = self
            .rights
            .iter()
            .any(|(_, right)| right.actions.contains(Actions::REVIEW));
        said += if review { "." } else { "; without --review." };
        said
    }
}
