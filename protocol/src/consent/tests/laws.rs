//! Laws over generated histories with adversaries.

mod history;
mod orders;

use proptest::prelude::*;

use self::{
    history::{Story, custodian_step, step},
    orders::{holds_the_laws, orders_agree, outcome, random_orders_agree, shuffled, told},
};
use super::world::{ADA, Who, World};
use crate::{
    consent::{Ledger, Status},
    id::{EnvelopeId, EventId},
    logs::record::Link,
};

fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|asked| asked.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(count),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn small_histories_agree_in_all_orders(
        steps in prop::collection::vec(step(), 1..20),
        seed in any::<u64>(),
    ) {
        orders_agree(&steps, 4, 24, seed);
    }

    #[test]
    fn histories_agree_in_random_orders_and_with_the_model(
        steps in prop::collection::vec(step(), 10..60),
        seed in any::<u64>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        random_orders_agree(&story.world, seed);
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn histories_with_custodians_agree_in_random_orders_and_with_the_model(
        steps in prop::collection::vec(custodian_step(), 10..40),
        seed in any::<u64>(),
    ) {
        let mut story = Story::new();
        for (who, grant) in [(story.cast[2], 0), (story.cast[4], 2), (story.cast[3], 1)] {
            let entry = story.world.write(who, Some(story.grants[grant].0));
            story.entries.push(entry);
        }
        for step in steps {
            story.take(step);
        }
        random_orders_agree(&story.world, seed);
    }
}

proptest! {
    #![proptest_config(cases(3))]

    #[test]
    fn histories_of_seven_agree_in_many_orders(
        steps in prop::collection::vec(step(), 7..40),
        seed in any::<u64>(),
    ) {
        orders_agree(&steps, 7, 120, seed);
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn histories_of_two_hundred_agree(
        steps in prop::collection::vec(step(), 150..200),
        seed in any::<u64>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        let world = story.world;
        let mut expected = told(&world, &world.items);
        holds_the_laws(&world, &mut expected);
        let expected = outcome(&mut expected, &world);
        for round in 0..3 {
            let mut ledger = told(&world, &shuffled(&world.items, seed ^ round));
            prop_assert_eq!(&outcome(&mut ledger, &world), &expected);
        }
    }

    #[test]
    fn adopting_contested_entries_in_any_order_succeeds(
        steps in prop::collection::vec(step(), 20..60),
        choice in any::<usize>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        let mut world = story.world;
        // Someone whom the present controllers trust: a controller where there is one.
        let heir = world.person();
        world.tell_all();
        world.recover(heir, vec![], vec![]);
        world.tell(heir);
        let mut left = contested(&mut world, heir);
        while !left.is_empty() {
            let entry = left[choice % left.len()];
            let set = world.pens[heir].knows.adoptable(&entry);
            prop_assert!(set.contains(&entry));
            world.adopt(heir, None, set.clone());
            for adopted in set {
                let status = world.pens[heir].knows.status(&adopted);
                prop_assert_eq!(status, Some(Status::Accepted));
            }
            left = contested(&mut world, heir);
        }
        let mut all = world.judge();
        holds_the_laws(&world, &mut all);
    }

    #[test]
    fn what_an_honest_holder_of_a_share_writes_stays(
        steps in prop::collection::vec(step(), 20..60),
    ) {
        let mut story = Story::new();
        let (share, clinic) = story.grants[1];
        let honest = [ADA, clinic].map(|who| story.world.pens[who].principal);
        let mut written = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            // Nobody recovers the record; Ada and the clinic only write, and lose no device.
            let by_honest = honest.contains(&story.world.pens[story.who(step)].principal);
            let writes = step.kind <= 9 || (28..30).contains(&step.kind);
            if step.kind == 22 || (by_honest && !writes) {
                continue;
            }
            story.take(step);
            if at % 5 == 0 {
                let entry = story.world.write(clinic, Some(share));
                let status = story.world.pens[clinic].knows.status(&entry);
                prop_assert_eq!(status, Some(Status::Accepted));
                written.push(entry);
            }
            let mut all = story.world.judge();
            for entry in &written {
                prop_assert_eq!(all.status(entry), Some(Status::Accepted));
            }
        }
    }

    #[test]
    fn a_peer_or_a_descendant_never_revokes(
        steps in prop::collection::vec(step(), 10..50),
        pick in any::<usize>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        let mut world = story.world;
        let mut all = world.judge();
        let grants = all.grants();
        let above = |id: EventId| {
            let parent = |id: &EventId| {
                let grant = grants.iter().find(|grant| grant.id == *id)?;
                grant.grant.parent
            };
            std::iter::successors(parent(&id), parent).collect::<Vec<_>>()
        };
        let (by, who) = story.grants[pick % story.grants.len()];
        let before = all.entries(&world.document);
        let fates = |all: &mut Ledger| -> Vec<_> {
            all.grants().into_iter().map(|grant| (grant.id, grant.state)).collect()
        };
        let fates_before = fates(&mut all);
        for (grant, _) in &story.grants {
            if above(*grant).contains(&by) {
                continue;
            }
            let revoke = world.stop(who, Some(by), Link::Grant(*grant));
            let mut all = world.judge();
            prop_assert_eq!(&all.entries(&world.document), &before, "by {:?}", revoke);
            prop_assert_eq!(&fates(&mut all), &fates_before);
        }
        // Nor does whoever shared nothing on stop anyone's device here.
        if grants.iter().all(|grant| grant.grant.parent != Some(by)) {
            for pen in story.cast {
                let device = world.pens[pen].device();
                world.stop(who, Some(by), Link::Device(device));
            }
            let mut all = world.judge();
            prop_assert_eq!(&all.entries(&world.document), &before);
        }
    }

    #[test]
    fn what_a_controller_writes_stays_whatever_happens_to_others(
        steps in prop::collection::vec(step(), 20..60),
    ) {
        let mut story = Story::new();
        let ada = story.world.pens[ADA].principal;
        let mut written = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            // Nobody recovers the record and nothing of Ada's own is stolen.
            let by_ada = story.world.pens[story.who(step)].principal == ada;
            if step.kind == 22 || (by_ada && step.kind > 9) {
                continue;
            }
            story.take(step);
            if at % 5 == 0 {
                let entry = story.world.write(ADA, None);
                let status = story.world.pens[ADA].knows.status(&entry);
                prop_assert_eq!(status, Some(Status::Accepted));
                written.push(entry);
            }
            let mut all = story.world.judge();
            for entry in &written {
                let status = all.status(entry);
                prop_assert!(matches!(status, Some(Status::Accepted | Status::Marked(_))));
            }
        }
    }
}

fn contested(world: &mut World, who: Who) -> Vec<EnvelopeId> {
    let document = world.document.clone();
    let entries = world.pens[who].knows.entries(&document);
    let is =
        |(id, status): (EnvelopeId, Status)| matches!(status, Status::Contested(_)).then_some(id);
    entries.into_iter().filter_map(is).collect()
}
