//! A second device of one person: it gets what they have, acts for them, and is stopped when lost.

use super::{said, same_digests, shares, surgery_and_laptop};
use crate::harness::{Node, contains, never, sample, text, until};

#[test]
fn a_second_device_gets_the_record_writes_and_is_stopped_when_it_is_lost() {
    let (surgery, laptop, record) = surgery_and_laptop();
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    laptop.join(&surgery.share(&record, "all", "daily-care"));

    let invited = laptop.json(["devices", "add"]);
    let phone = Node::nowhere();
    let joined = phone.json(["join", "--link", said(&invited, "link"), "--yes"]);
    assert_eq!(joined["from"], "Sam's laptop");
    assert!(joined["recovery"].is_string(), "{joined}");
    let owners = [&laptop, &phone].map(|node| {
        let list = node.json(["devices", "list"]);
        let devices = list["devices"].as_array().map_or(0, Vec::len);
        assert_eq!(devices, 2, "{list}");
        list["devices"].to_string()
    });
    assert_ne!(owners[0], owners[1], "each says which one it is");
    assert!(same_digests(&laptop, &phone, &record));

    let phone_runs = phone.running();
    phone.note(&record, "Slept badly");
    until("the note reaches the laptop and the surgery", || {
        contains(&laptop.ndjson(&record), "Slept badly")
            && contains(&surgery.ndjson(&record), "Slept badly")
    });
    surgery.verify(&record);
    // What is begun on one is on the other, whichever it was.
    let own = phone.json(["record", "new", "--family", "Quince"]);
    let own = said(&own, "record").to_owned();
    until("the laptop has the phone's record", || {
        laptop.json(["record", "list"]).to_string().contains(&own)
    });
    laptop.note(&own, "Both write here");
    until("the phone has what the laptop wrote", || {
        contains(&phone.ndjson(&own), "Both write here")
    });

    let sheet = laptop.beside("device.html");
    let unused = laptop.json(["devices", "add", "--sheet", text(&sheet)]);
    let page = std::fs::read_to_string(&sheet).expect("a page");
    assert!(
        page.contains("Another device of Sam&#39;s laptop"),
        "{page}"
    );
    assert!(page.contains(said(&unused, "link")), "{page}");
    let waiting = laptop.json(["devices", "list"])["waiting"].clone();
    assert_eq!(waiting.as_array().map(Vec::len), Some(1), "{waiting}");
    let taken_back = laptop.json(["devices", "retire", said(&waiting[0], "id")]);
    assert!(said(&taken_back, "note").contains("taken back"));
    let waiting = laptop.json(["devices", "list"])["waiting"].clone();
    assert_eq!(waiting, serde_json::json!([]), "{unused}");

    let lost = phone.json(["status"])["node"].clone();
    let lost = lost.as_str().expect("a node");
    laptop.json(["devices", "retire", lost]);
    laptop.note(&record, "The phone is lost");
    until("the surgery has heard of it", || {
        contains(&surgery.ndjson(&record), "The phone is lost")
    });
    surgery.json(["add", &record, "medicine", "Aspirin 75 mg"]);
    until("the laptop has what came after", || {
        contains(&laptop.ndjson(&record), "Aspirin")
    });
    let late = laptop.note(&own, "After the loss");
    never("the lost phone gets anything more", || {
        let held = [&record, &own].map(|record| phone.ndjson(record));
        let after = ["The phone is lost", "Aspirin", "After the loss"];
        after
            .iter()
            .any(|words| held.iter().any(|held| contains(held, words)))
    });
    assert_eq!(laptop.json(["explain", &late])["status"], "accepted");
    assert!(contains(&laptop.ndjson(&record), "Slept badly"), "it stays");
    drop(phone_runs);
}

#[test]
fn a_second_device_cannot_end_the_first_and_a_device_invitation_needs_an_empty_folder() {
    let (surgery, laptop, _) = surgery_and_laptop();
    let _laptop_runs = laptop.running();
    let invited = laptop.json(["devices", "add"]);
    let link = said(&invited, "link");
    let ran = surgery.kith(["join", "--link", link, "--yes"]).ended(2);
    assert!(ran.err.contains("there is a node in this folder"), "{ran}");
    let phone = Node::nowhere();
    let words = said(&invited, "words");
    let place = super::place(&invited);
    phone.json(["join", place, words, "--yes"]);
    let first = laptop.json(["status"])["node"].clone();
    let first = first.as_str().expect("a node");
    let ran = phone.kith(["devices", "retire", first]).ended(13);
    assert!(ran.err.contains("was not added by this one"), "{ran}");
}

#[test]
fn a_lost_first_device_is_retired_from_the_second_with_the_recovery_sheet() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    let (laptop, sheet) = Node::with_sheet("Sam's laptop", "person");
    let (_surgery_runs, laptop_runs) = (surgery.running(), laptop.running());
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    let invited = laptop.json(["devices", "add"]);
    let phone = Node::nowhere();
    let joined = phone.json(["join", "--link", said(&invited, "link"), "--yes"]);
    let own_sheet = phone.sheet(&joined);
    assert!(same_digests(&laptop, &phone, &record));
    let _phone_runs = phone.running();
    laptop.note(&record, "Slept badly");
    until("the phone has what the laptop wrote", || {
        contains(&phone.ndjson(&record), "Slept badly")
    });

    let first = laptop.json(["status"])["node"].clone();
    let first = first.as_str().expect("a node");
    let retire = ["devices", "retire", first, "--recovery-sheet"];
    phone.kith(retire).ended(2);
    let with = |sheet| retire.into_iter().chain([text(sheet)]);
    let ran = phone.kith(with(&own_sheet)).ended(12);
    assert!(ran.err.contains("the device on which you began"), "{ran}");
    phone.json(with(&sheet));
    until("the surgery has heard of it and talks to the phone", || {
        surgery.json(["add", &record, "medicine", "Aspirin 75 mg"]);
        contains(&phone.ndjson(&record), "Aspirin")
    });
    surgery.note(&record, "After the loss");
    never("the lost laptop gets anything more", || {
        contains(&laptop.ndjson(&record), "After the loss")
    });
    drop(laptop_runs);
    // What it wrote before counts, and the phone goes on as the owner.
    assert!(contains(&phone.ndjson(&record), "Slept badly"));
    surgery.verify(&record);
    let late = phone.note(&record, "From the phone");
    until("the surgery has the phone's note", || {
        contains(&surgery.ndjson(&record), "From the phone")
    });
    assert_eq!(surgery.json(["explain", &late])["status"], "accepted");
    let list = phone.json(["devices", "list"])["devices"].to_string();
    assert!(list.contains("retired"), "{list}");
}

#[test]
fn an_invitation_to_a_record_makes_no_node() {
    let (surgery, _, record) = surgery_and_laptop();
    let _surgery_runs = surgery.running();
    let phone = Node::nowhere();
    let link = surgery.share(&record, "all", "");
    let ran = phone.kith(["join", "--link", &link, "--yes"]).ended(10);
    assert!(ran.err.contains("Run kith setup first"), "{ran}");
    assert!(!phone.home().exists());
    assert_eq!(shares(&surgery, &record).len(), 1, "it still waits");
}
