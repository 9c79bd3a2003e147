//! Which keys act for a principal, by its log alone: what a stranger who pairs can show. Entries
//! are judged by the status rule, not by this.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    consent::approval::approval_subject,
    id::{DeviceId, EventId, PrincipalId},
    identity::{agreed_to_act_for, agreed_to_stand_for},
    limits::{CERTIFICATES_MAX, VOUCHING_DEPTH_MAX},
    logs::{
        Act, Event, LogId, PrincipalAct,
        principal::{Approval, RecoverySet},
    },
    signed::Verified,
};

/// Whether a principal's log, as far as it is here, adds `device` and does not retire it.
pub fn certifies(log: &[Verified<Event>], principal: PrincipalId, device: DeviceId) -> bool {
    certified(log, principal).contains(&device)
}

/// Every device that a principal's log, as far as it is here, adds and does not retire, and its
/// root key.
pub fn certified(log: &[Verified<Event>], principal: PrincipalId) -> BTreeSet<DeviceId> {
    Acting::of(log, principal, 0).now()
}

/// Every key that ever acted for a principal: what they signed is kept and passed on.
pub fn ever(log: &[Verified<Event>], principal: PrincipalId) -> BTreeSet<DeviceId> {
    Acting::of(log, principal, 0).ever()
}

/// The root keys of a principal: one, unless its people replaced it twice at the same time.
pub fn root_keys(log: &[Verified<Event>], principal: PrincipalId) -> BTreeSet<DeviceId> {
    let acting = Acting::of(log, principal, 0);
    acting.roots_in(&acting.all())
}

/// Who may give the principal a new key, as its log says now; several where it was said twice at
/// the same time, none where nobody was named.
pub fn recovery_sets(log: &[Verified<Event>], principal: PrincipalId) -> Vec<RecoverySet> {
    let acting = Acting::of(log, principal, 0);
    let mut sets = acting.sets_in(&acting.all());
    sets.retain(|set| !set.members.is_empty());
    sets
}

/// The key to which bundles for a principal are sealed.
pub fn sealing_key(log: &[Verified<Event>], principal: PrincipalId) -> Option<[u8; 32]> {
    let acting = Acting::of(log, principal, 0);
    let changed = |change: &Change| {
        let PrincipalAct::KeyChange { sealing_key, .. } = acting.acts.get(&change.id)?.act else {
            return None;
        };
        Some((change.id, (*sealing_key)?))
    };
    let changed: Vec<_> = acting.changes.iter().filter_map(changed).collect();
    let is_last = |(id, _): &&(EventId, _)| {
        !changed
            .iter()
            .any(|(later, _)| acting.past(*later).contains(id))
    };
    let last = changed.iter().find(is_last).map(|(_, key)| *key);
    last.or_else(|| {
        acting.acts.values().find_map(|said| {
            let PrincipalAct::Begin { sealing_key, .. } = said.act else {
                return None;
            };
            Some(*sealing_key)
        })
    })
}

/// What of a principal's log shows that a device acts for it, for an approval; nothing where it
/// does not, or where that is too long.
pub fn certificates(
    log: &[Verified<Event>],
    principal: PrincipalId,
    device: DeviceId,
) -> Option<Vec<serde_bytes::ByteBuf>> {
    let acting = Acting::of(log, principal, 0);
    if !acting.now().contains(&device) {
        return None;
    }
    // A changed key is shown by who agreed to it, and they by what had been said before.
    let of_chain = acting.parents();
    let mut chain = BTreeSet::from([device]);
    let mut next = vec![device];
    while let Some(at) = next.pop() {
        let above = of_chain.get(&at).into_iter().flatten();
        next.extend(above.filter(|parent| chain.insert(**parent)));
    }
    let wanted = |event: &&Verified<Event>| {
        let adds = matches!(
            &event.value().act,
            Act::Principal(PrincipalAct::DeviceAdd { device, .. }) if chain.contains(device)
        );
        !acting.changes.is_empty() || adds
    };
    let shown: Vec<_> = log
        .iter()
        .filter(wanted)
        .map(|event| serde_bytes::ByteBuf::from(event.bytes()))
        .collect();
    // The root key itself needs none, and an approval without any names a frontier.
    (!shown.is_empty() && shown.len() <= CERTIFICATES_MAX).then_some(shown)
}

/// A change of the root key that counts.
struct Change {
    id: EventId,
    key: DeviceId,
    /// Whether the recovery set made it: then the key before it fell, with what it had not seen.
    by_others: bool,
}

struct Said<'a> {
    signer: DeviceId,
    event: &'a Event,
    act: &'a PrincipalAct,
}

