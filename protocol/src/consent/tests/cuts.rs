//! Which of several cuts of one link counts, and when that is noticed.

use kith_crdt::{DocumentId, Section};

use super::world::{ADA, Item, World, label};
use crate::{
    consent::{
        Cause, Ledger, Status,
        cut::{CutPart, CutPlace, CutPosition},
    },
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

#[test]
fn a_contested_entry_is_brought_in_by_what_arrives_on_it_later() {
    let mut world = World::new();
    let (clinic, other) = (world.person(), world.person());
    let (share, others) = (
        world.share(ADA, None, clinic),
        world.share(ADA, None, other),
    );
    world.tell_all();
    let stop = world.stop(ADA, None, Link::Grant(share));
    let late = world.write(clinic, Some(share));
    let mut ledger = world.judge();
    let contested = Status::Contested(Cause::Revoked(stop));
    assert_eq!(ledger.status(&late), Some(contested));
    let above = world.write_on(other, Some(others), vec![late]);
    let last = world.items.last().expect("it was written");
    last.tell(&mut ledger);
    assert_eq!(ledger.status(&above), Some(Status::Accepted));
    assert_eq!(ledger.status(&late), Some(Status::Marked(Cause::Ancestor)));
    assert_eq!(world.status(late), Status::Marked(Cause::Ancestor));
}

#[test]
fn a_cut_that_names_an_entry_of_another_document_says_nothing_here() {
    let mut world = World::new();
    let clinic = world.person();
    let share = world.share(ADA, None, clinic);
    world.tell_all();
    let here = world.document.clone();
    world.document = DocumentId::first(Section::Allergies, label());
    let elsewhere = world.write(clinic, Some(share));
    world.document = here.clone();
    let entry = world.write(clinic, Some(share));
    let part = CutPart {
        record: world.record,
        place: CutPlace::Document(here),
        chains: vec![CutPosition {
            device: world.pens[clinic].device(),
            epoch: 0,
            seq: 1,
            id: elsewhere,
        }],
        documents: Vec::new(),
    };
    let stop = world.stop_with(ADA, None, Link::Grant(share), &[part], |_| {});
    let waits = Status::Marked(Cause::PartMissing(stop));
    assert_eq!(world.status(entry), waits);
}
