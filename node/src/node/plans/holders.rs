//! Who has the plan that stands, as far as this node can tell.

use std::collections::BTreeMap;

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::{GrantFate, grant::Actions},
    id::PrincipalId,
    record::Record,
    store::{JournalPosition, StoreError},
};

use super::HeldPlan;
use crate::{
    api::{HasIt, PlanHolder},
    failure::Failure,
    node::{
        Node,
        identity::{RowKind, read_row},
        now_ms,
        peers::{Peer, Steps},
        show,
    },
};

/// What gives somebody plans: up to which place of the journal it came in, and until when it holds.
#[derive(Clone, Copy)]
struct Right {
    since: Option<JournalPosition>,
    until_ms: Option<u64>,
    controls: bool,
}

impl Node {
    /// Everyone with whom plans are shared, and whether they have those that stand.
    pub(super) fn plan_holders(
        &self,
        record: &mut Record,
        standing: &[&HeldPlan],
    ) -> Result<Vec<PlanHolder>, Failure> {
        let labels: Vec<_> = standing
            .iter()
            .map(|plan| plan.placed.document.label.clone())
            .collect();
        let mut came = None;
        for plan in standing {
            let at = plan
                .entry
                .map(|entry| self.store.position_of_entry(&entry))
                .transpose()?;
            came = came.max(at.flatten());
        }
        let rights = self.rights_to_plans(record, &labels)?;
        let mut holders = Vec::new();
        for (who, right) in rights {
            let (has_it, since) = self.has_plan(who, right, came, standing.is_empty())?;
            let since = since.map(show::time);
            holders.push(PlanHolder {
                who: who.to_string(),
                name: self.name_of(who),
                controls: right.controls,
                is_us: who == self.identity.principal,
                has_it,
                says: says(has_it, since.as_deref()),
                since,
                until: right.until_ms.map(show::time),
            });
        }
        holders.sort_by_key(|holder| (!holder.controls, holder.name.clone()));
        Ok(holders)
    }

    fn rights_to_plans(
        &self,
        record: &mut Record,
        labels: &[Label],
    ) -> Result<BTreeMap<PrincipalId, Right>, StoreError> {
        let now = now_ms();
        let mut rights: BTreeMap<PrincipalId, Right> = BTreeMap::new();
        for grant in record.ledger().grants() {
            let Some(right) = grant.effective.as_ref() else {
                continue;
            };
            let covers = grant.state == GrantFate::Active
                && right.sections.contains(&Section::Plans)
                && right.actions.contains(Actions::READ)
                && right.until_ms.is_none_or(|until| until > now)
                && (labels.is_empty() || labels.contains(&grant.label));
            if !covers {
                continue;
            }
            let at = self.store.position_of_event(&grant.id)?;
            let until_ms = right.until_ms;
            let new = Right {
                since: at,
                until_ms,
                controls: false,
            };
            let known = rights.entry(grant.grant.audience).or_insert(new);
            // All of its labels together: what is not there yet came with the last of them.
            known.since = known.since.max(at);
            known.until_ms = known.until_ms.min(until_ms).or(known.until_ms).or(until_ms);
        }
        for who in record.ledger().controllers() {
            rights.insert(
                who,
                Right {
                    since: None,
                    until_ms: None,
                    controls: true,
                },
            );
        }
        Ok(rights)
    }

    /// Whether somebody's node said that it has everything up to the plan, and since when.
    fn has_plan(
        &self,
        who: PrincipalId,
        right: Right,
        came: Option<JournalPosition>,
        no_plan: bool,
    ) -> Result<(HasIt, Option<u64>), StoreError> {
        if no_plan {
            return Ok((HasIt::NoPlan, None));
        }
        if who == self.identity.principal {
            return Ok((HasIt::Confirmed, None));
        }
        let peer: Option<Peer> = read_row(&self.store, RowKind::Peers, who.as_bytes())?;
        let (Some(peer), Some(came)) = (peer, came) else {
            return Ok((HasIt::NotKnownHere, None));
        };
        let wanted = right.since.map_or(came, |since| since.max(came));
        if self
            .had_through(&peer)?
            .is_none_or(|through| through < wanted)
        {
            return Ok((HasIt::NotYet, None));
        }
        let steps: Option<Steps> = read_row(&self.store, RowKind::Steps, peer.device.as_bytes())?;
        let since = steps.and_then(|steps| steps.reached(wanted));
        Ok((HasIt::Confirmed, since))
    }
}

fn says(has_it: HasIt, since: Option<&str>) -> String {
    match (has_it, since) {
        (HasIt::Confirmed, Some(since)) => format!("has it, confirmed by {since}"),
        (HasIt::Confirmed, None) => "has it".to_owned(),
        (HasIt::NotYet, _) => "has not confirmed it yet".to_owned(),
        (HasIt::NotKnownHere, _) => {
            "not known here: this node does not speak with theirs".to_owned()
        }
        (HasIt::NoPlan, _) => "there is no plan to have".to_owned(),
    }
}
