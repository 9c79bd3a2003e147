//! What a search finds, and for whom.

use kith_crdt::samples::sample_bundle;
use kith_protocol::consent::Whoever;

use crate::{
    api::{Addition, Reply, Request},
    health::search::{Param, Query, System, Wanted},
    node::{Found, Role, now_ms, peers::tests::Place},
};

#[test]
fn a_search_finds_in_what_whoever_asks_may_read_and_nothing_else() {
    let mut host = Place::of("Riverside", Role::Practice);
    let mut guest = Place::of("Sam", Role::Person);
    let record = host.files(&sample_bundle(5, 1, 120));
    host.does(Request::Add {
        record: record.to_string(),
        what: Addition::Medicine {
            name: "Warfarin 1 mg".to_owned(),
            dose: None,
        },
        staff: None,
    });
    host.invites(&mut guest, record, "medicines:general", None);
    let whoever = |place: &Place| Whoever {
        principal: place.node.principal(),
        device: place.node.device(),
        staff: None,
    };
    let (owner, sam) = (whoever(&host), whoever(&guest));
    let stranger = whoever(&Place::of("Nobody", Role::Person));
    let everything = Query::default();
    let all = host
        .node
        .search(record, &everything, &owner)
        .expect("a search");
    assert_eq!(all.len(), host.lines(record).len());
    let seen = host
        .node
        .search(record, &everything, &sam)
        .expect("a search");
    let shared = |found: &&Found| found.document.to_string().starts_with("medicines:general");
    let expected: Vec<_> = all.iter().filter(shared).cloned().collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    assert_eq!(seen, expected);
    let nothing = host.node.search(record, &everything, &stranger);
    assert_eq!(nothing.expect("a search"), []);

    let warfarin = Query {
        all: vec![vec![Wanted::Words {
            param: Param::Code,
            text: "WARFARIN 1".to_owned(),
        }]],
    };
    let found = host
        .node
        .search(record, &warfarin, &owner)
        .expect("a search");
    assert!(
        found
            .iter()
            .any(|found| found.updated_ms.abs_diff(now_ms()) < 60_000)
    );
    let elsewhere = Query {
        all: vec![vec![Wanted::Token {
            param: Param::ClinicalStatus,
            system: System::Any,
            code: Some("active".to_owned()),
        }]],
    };
    let conditions = host
        .node
        .search(record, &elsewhere, &owner)
        .expect("a search");
    assert!(!conditions.is_empty());
    assert_eq!(
        host.node
            .search(record, &elsewhere, &sam)
            .expect("a search"),
        []
    );

    let Reply::Looked(looked) = host.does(Request::WhoLooked {
        record: record.to_string(),
    }) else {
        panic!("another answer")
    };
    let searches: Vec<_> = looked
        .iter()
        .filter(|l| l.how == "found it in a search")
        .collect();
    let parts: Vec<_> = searches.iter().map(|looked| looked.parts.len()).collect();
    assert_eq!(
        parts.len(),
        4,
        "those that found something, newest first: {parts:?}"
    );
    assert_eq!(searches[2].parts, ["medicines:general"]);
}
