//! Crashes, full disks, old backups, cuts in the middle.

use kith_simulations::{Sight, Trouble, World};

const LONG: u64 = 20 * 60_000;

/// Two who share plans and daily care, with some notes each, up to date.
fn pair(
    seed: u64,
) -> (
    World,
    kith_simulations::HostId,
    kith_simulations::HostId,
    kith_protocol::id::RecordId,
) {
    let mut world = World::new(seed);
    let (practice, daughter) = (world.host(), world.host());
    let record = world.record(practice);
    for n in 0..20 {
        assert!(world.write(practice, record, "plans:general", &format!("plan {n:02}")));
    }
    let sights = [
        Sight::sees("plans:general"),
        Sight::sees("daily-care:general"),
    ];
    world.share(practice, record, daughter, &sights);
    world.run_for(30_000);
    (world, practice, daughter, record)
}

#[test]
fn a_crash_at_any_moment_loses_nothing_that_was_written() {
    for moment in (0..400).step_by(13) {
        let (mut world, practice, daughter, record) = pair(moment);
        for n in 0..10 {
            assert!(world.write(daughter, record, "daily-care:general", &format!("care {n}")));
        }
        world.run_for(moment);
        let victim = if moment % 2 == 0 { practice } else { daughter };
        world.crash(victim);
        world.run_for(5_000);
        world.restart(victim);
        world.run_for(LONG);
        assert_eq!(
            world.state(practice, record),
            world.state(daughter, record),
            "at {moment}"
        );
        assert_eq!(world.texts(practice, record).len(), 30, "at {moment}");
    }
}

#[test]
fn a_full_disk_takes_nothing_and_goes_on_when_there_is_room() {
    let (mut world, practice, daughter, record) = pair(31);
    world.at(daughter).disk.set_trouble(Trouble::Full);
    assert!(world.write(practice, record, "plans:general", "while she has no room"));
    world.run_for(LONG);
    assert_eq!(world.texts(daughter, record).len(), 20);
    world.at(daughter).disk.set_trouble(Trouble::None);
    world.run_for(LONG);
    assert!(
        world
            .texts(daughter, record)
            .contains(&"while she has no room".to_owned())
    );
}

#[test]
fn nothing_leaves_while_the_access_log_cannot_be_written() {
    let (mut world, practice, daughter, record) = pair(32);
    assert!(world.write(practice, record, "plans:general", "not logged yet"));
    world.crash(practice);
    world.restart(practice);
    world.at(practice).disk.set_trouble(Trouble::Broken);
    world.frames.clear();
    world.run_for(LONG);
    assert!(
        !world
            .texts(daughter, record)
            .contains(&"not logged yet".to_owned())
    );
    world.at(practice).disk.set_trouble(Trouble::None);
    world.run_for(LONG);
    assert!(
        world
            .texts(daughter, record)
            .contains(&"not logged yet".to_owned())
    );
}

#[test]
fn an_older_disk_that_comes_back_is_filled_by_comparison() {
    let (mut world, practice, daughter, record) = pair(33);
    let old = world.at(practice).disk.clone();
    for n in 0..40 {
        assert!(world.write(
            daughter,
            record,
            "daily-care:general",
            &format!("care {n:02}")
        ));
    }
    world.run_for(LONG);
    world.crash(practice);
    world.restore(practice, old);
    world.run_for(LONG);
    assert_eq!(world.state(practice, record), world.state(daughter, record));
    assert_eq!(world.texts(practice, record).len(), 60);
}

#[test]
fn a_long_absence_is_made_up_for() {
    let (mut world, practice, daughter, record) = pair(34);
    world.cut(practice, daughter);
    for n in 0..300 {
        assert!(world.write(
            daughter,
            record,
            "daily-care:general",
            &format!("care {n:03}")
        ));
    }
    world.run_for(3 * 24 * 60 * 60_000);
    world.mend(practice, daughter);
    world.run_for(LONG);
    assert_eq!(world.state(practice, record), world.state(daughter, record));
}

#[test]
fn a_day_later_both_compare_and_find_nothing_missing() {
    let (mut world, practice, daughter, record) = pair(35);
    world.frames.clear();
    world.run_for(25 * 60 * 60_000);
    assert_eq!(world.state(practice, record), world.state(daughter, record));
    let bytes: usize = world.frames.iter().map(|frame| frame.2.len()).sum();
    assert!(bytes < 1000, "a comparison of equals costs {bytes} bytes");
    assert!(bytes > 0, "nothing was compared");
}

#[test]
fn a_cut_in_the_middle_of_anything_is_made_up_for() {
    for moment in (0..300).step_by(7) {
        let (mut world, practice, daughter, record) = pair(1000 + moment);
        world.cut(practice, daughter);
        for n in 0..30 {
            assert!(world.write(daughter, record, "daily-care:general", &format!("care {n}")));
            assert!(world.write(practice, record, "plans:general", &format!("more {n}")));
        }
        world.run_for(60_000);
        world.mend(practice, daughter);
        world.run_for(moment * 10);
        world.cut(practice, daughter);
        world.run_for(1000);
        world.mend(practice, daughter);
        world.run_for(LONG);
        assert_eq!(
            world.state(practice, record),
            world.state(daughter, record),
            "at {moment}"
        );
    }
}

#[test]
fn a_hub_whose_devices_all_come_back_at_once_serves_every_one() {
    let mut world = World::new(36);
    let hub = world.host();
    let record = world.record(hub);
    let devices: Vec<_> = (0..60).map(|_| world.host()).collect();
    for device in &devices {
        world.share(hub, record, *device, &[Sight::sees("plans:general")]);
    }
    world.run_for(LONG);
    for device in &devices {
        world.cut(hub, *device);
    }
    assert!(world.write(hub, record, "plans:general", "while nobody was there"));
    world.run_for(LONG);
    for device in &devices {
        world.mend(hub, *device);
    }
    world.run_for(LONG);
    for device in &devices {
        assert_eq!(world.texts(*device, record), ["while nobody was there"]);
    }
}

#[test]
fn whoever_is_restored_after_a_stop_and_shared_with_again_learns_whose_logs_prove_what_is_there() {
    let (mut world, practice, hospital, record) = pair(37);
    let third = world.host();
    let older = world.at(hospital).disk.clone();
    let sights = [Sight::sees("plans:general")];
    world.share(practice, record, third, &sights);
    world.run_for(LONG);
    assert!(world.write(third, record, "plans:general", "by somebody met since"));
    world.run_for(LONG);
    let grants: Vec<_> = world.at(hospital).grants(record).into_iter().collect();
    let audience = world.at(hospital).whoever().principal;
    let own = grants
        .iter()
        .filter(|grant| grant.grant.audience == audience);
    let own: Vec<_> = own.map(|grant| grant.id).collect();
    world.stop(practice, record, &own);
    world.run_for(LONG);
    world.crash(hospital);
    world.restore(hospital, older);
    world.run_for(LONG);
    world.share(practice, record, hospital, &sights);
    world.run_for(LONG);
    assert_eq!(world.state(practice, record), world.state(hospital, record));
}
