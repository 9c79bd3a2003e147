//! The fixed cases of the rule's text, and what else people do.

use super::world::{ADA, MEMBERS, World, label};
use crate::{
    consent::{
        Cause, Fault, Status,
        cut::{Cut, CutPart, CutPlace, CutPosition},
        grant::{Actions, Purposes},
        ledger::{GrantFate, ReviewItem, Voiding},
    },
    id::{DeviceId, EnvelopeId, EventId, StaffId},
    logs::{
        Act, LabelAct, LogId, PrincipalAct,
        record::{Capacity, Control, Link},
    },
};

/// A part of a cut that ends one chain of the document here.
fn cut_at(world: &World, device: DeviceId, seq: u64, id: EnvelopeId) -> CutPart {
    CutPart {
        record: world.record,
        place: CutPlace::Document(world.document.clone()),
        chains: vec![CutPosition {
            device,
            epoch: 0,
            seq,
            id,
        }],
        documents: Vec::new(),
    }
}

#[test]
fn what_ada_and_her_practice_write_counts() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let first = world.write(ADA, None);
    world.tell_all();
    let second = world.write(practice, Some(share));
    assert_eq!(world.status(first), Status::Accepted);
    assert_eq!(world.status(second), Status::Accepted);
    let mut all = world.judge();
    assert_eq!(all.loaded(&world.document).main, vec![first, second]);
    assert_eq!(all.heads(&world.document), vec![second]);
    assert_eq!(all.controllers(), vec![world.pens[ADA].principal]);
}

#[test]
fn after_a_revocation_what_was_kept_counts_and_what_comes_unseen_is_contested() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let kept = world.write(practice, Some(share));
    world.tell(ADA);
    let stop = world.stop_keeping(ADA, None, Link::Grant(share));
    let late = world.write(practice, Some(share));
    world.tell(practice);
    let knowing = world.write(practice, Some(share));
    assert_eq!(world.status(kept), Status::Accepted);
    assert_eq!(world.status(late), Status::Contested(Cause::Revoked(stop)));
    assert_eq!(world.status(knowing), Status::Invalid(Fault::Revoked(stop)));
    assert_eq!(world.judge().grants()[0].state, GrantFate::Revoked);
}

#[test]
fn until_the_part_of_the_cut_arrives_the_entries_are_marked() {
    let mut world = World::new();
    let practice = world.person();
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let kept = world.write(practice, Some(share));
    world.tell(ADA);
    let stop = world.stop_keeping(ADA, None, Link::Grant(share));
    world
        .items
        .retain(|item| !matches!(item, super::world::Item::Part(_)));
    assert_eq!(world.status(kept), Status::Marked(Cause::PartMissing(stop)));
}

#[test]
fn a_reviewer_who_backdates_an_entry_and_adopts_it_gains_nothing() {
    let mut world = World::new();
    let reviewer = world.person();
    let share = world.share(ADA, None, reviewer);
    world.tell_all();
    let ghost = world.double(reviewer);
    world.stop(ADA, None, Link::Grant(share));
    let backdated = world.write(ghost, Some(share));
    let adoption = world.adopt(ghost, Some(share), vec![backdated]);
    assert!(matches!(world.status(backdated), Status::Contested(_)));
    assert!(matches!(world.status(adoption), Status::Contested(_)));
}

#[test]
fn nobody_adopts_what_they_wrote_themselves() {
    let mut world = World::new();
    let practice = world.person();
    let (old, new) = (
        world.share(ADA, None, practice),
        world.share(ADA, None, practice),
    );
    world.tell_all();
    let ghost = world.double(practice);
    world.stop(ADA, None, Link::Grant(old));
    let late = world.write(ghost, Some(old));
    world.tell_all();
    world.pens[practice].epoch = 1;
    let adoption = world.adopt(practice, Some(new), vec![late]);
    assert_eq!(world.status(adoption), Status::Accepted);
    assert!(matches!(world.status(late), Status::Contested(_)));
    world.tell_all();
    world.adopt(ADA, None, vec![late]);
    assert_eq!(world.status(late), Status::Accepted);
}

