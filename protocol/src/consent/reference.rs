//! The rule once more, slow and plain: from a set of events, parts and entries to the status of
//! each entry, in the order of the text. Nothing is kept between questions but the answers about
//! pasts, which never change. It knows nothing of the ledger and serves to check it.
//!
//! Lost root keys and emergencies are left out: stories cover them.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};

use super::{
    ContentFacts,
    cut::{CustodianWord, Custody, Cut, CutPart, CutPlace, PartProof, ProvenPart},
    grant::Actions,
};
use crate::{
    consent::approval::{approval_subject, approvals},
    envelope::{Content, Header},
    id::{DeviceId, EnvelopeId, EventId, PrincipalId, RecordId, StaffId},
    identity::agreed_to_act_for,
    limits::CHAIN_DEPTH_MAX,
    logs::{
        Act, CoreAct, Event, LabelAct, LogId, PrincipalAct,
        principal::RecoverySet,
        record::{Control, Link, Revoke},
    },
};

type Set = BTreeSet<EventId>;

/// What the model says of an entry: the status without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Accepted,
    Marked,
    Contested,
    Invalid,
    Pending,
    Unreadable,
}

/// How bad something is: nothing, a mark, or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hurt {
    None,
    Mark,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    No,
    Unknown,
    Yes,
}

/// One link of one way up.
#[derive(Clone, Debug)]
enum Step {
    /// A grant, with the grants below it on this chain.
    Grant(EventId, Vec<EventId>),
    /// A certificate of a device or member of staff, with what hangs on its signature.
    Certificate(EventId, Vec<EventId>),
    /// A controller's certificate, with the grants of this chain.
    Root(EventId, Vec<EventId>),
    /// A device or member of staff that acted under a grant: for upstream issuers to stop.
    Actor(Link, EventId, Vec<EventId>, Vec<EventId>),
}

/// One way from a signature up to a controller.
type Way = Vec<Step>;

/// A set of things held.
#[derive(Default)]
pub(super) struct Model {
    record: Option<RecordId>,
    events: BTreeMap<EventId, Event>,
    parts: BTreeMap<EventId, BTreeSet<CutPart>>,
    /// Parts that someone signed as a custodian, whoever that is.
    words: BTreeSet<(EventId, CutPart, CustodianWord)>,
    entries: BTreeMap<EnvelopeId, (Header, ContentFacts)>,
    pasts: BTreeMap<EventId, Set>,
    valid: Set,
    judged: Set,
    /// Of valid events: every way up.
    ways: BTreeMap<EventId, Vec<Way>>,
    whole: Set,
}

/// Which revocations of a set stand and which are suspended.
#[derive(Default)]
struct View {
    set: Set,
    standing: Set,
    suspended: Set,
}

impl Model {
    pub(super) fn new(record: RecordId) -> Self {
        Self {
            record: Some(record),
            ..Self::default()
        }
    }

    pub(super) fn event(&mut self, id: EventId, event: &Event) {
        self.events.insert(id, event.clone());
    }

    pub(super) fn part(&mut self, part: &ProvenPart) {
        match &part.proof {
            PartProof::Issuer(_) => {
                let parts = self.parts.entry(part.revocation).or_default();
                parts.insert(part.part.clone());
            }
            PartProof::Custodian(word) => {
                let word = (part.revocation, part.part.clone(), word.clone());
                self.words.insert(word);
            }
        }
    }

    pub(super) fn entry(&mut self, id: EnvelopeId, header: &Header, facts: &ContentFacts) {
        self.entries.insert(id, (header.clone(), facts.clone()));
    }

    /// Every entry's status.
    pub(super) fn statuses(mut self) -> BTreeMap<EnvelopeId, Plain> {
        self.find_whole();
        self.judge_events();
        self.hear_custodians();
        let documents: BTreeSet<_> = self
            .entries
            .values()
            .map(|(header, _)| header.document.clone())
            .collect();
        let mut statuses = BTreeMap::new();
        for document in documents {
            statuses.extend(self.document(&document));
        }
        statuses
    }

