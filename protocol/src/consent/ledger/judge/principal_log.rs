//! Acts in a principal's own log.

use super::super::{
    authority::{Acting, At, Authority, Chain, Standing},
    past::Past,
    view::signer_is_above,
};
use super::{
    core_log::{quorum, recovery_sets},
    signer::{level_of, signed_alone, signer},
};
use crate::{
    consent::status::Fault,
    logs::{Event, PrincipalAct},
};

pub(super) fn principal_act(
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
