//! The events of authority that are held, each judged by its own past.

mod parts;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{Label, Section};

pub(super) use self::{parts::Word, targets::Targets};
use super::{judge, past::Past, view::View};
use crate::{
    consent::{
        approval::{approval_subject, approvals},
        cut::{Cut, CutPart, CutPlace, ProvenPart, of_act},
        grant::{Actions, Purposes},
        status::Fault,
    },
    id::{DeviceId, EventId, PrincipalId, RecordId, StaffId},
    identity::{agreed_to_act_for, agreed_to_stand_for},
    logs::{Act, CoreAct, Event, LabelAct, LogId, PrincipalAct, record::Link},
    signed::Verified,
};

/// Numbers events by the order of their arrival; nothing that is told depends on it.
pub(super) type At = usize;

/// Every event held, what was proven of its cuts, and memoised views.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) record: RecordId,
    pub(super) known: Vec<Known>,
    pub(super) index: BTreeMap<EventId, At>,
    waiting: BTreeMap<EventId, BTreeSet<At>>,
    pub(super) valid: Past,
    /// Events that change what others mean: the key of a view is what it holds of these.
    effects: Past,
    pub(super) targets: Targets,
    parts: BTreeMap<(EventId, CutPlace), BTreeSet<CutPart>>,
    /// What custodians signed whom a cut names; whether their devices count is asked each time.
    pub(super) words: BTreeMap<CutPlace, BTreeSet<Word>>,
    unproven: BTreeMap<EventId, BTreeSet<ProvenPart>>,
    /// Events that cuts of events name and that are not whole.
    positions: BTreeSet<EventId>,
    views: BTreeMap<Past, View>,
    /// Counts changes to what is valid or covered.
    pub(super) changes: u64,
    /// Counts parts of cuts.
    pub(super) part_changes: u64,
    /// Counts how often everything was judged anew.
    pub(super) rounds: u64,
    /// Revocations that got a part about events, which entries may have seen.
    pub(super) reweighed: Vec<At>,
    /// Events judged since someone asked, which entries may wait for.
    pub(super) fresh: Vec<EventId>,
}

/// An event with what was found out about it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: EventId,
    pub(super) event: Verified<Event>,
    /// Whether every proof that it carries holds, and which approvals.
    pub(super) sound: bool,
    pub(super) approved: Vec<bool>,
    pub(super) named: Vec<EventId>,
    /// Whether everything before it is held.
    pub(super) complete: bool,
    /// `None` while it waits.
    pub(super) judged: Option<Judged>,
}

/// An event whose whole past is held.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// Everything before it.
    pub(super) past: Past,
    pub(super) verdict: Result<Standing, Fault>,
}

/// What a valid event stands on.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) chain: Chain,
    /// The right that a Grant or BreakGlass gives.
    pub(super) right: Option<Right>,
    /// Of a device or staff certificate: steps from the root key.
    pub(super) level: u32,
    /// Of a revocation: how far from the top its issuer stands.
    pub(super) rank: u32,
}

/// On what authority something was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chain {
    pub(super) principal: PrincipalId,
    pub(super) device: DeviceId,
    pub(super) staff: Option<StaffId>,
    /// The DeviceAdds that certify the device; none for a root key or a staff device.
    pub(super) device_certs: Vec<At>,
    /// The StaffAdds that certify the member of staff.
    pub(super) staff_certs: Vec<At>,
    /// Whether a root key signed.
    pub(super) by_root_key: bool,
    pub(super) acting: Acting,
    pub(super) label: Option<Label>,
}

/// The right under which something was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Acting {
    /// In one's own principal log, or with no more than a name in a grant.
    Own,
    /// As a controller, made one by these events.
    Root(Vec<At>),
    /// Under a Grant or BreakGlass.
    Grant(At),
    /// As the recovery set.
    Quorum,
}

