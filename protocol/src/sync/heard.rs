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
        let mut people = BTreeMap::new();
        let mut places = 0..;
        let batches = batches
            .into_iter()
            .map(|batch| {
                let items = places.by_ref().zip(batch.items);
                (batch.record, Sound::of(items, &mut people))
            })
            .collect();
        Some(Self {
            through,
            people: people.into_values().collect(),
            batches,
        })
    }
}

impl Sound {
    fn of(
        items: impl Iterator<Item = (u32, Carried)>,
        people: &mut BTreeMap<Vec<u8>, Verified<Event>>,
    ) -> Self {
        let mut sound = Self::default();
        for (nth, Carried { kind, bytes }) in items {
            let holds = match kind {
                Kind::Event => sound.hears_event(nth, bytes, people),
                Kind::Entry => match intake::entry(&bytes) {
                    Ok(entry) => {
                        sound.entries.push((nth, Weighed::of(entry, bytes)));
                        true
                    }
                    Err(_) => false,
                },
                Kind::Part => {
                    sound.parts.push((nth, bytes));
                    true
                }
            };
            if !holds {
                sound.keep_back(nth, NotTaken::Unsound);
            }
        }
        sound
    }

    fn hears_event(
        &mut self,
        nth: u32,
        bytes: Vec<u8>,
        people: &mut BTreeMap<Vec<u8>, Verified<Event>>,
    ) -> bool {
        if people.contains_key(&bytes) {
            return true;
        }
        let Ok(event) = intake::event(&bytes) else {
            return false;
        };
        match event.value().log {
            LogId::Principal(_) => {
                people.insert(bytes, event);
            }
            LogId::Core(_) | LogId::Label(..) => self.events.push((nth, event)),
        }
        true
    }

    pub(super) fn keep_back(&mut self, nth: u32, why: NotTaken) {
        self.kept_back.push(KeptBack { nth, why });
    }
}