    fn named(event: &Event) -> Vec<EventId> {
        let mut named: Vec<_> = event.frontiers.iter().copied().collect();
        named.extend(event.prev.iter().chain(&event.grant));
        for approval in approvals(&event.act) {
            named.extend(&approval.principal_frontier);
        }
        match &event.act {
            Act::Core(CoreAct::Recover { previous, .. }) => named.extend(previous),
            Act::Label(LabelAct::Grant(grant)) => named.extend(grant.parent),
            Act::Label(LabelAct::Revoke(Revoke {
                link: Link::Grant(grant),
                ..
            }))
            | Act::Label(LabelAct::Renounce { grant } | LabelAct::Lapse { grant, .. }) => {
                named.push(*grant);
            }
            Act::Label(LabelAct::Confirm { revocation }) => named.push(*revocation),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => {}
        }
        named
    }

    /// Events whose whole past is held, and their pasts.
    fn find_whole(&mut self) {
        loop {
            let before = self.whole.len();
            for (id, event) in &self.events {
                let named = Self::named(event);
                if !self.whole.contains(id) && named.iter().all(|id| self.whole.contains(id)) {
                    let mut past: Set = named.iter().copied().collect();
                    for id in &named {
                        past.extend(&self.pasts[id]);
                    }
                    self.pasts.insert(*id, past);
                    self.whole.insert(*id);
                }
            }
            if self.whole.len() == before {
                return;
            }
        }
    }

