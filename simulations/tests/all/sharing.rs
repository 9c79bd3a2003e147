//! Sharing, working apart, coming together, stopping.

use kith_protocol::{
    id::RecordId,
    sync::{Message, News},
};
use kith_simulations::{HostId, Sight, World};

/// Long enough for everything that has to be said while nothing is broken.
const A_WHILE: u64 = 30_000;

struct Shared {
    world: World,
    practice: HostId,
    daughter: HostId,
    record: RecordId,
    grants: Vec<kith_protocol::id::EventId>,
}

fn shared(seed: u64, sights: &[&str]) -> Shared {
    let mut world = World::new(seed);
    let (practice, daughter) = (world.host(), world.host());
    let record = world.record(practice);
    assert!(world.write(practice, record, "plans:general", "for care at home"));
    assert!(world.write(practice, record, "medicines:general", "warfarin"));
    assert!(world.write(practice, record, "conditions:sexual-health", "not for her"));
    let sights: Vec<_> = sights.iter().map(|name| Sight::sees(name)).collect();
    let grants = world.share(practice, record, daughter, &sights);
    world.run_for(A_WHILE);
    Shared {
        world,
        practice,
        daughter,
        record,
        grants,
    }
}

impl Shared {
    /// The practice shares more with the daughter.
    fn shares(&mut self, sight: &str) {
        let sights = [Sight::sees(sight)];
        self.world
            .share(self.practice, self.record, self.daughter, &sights);
        self.world.run_for(A_WHILE);
    }
}

#[test]
fn what_is_shared_arrives_and_nothing_else() {
    let mut s = shared(1, &["plans:general", "medicines:general"]);
    assert_eq!(
        s.world.texts(s.daughter, s.record),
        ["for care at home", "warfarin"]
    );
}

#[test]
fn both_work_apart_and_come_together() {
    let mut s = shared(2, &["plans:general", "daily-care:general"]);
    s.world.cut(s.practice, s.daughter);
    s.world.run_for(A_WHILE);
    assert!(
        s.world
            .write(s.daughter, s.record, "daily-care:general", "he slept well")
    );
    assert!(
        s.world
            .write(s.practice, s.record, "plans:general", "review in May")
    );
    s.world.run_for(A_WHILE);
    assert_eq!(
        s.world.texts(s.daughter, s.record),
        ["for care at home", "he slept well"]
    );
    s.world.mend(s.practice, s.daughter);
    s.world.run_for(10 * 60_000);
    let daughters = s.world.texts(s.daughter, s.record);
    assert_eq!(
        daughters,
        ["for care at home", "he slept well", "review in May"]
    );
    let practices = s.world.texts(s.practice, s.record);
    assert!(
        practices.contains(&"he slept well".to_owned()),
        "{practices:?}"
    );
}

#[test]
fn what_is_written_while_both_are_connected_arrives_in_moments() {
    let mut s = shared(3, &["plans:general"]);
    assert!(s.world.write(s.practice, s.record, "plans:general", "now"));
    s.world.run_for(500);
    assert!(
        s.world
            .texts(s.daughter, s.record)
            .contains(&"now".to_owned())
    );
}

#[test]
fn what_is_written_after_an_idle_hour_arrives_in_moments_and_ends_no_conversation() {
    let mut s = shared(14, &["plans:general"]);
    s.world.run_for(60 * 60_000);
    s.world.news.clear();
    assert!(s.world.write(s.practice, s.record, "plans:general", "now"));
    s.world.run_for(500);
    let texts = s.world.texts(s.daughter, s.record);
    assert!(texts.contains(&"now".to_owned()), "{texts:?}");
    // The daily comparison comes after an idle time too.
    s.world.run_for(25 * 60 * 60_000);
    let ended = |news: &(HostId, News)| matches!(news.1, News::Ended { .. });
    assert!(!s.world.news.iter().any(ended), "{:?}", s.world.news);
}

#[test]
fn after_a_stop_nothing_more_arrives_and_late_entries_are_looked_at() {
    let mut s = shared(4, &["plans:general"]);
    s.world.cut(s.practice, s.daughter);
    s.world.run_for(A_WHILE);
    let grants = s.grants.clone();
    s.world.stop(s.practice, s.record, &grants);
    assert!(
        s.world
            .write(s.practice, s.record, "plans:general", "after the stop")
    );
    assert!(
        s.world
            .write(s.daughter, s.record, "plans:general", "written late")
    );
    s.world.mend(s.practice, s.daughter);
    s.world.run_for(10 * 60_000);
    let daughters = s.world.texts(s.daughter, s.record);
    assert!(
        !daughters.contains(&"after the stop".to_owned()),
        "{daughters:?}"
    );
    let practices = s.world.state(s.practice, s.record);
    let contested = practices.iter().filter(|line| line.contains("Contested"));
    assert_eq!(contested.count(), 1, "{practices:#?}");
    assert!(
        !s.world
            .texts(s.practice, s.record)
            .contains(&"written late".to_owned())
    );
    // She may write no more, and knows it.
    assert!(
        !s.world
            .write(s.daughter, s.record, "plans:general", "too late")
    );
}