/// An effective right: the intersection along its chain.
#[derive(Clone, Debug)]
pub(super) struct Right {
    pub(super) audience: PrincipalId,
    pub(super) labels: Vec<Label>,
    pub(super) sections: BTreeSet<Section>,
    pub(super) actions: Actions,
    pub(super) purposes: Purposes,
    pub(super) from_ms: u64,
    pub(super) until_ms: Option<u64>,
    pub(super) depth: u8,
    /// The grants from this one up to the one that a controller issued.
    pub(super) lineage: Vec<At>,
    /// Whether some grant of the lineage was issued after the end of what it narrows.
    pub(super) late: bool,
}

impl Authority {
    pub(super) fn new(record: RecordId) -> Self {
        Self {
            record,
            known: Vec::new(),
            index: BTreeMap::new(),
            waiting: BTreeMap::new(),
            valid: Past::default(),
            effects: Past::default(),
            targets: Targets::default(),
            parts: BTreeMap::new(),
            words: BTreeMap::new(),
            unproven: BTreeMap::new(),
            positions: BTreeSet::new(),
            views: BTreeMap::new(),
            changes: 0,
            part_changes: 0,
            rounds: 0,
            reweighed: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// Takes an event in and judges it and whatever waited for it. Tells whether it was new.
    pub(super) fn add(&mut self, event: Verified<Event>) -> bool {
        let id = event.id();
        if self.index.contains_key(&id) {
            return false;
        }
        let at = self.known.len();
        let (sound, approved) = proofs(event.value());
        let named = named(event.value());
        self.known.push(Known {
            id,
            event,
            sound,
            approved,
            named,
            complete: false,
            judged: None,
        });
        self.index.insert(id, at);
        if let Act::Principal(PrincipalAct::DeviceRetire {
            last: Some(last), ..
        }) = &self.known[at].event.value().act
        {
            let last = *last;
            self.await_position(last);
        }
        for proven in self.unproven.remove(&id).unwrap_or_default() {
            self.prove(proven);
        }
        self.judge_from(at);
        self.settle_positions();
        true
    }

    /// A part about events may change whose certificate or grant stands: everything is judged
    /// anew. This is rare: a retirement of a device that issued grants.
    fn judge_again(&mut self) {
        self.valid = Past::default();
        self.effects = Past::default();
        self.targets = Targets::default();
        self.views.clear();
        self.waiting.clear();
        self.rounds += 1;
        for known in &mut self.known {
            known.judged = None;
        }
        for at in 0..self.known.len() {
            if self.known[at].judged.is_none() {
                self.judge_from(at);
            }
        }
    }

    fn judge_from(&mut self, first: At) {
        let mut ready = vec![first];
        while let Some(at) = ready.pop() {
            if self.known[at].judged.is_some() {
                continue;
            }
            if let Some(missing) = self.unjudged(at) {
                self.waiting.entry(missing).or_default().insert(at);
                continue;
            }
            let judged = self.judge(at);
            if let Ok(standing) = &judged.verdict {
                let standing = standing.clone();
                self.register(at, &standing);
            }
            self.known[at].judged = Some(judged);
            self.known[at].complete = true;
            self.changes += 1;
            let id = self.known[at].id;
            self.fresh.push(id);
            ready.extend(self.waiting.remove(&id).unwrap_or_default());
        }
    }

    fn unjudged(&self, at: At) -> Option<EventId> {
        let named = &self.known[at].named;
        let waits = |id: &&EventId| self.at(id).is_none_or(|at| self.known[at].judged.is_none());
        named.iter().find(waits).copied()
    }

    fn judge(&mut self, at: At) -> Judged {
        let mut past = Past::default();
        let mut fault = None;
        for id in &self.known[at].named {
            let before = self.index[id];
            if let Some(judged) = &self.known[before].judged {
                past.unite(&judged.past);
                past.insert(before);
                if judged.verdict.is_err() {
                    fault = Some(Fault::BuildsOnFault);
                }
            }
        }
        let verdict = match fault {
            Some(fault) => Err(fault),
            None => judge::event(self, at, &past),
        };
        Judged { past, verdict }
    }

    pub(super) fn at(&self, id: &EventId) -> Option<At> {
        self.index.get(id).copied()
    }

    pub(super) fn event(&self, at: At) -> &Event {
        self.known[at].event.value()
    }

    pub(super) fn id(&self, at: At) -> EventId {
        self.known[at].id
    }

    /// Everything before an event; nothing for one that waits.
    pub(super) fn past(&self, at: At) -> Option<&Past> {
        Some(&self.known[at].judged.as_ref()?.past)
    }

    /// Whether `before` was in the past of `at`.
    pub(super) fn saw(&self, at: At, before: At) -> bool {
        self.past(at).is_some_and(|past| past.contains(before))
    }

    pub(super) fn standing(&self, at: At) -> Option<&Standing> {
        self.known[at].judged.as_ref()?.verdict.as_ref().ok()
    }

    pub(super) fn right(&self, at: At) -> Option<&Right> {
        self.standing(at)?.right.as_ref()
    }

    /// Uses the view of a causally closed set of valid events.
    pub(super) fn in_view<T>(
        &mut self,
        set: &Past,
        use_it: impl FnOnce(&mut View, &Self) -> T,
    ) -> T {
        let key = set.common(&self.effects);
        let mut view = self
            .views
            .remove(&key)
            .unwrap_or_else(|| View::new(key.clone()));
        let result = use_it(&mut view, self);
        self.views.insert(key, view);
        result
    }

    /// Uses the view of everything that is held.
    pub(super) fn in_present_view<T>(&mut self, use_it: impl FnOnce(&mut View, &Self) -> T) -> T {
        let all = self.valid.clone();
        self.in_view(&all, use_it)
    }
}

/// Whether the proofs inside an event hold, and which of its approvals were signed.
fn proofs(event: &Event) -> (bool, Vec<bool>) {
    let sound = match &event.act {
        Act::Principal(PrincipalAct::DeviceAdd { device, proof }) => {
            agreed_to_act_for(event.author, *device, event.device, proof)
        }
        Act::Principal(PrincipalAct::KeyChange { key, proof, .. }) => {
            agreed_to_stand_for(event.author, DeviceId::from_bytes(*key), proof)
        }
        Act::Principal(_) | Act::Core(_) | Act::Label(_) => true,
    };
    let given = approvals(&event.act);
    if given.is_empty() {
        return (sound, Vec::new());
    }
    let subject = approval_subject(&event.log, &event.frontiers, &event.act);
    let signs = |approval: &crate::logs::principal::Approval| approval.signs(subject);
    (sound, given.iter().map(signs).collect())
}

/// Every event that must be held before this one can be judged.
fn named(event: &Event) -> Vec<EventId> {
    let mut named: Vec<_> = event.frontiers.iter().copied().collect();
    named.extend(event.prev);
    named.extend(event.grant);
    for approval in approvals(&event.act) {
        named.extend(&approval.principal_frontier);
    }
    match &event.act {
        Act::Core(CoreAct::Recover { previous, .. }) => named.extend(previous),
        Act::Label(LabelAct::Grant(grant)) => named.extend(grant.parent),
        Act::Label(LabelAct::Revoke(revoke)) => match revoke.link {
            Link::Grant(grant) => named.push(grant),
            Link::Device(_) | Link::Staff(_) | Link::Root => {}
        },
        Act::Label(LabelAct::Renounce { grant } | LabelAct::Lapse { grant, .. }) => {
            named.push(*grant);
        }
        Act::Label(LabelAct::Confirm { revocation }) => named.push(*revocation),
        Act::Core(_) | Act::Principal(_) => {}
    }
    named.sort_unstable();
    named.dedup();
    named
}

/// The cut that an event carries.
pub(super) const fn cut(event: &Event) -> Option<&Cut> {
    of_act(&event.act)
}

/// Whether a log is the core or a label's log of this record.
pub(super) fn place_of(log: &LogId) -> Option<CutPlace> {
    match log {
        LogId::Principal(_) => None,
        LogId::Core(_) => Some(CutPlace::Core),
        LogId::Label(_, label) => Some(CutPlace::Label(label.clone())),
    }
}
