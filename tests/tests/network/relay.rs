//! Two laptops that cannot reach each other, and the practice that both can reach.
//!
//! Each is in a network namespace of its own, with a cable to the practice's, which does not
//! forward; or at home behind a router that lets nobody in.

use super::both_hold_the_same;
use crate::harness::{Networks, Node, Running, sample, until};

fn is_carried(node: &Node) -> bool {
    node.json(["status"])["addresses"]
        .to_string()
        .contains("/p2p-circuit")
}

/// A practice in the middle and two laptops that reach it, all running.
struct Three {
    practice: Node,
    ada: Node,
    sam: Node,
    practice_runs: Running,
    _laptops_run: [Running; 2],
}

impl Three {
    fn on(networks: &Networks) -> Self {
        let practice = Node::set_up("Riverside Surgery", "practice");
        let ada = Node::set_up("Ada's laptop", "person");
        let sam = Node::set_up("Sam's laptop", "person");
        let practice_runs = networks.running(Networks::HUB, &practice);
        let laptops_run = [networks.running("a", &ada), networks.running("b", &sam)];
        for (nth, laptop) in [(1, "a"), (2, "b")] {
            let practice = Networks::of_hub(nth);
            assert!(
                networks.can_reach(laptop, &practice),
                "the practice is there"
            );
        }
        Self {
            practice,
            ada,
            sam,
            practice_runs,
            _laptops_run: laptops_run,
        }
    }

    /// The practice shares something with both laptops, and carries for them from then on.
    fn meet(&self) {
        let known = self.practice.import(&sample("ips.json"));
        for laptop in [&self.ada, &self.sam] {
            assert!(!is_carried(laptop), "nobody relays for somebody unknown");
            laptop.join(&self.practice.share(&known, "all", "daily-care"));
            until("the practice keeps a way open", || is_carried(laptop));
        }
    }

    /// One laptop shares a record of its own with the other.
    fn share_own(&self) -> String {
        let own = self.ada.begins("Underhill", "Ada", "1950-02-03");
        self.sam.join(&self.ada.share(&own, "all", "daily-care"));
        both_hold_the_same(&self.ada, &self.sam, &own);
        own
    }

    /// What each laptop writes reaches the other.
    fn talk_about(&self, record: &str) {
        let ways = [
            (&self.ada, &self.sam, "Out"),
            (&self.sam, &self.ada, "Back"),
        ];
        for (from, to, text) in ways {
            from.note(record, text);
            until("the note reaches the other laptop", || {
                to.show(record).to_string().contains(text)
            });
        }
    }
}

#[test]
fn what_one_laptop_writes_reaches_the_other_through_the_practice_that_does_not_hold_it() {
    let Some(networks) = Networks::lay(&["a", "b"]) else {
        return;
    };
    let three = Three::on(&networks);
    assert!(
        !networks.can_reach("a", &Networks::at_the_end(2)),
        "the other laptop is not there"
    );
    three.meet();
    let own = three.share_own();
    three.talk_about(&own);
    let held = three.practice.json(["record", "list"]).to_string();
    assert!(!held.contains(&own), "the practice holds none of it");
}

#[test]
fn two_laptops_behind_routers_find_a_direct_way_and_keep_it_when_the_practice_is_gone() {
    let Some(networks) = Networks::behind_routers(&["a", "b"]) else {
        return;
    };
    let mut three = Three::on(&networks);
    for (from, to) in [("a", 2), ("b", 1), (Networks::HUB, 1)] {
        let router = Networks::at_the_end(to);
        assert!(
            !networks.can_reach(from, &router),
            "{from} gets into home {to}"
        );
    }
    three.meet();
    let own = three.share_own();
    three.practice_runs.kill();
    three.talk_about(&own);
}
