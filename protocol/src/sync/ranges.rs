//! Finding what differs between two sets without sending either: ranges of keys and fingerprints.
//!
//! Both sides hold a sorted set of (key, weight). Whoever asks sends the fingerprint of the whole;
//! where the other side's differs it splits the range and sends fingerprints of the parts, until a
//! range is small enough to list. Equal sets cost one fingerprint. After Meyer, "Range-Based Set
//! Reconciliation" (2023): the fingerprint is a keyed hash of a sum, so that sums can be kept as
//! sets grow, and nobody who does not know the session's key can prepare two sets that look alike.

use std::{collections::BTreeMap, ops::Range as Indices};

use serde::{Deserialize, Serialize};

use crate::limits::{RANGE_FAN_OUT, RANGE_LIST_MAX, RANGES_MAX};

/// What is compared: 32 bytes that are a hash of something.
pub type Key = [u8; 32];

/// A fingerprint of a range, of use in one session only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(#[serde(with = "crate::codec::array")] [u8; 16]);

/// A sum of hashes, wrapping at 256 bits: in any order, and each can be taken out again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    low: u128,
    high: u128,
}

impl Sum {
    /// Adds a hash.
    pub fn add(&mut self, hash: &Key) {
        let (low, high) = halves(hash);
        let (sum, carry) = self.low.overflowing_add(low);
        self.low = sum;
        self.high = self.high.wrapping_add(high).wrapping_add(u128::from(carry));
    }

    /// Its 32 bytes, least significant first.
    pub fn bytes(&self) -> Key {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.low.to_le_bytes());
        bytes[16..].copy_from_slice(&self.high.to_le_bytes());
        bytes
    }
}

fn halves(hash: &Key) -> (u128, u128) {
    let half = |from: usize| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[from..from + 16]);
        u128::from_le_bytes(bytes)
    };
    (half(0), half(16))
}

/// One range of keys, which reaches from the end of the range before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Where it ends: before every key that is this or begins with it or is greater; nothing for
    /// the last. As short as tells the two keys apart between which it lies.
    pub end: Option<serde_bytes::ByteBuf>,
    /// What is said of it.
    pub said: Said,
}

/// What is said of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// Nothing more is to be said.
    Settled,
    /// What I hold has this fingerprint.
    Fingerprint {
        /// Which.
        of: Fingerprint,
    },
    /// This is all that I hold.
    All {
        /// Which, ascending.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, RANGES_MAX>")]
        held: Vec<Listed>,
    },
    /// Of what you listed, I lack what stands here as you listed it, and have the rest with the
    /// weight that stands here.
    Lack {
        /// Which.
        #[serde(deserialize_with = "crate::codec::at_most::<_, _, RANGES_MAX>")]
        keys: Vec<Listed>,
    },
}

/// A key with the fingerprint of its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listed(
    #[serde(with = "crate::codec::array")] pub Key,
    #[serde(with = "crate::codec::array")] pub [u8; 8],
);

/// What follows from what the other side said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What to say in return; nothing open is in it when everything is found.
    pub reply: Vec<Range>,
    /// Keys that only we have: theirs to be given.
    pub ours: Vec<Key>,
    /// Keys that both have with another weight.
    pub differ: Vec<Key>,
}

/// Ranges that do not ascend, or are more than anyone needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ranges do not ascend, or there are too many of them")]
pub struct Disorder;

/// A set under comparison.
#[derive(Clone, Debug)]
pub struct Set {
    session: Key,
    items: Vec<(Key, Key)>,
}

impl Set {
    /// The set of these keys and weights, for a session with this key.
    pub fn new(session: Key, items: impl IntoIterator<Item = (Key, Key)>) -> Self {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort_unstable();
        items.dedup_by_key(|(key, _)| *key);
        Self { session, items }
    }

    /// The question that begins a comparison.
    pub fn open(&self) -> Vec<Range> {
        let of = self.fingerprint(&(0..self.items.len()));
        vec![Range {
            end: None,
            said: Said::Fingerprint { of },
        }]
    }

    /// What follows from what the other side said.
    pub fn answer(&self, ranges: &[Range]) -> Result<Found, Disorder> {
        ascending(ranges)?;
        let mut found = Found::default();
        let mut from = 0;
        for range in ranges {
            let to = match &range.end {
                Some(end) => {
                    from + self.items[from..].partition_point(|(key, _)| key[..] < end[..])
                }
                None => self.items.len(),
            };
            self.weigh(range, from..to, &mut found);
            from = to;
        }
        Ok(found)
    }

