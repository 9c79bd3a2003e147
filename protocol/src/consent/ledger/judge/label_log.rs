//! Acts in a label's log: who gives a right, takes it, or says that it has passed.

use kith_crdt::Label;

use super::super::{
    authority::{Acting, At, Authority, Chain, Right, Standing},
    past::Past,
    view::CUSTODIAN,
};
use super::signer::{acting, signer, staff_may};
use crate::{
    consent::{
        grant::{Actions, Grant},
        status::Fault,
    },
    id::EventId,
    limits::CHAIN_DEPTH_MAX,
    logs::{Act, Event, LabelAct, LogId, record::Link},
    planted::{self, Planted},
};

pub(super) fn label_act(
    a: &mut Authority,
    event: &Event,
    act: &LabelAct,
    at: At,
    past: &Past,
) -> Result<Standing, Fault> {
    let LogId::Label(_, label) = &event.log else {
        return Err(Fault::Elsewhere);
    };
    let signer = signer(a, event.author, event.device, event.staff, past)?;
    if let LabelAct::Lapse { grant, .. } = act {
        return lapse(a, event, signer, *grant, label, past);
    }
    let acting = acting(a, event.author, event.grant, label, past)?;
    let rank = rank_of(a, &acting);
    let chain = signer.acting(acting, Some(label.clone()));
    let right = match act {
        LabelAct::Grant(grant) => {
            staff_may(a, &chain, Actions::SHARE_ON)?;
            Some(granted(a, at, event, grant, &chain, label)?)
        }
        LabelAct::Revoke(revoke) => {
            may_revoke(a, &chain, revoke.link, label, past)?;
            None
        }
        LabelAct::Confirm { revocation } => {
            let confirmed = a.at(revocation).ok_or(Fault::Sense)?;
            match &a.event(confirmed).act {
                Act::Label(LabelAct::Revoke(revoke)) if a.event(confirmed).log == event.log => {
                    may_revoke(a, &chain, revoke.link, label, past)?;
                }
                Act::Label(_) | Act::Core(_) | Act::Principal(_) => return Err(Fault::Sense),
            }
            None
        }
        LabelAct::Renounce { grant } => {
            if event.grant != Some(*grant) {
                return Err(Fault::Sense);
            }
            None
        }
        LabelAct::Lapse { .. } => None,
    };
    Ok(Standing {
        chain,
        right,
        level: 0,
        rank,
    })
}

/// A grant narrows what it hangs on: the right is the intersection along the chain.
fn granted(
    a: &Authority,
    at: At,
    event: &Event,
    grant: &Grant,
    chain: &Chain,
    label: &Label,
) -> Result<Right, Fault> {
    if grant.parent != event.grant || !grant.actions.is_known() {
        return Err(Fault::Sense);
    }
    let own = Right {
        audience: grant.audience,
        labels: vec![label.clone()],
        sections: grant.sections.iter().copied().collect(),
        actions: grant.actions,
        purposes: grant.purposes,
        from_ms: grant.from_ms,
        until_ms: grant.until_ms,
        depth: grant.depth.min(7),
        lineage: vec![at],
        late: false,
    };
    let Acting::Grant(parent) = chain.acting else {
        return Ok(own);
    };
    let above = a.right(parent).ok_or(Fault::Grant)?;
    if !above.actions.contains(Actions::SHARE_ON) {
        return Err(Fault::Scope);
    }
    if above.depth == 0 || above.lineage.len() >= CHAIN_DEPTH_MAX {
        return Err(Fault::Depth);
    }
    if planted::is(Planted::AttenuationIgnored) {
        let Right { lineage, .. } = narrowed(own.clone(), above, event.time_ms);
        return Ok(Right { lineage, ..own });
    }
    Ok(narrowed(own, above, event.time_ms))
}

