//! What can go wrong between hosts and with their clocks, and that it heals.

use kith_protocol::id::RecordId;
use kith_simulations::{HostId, Leaves, Nat, Sight, Way, World};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Two who share plans, with one note, up to date.
fn pair(seed: u64) -> (World, HostId, HostId, RecordId) {
    let mut world = World::new(seed);
    let (practice, daughter) = (world.host(), world.host());
    let record = world.record(practice);
    assert!(world.write(practice, record, "plans:general", "first"));
    world.share(practice, record, daughter, &[Sight::sees("plans:general")]);
    world.run_for(MINUTE_MS);
    assert_eq!(world.texts(daughter, record), ["first"]);
    (world, practice, daughter, record)
}

#[test]
fn a_way_that_takes_days_and_loses_packets_is_a_way() {
    let (mut world, practice, daughter, record) = pair(51);
    let slow = Way {
        delay_ms: (1_000, 9_000),
        bytes_per_second: Some(2_000),
        lost_of_thousand: 200,
    };
    world.network().set_way(practice, daughter, slow);
    world.network().set_way(daughter, practice, slow);
    for n in 0..20 {
        assert!(world.write(practice, record, "plans:general", &format!("more {n:02}")));
    }
    world.run_for(2 * HOUR_MS);
    assert_eq!(world.texts(daughter, record).len(), 21);
}

#[test]
fn nothing_gets_through_one_way_until_it_is_mended() {
    let (mut world, practice, daughter, record) = pair(52);
    world.cut_one_way(practice, daughter);
    assert!(world.write(practice, record, "plans:general", "second"));
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record), ["first"]);
    world.mend(practice, daughter);
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record), ["first", "second"]);
}

#[test]
fn two_behind_routers_meet_at_a_relay_and_not_without_one() {
    let (mut world, practice, daughter, record) = pair(53);
    let hub = world.host();
    world.cut(practice, daughter);
    for host in [practice, daughter] {
        world.network().set_nat(host, Nat::Symmetric);
    }
    world.mend(practice, daughter);
    assert!(world.write(practice, record, "plans:general", "second"));
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record), ["first"]);
    world.network().set_relay(hub);
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record), ["first", "second"]);
}

#[test]
fn whoever_sleeps_does_nothing_and_catches_up_when_awake() {
    let (mut world, practice, daughter, record) = pair(54);
    world.sleep(daughter);
    assert!(world.write(practice, record, "plans:general", "second"));
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record), ["first"]);
    world.wake(daughter);
    world.run_for(10 * MINUTE_MS);
    assert_eq!(world.texts(daughter, record), ["first", "second"]);
}

#[test]
fn a_power_loss_in_any_commit_loses_nothing_acknowledged() {
    for (commit, leaves) in (0..12).flat_map(|commit| {
        [Leaves::Nothing, Leaves::Torn, Leaves::Whole].map(|leaves| (commit, leaves))
    }) {
        let (mut world, practice, daughter, record) = pair(55);
        world.at(daughter).disk.lose_power_at(commit, leaves);
        for n in 0..6 {
            assert!(world.write(practice, record, "plans:general", &format!("more {n}")));
            world.run_for(200);
        }
        world.run_for(MINUTE_MS);
        world.restart(daughter);
        world.run_for(HOUR_MS);
        assert_eq!(
            world.texts(daughter, record).len(),
            7,
            "{commit} {leaves:?}"
        );
    }
}

#[test]
fn a_share_ends_by_the_clock_of_whoever_gives() {
    let (mut world, practice, daughter, record) = pair(56);
    let until = world.now_ms() + 5 * HOUR_MS;
    let sights = [Sight::sees("letters:general")];
    world.share_until(practice, record, (daughter, Some(until)), &sights);
    world.run_for(MINUTE_MS);
    world.set_skew(practice, 6 * 3_600_000);
    assert!(world.write(practice, record, "letters:general", "after the end"));
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record), ["first"]);
}

#[test]
fn clocks_that_are_put_right_from_far_ahead_keep_nobody_waiting() {
    let (mut world, practice, daughter, record) = pair(58);
    for host in [practice, daughter] {
        world.set_skew(host, 24 * 3_600_000);
    }
    world.run_for(MINUTE_MS);
    world.cut(practice, daughter);
    world.run_for(HOUR_MS);
    assert!(world.write(practice, record, "plans:general", "while apart"));
    for host in [practice, daughter] {
        world.set_skew(host, 0);
    }
    world.mend(practice, daughter);
    world.run_for(10 * MINUTE_MS);
    assert_eq!(world.texts(daughter, record).len(), 2);
    // And who is connected stays in touch.
    world.set_skew(practice, 24 * 3_600_000);
    world.run_for(MINUTE_MS);
    world.set_skew(practice, 0);
    assert!(world.write(practice, record, "plans:general", "together"));
    world.run_for(MINUTE_MS);
    assert_eq!(world.texts(daughter, record).len(), 3);
}

#[test]
fn streams_that_overlap_end_up_as_one() {
    let (mut world, practice, daughter, record) = pair(57);
    for n in 0..10 {
        world.call_again(practice, daughter);
        world.call_again(daughter, practice);
        assert!(world.write(practice, record, "plans:general", &format!("more {n}")));
        world.run_for(25);
    }
    world.run_for(HOUR_MS);
    assert_eq!(world.texts(daughter, record).len(), 11);
}