#[test]
fn one_who_renounces_ends_their_own_right_and_covers_nothing() {
    let mut world = World::new();
    let clinic = world.person();
    let share = world.share(ADA, None, clinic);
    world.tell_all();
    let ghost = world.double(clinic);
    let early = world.write(clinic, Some(share));
    let renounce = LabelAct::Renounce { grant: share };
    world.label_act(clinic, Some(share), renounce);
    let after = world.write(clinic, Some(share));
    let backdated = world.write(ghost, Some(share));
    assert_eq!(world.status(early), Status::Accepted);
    assert_eq!(world.status(after), Status::Invalid(Fault::Renounced));
    assert_eq!(
        world.status(backdated),
        Status::Accepted,
        "it contests nothing"
    );
    world.tell(ADA);
    world.stop(ADA, None, Link::Grant(share));
    assert!(
        matches!(world.status(backdated), Status::Contested(_)),
        "it covers nothing"
    );
    assert!(matches!(world.status(early), Status::Contested(_)));
}

#[test]
fn a_revoked_admin_who_keeps_revoking_others_is_suspended() {
    let mut world = World::new();
    let (admin, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, admin);
    let lower = world.share(admin, Some(upper), nurse);
    world.tell_all();
    let lower = {
        assert!(world.judge().grants().iter().any(|grant| grant.id == lower));
        lower
    };
    let entry = world.write(nurse, Some(lower));
    world.tell_all();
    let ghost = world.double(admin);
    let parts = world.pens[ADA].knows.keep_everything(Link::Grant(upper));
    let stop = world.stop_with(ADA, None, Link::Grant(upper), &parts, |revoke| {
        revoke.keep = vec![lower];
    });
    let spite = world.stop(ghost, Some(upper), Link::Grant(lower));
    assert_eq!(world.status(entry), Status::Marked(Cause::Suspended(spite)));
    world.tell(ADA);
    let review = world.pens[ADA].knows.review();
    assert!(matches!(review[0], ReviewItem::Suspended { revocation, .. } if revocation == spite));
    let parts = world.pens[ADA].knows.keep_everything(Link::Grant(upper));
    world.stop_with(ADA, None, Link::Grant(upper), &parts, |revoke| {
        revoke.keep = vec![lower];
        revoke.void = vec![spite];
    });
    assert_eq!(world.status(entry), Status::Accepted);
    let knowing = {
        world.tell(admin);
        world.stop(admin, Some(upper), Link::Grant(lower))
    };
    assert_ne!(knowing, stop);
    assert_eq!(
        world.status(entry),
        Status::Accepted,
        "that one breaks the rule"
    );
}

#[test]
fn a_final_revocation_makes_void_what_it_had_not_seen() {
    let mut world = World::new();
    let (admin, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, admin);
    world.tell_all();
    let lower = world.share(admin, Some(upper), nurse);
    world.tell_all();
    let entry = world.write(nurse, Some(lower));
    let ghost = world.double(admin);
    let parts = {
        world.tell(ADA);
        world.pens[ADA].knows.keep_everything(Link::Grant(upper))
    };
    world.stop_with(ADA, None, Link::Grant(upper), &parts, |revoke| {
        revoke.is_final = true;
    });
    world.stop(ghost, Some(upper), Link::Grant(lower));
    assert_eq!(world.status(entry), Status::Accepted);
}

