//! B2: effective revocations, from the top downward.

use super::{Cover, Hurt, Model, Set, Step, View, Way};
use crate::{
    id::{DeviceId, EventId, PrincipalId},
    logs::{
        Act, CoreAct, LabelAct, PrincipalAct,
        record::{Link, Revoke},
    },
};

impl Model {
    pub(super) fn view(&self, set: &Set) -> View {
        let mut view = View {
            set: set.clone(),
            ..View::default()
        };
        let mut revokes: Vec<_> = set
            .iter()
            .filter_map(|id| Some((self.order(*id)?, *id)))
            .collect();
        revokes.sort_unstable();
        for (_, id) in revokes {
            let ways = self.ways.get(&id).cloned().unwrap_or_default();
            match self.state(&view, &ways, id) {
                Hurt::None => view.standing.insert(id),
                Hurt::Mark => view.suspended.insert(id),
                Hurt::Out => false,
            };
        }
        view
    }

    /// The revocations and ends that wait for the word of somebody above, and that nothing which
    /// stands has taken the place of.
    pub(in crate::consent) fn waiting(mut self) -> Set {
        self.find_whole();
        self.judge_events();
        let view = self.view(&self.valid.clone());
        let about = |id: &EventId| {
            let event = &self.events[&self.source(*id)];
            match &event.act {
                Act::Label(LabelAct::Revoke(revoke)) => Some((event.log.clone(), revoke.link)),
                Act::Principal(PrincipalAct::DeviceRetire { device, .. }) => {
                    Some((event.log.clone(), Link::Device(*device)))
                }
                Act::Principal(PrincipalAct::StaffEnd { staff, .. }) => {
                    Some((event.log.clone(), Link::Staff(*staff)))
                }
                Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
            }
        };
        let open = |id: &&EventId| {
            let of = about(id);
            let replaced = |other: &EventId| about(other) == of && self.replaces(*other, **id);
            of.is_some() && !view.standing.iter().any(replaced)
        };
        view.suspended.iter().filter(open).copied().collect()
    }

    /// Its place from the top; nothing for what is no revocation or lapse.
    pub(super) fn order(&self, id: EventId) -> Option<(u8, usize)> {
        let event = &self.events[&id];
        match &event.act {
            Act::Core(CoreAct::Recover { .. }) => Some((0, 0)),
            Act::Principal(PrincipalAct::DeviceRetire { .. } | PrincipalAct::StaffEnd { .. }) => {
                Some((1, self.level(event.author, event.device, &self.pasts[&id])))
            }
            Act::Label(LabelAct::Revoke(_) | LabelAct::Confirm { .. }) => {
                Some((2, event.grant.map_or(0, |grant| self.lineage(grant).len())))
            }
            Act::Label(LabelAct::Lapse { .. }) => Some((
                3,
                if self.is_upstream(id) {
                    event.grant.map_or(0, |grant| self.lineage(grant).len())
                } else {
                    usize::MAX
                },
            )),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
        }
    }

    pub(super) fn level(&self, who: PrincipalId, device: DeviceId, past: &Set) -> usize {
        if device == who.root_key() {
            return 0;
        }
        let certs = self.certificates(who, Link::Device(device), past);
        let level = |cert: &EventId| {
            let event = &self.events[cert];
            self.level(who, event.device, &self.pasts[cert]) + 1
        };
        certs.iter().map(level).min().unwrap_or(usize::MAX)
    }

    /// Standing (nothing against it), suspended or void.
    pub(super) fn state(&self, view: &View, ways: &[Way], id: EventId) -> Hurt {
        let under = |step: &Step| {
            let (hard, covering, soft, unsure) = self.hits(view, step);
            let stands = |by: &EventId| {
                !self.lists(*by).1.contains(&id)
                    && (self.pasts[by].contains(&id) || self.covers_event(*by, id) == Cover::Yes)
            };
            let waits = !soft.iter().all(stands);
            let hard_state = if hard.is_empty() {
                Hurt::None
            } else if unsure {
                if covering.iter().any(stands) {
                    Hurt::None
                } else {
                    Hurt::Mark
                }
            } else if hard.iter().any(|by| self.lists(*by).1.contains(&id)) {
                Hurt::Out
            } else if covering.iter().any(stands) {
                Hurt::None
            } else if hard.iter().any(|by| self.is_final(*by))
                && !covering
                    .iter()
                    .any(|by| self.covers_event(*by, id) == Cover::Unknown)
            {
                Hurt::Out
            } else {
                Hurt::Mark
            };
            hard_state.max(if waits { Hurt::Mark } else { Hurt::None })
        };
        let worst = |way: &Way| way.iter().map(under).max().unwrap_or(Hurt::None);
        ways.iter().map(worst).min().unwrap_or(Hurt::None)
    }

    /// The worst of the best way up.
    pub(super) fn worst(
        &self,
        view: &View,
        ways: &[Way],
        cover: &mut dyn FnMut(EventId) -> Cover,
    ) -> Hurt {
        let mut best = None;
        for way in ways {
            let mut worst = Hurt::None;
            for step in way {
                let (hard, covering, soft, unsure) = self.hits(view, step);
                if !hard.is_empty() {
                    let covered = covering.iter().map(|by| cover(*by)).max();
                    worst = worst.max(match covered.unwrap_or(Cover::No) {
                        Cover::Yes => Hurt::None,
                        Cover::Unknown => Hurt::Mark,
                        Cover::No if unsure => Hurt::Mark,
                        Cover::No => Hurt::Out,
                    });
                }
                if soft.iter().any(|by| cover(*by) != Cover::Yes) {
                    worst = worst.max(Hurt::Mark);
                }
            }
            best = Some(best.map_or(worst, |best: Hurt| best.min(worst)));
        }
        best.unwrap_or(Hurt::None)
    }