/// A principal's log, read for its keys.
struct Acting<'a> {
    principal: PrincipalId,
    acts: BTreeMap<EventId, Said<'a>>,
    /// Everything before each event; nothing while the root key never changed.
    pasts: BTreeMap<EventId, BTreeSet<EventId>>,
    changes: Vec<Change>,
}

impl<'a> Acting<'a> {
    /// `depth` counts logs of members within approvals within logs.
    fn of(log: &'a [Verified<Event>], principal: PrincipalId, depth: usize) -> Self {
        let acts = log.iter().filter_map(|event| {
            let value = event.value();
            match &value.act {
                Act::Principal(act) if value.log == LogId::Principal(principal) => {
                    let said = Said {
                        signer: value.device,
                        event: value,
                        act,
                    };
                    Some((event.id(), said))
                }
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
            }
        });
        let mut acting = Self {
            principal,
            acts: acts.collect(),
            pasts: BTreeMap::new(),
            changes: Vec::new(),
        };
        let changes = |said: &Said<'_>| matches!(said.act, PrincipalAct::KeyChange { .. });
        if acting.acts.values().any(changes) && depth <= VOUCHING_DEPTH_MAX {
            acting.pasts = acting.find_pasts();
            acting.find_changes(depth);
        }
        acting
    }

    fn all(&self) -> BTreeSet<EventId> {
        self.acts.keys().copied().collect()
    }

    fn find_pasts(&self) -> BTreeMap<EventId, BTreeSet<EventId>> {
        let named = |id: &EventId| {
            let said = self.acts.get(id);
            let heads = said.map(|said| {
                said.event
                    .frontiers
                    .principal
                    .iter()
                    .chain(&said.event.prev)
            });
            let heads: Vec<_> = heads.into_iter().flatten().copied().collect();
            heads
        };
        let mut pasts = BTreeMap::new();
        for id in self.acts.keys() {
            let (mut past, mut next) = (BTreeSet::new(), named(id));
            while let Some(before) = next.pop() {
                if self.acts.contains_key(&before) && past.insert(before) {
                    next.extend(named(&before));
                }
            }
            pasts.insert(*id, past);
        }
        pasts
    }

    fn past(&self, id: EventId) -> BTreeSet<EventId> {
        self.pasts.get(&id).cloned().unwrap_or_default()
    }

    /// Those that come first are found first: each hangs on what was said before it.
    fn find_changes(&mut self, depth: usize) {
        let mut open: Vec<_> = self
            .acts
            .iter()
            .filter(|(_, said)| matches!(said.act, PrincipalAct::KeyChange { .. }))
            .map(|(id, _)| *id)
            .collect();
        open.sort_by_key(|id| self.pasts.get(id).map_or(0, BTreeSet::len));
        for id in open {
            let counts = self
                .acts
                .get(&id)
                .and_then(|said| self.change(id, said, depth));
            self.changes.extend(counts);
        }
    }

    fn change(&self, id: EventId, said: &Said<'_>, depth: usize) -> Option<Change> {
        let PrincipalAct::KeyChange {
            key,
            proof,
            approvals,
            ..
        } = said.act
        else {
            return None;
        };
        let key = DeviceId::from_bytes(*key);
        agreed_to_stand_for(self.principal, key, proof).then_some(())?;
        let past = self.past(id);
        let by_others = !approvals.is_empty();
        let counts = if by_others {
            let subject = approval_subject(&said.event.log, &said.event.frontiers, &said.event.act);
            let agreed = agreeing(approvals, subject, depth);
            let enough = |set: &RecoverySet| {
                let of_set = set.members.iter().filter(|member| agreed.contains(member));
                set.needed > 0 && of_set.count() >= usize::from(set.needed)
            };
            self.sets_in(&past).iter().any(enough)
        } else {
            self.roots_in(&past).contains(&said.signer)
        };
        counts.then_some(Change { id, key, by_others })
    }

    /// The root keys in a past.
    fn roots_in(&self, past: &BTreeSet<EventId>) -> BTreeSet<DeviceId> {
        let held = || {
            self.changes
                .iter()
                .filter(|change| past.contains(&change.id))
        };
        let last = |change: &&Change| !held().any(|later| self.past(later.id).contains(&change.id));
        let mut roots: BTreeSet<_> = held().filter(last).map(|change| change.key).collect();
        if roots.is_empty() {
            roots.insert(self.principal.root_key());
        }
        roots
    }

