//! An issuer who cannot read a document leaves it to a custodian what of it stands.

use kith_crdt::{DocumentId, Label, Section};

use super::world::{ADA, Item, Who, World};
use crate::{
    consent::{Cause, Status, cut::CutPart, grant::Actions},
    id::{EnvelopeId, EventId},
    logs::record::{Capacity, Control, Link},
};

/// A keeper controls the record and reads nothing of it; a practice writes about sexual health,
/// and a clinic reads that too.
struct Case {
    world: World,
    keeper: Who,
    practice: Who,
    clinic: Who,
    share: EventId,
    clinics: EventId,
    /// What the practice wrote before it was stopped; the clinic has it.
    kept: EnvelopeId,
}

impl Case {
    fn new() -> Self {
        let mut world = World::new();
        world.document = DocumentId::first(Section::Conditions, Label::sexual_health());
        let (keeper, practice) = (world.person(), world.person());
        let clinic = world.person();
        let add = Control::Add {
            controller: world.pens[keeper].principal,
            capacity: Capacity::Keeper,
        };
        world.control(ADA, add);
        let share = world.share(ADA, None, practice);
        let clinics = world.share_with(ADA, None, clinic, |grant| {
            grant.actions = Actions::READ
                .union(Actions::APPEND)
                .union(Actions::CUSTODIAN);
        });
        world.tell_all();
        let kept = world.write(practice, Some(share));
        world.tell(clinic);
        Self {
            world,
            keeper,
            practice,
            clinic,
            share,
            clinics,
            kept,
        }
    }

    /// The keeper stops the practice and names the clinic; only the clinic hears of it.
    fn stop(&mut self, until_ms: u64) -> EventId {
        let custody = self.world.custody(self.clinic, until_ms);
        let link = Link::Grant(self.share);
        let stop = self
            .world
            .stop_entrusting(self.keeper, None, link, vec![custody]);
        self.world.tell(self.clinic);
        stop
    }

    fn late(&mut self) -> EnvelopeId {
        self.world.write(self.practice, Some(self.share))
    }

    fn part(&self, entries: &[EnvelopeId]) -> CutPart {
        self.world.part_at(entries)
    }

    /// Someone signs in the name of the clinic, or of themselves.
    fn says(&mut self, who: Who, of: Who, stop: EventId, entries: &[EnvelopeId]) {
        let principal = self.world.pens[of].principal;
        let part = self.part(entries);
        self.world.sign_part(who, principal, stop, part);
    }
}

#[test]
fn what_an_issuer_cannot_read_waits_for_the_word_of_the_custodian_that_it_names() {
    let mut case = Case::new();
    let ledger = &case.world.pens[case.keeper].knows;
    assert!(!ledger.holds_entry(&case.kept), "the keeper read nothing");
    let stop = case.stop(u64::MAX);
    let mut silent = case.world.clone();
    let late = silent.write(case.practice, Some(case.share));
    let waits = Status::Marked(Cause::PartMissing(stop));
    assert_eq!(silent.status(case.kept), waits);
    assert_eq!(silent.status(late), waits);
    case.world.sign_owed(case.clinic);
    let late = case.late();
    assert_eq!(case.world.status(case.kept), Status::Accepted);
    let stopped = Status::Contested(Cause::Revoked(stop));
    assert_eq!(case.world.status(late), stopped);
    let clinic = case.world.pens[case.clinic].principal;
    case.world.tell(case.clinic);
    let owed = case.world.pens[case.clinic].knows.parts_owed(clinic);
    assert_eq!(owed, [], "it has said everything");
}

#[test]
fn a_forged_part_changes_nothing() {
    let mut case = Case::new();
    let stop = case.stop(u64::MAX);
    let late = case.late();
    let waits = Status::Marked(Cause::PartMissing(stop));
    let both = [case.kept, late];
    let (practice, clinic) = (case.practice, case.clinic);
    // In the clinic's name with another's key, in one's own name, and changed after it was signed.
    case.says(practice, clinic, stop, &both);
    case.says(practice, practice, stop, &both);
    assert_eq!(case.world.status(case.kept), waits);
    assert_eq!(case.world.status(late), waits);
    case.says(clinic, clinic, stop, &[case.kept]);
    let Some(Item::Part(mut forged)) = case.world.items.last().cloned() else {
        panic!("a part was signed");
    };
    forged.part = case.part(&both);
    case.world.give_part(practice, forged.clone());
    // The signature of another revocation's part is none for this one.
    let other = case
        .world
        .stop_entrusting(case.keeper, None, Link::Grant(case.clinics), vec![]);
    forged.revocation = other;
    case.world.give_part(practice, forged);
    let stopped = Status::Contested(Cause::Revoked(stop));
    assert_eq!(case.world.status(case.kept), Status::Accepted);
    assert_eq!(case.world.status(late), stopped);
}

#[test]
fn a_custodian_keeps_nothing_beyond_the_time_that_the_issuer_set() {
    let mut case = Case::new();
    let stop = case.stop(case.world.time_ms);
    case.world.time_ms += 1;
    let late = case.late();
    case.says(case.clinic, case.clinic, stop, &[late]);
    assert_eq!(case.world.status(case.kept), Status::Accepted);
    let stopped = Status::Contested(Cause::Revoked(stop));
    assert_eq!(case.world.status(late), stopped);
}

