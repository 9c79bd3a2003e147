//! Shares that are passed on, changed, given back, and that end.

use kith_protocol::{
    id::{PrincipalId, RecordId},
    store::Store,
};

use crate::{
    api::{
        Decision, Keep, Reply, Request, ShareBasis, ShareLine, ShareRequest, ShareTerms,
        SharedWith, Stopped,
    },
    failure::Ending,
    node::{
        peers::tests::Place,
        sharing::{end_of, meet},
    },
};

/// Long after every share of these stories.
const LATER: &str = "3000-01-01";

fn asked(record: RecordId, (see, add): (&str, Option<&str>), terms: ShareTerms) -> ShareRequest {
    ShareRequest {
        record: record.to_string(),
        see: see.to_owned(),
        add: add.map(str::to_owned),
        change: None,
        until: "2999-01-01".to_owned(),
        confirm: false,
        terms,
    }
}

fn shares_on(steps: u8) -> ShareTerms {
    ShareTerms {
        share_on: steps,
        ..ShareTerms::default()
    }
}

impl Place {
    fn lets_in(&mut self, guest: &mut Self, request: ShareRequest) {
        let Reply::Shared(shared) = self.does(Request::Share(request)) else {
            panic!("an invitation was asked for")
        };
        meet(&mut self.node, &mut guest.node, &shared.link).expect("they meet");
    }

    fn shares_with(&mut self, guest: &Self, request: ShareRequest) -> SharedWith {
        let with = guest.node.name().to_owned();
        let reply = self.does(Request::ShareWith {
            share: request,
            with,
        });
        let Reply::SharedWith(shared) = reply else {
            panic!("{reply:?}")
        };
        shared
    }

    fn sharing(&mut self, record: RecordId) -> Vec<ShareLine> {
        let record = record.to_string();
        let Reply::Sharing(sharing) = self.does(Request::Sharing { record }) else {
            panic!("shares were asked for")
        };
        sharing.shares
    }

    fn state_of(&mut self, record: RecordId, guest: &Self) -> String {
        let who = guest.node.principal();
        self.state_for(record, who)
    }

    fn own_state(&mut self, record: RecordId) -> String {
        let who = self.node.principal();
        self.state_for(record, who)
    }

    fn state_for(&mut self, record: RecordId, who: PrincipalId) -> String {
        let who = who.to_string();
        let lines = self.sharing(record);
        let line = lines.iter().find(|line| line.who == who);
        line.expect("a share").state.clone()
    }

    fn stops(&mut self, record: RecordId, share: &str, keep_shared_on: bool) -> Stopped {
        let reply = self.does(Request::Stop {
            record: record.to_string(),
            share: share.to_owned(),
            keep: Keep::All,
            keep_shared_on,
        });
        let Reply::Stopped(stopped) = reply else {
            panic!("{reply:?}")
        };
        stopped
    }

    fn holds(&mut self, record: RecordId, words: &str) -> bool {
        let texts = self.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            Ok(placed
                .iter()
                .any(|placed| placed.held.to_text(0).contains(words)))
        });
        texts.expect("a record")
    }
}

/// A practice, a daughter who may share on, and a carer whom the daughter knows.
fn three() -> (Place, Place, Place, RecordId) {
    let mut practice = Place::new("Riverside");
    let mut daughter = Place::new("Sam");
    let mut carer = Place::new("Jo");
    let record = practice.record();
    practice.notes(record, "slept well");
    let own = daughter.record();
    daughter.invites(&mut carer, own, "identity", None);
    let parts = ("encounters,daily-care", Some("daily-care"));
    practice.lets_in(&mut daughter, asked(record, parts, shares_on(1)));
    practice.gives(&mut daughter, record);
    (practice, daughter, carer, record)
}

/// Two who hold a record from a third, and know each other through something else.
#[test]
fn those_whom_a_record_names_give_it_to_each_other_when_the_one_who_shared_it_is_gone() {
    let mut practice = Place::new("Riverside");
    let (mut daughter, mut carer) = (Place::new("Sam"), Place::new("Jo"));
    let own = daughter.record();
    daughter.invites(&mut carer, own, "identity", None);
    let record = practice.record();
    practice.invites(&mut daughter, record, "all", Some("daily-care"));
    practice.gives(&mut daughter, record);
    practice.invites(&mut carer, record, "all", None);
    practice.gives(&mut carer, record);
    practice.gives(&mut daughter, record);
    drop(practice);
    daughter.notes(record, "ate half of his lunch");
    daughter.gives(&mut carer, record);
    assert!(carer.holds(record, "ate half of his lunch"));
}

