//! Which of several cuts of one link counts, and when that is noticed.

use super::world::{ADA, Item, World};
use crate::{
    consent::{Cause, Ledger, Status},
    logs::record::Link,
};

#[test]
fn a_later_cut_of_the_same_issuer_takes_the_place_of_the_one_before() {
    let mut world = World::new();
    let clinic = world.person();
    let share = world.share(ADA, None, clinic);
    world.tell_all();
    let entry = world.write(clinic, Some(share));
    world.tell(ADA);
    world.stop_keeping(ADA, None, Link::Grant(share));
    assert_eq!(world.status(entry), Status::Accepted);
    let nothing = world.stop(ADA, None, Link::Grant(share));
    assert_eq!(
        world.status(entry),
        Status::Contested(Cause::Revoked(nothing))
    );
}

#[test]
fn cuts_of_one_link_by_issuers_who_did_not_know_of_each_other_unite() {
    let mut world = World::new();
    let (clinic, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, clinic);
    world.tell_all();
    let lower = world.share(clinic, Some(upper), nurse);
    world.tell_all();
    let entry = world.write(nurse, Some(lower));
    world.tell(clinic);
    world.stop(ADA, None, Link::Grant(lower));
    world.stop_keeping(clinic, Some(upper), Link::Grant(lower));
    assert_eq!(world.status(entry), Status::Accepted);
}

#[test]
fn a_lower_issuer_who_knew_a_higher_cut_does_not_widen_it() {
    let mut world = World::new();
    let (clinic, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, clinic);
    world.tell_all();
    let lower = world.share(clinic, Some(upper), nurse);
    world.tell_all();
    let entry = world.write(nurse, Some(lower));
    let parts = {
        let mut before = world.judge();
        before.keep_everything(Link::Grant(lower))
    };
    let stop = world.stop(ADA, None, Link::Grant(lower));
    world.tell(clinic);
    world.stop_with(clinic, Some(upper), Link::Grant(lower), &parts, |_| {});
    assert_eq!(world.status(entry), Status::Contested(Cause::Revoked(stop)));
}

#[test]
fn a_revocation_is_noticed_after_statuses_were_asked_for() {
    let mut world = World::new();
    let clinic = world.person();
    let share = world.share(ADA, None, clinic);
    world.tell_all();
    let entry = world.write(clinic, Some(share));
    let mut ledger = world.judge();
    assert_eq!(ledger.status(&entry), Some(Status::Accepted));
    let stop = world.stop(ADA, None, Link::Grant(share));
    let last = world.items.last().expect("it was signed");
    assert!(matches!(last, Item::Event(event) if event.id() == stop));
    last.tell(&mut ledger);
    assert_eq!(
        ledger.status(&entry),
        Some(Status::Contested(Cause::Revoked(stop)))
    );
    let mut late = Ledger::new(world.record);
    world.items.iter().for_each(|item| item.tell(&mut late));
    assert_eq!(late.status(&entry), ledger.status(&entry));
}