    fn sets_in(&self, past: &BTreeSet<EventId>) -> Vec<RecoverySet> {
        let sets = self.acts.iter().filter_map(|(id, said)| {
            let PrincipalAct::RecoverySet(set) = said.act else {
                return None;
            };
            let stands = past.contains(id)
                && self.is_root(said.signer)
                && !self.fell(*id, said.signer, past);
            stands.then_some((*id, said.event.seq, set))
        });
        let sets: Vec<_> = sets.collect();
        let is_last = |(id, seq, _): &&(EventId, u64, &RecoverySet)| {
            !sets
                .iter()
                .any(|(later, of, _)| match self.pasts.is_empty() {
                    // While the root key never changed they are of one chain.
                    true => of > seq,
                    false => self.past(*later).contains(id),
                })
        };
        let last = sets.iter().filter(is_last);
        last.map(|(_, _, set)| (*set).clone()).collect()
    }

    /// Whether a key is or was the principal's root key.
    fn is_root(&self, key: DeviceId) -> bool {
        key == self.principal.root_key() || self.changes.iter().any(|change| change.key == key)
    }

    /// Whether something that a root key signed fell with it: others replaced the key, and had not
    /// seen this.
    fn fell(&self, id: EventId, signer: DeviceId, within: &BTreeSet<EventId>) -> bool {
        let made = |change: &&Change| change.key == signer;
        let before_it = |by: EventId| {
            let mut made = self.changes.iter().filter(made);
            made.any(|own| self.past(own.id).contains(&by))
        };
        self.changes.iter().any(|change| {
            change.by_others
                && change.key != signer
                && within.contains(&change.id)
                && !self.past(change.id).contains(&id)
                && !before_it(change.id)
        })
    }

    /// Each device that was added, with the keys that added it: by root keys that stand, and by
    /// devices.
    fn parents(&self) -> BTreeMap<DeviceId, BTreeSet<DeviceId>> {
        let all = self.all();
        let mut parents: BTreeMap<DeviceId, BTreeSet<DeviceId>> = BTreeMap::new();
        loop {
            let mut is_new = false;
            for (id, said) in &self.acts {
                let PrincipalAct::DeviceAdd { device, proof } = said.act else {
                    continue;
                };
                let signer = said.signer;
                let by_root = self.is_root(signer) && !self.fell(*id, signer, &all);
                let known = parents.get(device).is_some_and(|of| of.contains(&signer));
                if !known
                    && (by_root || parents.contains_key(&signer))
                    && agreed_to_act_for(self.principal, *device, signer, proof)
                {
                    parents.entry(*device).or_default().insert(signer);
                    is_new = true;
                }
            }
            if !is_new {
                return parents;
            }
        }
    }

    fn now(&self) -> BTreeSet<DeviceId> {
        let all = self.all();
        let parents = self.parents();
        let retires = |(id, said): (&EventId, &Said<'_>)| {
            let PrincipalAct::DeviceRetire { device, .. } = said.act else {
                return None;
            };
            let by_root = self.is_root(said.signer) && !self.fell(*id, said.signer, &all);
            (by_root || stands_above(&parents, said.signer, *device)).then_some(*device)
        };
        let retired: BTreeSet<_> = self.acts.iter().filter_map(retires).collect();
        let mut now: BTreeSet<_> = parents.keys().copied().collect();
        now.retain(|device| !retired.contains(device));
        now.extend(self.roots_in(&all));
        now
    }

    fn ever(&self) -> BTreeSet<DeviceId> {
        let mut ever: BTreeSet<_> = self.parents().into_keys().collect();
        ever.insert(self.principal.root_key());
        ever.extend(self.changes.iter().map(|change| change.key));
        ever
    }
}

/// The members who signed a change of key with devices that they show to be theirs.
fn agreeing(approvals: &[Approval], subject: [u8; 32], depth: usize) -> BTreeSet<PrincipalId> {
    let signed = |given: &&Approval| given.signs(subject) && given.is_certified(depth + 1);
    let given = approvals.iter().filter(signed);
    given.map(|given| given.member).collect()
}

/// Whether a key added a device, or whatever added that.
fn stands_above(
    parents: &BTreeMap<DeviceId, BTreeSet<DeviceId>>,
    key: DeviceId,
    device: DeviceId,
) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![device]);
    while let Some(at) = next.pop() {
        for parent in parents.get(&at).into_iter().flatten() {
            if *parent == key {
                return true;
            }
            if seen.insert(*parent) {
                next.push(*parent);
            }
        }
    }
    false
}

/// Whether what an approval carries of its member's log certifies its device.
pub(super) fn shows(approval: &Approval, log: &[Verified<Event>], depth: usize) -> bool {
    let acting = Acting::of(log, approval.member, depth);
    acting.now().contains(&approval.device)
}