#[test]
fn a_confirmed_revocation_stands() {
    let mut world = World::new();
    let (admin, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, admin);
    world.tell_all();
    let lower = world.share(admin, Some(upper), nurse);
    world.tell_all();
    let entry = world.write(nurse, Some(lower));
    let ghost = world.double(admin);
    world.stop_with(ADA, None, Link::Grant(upper), &[], |revoke| {
        revoke.keep = vec![lower];
    });
    let spite = world.stop(ghost, Some(upper), Link::Grant(lower));
    assert_eq!(world.status(entry), Status::Marked(Cause::Suspended(spite)));
    world.tell(ADA);
    let confirm = LabelAct::Confirm { revocation: spite };
    assert_eq!(world.waiting(), [spite]);
    world.label_act(ADA, None, confirm);
    assert!(matches!(world.status(entry), Status::Contested(_)));
    assert!(world.waiting().is_empty(), "somebody has decided");
}

#[test]
fn a_revocation_that_waited_is_voided_and_nothing_that_stood_is_lost() {
    let mut world = World::new();
    let (admin, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, admin);
    world.tell_all();
    let lower = world.share(admin, Some(upper), nurse);
    world.tell_all();
    let (by_admin, by_nurse) = (
        world.write(admin, Some(upper)),
        world.write(nurse, Some(lower)),
    );
    world.tell_all();
    let ghost = world.double(admin);
    let parts = world.pens[ADA].knows.keep_everything(Link::Grant(upper));
    world.stop_with(ADA, None, Link::Grant(upper), &parts, |revoke| {
        revoke.keep = vec![lower];
    });
    let spite = world.stop(ghost, Some(upper), Link::Grant(lower));
    let backdated = world.write(ghost, Some(upper));
    assert_eq!(
        world.status(by_nurse),
        Status::Marked(Cause::Suspended(spite))
    );
    assert_eq!(world.waiting(), [spite]);
    world.tell(ADA);
    let ada = world.pens[ADA].principal;
    let voiding = world.pens[ADA].knows.voiding(spite, ada);
    let Some(Voiding::Stop { revoke, cut, .. }) = voiding else {
        panic!("it waits: {voiding:?}")
    };
    assert_eq!(revoke.keep, [lower]);
    let id = world.label_act(ADA, None, LabelAct::Revoke(revoke));
    world.send_parts(ADA, &cut, id);
    assert!(world.waiting().is_empty(), "somebody has decided");
    assert_eq!(world.status(by_admin), Status::Accepted);
    assert_eq!(world.status(by_nurse), Status::Accepted);
    assert!(matches!(world.status(backdated), Status::Contested(_)));
    world.tell_all();
    let later = world.write(nurse, Some(lower));
    assert_eq!(world.status(later), Status::Accepted);
}

#[test]
fn an_honest_later_cut_on_another_link_launders_nothing() {
    let mut world = World::new();
    let (clinic, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, clinic);
    world.tell_all();
    let lower = world.share(clinic, Some(upper), nurse);
    world.tell_all();
    let honest = world.write(nurse, Some(lower));
    world.tell_all();
    let ghost = world.double(nurse);
    world.stop_keeping(clinic, Some(upper), Link::Grant(lower));
    let backdated = world.write(ghost, Some(lower));
    world.tell(ADA);
    // Ada's cut on the clinic's share covers the backdated entry by its position.
    let device = world.pens[nurse].device();
    let part = cut_at(&world, device, 1, backdated);
    world.stop_with(ADA, None, Link::Grant(upper), &[part], |_| {});
    assert_eq!(world.status(honest), Status::Accepted);
    assert!(matches!(world.status(backdated), Status::Contested(_)));
}

#[test]
fn a_second_device_building_on_a_contested_entry_of_the_first_marks_it() {
    let mut world = World::new();
    let practice = world.person();
    let second = world.add_device(practice);
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let first_device = world.pens[practice].device();
    let root = world.root_of(practice);
    let ghost = world.double(practice);
    world.retire(root, first_device, true);
    let late = world.write(ghost, Some(share));
    assert!(matches!(world.status(late), Status::Contested(_)));
    // The second device is offline: it had not heard of the retirement.
    let item = world.items.last().cloned().expect("it was written");
    item.tell(&mut world.pens[second].knows);
    let built = world.write(second, Some(share));
    assert_eq!(world.status(built), Status::Accepted);
    assert_eq!(world.status(late), Status::Marked(Cause::Ancestor));
}