fn narrowed(own: Right, above: &Right, issued_ms: u64) -> Right {
    let mut lineage = own.lineage;
    lineage.extend(&above.lineage);
    Right {
        audience: own.audience,
        labels: own.labels,
        sections: own
            .sections
            .intersection(&above.sections)
            .copied()
            .collect(),
        actions: own.actions.intersection(above.actions),
        purposes: own.purposes.intersection(above.purposes),
        from_ms: own.from_ms.max(above.from_ms),
        until_ms: match (own.until_ms, above.until_ms) {
            (Some(own), Some(above)) => Some(own.min(above)),
            (own, above) => own.or(above),
        },
        depth: own.depth.min(above.depth - 1),
        lineage,
        late: above.late || above.until_ms.is_some_and(|until| issued_ms > until),
    }
}

/// B: only a strict ancestor, or a controller, revokes a grant; only someone upstream stops a
/// device or member of staff here.
pub(in crate::consent::ledger) fn may_revoke(
    a: &Authority,
    chain: &Chain,
    link: Link,
    label: &Label,
    past: &Past,
) -> Result<(), Fault> {
    match link {
        Link::Grant(id) => {
            let grant = a.at(&id).ok_or(Fault::Sense)?;
            let right = a.right(grant).ok_or(Fault::Sense)?;
            if !right.labels.contains(label) || !past.contains(grant) {
                return Err(Fault::Sense);
            }
            match chain.acting {
                Acting::Root(_) => Ok(()),
                _ if planted::is(Planted::StoppedByAnyone) => Ok(()),
                Acting::Grant(above) if above != grant && right.lineage.contains(&above) => Ok(()),
                Acting::Grant(_) | Acting::Own | Acting::Quorum => Err(Fault::NotAbove),
            }
        }
        Link::Device(_) | Link::Staff(_) => Ok(()),
        Link::Root => Err(Fault::NotAbove),
    }
}

fn lapse(
    a: &mut Authority,
    event: &Event,
    signer: Chain,
    grant: EventId,
    label: &Label,
    past: &Past,
) -> Result<Standing, Fault> {
    let lapsed = a.at(&grant).ok_or(Fault::Sense)?;
    let right = a.right(lapsed).ok_or(Fault::Sense)?.clone();
    if !right.labels.contains(label) || right.until_ms.is_none_or(|end| event.time_ms < end) {
        return Err(Fault::Sense);
    }
    let custodian = match &a.event(lapsed).act {
        Act::Label(LabelAct::Grant(grant)) => {
            grant.custodians.contains(&event.author) && grant.audience != event.author
        }
        Act::Label(_) | Act::Core(_) | Act::Principal(_) => false,
    };
    let acting = acting(a, event.author, event.grant, label, past);
    let upstream = match &acting {
        Ok(Acting::Root(_)) => true,
        Ok(Acting::Grant(above)) => *above != lapsed && right.lineage.contains(above),
        Ok(Acting::Own | Acting::Quorum) | Err(_) => false,
    };
    let (acting, rank) = match acting {
        Ok(acting) if upstream => {
            let rank = rank_of(a, &acting);
            (acting, rank)
        }
        Ok(acting) if custodian => (acting, CUSTODIAN),
        Err(_) if custodian && event.grant.is_none() => (Acting::Own, CUSTODIAN),
        Ok(_) => return Err(Fault::NotAbove),
        Err(fault) => return Err(fault),
    };
    Ok(Standing {
        chain: signer.acting(acting, Some(label.clone())),
        right: None,
        level: 0,
        rank,
    })
}

/// How far from the top an issuer acts: a controller at 0.
fn rank_of(a: &Authority, acting: &Acting) -> u32 {
    match acting {
        Acting::Grant(grant) => a.right(*grant).map_or(CUSTODIAN, |right| {
            u32::try_from(right.lineage.len()).unwrap_or(CUSTODIAN)
        }),
        Acting::Root(_) | Acting::Own | Acting::Quorum => 0,
    }
}
