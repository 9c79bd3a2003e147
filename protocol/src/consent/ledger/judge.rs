//! Whether an event is well formed in its own past (A): judged once, from what its author had
//! seen, and never again.

use std::collections::BTreeSet;

use kith_crdt::Label;

use super::{
    authority::{Acting, At, Authority, Chain, Right, Standing},
    past::Past,
    view::{CUSTODIAN, signer_is_above},
};
use crate::{
    consent::{
        approval::{approvals, proves_emergency_secret},
        grant::{Actions, Grant, Purposes},
        status::Fault,
    },
    id::{DeviceId, EventId, PrincipalId, StaffId},
    limits::CHAIN_DEPTH_MAX,
    logs::{
        Act, CoreAct, Event, LabelAct, LogId, PrincipalAct,
        principal::RecoverySet,
        record::{Control, Link, Policy},
    },
};

/// The shortest and longest emergency, in milliseconds.
const EMERGENCY_MS: std::ops::RangeInclusive<u64> = 4 * 3_600_000..=24 * 3_600_000;

/// Judges an event whose named events are all valid.
pub(super) fn event(a: &mut Authority, at: At, past: &Past) -> Result<Standing, Fault> {
    place(a, at)?;
    link(a, at)?;
    if !a.known[at].sound {
        return Err(Fault::Proof);
    }
    begun(a, at, past)?;
    let standing = act(a, at, past)?;
    unhit(a, past, &standing.chain)?;
    Ok(standing)
}

/// The frontiers name heads of the logs that they say, of this record and this author.
fn place(a: &Authority, at: At) -> Result<(), Fault> {
    let event = a.event(at);
    let own = match &event.log {
        LogId::Principal(_) => event.frontiers.core.is_empty() && event.frontiers.label.is_empty(),
        LogId::Core(None) => event.frontiers.core.is_empty() && event.frontiers.label.is_empty(),
        LogId::Core(Some(record)) => *record == a.record && event.frontiers.label.is_empty(),
        LogId::Label(record, _) => *record == a.record,
    };
    let label = match &event.log {
        LogId::Label(_, label) => Some(label),
        LogId::Principal(_) | LogId::Core(_) => None,
    };
    if own && frontiers_fit(a, &event.frontiers, event.author, label) {
        Ok(())
    } else {
        Err(Fault::Elsewhere)
    }
}

/// Whether every head stands in the log that it is said to stand in.
pub(super) fn frontiers_fit(
    a: &Authority,
    frontiers: &crate::logs::Frontiers,
    author: PrincipalId,
    label: Option<&Label>,
) -> bool {
    let log = |id: &EventId| a.at(id).map(|at| &a.event(at).log);
    let core = |id: &EventId| matches!(log(id), Some(LogId::Core(_)));
    let in_label = |id: &EventId| matches!((log(id), label), (Some(LogId::Label(_, of)), Some(label)) if of == label);
    let own = |id: &EventId| matches!(log(id), Some(LogId::Principal(of)) if *of == author);
    frontiers.core.iter().all(core)
        && frontiers.label.iter().all(in_label)
        && frontiers.principal.iter().all(own)
}

fn link(a: &Authority, at: At) -> Result<(), Fault> {
    let event = a.event(at);
    let fits = match event.prev.and_then(|id| a.at(&id)) {
        None => event.seq == 0,
        Some(prev) => {
            let prev = a.event(prev);
            let log = prev.log == event.log
                || (prev.log == LogId::Core(None) && event.log == LogId::Core(Some(a.record)));
            log && prev.device == event.device && prev.seq.checked_add(1) == Some(event.seq)
        }
    };
    fits.then_some(()).ok_or(Fault::Chain)
}

/// Everything in a record follows its Genesis, everything of a principal its Begin.
fn begun(a: &Authority, at: At, past: &Past) -> Result<(), Fault> {
    let event = a.event(at);
    let genesis = EventId::from_bytes(*a.record.as_bytes());
    let fits = match &event.log {
        LogId::Principal(_) => {
            let begins = matches!(event.act, Act::Principal(PrincipalAct::Begin { .. }));
            begins == (past.iter().next().is_none())
        }
        LogId::Core(None) => a.id(at) == genesis,
        LogId::Core(Some(_)) | LogId::Label(..) => {
            a.at(&genesis).is_some_and(|genesis| past.contains(genesis))
        }
    };
    fits.then_some(()).ok_or(Fault::Elsewhere)
}