#[test]
fn a_child_is_not_adopted_without_its_parent() {
    let mut world = World::new();
    let nurse = world.person();
    let share = world.share(ADA, None, nurse);
    world.tell_all();
    let ghost = world.double(nurse);
    world.stop(ADA, None, Link::Grant(share));
    let parent = world.write(ghost, Some(share));
    let child = world.write(ghost, Some(share));
    world.tell(ADA);
    assert_eq!(world.pens[ADA].knows.adoptable(&child), vec![parent, child]);
    world.adopt(ADA, None, vec![child]);
    assert!(matches!(world.status(child), Status::Contested(_)));
    world.adopt(ADA, None, vec![parent]);
    assert_eq!(world.status(parent), Status::Accepted);
    assert_eq!(world.status(child), Status::Accepted);
}

#[test]
fn a_patients_entry_on_top_of_a_partly_adopted_chain_marks_the_rest() {
    let mut world = World::new();
    let nurse = world.person();
    let share = world.share(ADA, None, nurse);
    world.tell_all();
    let ghost = world.double(nurse);
    let offline = world.double(ADA);
    world.stop(ADA, None, Link::Grant(share));
    let first = world.write(ghost, Some(share));
    let second = world.write(ghost, Some(share));
    for item in world.items.clone().iter().rev().take(2) {
        item.tell(&mut world.pens[offline].knows);
    }
    world.tell(ADA);
    world.pens[ADA].epoch = 1;
    world.adopt(ADA, None, vec![first]);
    let patient = world.write(offline, None);
    assert_eq!(world.status(first), Status::Accepted);
    assert_eq!(world.status(second), Status::Marked(Cause::Ancestor));
    assert_eq!(world.status(patient), Status::Accepted);
}

#[test]
fn a_custodian_downstream_who_lapses_its_upstream_only_marks() {
    let mut world = World::new();
    let (clinic, below) = (world.person(), world.person());
    let custodian = world.pens[below].principal;
    let other = world.pens[MEMBERS[0]].principal;
    let upper = world.share_with(ADA, None, clinic, |grant| {
        grant.until_ms = Some(2_000_000);
        grant.custodians = vec![custodian.min(other), custodian.max(other)];
    });
    world.tell_all();
    let lower = world.share(clinic, Some(upper), below);
    world.tell_all();
    let entry = world.write(clinic, Some(upper));
    world.tell_all();
    world.time_ms = 2_000_001;
    let lapse = || LabelAct::Lapse {
        grant: upper,
        cut: Cut::Nothing,
    };
    let alone = world.label_act(below, Some(lower), lapse());
    assert_eq!(
        world.status(entry),
        Status::Marked(Cause::LapseAlone(alone))
    );
    world.label_act(MEMBERS[0], None, lapse());
    assert!(matches!(
        world.status(entry),
        Status::Contested(Cause::Lapsed(_))
    ));
    // Ada replaces a wrong lapse with a wider cut.
    world.tell(ADA);
    let device = world.pens[clinic].device();
    let part = cut_at(&world, device, 0, entry);
    let tree = crate::consent::cut::CutTree::new([part]);
    let wider = LabelAct::Lapse {
        grant: upper,
        cut: tree.cut(),
    };
    let id = world.label_act(ADA, None, wider);
    world.send_parts(ADA, &tree, id);
    assert_eq!(world.status(entry), Status::Accepted);
}

