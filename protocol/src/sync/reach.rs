//! How far a peer reaches into a record's logs: what it shares now, and what it once shared.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Label;

use crate::{
    consent::{GrantFate, GrantState, Ledger, Whoever, devices},
    id::{EventId, PrincipalId},
    limits::CLOCK_SKEW_MS,
    logs::{Act, CoreAct, Event, LabelAct, LogId, record::Link},
    signed::{Signed, Verified},
    store::{ReadLog, Store, StoreError},
};

/// How far a peer reaches into a record's logs.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    controls: bool,
    /// Whether a recovery took the record out of its hands.
    recovered_from: bool,
    /// Labels of which something is shared with it now.
    live: BTreeSet<Label>,
    /// Its grants, and those that they hang on.
    grants: BTreeSet<EventId>,
    /// Labels of its grants, ended ones included.
    labels: BTreeSet<Label>,
    /// Whoever holds a grant of a label that it sees now, gave one, or may lapse one.
    named: BTreeSet<PrincipalId>,
    /// When time alone next changes what it reaches.
    turns_ms: Option<u64>,
}

impl Reach {
    /// Only what the status rule takes for a grant counts: anyone can sign one for themselves.
    pub fn of(ledger: &mut Ledger, who: &Whoever, now_ms: u64) -> Self {
        let grants = ledger.grants();
        let controls = ledger.controllers().contains(&who.principal);
        let mut reach = Self {
            controls,
            recovered_from: !controls && ledger.is_recovered_from(who.principal),
            ..Self::default()
        };
        // Serving fails closed, here as where content is decided about.
        let latest_ms = now_ms.saturating_add(CLOCK_SKEW_MS);
        let held = |grant: &&GrantState| grant.state != GrantFate::Invalid;
        for grant in grants.iter().filter(held) {
            if grant.grant.audience != who.principal {
                continue;
            }
            reach.labels.insert(grant.label.clone());
            let stands = matches!(grant.state, GrantFate::Active | GrantFate::Suspended);
            let ended = grant.grant.until_ms.is_some_and(|until| until <= latest_ms);
            if stands && !ended {
                reach.live.insert(grant.label.clone());
            }
            let mut link = Some(grant.id);
            while let Some(id) = link.filter(|id| reach.grants.insert(*id)) {
                let parent = grants.iter().find(|grant| grant.id == id);
                link = parent.and_then(|grant| grant.grant.parent);
            }
        }
        let mut turns = Vec::new();
        for opened in ledger.emergencies() {
            if opened.by != who.principal {
                continue;
            }
            reach.labels.extend(opened.labels.iter().cloned());
            reach.grants.insert(opened.id);
            let stands = matches!(opened.state, GrantFate::Active | GrantFate::Suspended);
            if stands && opened.until_ms > latest_ms {
                reach.live.extend(opened.labels);
                // By a clock that is ahead it may be opened from a time that has not come here.
                let turning = [opened.from_ms, opened.until_ms].into_iter();
                turns.extend(turning.filter(|turns| *turns > latest_ms));
            }
        }
        let own = grants
            .iter()
            .filter(|grant| reach.grants.contains(&grant.id));
        let ends = own.flat_map(|grant| [Some(grant.grant.from_ms), grant.grant.until_ms]);
        turns.extend(ends.flatten().filter(|turns| *turns > latest_ms));
        let next = turns.into_iter().min();
        reach.turns_ms = next.map(|turns| turns - CLOCK_SKEW_MS);
        for grant in grants.iter().filter(held) {
            if reach.sees_label(&grant.label) {
                reach.named.extend([grant.grant.audience, grant.issuer]);
                reach.named.extend(&grant.grant.custodians);
            }
        }
        reach
    }

    /// Whether it shares the record, or once did.
    pub fn is_any(&self) -> bool {
        self.controls || self.recovered_from || !self.labels.is_empty()
    }

    /// Whether something is shared with it now, as far as the logs say.
    pub fn is_live(&self) -> bool {
        self.controls || !self.live.is_empty()
    }

    /// Whether it may know which parts of a cut belong to this label's log.
    pub fn sees_label(&self, label: &Label) -> bool {
        self.controls || self.live.contains(label)
    }

    /// Whether it may have the whole core log.
    pub fn sees_core(&self) -> bool {
        self.is_live()
    }

    /// When time alone next changes what it reaches, milliseconds since 1970 UTC.
    pub(super) const fn turns_ms(&self) -> Option<u64> {
        self.turns_ms
    }

