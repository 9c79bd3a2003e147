//! What entries cite and build on, changes that collide, payloads that are gone or that this build
//! cannot read, and how much is taken in.

use super::world::{ADA, Item, World};
use crate::{
    author::{Author, EntryDraft, EventDraft, NextLink},
    consent::{
        Cause, ContentFacts, Fault, Full, Ledger, Status,
        cut::{CutPart, CutPlace, CutPosition},
        status::Missing,
    },
    envelope::{Content, Header},
    id::{EnvelopeId, EventId},
    identity::SecretKey,
    limits::{AUTHORITY_EVENTS_MAX, AUTHORITY_EVENTS_RESERVE, PENDING_MAX, SET_ASIDE_MAX},
    logs::{Act, Event, LabelAct, record::Link},
    signed::Verified,
};

#[test]
fn who_builds_on_what_someone_wrote_who_knew_has_seen_it_too() {
    let mut world = World::new();
    let practice = world.person();
    let root = world.root_of(ADA);
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let stolen = world.double(ADA);
    let laptop = world.pens[ADA].device();
    let retired = world.retire(root, laptop, true);
    let by_root = world.write(root, None);
    world.tell(practice);
    let by_practice = world.write_on(practice, Some(share), vec![by_root]);
    // The practice cites nothing of Ada's own log, so that the laptop need not cite it either.
    let aware = world.write_on(stolen, None, vec![by_practice]);
    assert_eq!(
        world.status(aware),
        Status::Invalid(Fault::Revoked(retired))
    );
    let unaware = world.double(stolen);
    let offline = world.write_on(unaware, None, vec![]);
    assert_eq!(
        world.status(offline),
        Status::Contested(Cause::Revoked(retired))
    );
}

#[test]
fn when_the_last_entry_of_a_cut_arrives_what_lies_below_it_is_covered() {
    let mut world = World::new();
    let practice = world.person();
    let (first, second) = (
        world.share(ADA, None, practice),
        world.share(ADA, None, practice),
    );
    world.tell_all();
    let below = world.write(practice, Some(first));
    let last = world.write(practice, Some(second));
    let part = CutPart {
        record: world.record,
        place: CutPlace::Document(world.document.clone()),
        chains: vec![CutPosition {
            device: world.pens[practice].device(),
            epoch: 0,
            seq: 1,
            id: last,
        }],
        documents: Vec::new(),
    };
    let stop = world.stop_with(ADA, None, Link::Grant(first), &[part], |_| {});
    let mut ledger = Ledger::new(world.record);
    let is_last = |item: &Item| matches!(item, Item::Entry(header, _) if header.id() == last);
    let (late, early): (Vec<_>, Vec<_>) = world.items.iter().partition(|item| is_last(item));
    early.iter().for_each(|item| item.tell(&mut ledger));
    let waits = Status::Marked(Cause::PartMissing(stop));
    assert_eq!(ledger.status(&below), Some(waits));
    late.iter().for_each(|item| item.tell(&mut ledger));
    assert_eq!(ledger.status(&below), Some(Status::Accepted));
    assert_eq!(world.status(below), Status::Accepted);
}

#[test]
fn when_the_last_event_of_a_cut_arrives_the_share_below_it_is_known_to_stand() {
    let mut world = World::new();
    let (friend, other) = (world.person(), world.person());
    let root = world.root_of(ADA);
    let first = world.share(ADA, None, friend);
    world.tell_all();
    let last = world.share(ADA, None, other);
    world.tell(root);
    let laptop = world.pens[ADA].device();
    let retired = world.retire(root, laptop, true);
    let entry = world.write(friend, Some(first));
    let is_last = |item: &Item| matches!(item, Item::Event(event) if event.id() == last);
    let (late, early): (Vec<_>, Vec<_>) = world.items.iter().partition(|item| is_last(item));
    let mut ledger = Ledger::new(world.record);
    early.iter().for_each(|item| item.tell(&mut ledger));
    let waits = Status::Marked(Cause::PartMissing(retired));
    assert_eq!(ledger.status(&entry), Some(waits));
    late.iter().for_each(|item| item.tell(&mut ledger));
    assert_eq!(ledger.status(&entry), Some(Status::Accepted));
    assert_eq!(world.status(entry), Status::Accepted);
}