#[test]
fn an_entry_that_knows_only_a_lapse_is_contested_and_not_a_fault() {
    let mut world = World::new();
    let clinic = world.person();
    let share = world.share_with(ADA, None, clinic, |grant| grant.until_ms = Some(2_000_000));
    world.time_ms = 2_000_001;
    let late = {
        world.tell_all();
        world.write(clinic, Some(share))
    };
    assert_eq!(world.status(late), Status::Marked(Cause::AfterEnd));
    let lapse = LabelAct::Lapse {
        grant: share,
        cut: Cut::Nothing,
    };
    world.label_act(ADA, None, lapse);
    world.tell(clinic);
    let knowing = world.write(clinic, Some(share));
    assert!(matches!(
        world.status(knowing),
        Status::Contested(Cause::Lapsed(_))
    ));
}

#[test]
fn a_recovery_that_had_not_seen_a_revocation_suspends_it() {
    let mut world = World::new();
    let (clinic, heir) = (world.person(), world.person());
    let share = world.share(ADA, None, clinic);
    world.tell_all();
    let entry = world.write(clinic, Some(share));
    world.tell_all();
    let stop = world.stop(ADA, None, Link::Grant(share));
    assert!(matches!(world.status(entry), Status::Contested(_)));
    world.recover(heir, vec![share], vec![]);
    assert_eq!(world.status(entry), Status::Marked(Cause::Suspended(stop)));
    world.tell_all();
    world.label_act(heir, None, LabelAct::Confirm { revocation: stop });
    assert!(matches!(world.status(entry), Status::Contested(_)));
    assert_eq!(
        world.judge().controllers(),
        vec![world.pens[heir].principal]
    );
}

#[test]
fn a_recovery_lets_revocations_stand_that_it_had_seen_unless_it_voids_them() {
    for voided in [false, true] {
        let mut world = World::new();
        let (clinic, heir) = (world.person(), world.person());
        let share = world.share(ADA, None, clinic);
        world.tell_all();
        let entry = world.write(clinic, Some(share));
        world.tell_all();
        let parts = world.pens[MEMBERS[0]].knows.keep_everything(Link::Root);
        let stop = world.stop(ADA, None, Link::Grant(share));
        world.tell_all();
        let events = world.pens[MEMBERS[0]].knows.keep_everything(Link::Root);
        let events = events
            .into_iter()
            .filter(|part| part.place == CutPlace::Label(label()));
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|part| part.place != CutPlace::Label(label()))
            .chain(events)
            .collect();
        let void = if voided { vec![stop] } else { vec![] };
        world.recover_with(heir, vec![share], void, &parts);
        if voided {
            assert_eq!(world.status(entry), Status::Accepted);
        } else {
            assert!(matches!(world.status(entry), Status::Contested(_)));
        }
    }
}

#[test]
fn two_concurrent_recoveries_both_apply_until_a_later_one() {
    let mut world = World::new();
    let (one, two, last) = (world.person(), world.person(), world.person());
    world.tell_all();
    let before = world.pens[MEMBERS[0]].clone();
    world.recover(one, vec![], vec![]);
    let after = std::mem::replace(&mut world.pens[MEMBERS[0]], before);
    world.recover(two, vec![], vec![]);
    world.pens[MEMBERS[0]] = after;
    assert_eq!(world.judge().controllers(), vec![]);
    world.tell_all();
    world.recover(last, vec![], vec![]);
    assert_eq!(
        world.judge().controllers(),
        vec![world.pens[last].principal]
    );
}

#[test]
fn a_suspended_revocation_beneath_a_suspended_one_waits_too() {
    let mut world = World::new();
    let people: Vec<_> = (0..4).map(|_| world.person()).collect();
    let top = world.share(ADA, None, people[0]);
    world.tell_all();
    let middle = world.share(people[0], Some(top), people[1]);
    world.tell_all();
    let low = world.share(people[1], Some(middle), people[2]);
    world.tell_all();
    let lowest = world.share(people[2], Some(low), people[3]);
    world.tell_all();
    let entry = world.write(people[3], Some(lowest));
    world.stop_with(ADA, None, Link::Grant(top), &[], |revoke| {
        revoke.keep = vec![middle];
    });
    // Each had not heard of the one above.
    world.stop_with(people[0], Some(top), Link::Grant(middle), &[], |revoke| {
        revoke.keep = vec![low];
    });
    let under = world.stop(people[1], Some(middle), Link::Grant(low));
    assert_eq!(world.status(entry), Status::Marked(Cause::Suspended(under)));
    assert_eq!(
        world
            .judge()
            .review()
            .iter()
            .filter(|item| matches!(item, ReviewItem::Suspended { .. }))
            .count(),
        2
    );
}

