//! Who signed, and what that lets them do in a past.

use kith_crdt::Label;

use super::super::{
    authority::{Acting, At, Authority, Chain},
    past::Past,
};
use super::core_log::is_hard;
use crate::{
    consent::{grant::Actions, status::Fault},
    id::{DeviceId, EventId, PrincipalId, StaffId},
    logs::{Act, Event, PrincipalAct},
    planted::{self, Planted},
};

/// The right under which someone acts in a label.
pub(in crate::consent::ledger) fn acting(
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
pub(in crate::consent::ledger) fn renounced(a: &mut Authority, grant: At, past: &Past) -> bool {
    if planted::is(Planted::GivenBackServed) {
        return false;
    }
    let said = a.targets.renounces.get(&grant).cloned().unwrap_or_default();
    let said: Vec<_> = said.into_iter().filter(|at| past.contains(*at)).collect();
    a.in_view(past, |view, a| {
        said.iter().any(|at| !is_hard(view.ordinary(a, *at)))
    })
}

/// The events that make someone a controller in this past, and that neither a recovery nor their
/// own leaving ended.
pub(in crate::consent::ledger) fn controls(
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
        let left = |view: &mut super::super::view::View, cert: At| {
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
pub(in crate::consent::ledger) fn staff_may(
    a: &Authority,
    chain: &Chain,
    action: Actions,
) -> Result<(), Fault> {
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
pub(in crate::consent::ledger) fn signer(
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
    let certified = chain.by_root_key
        || !chain.device_certs.is_empty()
        || planted::is(Planted::DeviceUnchecked);
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

pub(super) fn level_of(a: &Authority, chain: &Chain) -> u32 {
    if chain.by_root_key {
        return 0;
    }
    let certs = chain.device_certs.iter();
    let levels = certs
        .filter_map(|at| a.standing(*at))
        .map(|standing| standing.level);
    levels.min().unwrap_or(0)
}

pub(super) fn signed_alone(event: &Event, acting: Acting) -> Chain {
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
    pub(in crate::consent::ledger) fn acting(
        mut self,
        acting: Acting,
        label: Option<Label>,
    ) -> Self {
        self.acting = acting;
        self.label = label;
        self
    }
}
