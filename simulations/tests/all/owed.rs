//! What somebody holds and may not read is owed to those who may: it goes when both may have it.

use kith_protocol::{
    codec,
    consent::grant::Actions,
    id::{EventId, RecordId},
    sync::{Kind, Message},
};
use kith_simulations::{HostId, Share, Sight, World, document_named};

const A_WHILE: u64 = 10 * 60_000;
const HOUR_MS: u64 = 60 * 60_000;

struct Stopped {
    world: World,
    practice: HostId,
    hospital: HostId,
    record: RecordId,
}

impl Stopped {
    /// The practice shared plans and letters with the hospital, wrote a plan, stopped the share and
    /// goes on from a copy of its disk from before it wrote: where `lost`, for else it goes on as
    /// it was.
    fn new(seed: u64, lost: bool) -> Self {
        let mut world = World::new(seed);
        let (practice, hospital) = (world.host(), world.host());
        let record = world.record(practice);
        let sights = [Sight::sees("plans:general"), Sight::sees("letters:general")];
        let grants = world.share(practice, record, hospital, &sights);
        world.run_for(A_WHILE);
        let copy = world.at(practice).disk.clone();
        assert!(world.write(practice, record, "plans:general", "for care at home"));
        world.run_for(A_WHILE);
        world.stop(practice, record, &grants);
        world.run_for(A_WHILE);
        if lost {
            world.crash(practice);
            world.restore(practice, copy);
            world.run_for(A_WHILE);
        }
        Self {
            world,
            practice,
            hospital,
            record,
        }
    }

    fn texts(&mut self) -> Vec<String> {
        self.world.texts(self.practice, self.record)
    }

    /// The practice shares a document with the hospital from a time on.
    fn shares(&mut self, document: &str, from_ms: u64) -> Vec<EventId> {
        let document = document_named(document);
        let share = Share {
            audience: self.world.at(self.hospital).whoever().principal,
            label: document.label,
            sections: vec![document.section],
            actions: Actions::READ,
            from_ms,
            until_ms: None,
            depth: 0,
            under: None,
        };
        let (practice, record, hospital) = (self.practice, self.record, self.hospital);
        let done = self.world.give(practice, record, hospital, &share);
        assert!(done.is_kept());
        kith_simulations::event_of(&done).into_iter().collect()
    }

    /// Entries on their way from the hospital to the practice.
    fn given_back(&self) -> usize {
        let frames = self.world.frames.iter();
        let frames = frames.filter(|(from, to, _)| (*from, *to) == (self.hospital, self.practice));
        let entries = frames.map(|(.., frame)| {
            let Ok(Message::Items { batches, .. }) = codec::decode(frame) else {
                return 0;
            };
            let items = batches.iter().flat_map(|batch| batch.items.iter());
            items.filter(|item| item.kind == Kind::Entry).count()
        });
        entries.sum()
    }
}

#[test]
fn what_a_restored_node_lost_comes_back_when_a_share_begins_again() {
    let mut s = Stopped::new(61, true);
    assert!(s.texts().is_empty(), "the hospital may not give it now");
    let now = s.world.clock_ms(s.practice);
    s.shares("plans:general", now);
    s.world.run_for(A_WHILE);
    assert_eq!(s.texts(), ["for care at home"]);
    // And once.
    s.world.frames.clear();
    s.world.crash(s.hospital);
    s.world.restart(s.hospital);
    let later = s.world.clock_ms(s.practice);
    s.shares("letters:general", later);
    s.world.run_for(A_WHILE);
    assert_eq!(s.given_back(), 0);
}

#[test]
fn it_comes_back_when_time_alone_begins_the_share() {
    let mut s = Stopped::new(62, true);
    let from = s.world.clock_ms(s.practice) + 2 * HOUR_MS;
    s.shares("plans:general", from);
    s.world.run_for(HOUR_MS);
    assert!(s.texts().is_empty(), "the share has not begun");
    s.world.run_for(HOUR_MS + A_WHILE);
    assert_eq!(s.texts(), ["for care at home"]);
}

#[test]
fn it_comes_back_after_another_part_was_shared_and_everybody_was_down() {
    let mut s = Stopped::new(63, true);
    let now = s.world.clock_ms(s.practice);
    s.shares("letters:general", now);
    s.world.run_for(A_WHILE);
    assert!(s.texts().is_empty(), "of plans nothing is shared");
    for host in [s.practice, s.hospital] {
        s.world.crash(host);
    }
    s.world.restart(s.practice);
    let later = s.world.clock_ms(s.practice);
    s.shares("plans:general", later);
    s.world.restart(s.hospital);
    s.world.run_for(A_WHILE);
    assert_eq!(s.texts(), ["for care at home"]);
}

#[test]
fn a_new_device_of_whoever_controls_the_record_gets_it_too() {
    let mut s = Stopped::new(64, true);
    let phone = s.world.second_device(s.practice);
    s.world.run_for(A_WHILE);
    let now = s.world.clock_ms(s.practice);
    s.world.cut(s.practice, phone);
    s.shares("plans:general", now);
    s.world.run_for(A_WHILE);
    let texts = s.world.texts(phone, s.record);
    assert_eq!(texts, ["for care at home"]);
}

#[test]
fn who_lost_nothing_is_given_nothing_back() {
    let mut s = Stopped::new(65, false);
    // Both compare each day, also while nothing is shared.
    s.world.run_for(26 * HOUR_MS);
    s.world.frames.clear();
    let now = s.world.clock_ms(s.practice);
    s.shares("plans:general", now);
    s.world.run_for(A_WHILE);
    assert_eq!(s.given_back(), 0);
}