#[test]
fn a_custodian_says_nothing_of_its_own_entries() {
    let mut case = Case::new();
    let own = case.world.write(case.clinic, Some(case.clinics));
    let custody = case.world.custody(case.clinic, u64::MAX);
    let link = Link::Grant(case.clinics);
    let stop = case
        .world
        .stop_entrusting(case.keeper, None, link, vec![custody]);
    case.says(case.clinic, case.clinic, stop, &[own]);
    assert_eq!(
        case.world.status(own),
        Status::Contested(Cause::Revoked(stop))
    );
}

#[test]
fn several_parts_of_a_custodian_unite_and_none_takes_back_what_another_kept() {
    for narrow_first in [true, false] {
        let mut case = Case::new();
        let stop = case.stop(u64::MAX);
        let late = case.late();
        let parts: [&[EnvelopeId]; 2] = [&[case.kept], &[late]];
        let order: [usize; 2] = if narrow_first { [0, 1] } else { [1, 0] };
        for at in order {
            case.says(case.clinic, case.clinic, stop, parts[at]);
        }
        assert_eq!(case.world.status(case.kept), Status::Accepted);
        assert_eq!(case.world.status(late), Status::Accepted);
    }
}

#[test]
fn where_the_issuer_says_something_itself_no_custodian_widens_it() {
    let mut case = Case::new();
    case.world.tell(ADA);
    let late = case.late();
    let custody = case.world.custody(case.clinic, u64::MAX);
    let parts = case.world.pens[ADA]
        .knows
        .keep_everything(Link::Grant(case.share));
    let cut = crate::consent::cut::CutTree::new(parts.clone()).entrusting([custody]);
    let link = Link::Grant(case.share);
    let stop = case
        .world
        .stop_with(ADA, None, link, &parts, |revoke| revoke.cut = cut);
    case.says(case.clinic, case.clinic, stop, &[late]);
    assert_eq!(case.world.status(case.kept), Status::Accepted);
    assert_eq!(
        case.world.status(late),
        Status::Contested(Cause::Revoked(stop))
    );
}

#[test]
fn a_custodian_of_one_revocation_says_nothing_on_another() {
    let mut case = Case::new();
    case.stop(u64::MAX);
    let again = case
        .world
        .stop_entrusting(case.keeper, None, Link::Grant(case.share), vec![]);
    case.says(case.clinic, case.clinic, again, &[case.kept]);
    assert_eq!(
        case.world.status(case.kept),
        Status::Contested(Cause::Revoked(again))
    );
}

#[test]
fn a_custodian_whose_own_share_ended_still_signs_what_it_was_asked_for() {
    let mut case = Case::new();
    case.stop(u64::MAX);
    case.world.stop(ADA, None, Link::Grant(case.clinics));
    case.world.tell(case.clinic);
    case.world.sign_owed(case.clinic);
    assert_eq!(case.world.status(case.kept), Status::Accepted);
}

#[test]
fn a_part_signed_by_a_device_that_is_retired_waits_to_be_signed_again() {
    let mut case = Case::new();
    let stop = case.stop(u64::MAX);
    case.world.sign_owed(case.clinic);
    let mut asked = case.world.judge();
    assert_eq!(asked.status(&case.kept), Some(Status::Accepted));
    let root = case.world.root_of(case.clinic);
    case.world.tell(root);
    let stolen = case.world.pens[case.clinic].device();
    let at = case.world.items.len();
    case.world.retire(root, stolen, true);
    // Also where statuses were asked for before.
    for item in &case.world.items[at..] {
        item.tell(&mut asked);
    }
    let waits = Status::Marked(Cause::PartMissing(stop));
    assert_eq!(asked.status(&case.kept), Some(waits.clone()));
    assert_eq!(case.world.status(case.kept), waits);
    case.world.tell(root);
    case.world.sign_owed(root);
    assert_eq!(case.world.status(case.kept), Status::Accepted);
}

#[test]
fn it_is_said_whose_word_is_awaited_and_whose_it_was() {
    let mut case = Case::new();
    let stop = case.stop(u64::MAX);
    let short = |bytes: &[u8; 32]| -> String {
        bytes[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let clinic = short(case.world.pens[case.clinic].principal.as_bytes());
    let told = |world: &World, entry: EnvelopeId| {
        let explained = world.judge().explain(&entry).expect("it is held");
        explained.sentences.join(" ")
    };
    let waits = told(&case.world, case.kept);
    let asks = format!("left it to {clinic} to say what stands, which has not arrived");
    assert!(waits.contains(&asks), "{waits}");
    case.world.sign_owed(case.clinic);
    let late = case.late();
    let kept = told(&case.world, case.kept);
    let by = format!("{clinic} said that it stands, as whoever stopped it had asked.");
    assert!(kept.contains(&by), "{kept}");
    let out = told(&case.world, late);
    let by = format!("it was not among what {clinic} said to stand");
    assert!(out.contains(&by), "{out}");
    for text in [waits, kept, out] {
        super::words::is_for_people(&text);
    }
    assert!(case.world.judge().holds_event(&stop));
}
