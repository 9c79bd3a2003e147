//! A: which events are well formed in their own past.

use super::super::grant::Actions;
use super::{Cover, Hurt, Model, Set, View, Way};
use crate::{
    consent::approval::approvals,
    id::{DeviceId, EventId, PrincipalId},
    identity::agreed_to_act_for,
    limits::CHAIN_DEPTH_MAX,
    logs::{
        Act, CoreAct, Event, LabelAct, LogId, PrincipalAct,
        principal::RecoverySet,
        record::{Control, Link},
    },
};

impl Model {
    pub(super) fn judge_events(&mut self) {
        while self.judged.len() < self.whole.len() {
            for id in self.whole.clone() {
                let ready = self.pasts[&id].is_subset(&self.judged);
                if self.judged.contains(&id) || !ready {
                    continue;
                }
                if let Some(ways) = self.judge(id) {
                    self.valid.insert(id);
                    self.ways.insert(id, ways);
                }
                self.judged.insert(id);
            }
        }
    }

    /// A: every way up of a valid event; nothing for one that breaks a rule.
    pub(super) fn judge(&self, id: EventId) -> Option<Vec<Way>> {
        let (event, past) = (&self.events[&id], &self.pasts[&id]);
        (past.is_subset(&self.valid)).then_some(())?;
        self.in_place(id, event)?;
        let view = self.view(past);
        if let Act::Core(CoreAct::Recover { previous, .. }) = &event.act {
            let before = self.last_recovers(past);
            let follows = match previous {
                None => before.is_empty(),
                Some(previous) => before.contains(previous),
            };
            let sets = self.recovery_sets(&view);
            let agreed = sets
                .iter()
                .any(|set| set.needed > 0 && self.agreeing(event, set) >= set.needed.into());
            return (follows && agreed).then(Vec::new);
        }
        let terms = matches!(
            event.act,
            Act::Core(CoreAct::Policy { .. } | CoreAct::RecoverySet { .. })
        );
        let quorum = |set: &RecoverySet| {
            set.needed > 0 && self.agreeing(event, set) >= usize::from(set.needed)
        };
        if terms && self.recovery_sets(&view).iter().any(quorum) {
            return Some(Vec::new());
        }
        self.allowed(id, event, past, &view)?;
        let ways = self.ways_of(event, past, &view)?;
        (self.worst(&view, &ways, &mut |_| Cover::No) < Hurt::Out).then_some(ways)
    }

    pub(super) fn in_place(&self, id: EventId, event: &Event) -> Option<()> {
        let log = |id: &EventId| &self.events[id].log;
        let label = match &event.log {
            LogId::Label(_, label) => Some(label),
            LogId::Core(_) | LogId::Principal(_) => None,
        };
        let in_core = !matches!(event.log, LogId::Principal(_));
        let heads = &event.frontiers;
        (heads.core.is_empty() || in_core).then_some(())?;
        heads
            .core
            .iter()
            .all(|id| matches!(log(id), LogId::Core(_)))
            .then_some(())?;
        let same = |id: &EventId| matches!((log(id), label), (LogId::Label(_, of), Some(label)) if of == label);
        heads.label.iter().all(same).then_some(())?;
        let own = |id: &EventId| *log(id) == LogId::Principal(event.author);
        heads.principal.iter().all(own).then_some(())?;
        let genesis = EventId::from_bytes(*self.record?.as_bytes());
        let begun = match &event.log {
            LogId::Principal(_) => {
                matches!(event.act, Act::Principal(PrincipalAct::Begin { .. }))
                    == self.pasts[&id].is_empty()
            }
            LogId::Core(None) => id == genesis,
            LogId::Core(Some(_)) | LogId::Label(..) => self.pasts[&id].contains(&genesis),
        };
        begun.then_some(())?;
        match event.prev.map(|id| &self.events[&id]) {
            None => event.seq == 0,
            Some(prev) => {
                let log = prev.log == event.log
                    || (prev.log == LogId::Core(None) && matches!(event.log, LogId::Core(_)));
                log && prev.device == event.device && prev.seq + 1 == event.seq
            }
        }
        .then_some(())
    }

    /// Whether this author may do this, apart from what hits it.
    pub(super) fn allowed(
        &self,
        id: EventId,
        event: &Event,
        past: &Set,
        view: &View,
    ) -> Option<()> {
        match &event.act {
            Act::Principal(act) => self.allowed_in_own_log(event, act, past),
            Act::Core(act) => {
                let controls = || !self.controls(event.author, view).is_empty();
                match act {
                    CoreAct::Genesis { .. } => true,
                    CoreAct::Policy { .. } | CoreAct::RecoverySet { .. } => {
                        let sets = self.recovery_sets(view);
                        let nobody = sets.iter().all(|set| set.members.is_empty());
                        (nobody && controls())
                            || sets.iter().any(|set| {
                                let other = approvals(&event.act).iter().any(|approval| {
                                    approval.member != event.author
                                        && set.members.contains(&approval.member)
                                });
                                controls() && other && self.agreeing(event, set) > 0
                            })
                    }
                    CoreAct::Control(
                        Control::Add { controller, .. } | Control::HandOver { controller, .. },
                    ) => controls() && self.controls(*controller, view).is_empty(),
                    CoreAct::Control(Control::Leave) | CoreAct::SamePerson { .. } => controls(),
                    CoreAct::Recover { .. } | CoreAct::BreakGlass { .. } => false,
                }
                .then_some(())
            }
            Act::Label(act) => self.allowed_in_label(id, event, act, past),
        }
    }

