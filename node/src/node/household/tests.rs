//! Two sides agree to a link, one of them ends it, and nobody else says anything of it.

use kith_protocol::{
    household::{Said, Side},
    id::RecordId,
};

use super::{At, LINKS_MAX, paper::Paper};
use crate::{
    api::{
        ActsAs, Bond, ControlChange, HouseholdAct, HouseholdAsk, HouseholdShown, HouseholdState,
        NewController, NewPerson, Reply, Request,
    },
    failure::{Ending, Failure},
    node::peers::tests::Place,
};

impl Place {
    fn household_act(
        &mut self,
        record: RecordId,
        act: HouseholdAct,
    ) -> Result<HouseholdShown, Failure> {
        let record = record.to_string();
        let asked = Request::Household(HouseholdAsk { record, act });
        let reply = self.node.handle(asked, &mut |_| {})?;
        let Reply::Household(shown) = reply else {
            panic!("{reply:?}")
        };
        Ok(shown)
    }

    fn offers(&mut self, record: RecordId, bond: Bond) -> String {
        let act = HouseholdAct::Offer {
            bond,
            to: "my Bert".to_owned(),
            name: None,
            reach: Some("0113 496 0000".to_owned()),
        };
        let shown = self.household_act(record, act).expect("it is offered");
        shown.text.expect("a text for the other side")
    }

    fn accepts_link(&mut self, record: RecordId, text: &str) -> Result<HouseholdShown, Failure> {
        let act = HouseholdAct::Answer {
            text: text.to_owned(),
            name: Some("Bert Penn".to_owned()),
            reach: None,
        };
        self.household_act(record, act)
    }

    fn takes_in(&mut self, record: RecordId, text: &str) -> Result<HouseholdShown, Failure> {
        let text = text.to_owned();
        self.household_act(record, HouseholdAct::TakeIn { text })
    }

    fn ends_link(&mut self, record: RecordId, link: &str) -> Result<HouseholdShown, Failure> {
        let link = link.to_owned();
        self.household_act(record, HouseholdAct::End { link })
    }

    /// Writes a word into a record although its owner does not control it.
    fn forges(&mut self, record: RecordId, link: [u8; 16], said: Said) {
        let written = self.node.with_record(record, |node, record| {
            let word = node.signed_word(link, said)?;
            node.write_words(record, At::Offered, &[&word])
        });
        written.expect("they may add to the circle");
    }

    /// What a record says, as words and how it stands.
    fn says_now(&mut self, record: RecordId) -> Vec<(String, HouseholdState)> {
        let shown = self
            .household_act(record, HouseholdAct::Show)
            .expect("its links");
        let links = shown.links.into_iter();
        links.map(|link| (link.what, link.state)).collect()
    }

    fn second_record(&mut self) -> RecordId {
        let person = NewPerson {
            family: "Penn".to_owned(),
            ..NewPerson::default()
        };
        let reply = self.does(Request::RecordNew(person));
        let Reply::RecordNew(made) = reply else {
            panic!("{reply:?}")
        };
        RecordId::from_hex(&made.record).expect("an id")
    }
}

fn is(what: &str, state: HouseholdState) -> Vec<(String, HouseholdState)> {
    vec![(what.to_owned(), state)]
}

