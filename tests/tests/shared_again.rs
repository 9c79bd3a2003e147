//! A share that was stopped and given again, a record that two share before they meet, and a device
//! that was restored from an older copy.

use std::{fs, path::Path};

use crate::harness::{Node, all_files, all_hold_the_same, contains, sample, text, until};

fn same_digests(one: &Node, other: &Node, record: &str) -> bool {
    one.digest(record) == other.digest(record)
}

fn stop(node: &Node, record: &str) {
    let shares = node.json(["sharing", record])["shares"].clone();
    let active = shares.as_array().into_iter().flatten();
    let active = active.filter(|share| share["state"] == "active");
    for share in active {
        let id = share["id"].as_str().expect("a share has an id");
        node.json(["stop", record, id]);
    }
}

#[test]
fn a_share_is_stopped_and_given_again_and_both_write_on() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let laptop = Node::set_up("Sam's laptop", "person");
    let record = surgery.import(&sample("ips.json"));
    let _surgery_runs = surgery.running();
    let laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    until("the laptop holds the record", || {
        same_digests(&surgery, &laptop, &record)
    });
    laptop.note(&record, "Slept badly");
    until("the note reaches the surgery", || {
        contains(&surgery.ndjson(&record), "Slept badly")
    });
    until("both hold the same", || {
        same_digests(&surgery, &laptop, &record)
    });
    drop(laptop_runs);
    let late = laptop.note(&record, "Written in a tunnel");
    stop(&surgery, &record);

    let _laptop_runs = laptop.running();
    until("the laptop knows that it was stopped", || {
        laptop.json(["sharing", &record])["shares"][0]["state"] == "stopped"
    });
    laptop
        .kith(["add", &record, "note", "Nobody may"])
        .ended(13);
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    until("the laptop has the new share", || {
        let shares = laptop.json(["sharing", &record])["shares"].clone();
        let mut shares = shares.as_array().into_iter().flatten();
        shares.any(|share| share["state"] == "active")
    });
    let again = laptop.note(&record, "Slept well");
    surgery.note(&record, "Good to hear");
    until("both hold what both wrote", || {
        contains(&surgery.ndjson(&record), "Slept well")
            && contains(&laptop.ndjson(&record), "Good to hear")
            && same_digests(&surgery, &laptop, &record)
    });
    for node in [&surgery, &laptop] {
        assert_eq!(node.json(["explain", &again])["status"], "accepted");
        assert_eq!(node.json(["explain", &late])["status"], "contested");
        assert!(!contains(&node.ndjson(&record), "tunnel"));
        node.verify(&record);
    }
    let review = surgery.json(["review", &record]);
    assert!(review.to_string().contains(&late), "{review}");

    let adopted = surgery.json(["review", &record, "adopt", &late]);
    until("what was written in between counts on both", || {
        contains(&laptop.ndjson(&record), "tunnel") && same_digests(&surgery, &laptop, &record)
    });
    let adoption = adopted["entry"].as_str().expect("an entry");
    surgery.json(["review", &record, "undo", adoption]);
    let is_withdrawn = |node: &Node| {
        let shown = node.show(&record).to_string();
        let line = shown.split('{').find(|line| line.contains("tunnel"));
        line.is_some_and(|line| line.contains("entered in error"))
    };
    until("the adoption is taken back on both", || {
        is_withdrawn(&surgery) && is_withdrawn(&laptop) && same_digests(&surgery, &laptop, &record)
    });
    let explained = laptop.json(["explain", &late]);
    assert_eq!(
        explained["status"], "accepted",
        "an adoption stays: {explained}"
    );
    surgery
        .kith(["review", &record, "undo", adoption])
        .ended(13);
    surgery.verify(&record);
}

#[test]
fn a_device_restored_from_an_older_copy_begins_a_new_chain_and_nothing_is_lost() {
    let laptop = Node::set_up("Sam's laptop", "person");
    let record = laptop.import(&sample("ips.json"));
    laptop.note(&record, "Before the copy");
    let copy = Node::nowhere();
    copy_folder(&laptop.home(), &copy.home());
    laptop.note(&record, "Written here");
    copy.note(&record, "Written on the copy");

    let file = copy.beside("copy.kith");
    let path = text(&file);
    copy.kith(["export", &record, "--as", "bundle", "--open", "--out", path])
        .done();
    laptop.kith(["import", path]).done();
    let review = laptop.json(["review", &record]).to_string();
    assert!(review.contains("restored from an older copy"), "{review}");

    laptop.note(&record, "Written after");
    laptop.note(&record, "And once more");
    let held = laptop.ndjson(&record);
    for words in [
        "Before the copy",
        "Written here",
        "Written on the copy",
        "Written after",
        "And once more",
    ] {
        assert!(contains(&held, words), "{words}");
    }
    laptop.verify(&record);
    let forks = laptop.json(["review", &record]).to_string();
    let pairs = forks.matches("two entries with one number").count();
    assert_eq!(pairs, 1, "the fork goes no further: {forks}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder for the test");
    for file in all_files(from) {
        let place = to.join(file.strip_prefix(from).expect("it is inside"));
        let folder = place.parent().expect("it is inside");
        fs::create_dir_all(folder).expect("a folder for the test");
        fs::copy(&file, &place).expect("it can be copied");
    }
}

#[test]
fn two_who_meet_after_a_third_shared_a_record_with_both_exchange_it_without_the_third() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let (sam, kim) = (
        Node::set_up("Sam's laptop", "person"),
        Node::set_up("Kim's laptop", "person"),
    );
    let record = surgery.import(&sample("ips.json"));
    let surgery_runs = surgery.running();
    let (_sam_runs, _kim_runs) = (sam.running(), kim.running());
    for laptop in [&sam, &kim] {
        surgery.shares_all_with(laptop, &record);
    }
    all_hold_the_same(&[&surgery, &sam, &kim], &record);
    drop(surgery_runs);
    sam.note(&record, "Written before they met");

    let other = kim.begins("Underhill", "Ada", "1950-02-03");
    kim.shares_all_with(&sam, &other);
    until("what one wrote before is on the other", || {
        contains(&kim.ndjson(&record), "Written before they met")
    });
    kim.note(&record, "And back again");
    until("what the other writes comes back", || {
        contains(&sam.ndjson(&record), "And back again")
    });
}