#[test]
fn a_kept_nurse_who_writes_offline_under_the_old_grant_counts() {
    let mut world = World::new();
    let (clinic, nurse) = (world.person(), world.person());
    let upper = world.share(ADA, None, clinic);
    world.tell_all();
    let lower = world.share(clinic, Some(upper), nurse);
    world.tell_all();
    world.stop_with(ADA, None, Link::Grant(upper), &[], |revoke| {
        revoke.keep = vec![lower];
    });
    let offline = world.write(nurse, Some(lower));
    world.tell(nurse);
    let knowing = world.write(nurse, Some(lower));
    assert_eq!(world.status(offline), Status::Accepted);
    assert_eq!(world.status(knowing), Status::Accepted);
}

#[test]
fn a_stolen_phone_cannot_retire_the_laptop() {
    let mut world = World::new();
    let root = world.root_of(ADA);
    world.tell_all();
    let phone = world.add_device(root);
    world.tell_all();
    let laptop = world.pens[ADA].device();
    let theft = world.retire(phone, laptop, false);
    let entry = world.write(ADA, None);
    assert_eq!(world.status(entry), Status::Accepted);
    // It even fails when the phone claims to have added the laptop: the laptop agreed to its
    // parent.
    let principal = world.pens[ADA].principal;
    let agreed =
        crate::identity::agree_to_act_for(principal, &world.pens[ADA].key(), principal.root_key());
    let forged = Act::Principal(PrincipalAct::DeviceAdd {
        device: laptop,
        proof: agreed,
    });
    world.sign(phone, LogId::Principal(principal), None, forged);
    world.retire(phone, laptop, false);
    assert_eq!(world.status(entry), Status::Accepted);
    assert_ne!(theft, EventId::from_bytes([0; 32]));
}

#[test]
fn a_stolen_phone_that_added_the_laptop_retires_it_until_the_root_key_decides() {
    let mut world = World::new();
    let root = world.root_of(ADA);
    world.tell_all();
    let phone = world.add_device(root);
    let tablet = world.add_device(phone);
    world.tell_all();
    let entry = world.write(tablet, None);
    world.tell_all();
    let ghost = world.double(phone);
    let (phone_key, tablet_key) = (world.pens[phone].device(), world.pens[tablet].device());
    world.retire(root, phone_key, true);
    assert_eq!(world.status(entry), Status::Accepted);
    let theft = world.retire(ghost, tablet_key, false);
    assert_eq!(world.status(entry), Status::Marked(Cause::Suspended(theft)));
    // Serving stops for a suspended retirement of a device.
    let who = crate::consent::Whoever {
        principal: world.pens[tablet].principal,
        device: tablet_key,
        staff: None,
    };
    let document = world.document.clone();
    let denied = world
        .judge()
        .decide_read(&who, &document, Purposes::CARE, 0);
    assert_eq!(denied, Err(crate::consent::Denial::ActorStopped(theft)));
}

#[test]
fn a_grant_by_a_stolen_device_falls_with_it_and_what_it_granted_before_stays() {
    let mut world = World::new();
    let (friend, thief) = (world.person(), world.person());
    let root = world.root_of(ADA);
    let before = world.share(ADA, None, friend);
    world.tell_all();
    let ghost = world.double(ADA);
    let laptop = world.pens[ADA].device();
    world.retire(root, laptop, true);
    let after = world.share(ghost, None, thief);
    world.tell(thief);
    world.tell(friend);
    let good = world.write(friend, Some(before));
    let bad = world.write(thief, Some(after));
    assert_eq!(world.status(good), Status::Accepted);
    assert!(!matches!(
        world.status(bad),
        Status::Accepted | Status::Marked(_)
    ));
}