#[test]
fn a_link_is_what_both_sides_signed_and_ends_where_either_says_so() {
    let (mut ada, mut bert) = (Place::new("Ada's tablet"), Place::new("Bert's laptop"));
    let (hers, his) = (ada.record(), bert.record());
    let offer = ada.offers(hers, Bond::Supports);
    assert_eq!(
        ada.says_now(hers),
        is("Supports my Bert", HouseholdState::Offered)
    );

    let told = bert.takes_in(his, &offer).expect("it is told");
    assert!(told.is_offer);
    assert!(told.note.expect("a note").contains("0113 496 0000"));
    assert!(
        bert.says_now(his).is_empty(),
        "reading an offer accepts nothing"
    );

    let answer = bert
        .accepts_link(his, &offer)
        .expect("he accepts")
        .text
        .expect("a text");
    assert_eq!(
        bert.says_now(his),
        is("Is supported by Ada Quince", HouseholdState::Agreed)
    );
    assert_eq!(
        ada.says_now(hers),
        is("Supports my Bert", HouseholdState::Offered)
    );
    ada.takes_in(hers, &answer).expect("his answer");
    assert_eq!(
        ada.says_now(hers),
        is("Supports Bert Penn", HouseholdState::Agreed)
    );
    ada.takes_in(hers, &answer).expect("the same again");
    assert_eq!(ada.says_now(hers).len(), 1);

    let end = bert
        .ends_link(his, "ada quince")
        .expect("he ends it")
        .text
        .expect("a text");
    assert_eq!(
        bert.says_now(his),
        is("Is supported by Ada Quince", HouseholdState::Ended)
    );
    ada.takes_in(hers, &end).expect("his end");
    assert_eq!(
        ada.says_now(hers),
        is("Supports Bert Penn", HouseholdState::Ended)
    );
    assert_eq!(
        ada.ends_link(hers, "Bert Penn")
            .expect_err("ended already")
            .ending,
        Ending::Usage
    );
}

#[test]
fn an_answer_to_another_offer_a_strangers_end_and_changed_texts_do_nothing() {
    let (mut ada, mut bert) = (Place::new("Ada's tablet"), Place::new("Bert's laptop"));
    let mut mal = Place::new("Mal's laptop");
    let (hers, his, others) = (ada.record(), bert.record(), mal.record());
    let offer = ada.offers(hers, Bond::LivesWith);
    let second = ada.offers(hers, Bond::LivesWith);
    let answer = bert
        .accepts_link(his, &offer)
        .expect("he accepts")
        .text
        .expect("a text");
    assert!(bert.accepts_link(his, &offer).is_err(), "not twice");

    // Somebody who came by the offer accepts it too, after the first answer was taken in.
    ada.takes_in(hers, &answer).expect("his answer");
    let late = mal
        .accepts_link(others, &offer)
        .expect("on their node")
        .text
        .expect("a text");
    ada.takes_in(hers, &late)
        .expect("it is told that an answer is here");
    let agreed = ada.says_now(hers);
    assert_eq!(
        agreed[0],
        ("Lives with Bert Penn".to_owned(), HouseholdState::Agreed)
    );
    let stranger = mal
        .ends_link(others, "Ada Quince")
        .expect("their end")
        .text
        .expect("a text");
    let refused = ada
        .takes_in(hers, &stranger)
        .expect_err("they are neither side");
    assert_eq!(refused.ending, Ending::NotAllowed);

    for text in [&answer, &second, &offer] {
        let mut changed = text.clone();
        changed.truncate(text.len() - 3);
        assert!(ada.takes_in(hers, &changed).is_err(), "a part is missing");
    }
    let elsewhere = bert.takes_in(his, &late).expect_err("of no link of his");
    assert_eq!(elsewhere.ending, Ending::NotUnderstood);
    assert_eq!(ada.says_now(hers), agreed);
    assert_eq!(agreed[1].1, HouseholdState::Offered);
}

#[test]
fn where_both_records_are_here_both_say_it_at_once() {
    let mut sam = Place::new("Sam's laptop");
    let (hers, his) = (sam.record(), sam.second_record());
    let offer = sam.offers(hers, Bond::LivesWith);
    assert!(
        sam.accepts_link(hers, &offer).is_err(),
        "nobody lives with themselves"
    );
    let answered = sam.accepts_link(his, &offer).expect("she accepts for him");
    assert_eq!(answered.text, None);
    assert_eq!(
        sam.says_now(hers),
        is("Lives with Bert Penn", HouseholdState::Agreed)
    );
    assert_eq!(
        sam.says_now(his),
        is("Lives with Ada Quince", HouseholdState::Agreed)
    );
    sam.ends_link(hers, "Bert Penn").expect("it is over");
    assert_eq!(
        sam.says_now(his),
        is("Lives with Ada Quince", HouseholdState::Ended)
    );
}

