//! Acts in a record's core log: control, recovery, policy, emergencies.

use std::collections::BTreeSet;

use super::super::{
    authority::{Acting, At, Authority, Right, Standing},
    past::Past,
};
use super::signer::{controls, signed_alone, signer};
use crate::{
    consent::{
        approval::{approvals, proves_emergency_secret},
        grant::{Actions, Purposes},
        status::{Cause, Fault},
    },
    id::{DeviceId, EventId, PrincipalId},
    logs::{
        Act, CoreAct, Event, PrincipalAct,
        principal::RecoverySet,
        record::{Control, Policy},
    },
};

/// The shortest and longest emergency, in milliseconds.
const EMERGENCY_MS: std::ops::RangeInclusive<u64> = 4 * 3_600_000..=24 * 3_600_000;

pub(super) fn core_act(
    a: &mut Authority,
    at: At,
    event: &Event,
    act: &CoreAct,
    past: &Past,
) -> Result<Standing, Fault> {
    if event.grant.is_some() {
        return Err(Fault::Sense);
    }
    if let CoreAct::Recover { previous, .. } = act {
        return recover(a, at, event, *previous, past);
    }
    let signer = signer(a, event.author, event.device, event.staff, past)?;
    let mut right = None;
    let acting = match act {
        CoreAct::Genesis {
            controller,
            recovery,
            ..
        } => {
            if *controller != event.author || !fits(recovery) {
                return Err(Fault::Sense);
            }
            Acting::Own
        }
        CoreAct::Recover { .. } => Acting::Quorum,
        CoreAct::Policy { .. } => changed_terms(a, at, event, past)?,
        CoreAct::RecoverySet { set, .. } => {
            fits(set).then_some(()).ok_or(Fault::Sense)?;
            changed_terms(a, at, event, past)?
        }
        CoreAct::Control(
            Control::Add { controller, .. } | Control::HandOver { controller, .. },
        ) => {
            let acting = Acting::Root(controls(a, event.author, past)?);
            if controls(a, *controller, past).is_ok() {
                return Err(Fault::Sense);
            }
            acting
        }
        CoreAct::Control(Control::Leave) | CoreAct::SamePerson { .. } => {
            Acting::Root(controls(a, event.author, past)?)
        }
        CoreAct::BreakGlass { .. } => {
            right = Some(emergency(a, at, event, act, past)?);
            Acting::Root(vec![at])
        }
    };
    Ok(Standing {
        chain: signer.acting(acting, None),
        right,
        level: 0,
        rank: 0,
    })
}

/// Policy and recovery set: a controller together with one member, or the quorum; a controller
/// alone while there is no recovery set.
fn changed_terms(a: &mut Authority, at: At, event: &Event, past: &Past) -> Result<Acting, Fault> {
    let sets = recovery_sets(a, None, past);
    if sets.iter().any(|set| quorum(a, at, set)) {
        return Ok(Acting::Quorum);
    }
    let certs = controls(a, event.author, past)?;
    if sets.iter().all(|set| set.members.is_empty()) {
        // Nobody is there who could agree: so begins every record, and so a first set comes to be.
        return Ok(Acting::Root(certs));
    }
    let agreed = |set: &RecoverySet| {
        let members = approving(a, at, set);
        members.iter().any(|member| *member != event.author)
    };
    if sets.iter().any(agreed) {
        Ok(Acting::Root(certs))
    } else {
        Err(Fault::Quorum)
    }
}

fn recover(
    a: &mut Authority,
    at: At,
    event: &Event,
    previous: Option<EventId>,
    past: &Past,
) -> Result<Standing, Fault> {
    let before = a.in_view(past, |view, a| view.recoveries(a));
    let follows = match previous {
        None => before.is_empty(),
        Some(previous) => before.iter().any(|at| a.id(*at) == previous),
    };
    if !follows {
        return Err(Fault::Sense);
    }
    let sets = recovery_sets(a, None, past);
    if !sets.iter().any(|set| quorum(a, at, set)) {
        return Err(Fault::Quorum);
    }
    Ok(Standing {
        chain: signed_alone(event, Acting::Quorum),
        right: None,
        level: 0,
        rank: 0,
    })
}

pub(super) fn fits(set: &RecoverySet) -> bool {
    let members = set.members.len();
    let ascends = set.members.windows(2).all(|pair| pair[0] < pair[1]);
    let needed = usize::from(set.needed);
    ascends && (members == 0 || (needed * 2 > members && needed <= members))
}

/// The latest recovery sets of the record, or of a principal, that count in this past.
pub(super) fn recovery_sets(
    a: &mut Authority,
    of: Option<PrincipalId>,
    past: &Past,
) -> Vec<RecoverySet> {
    let all = a.targets.recovery_sets.get(&of).cloned();
    latest(a, all.unwrap_or_default(), past)
        .into_iter()
        .filter_map(|at| match &a.event(at).act {
            Act::Core(
                CoreAct::Genesis { recovery: set, .. } | CoreAct::RecoverySet { set, .. },
            )
            | Act::Principal(PrincipalAct::RecoverySet(set)) => Some(set.clone()),
            Act::Core(_) | Act::Principal(_) | Act::Label(_) => None,
        })
        .collect()
}