#[test]
fn a_wider_share_is_given_from_its_start() {
    let mut s = shared(5, &["plans:general"]);
    assert_eq!(s.world.texts(s.daughter, s.record), ["for care at home"]);
    s.shares("medicines:general");
    assert_eq!(
        s.world.texts(s.daughter, s.record),
        ["for care at home", "warfarin"]
    );
}

#[test]
fn what_was_written_between_a_stop_and_a_new_share_is_given() {
    let mut s = shared(6, &["medicines:general"]);
    let grants = s.grants.clone();
    s.world.stop(s.practice, s.record, &grants);
    s.world.run_for(A_WHILE);
    assert!(
        s.world
            .write(s.practice, s.record, "medicines:general", "apixaban")
    );
    s.world.run_for(A_WHILE);
    assert_eq!(s.world.texts(s.daughter, s.record), ["warfarin"]);
    s.shares("medicines:general");
    assert_eq!(
        s.world.texts(s.daughter, s.record),
        ["apixaban", "warfarin"]
    );
}

#[test]
fn a_second_device_says_whose_it_is_and_gets_all_that_its_person_has() {
    let mut s = shared(12, &["plans:general", "daily-care:general"]);
    let phone = s.world.second_device(s.daughter);
    s.world.run_for(A_WHILE);
    assert_eq!(s.world.texts(phone, s.record), ["for care at home"]);
    // What else happens at the practice does not make it forget whose the phone is.
    let other = s.world.record(s.practice);
    assert!(
        s.world
            .write(s.practice, other, "plans:general", "of somebody else")
    );
    assert!(
        s.world
            .write(s.practice, s.record, "plans:general", "review in May")
    );
    s.world.run_for(A_WHILE);
    assert_eq!(
        s.world.texts(phone, s.record),
        ["for care at home", "review in May"]
    );
    assert!(
        s.world
            .write(phone, s.record, "daily-care:general", "from the phone")
    );
    s.world.run_for(A_WHILE);
    let practices = s.world.texts(s.practice, s.record);
    assert!(
        practices.contains(&"from the phone".to_owned()),
        "{practices:?}"
    );
}

#[test]
fn a_new_device_that_holds_nothing_gets_what_its_person_began_and_gives_what_it_begins() {
    let mut world = World::new(13);
    let laptop = world.host();
    let record = world.record(laptop);
    assert!(world.write(laptop, record, "plans:general", "from the laptop"));
    let phone = world.second_device(laptop);
    world.meets(phone, laptop);
    world.run_for(A_WHILE);
    assert_eq!(world.texts(phone, record), ["from the laptop"]);
    assert!(world.write(phone, record, "plans:general", "from the phone"));
    let own = world.record(phone);
    assert!(world.write(phone, own, "plans:general", "begun on the phone"));
    world.run_for(A_WHILE);
    assert_eq!(
        world.texts(laptop, record),
        ["from the laptop", "from the phone"]
    );
    assert_eq!(world.texts(laptop, own), ["begun on the phone"]);
    assert!(world.write(laptop, own, "plans:general", "seen"));
    world.run_for(A_WHILE);
    assert_eq!(world.texts(phone, own), ["begun on the phone", "seen"]);
}

#[test]
fn three_holders_come_to_the_same() {
    let mut s = shared(7, &["plans:general"]);
    let hospital = s.world.host();
    s.world.share(
        s.practice,
        s.record,
        hospital,
        &[Sight::sees("plans:general")],
    );
    s.world.know(s.daughter, hospital, s.record);
    s.world.run_for(A_WHILE);
    s.world.cut(s.practice, s.daughter);
    s.world.cut(s.practice, hospital);
    assert!(
        s.world
            .write(s.daughter, s.record, "plans:general", "from the daughter")
    );
    s.world.run_for(10 * 60_000);
    let hospitals = s.world.texts(hospital, s.record);
    assert!(
        hospitals.contains(&"from the daughter".to_owned()),
        "{hospitals:?}"
    );
    s.world.mend(s.practice, hospital);
    s.world.run_for(10 * 60_000);
    let practices = s.world.texts(s.practice, s.record);
    assert!(
        practices.contains(&"from the daughter".to_owned()),
        "{practices:?}"
    );
}

