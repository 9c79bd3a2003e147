//! Somebody whose devices are gone goes on as themselves by the word of those whom they named.

use kith_protocol::{consent::devices, id::RecordId, store::Store as _};

use crate::{
    api::{
        Addition, BundleTo, ExportForm, Keep, Leaving, RecoveryAsk, RecoveryShown, Regaining,
        Reply, Request, Retiring,
    },
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::{Node, peers::tests::Place},
};

fn asks(place: &mut Place, asked: RecoveryAsk) -> Result<RecoveryShown, Failure> {
    let reply = place.node.handle(Request::Recovery(asked), &mut |_| {})?;
    let Reply::Recovery(shown) = reply else {
        panic!("{reply:?}")
    };
    Ok(shown)
}

fn names(place: &mut Place, members: &[&str], needed: u8) -> Result<RecoveryShown, Failure> {
    let members = members.iter().map(|name| (*name).to_owned()).collect();
    let sheet = None;
    asks(
        place,
        RecoveryAsk::SetOwn {
            members,
            needed,
            sheet,
        },
    )
}

fn told_of(place: &mut Place, name: &str) -> Result<String, Failure> {
    let name = name.to_owned();
    let shown = asks(place, RecoveryAsk::Person { name })?;
    Ok(shown.text.expect("something to begin with"))
}

fn agrees(place: &mut Place, text: &str) -> Result<String, Failure> {
    let text = text.to_owned();
    let shown = asks(place, RecoveryAsk::Approve { text, yes: true })?;
    Ok(shown.text.expect("an agreement"))
}

fn takes(place: &mut Place, text: &str) -> Result<RecoveryShown, Failure> {
    let text = text.to_owned();
    asks(place, RecoveryAsk::Agreed { text })
}

/// A new device, made with what somebody told.
fn begins(text: &str) -> Result<(Place, Regaining), Failure> {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    let begun = Node::begin_again(&home, &Unlock::KeyFile, text)?;
    let mut node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    node.set_addresses(vec!["/ip4/127.0.0.1/tcp/2".to_owned()]);
    Ok((Place { node, folder }, begun))
}

/// Ada's laptop, her record, and three people who have a share of it and whom she named.
fn four() -> (Place, Place, Place, Place, RecordId) {
    let mut ada = Place::new("Ada");
    let (mut ben, mut cleo, mut dan) = (Place::new("Ben"), Place::new("Cleo"), Place::new("Dan"));
    let record = ada.record();
    ada.notes(record, "walks with a stick");
    for guest in [&mut ben, &mut cleo, &mut dan] {
        ada.invites(guest, record, "all", Some("daily-care"));
    }
    let made = names(&mut ada, &["Ben", "Cleo", "Dan"], 2).expect("she began here");
    assert!(made.event.is_some(), "{made:?}");
    for guest in [&mut ben, &mut cleo, &mut dan] {
        ada.gives(guest, record);
    }
    (ada, ben, cleo, dan, record)
}

fn statuses(place: &mut Place, record: RecordId) -> Vec<String> {
    let held = place.node.with_record(record, |_, record| {
        let documents = record.ledger().documents();
        let entries = documents
            .iter()
            .flat_map(|document| record.ledger().entries(document));
        Ok(entries.map(|(_, status)| format!("{status:?}")).collect())
    });
    held.expect("a record")
}

fn retires(place: &mut Place, who: &str, keep: Keep) -> Result<Reply, Failure> {
    let retiring = Retiring {
        leaving: Leaving {
            who: who.to_owned(),
            keep,
        },
        sheet: None,
    };
    place
        .node
        .handle(Request::DeviceRetire(retiring), &mut |_| {})
}