/// Those that count in this past and that no other of them has seen.
pub(in crate::consent::ledger) fn latest(a: &mut Authority, all: Vec<At>, past: &Past) -> Vec<At> {
    let held: Vec<_> = all.into_iter().filter(|at| past.contains(*at)).collect();
    let counts: Vec<_> = a.in_view(past, |view, a| {
        let counts = |at: &At| is_genesis(a, *at) || !is_hard(view.ordinary(a, *at));
        held.into_iter().filter(counts).collect()
    });
    let last = |at: &At| !counts.iter().any(|later| a.saw(*later, *at));
    counts.iter().copied().filter(last).collect()
}

fn is_genesis(a: &Authority, at: At) -> bool {
    matches!(a.event(at).act, Act::Core(CoreAct::Genesis { .. }))
}

pub(super) fn is_hard(cause: Option<Cause>) -> bool {
    cause.is_some_and(Cause::is_hard)
}

pub(super) fn quorum(a: &Authority, at: At, set: &RecoverySet) -> bool {
    set.needed > 0 && approving(a, at, set).len() >= usize::from(set.needed)
}

/// The members of a set who approved an act with a device that its frontier certifies, or that an
/// approval of a change of key shows by itself.
fn approving(a: &Authority, at: At, set: &RecoverySet) -> BTreeSet<PrincipalId> {
    let known = &a.known[at];
    let act = &known.event.value().act;
    let is_key_change = matches!(act, Act::Principal(PrincipalAct::KeyChange { .. }));
    let given = approvals(act).iter().zip(&known.approved);
    given
        .filter(|(approval, signed)| **signed && set.members.contains(&approval.member))
        .filter(|(approval, _)| {
            if is_key_change && !approval.certificates.is_empty() {
                return approval.is_certified(0);
            }
            let mut seen = Past::default();
            for head in approval.principal_frontier.iter().filter_map(|id| a.at(id)) {
                seen.insert(head);
                if let Some(past) = a.past(head) {
                    seen.unite(past);
                }
            }
            let certified = signer_unended(a, approval.member, approval.device, &seen);
            certified
                && approval
                    .principal_frontier
                    .iter()
                    .all(|id| a.at(id).is_some())
        })
        .map(|(approval, _)| approval.member)
        .collect()
}

/// Whether a device was certified and not retired in what a frontier names.
fn signer_unended(a: &Authority, member: PrincipalId, device: DeviceId, seen: &Past) -> bool {
    let Ok(signer) = signer(a, member, device, None, seen) else {
        return false;
    };
    let ends = a.targets.device_ends.get(&(member, device));
    let ended = ends.into_iter().flatten().any(|end| seen.contains(*end));
    signer.by_root_key || !ended
}

fn emergency(
    a: &mut Authority,
    at: At,
    event: &Event,
    act: &CoreAct,
    past: &Past,
) -> Result<Right, Fault> {
    let CoreAct::BreakGlass {
        until_ms,
        secret_proof,
        sections,
        ..
    } = act
    else {
        return Err(Fault::Sense);
    };
    if !EMERGENCY_MS.contains(&until_ms.saturating_sub(event.time_ms)) {
        return Err(Fault::Sense);
    }
    let record = a.record;
    let opens = |policy: &Policy| {
        let proven = match (policy.emergency_secret, secret_proof) {
            (Some(public), Some(proof)) => proves_emergency_secret(public, record, event, proof),
            (None, _) | (_, None) => false,
        };
        proven || policy.emergency.contains(&event.author)
    };
    let labels: BTreeSet<_> = policies(a, past)
        .into_iter()
        .filter(opens)
        .flat_map(|policy| policy.emergency_labels)
        .collect();
    if labels.is_empty() {
        return Err(Fault::Control);
    }
    Ok(Right {
        audience: event.author,
        labels: labels.into_iter().collect(),
        sections: sections.iter().copied().collect(),
        actions: Actions::READ.union(Actions::APPEND),
        purposes: Purposes::EMERGENCY,
        from_ms: event.time_ms,
        until_ms: Some(*until_ms),
        depth: 0,
        lineage: vec![at],
        late: false,
    })
}

/// The latest policies that count in this past.
pub(in crate::consent::ledger) fn policies(a: &mut Authority, past: &Past) -> Vec<Policy> {
    let all = a.targets.policies.clone();
    latest(a, all, past)
        .into_iter()
        .filter_map(|at| match &a.event(at).act {
            Act::Core(CoreAct::Genesis { policy, .. } | CoreAct::Policy { policy, .. }) => {
                Some(policy.clone())
            }
            Act::Core(_) | Act::Principal(_) | Act::Label(_) => None,
        })
        .collect()
}
