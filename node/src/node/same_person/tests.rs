//! Two records of one person on one node.

use kith_protocol::id::RecordId;

use crate::{
    api::{LinkWord, RecordShown, Reply, Request, SamePersonRequest},
    failure::{Ending, Failure},
    node::peers::tests::Place,
};

impl Place {
    fn says(
        &mut self,
        (record, other): (RecordId, RecordId),
        word: LinkWord,
        because: Option<&str>,
    ) -> Result<Reply, Failure> {
        let request = SamePersonRequest {
            record: record.to_string(),
            other: other.to_string(),
            word,
            because: because.map(str::to_owned),
        };
        self.node.handle(Request::SamePerson(request), &mut |_| {})
    }

    fn shown(&mut self, record: RecordId) -> RecordShown {
        let record = record.to_string();
        let Reply::Record(shown) = self.does(Request::Show { record }) else {
            panic!("a record was asked for")
        };
        *shown
    }

    fn decisions(&mut self) -> usize {
        let Reply::Review(review) = self.does(Request::Review { record: None }) else {
            panic!("a list was asked for")
        };
        review.items.len()
    }
}

#[test]
fn two_records_are_proposed_confirmed_shown_together_and_taken_apart_again() {
    let mut place = Place::new("Riverside");
    let pair = (place.record(), place.record());
    place.notes(pair.1, "allergic to latex, she said");
    place.says(pair, LinkWord::Propose, None).expect("said");
    assert_eq!(place.decisions(), 2, "in both records");
    assert!(place.shown(pair.0).joined.is_empty(), "nobody decided yet");

    let before = [place.shown(pair.0).digest, place.shown(pair.1).digest];
    place.says(pair, LinkWord::Confirm, None).expect("said");
    assert_eq!(place.decisions(), 0);
    let shown = place.shown(pair.0);
    assert_eq!(shown.joined.len(), 1);
    assert_eq!(shown.joined[0].record, pair.1.to_string());
    let beside = format!("{:?}", shown.joined[0].sections);
    assert!(beside.contains("latex"), "{beside}");
    assert!(
        !format!("{:?}", shown.sections).contains("latex"),
        "not merged"
    );
    assert_ne!(
        before[0], shown.digest,
        "the word on it is part of the record"
    );

    place.says(pair, LinkWord::Withdraw, None).expect("said");
    assert!(place.shown(pair.0).joined.is_empty());
    assert!(place.shown(pair.1).joined.is_empty());
    assert_eq!(place.decisions(), 0);
}

#[test]
fn a_link_needs_a_reason_and_somebody_who_controls_one_of_the_records() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let (record, other) = (host.record(), host.record());
    let far = RecordId::from_bytes([9; 32]);
    let bare = host.says((record, far), LinkWord::Confirm, None);
    assert_eq!(
        bare.expect_err("nothing speaks for it").ending,
        Ending::Usage
    );
    host.says(
        (record, far),
        LinkWord::Confirm,
        Some("their sister told us"),
    )
    .expect("said");
    host.invites(&mut guest, record, "all", None);
    host.invites(&mut guest, other, "all", None);
    host.gives(&mut guest, record);
    let refused = guest.says((record, other), LinkWord::Confirm, None);
    assert_eq!(refused.expect_err("a guest").ending, Ending::NotAllowed);
}
