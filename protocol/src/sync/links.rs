//! The conversations of a node, and which of them have something to do.
//!
//! A node may have hundreds. What happens concerns one of them, or few: the others are not looked
//! at. So each is found by its device, by the time at which time alone changes something of it, and
//! by whether it waits for its turn or catches up. Those to which something happened are awake
//! until they have said what they have to say (decision 0087).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    input::LinkId,
    link::{Link, Phase},
};
use crate::id::DeviceId;

/// Every conversation of one node.
pub(super) struct Links {
    own: DeviceId,
    all: BTreeMap<LinkId, Box<Held>>,
    by_device: BTreeSet<(DeviceId, LinkId)>,
    due: BTreeSet<(u64, LinkId)>,
    waiting: BTreeSet<LinkId>,
    catching_up: BTreeSet<(u64, LinkId)>,
    awake: BTreeSet<LinkId>,
}

/// A conversation, which never moves in memory: it is large.
struct Held {
    link: Link,
    noted: Noted,
}

/// Under what a conversation is found.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Noted {
    due_ms: Option<u64>,
    is_waiting: bool,
    catches_up_until_ms: Option<u64>,
}

impl Links {
    /// None yet, of the device `own`.
    pub(super) const fn of(own: DeviceId) -> Self {
        Self {
            own,
            all: BTreeMap::new(),
            by_device: BTreeSet::new(),
            due: BTreeSet::new(),
            waiting: BTreeSet::new(),
            catching_up: BTreeSet::new(),
            awake: BTreeSet::new(),
        }
    }

    /// Another conversation. It is awake.
    pub(super) fn insert(&mut self, link: Link) {
        let id = link.id;
        self.by_device.insert((link.device, id));
        let noted = Noted::default();
        self.all.insert(id, Box::new(Held { link, noted }));
        self.wake(id);
        self.work(id, |_| ());
    }

    /// A conversation is over.
    pub(super) fn remove(&mut self, id: LinkId) -> Option<Link> {
        let Held { link, noted } = *self.all.remove(&id)?;
        self.by_device.remove(&(link.device, id));
        self.awake.remove(&id);
        self.note(id, noted, Noted::default());
        Some(link)
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.all.get(&id).map(|held| &held.link)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.all.values().map(|held| &held.link)
    }

    pub(super) fn ids(&self) -> Vec<LinkId> {
        self.all.keys().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many there are after one of them.
    pub(super) fn len_after(&self, id: LinkId) -> usize {
        use std::ops::Bound::{Excluded, Unbounded};
        self.all.range((Excluded(id), Unbounded)).count()
    }

    /// Works on a conversation, and notes under what it is found then.
    pub(super) fn work<T>(&mut self, id: LinkId, work: impl FnOnce(&mut Link) -> T) -> Option<T> {
        let held = self.all.get_mut(&id)?;
        let done = work(&mut held.link);
        let now = Noted::of(&held.link, self.own);
        let before = std::mem::replace(&mut held.noted, now);
        self.note(id, before, now);
        Some(done)
    }

    /// The first of the conversations with a device.
    pub(super) fn with(&self, device: &DeviceId) -> Option<&Link> {
        let first = self.by_device.range((*device, LinkId(0))..).next();
        let (of, id) = first?;
        (of == device).then(|| self.get(*id))?
    }

    /// The first of those that wait for their turn to begin.
    pub(super) fn first_waiting(&self) -> Option<LinkId> {
        self.waiting.first().copied()
    }

    /// How many have begun and are still catching up; one that takes very long keeps others waiting
    /// no longer.
    pub(super) fn catching_up(&self, now_ms: u64) -> usize {
        let from = (now_ms.saturating_add(1), LinkId(0));
        self.catching_up.range(from..).count()
    }

    /// Something happened to a conversation.
    pub(super) fn wake(&mut self, id: LinkId) {
        if self.all.contains_key(&id) {
            self.awake.insert(id);
        }
    }

    /// Something happened that may concern each.
    pub(super) fn wake_all(&mut self) {
        self.awake.extend(self.all.keys());
    }

    /// Wakes those of which time has changed something, and says which they are.
    pub(super) fn wake_due(&mut self, now_ms: u64) -> BTreeSet<LinkId> {
        let due = self.due.range(..=(now_ms, LinkId(u64::MAX)));
        let due: BTreeSet<_> = due.map(|(_, id)| *id).collect();
        self.awake.extend(&due);
        due
    }

    /// Those that are awake; from then on they are not.
    pub(super) fn take_awake(&mut self) -> BTreeSet<LinkId> {
        std::mem::take(&mut self.awake)
    }

    /// When time next changes something of one of them.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| *due_ms)
    }

    fn note(&mut self, id: LinkId, before: Noted, now: Noted) {
        if before == now {
            return;
        }
        move_between(&mut self.due, id, before.due_ms, now.due_ms);
        let until = (before.catches_up_until_ms, now.catches_up_until_ms);
        move_between(&mut self.catching_up, id, until.0, until.1);
        if now.is_waiting {
            self.waiting.insert(id);
        } else {
            self.waiting.remove(&id);
        }
    }
}

impl Noted {
    fn of(link: &Link, own: DeviceId) -> Self {
        let times = [link.deadline_ms(), link.compare_ms(own), link.turns_ms()];
        Self {
            due_ms: times.into_iter().flatten().min(),
            is_waiting: link.phase == Phase::Waiting,
            catches_up_until_ms: link.catches_up_until_ms(),
        }
    }
}

fn move_between(
    set: &mut BTreeSet<(u64, LinkId)>,
    id: LinkId,
    before_ms: Option<u64>,
    now_ms: Option<u64>,
) {
    if before_ms != now_ms {
        if let Some(before_ms) = before_ms {
            set.remove(&(before_ms, id));
        }
        set.extend(now_ms.map(|now_ms| (now_ms, id)));
    }
}
