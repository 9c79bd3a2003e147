//! Peers that do not keep to the rules.

use kith_protocol::{
    codec,
    store::Store,
    sync::{Cursor, Farewell, JournalId, Kind, Message, OfRecord, Range, SYNC_VERSION, Said, Set},
};
use kith_simulations::{Sight, World};

fn hello() -> Vec<u8> {
    codec::encode(&Message::Hello {
        version: SYNC_VERSION,
        features: 0,
        journal: JournalId([1; 16]),
        held: None,
    })
}

#[test]
fn a_stranger_learns_nothing_and_is_shown_out() {
    let mut world = World::new(21);
    let (practice, stranger) = (world.host(), world.host());
    let record = world.record(practice);
    assert!(world.write(practice, record, "plans:general", "private"));
    let wire = world.script(stranger, practice);
    world.run_for(1000);
    assert!(
        world.heard(wire).is_empty(),
        "nothing is said to a stranger first"
    );
    world.say(wire, hello());
    world.run_for(1000);
    assert_eq!(world.heard(wire), [codec::encode(&Message::WhoAreYou)]);
    let principal = world.at(stranger).whoever().principal;
    let log = world.at(stranger).disk.principal_log(&principal);
    let log = log.expect("a log");
    let events = log
        .iter()
        .map(|event| serde_bytes::ByteBuf::from(event.bytes().to_vec()));
    world.say(
        wire,
        codec::encode(&Message::Introduction {
            log: events.collect(),
        }),
    );
    world.run_for(1000);
    let heard = world.heard(wire);
    assert_eq!(heard.len(), 1);
    assert!(matches!(codec::decode(&heard[0]), Ok(Message::Bye { .. })));
    assert!(!world.is_open(wire));
}

#[test]
fn words_out_of_place_end_the_conversation() {
    let words = [
        Message::Proven,
        Message::Compared,
        Message::Settled,
        Message::Taken {
            through: 99,
            kept_back: Vec::new(),
        },
        Message::Through { through: 1 },
        Message::Ready { resumes: true },
        Message::Compare {
            session: [0; 16],
            place: None,
            ranges: vec![Range {
                end: None,
                said: Said::Settled,
            }],
        },
    ];
    for word in words {
        let mut world = World::new(22);
        let (practice, other) = (world.host(), world.host());
        let record = world.record(practice);
        world.share(practice, record, other, &[Sight::sees("plans:general")]);
        world.crash(other);
        let wire = world.script(other, practice);
        world.run_for(100);
        world.say(wire, codec::encode(&word));
        world.run_for(1000);
        assert!(!world.is_open(wire), "{word:?}");
    }
}

#[test]
fn garbage_and_lies_never_stop_the_node() {
    let mut world = World::new(23);
    let (practice, other) = (world.host(), world.host());
    let record = world.record(practice);
    assert!(world.write(practice, record, "plans:general", "kept"));
    world.share(practice, record, other, &[Sight::sees("plans:general")]);
    world.run_for(30_000);
    world.crash(other);
    world.run_for(5_000);
    let frames: Vec<_> = world.frames.iter().map(|frame| frame.2.clone()).collect();
    for (nth, frame) in frames.iter().enumerate() {
        for bit in (nth % 7..frame.len() * 8).step_by(97) {
            let wire = world.script(other, practice);
            world.run_for(60);
            world.say(wire, hello());
            world.say(wire, codec::encode(&Message::Ready { resumes: true }));
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            world.say(wire, flipped);
            world.run_for(200);
        }
    }
    assert_eq!(world.texts(practice, record), ["kept"]);
    world.restart(other);
    assert!(world.write(practice, record, "plans:general", "and goes on"));
    world.run_for(10 * 60_000);
    assert_eq!(world.texts(other, record), ["and goes on", "kept"]);
}

#[test]
fn forged_items_are_kept_back_and_said_to_be() {
    let mut world = World::new(24);
    let (practice, other) = (world.host(), world.host());
    let record = world.record(practice);
    world.share(practice, record, other, &[Sight::sees("plans:general")]);
    world.run_for(30_000);
    world.crash(other);
    world.run_for(5_000);
    let wire = world.script(other, practice);
    world.run_for(100);
    world.say(wire, hello());
    world.run_for(100);
    // It never heard of the cursor, so the practice wants to compare, and the script plays along
    // as one that holds nothing.
    world.say(wire, codec::encode(&Message::Ready { resumes: false }));
    let empty = Set::new([0; 32], Vec::new());
    world.say(
        wire,
        codec::encode(&Message::Compare {
            session: [5; 16],
            place: None,
            ranges: empty.open(),
        }),
    );
    world.run_for(200);
    let forged = kith_protocol::sync::Carried {
        kind: Kind::Entry,
        bytes: vec![1, 2, 3],
    };
    world.say(
        wire,
        codec::encode(&Message::Items {
            through: 1,
            batches: vec![OfRecord {
                record,
                items: vec![forged],
            }],
        }),
    );
    world.run_for(1000);
    let kept_back = world.heard(wire).iter().any(|frame| {
        matches!(codec::decode(frame), Ok(Message::Taken { kept_back, .. }) if kept_back.len() == 1)
    });
    assert!(kept_back || !world.is_open(wire));
}

