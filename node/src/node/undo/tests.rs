//! A choice among three versions, taken back.

use kith_protocol::id::RecordId;

use super::super::peers::tests::Place;
use crate::{
    api::{Addition, Change, Decided, Decision, Reply, Request, ShareRequest, ShareTerms},
    failure::{Ending, Failure},
    node::meet,
};

fn lets_change(owner: &mut Place, guest: &mut Place, record: RecordId) {
    let shared = owner.does(Request::Share(ShareRequest {
        record: record.to_string(),
        see: "all".to_owned(),
        add: Some("all".to_owned()),
        change: Some("all".to_owned()),
        until: "2999-01-01".to_owned(),
        confirm: false,
        terms: ShareTerms::default(),
    }));
    let Reply::Shared(shared) = shared else {
        panic!("{shared:?}")
    };
    meet(&mut owner.node, &mut guest.node, &shared.link).expect("they meet");
}

fn doses(place: &mut Place, record: RecordId, medicine: &str, dose: &str) {
    place.does(Request::Change {
        record: record.to_string(),
        thing: medicine.to_owned(),
        change: Change::Dose(dose.to_owned()),
        staff: None,
    });
}

fn decides(place: &mut Place, record: RecordId, decision: Decision) -> Result<Decided, Failure> {
    let record = record.to_string();
    let reply = place
        .node
        .handle(Request::Decide { record, decision }, &mut |_| {})?;
    let Reply::Decided(decided) = reply else {
        panic!("{reply:?}")
    };
    Ok(decided)
}

fn only_medicine(place: &mut Place, record: RecordId) -> String {
    let found = place.node.with_record(record, |node, record| {
        let placed = node.read_all(record)?.into_iter();
        let mut medicines = placed.filter(|placed| placed.held.meta.kind == "MedicationStatement");
        Ok(medicines.next().map(|placed| placed.held.id.to_string()))
    });
    found.expect("a record").expect("a medicine")
}

/// The dose that stands; nothing while somebody has to choose.
fn dose(place: &mut Place, record: RecordId, medicine: &str) -> Option<String> {
    let held = place.node.with_record(record, |node, record| {
        let placed = node.read_all(record)?.into_iter();
        Ok(placed
            .map(|placed| placed.held)
            .find(|held| held.id.as_str() == medicine))
    });
    let held = held.expect("a record").expect("a medicine");
    let value: serde_json::Value = serde_json::from_str(&held.to_text(0)).expect("JSON");
    let text = value.pointer("/dosage/0/text")?.as_str()?.to_owned();
    held.siblings().next().is_none().then_some(text)
}

#[test]
fn of_three_versions_the_one_that_is_named_stands_again() {
    let (mut ben, mut ada, mut cleo) = (Place::new("Ben"), Place::new("Ada"), Place::new("Cleo"));
    let record = ben.record();
    let added = ben.does(Request::Add {
        record: record.to_string(),
        what: Addition::Medicine {
            name: "Apixaban".to_owned(),
            dose: Some("one".to_owned()),
        },
        staff: None,
    });
    assert!(matches!(added, Reply::Added(_)), "{added:?}");
    let medicine = only_medicine(&mut ben, record);
    lets_change(&mut ben, &mut ada, record);
    lets_change(&mut ben, &mut cleo, record);
    ben.gives(&mut ada, record);
    ben.gives(&mut cleo, record);
    for (place, text) in [(&mut ben, "two"), (&mut ada, "three"), (&mut cleo, "four")] {
        doses(place, record, &medicine, text);
    }
    ada.gives(&mut ben, record);
    cleo.gives(&mut ben, record);
    let choice = Decision::Choose {
        resource: medicine.clone(),
        version: 1,
    };
    let chosen = decides(&mut ben, record, choice).expect("it is chosen");
    let first = dose(&mut ben, record, &medicine).expect("one stands");
    let undo = |version| Decision::Undo {
        entry: chosen.entry.clone(),
        version,
    };
    for version in [None, Some(0), Some(4)] {
        let asked = decides(&mut ben, record, undo(version)).expect_err("which one?");
        assert_eq!(asked.ending, Ending::NeedsPerson);
        for said in ["1: ", "2: ", "3: ", "two", "three", "four", "Cleo"] {
            assert!(asked.what.contains(said), "{said}: {asked:?}");
        }
    }
    let same = decides(&mut ben, record, undo(Some(1))).expect_err("it stands");
    assert_eq!(same.ending, Ending::NotAllowed);
    decides(&mut ben, record, undo(Some(3))).expect("it is taken back");
    let third = dose(&mut ben, record, &medicine).expect("one stands");
    assert_ne!(third, first);
    ben.gives(&mut ada, record);
    assert_eq!(dose(&mut ada, record, &medicine), Some(third));
}
