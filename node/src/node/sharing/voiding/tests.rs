//! A stolen telephone stops a share, and nobody knows of it until later.

use kith_protocol::{
    id::RecordId,
    identity::{SecretKey, agree_to_act_for},
    logs::PrincipalAct,
    record::event_item,
};

use crate::{
    api::{Decision, Keep, Leaving, Reply, Request, Retiring},
    failure::Ending,
    home::{Home, Unlock},
    node::{
        Node,
        identity::Identity,
        now_ms,
        peers::tests::{Place, copy},
    },
};

/// The same node on a new device of its owner's, which has the root key, and as it was before on
/// the old one, in the hands of somebody else.
fn stolen(place: &mut Place) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    copy(place.node.home.folder(), home.folder());
    let seed = [9; 32];
    let key = SecretKey::from_seed(seed);
    let parent = place.node.identity.adding_key().device();
    let act = PrincipalAct::DeviceAdd {
        device: key.device(),
        proof: agree_to_act_for(place.node.principal(), &key, parent),
    };
    let added = place.node.sign_own(now_ms(), act).expect("an event");
    let identity = Identity::load(&place.node.store).expect("keys");
    place.node.identity = identity.restored(seed);
    let items = vec![event_item(&added), place.node.identity.item()];
    place.node.commit(items).expect("a commit");
    let node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    Place { node, folder }
}

fn waits(place: &mut Place) -> Option<String> {
    let Reply::Review(review) = place.does(Request::Review { record: None }) else {
        panic!("a list was asked for")
    };
    let stops = review.items.into_iter();
    let mut stops = stops.filter(|item| item.what == "a stop of sharing");
    stops.next().map(|item| item.id)
}

fn void(record: RecordId, stop: String) -> Request {
    Request::Decide {
        record: record.to_string(),
        decision: Decision::Void { stop },
    }
}

fn is_active(place: &mut Place, record: RecordId) -> bool {
    let record = record.to_string();
    let Reply::Sharing(sharing) = place.does(Request::Sharing { record }) else {
        panic!("it was asked who shares")
    };
    sharing.shares.iter().any(|share| share.state == "active")
}

#[test]
fn a_share_that_a_stolen_telephone_stopped_goes_on_when_its_owner_says_so() {
    let (mut sam, mut carer) = (Place::new("Sam"), Place::new("Jo"));
    let record = sam.record();
    sam.notes(record, "walks with a stick");
    sam.invites(&mut carer, record, "all", Some("daily-care"));
    sam.gives(&mut carer, record);
    carer.notes(record, "slept well");
    carer.gives(&mut sam, record);
    let mut thief = stolen(&mut sam);
    let old = thief.node.device().to_string()[..12].to_owned();
    sam.does(Request::DeviceRetire(Retiring {
        leaving: Leaving {
            who: old,
            keep: Keep::All,
        },
        sheet: None,
    }));
    // The carer has heard nothing yet.
    thief.does(Request::Stop {
        record: record.to_string(),
        share: "Jo".to_owned(),
        keep: Keep::All,
        keep_shared_on: false,
    });
    thief.gives(&mut carer, record);
    sam.gives(&mut carer, record);
    let stop = waits(&mut sam).expect("it waits");
    let refused = carer.node.handle(void(record, stop.clone()), &mut |_| {});
    assert!(refused.is_err(), "she stands above nobody");
    sam.does(void(record, stop.clone()));
    assert_eq!(waits(&mut sam), None, "those of every label");
    assert!(is_active(&mut sam, record));
    let again = sam.node.handle(void(record, stop), &mut |_| {});
    assert_eq!(again.expect_err("it is decided").ending, Ending::Failed);
    sam.gives(&mut carer, record);
    carer.notes(record, "and well again");
    sam.gives(&mut carer, record);
    let counted = sam.node.with_record(record, |_, record| {
        let documents = record.ledger().documents();
        let all = documents.iter().flat_map(|of| record.ledger().entries(of));
        Ok(all
            .filter(|(_, status)| *status != kith_protocol::consent::Status::Accepted)
            .count())
    });
    assert_eq!(counted.expect("a record"), 0, "everything counts");
}