#[test]
fn of_two_changes_in_one_place_the_lower_is_loaded_and_the_other_stands_beside_it() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let ground = world.write(ADA, None);
    let copy = world.double(ADA);
    let (one, two) = (world.write(ADA, None), world.write(copy, None));
    let (winner, loser) = (one.min(two), one.max(two));
    world.tell(practice);
    let on_loser = world.write_on(practice, Some(share), vec![loser]);
    let on_winner = world.write_on(practice, Some(share), vec![winner]);
    let on_both = world.write_on(practice, Some(share), vec![winner, loser]);
    for entry in [one, two, on_loser, on_winner] {
        assert_eq!(world.status(entry), Status::Accepted, "both count");
    }
    // Nobody can load two changes in one place: this one is refused by everyone alike. The plain
    // model knows nothing of content.
    assert_eq!(world.status_apart(on_both), Status::Invalid(Fault::Sense));
    let material = world.judge().loaded(&world.document);
    assert_eq!(material.main, vec![ground, winner, on_winner]);
    assert_eq!(material.sides, vec![vec![ground, loser, on_loser]]);
    assert_eq!(world.judge().heads(&world.document), vec![on_winner]);
}

/// The last entry that was written, with its facts.
fn last_entry(world: &World) -> (Verified<Header>, ContentFacts) {
    match world.items.last() {
        Some(Item::Entry(header, facts)) => (header.clone(), facts.clone()),
        Some(Item::Event(_) | Item::Part(_)) | None => panic!("an entry was written"),
    }
}

#[test]
fn an_entry_whose_payload_was_erased_still_carries_what_builds_on_it() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let erased = world.write(practice, Some(share));
    let (header, _) = last_entry(&world);
    let at = world.items.len() - 1;
    world.tell(ADA);
    let above = world.write(ADA, None);
    let before = world.judge().entries(&world.document);
    world.items[at] = Item::Entry(header.clone(), ContentFacts::Erased);
    assert_eq!(world.status(erased), Status::Accepted);
    assert_eq!(world.status(above), Status::Accepted);
    assert_eq!(world.judge().entries(&world.document), before);
    // One who holds the payload and learns that it was erased keeps the same statuses.
    let mut ledger = world.judge();
    ledger.add_entry(header, ContentFacts::Erased);
    assert_eq!(ledger.entries(&world.document), before);
}

#[test]
fn only_its_author_or_a_controller_says_that_an_entry_was_erased() {
    let mut world = World::new();
    let (practice, other) = (world.person(), world.person());
    let (share, others) = (
        world.share(ADA, None, practice),
        world.share(ADA, None, other),
    );
    world.tell_all();
    let entry = world.write(practice, Some(share));
    world.tell_all();
    let by_other = world.erase(other, Some(others), vec![entry]);
    let by_author = world.erase(practice, Some(share), vec![entry]);
    let by_ada = world.erase(ADA, None, vec![entry]);
    assert_eq!(world.status_apart(by_other), Status::Invalid(Fault::Scope));
    assert_eq!(world.status(by_author), Status::Accepted);
    assert_eq!(world.status(by_ada), Status::Accepted);
}

