//! Whom to call, and when: at once, then after longer and longer waits, never all together.

use std::collections::BTreeMap;

use rand_core::Rng;

use crate::{
    id::DeviceId,
    limits::{CALL_WAIT_FIRST_MS, CALL_WAIT_MAX_MS},
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
}

impl Calling {
    /// These are the devices whose addresses are known.
    pub(super) fn know(&mut self, devices: &[DeviceId], now_ms: u64) {
        self.devices
            .retain(|device, caller| devices.contains(device) || caller.state == State::Linked);
        for device in devices {
            self.devices.entry(*device).or_insert(Caller {
                next_ms: now_ms,
                wait_ms: 0,
                state: State::Idle,
            });
        }
    }

    /// Devices to be called now.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<DeviceId> {
        let is_due = |caller: &Caller| caller.state == State::Idle && caller.next_ms <= now_ms;
        let mut due = Vec::new();
        for (device, caller) in &mut self.devices {
            if is_due(caller) {
                caller.state = State::Calling;
                due.push(*device);
            }
        }
        due
    }

    /// There is a conversation.
    pub(super) fn linked(&mut self, device: &DeviceId) {
        if let Some(caller) = self.devices.get_mut(device) {
            caller.state = State::Linked;
        }
    }

    /// Both have what they may: the next loss is not held against the device.
    pub(super) fn settled(&mut self, device: &DeviceId) {
        if let Some(caller) = self.devices.get_mut(device) {
            caller.wait_ms = 0;
        }
    }

    /// It was not reached, or the conversation ended.
    pub(super) fn ended(&mut self, device: &DeviceId, now_ms: u64, rng: &mut impl Rng) {
        if let Some(caller) = self.devices.get_mut(device) {
            caller.wait_ms = (caller.wait_ms * 2).clamp(CALL_WAIT_FIRST_MS, CALL_WAIT_MAX_MS);
            // Up to half as long again, so that many who lost the same hub come back one by one.
            let jitter = u64::from(rng.next_u32()) % (caller.wait_ms / 2 + 1);
            caller.next_ms = now_ms.saturating_add(caller.wait_ms + jitter);
            caller.state = State::Idle;
        }
    }

    /// When the next call is due.
    pub(super) fn next_ms(&self) -> Option<u64> {
        self.devices
            .values()
            .filter(|caller| caller.state == State::Idle)
            .map(|caller| caller.next_ms)
            .min()
    }
}
