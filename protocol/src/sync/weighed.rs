//! What records weigh in comparisons, kept while nothing changes.
//!
//! Two nodes compare once a day all that they have in common. To find out what of a record both may
//! have takes its rights, twice; what comes of it is a few sums, which are the same the next day
//! unless something came into the record, somebody's devices changed, or a share began or ended.
//! They are kept for as long as the engine runs, whichever conversations come and go, within a
//! bound (decision 0087).

use std::collections::BTreeMap;

use super::{ranges::Key, view::Scope};
use crate::{
    codec,
    id::{DeviceId, PrincipalId, RecordId},
    limits::{WEIGHED_PLACES_MAX, WEIGHED_RECORDS_MAX},
};

/// What of a record both this node and a peer may have.
#[derive(Clone)]
pub(super) struct Weight {
    /// When time alone next changes what the peer reaches.
    pub(super) turns_ms: Option<u64>,
    /// When time alone next changes what either of the two reaches: until then it holds.
    pub(super) until_ms: Option<u64>,
    /// Each place with the sum of what is in it.
    pub(super) places: Vec<(Key, Key)>,
    /// For whom, with which scope.
    whose: [u8; 16],
}

impl Weight {
    /// For whoever is the principal of the device, with the times that next change what they and
    /// what this node reach.
    pub(super) fn of(
        whose: (PrincipalId, &Scope),
        places: Vec<(Key, Key)>,
        turns_ms: [Option<u64>; 2],
    ) -> Self {
        Self {
            turns_ms: turns_ms[0],
            until_ms: turns_ms.into_iter().flatten().min(),
            places,
            whose: short(whose),
        }
    }

    /// Whether it was found out for this principal, with this scope.
    pub(super) fn is_of(&self, whose: (PrincipalId, &Scope)) -> bool {
        self.whose == short(whose)
    }
}

/// What this node itself may have of a record, as far as comparisons ask.
#[derive(Clone, Default)]
pub(super) struct Own {
    /// Whether something of it is shared with it now.
    pub(super) is_live: bool,
    /// How much of it.
    pub(super) scope: Scope,
    /// When time alone next changes what it reaches.
    pub(super) turns_ms: Option<u64>,
}

/// What is kept, by record and by the device of the peer.
#[derive(Default)]
pub(super) struct Weighed {
    kept: BTreeMap<(RecordId, DeviceId), Weight>,
    places: usize,
    own: BTreeMap<RecordId, Own>,
}

impl Weighed {
    /// What a record weighs for a peer, where that is known and holds at this time.
    pub(super) fn get(&self, record: RecordId, device: DeviceId, now_ms: u64) -> Option<&Weight> {
        let weight = self.kept.get(&(record, device));
        weight.filter(|weight| weight.until_ms.is_none_or(|until_ms| now_ms < until_ms))
    }

    /// Keeps it while there is room. What is there stays rather than that each is pushed out
    /// before it is of use.
    pub(super) fn keep(&mut self, record: RecordId, device: DeviceId, weight: Weight) {
        self.take_out(&(record, device));
        if self.places + weight.places.len() <= WEIGHED_PLACES_MAX {
            self.places += weight.places.len();
            self.kept.insert((record, device), weight);
        }
    }

    /// What this node may have of a record, where that is known and holds at this time.
    pub(super) fn own(&self, record: RecordId, now_ms: u64) -> Option<&Own> {
        let own = self.own.get(&record);
        own.filter(|own| own.turns_ms.is_none_or(|turns_ms| now_ms < turns_ms))
    }

    /// Keeps it while there is room.
    pub(super) fn keep_own(&mut self, record: RecordId, own: Own) {
        self.own.remove(&record);
        if self.own.len() < WEIGHED_RECORDS_MAX {
            self.own.insert(record, own);
        }
    }