#[test]
fn strangers_who_stay_keep_nobody_out() {
    let mut world = World::new(25);
    let (practice, daughter) = (world.host(), world.host());
    let record = world.record(practice);
    assert!(world.write(practice, record, "plans:general", "for care at home"));
    let strangers: Vec<_> = (0..60).map(|_| world.host()).collect();
    let wires: Vec<_> = strangers
        .iter()
        .map(|stranger| world.script(*stranger, practice))
        .collect();
    world.run_for(1000);
    let open = wires.iter().filter(|wire| world.is_open(**wire)).count();
    assert_eq!(open, 16, "strangers are let in few at a time");
    for wire in &wires {
        world.say(*wire, hello());
    }
    world.share(practice, record, daughter, &[Sight::sees("plans:general")]);
    world.run_for(10_000);
    assert_eq!(world.texts(daughter, record), ["for care at home"]);
    // Saying the first word again and again does not keep a stranger's place.
    for wire in &wires {
        world.say(*wire, hello());
    }
    world.run_for(1000);
    assert!(wires.iter().all(|wire| !world.is_open(*wire)));
}

#[test]
fn a_count_that_was_never_sent_leads_to_a_comparison_and_no_further() {
    let mut world = World::new(26);
    let (practice, other) = (world.host(), world.host());
    let record = world.record(practice);
    assert!(world.write(practice, record, "plans:general", "kept"));
    world.crash(other);
    world.share(practice, record, other, &[Sight::sees("plans:general")]);
    for count in [u64::MAX, u64::MAX - 1, 0, u64::MAX] {
        let wire = world.script(other, practice);
        world.run_for(100);
        let greeting = world.heard(wire).into_iter().next().expect("a first word");
        let Ok(Message::Hello { journal, .. }) = codec::decode(&greeting) else {
            panic!("the first word is no greeting");
        };
        let first = Message::Hello {
            version: SYNC_VERSION,
            features: 0,
            journal: JournalId([1; 16]),
            held: Some(Cursor { journal, count }),
        };
        let words = [
            first,
            Message::Ready { resumes: true },
            Message::Compared,
            Message::Proven,
        ];
        for word in words {
            world.say(wire, codec::encode(&word));
        }
        world.run_for(2000);
    }
    world.run_for(2 * 60_000);
    world.restart(other);
    world.run_for(10 * 60_000);
    assert_eq!(world.texts(other, record), ["kept"]);
}

#[test]
fn whoever_asks_for_more_pieces_than_one_after_the_other_is_shown_out() {
    let mut world = World::new(27);
    let (practice, other) = (world.host(), world.host());
    let record = world.record(practice);
    world.crash(other);
    world.share(practice, record, other, &[Sight::sees("plans:general")]);
    let wire = world.script(other, practice);
    world.run_for(100);
    world.say(wire, hello());
    world.say(wire, codec::encode(&Message::Ready { resumes: true }));
    world.run_for(1000);
    assert!(world.is_open(wire));
    let plans =
        kith_crdt::DocumentId::first(kith_crdt::Section::Plans, kith_crdt::Label::general());
    let want = Message::Want {
        record,
        document: plans,
        blob: kith_protocol::id::BlobId::from_bytes([3; 32]),
        piece: None,
    };
    for _ in 0..1000 {
        world.say(wire, codec::encode(&want));
    }
    world.run_for(5000);
    assert!(!world.is_open(wire));
    let absent = |frame: &&Vec<u8>| matches!(codec::decode(frame), Ok(Message::Absent { .. }));
    assert!(world.heard(wire).iter().filter(absent).count() < 500);
}

#[test]
fn whoever_waits_for_a_turn_is_greeted_when_it_comes() {
    let mut world = World::new(28);
    let hub = world.host();
    let record = world.record(hub);
    let devices: Vec<_> = (0..17).map(|_| world.host()).collect();
    for device in &devices {
        world.crash(*device);
        world.share(hub, record, *device, &[Sight::sees("plans:general")]);
    }
    let wires: Vec<_> = devices
        .iter()
        .map(|device| {
            let wire = world.script(*device, hub);
            world.run_for(100);
            wire
        })
        .collect();
    let (last, first) = (wires[16], wires[0]);
    world.say(last, hello());
    world.run_for(1000);
    assert!(world.heard(last).is_empty());
    assert!(world.is_open(last));
    let why = Farewell::Stopping;
    world.say(first, codec::encode(&Message::Bye { why }));
    world.run_for(1000);
    let heard: Vec<_> = world
        .heard(last)
        .iter()
        .filter_map(|frame| codec::decode(frame).ok())
        .collect();
    assert!(
        matches!(heard[..], [Message::Hello { .. }, Message::Ready { .. }]),
        "{heard:?}"
    );
}

#[test]
fn whoever_says_more_than_can_be_answered_is_shown_out() {
    let mut world = World::new(29);
    let (practice, other) = (world.host(), world.host());
    let record = world.record(practice);
    world.crash(other);
    world.share(practice, record, other, &[Sight::sees("plans:general")]);
    let wire = world.script(other, practice);
    world.run_for(100);
    world.say(wire, hello());
    world.say(wire, codec::encode(&Message::Ready { resumes: true }));
    world.run_for(1000);
    assert!(world.is_open(wire));
    for through in 1..1000 {
        world.say(wire, codec::encode(&Message::Through { through }));
    }
    world.run_for(5000);
    assert!(!world.is_open(wire));
}
