//! What breaks off in the middle and has to be made up for.

use kith_protocol::{
    id::DeviceId,
    limits::{PARCEL_LEN_MAX, PARCELS_AHEAD_MAX},
    sync::{Input, LinkId, Output},
};
use kith_simulations::{HostId, Sight, World};

const LONG: u64 = 20 * 60_000;

fn long(n: usize) -> String {
    format!("{n:03} {}", "x".repeat(20_000))
}

fn count(world: &mut World, host: HostId, record: kith_protocol::id::RecordId) -> usize {
    world.texts(host, record).len()
}

#[test]
fn what_was_not_given_yet_does_not_count_as_given_when_something_else_is_stopped() {
    for moment in [50, 100, 150, 200, 300, 400] {
        let mut world = World::new(61);
        let (practice, daughter) = (world.host(), world.host());
        let record = world.record(practice);
        for n in 0..100 {
            assert!(world.write(practice, record, "letters:private", &long(n)));
        }
        world.share(
            practice,
            record,
            daughter,
            &[Sight::sees("letters:private")],
        );
        let sights = [Sight::sees("plans:general")];
        let plans = world.share(practice, record, daughter, &sights);
        world.run_for(moment);
        world.stop(practice, record, &plans);
        world.run_for(20);
        world.cut(practice, daughter);
        world.run_for(1000);
        let so_far = count(&mut world, daughter, record);
        world.mend(practice, daughter);
        world.run_for(LONG);
        let letters = count(&mut world, daughter, record);
        assert_eq!(letters, 100, "at {moment}, with {so_far} when it was cut");
    }
}

#[test]
fn a_comparison_that_breaks_off_is_begun_again() {
    for moment in (200..300).step_by(4) {
        let mut world = World::new(62);
        let (practice, daughter) = (world.host(), world.host());
        let record = world.record(practice);
        world.share(
            practice,
            record,
            daughter,
            &[Sight::sees("letters:general")],
        );
        world.run_for(30_000);
        let old = world.at(daughter).disk.clone();
        for n in 0..30 {
            assert!(world.write(practice, record, "letters:general", &long(n)));
        }
        world.run_for(30_000);
        for n in 30..80 {
            assert!(world.write(practice, record, "letters:general", &long(n)));
        }
        // Some are on their way as the daughter's disk breaks, and an older one comes back.
        world.run_for(30);
        world.crash(daughter);
        world.run_for(1000);
        world.restore(daughter, old);
        world.run_for(moment);
        world.cut(practice, daughter);
        world.run_for(1000);
        let so_far = count(&mut world, daughter, record);
        world.mend(practice, daughter);
        world.run_for(LONG);
        let letters = count(&mut world, daughter, record);
        assert_eq!(letters, 80, "at {moment}, with {so_far} when it was cut");
    }
}

#[test]
fn a_stream_that_was_lost_is_closed_from_this_side_too() {
    let mut world = World::new(63);
    let host = world.host();
    let other = DeviceId::from_bytes([7; 32]);
    let mut engine = world.at(host).engine.take().expect("an engine");
    let link = LinkId(1_000_000);
    let connected = Input::Connected {
        link,
        device: other,
        is_caller: false,
    };
    for input in [connected, Input::Lost { link }] {
        let told = engine.handle(world.at(host), input, 1000);
        assert!(told.is_ok(), "{told:?}");
    }
    let outputs: Vec<_> = std::iter::from_fn(|| engine.poll_output()).collect();
    let closed = Output::Close {
        link,
        at_once: true,
    };
    assert!(outputs.contains(&closed), "{outputs:?}");
}

/// Bytes that each of the two handed over: the first host's, the second's.
fn said(world: &World, (one, other): (HostId, HostId)) -> (usize, usize) {
    let of = |from: HostId, to: HostId| {
        let frames = world.frames.iter();
        let frames = frames.filter(|(sender, taker, _)| (*sender, *taker) == (from, to));
        frames.map(|(_, _, frame)| frame.len()).sum()
    };
    (of(one, other), of(other, one))
}

/// A practice and a hospital that come together over many records for the first time, with what
/// the practice wrote in them. Their way is cut each time that the practice has said so many bytes
/// altogether. What each has said in the end.
fn come_together(cut_after: &[usize]) -> (usize, usize) {
    const RECORDS: usize = 100;
    let sights = ["plans:general", "letters:general"].map(Sight::sees);
    let mut world = World::new(64);
    let (practice, hospital) = (world.host(), world.host());
    let both = (practice, hospital);
    let records: Vec<_> = (0..RECORDS).map(|_| world.record(practice)).collect();
    world.cut(practice, hospital);
    for record in &records {
        for document in ["plans:general", "letters:general"] {
            for n in 0..2 {
                assert!(world.write(practice, *record, document, &long(n)));
            }
        }
        world.share(practice, *record, hospital, &sights);
    }
    for bytes in cut_after {
        world.mend(practice, hospital);
        let is_reached = (0..LONG).any(|_| {
            world.run_for(1);
            said(&world, both).0 >= *bytes
        });
        assert!(is_reached, "no more than {} is said", said(&world, both).0);
        world.cut(practice, hospital);
        world.run_for(1000);
    }
    world.mend(practice, hospital);
    world.run_for(LONG);
    for record in records {
        assert_eq!(world.state(practice, record), world.state(hospital, record));
    }
    said(&world, both)
}

#[test]
fn what_was_taken_before_a_break_is_neither_given_again_nor_given_back() {
    // What was on its way is lost with its stream, and the two compare.
    let parcel = usize::try_from(PARCEL_LEN_MAX).expect("a parcel fits into memory");
    let most_lost = PARCELS_AHEAD_MAX * parcel + 64 * 1024;
    let most_back = 64 * 1024;
    let (whole, _) = come_together(&[]);
    for percents in [vec![20], vec![95], vec![30, 60, 90]] {
        let bytes = percents.iter().map(|percent| whole * percent / 100);
        let (given, back) = come_together(&bytes.collect::<Vec<_>>());
        println!("cut after {percents:?} of 100: {given} of {whole}, and {back} back");
        let breaks = percents.len();
        assert!(given < whole + breaks * most_lost, "{given} of {whole}");
        assert!(back < breaks * most_back, "{back} back");
    }
}
