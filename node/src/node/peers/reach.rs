//! How far a peer reaches into a record's logs: what it shares now, and what it once shared.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Label;
use kith_protocol::{
    consent::{GrantFate, GrantState, Whoever, devices},
    id::{EventId, PrincipalId},
    intake,
    logs::{Act, Event, LabelAct, LogId, PrincipalAct, record::Link},
    record::Record,
    signed::{Signed, Verified},
    store::{Store, StoreError},
};

use super::{event_of, now_ms};
use crate::store::DiskStore;

/// How far a peer reaches into a record's logs.
#[derive(Default)]
pub(super) struct Reach {
    controls: bool,
    /// Labels of which something is shared with it now.
    live: BTreeSet<Label>,
    /// Its grants, and those that they hang on.
    grants: BTreeSet<EventId>,
    /// Labels of its grants, ended ones included.
    labels: BTreeSet<Label>,
}

impl Reach {
    /// Only what the status rule takes for a grant counts: anyone can sign one for themselves.
    pub(super) fn of(record: &mut Record, who: &Whoever) -> Self {
        let now = now_ms();
        let grants = record.ledger().grants();
        let mut reach = Self {
            controls: record.ledger().controllers().contains(&who.principal),
            ..Self::default()
        };
        let held = |grant: &&GrantState| grant.state != GrantFate::Invalid;
        for grant in grants.iter().filter(held) {
            if grant.grant.audience != who.principal {
                continue;
            }
            reach.labels.insert(grant.label.clone());
            let stands = matches!(grant.state, GrantFate::Active | GrantFate::Suspended);
            let ended = grant.grant.until_ms.is_some_and(|until| until <= now);
            if stands && !ended {
                reach.live.insert(grant.label.clone());
            }
            let mut link = Some(grant.id);
            while let Some(id) = link.filter(|id| reach.grants.insert(*id)) {
                let parent = grants.iter().find(|grant| grant.id == id);
                link = parent.and_then(|grant| grant.grant.parent);
            }
        }
        reach
    }

    /// Whether it shares the record, or once did.
    pub(super) fn is_any(&self) -> bool {
        self.controls || !self.labels.is_empty()
    }

    /// Whether it may know which parts of a cut belong to this label's log.
    pub(super) fn sees_label(&self, label: &Label) -> bool {
        self.controls || self.live.contains(label)
    }

    /// Whether it may have the whole core log.
    pub(super) fn sees_core(&self) -> bool {
        self.controls || !self.live.is_empty()
    }

    /// Whether an event ends one of its grants.
    pub(super) fn is_ended_by(&self, event: &Event) -> bool {
        match &event.act {
            Act::Label(LabelAct::Revoke(revoke)) => {
                matches!(revoke.link, Link::Grant(grant) if self.grants.contains(&grant))
            }
            Act::Label(LabelAct::Renounce { grant } | LabelAct::Lapse { grant, .. }) => {
                self.grants.contains(grant)
            }
            Act::Label(LabelAct::Grant(_) | LabelAct::Confirm { .. })
            | Act::Principal(_)
            | Act::Core(_) => false,
        }
    }

    /// The events of the record's own logs that it may have. Where nothing is shared any more that
    /// is what ended it, with the past of that, and nothing later.
    pub(super) fn events(
        &self,
        store: &DiskStore,
        record: &Record,
    ) -> Result<Vec<(LogId, EventId, Vec<u8>)>, StoreError> {
        let (mut visible, mut rest) = (Vec::new(), BTreeMap::new());
        for log in store.logs(&record.id())? {
            let whole = match &log {
                LogId::Core(_) => self.sees_core(),
                LogId::Label(_, label) => self.sees_label(label),
                LogId::Principal(_) => false,
            };
            let once = match &log {
                LogId::Core(_) => true,
                LogId::Label(_, label) => self.labels.contains(label),
                LogId::Principal(_) => false,
            };
            for (id, bytes) in store.events(&log)? {
                if whole {
                    visible.push((log.clone(), id, bytes));
                } else if once && let Some(event) = event_of(&bytes) {
                    rest.insert(id, (log.clone(), event, bytes));
                }
            }
        }
        let own = |(id, (_, event, _)): (&EventId, &(LogId, Event, Vec<u8>))| {
            (self.grants.contains(id) || self.is_ended_by(event)).then_some(*id)
        };
        let mut next: Vec<_> = rest.iter().filter_map(own).collect();
        while let Some(id) = next.pop() {
            if let Some((log, event, bytes)) = rest.remove(&id) {
                next.extend(
                    event
                        .prev
                        .into_iter()
                        .chain(event.frontiers.iter().copied()),
                );
                visible.push((log, id, bytes));
            }
        }
        Ok(visible)
    }
}

/// Whether a principal's log ever added the device: a claimed author is nobody's word but the
/// signer's.
pub(super) fn ever_acted_for(
    log: &[Verified<Event>],
    principal: PrincipalId,
    event: &Event,
) -> bool {
    let adding: Vec<_> = log
        .iter()
        .filter(|event| {
            !matches!(
                event.value().act,
                Act::Principal(PrincipalAct::DeviceRetire { .. })
            )
        })
        .cloned()
        .collect();
    devices::certifies(&adding, principal, event.device)
}

/// Of the events of principals' logs that a peer sent, those whose signers their logs know: anyone
/// can sign an event into anyone's log, and nobody has to keep it.
pub(super) fn certified(
    store: &DiskStore,
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
        let held = held(store, principal)?;
        let mut room = log_len_max.saturating_sub(held.len());
        let known: BTreeSet<_> = held.iter().map(Verified::id).collect();
        let all: Vec<_> = held.into_iter().chain(sent.iter().cloned()).collect();
        for event in &sent {
            let is_new = !known.contains(&event.id()) && !certified.contains(&event.id());
            if is_new && room > 0 && ever_acted_for(&all, principal, event.value()) {
                certified.insert(event.id());
                room -= 1;
            }
        }
    }
    Ok(certified)
}

/// A principal's log as it is held.
pub(super) fn held(
    store: &DiskStore,
    principal: PrincipalId,
) -> Result<Vec<Verified<Event>>, StoreError> {
    let events = store.events(&LogId::Principal(principal))?;
    Ok(events
        .into_iter()
        .filter_map(|(_, bytes)| Signed::<Event>::new(bytes).trust_own_store().ok())
        .collect())
}

/// What holds of the events that a peer sent.
pub(super) fn events_that_hold<'a>(bytes: impl Iterator<Item = &'a [u8]>) -> Vec<Verified<Event>> {
    bytes
        .filter_map(|bytes| intake::event(bytes).ok())
        .collect()
}