#[test]
fn a_share_for_somebody_known_reaches_them_without_an_invitation() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let (first, second) = (host.record(), host.record());
    host.invites(&mut guest, first, "all", None);
    host.gives(&mut guest, first);
    host.notes(second, "told at the door");
    assert!(!guest.node.people.iter().any(|(id, _)| *id == second));
    let shared = host.shares_with(&guest, asked(second, ("all", None), ShareTerms::default()));
    assert!(!shared.changed);
    host.gives(&mut guest, second);
    assert!(guest.holds(second, "told at the door"));
    assert_eq!(guest.sharing(second)[0].by, "Riverside");
}

#[test]
fn a_record_that_somebody_known_shares_with_nobody_is_not_taken() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let (shared, kept) = (host.record(), host.record());
    host.invites(&mut guest, shared, "all", None);
    host.gives(&mut guest, shared);
    let item = host.node.in_common(guest.node.principal(), kept);
    host.node.commit(item.expect("noted")).expect("a store");
    host.gives(&mut guest, kept);
    assert!(!guest.node.people.iter().any(|(id, _)| *id == kept));
}

#[test]
fn a_share_is_passed_on_within_its_own_bounds_and_everybody_sees_through_whom() {
    let (mut practice, mut daughter, mut carer, record) = three();
    let beyond = asked(record, ("daily-care,letters", None), ShareTerms::default());
    let with = carer.node.name().to_owned();
    let refused = daughter.node.handle(
        Request::ShareWith {
            share: beyond,
            with,
        },
        &mut |_| {},
    );
    let failure = refused.expect_err("it goes beyond");
    assert_eq!(failure.ending, Ending::NotAllowed);
    assert!(failure.what.contains("letters"), "{}", failure.what);
    assert!(
        failure.remedy.contains("encounters,daily-care"),
        "{}",
        failure.remedy
    );

    let further = asked(record, ("daily-care", None), shares_on(1));
    let with = carer.node.name().to_owned();
    let refused = daughter.node.handle(
        Request::ShareWith {
            share: further,
            with,
        },
        &mut |_| {},
    );
    assert!(
        refused.is_err(),
        "one step was allowed, and this would be two"
    );

    daughter.shares_with(
        &carer,
        asked(record, ("daily-care", None), ShareTerms::default()),
    );
    daughter.gives(&mut carer, record);
    daughter.gives(&mut practice, record);
    assert!(carer.holds(record, "slept well"));
    let who = carer.node.principal().to_string();
    for node in [&mut practice, &mut daughter, &mut carer] {
        let lines = node.sharing(record);
        let line = lines.iter().find(|line| !line.via.is_empty());
        let line = line.expect("the share that was passed on");
        assert_eq!((line.see.as_str(), &line.who), ("daily-care", &who));
    }
    assert_eq!(practice.sharing(record).len(), 2);
}

#[test]
fn stopping_the_upper_share_ends_the_lower_one_unless_it_is_kept() {
    for keep in [false, true] {
        let (mut practice, mut daughter, mut carer, record) = three();
        let parts = ("daily-care", None);
        daughter.shares_with(&carer, asked(record, parts, ShareTerms::default()));
        daughter.gives(&mut practice, record);
        daughter.gives(&mut carer, record);
        practice.stops(record, "Sam", keep);
        practice.gives(&mut daughter, record);
        daughter.gives(&mut carer, record);
        assert_eq!(practice.state_of(record, &daughter), "stopped");
        let below = if keep { "active" } else { "stopped" };
        assert_eq!(practice.state_of(record, &carer), below);
        assert_eq!(carer.own_state(record), below);
    }
}