    pub(super) fn allowed_in_own_log(
        &self,
        event: &Event,
        act: &PrincipalAct,
        past: &Set,
    ) -> Option<()> {
        let root = event.device == event.author.root_key();
        match act {
            PrincipalAct::Begin { .. } | PrincipalAct::RecoverySet(_) => root,
            PrincipalAct::DeviceAdd { device, proof } => {
                self.certificates(event.author, Link::Device(*device), past)
                    .is_empty()
                    && agreed_to_act_for(event.author, *device, event.device, proof)
            }
            PrincipalAct::StaffAdd { staff, .. } => self
                .certificates(event.author, Link::Staff(*staff), past)
                .is_empty(),
            PrincipalAct::DeviceRetire { device, .. } => {
                let certs = self.certificates(event.author, Link::Device(*device), past);
                certs
                    .iter()
                    .any(|cert| self.stands_above(event.device, *cert))
            }
            PrincipalAct::StaffEnd { staff, .. } => {
                let certs = self.certificates(event.author, Link::Staff(*staff), past);
                certs
                    .iter()
                    .any(|cert| self.stands_above(event.device, *cert))
            }
            PrincipalAct::KeyChange { .. } => false,
        }
        .then_some(())
    }

    pub(super) fn allowed_in_label(
        &self,
        id: EventId,
        event: &Event,
        act: &LabelAct,
        past: &Set,
    ) -> Option<()> {
        let lineage = event.grant.map(|grant| self.lineage(grant));
        match act {
            LabelAct::Grant(grant) => {
                (grant.parent == event.grant).then_some(())?;
                let Some(lineage) = lineage else {
                    return Some(());
                };
                let above: Vec<_> = lineage.iter().filter_map(|id| self.grant(*id)).collect();
                let share = above
                    .iter()
                    .all(|grant| grant.actions.contains(Actions::SHARE_ON));
                // Each may have so many below it, whatever they say themselves.
                let room = above
                    .iter()
                    .enumerate()
                    .all(|(below, grant)| usize::from(grant.depth) > below);
                (share && room && lineage.len() < CHAIN_DEPTH_MAX).then_some(())
            }
            LabelAct::Revoke(revoke) => self.may_revoke(event, revoke.link, past),
            LabelAct::Confirm { revocation } => match &self.events.get(revocation)?.act {
                Act::Label(LabelAct::Revoke(revoke)) => self.may_revoke(event, revoke.link, past),
                Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
            },
            LabelAct::Renounce { grant } => (event.grant == Some(*grant)).then_some(()),
            LabelAct::Lapse { grant, .. } => {
                let lapsed = self.grant(*grant)?;
                let ends = self.lineage(*grant);
                let ends = ends.iter().filter_map(|id| self.grant(*id)?.until_ms);
                (ends.min()? <= event.time_ms).then_some(())?;
                let named =
                    lapsed.custodians.contains(&event.author) && lapsed.audience != event.author;
                (self.is_upstream(id) || named).then_some(())
            }
        }
    }

    /// B.
    pub(super) fn may_revoke(&self, event: &Event, link: Link, past: &Set) -> Option<()> {
        match (link, event.grant) {
            (Link::Grant(grant), acting) => {
                (past.contains(&grant) && self.grant(grant).is_some()).then_some(())?;
                let lineage = self.lineage(grant);
                acting
                    .is_none_or(|acting| acting != grant && lineage.contains(&acting))
                    .then_some(())
            }
            (Link::Device(_) | Link::Staff(_), _) => Some(()),
            (Link::Root, _) => None,
        }
    }

    /// Whether a lapse is by an issuer upstream of the grant.
    pub(super) fn is_upstream(&self, lapse: EventId) -> bool {
        let event = &self.events[&lapse];
        let Act::Label(LabelAct::Lapse { grant, .. }) = &event.act else {
            return false;
        };
        match event.grant {
            Some(acting) => acting != *grant && self.lineage(*grant).contains(&acting),
            None => {
                let view = self.view(&self.pasts[&lapse]);
                !self.controls(event.author, &view).is_empty()
            }
        }
    }

    pub(super) fn grant(&self, id: EventId) -> Option<&super::super::grant::Grant> {
        match &self.events.get(&id)?.act {
            Act::Label(LabelAct::Grant(grant)) => Some(grant),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
        }
    }

    /// A grant and those that it narrows, up to a controller's.
    pub(super) fn lineage(&self, grant: EventId) -> Vec<EventId> {
        let above = |id: &EventId| self.grant(*id)?.parent;
        std::iter::successors(Some(grant), above).collect()
    }

    /// What certifies a device or member of staff in a set.
    pub(super) fn certificates(&self, of: PrincipalId, link: Link, set: &Set) -> Vec<EventId> {
        let certifies = |id: &&EventId| {
            let event = &self.events[*id];
            event.author == of
                && match &event.act {
                    Act::Principal(PrincipalAct::DeviceAdd { device, .. }) => {
                        link == Link::Device(*device)
                    }
                    Act::Principal(PrincipalAct::StaffAdd { staff, .. }) => {
                        link == Link::Staff(*staff)
                    }
                    Act::Principal(_) | Act::Core(_) | Act::Label(_) => false,
                }
        };
        set.iter().filter(certifies).copied().collect()
    }

    /// Whether a device is the root key, or added this certificate, or whoever did.
    pub(super) fn stands_above(&self, device: DeviceId, cert: EventId) -> bool {
        let event = &self.events[&cert];
        let parent = Link::Device(event.device);
        device == event.author.root_key()
            || device == event.device
            || self
                .certificates(event.author, parent, &self.pasts[&cert])
                .iter()
                .any(|cert| self.stands_above(device, *cert))
    }
}