#[test]
fn only_whoever_controls_a_record_says_so_and_who_sees_its_circle_reads_it() {
    let (mut ada, mut nurse) = (Place::new("Ada's tablet"), Place::new("Nurse"));
    let hers = ada.record();
    ada.invites(&mut nurse, hers, "all", Some("all"));
    ada.gives(&mut nurse, hers);
    let act = HouseholdAct::Offer {
        bond: Bond::LivesWith,
        to: "Bert".to_owned(),
        name: Some("Ada".to_owned()),
        reach: None,
    };
    let refused = nurse.household_act(hers, act.clone());
    assert_eq!(
        refused.expect_err("it is not theirs").ending,
        Ending::NotAllowed
    );

    // With a node that does not ask: a link of their own, and an end to hers.
    let offer = Paper::parse(&ada.offers(hers, Bond::LivesWith)).expect("a word");
    ada.gives(&mut nurse, hers);
    nurse.forges(hers, [7; 16], offer_of(act));
    nurse.forges(hers, offer.word.link, Said::End);
    let offered = is("Lives with my Bert", HouseholdState::Offered);
    assert_eq!(nurse.says_now(hers), offered);
    nurse.gives(&mut ada, hers);
    assert_eq!(ada.says_now(hers), offered);

    let nothing = HouseholdAct::Offer {
        bond: Bond::LivesWith,
        to: " ".to_owned(),
        name: None,
        reach: None,
    };
    let refused = ada.household_act(hers, nothing);
    assert_eq!(refused.expect_err("no name").ending, Ending::Usage);
    assert_eq!(ada.says_now(hers), offered);
}

fn offer_of(act: HouseholdAct) -> Said {
    let HouseholdAct::Offer { bond, to, name, .. } = act else {
        panic!("another act")
    };
    let own = Side {
        name: name.expect("a name"),
        reach: None,
    };
    Said::Offer {
        bond,
        own,
        other: to,
    }
}

#[test]
fn a_new_controller_ends_what_another_agreed_to_and_a_full_record_ends_its_links_too() {
    let (mut ada, mut sam) = (Place::new("Ada's tablet"), Place::new("Sam's laptop"));
    let hers = ada.record();
    ada.invites(&mut sam, hers, "all", Some("all"));
    for _ in 0..LINKS_MAX {
        ada.offers(hers, Bond::LivesWith);
    }
    let more = HouseholdAct::Offer {
        bond: Bond::LivesWith,
        to: "one more".to_owned(),
        name: None,
        reach: None,
    };
    assert!(ada.household_act(hers, more).is_err(), "it is full");
    let links = |place: &mut Place| {
        let shown = place.household_act(hers, HouseholdAct::Show);
        shown.expect("its links").links
    };
    let first = links(&mut ada)[0].link.clone();
    ada.ends_link(hers, &first)
        .expect("it can be ended all the same");
    ada.gives(&mut sam, hers);
    assert_eq!(links(&mut sam).len(), LINKS_MAX);

    let change = ControlChange::HandOver(NewController {
        name: "Sam's laptop".to_owned(),
        capacity: Some(ActsAs::Attorney),
        until: None,
        evidence: Some("a power of attorney".to_owned()),
    });
    ada.does(Request::Control {
        record: hers.to_string(),
        change: Some(change),
    });
    ada.gives(&mut sam, hers);
    let second = links(&mut sam)[0].link.clone();
    assert_eq!(
        links(&mut sam).len(),
        LINKS_MAX,
        "what she said still stands"
    );
    sam.ends_link(hers, &second).expect("he controls it now");
    let ended = links(&mut sam);
    let ended = ended
        .iter()
        .filter(|link| link.state == HouseholdState::Ended);
    assert_eq!(ended.count(), 2);
}
