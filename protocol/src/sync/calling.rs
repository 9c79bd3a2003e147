//! Whom to call, and when: at once, then after longer and longer waits, never all together.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng;

use crate::{
    id::DeviceId,
    limits::{CALL_APART_MS, CALL_WAIT_FIRST_MS, CALL_WAIT_MAX_MS},
};

/// How one device is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Caller {
    next_ms: u64,
    wait_ms: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Calling,
    Linked,
}

/// Every device that is called.
#[derive(Debug, Default)]
pub(super) struct Calling {
    devices: BTreeMap<DeviceId, Caller>,
    /// Those that are idle, by when they are called next.
    idle: BTreeSet<(u64, DeviceId)>,
}

impl Calling {
    /// These are the devices whose addresses are known.
    pub(super) fn know(&mut self, devices: &BTreeSet<DeviceId>, now_ms: u64) {
        let left = |(device, caller): (&DeviceId, &Caller)| {
            let stays = devices.contains(device) || caller.state == State::Linked;
            (!stays).then_some(*device)
        };
        let left: Vec<_> = self.devices.iter().filter_map(left).collect();
        for device in left {
            self.take_out(&device);
        }
        for device in devices {
            if !self.devices.contains_key(device) {
                let caller = Caller {
                    next_ms: now_ms,
                    wait_ms: 0,
                    state: State::Idle,
                };
                self.put(*device, caller);
            }
        }
    }

    /// Devices to be called now.
    pub(super) fn due(&mut self, now_ms: u64) -> BTreeSet<DeviceId> {
        let mut due = BTreeSet::new();
        while let Some((next_ms, device)) = self.idle.first().copied()
            && next_ms <= now_ms
        {
            self.change(&device, |caller| caller.state = State::Calling);
            due.insert(device);
        }
        due
    }

    /// There is a conversation.
    pub(super) fn linked(&mut self, device: &DeviceId) {
        self.change(device, |caller| caller.state = State::Linked);
    }

    /// Both have what they may: the next loss is not held against the device.
    pub(super) fn settled(&mut self, device: &DeviceId) {
        self.change(device, |caller| caller.wait_ms = 0);
    }

    /// It was not reached, or the conversation ended.
    pub(super) fn ended(&mut self, device: &DeviceId, now_ms: u64, rng: &mut impl Rng) {
        self.change(device, |caller| {
            caller.wait_ms = (caller.wait_ms * 2).clamp(CALL_WAIT_FIRST_MS, CALL_WAIT_MAX_MS);
            // Up to half as long again, so that many who lost the same hub come back one by one.
            let jitter = u64::from(rng.next_u32()) % (caller.wait_ms / 2 + 1);
            caller.next_ms = now_ms.saturating_add(caller.wait_ms + jitter);
            caller.state = State::Idle;
        });
    }

    /// There may be a way again where there was none: everyone is called now, many a little apart.
    pub(super) fn hurry(&mut self, now_ms: u64, rng: &mut impl Rng) {
        let spread_ms = self.devices.len() as u64 * CALL_APART_MS;
        let idle = self.idle.iter().map(|(_, device)| *device);
        for device in idle.collect::<BTreeSet<_>>() {
            self.change(&device, |caller| {
                caller.wait_ms = 0;
                caller.next_ms = now_ms + u64::from(rng.next_u32()) % (spread_ms + 1);
            });
        }
    }

    /// Each device that is not connected, with when it is called next; nothing while it is called.
    pub(super) fn away(&self) -> impl Iterator<Item = (DeviceId, Option<u64>)> {
        let away = self
            .devices
            .iter()
            .filter(|(_, caller)| caller.state != State::Linked);
        away.map(|(device, caller)| {
            let is_idle = caller.state == State::Idle;
            (*device, is_idle.then_some(caller.next_ms))
        })
    }

    /// When the next call is due.
    pub(super) fn next_ms(&self) -> Option<u64> {
        self.idle.first().map(|(next_ms, _)| *next_ms)
    }

    fn change(&mut self, device: &DeviceId, change: impl FnOnce(&mut Caller)) {
        if let Some(mut caller) = self.take_out(device) {
            change(&mut caller);
            self.put(*device, caller);
        }
    }

    fn put(&mut self, device: DeviceId, caller: Caller) {
        self.devices.insert(device, caller);
        if caller.state == State::Idle {
            self.idle.insert((caller.next_ms, device));
        }
    }

    fn take_out(&mut self, device: &DeviceId) -> Option<Caller> {
        let caller = self.devices.remove(device)?;
        self.idle.remove(&(caller.next_ms, *device));
        Some(caller)
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::{CALL_APART_MS, CALL_WAIT_FIRST_MS, CALL_WAIT_MAX_MS, Calling, DeviceId};

    fn device(n: u8) -> DeviceId {
        DeviceId::from_bytes([n; 32])
    }

    #[test]
    fn waits_grow_to_their_bound_and_differ() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut calling = Calling::default();
        calling.know(&[device(1), device(2)].into(), 0);
        let mut now_ms = 0;
        let mut waits = Vec::new();
        for _ in 0..12 {
            for due in calling.due(now_ms) {
                calling.ended(&due, now_ms, &mut rng);
            }
            let next: Vec<_> = calling.away().filter_map(|(_, next_ms)| next_ms).collect();
            let latest = next.iter().copied().max().unwrap_or(0);
            waits.push(latest - now_ms);
            assert_ne!(next[0], next[1], "nobody calls at the same moment");
            now_ms = latest;
        }
        assert!(waits[0] >= CALL_WAIT_FIRST_MS);
        assert!(waits.iter().all(|wait| *wait <= CALL_WAIT_MAX_MS * 3 / 2));
        assert!(waits.last().is_some_and(|wait| *wait >= CALL_WAIT_MAX_MS));
    }

    #[test]
    fn a_device_that_called_while_it_was_called_is_called_again_when_it_has_gone() {
        // The shell says nothing of its own call then.
        let mut rng = ChaCha20Rng::from_seed([3; 32]);
        let mut calling = Calling::default();
        calling.know(&[device(1)].into(), 0);
        assert_eq!(calling.due(0), [device(1)].into());
        calling.linked(&device(1));
        assert_eq!(calling.away().count(), 0);
        assert!(calling.due(CALL_WAIT_MAX_MS).is_empty());
        calling.ended(&device(1), CALL_WAIT_MAX_MS, &mut rng);
        assert_eq!(calling.due(2 * CALL_WAIT_MAX_MS), [device(1)].into());
    }

    #[test]
    fn after_sleep_everyone_is_called_whatever_the_wait_was() {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let mut calling = Calling::default();
        let all = (0..20).map(device).collect();
        calling.know(&all, 0);
        for _ in 0..10 {
            for due in calling.due(u64::MAX / 2) {
                calling.ended(&due, 1_000_000, &mut rng);
            }
        }
        assert!(calling.due(1_000_001).is_empty());
        calling.hurry(1_000_001, &mut rng);
        let all_by_ms = 1_000_001 + 20 * CALL_APART_MS;
        assert_eq!(calling.due(all_by_ms).len(), 20);
    }
}
