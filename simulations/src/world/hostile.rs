//! What somebody does to the frames of an engine that is otherwise honest.

use kith_protocol::{
    codec,
    id::RecordId,
    store::Store,
    sync::{Carried, Message, OfRecord},
};
use rand_core::Rng;

use super::{HostId, World};
use crate::host::with_other_payload;

/// What a host does to what its engine says.
#[derive(Clone, Debug)]
pub enum Misdeed {
    /// It keeps every batch back and says that nothing is missing.
    Withholds,
    /// It flips a bit in something signed.
    Flips,
    /// It puts other content beside a signed header.
    Swaps,
    /// It says every batch twice.
    Doubles,
    /// It adds these to its batches of this record.
    Adds(RecordId, Vec<Carried>),
}

impl World {
    /// From now on a host does this to what its engine says; nothing for an honest one.
    pub fn set_misdeed(&mut self, host: HostId, misdeed: Option<Misdeed>) {
        match misdeed {
            Some(misdeed) => self.misdeeds.insert(host, misdeed),
            None => self.misdeeds.remove(&host),
        };
    }

    /// What leaves a host instead of a frame of its engine.
    pub(super) fn as_said(&mut self, host: HostId, frame: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(misdeed) = self.misdeeds.get(&host) else {
            return vec![frame];
        };
        let Ok(Message::Items {
            through,
            mut batches,
        }) = codec::decode(&frame)
        else {
            return vec![frame];
        };
        let draw = self.rng.next_u32() as usize;
        match misdeed {
            Misdeed::Withholds => return vec![codec::encode(&Message::Through { through })],
            Misdeed::Doubles => return vec![frame.clone(), frame],
            Misdeed::Flips => flip(one_of(&mut batches, draw), draw),
            Misdeed::Swaps => swap(one_of(&mut batches, draw)),
            Misdeed::Adds(of, more) => {
                let batch = batches.iter_mut().find(|batch| batch.record == *of);
                if let Some(batch) = batch {
                    batch.items.extend(more.iter().cloned());
                }
            }
        }
        vec![codec::encode(&Message::Items { through, batches })]
    }
}

/// The items of one of the batches.
fn one_of(batches: &mut [OfRecord], draw: usize) -> &mut [Carried] {
    match draw.checked_rem(batches.len()) {
        Some(nth) => &mut batches[nth].items,
        None => &mut [],
    }
}

fn flip(items: &mut [Carried], draw: usize) {
    let Some(nth) = draw.checked_rem(items.len()) else {
        return;
    };
    let bytes = &mut items[nth].bytes;
    if let Some(at) = (draw / 7).checked_rem(bytes.len()) {
        bytes[at] ^= 1 << (draw % 8);
    }
}

fn swap(items: &mut [Carried]) {
    for item in items {
        if let Some(bytes) = with_other_payload(&item.bytes) {
            item.bytes = bytes;
        }
    }
}

impl World {
    /// Somebody whom nobody knows calls a host, says hello and shows its principal's log; what it
    /// hears.
    pub fn stranger_calls(&mut self, to: HostId) -> Vec<Message> {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let stranger = crate::host::Host::new(seed, self.now_ms());
        let principal = stranger.whoever().principal;
        let log = stranger.disk.principal_log(&principal);
        let log = log.iter().flat_map(|log| log.iter());
        let log = log.map(|event| serde_bytes::ByteBuf::from(event.bytes().to_vec()));
        let introduction = Message::Introduction { log: log.collect() };
        let hello = Message::Hello {
            version: kith_protocol::sync::SYNC_VERSION,
            features: 0,
            journal: kith_protocol::sync::JournalId([2; 16]),
            held: None,
        };
        let wire = self.script_as(stranger.device(), to);
        for word in [
            &hello,
            &introduction,
            &hello,
            &Message::Ready { resumes: true },
        ] {
            self.run_for(100);
            self.say(wire, codec::encode(word));
        }
        self.run_for(2_000);
        let heard = self.heard(wire);
        heard
            .iter()
            .filter_map(|frame| codec::decode(frame).ok())
            .collect()
    }
}
