//! Which valid events concern what.

use std::collections::BTreeMap;

use kith_crdt::Label;

use super::{At, Authority, Standing};
use crate::{
    id::{DeviceId, PrincipalId, StaffId},
    logs::{Act, CoreAct, LabelAct, PrincipalAct, record::Control, record::Link},
};

/// Which valid events concern what.
#[derive(Clone, Debug, Default)]
pub(in crate::consent::ledger) struct Targets {
    pub(in crate::consent::ledger) device_certs: BTreeMap<(PrincipalId, DeviceId), Vec<At>>,
    pub(in crate::consent::ledger) staff_certs: BTreeMap<(PrincipalId, StaffId), Vec<At>>,
    pub(in crate::consent::ledger) root_certs: BTreeMap<PrincipalId, Vec<At>>,
    pub(in crate::consent::ledger) key_changes: BTreeMap<PrincipalId, Vec<At>>,
    /// DeviceRetire and StaffEnd.
    pub(in crate::consent::ledger) device_ends: BTreeMap<(PrincipalId, DeviceId), Vec<At>>,
    pub(in crate::consent::ledger) staff_ends: BTreeMap<(PrincipalId, StaffId), Vec<At>>,
    /// Revoke and Confirm in label logs.
    pub(in crate::consent::ledger) revokes: BTreeMap<(Label, Link), Vec<At>>,
    pub(in crate::consent::ledger) lapses: BTreeMap<At, Vec<At>>,
    pub(in crate::consent::ledger) renounces: BTreeMap<At, Vec<At>>,
    pub(in crate::consent::ledger) leaves: BTreeMap<PrincipalId, Vec<At>>,
    pub(in crate::consent::ledger) recovers: Vec<At>,
    pub(in crate::consent::ledger) policies: Vec<At>,
    pub(in crate::consent::ledger) recovery_sets: BTreeMap<Option<PrincipalId>, Vec<At>>,
    pub(in crate::consent::ledger) grants: Vec<At>,
}

impl Authority {
    /// Notes what a valid event concerns.
    pub(super) fn register(&mut self, at: At, standing: &Standing) {
        self.valid.insert(at);
        let known = &self.known[at];
        let (id, author) = (known.id, known.event.value().author);
        let event = known.event.clone();
        let targets = &mut self.targets;
        let mut effect = true;
        match &event.value().act {
            Act::Principal(PrincipalAct::DeviceAdd { device, .. }) => {
                push(&mut targets.device_certs, (author, *device), at);
                effect = false;
            }
            Act::Principal(PrincipalAct::StaffAdd { staff, .. }) => {
                push(&mut targets.staff_certs, (author, *staff), at);
                effect = false;
            }
            Act::Principal(PrincipalAct::DeviceRetire { device, .. }) => {
                push(&mut targets.device_ends, (author, *device), at);
            }
            Act::Principal(PrincipalAct::StaffEnd { staff, .. }) => {
                push(&mut targets.staff_ends, (author, *staff), at);
            }
            Act::Principal(PrincipalAct::KeyChange { .. }) => {
                push(&mut targets.key_changes, author, at);
            }
            Act::Principal(PrincipalAct::RecoverySet(_)) => {
                push(&mut targets.recovery_sets, Some(author), at);
                effect = false;
            }
            Act::Principal(PrincipalAct::Begin { .. }) | Act::Core(CoreAct::SamePerson { .. }) => {
                effect = false;
            }
            Act::Core(CoreAct::Genesis { controller, .. }) => {
                push(&mut targets.root_certs, *controller, at);
                push(&mut targets.recovery_sets, None, at);
                targets.policies.push(at);
                effect = false;
            }
            Act::Core(CoreAct::Policy { .. }) => targets.policies.push(at),
            Act::Core(CoreAct::RecoverySet { .. }) => push(&mut targets.recovery_sets, None, at),
            Act::Core(CoreAct::Control(Control::Add { controller, .. })) => {
                push(&mut targets.root_certs, *controller, at);
                effect = false;
            }
            Act::Core(CoreAct::Control(Control::HandOver { controller, .. })) => {
                push(&mut targets.root_certs, *controller, at);
                push(&mut targets.leaves, author, at);
            }
            Act::Core(CoreAct::Control(Control::Leave)) => push(&mut targets.leaves, author, at),
            Act::Core(CoreAct::Recover { controller, .. }) => {
                push(&mut targets.root_certs, *controller, at);
                targets.recovers.push(at);
            }
            Act::Core(CoreAct::BreakGlass { .. }) | Act::Label(LabelAct::Grant(_)) => {
                targets.grants.push(at);
                effect = false;
            }
            Act::Label(LabelAct::Revoke(revoke)) => {
                let label = standing.chain.label.clone();
                label.into_iter().for_each(|label| {
                    push(&mut targets.revokes, (label, revoke.link), at);
                });
            }
            Act::Label(LabelAct::Confirm { revocation }) => {
                let label = standing.chain.label.clone();
                let link = self.index.get(revocation).and_then(|confirmed| {
                    match &self.known[*confirmed].event.value().act {
                        Act::Label(LabelAct::Revoke(revoke)) => Some(revoke.link),
                        Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
                    }
                });
                if let (Some(label), Some(link)) = (label, link) {
                    push(&mut self.targets.revokes, (label, link), at);
                }
            }
            Act::Label(LabelAct::Lapse { grant, .. }) => {
                push(&mut self.targets.lapses, self.index[grant], at);
            }
            Act::Label(LabelAct::Renounce { grant }) => {
                push(&mut self.targets.renounces, self.index[grant], at);
            }
        }
        if effect {
            self.effects.insert(at);
        }
        debug_assert_eq!(self.known[at].id, id);
    }
}

fn push<K: Ord>(map: &mut BTreeMap<K, Vec<At>>, key: K, at: At) {
    map.entry(key).or_default().push(at);
}