    /// What hits a link: effective revocations, those whose cuts unite, suspended ones, and
    /// whether it is unknown if the link itself was covered.
    pub(super) fn hits(
        &self,
        view: &View,
        step: &Step,
    ) -> (Vec<EventId>, Vec<EventId>, Vec<EventId>, bool) {
        let (concern, grants, signed): (Vec<EventId>, &[EventId], &[EventId]) = match step {
            Step::Grant(grant, below) => (self.revokes_of(view, Link::Grant(*grant)), below, &[]),
            Step::Certificate(cert, signed) => (self.ends_of(view, *cert), &[], signed),
            Step::Root(cert, grants) => {
                let after = |by: &EventId| by != cert && !self.pasts[cert].contains(by);
                let recovers = self.last_recovers(&view.set);
                (recovers.into_iter().filter(after).collect(), grants, &[])
            }
            Step::Actor(link, acting, signed, grants) => {
                let lineage = self.lineage(*acting);
                let above = |by: &EventId| match self.events[by].grant {
                    None => true,
                    Some(grant) => grant != *acting && lineage.contains(&grant),
                };
                let revokes = self.revokes_of(view, *link);
                (revokes.into_iter().filter(above).collect(), grants, signed)
            }
        };
        let standing: Vec<_> = concern
            .iter()
            .copied()
            .filter(|id| view.standing.contains(id))
            .collect();
        let stays = |id: &EventId| !standing.iter().any(|other| self.replaces(*other, *id));
        let covering: Vec<_> = standing.iter().copied().filter(stays).collect();
        let mut unsure = false;
        let mut hits = |id: &EventId| {
            let kept = grants.iter().any(|grant| self.lists(*id).0.contains(grant));
            let covered = signed
                .iter()
                .map(|link| self.covers_event(*id, *link))
                .max();
            let out = kept || covered == Some(Cover::Yes);
            unsure |= !out && covered == Some(Cover::Unknown);
            !out
        };
        let hard: Vec<_> = covering.iter().copied().filter(&mut hits).collect();
        let suspended = concern
            .iter()
            .copied()
            .filter(|id| view.suspended.contains(id));
        let soft: Vec<_> = suspended.filter(stays).filter(&mut hits).collect();
        (hard, covering, soft, unsure)
    }

    pub(super) fn revokes_of(&self, view: &View, link: Link) -> Vec<EventId> {
        let about = |id: &&EventId| match &self.events[&self.source(**id)].act {
            Act::Label(LabelAct::Revoke(revoke)) => revoke.link == link,
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => false,
        };
        view.set.iter().filter(about).copied().collect()
    }

    pub(super) fn ends_of(&self, view: &View, cert: EventId) -> Vec<EventId> {
        let of = &self.events[&cert];
        let ends = |id: &&EventId| {
            let event = &self.events[*id];
            let named = match (&event.act, &of.act) {
                (
                    Act::Principal(PrincipalAct::DeviceRetire { device, .. }),
                    Act::Principal(PrincipalAct::DeviceAdd { device: added, .. }),
                ) => device == added,
                (
                    Act::Principal(PrincipalAct::StaffEnd { staff, .. }),
                    Act::Principal(PrincipalAct::StaffAdd { staff: added, .. }),
                ) => staff == added,
                (Act::Principal(_) | Act::Core(_) | Act::Label(_), _) => false,
            };
            named
                && event.author == of.author
                && !self.pasts[&cert].contains(*id)
                && self.stands_above(event.device, cert)
        };
        view.set.iter().filter(ends).copied().collect()
    }

    /// A later one by the same or a higher issuer replaces what it had seen; a lower issuer who
    /// knew a higher cut adds nothing.
    pub(super) fn replaces(&self, other: EventId, id: EventId) -> bool {
        let rank = |id: EventId| self.order(id).map_or(usize::MAX, |(_, rank)| rank);
        let both = rank(other) == usize::MAX && rank(id) == usize::MAX;
        let fits = if both {
            self.events[&other].author == self.events[&id].author
        } else {
            rank(other) <= rank(id)
        };
        (self.pasts[&other].contains(&id) && fits)
            || (self.pasts[&id].contains(&other) && rank(other) < rank(id))
    }

    pub(super) fn source(&self, id: EventId) -> EventId {
        match &self.events[&id].act {
            Act::Label(LabelAct::Confirm { revocation }) => *revocation,
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => id,
        }
    }

    /// The keep and void lists of a revocation.
    pub(super) fn lists(&self, id: EventId) -> (&[EventId], &[EventId]) {
        match &self.events[&self.source(id)].act {
            Act::Label(LabelAct::Revoke(Revoke { keep, void, .. }))
            | Act::Core(CoreAct::Recover { keep, void, .. }) => (keep, void),
            Act::Principal(
                PrincipalAct::DeviceRetire { void, .. } | PrincipalAct::StaffEnd { void, .. },
            ) => (&[], void),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => (&[], &[]),
        }
    }

    pub(super) fn is_final(&self, id: EventId) -> bool {
        matches!(
            &self.events[&self.source(id)].act,
            Act::Label(LabelAct::Revoke(Revoke { is_final: true, .. }))
        )
    }
}