/// No revocation that is effective in the author's view hits the author's chain.
pub(super) fn unhit(a: &mut Authority, past: &Past, chain: &Chain) -> Result<(), Fault> {
    use super::need::Coverage;
    use crate::consent::status::Cause;
    let cause = a.in_view(past, |view, a| {
        let need = view.need(a, chain);
        need.weigh(&|at| a.id(at), &mut |_| Coverage::Uncovered)
    });
    match cause {
        Some(Cause::Revoked(by)) => Err(Fault::Revoked(by)),
        Some(
            Cause::AfterEnd
            | Cause::PartMissing(_)
            | Cause::LapseAlone(_)
            | Cause::Suspended(_)
            | Cause::Ancestor
            | Cause::Lapsed(_)
            | Cause::Orphan(_),
        )
        | None => Ok(()),
    }
}

fn act(a: &mut Authority, at: At, past: &Past) -> Result<Standing, Fault> {
    let event = a.event(at).clone();
    match &event.act {
        Act::Principal(act) => principal_act(a, at, &event, act, past),
        Act::Core(act) => core_act(a, at, &event, act, past),
        Act::Label(act) => label_act(a, &event, act, at, past),
    }
}

fn principal_act(
    a: &mut Authority,
    at: At,
    event: &Event,
    act: &PrincipalAct,
    past: &Past,
) -> Result<Standing, Fault> {
    if event.grant.is_some() || event.staff.is_some() {
        return Err(Fault::Sense);
    }
    if let PrincipalAct::KeyChange { approvals, .. } = act
        && !approvals.is_empty()
    {
        return lost_key(a, at, event, past);
    }
    let chain = signer(a, event.author, event.device, None, past)?.acting(Acting::Own, None);
    let level = level_of(a, &chain);
    let root_only = || chain.by_root_key.then_some(()).ok_or(Fault::NotAbove);
    match act {
        PrincipalAct::Begin { .. } | PrincipalAct::RecoverySet(_) => root_only()?,
        PrincipalAct::KeyChange { .. } => root_only()?,
        PrincipalAct::DeviceAdd { device, .. } => {
            let certs = a.targets.device_certs.get(&(event.author, *device));
            if certs.into_iter().flatten().any(|cert| past.contains(*cert)) {
                return Err(Fault::Sense);
            }
        }
        PrincipalAct::StaffAdd { staff, .. } => {
            let certs = a.targets.staff_certs.get(&(event.author, *staff));
            if certs.into_iter().flatten().any(|cert| past.contains(*cert)) {
                return Err(Fault::Sense);
            }
        }
        PrincipalAct::DeviceRetire { device, .. } => {
            let certs = a.targets.device_certs.get(&(event.author, *device));
            above_one(a, &chain, certs, past)?;
        }
        PrincipalAct::StaffEnd { staff, .. } => {
            let certs = a.targets.staff_certs.get(&(event.author, *staff));
            above_one(a, &chain, certs, past)?;
        }
    }
    Ok(Standing {
        chain,
        right: None,
        level: level + 1,
        rank: level,
    })
}

