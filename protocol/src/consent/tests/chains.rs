//! On which chain a device writes next: after its right was stopped and given again, and after its
//! store was restored from an older copy.

use super::world::{ADA, Who, World};
use crate::{
    consent::{Cause, Status, ledger::ReviewItem},
    logs::record::Link,
};

fn chain_epoch(world: &mut World, who: Who) -> u32 {
    let document = world.document.clone();
    let device = world.pens[who].device();
    world.pens[who].knows.chain_epoch(device, &document)
}

/// Writes on the chain that the ledger names.
fn write(world: &mut World, who: Who, under: Option<crate::id::EventId>) -> crate::id::EnvelopeId {
    world.pens[who].epoch = chain_epoch(world, who);
    world.write(who, under)
}

#[test]
fn a_share_that_was_stopped_and_given_again_opens_a_new_chain() {
    let mut world = World::new();
    let practice = world.person();
    let old = world.share(ADA, None, practice);
    world.tell_all();
    assert_eq!(chain_epoch(&mut world, practice), 0);
    let kept = write(&mut world, practice, Some(old));
    world.tell(ADA);
    let stop = world.stop_keeping(ADA, None, Link::Grant(old));
    let late = write(&mut world, practice, Some(old));
    assert_eq!(chain_epoch(&mut world, practice), 0, "it has not heard yet");

    let new = world.share(ADA, None, practice);
    world.tell_all();
    assert_eq!(chain_epoch(&mut world, practice), 1);
    let first = write(&mut world, practice, Some(new));
    let second = write(&mut world, practice, Some(new));
    assert_eq!(chain_epoch(&mut world, practice), 1, "once is enough");
    for entry in [kept, first, second] {
        assert_eq!(world.status(entry), Status::Accepted);
    }
    assert_eq!(world.status(late), Status::Contested(Cause::Revoked(stop)));

    world.tell_all();
    world.adopt(ADA, None, vec![late]);
    assert_eq!(world.status(late), Status::Accepted);
    assert_eq!(world.status(second), Status::Accepted);
}

#[test]
fn a_second_stop_that_keeps_nothing_leaves_the_first_chain_as_it_was() {
    let mut world = World::new();
    let practice = world.person();
    let old = world.share(ADA, None, practice);
    world.tell_all();
    let kept = write(&mut world, practice, Some(old));
    world.tell(ADA);
    world.stop_keeping(ADA, None, Link::Grant(old));
    let new = world.share(ADA, None, practice);
    world.tell_all();
    let again = write(&mut world, practice, Some(new));
    let stop = world.stop(ADA, None, Link::Grant(new));
    world.tell_all();
    assert_eq!(world.status(kept), Status::Accepted);
    assert_eq!(world.status(again), Status::Contested(Cause::Revoked(stop)));
    assert_eq!(chain_epoch(&mut world, practice), 2);
}

#[test]
fn a_fork_of_ones_own_chain_opens_a_new_one_and_both_branches_count() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    write(&mut world, practice, Some(share));
    let copy = world.double(practice);
    world.time_ms += 1;
    let one = write(&mut world, practice, Some(share));
    world.time_ms += 1;
    let other = write(&mut world, copy, Some(share));
    world.tell_all();
    assert_eq!(chain_epoch(&mut world, practice), 1);
    let after = write(&mut world, practice, Some(share));
    world.tell_all();
    assert_eq!(chain_epoch(&mut world, practice), 1);
    for entry in [one, other, after] {
        assert_eq!(world.status(entry), Status::Accepted);
    }
    let pair = |item: ReviewItem| {
        matches!(item, ReviewItem::Forked { entries, .. }
            if entries.contains(&one) && entries.contains(&other))
    };
    let forked = world.judge().review().into_iter().any(pair);
    assert!(forked, "the pair is kept as proof");
}

#[test]
fn a_stop_that_waits_for_a_decision_ends_no_chain() {
    let mut world = World::new();
    let (practice, nurse) = (world.person(), world.person());
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let on = world.share(practice, Some(share), nurse);
    world.tell_all();
    write(&mut world, nurse, Some(on));
    let ghost = world.double(practice);
    world.stop_with(ADA, None, Link::Grant(share), &[], |revoke| {
        revoke.keep = vec![on];
    });
    world.stop(ghost, Some(share), Link::Grant(on));
    world.tell_all();
    assert_eq!(chain_epoch(&mut world, nurse), 0);
}