    fn judge_events(&mut self) {
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
    fn judge(&self, id: EventId) -> Option<Vec<Way>> {
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
                .any(|set| self.agreeing(event, set) >= set.needed.into());
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

    fn in_place(&self, id: EventId, event: &Event) -> Option<()> {
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
    fn allowed(&self, id: EventId, event: &Event, past: &Set, view: &View) -> Option<()> {
        match &event.act {
            Act::Principal(act) => self.allowed_in_own_log(event, act, past),
            Act::Core(act) => {
                let controls = || !self.controls(event.author, view).is_empty();
                match act {
                    CoreAct::Genesis { .. } => true,
                    CoreAct::Policy { .. } | CoreAct::RecoverySet { .. } => {
                        self.recovery_sets(view).iter().any(|set| {
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

    fn allowed_in_own_log(&self, event: &Event, act: &PrincipalAct, past: &Set) -> Option<()> {
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

    fn allowed_in_label(
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
    fn may_revoke(&self, event: &Event, link: Link, past: &Set) -> Option<()> {
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
    fn is_upstream(&self, lapse: EventId) -> bool {
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

    fn grant(&self, id: EventId) -> Option<&super::grant::Grant> {
        match &self.events.get(&id)?.act {
            Act::Label(LabelAct::Grant(grant)) => Some(grant),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
        }
    }

    /// A grant and those that it narrows, up to a controller's.
    fn lineage(&self, grant: EventId) -> Vec<EventId> {
        let above = |id: &EventId| self.grant(*id)?.parent;
        std::iter::successors(Some(grant), above).collect()
    }

    /// What certifies a device or member of staff in a set.
    fn certificates(&self, of: PrincipalId, link: Link, set: &Set) -> Vec<EventId> {
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
    fn stands_above(&self, device: DeviceId, cert: EventId) -> bool {
        let event = &self.events[&cert];
        let parent = Link::Device(event.device);
        device == event.author.root_key()
            || device == event.device
            || self
                .certificates(event.author, parent, &self.pasts[&cert])
                .iter()
                .any(|cert| self.stands_above(device, *cert))
    }

    fn last_recovers(&self, set: &Set) -> Vec<EventId> {
        let recovers = set
            .iter()
            .filter(|id| matches!(self.events[*id].act, Act::Core(CoreAct::Recover { .. })));
        let recovers: Vec<_> = recovers.copied().collect();
        let last = |id: &EventId| !recovers.iter().any(|later| self.pasts[later].contains(id));
        recovers.iter().copied().filter(last).collect()
    }

    fn recovery_sets(&self, view: &View) -> Vec<RecoverySet> {
        let sets = view.set.iter().filter(|id| {
            let genesis = matches!(self.events[*id].act, Act::Core(CoreAct::Genesis { .. }));
            let set = matches!(self.events[*id].act, Act::Core(CoreAct::RecoverySet { .. }));
            genesis || (set && self.counts(**id, view))
        });
        let sets: Vec<_> = sets.copied().collect();
        let last = |id: &&EventId| !sets.iter().any(|later| self.pasts[later].contains(*id));
        let content = |id: &EventId| match &self.events[id].act {
            Act::Core(
                CoreAct::Genesis { recovery: set, .. } | CoreAct::RecoverySet { set, .. },
            ) => Some(set.clone()),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => None,
        };
        sets.iter().filter(last).filter_map(content).collect()
    }

    fn agreeing(&self, event: &Event, set: &RecoverySet) -> usize {
        let subject = approval_subject(&event.log, &event.frontiers, &event.act);
        let good = approvals(&event.act)
            .iter()
            .filter(|approval| set.members.contains(&approval.member) && approval.signs(subject));
        let members: BTreeSet<_> = good.map(|approval| approval.member).collect();
        members.len()
    }

    /// Whether an event that is no revocation counts in a view.
    fn counts(&self, id: EventId, view: &View) -> bool {
        let ways = self.ways.get(&id).cloned().unwrap_or_default();
        let mut cover = |revoke: EventId| self.covers_event(revoke, id);
        self.worst(view, &ways, &mut cover) < Hurt::Out
    }

    /// The events by which someone controls the record in a view.
    fn controls(&self, who: PrincipalId, view: &View) -> Vec<EventId> {
        let makes = |id: &&EventId| match &self.events[*id].act {
            Act::Core(
                CoreAct::Genesis { controller, .. }
                | CoreAct::Recover { controller, .. }
                | CoreAct::Control(
                    Control::Add { controller, .. } | Control::HandOver { controller, .. },
                ),
            ) => *controller == who,
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => false,
        };
        let leaves = |id: &&EventId| {
            let event = &self.events[*id];
            let left = matches!(
                event.act,
                Act::Core(CoreAct::Control(Control::Leave | Control::HandOver { .. }))
            );
            left && event.author == who && self.counts(**id, view)
        };
        let left: Vec<_> = view.set.iter().filter(leaves).copied().collect();
        view.set
            .iter()
            .filter(makes)
            .copied()
            .filter(|cert| !left.iter().any(|leave| self.pasts[leave].contains(cert)))
            .filter(|cert| {
                let ways = self.ways_to_root(*cert, &[]);
                self.worst(view, &ways, &mut |_| Cover::No) < Hurt::Out
            })
            .collect()
    }

    /// Every way up from something signed.
    fn ways_of(&self, event: &Event, past: &Set, view: &View) -> Option<Vec<Way>> {
        let custodian = matches!(event.act, Act::Label(LabelAct::Lapse { .. }));
        let actor = self.ways_of_actor((event.author, event.device, event.staff), past, &[])?;
        let above = match &event.log {
            LogId::Principal(_) | LogId::Core(None) => vec![Vec::new()],
            LogId::Core(Some(_)) => self.ways_as_controller(event.author, view)?,
            LogId::Label(_, label) => {
                match self.ways_acting(
                    event.author,
                    event.device,
                    event.staff,
                    event.grant,
                    label,
                    view,
                ) {
                    Some(ways) => ways,
                    None if custodian && event.grant.is_none() => vec![Vec::new()],
                    None => return None,
                }
            }
        };
        Some(product(&actor, &above))
    }

    fn ways_as_controller(&self, who: PrincipalId, view: &View) -> Option<Vec<Way>> {
        let certs = self.controls(who, view);
        let ways = certs.iter().flat_map(|cert| self.ways_to_root(*cert, &[]));
        (!certs.is_empty()).then(|| ways.collect())
    }

    fn ways_acting(
        &self,
        who: PrincipalId,
        device: DeviceId,
        staff: Option<StaffId>,
        grant: Option<EventId>,
        label: &Label,
        view: &View,
    ) -> Option<Vec<Way>> {
        let Some(grant) = grant else {
            return self.ways_as_controller(who, view);
        };
        let in_label = matches!(&self.events.get(&grant)?.log, LogId::Label(_, of) if of == label);
        let audience = self.grant(grant)?.audience;
        let renounced = view.set.iter().any(|id| {
            matches!(&self.events[id].act, Act::Label(LabelAct::Renounce { grant: of }) if *of == grant)
                && self.counts(*id, view)
        });
        if !in_label || audience != who || !view.set.contains(&grant) || renounced {
            return None;
        }
        let grants = self.lineage(grant);
        let mut own = vec![Step::Actor(
            Link::Device(device),
            grant,
            Vec::new(),
            grants.clone(),
        )];
        own.extend(staff.map(|staff| Step::Actor(Link::Staff(staff), grant, Vec::new(), grants)));
        Some(product(&[own], &self.ways_up(grant)))
    }

    /// Every way from a grant up to a controller.
    fn ways_up(&self, grant: EventId) -> Vec<Way> {
        let lineage = self.lineage(grant);
        let mut ways: Vec<Way> = vec![Vec::new()];
        for (height, link) in lineage.iter().enumerate() {
            let (event, past) = (&self.events[link], &self.pasts[link]);
            let grants = lineage[..=height].to_vec();
            let mut own = vec![Step::Grant(*link, lineage[..height].to_vec())];
            if let Some(parent) = event.grant {
                let actor = |link_| Step::Actor(link_, parent, vec![*link], grants.clone());
                own.push(actor(Link::Device(event.device)));
                own.extend(event.staff.map(|staff| actor(Link::Staff(staff))));
            }
            ways = product(&ways, &[own]);
            let signer = (event.author, event.device, event.staff);
            let actor = self.ways_of_actor(signer, past, &[*link]);
            ways = product(&ways, &actor.unwrap_or_default());
            if event.grant.is_none() {
                let view = self.view(past);
                let certs = self.controls(event.author, &view);
                let roots: Vec<_> = certs
                    .iter()
                    .flat_map(|cert| self.ways_to_root(*cert, &grants))
                    .collect();
                ways = product(&ways, &roots);
            }
        }
        ways
    }

    fn ways_to_root(&self, cert: EventId, grants: &[EventId]) -> Vec<Way> {
        let event = &self.events[&cert];
        let own = vec![vec![Step::Root(cert, grants.to_vec())]];
        if matches!(
            event.act,
            Act::Core(CoreAct::Genesis { .. } | CoreAct::Recover { .. })
        ) {
            return own;
        }
        let past = &self.pasts[&cert];
        let signer = (event.author, event.device, event.staff);
        let actor = self
            .ways_of_actor(signer, past, &[cert])
            .unwrap_or_default();
        let view = self.view(past);
        let above: Vec<_> = self
            .controls(event.author, &view)
            .iter()
            .flat_map(|cert| self.ways_to_root(*cert, grants))
            .collect();
        product(&product(&own, &actor), &above)
    }

    /// Every way from a signer up its tree of devices.
    fn ways_of_actor(
        &self,
        (who, device, staff): (PrincipalId, DeviceId, Option<StaffId>),
        past: &Set,
        signed: &[EventId],
    ) -> Option<Vec<Way>> {
        let mut ways = Vec::new();
        if device == who.root_key() {
            ways.push(Vec::new());
        }
        for cert in self.certificates(who, Link::Device(device), past) {
            ways.extend(self.ways_from(cert, signed));
        }
        if let Some(staff) = staff {
            let certs = self.certificates(who, Link::Staff(staff), past);
            let staffed: Vec<_> = certs
                .into_iter()
                .flat_map(|cert| self.ways_from(cert, signed))
                .collect();
            ways = product(&ways, &staffed);
        }
        (!ways.is_empty()).then_some(ways)
    }

    fn ways_from(&self, cert: EventId, signed: &[EventId]) -> Vec<Way> {
        let own = vec![vec![Step::Certificate(cert, signed.to_vec())]];
        let event = &self.events[&cert];
        let mut signed = signed.to_vec();
        signed.push(cert);
        let signer = (event.author, event.device, None);
        let above = self.ways_of_actor(signer, &self.pasts[&cert], &signed);
        product(&own, &above.unwrap_or_default())
    }

    // B2: effective revocations, from the top downward.

    fn view(&self, set: &Set) -> View {
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

    /// Its place from the top; nothing for what is no revocation or lapse.
    fn order(&self, id: EventId) -> Option<(u8, usize)> {
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

    fn level(&self, who: PrincipalId, device: DeviceId, past: &Set) -> usize {
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
    fn state(&self, view: &View, ways: &[Way], id: EventId) -> Hurt {
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
    fn worst(&self, view: &View, ways: &[Way], cover: &mut dyn FnMut(EventId) -> Cover) -> Hurt {
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
    fn hits(&self, view: &View, step: &Step) -> (Vec<EventId>, Vec<EventId>, Vec<EventId>, bool) {
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

    fn revokes_of(&self, view: &View, link: Link) -> Vec<EventId> {
        let about = |id: &&EventId| match &self.events[&self.source(**id)].act {
            Act::Label(LabelAct::Revoke(revoke)) => revoke.link == link,
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => false,
        };
        view.set.iter().filter(about).copied().collect()
    }

    fn ends_of(&self, view: &View, cert: EventId) -> Vec<EventId> {
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
    fn replaces(&self, other: EventId, id: EventId) -> bool {
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

    fn source(&self, id: EventId) -> EventId {
        match &self.events[&id].act {
            Act::Label(LabelAct::Confirm { revocation }) => *revocation,
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => id,
        }
    }

    /// The keep and void lists of a revocation.
    fn lists(&self, id: EventId) -> (&[EventId], &[EventId]) {
        match &self.events[&self.source(id)].act {
            Act::Label(LabelAct::Revoke(Revoke { keep, void, .. }))
            | Act::Core(CoreAct::Recover { keep, void, .. }) => (keep, void),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => (&[], &[]),
        }
    }

    fn is_final(&self, id: EventId) -> bool {
        matches!(
            &self.events[&self.source(id)].act,
            Act::Label(LabelAct::Revoke(Revoke { is_final: true, .. }))
        )
    }

    fn cut_of(&self, revoke: EventId) -> &Cut {
        match &self.events[&self.source(revoke)].act {
            Act::Principal(
                PrincipalAct::DeviceRetire { cut, .. } | PrincipalAct::StaffEnd { cut, .. },
            )
            | Act::Core(CoreAct::Recover { cut, .. })
            | Act::Label(LabelAct::Lapse { cut, .. } | LabelAct::Revoke(Revoke { cut, .. })) => cut,
            Act::Principal(_) | Act::Core(_) | Act::Label(_) => &Cut::Nothing,
        }
    }

    /// The issuer's own parts for a place: none where it has none, nothing while that is not known.
    fn parts_of(&self, revoke: EventId, place: &CutPlace) -> Option<Vec<&CutPart>> {
        let id = self.source(revoke);
        match self.cut_of(revoke) {
            Cut::Nothing | Cut::Entrusted { root: None, .. } => return Some(Vec::new()),
            Cut::Parts(_) | Cut::Entrusted { root: Some(_), .. } => {}
        }
        let all = self.parts.get(&id)?;
        let at = |place: &CutPlace| -> Vec<&CutPart> {
            all.iter().filter(|part| part.place == *place).collect()
        };
        let parts = at(place);
        let CutPlace::Document(document) = place else {
            return (!parts.is_empty()).then_some(parts);
        };
        // The part for the log says which documents have one.
        let log = at(&CutPlace::Label(document.label.clone()));
        let listed = log.iter().any(|part| part.documents.contains(document));
        (!parts.is_empty() || (!log.is_empty() && !listed)).then_some(parts)
    }

    /// Forgets what is not signed, and what a device signed that is not certified or was stopped.
    fn hear_custodians(&mut self) {
        let present = self.view(&self.valid);
        let mut words = std::mem::take(&mut self.words);
        words.retain(|(of, part, word)| {
            let signer = (word.custodian, word.device, None);
            let ways = self.ways_of_actor(signer, &self.valid, &[]);
            let stopped =
                |ways: Vec<Way>| self.worst(&present, &ways, &mut |_| Cover::No) > Hurt::None;
            word.signs(*of, part) && ways.is_some_and(|ways| !stopped(ways))
        });
        self.words = words;
    }

    /// The parts that count of a document's custodians, each with the word of the issuer that lets
    /// it count; nothing where the issuer names no custodian for the document.
    fn words_of(
        &self,
        revoke: EventId,
        document: &DocumentId,
    ) -> Option<Vec<(&CutPart, &Custody)>> {
        let id = self.source(revoke);
        let Cut::Entrusted { custodies, .. } = self.cut_of(revoke) else {
            return None;
        };
        let log = &self.events[&id].log;
        let elsewhere = matches!(log, LogId::Label(_, label) if *label != document.label);
        let about = |custody: &&Custody| !elsewhere && custody.sections.contains(&document.section);
        let named: Vec<_> = custodies.iter().filter(about).collect();
        if named.is_empty() {
            return None;
        }
        let place = CutPlace::Document(document.clone());
        let here = |(of, part, _): &&(EventId, CutPart, CustodianWord)| {
            *of == id && part.place == place && Some(part.record) == self.record
        };
        let words = self.words.iter().filter(here);
        let allowed = words.flat_map(|(_, part, word)| {
            let own = named
                .iter()
                .filter(|custody| custody.custodian == word.custodian);
            own.map(move |custody| (part, *custody))
        });
        Some(allowed.collect())
    }

    fn covers_event(&self, revoke: EventId, id: EventId) -> Cover {
        let event = &self.events[&id];
        let place = match &event.log {
            LogId::Principal(_) => {
                return match &self.events[&revoke].act {
                    Act::Principal(PrincipalAct::DeviceRetire {
                        last: Some(last), ..
                    }) => self.reaches(*last, id),
                    Act::Principal(_) | Act::Core(_) | Act::Label(_) => Cover::No,
                };
            }
            LogId::Core(_) => CutPlace::Core,
            LogId::Label(_, label) => CutPlace::Label(label.clone()),
        };
        let Some(parts) = self.parts_of(revoke, &place) else {
            return Cover::Unknown;
        };
        let positions = parts.into_iter().flat_map(|part| &part.chains);
        let covers = positions
            .filter(|position| position.device == event.device)
            .map(|position| {
                let last = EventId::from_bytes(*position.id.as_bytes());
                if last == id {
                    Cover::Yes
                } else if event.seq >= position.seq {
                    Cover::No
                } else {
                    self.reaches(last, id)
                }
            });
        covers.max().unwrap_or(Cover::No)
    }

    fn reaches(&self, last: EventId, id: EventId) -> Cover {
        if last == id {
            return Cover::Yes;
        }
        if !self.whole.contains(&last) {
            return Cover::Unknown;
        }
        let mut chain = std::iter::successors(Some(last), |id| self.events[id].prev);
        if chain.any(|before| before == id) {
            Cover::Yes
        } else {
            Cover::No
        }
    }
}

/// Every pair of ways, joined.
fn product(one: &[Way], other: &[Way]) -> Vec<Way> {
    one.iter()
        .flat_map(|one| {
            other
                .iter()
                .map(move |other| [one.as_slice(), other].concat())
        })
        .collect()
}

impl Model {
    fn document(&self, document: &DocumentId) -> BTreeMap<EnvelopeId, Plain> {
        let here: BTreeMap<_, _> = self
            .entries
            .iter()
            .filter(|(_, (header, _))| header.document == *document)
            .collect();
        let view = self.view(&self.valid);
        let mut held = BTreeMap::<EnvelopeId, Option<(Set, Vec<Way>)>>::new();
        loop {
            let before = held.len();
            for (id, (header, facts)) in &here {
                let named = header.deps.iter().chain(&header.prev);
                let events = header.frontiers.iter().chain(&header.grant);
                let ready = named.clone().all(|id| held.contains_key(id))
                    && events.into_iter().all(|id| self.whole.contains(id));
                if ready && !held.contains_key(*id) {
                    let verdict = self.judge_entry(header, facts, &held);
                    held.insert(**id, verdict);
                }
            }
            if held.len() == before {
                break;
            }
        }
        self.standings(&here, &held, &view)
    }

    /// A, for an entry: what it had seen and its ways up.
    fn judge_entry(
        &self,
        header: &Header,
        facts: &ContentFacts,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
    ) -> Option<(Set, Vec<Way>)> {
        let mut cited = Set::new();
        for id in header.frontiers.iter().chain(&header.grant) {
            self.valid.contains(id).then_some(())?;
            cited.insert(*id);
            cited.extend(&self.pasts[id]);
        }
        let mut past = cited.clone();
        for id in header.deps.iter().chain(&header.prev) {
            past.extend(&held[id].as_ref()?.0);
            let before = &self.entries[id].0;
            let own = if before.author == header.author {
                before.frontiers.principal.as_slice()
            } else {
                &[]
            };
            let heads = before
                .frontiers
                .core
                .iter()
                .chain(&before.frontiers.label)
                .chain(own);
            heads
                .into_iter()
                .all(|id| cited.contains(id))
                .then_some(())?;
            (before.document == header.document).then_some(())?;
        }
        match header.prev.map(|id| &self.entries[&id].0) {
            None => (header.seq == 0).then_some(())?,
            Some(prev) => (prev.device == header.device
                && prev.epoch == header.epoch
                && prev.seq + 1 == header.seq)
                .then_some(())?,
        }
        let view = self.view(&past);
        let who = (header.author, header.device, header.staff);
        let actor = self.ways_of_actor(who, &past, &[])?;
        let label = &header.document.label;
        let above = self.ways_acting(who.0, who.1, who.2, header.grant, label, &view)?;
        let ways = product(&actor, &above);
        (self.worst(&view, &ways, &mut |_| Cover::No) < Hurt::Out).then_some(())?;
        let wants = match &header.content {
            Content::Adopt { .. } => Actions::REVIEW.union(Actions::APPEND),
            Content::Change(_) | Content::CarryOver { .. } | Content::Erased { .. } => {
                Actions::APPEND
            }
        };
        let lineage = header
            .grant
            .map(|grant| self.lineage(grant))
            .unwrap_or_default();
        let fits = |id: &EventId| {
            self.grant(*id).is_some_and(|grant| {
                grant.actions.contains(wants)
                    && grant.sections.contains(&header.document.section)
                    && grant.purposes.contains(header.purpose)
            })
        };
        lineage.iter().all(fits).then_some(())?;
        let fits = !matches!(facts, ContentFacts::Refused(_)) && !self.has_twins(header, facts);
        fits.then_some((past, ways))
    }

    /// Whether two changes with one actor and seq come together here.
    fn has_twins(&self, header: &Header, facts: &ContentFacts) -> bool {
        let place = |header: &Header, facts: &ContentFacts| match facts {
            ContentFacts::Change { actor_seq, .. } => Some((header.actor().0, *actor_seq)),
            ContentFacts::None
            | ContentFacts::Erased
            | ContentFacts::Refused(_)
            | ContentFacts::Unreadable(_) => None,
        };
        let mut places: BTreeSet<_> = place(header, facts).into_iter().collect();
        let mut seen = BTreeSet::new();
        let mut next = header.deps.clone();
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            let (header, facts) = &self.entries[&id];
            if place(header, facts).is_some_and(|place| !places.insert(place)) {
                return true;
            }
            next.extend(&header.deps);
        }
        false
    }

    fn standings(
        &self,
        here: &BTreeMap<&EnvelopeId, &(Header, ContentFacts)>,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
        view: &View,
    ) -> BTreeMap<EnvelopeId, Plain> {
        let valid: BTreeMap<_, _> = held
            .iter()
            .filter_map(|(id, verdict)| Some((*id, &verdict.as_ref()?.1)))
            .collect();
        let own: BTreeMap<_, _> = valid
            .iter()
            .map(|(id, ways)| (*id, self.own(*id, ways, view, held)))
            .collect();
        let mut loaded: BTreeSet<_> = own
            .iter()
            .filter(|(_, hurt)| **hurt < Hurt::Out)
            .map(|(id, _)| *id)
            .collect();
        let mut adopted = BTreeMap::<EnvelopeId, Hurt>::new();
        // D, until nothing more follows.
        loop {
            let before = (loaded.len(), adopted.len());
            for id in loaded.clone() {
                loaded.extend(here[&id].0.deps.iter().copied());
            }
            for (id, hurt) in self.adoptions(here, &own) {
                if valid.contains_key(&id)
                    && here[&id].0.deps.iter().all(|dep| loaded.contains(dep))
                {
                    let least = adopted.entry(id).or_insert(hurt);
                    *least = hurt.min(*least);
                    loaded.insert(id);
                }
            }
            if (loaded.len(), adopted.len()) == before {
                break;
            }
        }
        let status = |id: &EnvelopeId| match held.get(id) {
            None => Plain::Pending,
            Some(None) => Plain::Invalid,
            Some(Some(_)) if matches!(here[id].1, ContentFacts::Unreadable(_)) => Plain::Unreadable,
            Some(Some(_)) if !loaded.contains(id) => Plain::Contested,
            Some(Some(_)) if own[id] == Hurt::None || adopted.get(id) == Some(&Hurt::None) => {
                Plain::Accepted
            }
            Some(Some(_)) => Plain::Marked,
        };
        here.keys().map(|id| (**id, status(id))).collect()
    }

    /// Who is adopted by an adoption that is itself clear, and whether that one is marked.
    fn adoptions(
        &self,
        here: &BTreeMap<&EnvelopeId, &(Header, ContentFacts)>,
        own: &BTreeMap<EnvelopeId, Hurt>,
    ) -> Vec<(EnvelopeId, Hurt)> {
        let mut adoptions = Vec::new();
        for (id, hurt) in own.iter().filter(|(_, hurt)| **hurt < Hurt::Out) {
            let (by, _) = here[id];
            let Content::Adopt { entries } = &by.content else {
                continue;
            };
            for adopted in entries {
                let Some((of, _)) = here.get(adopted) else {
                    continue;
                };
                let colleagues = matches!((by.staff, of.staff), (Some(by), Some(of)) if by != of);
                if by.author != of.author || colleagues {
                    adoptions.push((*adopted, *hurt));
                }
            }
        }
        adoptions
    }

    /// C: what is against an entry on its own.
    fn own(
        &self,
        id: EnvelopeId,
        ways: &[Way],
        view: &View,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
    ) -> Hurt {
        let header = &self.entries[&id].0;
        let mut cover = |revoke: EventId| self.covers_entry(revoke, id, held);
        let hit = self.worst(view, ways, &mut cover);
        let lineage = header
            .grant
            .map(|grant| self.lineage(grant))
            .unwrap_or_default();
        let lapsed = lineage
            .iter()
            .map(|grant| self.lapsed(*grant, view, &mut cover))
            .max();
        let late = lineage.iter().any(|grant| {
            let end = self.grant(*grant).and_then(|grant| grant.until_ms);
            let issued_late = |below: &EventId| {
                self.lineage(*below).contains(grant)
                    && below != grant
                    && end.is_some_and(|end| self.events[below].time_ms > end)
            };
            end.is_some_and(|end| header.time_ms > end) || lineage.iter().any(issued_late)
        });
        let late = if late { Hurt::Mark } else { Hurt::None };
        hit.max(lapsed.unwrap_or(Hurt::None)).max(late)
    }

    fn lapsed(&self, grant: EventId, view: &View, cover: &mut dyn FnMut(EventId) -> Cover) -> Hurt {
        let about = |id: &&EventId| matches!(&self.events[*id].act, Act::Label(LabelAct::Lapse { grant: of, .. }) if *of == grant);
        let standing: Vec<_> = view.standing.iter().filter(about).copied().collect();
        let stays = |id: &EventId| !standing.iter().any(|other| self.replaces(*other, *id));
        let last: Vec<_> = standing.iter().copied().filter(stays).collect();
        let authors: BTreeSet<_> = last.iter().map(|id| self.events[id].author).collect();
        let agreed = authors.len() > 1 || last.iter().any(|id| self.is_upstream(*id));
        let suspended = view.suspended.iter().filter(about).copied().filter(stays);
        let mut soft: Vec<_> = suspended.collect();
        let mut hurt = Hurt::None;
        if agreed {
            hurt = match last.iter().map(|id| cover(*id)).max().unwrap_or(Cover::No) {
                Cover::Yes => Hurt::None,
                Cover::Unknown => Hurt::Mark,
                Cover::No => Hurt::Out,
            };
        } else {
            soft.extend(last);
        }
        if soft.iter().any(|id| cover(*id) != Cover::Yes) {
            hurt = hurt.max(Hurt::Mark);
        }
        hurt
    }

    fn covers_entry(
        &self,
        revoke: EventId,
        id: EnvelopeId,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
    ) -> Cover {
        let header = &self.entries[&id].0;
        let place = CutPlace::Document(header.document.clone());
        let Some(parts) = self.parts_of(revoke, &place) else {
            return Cover::Unknown;
        };
        let mut positions: Vec<_> = parts.iter().flat_map(|part| &part.chains).collect();
        // Where the issuer says something itself, nobody else does.
        if parts.is_empty()
            && let Some(words) = self.words_of(revoke, &header.document)
        {
            if words.is_empty() {
                return Cover::Unknown;
            }
            let reached = words.into_iter().filter(|(_, custody)| {
                custody.custodian != header.author && header.time_ms <= custody.until_ms
            });
            positions.extend(reached.flat_map(|(part, _)| &part.chains));
        }
        let own = |device, epoch| device == header.device && epoch == header.epoch;
        let covers = positions
            .into_iter()
            .filter(|position| own(position.device, position.epoch))
            .map(|position| {
                let before = |id: &EnvelopeId| self.entries[id].0.prev;
                if position.id == id {
                    Cover::Yes
                } else if header.seq >= position.seq {
                    Cover::No
                } else if !held.contains_key(&position.id) {
                    Cover::Unknown
                } else if std::iter::successors(Some(position.id), before).any(|at| at == id) {
                    Cover::Yes
                } else {
                    Cover::No
                }
            });
        covers.max().unwrap_or(Cover::No)
    }
}
