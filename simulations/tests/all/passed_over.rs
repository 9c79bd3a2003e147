//! Conversations to which nothing happened are passed over (decision 0087): what is said is what
//! would be said if each were looked at.

use kith_simulations::{Sight, World, histories::History};

/// Random histories that are played both ways, and how long they are.
const SEEDS: std::ops::Range<u64> = 300..324;
const STEPS: usize = 120;

#[test]
fn whoever_is_passed_over_had_nothing_to_say() {
    for seed in SEEDS {
        let steps = History::of_seed(seed, STEPS);
        let (some, all) = (
            History::play(seed, &steps),
            History::play_looking_at_all(seed, &steps),
        );
        assert_eq!(some.told, all.told, "seed {seed}");
        assert_eq!(some.hash, all.hash, "seed {seed}");
    }
}

/// A practice with many peers, each with a record of its own and one that all have, over three
/// days: every frame.
fn a_hub(looks_at_all: bool) -> Vec<Vec<u8>> {
    let mut world = World::new(87);
    if looks_at_all {
        world.looks_at_all();
    }
    let practice = world.host();
    let common = world.record(practice);
    let mut peers = Vec::new();
    for n in 0..24 {
        let peer = world.host();
        let own = world.record(practice);
        for record in [common, own] {
            world.share(practice, record, peer, &[Sight::sees("plans:general")]);
        }
        assert!(world.write(practice, own, "plans:general", &format!("plan {n}")));
        peers.push((peer, own));
    }
    world.run_for(60_000);
    for day in 0..3 {
        for (n, (peer, own)) in peers.iter().enumerate() {
            if n % 3 == day {
                assert!(world.write(*peer, *own, "plans:general", "an answer"));
            }
            if n % 5 == day {
                world.crash(*peer);
                world.run_for(60_000);
                world.restart(*peer);
            }
        }
        assert!(world.write(practice, common, "plans:general", &format!("day {day}")));
        world.run_for(24 * 3_600_000);
    }
    for (peer, own) in peers {
        assert_eq!(world.texts(peer, common), ["day 0", "day 1", "day 2"]);
        assert_eq!(world.state(peer, own), world.state(practice, own));
    }
    world
        .frames
        .into_iter()
        .map(|(_, _, frame)| frame)
        .collect()
}

#[test]
fn a_hub_says_the_same_whether_it_looks_at_all_or_not() {
    let (some, all) = (a_hub(false), a_hub(true));
    assert!(some.len() > 1000, "{} frames", some.len());
    assert!(some == all, "the frames differ");
}