#[test]
fn a_leaver_is_one_event_and_colleagues_may_adopt_what_came_late() {
    let mut world = World::new();
    let practice = world.person();
    let root = world.root_of(practice);
    let (nurse, doctor) = (StaffId::from_bytes([1; 32]), StaffId::from_bytes([2; 32]));
    let principal = world.pens[practice].principal;
    let log = || LogId::Principal(principal);
    for staff in [nurse, doctor] {
        let add = Act::Principal(PrincipalAct::StaffAdd {
            staff,
            device: None,
            role: "nurse".into(),
            may: Actions::ALL,
            until_ms: None,
        });
        world.sign(root, log(), None, add);
    }
    let share = world.share(ADA, None, practice);
    world.tell_all();
    let (as_nurse, as_doctor) = (world.double(practice), world.double(practice));
    world.pens[as_nurse].staff = Some(nurse);
    world.pens[as_doctor].staff = Some(doctor);
    let early = world.write(as_nurse, Some(share));
    world.tell(root);
    let parts = world.pens[root].knows.keep_everything(Link::Staff(nurse));
    let tree = crate::consent::cut::CutTree::new(parts);
    let end = Act::Principal(PrincipalAct::StaffEnd {
        staff: nurse,
        cut: tree.cut(),
        void: Vec::new(),
    });
    let end = world.sign(root, log(), None, end);
    world.send_parts(root, &tree, end);
    let late = world.write(as_nurse, Some(share));
    assert_eq!(world.status(early), Status::Accepted);
    assert_eq!(world.status(late), Status::Contested(Cause::Revoked(end)));
    world.tell(as_doctor);
    world.pens[as_doctor].epoch = 1;
    world.adopt(as_doctor, Some(share), vec![late]);
    assert_eq!(world.status(late), Status::Accepted);
}

#[test]
fn a_fork_contests_nothing_and_is_shown() {
    let mut world = World::new();
    world.tell_all();
    let clone = world.double(ADA);
    let one = world.write(ADA, None);
    let two = world.write(clone, None);
    assert_eq!(world.status(one), Status::Accepted);
    assert_eq!(world.status(two), Status::Accepted);
    let review = world.judge().review();
    assert!(
        review
            .iter()
            .any(|item| matches!(item, ReviewItem::Forked { .. }))
    );
}

#[test]
fn a_child_grant_only_narrows() {
    let mut world = World::new();
    let (clinic, nurse) = (world.person(), world.person());
    let upper = world.share_with(ADA, None, clinic, |grant| {
        grant.actions = Actions::READ.union(Actions::SHARE_ON);
        grant.depth = 1;
    });
    world.tell_all();
    let lower = world.share(clinic, Some(upper), nurse);
    world.tell_all();
    let entry = world.write(nurse, Some(lower));
    assert_eq!(world.status(entry), Status::Invalid(Fault::Scope));
    let further = world.share(nurse, Some(lower), ADA);
    let states = world.judge().grants();
    let state = states
        .iter()
        .find(|grant| grant.id == further)
        .map(|grant| grant.state);
    assert_eq!(state, Some(GrantFate::Invalid));
}

#[test]
fn a_peer_or_a_descendant_revokes_nothing() {
    let mut world = World::new();
    let (clinic, peer, nurse) = (world.person(), world.person(), world.person());
    let upper = world.share(ADA, None, clinic);
    let beside = world.share(ADA, None, peer);
    world.tell_all();
    let lower = world.share(clinic, Some(upper), nurse);
    world.tell_all();
    let entry = world.write(clinic, Some(upper));
    world.stop(peer, Some(beside), Link::Grant(upper));
    world.stop(nurse, Some(lower), Link::Grant(upper));
    world.stop(clinic, Some(upper), Link::Grant(upper));
    let device = world.pens[clinic].device();
    world.stop(nurse, Some(lower), Link::Device(device));
    world.stop(peer, Some(beside), Link::Device(device));
    assert_eq!(world.status(entry), Status::Accepted);
}

