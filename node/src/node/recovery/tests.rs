//! People who can only send each other texts recover a record together.

use kith_protocol::id::RecordId;

use crate::{
    api::{Decision, EmergencyChange, RecoveryAsk, RecoveryShown, Reply, Request},
    failure::{Ending, Failure},
    node::{Role, peers::tests::Place},
};

impl Place {
    fn asks(&mut self, asked: RecoveryAsk) -> Result<RecoveryShown, Failure> {
        let reply = self.node.handle(Request::Recovery(asked), &mut |_| {})?;
        let Reply::Recovery(shown) = reply else {
            panic!("{reply:?}")
        };
        Ok(shown)
    }

    fn sets(
        &mut self,
        record: RecordId,
        members: &[&str],
        needed: u8,
    ) -> Result<RecoveryShown, Failure> {
        self.asks(RecoveryAsk::Set {
            record: record.to_string(),
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            needed,
        })
    }

    fn recovers(&mut self, record: RecordId, controller: &str) -> RecoveryShown {
        let asked = RecoveryAsk::Record {
            record: record.to_string(),
            controller: controller.to_owned(),
        };
        self.asks(asked).expect("it is asked")
    }

    /// What comes back from somebody who agrees.
    fn agrees(&mut self, text: &str) -> Result<String, Failure> {
        let asked = RecoveryAsk::Approve {
            text: text.to_owned(),
            yes: true,
        };
        Ok(self.asks(asked)?.text.expect("an agreement"))
    }

    fn takes(&mut self, agreement: &str) -> Result<RecoveryShown, Failure> {
        let text = agreement.to_owned();
        self.asks(RecoveryAsk::Agreed { text })
    }

    fn controllers(&mut self, record: RecordId) -> Vec<String> {
        let record = record.to_string();
        let asked = Request::Control {
            record,
            change: None,
        };
        let Reply::Control(shown) = self.does(asked) else {
            panic!("it was asked who controls it")
        };
        shown.controllers.into_iter().map(|one| one.name).collect()
    }

    fn counted(&mut self, record: RecordId, words: &str) -> bool {
        let held = self.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            let mut said = placed.iter().map(|placed| placed.held.to_text(0));
            Ok(said.any(|text| text.contains(words)))
        });
        held.expect("a record")
    }
}

/// A record that Ben controls, in which Ada, a practice and Cleo have shares, and who of them may
/// recover it.
fn four() -> (Place, Place, Place, Place, RecordId) {
    let mut ben = Place::new("Ben");
    let (mut ada, mut cleo) = (Place::new("Ada"), Place::new("Cleo"));
    let mut practice = Place::of("Riverside", Role::Practice);
    let record = ben.record();
    ben.notes(record, "walks with a stick");
    ben.invites(&mut ada, record, "all", Some("daily-care"));
    ben.invites(&mut practice, record, "all", Some("daily-care"));
    ben.invites(&mut cleo, record, "daily-care", None);
    let other = ada.record();
    ada.invites(&mut practice, other, "identity", None);
    ada.invites(&mut cleo, other, "identity", None);
    let made = ben
        .sets(record, &["Ada", "Riverside", "Cleo"], 2)
        .expect("nobody has to agree to the first");
    assert!(made.event.is_some() && made.text.is_none(), "{made:?}");
    for guest in [&mut ada, &mut practice, &mut cleo] {
        ben.gives(guest, record);
    }
    (ben, ada, practice, cleo, record)
}

#[test]
fn two_of_three_take_a_record_out_of_the_hands_of_somebody_who_is_gone() {
    let (mut ben, mut ada, mut practice, mut cleo, record) = four();
    practice.notes(record, "seen on Monday");
    practice.gives(&mut ben, record);
    ben.gives(&mut ada, record);

    let asked = ada.recovers(record, "Ada");
    assert!(asked.event.is_none(), "one of three is not enough");
    let question = asked.text.expect("a question");
    let refused = ben.agrees(&question).expect_err("he is no member");
    assert_eq!(refused.ending, Ending::NotAllowed);
    assert_eq!(ada.controllers(record), ["Ben"]);

    // A letter breaks the text into lines.
    let (begin, end) = question.split_at(100);
    let agreement = cleo
        .agrees(&format!("{begin}\n  {end}\n"))
        .expect("she agrees");
    let changed = agreement.replacen("kith:agreed/", "kith:agreed/A", 1);
    let refused = ada.takes(&changed).expect_err("it was changed");
    assert_eq!(refused.ending, Ending::NotUnderstood);
    let done = ada.takes(&agreement).expect("two of three agree");
    assert!(done.event.is_some(), "{done:?}");
    assert_eq!(ada.controllers(record), ["Ada"]);
    assert!(done.waiting.is_empty());
    let again = ada.takes(&agreement).expect_err("it is done");
    assert_eq!(again.ending, Ending::Failed);

    // What stood before stands, and shares go on.
    assert!(ada.counted(record, "walks with a stick"));
    assert!(ada.counted(record, "seen on Monday"));
    ada.gives(&mut practice, record);
    assert_eq!(practice.controllers(record), ["Ada"]);
    practice.notes(record, "seen on Tuesday");
    practice.gives(&mut ada, record);
    assert!(ada.counted(record, "seen on Tuesday"));
    let Reply::Review(review) = ada.does(Request::Review { record: None }) else {
        panic!("a list was asked for")
    };
    assert!(review.items.is_empty(), "{review:?}");

    // He comes back and does not know yet: it is kept, looked at, and does not count.
    ben.notes(record, "I decide here");
    ben.gives(&mut ada, record);
    assert!(!ada.counted(record, "I decide here"));
    let Reply::Review(review) = ada.does(Request::Review { record: None }) else {
        panic!("a list was asked for")
    };
    assert!(!review.items.is_empty(), "it waits for a person");
    ada.gives(&mut ben, record);
    assert_eq!(ben.controllers(record), ["Ada"], "he knows now");
    let refused = ben.node.handle(
        Request::Add {
            record: record.to_string(),
            what: crate::api::Addition::Note("once more".to_owned()),
            staff: None,
        },
        &mut |_| {},
    );
    assert_eq!(refused.expect_err("he may not").ending, Ending::NotAllowed);
}

