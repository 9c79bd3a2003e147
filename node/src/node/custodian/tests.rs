//! A clinic's node says what stands where whoever stopped a practice could not.

use kith_protocol::{
    codec,
    consent::{
        Cause, Status,
        cut::{Custody, CutPlace, CutTree},
    },
    id::{EnvelopeId, EventId, RecordId},
    logs::{Act, LabelAct, record::Link, record::Revoke},
    store::Store,
};

use crate::{
    api::{Addition, Reply, Request},
    node::{Node, now_ms, peers::tests::Place},
};

fn notes(place: &mut Place, record: RecordId, text: &str) -> EnvelopeId {
    let reply = place.does(Request::Add {
        record: record.to_string(),
        what: Addition::Note(text.to_owned()),
        staff: None,
    });
    let Reply::Added(added) = reply else {
        panic!("{reply:?}")
    };
    EnvelopeId::from_hex(&added.entry).expect("an id")
}

fn status(node: &mut Node, record: RecordId, entry: EnvelopeId) -> Status {
    let status = node.with_record(record, |_, record| Ok(record.ledger().status(&entry)));
    status.expect("a record").expect("it is held")
}

/// Stops everything shared with someone, saying nothing of documents and naming a custodian.
fn stops(place: &mut Place, record: RecordId, whom: &Place, custodian: &Place) -> Vec<EventId> {
    let (whom, custodian) = (
        whom.node.identity.principal,
        custodian.node.identity.principal,
    );
    let stopped = place.node.with_record(record, |node, record| {
        let mut grants = record.ledger().grants();
        grants.retain(|grant| grant.grant.audience == whom);
        let (mut items, mut stops) = (Vec::new(), Vec::new());
        for grant in grants {
            let now = now_ms();
            let custody = Custody {
                custodian,
                sections: grant.grant.sections.clone(),
                until_ms: now,
            };
            let link = Link::Grant(grant.id);
            let mut parts = record.ledger().keep_everything(link);
            parts.retain(|part| !matches!(part.place, CutPlace::Document(_)));
            let tree = CutTree::new(parts);
            let act = Act::Label(LabelAct::Revoke(Revoke {
                link,
                cut: tree.entrusting([custody]),
                keep: Vec::new(),
                void: Vec::new(),
                is_final: false,
            }));
            let (event, item) = node.act(record, Some(&grant.label), act, now)?;
            items.push(item);
            for part in tree.proven(event) {
                let bytes = codec::encode(&part);
                items.push(record.arrive_part(&bytes).expect("a part").item);
            }
            stops.push(event);
        }
        node.commit(items)?;
        Ok(stops)
    });
    stopped.expect("it is stopped")
}

#[test]
fn the_node_that_a_revocation_names_says_what_stands_when_it_hears_of_it() {
    let (mut ada, mut practice) = (Place::new("Ada"), Place::new("Practice"));
    let mut clinic = Place::new("Clinic");
    let record = ada.record();
    ada.invites(&mut practice, record, "all", Some("all"));
    ada.invites(&mut clinic, record, "all", Some("all"));
    ada.gives(&mut practice, record);
    let note = notes(&mut practice, record, "seen");
    practice.gives(&mut ada, record);
    ada.gives(&mut clinic, record);
    assert_eq!(status(&mut clinic.node, record, note), Status::Accepted);
    let stops = stops(&mut ada, record, &practice, &clinic);
    let before = status(&mut ada.node, record, note);
    let Status::Marked(Cause::PartMissing(by)) = before else {
        panic!("{before:?}");
    };
    assert!(stops.contains(&by));
    let late = notes(&mut practice, record, "later");
    ada.gives(&mut clinic, record);
    for place in [&mut clinic, &mut ada] {
        assert_eq!(status(&mut place.node, record, note), Status::Accepted);
    }
    let parts = clinic.node.store.parts(&record).expect("a store");
    clinic.gives(&mut ada, record);
    assert_eq!(clinic.node.store.parts(&record).expect("a store"), parts);
    practice.gives(&mut ada, record);
    let late = status(&mut ada.node, record, late);
    assert_eq!(late, Status::Contested(Cause::Revoked(by)));
}