#[test]
fn only_somebody_above_a_share_stops_it() {
    let (mut practice, mut daughter, mut carer, record) = three();
    daughter.shares_with(
        &carer,
        asked(record, ("daily-care", None), ShareTerms::default()),
    );
    daughter.gives(&mut carer, record);
    daughter.gives(&mut practice, record);
    let upper = daughter
        .sharing(record)
        .into_iter()
        .find(|line| line.via.is_empty());
    let upper = upper.expect("the share of the daughter");
    let stop = Request::Stop {
        record: record.to_string(),
        share: upper.id,
        keep: Keep::All,
        keep_shared_on: false,
    };
    let refused = carer.node.handle(stop, &mut |_| {});
    assert_eq!(
        refused.expect_err("it is above theirs").ending,
        Ending::NotAllowed
    );
    daughter.stops(record, "Jo", false);
    daughter.gives(&mut practice, record);
    assert_eq!(practice.state_of(record, &carer), "stopped");
    assert_eq!(practice.state_of(record, &daughter), "active");
}

#[test]
fn a_changed_share_is_one_share_with_nothing_missing_and_what_went_beyond_it_ends() {
    let (mut practice, mut daughter, carer, record) = three();
    practice.notes(record, "before the change");
    daughter.shares_with(
        &carer,
        asked(record, ("daily-care", None), ShareTerms::default()),
    );
    daughter.gives(&mut practice, record);
    let wider = ("encounters,daily-care,letters,plans", Some("daily-care"));
    let changed = practice.shares_with(&daughter, asked(record, wider, shares_on(2)));
    assert!(changed.changed);
    assert_eq!(changed.ended_beneath, 0);
    practice.gives(&mut daughter, record);
    let own = daughter.node.principal().to_string();
    let lines = daughter.sharing(record);
    let ours: Vec<_> = lines.iter().filter(|line| line.who == own).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert!(ours[0].see.contains("letters") && ours[0].share_on == 2);
    assert_eq!(practice.state_of(record, &carer), "active");

    let narrower = ("encounters", None);
    let changed = practice.shares_with(&daughter, asked(record, narrower, ShareTerms::default()));
    assert_eq!(changed.ended_beneath, 1);
    assert_eq!(changed.share.see, "encounters");
    practice.notes(record, "not for the daughter any more");
    practice.gives(&mut daughter, record);
    assert!(daughter.holds(record, "before the change"));
    assert!(!daughter.holds(record, "not for the daughter"));
    assert_eq!(practice.state_of(record, &carer), "stopped");
}

#[test]
fn whoever_has_a_share_gives_it_back_and_what_they_wrote_stays() {
    let (mut practice, mut daughter, _carer, record) = three();
    let stopped = daughter.stops(record, "Riverside", false);
    assert!(
        stopped.note.contains("given this share back"),
        "{}",
        stopped.note
    );
    daughter.gives(&mut practice, record);
    assert_eq!(practice.state_of(record, &daughter), "given back");
    practice.notes(record, "after that");
    practice.gives(&mut daughter, record);
    assert!(!daughter.holds(record, "after that"));
}