#[test]
fn what_this_build_cannot_read_leaves_the_view_and_nothing_else() {
    let mut world = World::new();
    world.tell_all();
    let (first, bad) = (world.write(ADA, None), world.write(ADA, None));
    let (header, facts) = last_entry(&world);
    let above = world.write(ADA, None);
    world.pens[ADA].epoch = 1;
    let beside = world.write_on(ADA, None, vec![first]);
    let mut ledger = world.judge();
    let digest = ledger.digest();
    ledger.cannot_read(&bad, "an unknown list".into());
    let unreadable = Some(Status::Unreadable("an unknown list".into()));
    assert_eq!(ledger.status(&bad), unreadable);
    assert_eq!(ledger.status(&above), unreadable, "it builds on it");
    assert_eq!(ledger.status(&beside), Some(Status::Accepted));
    assert_eq!(ledger.loaded(&world.document).main, vec![first, beside]);
    assert_eq!(ledger.entries(&world.document).len(), 4, "nothing is lost");
    world.tell(ADA);
    // It stays so when more arrives.
    let next = world.write_on(ADA, None, vec![beside]);
    let (header_of_next, facts_of_next) = last_entry(&world);
    ledger.add_entry(header_of_next, facts_of_next);
    assert_eq!(ledger.status(&next), Some(Status::Accepted));
    assert_eq!(ledger.status(&bad), unreadable);
    // A newer build reads it.
    let mut newer = ledger.clone();
    newer.add_entry(header, facts);
    assert_eq!(newer.status(&bad), Some(Status::Accepted));
    assert_eq!(newer.status(&above), Some(Status::Accepted));
    let mut before = world.judge();
    assert_eq!(newer.digest(), before.digest());
    assert_ne!(newer.digest(), digest);
}

/// An entry of Ada's laptop, beginning a chain of its own or going on after something.
fn draft(world: &World, epoch: u32, link: NextLink<EnvelopeId>) -> Verified<Header> {
    let pen = &world.pens[ADA];
    let key = pen.key();
    let author = Author {
        principal: pen.principal,
        key: &key,
        staff: None,
    };
    let draft = EntryDraft {
        record: world.record,
        document: world.document.clone(),
        epoch,
        link,
        deps: Vec::new(),
        frontiers: pen
            .knows
            .clone()
            .frontiers(&world.document.label, &pen.principal),
        grant: None,
        purpose: crate::consent::grant::Purposes::CARE,
        time_ms: world.time_ms,
        actor_nonce: [0; 8],
    };
    let content = Content::Adopt {
        entries: Vec::new(),
    };
    author.entry(draft, content, None).header
}

fn numbered(number: usize) -> u32 {
    u32::try_from(number).expect("small")
}

#[test]
fn entries_that_wait_are_taken_up_to_a_limit() {
    let mut world = World::new();
    world.tell_all();
    let mut ledger = world.judge();
    let unknown = EnvelopeId::from_bytes([9; 32]);
    let waiting = |epoch| draft(&world, epoch, NextLink::after(0, unknown));
    for epoch in 0..PENDING_MAX {
        let entry = waiting(numbered(epoch));
        assert_eq!(ledger.admits_entry(&entry), Ok(()));
        ledger.add_entry(entry, ContentFacts::None);
    }
    let held = waiting(0);
    let missing = Status::Pending(vec![Missing::Entry(unknown)]);
    assert_eq!(ledger.status(&held.id()), Some(missing));
    assert_eq!(ledger.admits_entry(&held), Ok(()), "what is held fits");
    let more = waiting(numbered(PENDING_MAX));
    assert_eq!(ledger.admits_entry(&more), Err(Full::Waiting));
}

#[test]
fn entries_set_aside_are_taken_up_to_a_limit_of_their_device() {
    let mut world = World::new();
    let phone = world.add_device(ADA);
    world.tell_all();
    let mut ledger = world.judge();
    for epoch in 0..SET_ASIDE_MAX {
        let entry = draft(&world, numbered(epoch), NextLink::FIRST);
        assert_eq!(ledger.admits_entry(&entry), Ok(()));
        ledger.add_entry(entry, ContentFacts::Refused("a picture of a cat".into()));
    }
    let more = draft(&world, numbered(SET_ASIDE_MAX), NextLink::FIRST);
    assert_eq!(ledger.admits_entry(&more), Err(Full::SetAside));
    world.write(phone, None);
    let (by_phone, _) = last_entry(&world);
    assert_eq!(ledger.admits_entry(&by_phone), Ok(()));
}

