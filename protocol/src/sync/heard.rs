//! A frame as it is understood: decoded, with every signature, hash and bound of what it carries
//! checked. That follows from its bytes alone, so a shell may have it done beside the engine.

use std::collections::BTreeMap;

use super::message::{Carried, KeptBack, Kind, Message, NotTaken, OfRecord};
use crate::{
    codec,
    id::RecordId,
    intake,
    limits::ITEMS_MAX,
    logs::{Event, LogId},
    record::Weighed,
    signed::Verified,
};

/// A frame that came. One that says nothing that belongs here ends the conversation when its turn
/// comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub(super) len: usize,
    pub(super) word: Option<Word>,
    /// As it came, for a trace.
    #[cfg(feature = "trace")]
    pub(super) frame: Vec<u8>,
}

/// What is said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Anything but content and rights.
    Said(Message),
    /// Content and rights.
    Parcel(Parcel),
}

/// Content and rights that are taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    pub(super) through: u64,
    /// Events of the logs of people, each once: they come with every record that names them.
    pub(super) people: Vec<Verified<Event>>,
    pub(super) batches: Vec<(RecordId, Sound)>,
}

/// What of a batch holds, each with its place in the parcel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sound {
    /// Of the record's own logs.
    pub(super) events: Vec<(u32, Verified<Event>)>,
    pub(super) parts: Vec<(u32, Vec<u8>)>,
    pub(super) entries: Vec<(u32, Weighed)>,
    pub(super) kept_back: Vec<KeptBack>,
}

/// Something that came: in which batch of the parcel, at which place in the parcel, and its bytes.
type Came = (usize, u32, Vec<u8>);

impl Heard {
    /// Reads a frame of somebody with whom a conversation goes on.
    pub fn read(frame: &[u8]) -> Self {
        let said = codec::decode(frame).ok();
        let word = if let Some(Message::Items { through, batches }) = said {
            Parcel::of(through, batches).map(Word::Parcel)
        } else {
            said.map(Word::Said)
        };
        Self::of(frame, word)
    }

    /// Reads a frame of somebody from whom no content is taken yet: nothing that it carries is
    /// worth a look.
    pub(super) fn read_words(frame: &[u8]) -> Self {
        let said = codec::decode(frame).ok();
        let word = said.filter(|said| !matches!(said, Message::Items { .. }));
        Self::of(frame, word.map(Word::Said))
    }

    fn of(frame: &[u8], word: Option<Word>) -> Self {
        Self {
            len: frame.len(),
            word,
            #[cfg(feature = "trace")]
            frame: frame.to_vec(),
        }
    }
}

impl Parcel {
    /// Nothing where there is more than a parcel may hold.
    fn of(through: u64, batches: Vec<OfRecord>) -> Option<Self> {
        if batches.iter().map(|batch| batch.items.len()).sum::<usize>() > ITEMS_MAX {
            return None;
        }
        let mut parcel = Self {
            through,
            people: Vec::new(),
            batches: Vec::with_capacity(batches.len()),
        };
        let mut places = 0..;
        let (mut events, mut entries) = (Vec::new(), Vec::new());
        for (nth_batch, batch) in batches.into_iter().enumerate() {
            let mut sound = Sound::default();
            // In this order: the place that no item is left for is the next batch's first.
            for (Carried { kind, bytes }, nth) in batch.items.into_iter().zip(places.by_ref()) {
                match kind {
                    Kind::Event => events.push((nth_batch, nth, bytes)),
                    Kind::Entry => entries.push((nth_batch, nth, bytes)),
                    Kind::Part => sound.parts.push((nth, bytes)),
                }
            }
            parcel.batches.push((batch.record, sound));
        }
        parcel.hear_events(&events);
        parcel.hear_entries(entries);
        for (_, sound) in &mut parcel.batches {
            sound.kept_back.sort_unstable_by_key(|kept| kept.nth);
        }
        Some(parcel)
    }

