//! Sharing with somebody is stopped: everyone who is connected knows it soon, and what the stopped
//! one writes afterwards is looked at everywhere, in whichever order the two things arrive.

use std::time::Instant;

use crate::harness::{
    Node, Running, all_hold_the_same, contains, free_address, sample, text, until,
};

/// A surgery that shares a record with a laptop and a hospital.
struct Circle {
    surgery: Node,
    laptop: Node,
    hospital: Node,
    at: String,
    record: String,
}

impl Circle {
    fn begun() -> (Self, [Running; 3]) {
        let surgery = Node::set_up("Riverside Surgery", "practice");
        let record = surgery.import(&sample("ips.json"));
        let circle = Self {
            laptop: Node::set_up("Sam", "person"),
            hospital: Node::set_up("Castlebridge", "hospital"),
            at: free_address(),
            surgery,
            record,
        };
        let runs = [
            circle.surgery_runs(),
            circle.laptop.running(),
            circle.hospital.running(),
        ];
        circle
            .surgery
            .shares_all_with(&circle.laptop, &circle.record);
        // The hospital may decide what counts.
        let share = ["share", &circle.record, "--see", "all", "--add", "all"];
        let more = ["--review", "--until", "2099-12-31"];
        let shared = circle.surgery.json(share.iter().chain(&more));
        circle
            .hospital
            .join(shared["link"].as_str().expect("a link"));
        circle.all_hold_the_same();
        (circle, runs)
    }

    fn surgery_runs(&self) -> Running {
        self.surgery.running_at(["--listen", &self.at])
    }

    fn all(&self) -> [&Node; 3] {
        [&self.surgery, &self.laptop, &self.hospital]
    }

    fn all_hold_the_same(&self) {
        all_hold_the_same(&self.all(), &self.record);
    }

    /// The surgery stops sharing with the laptop.
    fn stop(&self) {
        self.surgery.json(["stop", &self.record, "Sam"]);
    }

    fn knows_of_the_stop(&self, node: &Node) -> bool {
        let shares = node.json(["sharing", &self.record])["shares"].clone();
        let mut shares = shares.as_array().into_iter().flatten();
        shares.any(|share| share["name"] == "Sam" && share["state"] == "stopped")
    }

    fn status(&self, node: &Node, entry: &str) -> String {
        let explained = node.json(["explain", entry]);
        let status = explained["status"].as_str();
        status.expect("an entry has a status").to_owned()
    }

    fn reviews(&self, node: &Node, entry: &str) -> bool {
        let review = node.json(["review", &self.record]);
        review.to_string().contains(entry)
    }

    fn has(&self, node: &Node, words: &str) -> bool {
        contains(&node.ndjson(&self.record), words)
    }

    /// What the laptop holds, carried by hand.
    fn carried(&self, to: &Node) {
        let file = to.beside("carried.kith");
        let out = ["--open", "--out", text(&file)];
        let words = ["export", &self.record, "--as", "bundle"];
        self.laptop.kith(words.iter().chain(&out)).done();
        to.import(&file);
    }
}

#[test]
fn everyone_who_is_connected_knows_of_a_stop() {
    let (circle, _runs) = Circle::begun();
    let began = Instant::now();
    circle.stop();
    for (name, node) in [("laptop", &circle.laptop), ("hospital", &circle.hospital)] {
        until("it knows of the stop", || circle.knows_of_the_stop(node));
        eprintln!("the {name} knew after {} ms", began.elapsed().as_millis());
    }
    let refused = circle
        .laptop
        .kith(["add", &circle.record, "note", "Nobody may"]);
    refused.ended(13);
    circle.hospital.note(&circle.record, "Goes on");
    until("the others go on", || {
        circle.has(&circle.surgery, "Goes on")
    });
    assert!(!circle.has(&circle.laptop, "Goes on"));
}

/// The laptop writes without having heard; the surgery hears of the stop first, the hospital of the
/// entry first, and writes on top of it in good faith.
#[test]
fn what_is_written_after_a_stop_is_contested_everywhere_and_can_be_adopted() {
    let (circle, runs) = Circle::begun();
    drop(runs);
    let late = circle.laptop.note(&circle.record, "Written in a tunnel");
    let surgery_runs = circle.surgery_runs();
    circle.stop();
    drop(surgery_runs);

    // By a file: before the news at the hospital, after it at the surgery.
    circle.carried(&circle.hospital);
    assert_eq!(circle.status(&circle.hospital, &late), "accepted");
    let honest = circle.hospital.note(&circle.record, "Seen on the ward");
    circle.carried(&circle.surgery);
    assert_eq!(circle.status(&circle.surgery, &late), "contested");
    assert!(!circle.has(&circle.surgery, "tunnel"));

    let _surgery_runs = circle.surgery_runs();
    let _hospital_runs = circle.hospital.running();
    until("the hospital knows of the stop", || {
        circle.knows_of_the_stop(&circle.hospital)
    });
    all_hold_the_same(&[&circle.surgery, &circle.hospital], &circle.record);
    for node in [&circle.surgery, &circle.hospital] {
        // What somebody honest built on stays where it is seen, and carries a mark.
        assert_eq!(circle.status(node, &honest), "accepted");
        assert_eq!(circle.status(node, &late), "marked");
        assert!(circle.has(node, "Seen on the ward"));
        assert!(circle.reviews(node, &late));
        node.verify(&circle.record);
    }

    circle
        .surgery
        .json(["review", &circle.record, "adopt", &late]);
    until("the hospital knows that it counts", || {
        circle.status(&circle.hospital, &late) == "accepted"
    });
    assert!(!circle.reviews(&circle.hospital, &late));
    for node in [&circle.surgery, &circle.hospital] {
        assert!(circle.has(node, "tunnel") && circle.has(node, "Seen on the ward"));
    }
}

/// The same entry handed in over the network, and carried to the hospital when it has heard.
#[test]
fn what_is_handed_in_after_a_stop_is_contested_in_both_orders() {
    let (circle, runs) = Circle::begun();
    let [surgery_runs, laptop_runs, hospital_runs] = runs;
    drop(laptop_runs);
    let late = circle.laptop.note(&circle.record, "Written in a tunnel");
    circle.stop();
    until("the hospital knows of the stop", || {
        circle.knows_of_the_stop(&circle.hospital)
    });
    // The news first, by hand second.
    circle.carried(&circle.hospital);
    assert_eq!(circle.status(&circle.hospital, &late), "contested");
    // The laptop comes back: it hears of the stop, and hands in what it wrote.
    let _laptop_runs = circle.laptop.running();
    for node in circle.all() {
        until("it is contested there", || {
            let explained = node.kith(["--json", "explain", &late]);
            explained.code == Some(0) && explained.json()["status"] == "contested"
        });
        until("it is to be looked at there", || {
            circle.reviews(node, &late)
        });
        assert!(!circle.has(node, "tunnel"));
    }
    circle
        .hospital
        .json(["review", &circle.record, "adopt", &late]);
    for node in [&circle.surgery, &circle.hospital] {
        until("it counts there", || {
            circle.status(node, &late) == "accepted"
        });
        assert!(circle.has(node, "tunnel"));
        node.verify(&circle.record);
    }
    all_hold_the_same(&[&circle.surgery, &circle.hospital], &circle.record);
    drop((surgery_runs, hospital_runs));
}