    /// Whoever the grants name that it may know of.
    pub(super) const fn named(&self) -> &BTreeSet<PrincipalId> {
        &self.named
    }

    /// Whether an event ends one of its grants, or what it did as a controller.
    pub fn is_ended_by(&self, event: &Event) -> bool {
        match &event.act {
            Act::Label(LabelAct::Revoke(revoke)) => {
                matches!(revoke.link, Link::Grant(grant) if self.grants.contains(&grant))
            }
            Act::Label(LabelAct::Renounce { grant } | LabelAct::Lapse { grant, .. }) => {
                self.grants.contains(grant)
            }
            Act::Core(CoreAct::Recover { .. }) => self.recovered_from,
            Act::Label(LabelAct::Grant(_) | LabelAct::Confirm { .. })
            | Act::Principal(_)
            | Act::Core(_) => false,
        }
    }

    /// Of events that it may have, what ended something of it in logs that it has no more, each
    /// with its log's label, ascending.
    pub(super) fn ends(&self, visible: &[&Verified<Event>]) -> Vec<(Option<Label>, EventId)> {
        let ended = visible
            .iter()
            .filter(|event| self.is_ended_by(event.value()));
        let ended = ended.filter_map(|event| match &event.value().log {
            LogId::Core(_) => (!self.sees_core()).then(|| (None, event.id())),
            LogId::Label(_, label) => {
                (!self.sees_label(label)).then(|| (Some(label.clone()), event.id()))
            }
            LogId::Principal(_) => None,
        });
        ended.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The events of the record's own logs that it may have. Where nothing is shared any more that
    /// is what ended it, with the past of that, and nothing later.
    pub(super) fn events<'a>(&self, logs: &'a [(LogId, ReadLog)]) -> Vec<&'a Verified<Event>> {
        let (mut visible, mut rest) = (Vec::new(), BTreeMap::new());
        for (log, events) in logs {
            let (whole, once) = match log {
                LogId::Core(_) => (self.sees_core(), true),
                LogId::Label(_, label) => (self.sees_label(label), self.labels.contains(label)),
                LogId::Principal(_) => (false, false),
            };
            if whole {
                visible.extend(events.iter());
            } else if once {
                rest.extend(events.iter().map(|event| (event.id(), event)));
            }
        }
        let own = |(id, event): (&EventId, &&Verified<Event>)| {
            (self.grants.contains(id) || self.is_ended_by(event.value())).then_some(*id)
        };
        let mut next: Vec<_> = rest.iter().filter_map(own).collect();
        while let Some(id) = next.pop() {
            if let Some(event) = rest.remove(&id) {
                next.extend(event.value().prev);
                next.extend(event.value().frontiers.iter());
                visible.push(event);
            }
        }
        visible
    }
}

/// Whether a principal's log ever added the device: a claimed author is nobody's word but the
/// signer's.
pub fn ever_acted_for(log: &[Verified<Event>], principal: PrincipalId, event: &Event) -> bool {
    devices::ever(log, principal).contains(&event.device)
}

/// Of the events of principals' logs that a peer sent, those whose signers their logs know: anyone
/// can sign an event into anyone's log, and nobody has to keep it.
pub fn certified(
    store: &impl Store,
    sent: &[Verified<Event>],
    log_len_max: usize,
) -> Result<BTreeSet<EventId>, StoreError> {
    let mut logs: BTreeMap<PrincipalId, Vec<Verified<Event>>> = BTreeMap::new();
    for event in sent {
        if let LogId::Principal(principal) = event.value().log {
            logs.entry(principal).or_default().push(event.clone());
        }
    }
    let mut certified = BTreeSet::new();
    for (principal, sent) in logs {
        let held = store.principal_log(&principal)?;
        let mut room = log_len_max.saturating_sub(held.len());
        let known: BTreeSet<_> = held.iter().map(Verified::id).collect();
        let all: Vec<_> = held.iter().chain(&sent).cloned().collect();
        let acted = devices::ever(&all, principal);
        for event in &sent {
            let is_new = !known.contains(&event.id()) && !certified.contains(&event.id());
            if is_new && room > 0 && acted.contains(&event.value().device) {
                certified.insert(event.id());
                room -= 1;
            }
        }
    }
    Ok(certified)
}

/// An event of our own store.
pub(super) fn event_of(bytes: &[u8]) -> Option<Event> {
    let event = Signed::<Event>::new(bytes.to_vec());
    Some(event.trust_own_store().ok()?.into_value())
}