/// A root key replaced by the recovery set of its principal, which is why the new key signs.
fn lost_key(a: &mut Authority, at: At, event: &Event, past: &Past) -> Result<Standing, Fault> {
    let sets = recovery_sets(a, Some(event.author), past);
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

fn above_one(
    a: &Authority,
    chain: &Chain,
    certs: Option<&Vec<At>>,
    past: &Past,
) -> Result<(), Fault> {
    let known: Vec<_> = certs
        .into_iter()
        .flatten()
        .filter(|cert| past.contains(**cert))
        .collect();
    if known.is_empty() {
        Err(Fault::Sense)
    } else if known.iter().any(|cert| signer_is_above(a, chain, **cert)) {
        Ok(())
    } else {
        Err(Fault::NotAbove)
    }
}

fn core_act(
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

/// Policy and recovery set: a controller together with one member, or the quorum.
fn changed_terms(a: &mut Authority, at: At, event: &Event, past: &Past) -> Result<Acting, Fault> {
    let sets = recovery_sets(a, None, past);
    if sets.iter().any(|set| quorum(a, at, set)) {
        return Ok(Acting::Quorum);
    }
    let certs = controls(a, event.author, past)?;
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

fn fits(set: &RecoverySet) -> bool {
    let members = set.members.len();
    let ascends = set.members.windows(2).all(|pair| pair[0] < pair[1]);
    let needed = usize::from(set.needed);
    ascends && (members == 0 || (needed * 2 > members && needed <= members))
}

/// The latest recovery sets of the record, or of a principal, that count in this past.
fn recovery_sets(a: &mut Authority, of: Option<PrincipalId>, past: &Past) -> Vec<RecoverySet> {
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
pub(super) fn latest(a: &mut Authority, all: Vec<At>, past: &Past) -> Vec<At> {
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

fn is_hard(cause: Option<crate::consent::status::Cause>) -> bool {
    cause.is_some_and(crate::consent::status::Cause::is_hard)
}

fn quorum(a: &Authority, at: At, set: &RecoverySet) -> bool {
    set.needed > 0 && approving(a, at, set).len() >= usize::from(set.needed)
}

/// The members of a set who approved an act with a device that its frontier certifies.
fn approving(a: &Authority, at: At, set: &RecoverySet) -> BTreeSet<PrincipalId> {
    let known = &a.known[at];
    let given = approvals(&known.event.act).iter().zip(&known.approved);
    given
        .filter(|(approval, signed)| **signed && set.members.contains(&approval.member))
        .filter(|(approval, _)| {
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
pub(super) fn policies(a: &mut Authority, past: &Past) -> Vec<Policy> {
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

fn label_act(
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
pub(super) fn may_revoke(
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

/// The right under which someone acts in a label.
pub(super) fn acting(
    a: &mut Authority,
    author: PrincipalId,
    grant: Option<EventId>,
    label: &Label,
    past: &Past,
) -> Result<Acting, Fault> {
    let Some(id) = grant else {
        return Ok(Acting::Root(controls(a, author, past)?));
    };
    let at = a
        .at(&id)
        .filter(|at| past.contains(*at))
        .ok_or(Fault::Grant)?;
    let right = a.right(at).ok_or(Fault::Grant)?;
    if right.audience != author || !right.labels.contains(label) {
        return Err(Fault::Grant);
    }
    if renounced(a, at, past) {
        return Err(Fault::Renounced);
    }
    Ok(Acting::Grant(at))
}

/// Whether the audience has given a grant back in this past.
pub(super) fn renounced(a: &mut Authority, grant: At, past: &Past) -> bool {
    let said = a.targets.renounces.get(&grant).cloned().unwrap_or_default();
    let said: Vec<_> = said.into_iter().filter(|at| past.contains(*at)).collect();
    a.in_view(past, |view, a| {
        said.iter().any(|at| !is_hard(view.ordinary(a, *at)))
    })
}

/// The events that make someone a controller in this past, and that neither a recovery nor their
/// own leaving ended.
pub(super) fn controls(
    a: &mut Authority,
    author: PrincipalId,
    past: &Past,
) -> Result<Vec<At>, Fault> {
    let held = |all: Option<&Vec<At>>| -> Vec<At> {
        let all = all.into_iter().flatten().copied();
        all.filter(|at| past.contains(*at)).collect()
    };
    let certs = held(a.targets.root_certs.get(&author));
    let leaves = held(a.targets.leaves.get(&author));
    a.in_view(past, |view, a| {
        let left = |view: &mut super::view::View, cert: At| {
            let after = leaves.iter().filter(|leave| a.saw(**leave, cert));
            after
                .copied()
                .any(|leave| !is_hard(view.ordinary(a, leave)))
        };
        let alive: Vec<_> = certs
            .into_iter()
            .filter(|cert| !is_hard(view.controller(a, *cert)) && !left(view, *cert))
            .collect();
        if alive.is_empty() {
            Err(Fault::Control)
        } else {
            Ok(alive)
        }
    })
}

/// Whether the staff who signed may do this; always, where no member of staff signed.
pub(super) fn staff_may(a: &Authority, chain: &Chain, action: Actions) -> Result<(), Fault> {
    let may = |cert: &At| match &a.event(*cert).act {
        Act::Principal(PrincipalAct::StaffAdd { may, .. }) => may.contains(action),
        Act::Principal(_) | Act::Core(_) | Act::Label(_) => false,
    };
    if chain.staff.is_none() || chain.staff_certs.iter().any(may) {
        Ok(())
    } else {
        Err(Fault::Scope)
    }
}

/// The keys that are a principal's root in this past.
fn root_keys(a: &Authority, principal: PrincipalId, past: &Past) -> Vec<DeviceId> {
    let changes = a.targets.key_changes.get(&principal);
    let held: Vec<_> = changes
        .into_iter()
        .flatten()
        .filter(|at| past.contains(**at))
        .collect();
    if held.is_empty() {
        return vec![principal.root_key()];
    }
    let last = |at: &&&At| !held.iter().any(|later| a.saw(**later, ***at));
    held.iter()
        .filter(last)
        .filter_map(|at| match &a.event(**at).act {
            Act::Principal(PrincipalAct::KeyChange { key, .. }) => Some(DeviceId::from_bytes(*key)),
            Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
        })
        .collect()
}

/// Who signed, as far as this past certifies it.
pub(super) fn signer(
    a: &Authority,
    principal: PrincipalId,
    device: DeviceId,
    staff: Option<StaffId>,
    past: &Past,
) -> Result<Chain, Fault> {
    let held = |all: Option<&Vec<At>>| -> Vec<At> {
        let all = all.into_iter().flatten().copied();
        all.filter(|at| past.contains(*at)).collect()
    };
    let mut chain = Chain {
        principal,
        device,
        staff,
        device_certs: Vec::new(),
        staff_certs: Vec::new(),
        by_root_key: root_keys(a, principal, past).contains(&device),
        acting: Acting::Own,
        label: None,
    };
    if !chain.by_root_key {
        chain.device_certs = nearest(a, held(a.targets.device_certs.get(&(principal, device))));
    }
    let certified = chain.by_root_key || !chain.device_certs.is_empty();
    let Some(staff) = staff else {
        return certified.then_some(chain).ok_or(Fault::Device);
    };
    let fits = |cert: &At| match &a.event(*cert).act {
        Act::Principal(PrincipalAct::StaffAdd { device: own, .. }) => {
            own.map_or(certified, |own| own == device)
        }
        Act::Principal(_) | Act::Core(_) | Act::Label(_) => false,
    };
    let certs = held(a.targets.staff_certs.get(&(principal, staff)));
    chain.staff_certs = nearest(a, certs.into_iter().filter(fits).collect());
    let own_device = |cert: &At| {
        matches!(
            &a.event(*cert).act,
            Act::Principal(PrincipalAct::StaffAdd {
                device: Some(_),
                ..
            })
        )
    };
    if chain.staff_certs.iter().any(own_device) {
        chain.device_certs.clear();
        chain.by_root_key = false;
    }
    if chain.staff_certs.is_empty() {
        Err(Fault::Staff)
    } else {
        Ok(chain)
    }
}

/// The certificates nearest to the root key: whoever certifies a device again further down gains
/// no power over it.
fn nearest(a: &Authority, certs: Vec<At>) -> Vec<At> {
    let level = |at: &At| a.standing(*at).map_or(u32::MAX, |standing| standing.level);
    let least = certs.iter().map(level).min();
    certs
        .into_iter()
        .filter(|at| Some(level(at)) == least)
        .collect()
}

fn level_of(a: &Authority, chain: &Chain) -> u32 {
    if chain.by_root_key {
        return 0;
    }
    let certs = chain.device_certs.iter();
    let levels = certs
        .filter_map(|at| a.standing(*at))
        .map(|standing| standing.level);
    levels.min().unwrap_or(0)
}

fn signed_alone(event: &Event, acting: Acting) -> Chain {
    Chain {
        principal: event.author,
        device: event.device,
        staff: None,
        device_certs: Vec::new(),
        staff_certs: Vec::new(),
        by_root_key: false,
        acting,
        label: None,
    }
}

impl Chain {
    pub(super) fn acting(mut self, acting: Acting, label: Option<Label>) -> Self {
        self.acting = acting;
        self.label = label;
        self
    }
}