    fn weigh(&self, range: &Range, held: Indices<usize>, found: &mut Found) {
        let said = match &range.said {
            Said::Settled => Said::Settled,
            Said::Lack { keys } => {
                for listed in keys {
                    match self.item(&listed.0) {
                        Some(item) if self.listed(item) == *listed => found.ours.push(item.0),
                        Some(item) => found.differ.push(item.0),
                        None => {}
                    }
                }
                Said::Settled
            }
            Said::Fingerprint { of } if *of == self.fingerprint(&held) => Said::Settled,
            Said::Fingerprint { .. } if held.len() <= RANGE_LIST_MAX => {
                let all = self.items[held].iter().map(|item| self.listed(item));
                Said::All {
                    held: all.collect(),
                }
            }
            Said::Fingerprint { .. } => {
                self.split(range.end.as_ref(), &held, found);
                return;
            }
            Said::All { held: listed } => self.compare(listed, held, found),
        };
        found.say(range.end.clone(), said);
    }

    /// What of a list we lack; notes what they lack and what differs.
    fn compare(&self, listed: &[Listed], held: Indices<usize>, found: &mut Found) -> Said {
        let ours = &self.items[held];
        let mut keys = Vec::new();
        let theirs: BTreeMap<_, _> = listed.iter().map(|listed| (listed.0, *listed)).collect();
        for item in ours {
            let own = self.listed(item);
            match theirs.get(&item.0) {
                None => found.ours.push(item.0),
                Some(listed) if *listed != own => {
                    found.differ.push(item.0);
                    keys.push(own);
                }
                Some(_) => {}
            }
        }
        let holds = |key: &Key| ours.binary_search_by_key(key, |(key, _)| *key).is_ok();
        keys.extend(listed.iter().filter(|listed| !holds(&listed.0)));
        if keys.is_empty() {
            Said::Settled
        } else {
            Said::Lack { keys }
        }
    }

    fn split(&self, end: Option<&serde_bytes::ByteBuf>, held: &Indices<usize>, found: &mut Found) {
        let part_len = held.len().div_ceil(RANGE_FAN_OUT);
        let mut from = held.start;
        while from < held.end {
            let to = (from + part_len).min(held.end);
            let part_end = if to == held.end {
                end.cloned()
            } else {
                Some(between(&self.items[to - 1].0, &self.items[to].0))
            };
            let of = self.fingerprint(&(from..to));
            found.say(part_end, Said::Fingerprint { of });
            from = to;
        }
    }

    fn fingerprint(&self, held: &Indices<usize>) -> Fingerprint {
        let mut sum = Sum::default();
        for (key, weight) in &self.items[held.clone()] {
            sum.add(&keyed(&self.session, key, weight));
        }
        let mut hasher = blake3::Hasher::new_keyed(&self.session);
        hasher.update(&(held.len() as u64).to_be_bytes());
        hasher.update(&sum.bytes());
        Fingerprint(short(&hasher.finalize()))
    }

    fn listed(&self, (key, weight): &(Key, Key)) -> Listed {
        let mut hasher = blake3::Hasher::new_keyed(&self.session);
        hasher.update(weight);
        let mut weight = [0; 8];
        weight.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Listed(*key, weight)
    }

    fn item(&self, key: &Key) -> Option<&(Key, Key)> {
        let at = self.items.binary_search_by_key(key, |(key, _)| *key).ok()?;
        self.items.get(at)
    }
}

impl Found {
    /// Says something of the next range; settled ones beside each other are one.
    fn say(&mut self, end: Option<serde_bytes::ByteBuf>, said: Said) {
        match self.reply.last_mut() {
            Some(last) if last.said == Said::Settled && said == Said::Settled => last.end = end,
            Some(_) | None => self.reply.push(Range { end, said }),
        }
    }
}

/// The shortest bytes that are above `before` and not above `after`.
fn between(before: &Key, after: &Key) -> serde_bytes::ByteBuf {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    serde_bytes::ByteBuf::from(after[..=same.min(31)].to_vec())
}

/// Whether something in these ranges waits for an answer.
pub fn is_open(ranges: &[Range]) -> bool {
    ranges
        .iter()
        .any(|range| !matches!(range.said, Said::Settled))
}

fn keyed(session: &Key, key: &Key, weight: &Key) -> Key {
    let mut hasher = blake3::Hasher::new_keyed(session);
    hasher.update(key);
    hasher.update(weight);
    *hasher.finalize().as_bytes()
}

fn short(hash: &blake3::Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    bytes
}