    /// Events come with every record that they decide about: each is checked once.
    fn hear_events(&mut self, events: &[Came]) {
        let mut checked: BTreeMap<_, Option<Verified<Event>>> = BTreeMap::new();
        for (_, _, bytes) in events {
            checked.entry(bytes.as_slice()).or_default();
        }
        let heard = intake::events(checked.keys().copied());
        for (slot, event) in checked.values_mut().zip(heard) {
            *slot = event.ok();
        }
        for (nth_batch, nth, bytes) in events {
            let (_, sound) = &mut self.batches[*nth_batch];
            match checked.get(bytes.as_slice()).cloned().flatten() {
                None => sound.keep_back(*nth, NotTaken::Unsound),
                Some(event) if is_of_people(&event) => {}
                Some(event) => sound.events.push((*nth, event)),
            }
        }
        self.people = checked
            .into_values()
            .flatten()
            .filter(is_of_people)
            .collect();
    }

    fn hear_entries(&mut self, entries: Vec<Came>) {
        let heard = intake::entries(entries.iter().map(|(_, _, bytes)| bytes.as_slice()));
        for ((nth_batch, nth, bytes), entry) in entries.into_iter().zip(heard) {
            let (_, sound) = &mut self.batches[nth_batch];
            match entry {
                Ok(entry) => sound.entries.push((nth, Weighed::of(entry, bytes))),
                Err(_) => sound.keep_back(nth, NotTaken::Unsound),
            }
        }
    }
}

fn is_of_people(event: &Verified<Event>) -> bool {
    match event.value().log {
        LogId::Principal(_) => true,
        LogId::Core(_) | LogId::Label(..) => false,
    }
}

impl Sound {
    pub(super) fn keep_back(&mut self, nth: u32, why: NotTaken) {
        self.kept_back.push(KeptBack { nth, why });
    }
}

#[cfg(test)]
mod tests {
    use super::{Carried, Heard, Kind, Message, NotTaken, OfRecord, Word};
    use crate::{
        codec,
        id::RecordId,
        identity::SecretKey,
        signed::{Verified, tests::event},
    };

    /// The beginning of somebody's log.
    fn of_people(seed: u8) -> Vec<u8> {
        let key = SecretKey::from_seed([seed; 32]);
        Verified::sign(event(&key), &key).bytes().to_vec()
    }

    #[test]
    fn what_does_not_hold_is_kept_back_in_its_place_and_people_are_heard_once() {
        let mut damaged = of_people(3);
        *damaged.last_mut().expect("a signature") ^= 1;
        let carried = |(kind, bytes): (Kind, &[u8])| Carried {
            kind,
            bytes: bytes.to_vec(),
        };
        let batch = |record, items: &[(Kind, &[u8])]| OfRecord {
            record: RecordId::from_bytes([record; 32]),
            items: items.iter().copied().map(carried).collect(),
        };
        let (one, two) = (of_people(1), of_people(2));
        let batches = vec![
            batch(
                7,
                &[
                    (Kind::Entry, b"none"),
                    (Kind::Event, &damaged),
                    (Kind::Event, &one),
                ],
            ),
            batch(
                8,
                &[
                    (Kind::Event, &one),
                    (Kind::Part, b"part"),
                    (Kind::Event, &damaged),
                    (Kind::Event, &two),
                ],
            ),
        ];
        let through = 5;
        let heard = Heard::read(&codec::encode(&Message::Items { through, batches }));
        let Some(Word::Parcel(parcel)) = heard.word else {
            panic!("a parcel was sent");
        };
        let mut people: Vec<_> = parcel.people.iter().map(Verified::bytes).collect();
        people.sort_unstable();
        let mut sent = [one.as_slice(), two.as_slice()];
        sent.sort_unstable();
        assert_eq!(people, sent);
        let kept_back = |nth_batch: usize| {
            let (_, sound) = &parcel.batches[nth_batch];
            let kept_back = sound.kept_back.iter().map(|kept| (kept.nth, kept.why));
            kept_back.collect::<Vec<_>>()
        };
        assert_eq!(
            kept_back(0),
            [(0, NotTaken::Unsound), (1, NotTaken::Unsound)]
        );
        assert_eq!(kept_back(1), [(5, NotTaken::Unsound)]);
        assert_eq!(parcel.batches[1].1.parts, [(4, b"part".to_vec())]);
    }
}
