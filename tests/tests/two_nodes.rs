//! The walking skeleton: two processes, one record, one link.

use crate::harness::{Node, all_files, contains, never, sample, text, until};

/// The surgery has the record, the daughter her laptop.
fn surgery_and_laptop() -> (Node, Node) {
    (
        Node::set_up("Riverside Surgery", "practice"),
        Node::set_up("Sam's laptop", "person"),
    )
}

#[test]
fn a_record_is_shared_added_to_by_both_and_no_longer_shared() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());

    let joined = laptop.join(&surgery.share(&record, "all", "daily-care"));
    assert_eq!(joined["record"], record.as_str());
    assert_eq!(joined["from"], "Riverside Surgery");
    until("the laptop holds the same record", || {
        same_digests(&surgery, &laptop, &record)
    });
    assert_eq!(surgery.ndjson(&record), laptop.ndjson(&record));

    let entry = laptop.note(&record, "Slept badly");
    until("the note reaches the surgery", || {
        surgery.show(&record).to_string().contains("Slept badly")
    });
    until("both hold the same again", || {
        same_digests(&surgery, &laptop, &record)
    });
    let explained = surgery.json(["explain", &entry]);
    assert_eq!(explained["status"], "accepted", "{explained}");

    let who = surgery.json(["sharing", &record])["shares"][0]["id"].clone();
    let who = who.as_str().expect("a share has an id");
    surgery.json(["stop", &record, who]);
    let state = surgery.json(["sharing", &record])["shares"][0]["state"].clone();
    assert_eq!(state, "stopped");
    until("the laptop knows that it was stopped", || {
        laptop.json(["sharing", &record])["shares"][0]["state"] == "stopped"
    });

    let had = laptop.digest(&record);
    surgery.json(["add", &record, "medicine", "Aspirin 75 mg"]);
    never("something arrives after the share was stopped", || {
        laptop.digest(&record) != had
    });
    assert!(!contains(&laptop.ndjson(&record), "Aspirin"));

    let looked = surgery.json(["who-looked", &record]).to_string();
    assert!(looked.contains("Sam's laptop"), "{looked}");
    surgery.verify(&record);
    laptop.verify(&record);
}

fn same_digests(one: &Node, other: &Node, record: &str) -> bool {
    one.digest(record) == other.digest(record)
}

#[test]
fn who_sees_medicines_gets_no_byte_of_anything_else() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    laptop.join(&surgery.share(&record, "medicines", ""));
    until("the medicines arrive", || {
        contains(&laptop.ndjson(&record), "Apixaban")
    });

    let given = everything_given_out(&laptop, &record);
    for words in ["Apixaban 5 mg", "One twice a day"] {
        assert!(given.iter().any(|(_, bytes)| contains(bytes, words)));
    }
    nothing_of(
        &given,
        &[
            "Underhill",
            "Marigold",
            "1941-07-19",
            "9990000018",
            "Penicillin",
            "91936005",
            "fibrillation",
            "49436004",
            "36.60",
            "8310-5",
            "An invented life",
            "sample-ips",
        ],
    );
}

#[test]
fn who_sees_what_is_general_learns_nothing_of_a_sexual_health_condition() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("sexual-health.json"));
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    laptop.join(&surgery.share(&record, "all:general", ""));
    until("what is general arrives", || {
        let held = laptop.ndjson(&record);
        contains(&held, "Asthma") && contains(&held, "Salbutamol")
    });

    let at_home = surgery.ndjson(&record);
    let canaries = [
        "Quillfeather",
        "8098009",
        "aa4a8a2e-7d0c-4d0f-8f1c-5b1e6f2a2001",
        "aa4a8a2e-7d0c-4d0f-8f1c-5b1e6f2a2002",
        "aa4a8a2e-7d0c-4d0f-8f1c-5b1e6f2a2005",
    ];
    for canary in ["Quillfeather", "8098009"] {
        assert!(contains(&at_home, canary), "the canary is alive");
    }
    nothing_of(&everything_given_out(&laptop, &record), &canaries);
}

/// All bytes of a record that a node can be made to give out, with where they stood.
fn everything_given_out(node: &Node, record: &str) -> Vec<(String, Vec<u8>)> {
    let mut given = Vec::new();
    for words in [
        &["show", record][..],
        &["--json", "show", record],
        &["record", "timeline", record],
        &["--json", "record", "timeline", record],
        &["--json", "record", "list"],
        &["--json", "review"],
        &["--json", "sharing", record],
        &["--json", "status"],
        &["export", record, "--as", "ndjson"],
        &["export", record, "--as", "ips"],
    ] {
        given.push((words.join(" "), node.kith(words).done().out));
    }
    for form in ["folder", "documents", "bundle"] {
        let path = node.beside(form);
        let open: &[&str] = if form == "bundle" { &["--open"] } else { &[] };
        let words = ["export", record, "--as", form, "--out", text(&path)];
        node.kith(words.iter().chain(open)).done();
        let files = if path.is_dir() {
            all_files(&path)
        } else {
            vec![path]
        };
        for file in files {
            let bytes = std::fs::read(&file).expect("it was written");
            given.push((file.display().to_string(), bytes));
        }
    }
    given
}

#[track_caller]
fn nothing_of(given: &[(String, Vec<u8>)], canaries: &[&str]) {
    for (place, bytes) in given {
        for canary in canaries {
            assert!(!contains(bytes, canary), "{canary} stands in {place}");
            assert!(
                !contains(place.as_bytes(), canary),
                "{canary} stands in {place}"
            );
        }
    }
}

/// A scan that no single frame could carry: it goes in pieces.
#[test]
fn an_attachment_of_any_size_arrives_whole() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let mut data = String::new();
    for n in 0..7_500_000_u32 {
        data.push(char::from(
            b'A' + u8::try_from(n.wrapping_mul(n) % 26).unwrap_or(0),
        ));
    }
    let scan = data.repeat(4);
    let letter = format!(
        r#"{{"resourceType":"DocumentReference","status":"current","content":[{{"attachment":{{"contentType":"application/pdf","data":"{scan}"}}}}]}}"#
    );
    let file = surgery.file("letter.json", &letter);
    surgery.json(["import", text(&file), "--record", &record]);
    let _surgery_runs = surgery.running();
    let _laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    until("the laptop has the whole scan", || {
        let letters = laptop.ndjson(&record);
        letters.len() > scan.len() && contains(&letters, &scan)
    });
}