#[test]
fn control_is_added_handed_over_and_left() {
    let mut world = World::new();
    let (daughter, son) = (world.person(), world.person());
    world.tell_all();
    let control = |world: &World, who: usize| Control::Add {
        controller: world.pens[who].principal,
        capacity: Capacity::Keeper,
    };
    let add = control(&world, daughter);
    world.control(ADA, add);
    world.tell_all();
    let entry = world.write(daughter, None);
    assert_eq!(world.status(entry), Status::Accepted);
    let hand_over = Control::HandOver {
        controller: world.pens[son].principal,
        capacity: Capacity::Keeper,
    };
    world.control(daughter, hand_over);
    world.tell_all();
    let after = world.write(daughter, None);
    assert_eq!(world.status(after), Status::Invalid(Fault::Control));
    let mut expected = vec![world.pens[ADA].principal, world.pens[son].principal];
    expected.sort_unstable();
    assert_eq!(world.judge().controllers(), expected);
    assert_eq!(world.status(entry), Status::Accepted);
}

#[test]
fn an_emergency_opens_what_the_policy_names_to_whom_it_names() {
    let mut world = World::new();
    world.tell_all();
    let (ambulance, stranger) = (MEMBERS[2], MEMBERS[1]);
    let glass = |until_ms| {
        Act::Core(crate::logs::CoreAct::BreakGlass {
            reason: "unconscious at home".into(),
            until_ms,
            secret_proof: None,
            sections: vec![kith_crdt::Section::Medicines],
        })
    };
    let until_ms = world.time_ms + 5 * 3_600_000;
    let core = world.core();
    let opened = world.sign(ambulance, core.clone(), None, glass(until_ms));
    let refused = world.sign(stranger, core, None, glass(until_ms));
    let who = |who: usize| crate::consent::Whoever {
        principal: world.pens[who].principal,
        device: world.pens[who].device(),
        staff: None,
    };
    let mut all = world.judge();
    let now = world.time_ms;
    let reader = all.decide_read(&who(ambulance), &world.document, Purposes::EMERGENCY, now);
    assert_eq!(reader.map(|reader| reader.grant()), Ok(Some(opened)));
    let denied = all.decide_read(&who(stranger), &world.document, Purposes::EMERGENCY, now);
    assert_eq!(denied, Err(crate::consent::Denial::NothingShared));
    let late = all.decide_read(
        &who(ambulance),
        &world.document,
        Purposes::EMERGENCY,
        until_ms,
    );
    assert_eq!(late, Err(crate::consent::Denial::Ended));
    assert_ne!(opened, refused);
}

#[test]
fn a_change_that_builds_on_what_its_entry_does_not_name_breaks_the_rule() {
    let mut world = World::new();
    world.tell_all();
    let first = world.write(ADA, None);
    let second = world.write_on(ADA, None, vec![first]);
    assert_eq!(world.status(second), Status::Accepted);
    let Some(super::world::Item::Entry(header, _)) = world.items.last().cloned() else {
        panic!("an entry was written")
    };
    let mut ledger = crate::consent::Ledger::new(world.record);
    for item in &world.items[..world.items.len() - 1] {
        item.tell(&mut ledger);
    }
    let foreign = crate::consent::ContentFacts::Change {
        hash: [1; 32],
        deps: vec![[9; 32]],
        actor_seq: 2,
    };
    ledger.add_entry(header, foreign);
    assert_eq!(
        ledger.status(&second),
        Some(Status::Invalid(Fault::ForeignChange))
    );
}