#[test]
fn whoever_gave_a_share_says_once_that_it_has_ended_and_late_work_is_looked_at() {
    let (mut practice, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = practice.record();
    let parts = ("daily-care", Some("daily-care"));
    practice.lets_in(&mut guest, asked(record, parts, ShareTerms::default()));
    practice.gives(&mut guest, record);
    guest.notes(record, "in time");
    practice.gives(&mut guest, record);
    assert!(practice.node.next_end_ms().is_some());
    let later = end_of(LATER).expect("a day");
    let says = |place: &mut Place| {
        let said = place
            .node
            .with_record(record, |node, record| node.say_end(record, later));
        said.expect("it is said");
    };
    says(&mut practice);
    assert_eq!(practice.state_of(record, &guest), "ended");
    assert_eq!(practice.node.next_end_ms(), None);
    let events = practice.node.store.logs(&record).expect("logs").len();
    says(&mut practice);
    assert_eq!(
        practice.node.store.logs(&record).expect("logs").len(),
        events
    );

    // The guest has not heard of it and writes on.
    guest.notes(record, "too late");
    practice.gives(&mut guest, record);
    assert!(practice.holds(record, "in time"));
    assert!(!practice.holds(record, "too late"));
    let Reply::Review(review) = practice.does(Request::Review { record: None }) else {
        panic!("a list was asked for")
    };
    assert_eq!(review.items.len(), 1, "{review:?}");
    assert_eq!(guest.own_state(record), "ended");
}

#[test]
fn what_was_asked_for_is_what_the_share_says() {
    let (mut practice, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = practice.record();
    let terms = ShareTerms {
        from: Some("2998-01-01".to_owned()),
        share_on: 2,
        review: true,
        basis: ShareBasis::Care,
        witnesses: Vec::new(),
    };
    practice.lets_in(
        &mut guest,
        asked(record, ("plans", Some("daily-care")), terms),
    );
    let line = practice.sharing(record).remove(0);
    assert_eq!(
        (line.state.as_str(), line.share_on, line.review),
        ("not begun", 2, true)
    );
    assert_eq!(line.basis, ShareBasis::Care);
    let bare = ShareTerms {
        review: true,
        ..ShareTerms::default()
    };
    let refused = practice.node.handle(
        Request::Share(asked(record, ("plans", None), bare)),
        &mut |_| {},
    );
    assert_eq!(
        refused.expect_err("nothing to add to").ending,
        Ending::Usage
    );
}

#[test]
fn a_stop_by_somebody_who_was_stopped_meanwhile_waits_until_whoever_stands_above_confirms_it() {
    let (mut practice, mut daughter, carer, record) = three();
    daughter.shares_with(
        &carer,
        asked(record, ("daily-care", None), ShareTerms::default()),
    );
    daughter.gives(&mut practice, record);
    // The daughter stops the carer, and the practice the daughter, before either has heard.
    daughter.stops(record, "Jo", false);
    practice.stops(record, "Sam", true);
    daughter.gives(&mut practice, record);
    let Reply::Review(review) = practice.does(Request::Review { record: None }) else {
        panic!("a list was asked for")
    };
    let waits: Vec<_> = review
        .items
        .iter()
        .filter(|item| item.what == "a stop of sharing")
        .collect();
    assert_eq!(waits.len(), 1, "{review:?}");
    assert_ne!(practice.state_of(record, &carer), "stopped");
    practice.does(Request::Decide {
        record: record.to_string(),
        decision: Decision::Confirm {
            stop: waits[0].id.clone(),
        },
    });
    assert_eq!(practice.state_of(record, &carer), "stopped");
    let Reply::Review(review) = practice.does(Request::Review { record: None }) else {
        panic!("a list was asked for")
    };
    assert!(review.items.is_empty(), "{review:?}");
}

#[test]
fn a_stop_that_waits_is_said_not_to_hold_and_the_share_below_goes_on() {
    let (mut practice, mut daughter, mut carer, record) = three();
    daughter.shares_with(
        &carer,
        asked(record, ("daily-care", None), ShareTerms::default()),
    );
    daughter.gives(&mut practice, record);
    daughter.gives(&mut carer, record);
    daughter.stops(record, "Jo", false);
    practice.stops(record, "Sam", true);
    daughter.gives(&mut practice, record);
    let waiting = |practice: &mut Place| {
        let Reply::Review(review) = practice.does(Request::Review { record: None }) else {
            panic!("a list was asked for")
        };
        let stops = review.items.into_iter();
        let mut stops = stops.filter(|item| item.what == "a stop of sharing");
        stops.next().map(|item| item.id)
    };
    let stop = waiting(&mut practice).expect("it waits");
    let void = || Request::Decide {
        record: record.to_string(),
        decision: Decision::Void { stop: stop.clone() },
    };
    let refused = carer.node.handle(void(), &mut |_| {});
    assert!(refused.is_err(), "she stands above nobody");
    practice.does(void());
    assert_eq!(waiting(&mut practice), None);
    assert_eq!(practice.state_of(record, &carer), "active");
    assert_eq!(practice.state_of(record, &daughter), "stopped");
    let again = practice.node.handle(void(), &mut |_| {});
    assert_eq!(again.expect_err("it is decided").ending, Ending::Failed);
    let confirm = Request::Decide {
        record: record.to_string(),
        decision: Decision::Confirm { stop },
    };
    let confirm = practice.node.handle(confirm, &mut |_| {});
    assert_eq!(confirm.expect_err("it is decided").ending, Ending::Failed);
}