fn ascending(ranges: &[Range]) -> Result<(), Disorder> {
    let listed: usize = ranges
        .iter()
        .map(|range| match &range.said {
            Said::All { held: listed } | Said::Lack { keys: listed } => listed.len(),
            Said::Settled | Said::Fingerprint { .. } => 1,
        })
        .sum();
    let ordered = ranges
        .windows(2)
        .all(|pair| match (&pair[0].end, &pair[1].end) {
            (Some(first), Some(second)) => first < second,
            (Some(_), None) => true,
            (None, _) => false,
        });
    let whole = ranges.last().is_some_and(|range| range.end.is_none());
    if ordered && whole && listed <= RANGES_MAX {
        Ok(())
    } else {
        Err(Disorder)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::{Key, Range, Set, is_open};
    use crate::codec;

    const SESSION: Key = [9; 32];

    fn key(n: u32) -> Key {
        *blake3::hash(&n.to_be_bytes()).as_bytes()
    }

    fn set(items: &BTreeMap<u32, u8>) -> Set {
        Set::new(
            SESSION,
            items.iter().map(|(n, weight)| (key(*n), [*weight; 32])),
        )
    }

    #[derive(Debug, Default)]
    struct Talked {
        only: [BTreeSet<Key>; 2],
        differ: [BTreeSet<Key>; 2],
        half_trips: usize,
        bytes: usize,
    }

    fn talk(sides: [&Set; 2]) -> Talked {
        let mut talked = Talked::default();
        let mut said: Vec<Range> = sides[0].open();
        let mut turn = 1;
        while is_open(&said) {
            talked.half_trips += 1;
            talked.bytes += codec::encode(&said).len();
            let found = sides[turn].answer(&said).expect("ordered ranges");
            talked.only[turn].extend(found.ours);
            talked.differ[turn].extend(found.differ);
            said = found.reply;
            turn = 1 - turn;
        }
        talked
    }

    fn keys(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<Key> {
        numbers.into_iter().map(key).collect()
    }

    proptest! {
        #[test]
        fn what_differs_is_found_and_nothing_else(
            common in prop::collection::btree_map(0_u32..2000, 0_u8..2, 0..400),
            left in prop::collection::btree_map(2000_u32..3000, 0_u8..2, 0..60),
            right in prop::collection::btree_map(3000_u32..4000, 0_u8..2, 0..60),
            changed in prop::collection::btree_set(0_u32..2000, 0..20),
        ) {
            let mut a = common.clone();
            a.extend(&left);
            let mut b = common.clone();
            b.extend(&right);
            for n in &changed {
                if let Some(weight) = b.get_mut(n) {
                    *weight += 5;
                }
            }
            let talked = talk([&set(&a), &set(&b)]);
            prop_assert_eq!(&talked.only[0], &keys(left.keys().copied()));
            prop_assert_eq!(&talked.only[1], &keys(right.keys().copied()));
            let differ = changed.iter().copied().filter(|n| common.contains_key(n));
            let differ = keys(differ);
            prop_assert_eq!(&talked.differ[0], &differ);
            prop_assert_eq!(&talked.differ[1], &differ);
        }
    }

    #[test]
    fn equal_sets_cost_one_fingerprint() {
        let items: BTreeMap<_, _> = (0..96_000).map(|n| (n, 0)).collect();
        let said = set(&items).open();
        assert!(
            codec::encode(&said).len() <= 32,
            "{}",
            codec::encode(&said).len()
        );
        assert_eq!(talk([&set(&items), &set(&items)]).half_trips, 1);
    }

    #[test]
    fn three_changes_in_96_000_cost_a_few_kilobytes_and_three_round_trips() {
        let items: BTreeMap<_, _> = (0..96_000).map(|n| (n, 0)).collect();
        let mut changed = items.clone();
        for n in [5, 40_000, 90_000] {
            changed.insert(n, 1);
        }
        let talked = talk([&set(&items), &set(&changed)]);
        assert_eq!(talked.differ[0].len(), 3);
        assert!(talked.half_trips <= 6, "{}", talked.half_trips);
        assert!(talked.bytes < 8_000, "{}", talked.bytes);
    }

    #[test]
    fn ranges_out_of_order_are_refused() {
        let items: BTreeMap<_, _> = (0..100).map(|n| (n, 0)).collect();
        let other: BTreeMap<_, _> = (0..99).map(|n| (n, 0)).collect();
        let mut said = set(&items)
            .answer(&set(&other).open())
            .expect("one range")
            .reply;
        assert!(said.len() > 2);
        said.swap(0, 1);
        assert!(set(&other).answer(&said).is_err());
        assert!(set(&other).answer(&[]).is_err());
    }
}
