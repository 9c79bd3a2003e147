//! Stops that wait because of a device or a recovery, and who says that they do not hold.

use super::world::{ADA, MEMBERS, Who, World};
use crate::{
    consent::{
        Cause, Status,
        ledger::{Ended, Voiding},
    },
    id::{EnvelopeId, EventId},
    logs::{LabelAct, record::Link},
};

/// An administrator whose telephone is stolen and stops a nurse's share; who hears of the theft
/// first is not known.
fn stopped_by_a_stolen_phone() -> (World, [Who; 4], EnvelopeId, EventId) {
    let mut world = World::new();
    let (admin, nurse) = (world.person(), world.person());
    let root = world.root_of(admin);
    let phone = world.add_device(admin);
    let upper = world.share(ADA, None, admin);
    world.tell_all();
    let lower = world.share(admin, Some(upper), nurse);
    world.tell_all();
    let by_nurse = world.write(nurse, Some(lower));
    world.tell_all();
    let ghost = world.double(phone);
    let stolen = world.pens[phone].device();
    world.retire(root, stolen, true);
    let spite = world.stop(ghost, Some(upper), Link::Grant(lower));
    assert_eq!(
        world.status(by_nurse),
        Status::Marked(Cause::Suspended(spite))
    );
    (world, [admin, nurse, root, phone], by_nurse, spite)
}

#[test]
fn a_stop_that_waits_for_a_stolen_device_is_voided_from_above() {
    let (mut world, [_, nurse, _, phone], by_nurse, spite) = stopped_by_a_stolen_phone();
    let ada = world.pens[ADA].principal;
    world.tell(ADA);
    let voiding = world.pens[ADA].knows.voiding(spite, ada);
    let Some(Voiding::Stop { revoke, cut, .. }) = voiding else {
        panic!("she stands above: {voiding:?}")
    };
    assert_eq!(revoke.link, Link::Device(world.pens[phone].device()));
    let id = world.label_act(ADA, None, LabelAct::Revoke(revoke));
    world.send_parts(ADA, &cut, id);
    assert!(world.waiting().is_empty(), "somebody has decided");
    assert_eq!(world.status(by_nurse), Status::Accepted);
    world.tell(nurse);
}

#[test]
fn a_stop_that_waits_for_a_stolen_device_is_voided_by_its_owner() {
    let (mut world, [admin, nurse, root, phone], by_nurse, spite) = stopped_by_a_stolen_phone();
    world.tell(root);
    world.tell(admin);
    let (owner, stolen) = (world.pens[admin].principal, world.pens[phone].device());
    let voiding = world.pens[root].knows.voiding(spite, owner);
    let expected = Voiding::End {
        principal: owner,
        ended: Ended::Device(stolen),
        stops: vec![spite],
    };
    assert_eq!(voiding, Some(expected));
    world.retire_voiding(root, stolen, true, vec![spite]);
    assert!(world.waiting().is_empty(), "somebody has decided");
    assert_eq!(world.status(by_nurse), Status::Accepted);
    let stranger = world.pens[nurse].principal;
    let voiding = world.judge().voiding(spite, stranger);
    assert!(
        !matches!(voiding, Some(Voiding::End { principal, .. }) if principal == stranger),
        "she ended nobody"
    );
}

/// The patient's own stolen telephone acts as the controller, so that nobody stands above: she says
/// it herself.
#[test]
fn a_stop_by_a_controllers_stolen_device_is_voided_by_the_controller() {
    let mut world = World::new();
    let nurse = world.person();
    let root = world.root_of(ADA);
    let phone = world.add_device(ADA);
    let share = world.share(ADA, None, nurse);
    world.tell_all();
    let by_nurse = world.write(nurse, Some(share));
    world.tell_all();
    let ghost = world.double(phone);
    let stolen = world.pens[phone].device();
    world.retire(root, stolen, true);
    let spite = world.stop(ghost, None, Link::Grant(share));
    assert_eq!(world.waiting(), [spite]);
    world.tell(root);
    let ada = world.pens[ADA].principal;
    let voiding = world.pens[root].knows.voiding(spite, ada);
    let expected = Voiding::End {
        principal: ada,
        ended: Ended::Device(stolen),
        stops: vec![spite],
    };
    assert_eq!(voiding, Some(expected));
    world.retire_voiding(root, stolen, true, vec![spite]);
    assert!(world.waiting().is_empty(), "she has decided");
    assert_eq!(world.status(by_nurse), Status::Accepted);
}

#[test]
fn a_stop_that_waits_because_of_a_recovery_is_voided_by_another() {
    let mut world = World::new();
    let (nurse, heir) = (world.person(), MEMBERS[0]);
    let share = world.share(ADA, None, nurse);
    world.tell_all();
    let by_nurse = world.write(nurse, Some(share));
    world.tell_all();
    let ghost = world.double(ADA);
    world.recover(heir, vec![share], vec![]);
    let spite = world.stop(ghost, None, Link::Grant(share));
    assert_eq!(world.waiting(), [spite]);
    world.tell_all();
    let heirs = world.pens[heir].principal;
    let voiding = world.pens[heir].knows.voiding(spite, heirs);
    assert_eq!(voiding, Some(Voiding::Recovery { stops: vec![spite] }));
    let parts = world.pens[heir]
        .knows
        .keep_instead(Link::Root, u64::MAX, &[spite]);
    world.recover_with(heir, vec![share], vec![spite], &parts);
    assert!(world.waiting().is_empty(), "they have decided");
    assert_eq!(world.status(by_nurse), Status::Accepted);
}

/// A share of several parts is stopped by as many stops: whoever says of one that it does not hold
/// does not confirm the others by that.
#[test]
fn all_stops_that_wait_for_the_same_are_voided_together() {
    let mut world = World::new();
    let (admin, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, admin);
    world.tell_all();
    let shares = [(); 2].map(|()| world.share(admin, Some(upper), nurse));
    world.tell_all();
    let entries = shares.map(|share| world.write(nurse, Some(share)));
    world.tell_all();
    let ghost = world.double(admin);
    let parts = world.pens[ADA].knows.keep_everything(Link::Grant(upper));
    world.stop_with(ADA, None, Link::Grant(upper), &parts, |revoke| {
        revoke.keep = shares.to_vec();
    });
    let spites = shares.map(|share| world.stop(ghost, Some(upper), Link::Grant(share)));
    world.tell(ADA);
    let ada = world.pens[ADA].principal;
    let voiding = world.pens[ADA].knows.voiding(spites[0], ada);
    let Some(Voiding::Stop { revoke, cut, .. }) = voiding else {
        panic!("it waits: {voiding:?}")
    };
    let id = world.label_act(ADA, None, LabelAct::Revoke(revoke));
    world.send_parts(ADA, &cut, id);
    assert!(world.waiting().is_empty(), "somebody has decided");
    for entry in entries {
        assert_eq!(world.status(entry), Status::Accepted);
    }
}