#[test]
fn two_of_three_give_somebody_who_lost_every_device_a_new_start() {
    let (mut lost, mut ben, mut cleo, mut dan, record) = four();
    let laptop = lost.node.device();
    let told = told_of(&mut ben, "Ada").expect("he knows her");
    let (mut ada, begun) = begins(&told).expect("a new device");
    assert_eq!(begun.made.name, "Ada");
    assert_eq!(begun.sets[0].members.len(), 3);
    assert!(
        begun.sets[0].members.contains(&"Cleo".to_owned()),
        "{begun:?}"
    );
    assert_eq!(begun.check_words.split(' ').count(), 8);
    assert_eq!(ada.node.principal(), lost.node.principal());

    let shown = asks(
        &mut ben,
        RecoveryAsk::Approve {
            text: begun.text.clone(),
            yes: false,
        },
    )
    .expect("it is shown");
    assert_eq!(shown.check_words.as_ref(), Some(&begun.check_words));
    assert!(shown.text.is_none(), "nothing is signed yet");
    let first = agrees(&mut ben, &begun.text).expect("he agrees");
    let shown = takes(&mut ada, &first).expect("one of three");
    assert!(shown.event.is_none(), "{shown:?}");
    let again = takes(&mut ada, &first).expect("the same once more");
    assert!(again.event.is_none(), "one who agrees twice is one");
    assert_eq!(again.waiting[0].agreed, ["Ben"]);
    let second = agrees(&mut cleo, &begun.text).expect("she agrees");
    let done = takes(&mut ada, &second).expect("two of three");
    assert!(done.event.is_some(), "{done:?}");
    let late = agrees(&mut dan, &begun.text).expect("he agrees too");
    assert_eq!(
        takes(&mut ada, &late).expect_err("done").ending,
        Ending::Failed
    );

    // Who hears of it takes the new device for hers, and the old one no more.
    let own = ada.node.principal_log().expect("a log");
    let items: Vec<_> = own.iter().map(kith_protocol::record::event_item).collect();
    for node in [&mut ben, &mut cleo, &mut dan, &mut lost] {
        node.node.commit(items.clone()).expect("it hears");
        let log = node.node.log_of(ada.node.principal()).expect("a log");
        let now = devices::certified(&log, ada.node.principal());
        assert!(now.contains(&ada.node.device()) && !now.contains(&laptop));
    }
    ben.gives(&mut ada, record);
    let marked = statuses(&mut ada, record);
    assert!(
        marked.iter().any(|status| status.starts_with("Marked")),
        "{marked:?}"
    );
    assert!(
        !marked.iter().any(|status| status.starts_with("Contested")),
        "{marked:?}"
    );
    lost.node
        .handle(
            Request::Add {
                record: record.to_string(),
                what: Addition::Note("by a thief".to_owned()),
                staff: None,
            },
            &mut |_| {},
        )
        .expect_err("it was told that it is stopped");

    // She says what stays, once.
    let Reply::Status(problems) = ada.does(Request::Status) else {
        panic!("a status was asked for")
    };
    assert!(
        problems
            .problems
            .iter()
            .any(|problem| problem.remedy.contains("--keep all"))
    );
    let word = laptop.to_string()[..12].to_owned();
    retires(&mut ada, &word, Keep::All).expect("it is said what stays");
    let refused = retires(&mut ada, &word, Keep::All).expect_err("it was said");
    assert_eq!(refused.ending, Ending::Failed);
    let counts = statuses(&mut ada, record);
    assert!(
        counts.iter().all(|status| status == "Accepted"),
        "{counts:?}"
    );
    ada.notes(record, "here again");
    // Whoever agreed is known to her new device, and nobody else yet: she meets Dan again.
    ada.gives(&mut ben, record);
    ada.invites(&mut dan, record, "all", None);
    ada.gives(&mut dan, record);
    let at_bens = statuses(&mut ben, record);
    assert!(
        at_bens.iter().all(|status| status == "Accepted"),
        "{at_bens:?}"
    );
    let at_dans = statuses(&mut dan, record);
    assert!(at_dans.len() >= 6);
    assert!(
        at_dans.iter().all(|status| status == "Accepted"),
        "{at_dans:?}"
    );
    let shown = asks(&mut ada, RecoveryAsk::Own).expect("it is shown");
    assert_eq!(shown.sets[0].members.len(), 3, "they are still named");
    // And what is sealed for her now opens with the new key alone.
    let file = dan.folder.path().join("for ada");
    dan.does(Request::Export {
        record: record.to_string(),
        form: ExportForm::Bundle {
            path: file.clone(),
            to: BundleTo::Named(vec!["Ada".to_owned()]),
        },
    });
    let verify = |place: &mut Place| {
        let what = file.display().to_string();
        let passphrase = None;
        place
            .node
            .handle(Request::Verify { what, passphrase }, &mut |_| {})
    };
    verify(&mut ada).expect("it opens");
    verify(&mut lost).expect_err("the thief cannot open it");
    assert!(!ada.node.store.records().expect("records").is_empty());
}

#[test]
fn nobody_agrees_to_a_stranger_to_what_was_before_or_without_being_named() {
    let (mut ada, mut ben, mut cleo, mut dan, record) = four();
    let early = told_of(&mut ben, "Ada").expect("he knows her");
    let (_, begun) = begins(&early).expect("a new device");
    let mut stranger = Place::new("Eve");
    let refused = agrees(&mut stranger, &begun.text).expect_err("she knows nobody");
    assert_eq!(refused.ending, Ending::NotAllowed);
    let refused = agrees(&mut ada, &begun.text).expect_err("she is not one of them");
    assert_eq!(refused.ending, Ending::NotAllowed);

    // Ben is named no more; what he kept from before is worth nothing.
    names(&mut ada, &["Cleo", "Dan"], 2).expect("she names others");
    for guest in [&mut ben, &mut cleo, &mut dan] {
        ada.notes(record, "and walks slowly");
        ada.gives(guest, record);
    }
    let refused = agrees(&mut cleo, &begun.text).expect_err("it is of before");
    assert!(
        refused.what.contains("less than this node knows"),
        "{refused:?}"
    );
    let now = told_of(&mut ben, "Ada").expect("he knows her");
    let (mut new, begun) = begins(&now).expect("a new device");
    let refused = agrees(&mut ben, &begun.text).expect_err("he is named no more");
    assert_eq!(refused.ending, Ending::NotAllowed);
    let agreed = agrees(&mut cleo, &begun.text).expect("she agrees");
    let changed = agreed.replacen("kith:agreed/", "kith:agreed/A", 1);
    assert!(takes(&mut new, &changed).is_err());
    let (mut other, _) = begins(&now).expect("another new device");
    let refused = takes(&mut other, &agreed).expect_err("she agreed to something else");
    assert_eq!(refused.ending, Ending::Failed);
    assert!(begins("kith:person/AAAA").is_err());
    let refused = names(&mut ada, &["Ada", "Cleo"], 2).expect_err("herself");
    assert_eq!(refused.ending, Ending::Usage);
    assert!(told_of(&mut ada, "Ben").is_err(), "he named nobody");
}
