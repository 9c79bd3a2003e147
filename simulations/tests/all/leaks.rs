//! What a peer with a narrow share can tell of the rest: nothing.

use kith_simulations::{HostId, Sight, World};

/// One run: what the practice writes elsewhere differs, what is shared does not.
fn frames_to_the_daughter(elsewhere: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let mut world = World::new(11);
    let (practice, daughter) = (world.host(), world.host());
    let record = world.record(practice);
    for (document, text) in elsewhere {
        assert!(world.write(practice, record, document, text));
    }
    assert!(world.write(practice, record, "plans:general", "shared"));
    world.share(practice, record, daughter, &[Sight::sees("plans:general")]);
    world.run_for(30_000);
    for (document, text) in elsewhere {
        assert!(world.write(practice, record, document, text));
    }
    assert!(world.write(practice, record, "plans:general", "shared too"));
    world.run_for(30_000);
    let to = |frame: &(HostId, HostId, Vec<u8>)| frame.1 == daughter;
    let frames = world.frames.into_iter().filter(to);
    frames.map(|frame| frame.2).collect()
}

#[test]
fn the_traffic_is_the_same_whatever_is_not_shared() {
    let little = frames_to_the_daughter(&[("medicines:general", "x")]);
    let much = frames_to_the_daughter(&[
        ("medicines:general", "CANARY of another length"),
        ("conditions:sexual-health", "CANARY"),
        (
            "letters:private",
            "CANARY, and longer than anything that is said elsewhere",
        ),
    ]);
    assert!(!little.is_empty());
    let lens = |frames: &[Vec<u8>]| frames.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lens(&little), lens(&much));
    let found = much
        .iter()
        .any(|frame| frame.windows(6).any(|window| window == b"CANARY"));
    assert!(!found, "something of what is not shared left");
}

#[test]
fn a_share_that_ends_by_itself_ends_while_both_stay_connected() {
    let mut world = World::new(13);
    let (practice, daughter, other) = (world.host(), world.host(), world.host());
    let record = world.record(practice);
    let until = world.now_ms() + 60 * 60_000;
    let sights = [Sight::sees("plans:general")];
    world.share_until(practice, record, (daughter, Some(until)), &sights);
    assert!(world.write(practice, record, "plans:general", "before the end"));
    world.run_for(30_000);
    assert_eq!(world.texts(daughter, record), ["before the end"]);
    world.run_for(2 * 60 * 60_000);
    world.frames.clear();
    // Neither what is written nor with whom it is shared then is for her.
    assert!(world.write(practice, record, "plans:general", "after the end"));
    world.share(practice, record, other, &sights);
    world.run_for(30_000);
    let to_daughter = |frame: &&(HostId, HostId, Vec<u8>)| frame.1 == daughter;
    assert_eq!(world.frames.iter().filter(to_daughter).count(), 0);
    assert_eq!(world.texts(daughter, record), ["before the end"]);
    assert_eq!(world.texts(other, record).len(), 2);
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    let elsewhere = [("medicines:general", "x")];
    assert_eq!(
        frames_to_the_daughter(&elsewhere),
        frames_to_the_daughter(&elsewhere)
    );
}

#[test]
fn an_unknown_record_and_one_that_is_not_shared_look_the_same() {
    use kith_protocol::{
        codec,
        id::{BlobId, RecordId},
        sync::Message,
    };
    let answers = |is_held: bool| {
        let mut world = World::new(12);
        let (practice, stranger) = (world.host(), world.host());
        let held = world.record(practice);
        assert!(world.write(practice, held, "plans:general", "not shared"));
        let other = world.record(practice);
        world.know(practice, stranger, other);
        let unknown = RecordId::from_bytes([9; 32]);
        let wire = world.script(stranger, practice);
        world.run_for(1000);
        let record = if is_held { held } else { unknown };
        let hello = Message::Hello {
            version: kith_protocol::sync::SYNC_VERSION,
            features: 0,
            journal: kith_protocol::sync::JournalId([1; 16]),
            held: None,
        };
        world.say(wire, codec::encode(&hello));
        world.say(wire, codec::encode(&Message::Ready { resumes: true }));
        world.say(
            wire,
            codec::encode(&Message::Items {
                through: 1,
                batches: vec![kith_protocol::sync::OfRecord {
                    record,
                    items: Vec::new(),
                }],
            }),
        );
        let document =
            kith_crdt::DocumentId::first(kith_crdt::Section::Plans, kith_crdt::Label::general());
        world.say(
            wire,
            codec::encode(&Message::Want {
                record,
                document,
                blob: BlobId::from_bytes([3; 32]),
                piece: None,
            }),
        );
        world.run_for(5000);
        let heard = world.heard(wire);
        assert!(heard.len() >= 4, "{}", heard.len());
        heard.into_iter().skip(1).collect::<Vec<_>>()
    };
    assert_eq!(answers(true), answers(false));
}