#[test]
fn once_somebody_has_to_agree_a_controller_asks_them() {
    let (mut ben, mut ada, mut practice, mut cleo, record) = four();
    let asked = ben.sets(record, &["Ada", "Cleo"], 2).expect("it is asked");
    let question = asked.text.expect("one of them has to agree");
    let shown = ben.asks(RecoveryAsk::Show {
        record: record.to_string(),
    });
    assert_eq!(shown.expect("it is shown").waiting.len(), 1);
    let agreed_early = practice.agrees(&question).expect("a member agrees");

    let change = EmergencyChange {
        allow: vec!["Riverside".to_owned()],
        ..EmergencyChange::default()
    };
    let reply = ben.does(Request::Emergency {
        record: record.to_string(),
        change: Some(change),
    });
    let Reply::Emergency(shown) = reply else {
        panic!("{reply:?}")
    };
    assert!(shown.allowed.is_empty(), "it does not hold yet");
    let agreement = cleo
        .agrees(&shown.ask.expect("a question"))
        .expect("she agrees");
    ben.takes(&agreement).expect("it holds");
    let reply = ben.does(Request::Emergency {
        record: record.to_string(),
        change: None,
    });
    let Reply::Emergency(shown) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(shown.allowed, ["Riverside"]);

    // What was asked before that fits still: nobody who may agree has changed.
    let done = ben.takes(&agreed_early).expect("it holds");
    assert_eq!(done.sets[0].members.len(), 2);
    let asked = ben
        .sets(record, &["Ada", "Cleo", "Riverside"], 2)
        .expect("it is asked");
    let question = asked.text.expect("a question");
    let theirs = practice.agrees(&question).expect("it has not heard yet");
    let refused = ben.takes(&theirs).expect_err("it is no member any more");
    assert_eq!(refused.ending, Ending::NotAllowed);
    let agreement = ada.agrees(&question).expect("she agrees");
    let done = ben.takes(&agreement).expect("it holds");
    assert_eq!(done.sets[0].members.len(), 3);
    let refused = ben.sets(record, &["Ada", "Cleo"], 1).expect_err("half");
    assert_eq!(refused.ending, Ending::Usage);
}

#[test]
fn what_decided_nothing_cannot_be_taken_back() {
    let mut ben = Place::new("Ben");
    let record = ben.record();
    ben.notes(record, "nothing to decide");
    let entry = ben.node.with_record(record, |_, record| {
        let documents = record.ledger().documents();
        let entries = documents
            .iter()
            .flat_map(|document| record.ledger().entries(document));
        Ok(entries.map(|(id, _)| id).last())
    });
    let entry = entry.expect("a record").expect("an entry");
    let refused = ben.node.handle(
        Request::Decide {
            record: record.to_string(),
            decision: Decision::Undo {
                entry: entry.to_string(),
                version: None,
            },
        },
        &mut |_| {},
    );
    let refused = refused.expect_err("it decided nothing");
    assert_eq!(refused.ending, Ending::NotAllowed);
    assert!(refused.what.contains("decided nothing"), "{refused:?}");
}

/// A card in a record's circle is bound to its owner's keys and to nobody's face: whoever agrees to
/// something is told that the person was never met.
#[test]
fn somebody_who_was_never_met_is_called_by_name_and_said_to_be_unknown() {
    let (mut surgery, mut sam, mut jo) =
        (Place::new("Riverside"), Place::new("Sam"), Place::new("Jo"));
    let record = surgery.record();
    surgery.invites(&mut jo, record, "all", Some("daily-care"));
    surgery.invites(&mut sam, record, "all", None);
    surgery.gives(&mut jo, record);
    jo.notes(record, "Slept well");
    jo.gives(&mut surgery, record);
    surgery.gives(&mut sam, record);

    let jo = jo.node.principal();
    assert_eq!(sam.node.name_of(jo), "Jo");
    assert_eq!(sam.node.name_of_met(jo), None);
    let called = sam.node.called(jo, &[]);
    assert!(called.contains("does not know, called Jo"), "{called}");
    assert_eq!(surgery.node.called(jo, &[]), "Jo");
}
