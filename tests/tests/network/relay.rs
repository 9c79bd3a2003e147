//! Two laptops that cannot reach each other, and the practice that both can reach.
//!
//! Each is in a network namespace of its own, with a cable to the practice's, which does not
//! forward; or at home behind a router that lets nobody in.

use super::both_hold_the_same;
use crate::harness::{Networks, Node, sample, until};

fn is_carried(node: &Node) -> bool {
    node.json(["status"])["addresses"]
        .to_string()
        .contains("/p2p-circuit")
}

#[test]
fn what_one_laptop_writes_reaches_the_other_through_the_practice_that_does_not_hold_it() {
    let Some(networks) = Networks::lay(&["a", "b"]) else {
        return;
    };
    let practice = Node::set_up("Riverside Surgery", "practice");
    let (ada, sam) = (
        Node::set_up("Ada's laptop", "person"),
        Node::set_up("Sam's laptop", "person"),
    );
    let known = practice.import(&sample("ips.json"));
    let _practice_runs = networks.running(Networks::HUB, &practice);
    let _ada_runs = networks.running("a", &ada);
    let _sam_runs = networks.running("b", &sam);
    assert!(
        networks.can_reach("a", &Networks::of_hub(1)),
        "the practice is there"
    );
    assert!(
        !networks.can_reach("a", &Networks::at_the_end(2)),
        "the other laptop is not"
    );
    assert!(!is_carried(&ada), "nobody relays for somebody unknown");

    for laptop in [&ada, &sam] {
        laptop.join(&practice.share(&known, "all", "daily-care"));
        until("the practice keeps a way open", || is_carried(laptop));
    }
    let made = ada.json(["record", "new", "--family", "Underhill", "--given", "Ada"]);
    let own = made["record"].as_str().expect("it has an id").to_owned();
    sam.join(&ada.share(&own, "all", "daily-care"));
    both_hold_the_same(&ada, &sam, &own);
    ada.note(&own, "Carried by the practice");
    until("the note reaches the other laptop", || {
        sam.show(&own)
            .to_string()
            .contains("Carried by the practice")
    });
    sam.note(&own, "And back again");
    until("the answer reaches the first", || {
        ada.show(&own).to_string().contains("And back again")
    });
    let held = practice.json(["record", "list"]).to_string();
    assert!(!held.contains(&own), "the practice holds none of it");
}

#[test]
fn two_laptops_behind_routers_find_a_direct_way_and_keep_it_when_the_practice_is_gone() {
    let Some(networks) = Networks::behind_routers(&["a", "b"]) else {
        return;
    };
    let practice = Node::set_up("Riverside Surgery", "practice");
    let (ada, sam) = (
        Node::set_up("Ada's laptop", "person"),
        Node::set_up("Sam's laptop", "person"),
    );
    let known = practice.import(&sample("ips.json"));
    let practice_runs = networks.running(Networks::HUB, &practice);
    let _ada_runs = networks.running("a", &ada);
    let _sam_runs = networks.running("b", &sam);
    assert!(networks.can_reach("a", &Networks::of_hub(1)));
    assert!(networks.can_reach("b", &Networks::of_hub(2)));
    for (from, to) in [("a", 2), ("b", 1), (Networks::HUB, 1)] {
        let router = Networks::at_the_end(to);
        assert!(
            !networks.can_reach(from, &router),
            "{from} gets into home {to}"
        );
    }
    for laptop in [&ada, &sam] {
        laptop.join(&practice.share(&known, "all", "daily-care"));
        until("the practice keeps a way open", || is_carried(laptop));
    }
    let made = ada.json(["record", "new", "--family", "Underhill", "--given", "Ada"]);
    let own = made["record"].as_str().expect("it has an id").to_owned();
    sam.join(&ada.share(&own, "all", "daily-care"));
    both_hold_the_same(&ada, &sam, &own);
    drop(practice_runs);
    ada.note(&own, "From home to home");
    until("the note reaches the other laptop", || {
        sam.show(&own).to_string().contains("From home to home")
    });
    sam.note(&own, "And back again");
    until("the answer reaches the first", || {
        ada.show(&own).to_string().contains("And back again")
    });
}