#[test]
fn what_was_contested_and_is_adopted_makes_room_again() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let device = world.pens[practice].device();
    let document = world.document.clone();
    world.stop(ADA, None, Link::Grant(share));
    let late: Vec<_> = (0..3).map(|_| world.write(practice, Some(share))).collect();
    let aside = |world: &World| world.judge().set_aside(&document, device);
    assert_eq!(aside(&world), 3);
    world.tell(ADA);
    world.adopt(ADA, None, late[..2].to_vec());
    assert_eq!(aside(&world), 1);
}

#[test]
fn two_branches_of_a_chain_are_taken_and_no_third() {
    let mut world = World::new();
    world.tell_all();
    let copies: Vec<_> = (0..3).map(|_| world.double(ADA)).collect();
    let mut ledger = world.judge();
    for (number, copy) in copies.into_iter().enumerate() {
        world.write(copy, None);
        let (entry, facts) = last_entry(&world);
        let admitted = ledger.admits_entry(&entry);
        if number < 2 {
            assert_eq!(admitted, Ok(()));
            ledger.add_entry(entry, facts);
        } else {
            assert_eq!(admitted, Err(Full::Branches));
        }
    }
}

#[test]
fn events_of_a_record_are_taken_up_to_a_limit_and_those_of_people_always() {
    let mut world = World::new();
    world.tell_all();
    let mut ledger = world.judge();
    let unknown = EventId::from_bytes([9; 32]);
    let key = world.pens[ADA].key();
    let author = Author {
        principal: world.pens[ADA].principal,
        key: &key,
        staff: None,
    };
    let event = |log, seq| -> Verified<Event> {
        author.event(EventDraft {
            log,
            link: NextLink::after(seq, unknown),
            frontiers: crate::logs::Frontiers::default(),
            grant: None,
            time_ms: 0,
            act: Act::Label(LabelAct::Renounce { grant: unknown }),
        })
    };
    let stranger = SecretKey::from_seed([99; 32]);
    let by_another = Author {
        principal: stranger.principal(),
        key: &stranger,
        staff: None,
    }
    .event(EventDraft {
        log: world.log(),
        link: NextLink::after(0, unknown),
        frontiers: crate::logs::Frontiers::default(),
        grant: None,
        time_ms: 0,
        act: Act::Label(LabelAct::Renounce { grant: unknown }),
    });
    let genesis = 1;
    for seq in 0..AUTHORITY_EVENTS_MAX - genesis {
        if seq + genesis < AUTHORITY_EVENTS_MAX - AUTHORITY_EVENTS_RESERVE {
            assert!(seq > 0 || ledger.admits_event(&by_another).is_ok());
        } else if seq + genesis == AUTHORITY_EVENTS_MAX - AUTHORITY_EVENTS_RESERVE {
            assert_eq!(ledger.admits_event(&by_another), Err(Full::Events));
            let by_ada = event(world.log(), seq as u64);
            assert_eq!(ledger.admits_event(&by_ada), Ok(()));
        }
        let event = event(world.log(), seq as u64);
        ledger.add_event(event);
    }
    let held = event(world.log(), 0);
    let more = event(world.log(), AUTHORITY_EVENTS_MAX as u64);
    let of_a_person = event(
        crate::logs::LogId::Principal(world.pens[ADA].principal),
        AUTHORITY_EVENTS_MAX as u64,
    );
    assert_eq!(ledger.admits_event(&held), Ok(()));
    assert_eq!(ledger.admits_event(&more), Err(Full::Events));
    assert_eq!(ledger.admits_event(&of_a_person), Ok(()));
}
