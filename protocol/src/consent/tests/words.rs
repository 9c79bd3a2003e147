//! What people are told: who did what, and what they can do about it.

use super::world::{ADA, World};
use crate::{
    consent::{Cause, Denial, Fault, ReviewItem, Status, cut::Cut, status::Missing},
    id::{EnvelopeId, EventId},
    logs::{LabelAct, record::Link},
};

/// Words of engineers, which people are not told.
const NOT_FOR_PEOPLE: [&str; 22] = [
    "frontier",
    "envelope",
    "chain",
    "hash",
    "cut",
    "delegat",
    "attenuat",
    "revocation",
    "revoke",
    "grant",
    "seq",
    "epoch",
    "principal",
    "event",
    "commit",
    "signature",
    "invalid",
    "contested",
    "pending",
    "vetting",
    "peer",
    "quorum",
];

pub(super) fn is_for_people(text: &str) {
    let low = text.to_lowercase();
    // "Executed" is no cut.
    let words: Vec<_> = low.split(|c: char| !c.is_alphanumeric()).collect();
    for word in NOT_FOR_PEOPLE {
        assert!(
            !words.iter().any(|said| said.starts_with(word)),
            "{word:?} in {text:?}"
        );
    }
}

fn short(bytes: &[u8; 32]) -> String {
    bytes[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn every_cause(id: EventId, entry: EnvelopeId) -> Vec<Cause> {
    vec![
        Cause::AfterEnd,
        Cause::PartMissing(id),
        Cause::LapseAlone(id),
        Cause::Suspended(id),
        Cause::Ancestor,
        Cause::Lapsed(id),
        Cause::Revoked(id),
        Cause::Orphan(entry),
    ]
}

/// Whoever a cause tells of: the author of the event that it names.
fn names_someone(cause: Cause) -> bool {
    match cause {
        Cause::PartMissing(_)
        | Cause::LapseAlone(_)
        | Cause::Suspended(_)
        | Cause::Lapsed(_)
        | Cause::Revoked(_) => true,
        Cause::AfterEnd | Cause::Ancestor | Cause::Orphan(_) => false,
    }
}

#[test]
fn a_mark_and_a_contest_say_who_caused_them_and_how_they_end() {
    let mut world = World::new();
    let root = world.root_of(ADA);
    let (clinic, heir) = (world.person(), world.person());
    let share = world.share_with(ADA, None, clinic, |grant| grant.until_ms = Some(1));
    world.tell_all();
    let entry = world.write(clinic, Some(share));
    let stop = world.stop(ADA, None, Link::Grant(share));
    let lapse = LabelAct::Lapse {
        grant: share,
        cut: Cut::Nothing,
    };
    let lapse = world.label_act(ADA, None, lapse);
    let phone = world.add_device(root);
    let phone = world.pens[phone].device();
    let retired = world.retire(root, phone, true);
    world.tell_all();
    let recovered = world.recover(heir, vec![], vec![]);
    let ledger = world.judge();
    for (event, by) in [
        (stop, ADA),
        (lapse, ADA),
        (retired, ADA),
        (recovered, super::world::MEMBERS[0]),
    ] {
        let author = short(world.pens[by].principal.as_bytes());
        for cause in every_cause(event, entry) {
            let marked = ledger.first_sentence(&Status::Marked(cause));
            let contested = ledger.first_sentence(&Status::Contested(cause));
            for text in [&marked, &contested] {
                is_for_people(text);
                assert!(text.contains("because "), "{text:?} says why");
                assert_eq!(text.contains(&author), names_someone(cause), "{text:?}");
            }
            assert!(marked.ends_with("Adopting it takes the mark away."));
            assert!(contested.ends_with("Someone who may review can adopt it."));
        }
    }
}

#[test]
fn what_breaks_a_rule_says_which_and_what_to_do() {
    let ledger = World::new().judge();
    let faults = [
        Fault::BuildsOnFault,
        Fault::Elsewhere,
        Fault::Chain,
        Fault::OldFrontier,
        Fault::Device,
        Fault::Staff,
        Fault::Proof,
        Fault::Control,
        Fault::Grant,
        Fault::Scope,
        Fault::Renounced,
        Fault::Revoked(EventId::from_bytes([1; 32])),
        Fault::Depth,
        Fault::NotAbove,
        Fault::Quorum,
        Fault::Sense,
        Fault::Content("a list that is too long".into()),
        Fault::ForeignChange,
    ];
    let texts: std::collections::BTreeSet<_> = faults
        .iter()
        .map(|fault| ledger.first_sentence(&Status::Invalid(fault.clone())))
        .collect();
    assert_eq!(texts.len(), faults.len(), "each says something of its own");
    for text in &texts {
        is_for_people(text);
        assert!(text.ends_with("Whoever may write here can write it anew."));
    }
}

#[test]
fn what_counts_waits_or_cannot_be_read_says_so() {
    let ledger = World::new().judge();
    let accepted = ledger.first_sentence(&Status::Accepted);
    let missing = vec![
        Missing::Event(EventId::from_bytes([0xab; 32])),
        Missing::Entry(EnvelopeId::from_bytes([0xcd; 32])),
    ];
    let waits = ledger.first_sentence(&Status::Pending(missing));
    let unreadable = ledger.first_sentence(&Status::Unreadable("an unknown list".into()));
    for text in [&accepted, &waits, &unreadable] {
        is_for_people(text);
    }
    assert!(accepted.starts_with("It counts"));
    assert!(waits.contains("abababab") && waits.contains("cdcdcdcd"));
    assert!(waits.contains("can send that"));
    assert!(unreadable.contains("an unknown list") && unreadable.contains("a newer build"));
}

#[test]
fn an_explanation_names_its_author_its_share_and_whoever_stopped_it() {
    let mut world = World::new();
    let clinic = world.person();
    let share = world.share(ADA, None, clinic);
    world.tell_all();
    let entry = world.write(clinic, Some(share));
    let own = world.write(ADA, None);
    world.stop(ADA, None, Link::Grant(share));
    let mut all = world.judge();
    let told = |ledger: &mut crate::consent::Ledger, entry| {
        let explanation = ledger.explain(&entry).expect("it is held");
        assert_eq!(Some(explanation.status), ledger.status(&entry));
        let text = explanation.sentences.join(" ");
        is_for_people(&text);
        text
    };
    let text = told(&mut all, entry);
    let (ada, author) = (
        short(world.pens[ADA].principal.as_bytes()),
        short(world.pens[clinic].principal.as_bytes()),
    );
    assert!(text.contains(&format!("{ada} stopped the sharing")));
    assert!(text.contains(&format!("{author} wrote it under the share")));
    assert!(text.contains(&short(share.as_bytes())));
    let text = told(&mut all, own);
    assert!(text.contains(&format!(
        "{ada} wrote it as someone who controls the record"
    )));
    world.tell(ADA);
    world.adopt(ADA, None, vec![entry]);
    let text = told(&mut world.judge(), entry);
    assert!(text.contains("has adopted it"));
    assert_eq!(all.explain(&EnvelopeId::from_bytes([1; 32])), None);
}

#[test]
fn a_denial_says_what_to_do() {
    let id = EventId::from_bytes([1; 32]);
    for denial in [
        Denial::NothingShared,
        Denial::Device,
        Denial::Staff,
        Denial::ActorStopped(id),
        Denial::Scope,
        Denial::Purpose,
        Denial::NotYet,
        Denial::Ended,
        Denial::Stopped(id),
        Denial::GivenBack,
    ] {
        let text = denial.to_string();
        is_for_people(&text);
        let (_, advice) = text.split_once(": ").expect("advice follows");
        let begins = advice.split(' ').next().unwrap_or_default();
        assert!(["ask", "add", "enter", "use", "try"].contains(&begins));
    }
}

#[test]
fn a_stopped_issuers_revocation_waits_for_those_above_it() {
    let mut world = World::new();
    let (trust, admin, nurse) = (world.person(), world.person(), world.person());
    let top = world.share(ADA, None, trust);
    world.tell_all();
    let middle = world.share(trust, Some(top), admin);
    world.tell_all();
    let low = world.share(admin, Some(middle), nurse);
    world.tell_all();
    let unaware = world.double(admin);
    world.stop_with(trust, Some(top), Link::Grant(middle), &[], |revoke| {
        revoke.keep = vec![low];
    });
    let spite = world.stop(unaware, Some(middle), Link::Grant(low));
    let who = |world: &World, all: &[usize]| {
        let mut all: Vec<_> = all.iter().map(|who| world.pens[*who].principal).collect();
        all.sort_unstable();
        all
    };
    let item = |world: &World, deciders| ReviewItem::Suspended {
        revocation: spite,
        by: world.pens[admin].principal,
        deciders,
    };
    let deciders = who(&world, &[ADA, trust]);
    assert_eq!(world.judge().review()[0], item(&world, deciders));
    // Whoever was stopped since decides no more.
    world.tell(ADA);
    world.stop_with(ADA, None, Link::Grant(top), &[], |revoke| {
        revoke.keep = vec![middle];
    });
    let review = world.judge().review();
    let deciders = who(&world, &[ADA]);
    assert!(review.contains(&item(&world, deciders)), "{review:?}");
}

#[test]
fn a_retirement_by_a_retired_device_waits_for_the_person() {
    let mut world = World::new();
    let root = world.root_of(ADA);
    world.tell_all();
    let phone = world.add_device(root);
    let tablet = world.add_device(phone);
    world.tell_all();
    let unaware = world.double(phone);
    let (phone, tablet) = (world.pens[phone].device(), world.pens[tablet].device());
    world.retire(root, phone, true);
    let theft = world.retire(unaware, tablet, false);
    let ada = world.pens[ADA].principal;
    let expected = ReviewItem::Suspended {
        revocation: theft,
        by: ada,
        deciders: vec![ada],
    };
    assert_eq!(world.judge().review(), vec![expected]);
}