    /// Something came into a record.
    pub(super) fn forget(&mut self, record: RecordId) {
        self.own.remove(&record);
        let (first, last) = ([0; 32], [u8::MAX; 32]);
        let of = (record, DeviceId::from_bytes(first))..=(record, DeviceId::from_bytes(last));
        let known: Vec<_> = self.kept.range(of).map(|(key, _)| *key).collect();
        for key in known {
            self.take_out(&key);
        }
    }

    /// Somebody is not who they were.
    pub(super) fn forget_peer(&mut self, device: DeviceId) {
        let of = self.kept.keys().filter(|(_, of)| *of == device);
        for key in of.copied().collect::<Vec<_>>() {
            self.take_out(&key);
        }
    }

    /// Something came in on which everything may hang.
    pub(super) fn forget_all(&mut self) {
        self.kept.clear();
        self.own.clear();
        self.places = 0;
    }

    fn take_out(&mut self, key: &(RecordId, DeviceId)) {
        if let Some(weight) = self.kept.remove(key) {
            self.places -= weight.places.len();
        }
    }
}

fn short(whose: (PrincipalId, &Scope)) -> [u8; 16] {
    let mut short = [0; 16];
    let hash = blake3::hash(&codec::encode(&whose));
    short.copy_from_slice(&hash.as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::{DeviceId, PrincipalId, RecordId, Scope, WEIGHED_PLACES_MAX, Weighed, Weight};

    fn record(n: u8) -> RecordId {
        RecordId::from_bytes([n; 32])
    }

    fn device(n: u8) -> DeviceId {
        DeviceId::from_bytes([n; 32])
    }

    fn weight(places: usize, turns_ms: [Option<u64>; 2]) -> Weight {
        let whose = PrincipalId::from_bytes([7; 32]);
        let places = vec![([1; 32], [2; 32]); places];
        Weight::of((whose, &Scope::default()), places, turns_ms)
    }

    #[test]
    fn it_holds_until_time_changes_what_either_reaches() {
        let mut weighed = Weighed::default();
        weighed.keep(record(1), device(1), weight(3, [Some(90), Some(70)]));
        let turns_ms = |now_ms| {
            let weight = weighed.get(record(1), device(1), now_ms);
            weight.map(|weight| weight.turns_ms)
        };
        assert_eq!(turns_ms(69), Some(Some(90)));
        assert_eq!(turns_ms(70), None);
        assert!(weighed.get(record(1), device(2), 0).is_none());
    }

    #[test]
    fn what_came_into_a_record_changes_its_weight_for_everybody() {
        let mut weighed = Weighed::default();
        for (of, whose) in [(1, 1), (1, 255), (2, 1), (2, 0)] {
            weighed.keep(record(of), device(whose), weight(1, [None; 2]));
        }
        weighed.forget(record(1));
        assert!(weighed.get(record(1), device(1), 0).is_none());
        assert!(weighed.get(record(1), device(255), 0).is_none());
        weighed.forget_peer(device(1));
        assert!(weighed.get(record(2), device(1), 0).is_none());
        assert!(weighed.get(record(2), device(0), 0).is_some());
        weighed.forget_all();
        assert!(weighed.get(record(2), device(0), 0).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded_and_room_comes_back() {
        let mut weighed = Weighed::default();
        let half = WEIGHED_PLACES_MAX / 2;
        for n in 0..4 {
            weighed.keep(record(n), device(1), weight(half, [None; 2]));
        }
        let kept = |weighed: &Weighed| {
            let kept = (0..4).filter(|n| weighed.get(record(*n), device(1), 0).is_some());
            kept.collect::<Vec<_>>()
        };
        assert_eq!(kept(&weighed), [0, 1]);
        weighed.forget(record(0));
        weighed.keep(record(3), device(1), weight(half, [None; 2]));
        assert_eq!(kept(&weighed), [1, 3]);
        weighed.keep(record(3), device(1), weight(1, [None; 2]));
        weighed.keep(record(2), device(1), weight(1, [None; 2]));
        assert_eq!(kept(&weighed), [1, 2, 3]);
    }
}
