//! Which devices act for a principal, by its log alone.

use std::collections::BTreeSet;

use crate::{
    id::{DeviceId, PrincipalId},
    identity::agreed_to_act_for,
    logs::{Act, Event, LogId, PrincipalAct},
    signed::Verified,
};

/// Whether a principal's log, as far as it is here, adds `device` and does not retire it: what a
/// stranger who pairs can show. Entries are judged by the status rule, not by this.
pub fn certifies(log: &[Verified<Event>], principal: PrincipalId, device: DeviceId) -> bool {
    certified(log, principal).contains(&device)
}

/// Every device that a principal's log, as far as it is here, adds and does not retire.
pub fn certified(log: &[Verified<Event>], principal: PrincipalId) -> BTreeSet<DeviceId> {
    let acts = || {
        log.iter().filter_map(|event| {
            let value = event.value();
            match &value.act {
                Act::Principal(act) if value.log == LogId::Principal(principal) => {
                    Some((value.device, act))
                }
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
            }
        })
    };
    let mut certified = BTreeSet::from([principal.root_key()]);
    loop {
        let added: Vec<_> = acts()
            .filter_map(|(signer, act)| match act {
                PrincipalAct::DeviceAdd { device, proof } => {
                    let agreed = agreed_to_act_for(principal, *device, signer, proof);
                    (certified.contains(&signer) && agreed).then_some(*device)
                }
                PrincipalAct::Begin { .. }
                | PrincipalAct::DeviceRetire { .. }
                | PrincipalAct::StaffAdd { .. }
                | PrincipalAct::StaffEnd { .. }
                | PrincipalAct::KeyChange { .. }
                | PrincipalAct::RecoverySet(_) => None,
            })
            .filter(|device| !certified.contains(device))
            .collect();
        if added.is_empty() {
            break;
        }
        certified.extend(added);
    }
    let retired: BTreeSet<_> = acts()
        .filter_map(|(signer, act)| match act {
            PrincipalAct::DeviceRetire { device, .. } => {
                certified.contains(&signer).then_some(*device)
            }
            PrincipalAct::Begin { .. }
            | PrincipalAct::DeviceAdd { .. }
            | PrincipalAct::StaffAdd { .. }
            | PrincipalAct::StaffEnd { .. }
            | PrincipalAct::KeyChange { .. }
            | PrincipalAct::RecoverySet(_) => None,
        })
        .collect();
    certified.difference(&retired).copied().collect()
}