#[test]
fn a_peer_that_has_everything_learns_so_in_one_round_trip_and_200_bytes() {
    let mut s = shared(8, &["plans:general", "medicines:general"]);
    s.world.cut(s.practice, s.daughter);
    s.world.run_for(A_WHILE);
    s.world.frames.clear();
    s.world.news.clear();
    s.world.mend(s.practice, s.daughter);
    s.world.run_for(10 * 60_000);
    let up_to_date = |news: &(HostId, News)| matches!(news.1, News::UpToDate(_));
    assert_eq!(
        s.world.news.iter().filter(|news| up_to_date(news)).count(),
        2
    );
    for from in [s.practice, s.daughter] {
        let frames = s.world.frames.iter().filter(|frame| frame.0 == from);
        let bytes: usize = frames.map(|frame| frame.2.len()).sum();
        assert!(bytes <= 200, "{bytes} bytes");
    }
}

#[test]
fn what_came_from_a_peer_is_never_given_back_to_it() {
    let mut s = shared(10, &["plans:general"]);
    for n in 0..40 {
        assert!(
            s.world
                .write(s.practice, s.record, "plans:general", &format!("plan {n}"))
        );
    }
    s.world.run_for(A_WHILE);
    for _ in 0..2 {
        s.world.crash(s.daughter);
        s.world.run_for(A_WHILE);
        s.world.frames.clear();
        s.world.restart(s.daughter);
        s.world.run_for(10 * 60_000);
        let frames = s.world.frames.iter();
        let bytes: usize = frames.map(|frame| frame.2.len()).sum();
        assert!(bytes <= 400, "{bytes} bytes");
    }
}

/// What a host gave, in the order in which it went.
fn given(world: &World, from: HostId) -> Vec<kith_protocol::sync::Carried> {
    let frames = world.frames.iter().filter(|frame| frame.0 == from);
    let messages = frames.filter_map(|frame| kith_protocol::codec::decode(&frame.2).ok());
    let items = messages.filter_map(|message| match message {
        Message::Items { batches, .. } => Some(batches),
        Message::Hello { .. }
        | Message::WhoAreYou
        | Message::Introduction { .. }
        | Message::Ready { .. }
        | Message::Proven
        | Message::Through { .. }
        | Message::Taken { .. }
        | Message::Compare { .. }
        | Message::Compared
        | Message::Want { .. }
        | Message::Outline { .. }
        | Message::Piece { .. }
        | Message::Absent { .. }
        | Message::Settled
        | Message::Bye { .. } => None,
    });
    items.flatten().flat_map(|batch| batch.items).collect()
}

#[test]
fn rights_and_urgent_things_go_before_the_rest() {
    let s = shared(
        9,
        &["plans:general", "medicines:general", "letters:general"],
    );
    let order: Vec<_> = given(&s.world, s.practice)
        .into_iter()
        .map(|item| item.kind)
        .collect();
    let first_entry = order
        .iter()
        .position(|kind| *kind == kith_protocol::sync::Kind::Entry);
    let last_event = order
        .iter()
        .rposition(|kind| *kind == kith_protocol::sync::Kind::Event);
    assert!(last_event < first_entry, "{order:?}");
    assert!(first_entry.is_some());
}

/// A plan is written last, behind a pile of letters, while the daughter's node is away.
#[test]
fn a_plan_comes_before_everything_that_waits_with_it() {
    let mut s = shared(
        9,
        &["plans:general", "medicines:general", "letters:general"],
    );
    s.world.crash(s.daughter);
    for (document, count) in [
        ("letters:general", 30),
        ("medicines:general", 10),
        ("plans:general", 1),
    ] {
        for n in 0..count {
            let text = format!("{document} {n}");
            assert!(s.world.write(s.practice, s.record, document, &text));
        }
    }
    s.world.frames.clear();
    s.world.restart(s.daughter);
    s.world.run_for(A_WHILE);
    let sections: Vec<_> = given(&s.world, s.practice)
        .into_iter()
        .filter(|item| item.kind == kith_protocol::sync::Kind::Entry)
        .filter_map(|item| kith_protocol::intake::entry(&item.bytes).ok())
        .map(|entry| entry.header.value().document.section)
        .collect();
    assert_eq!(sections.len(), 41, "{sections:?}");
    assert_eq!(sections[0], kith_crdt::Section::Plans, "{sections:?}");
}
