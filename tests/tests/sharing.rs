//! What a share can be, told on real processes: passed on, changed, given back.

use serde_json::Value;

use crate::harness::{Node, contains, sample, until};

fn lines(node: &Node, record: &str) -> Vec<Value> {
    let sharing = node.json(["sharing", record]);
    sharing["shares"].as_array().cloned().unwrap_or_default()
}

/// The state of the share that somebody has, as a node sees it.
fn state(node: &Node, record: &str, name: &str) -> Option<String> {
    let lines = lines(node, record);
    let line = lines.iter().find(|line| line["name"] == name)?;
    Some(line["state"].as_str()?.to_owned())
}

fn holds(node: &Node, record: &str, words: &str) -> bool {
    let exported = node.kith(["export", record, "--as", "ndjson"]);
    exported.code == Some(0) && contains(&exported.out, words)
}

/// What is typed to share parts of a record with the carer.
fn with_jo<'a>(record: &'a str, see: &'a str) -> [&'a str; 8] {
    let until = "2098-12-31";
    [
        "share", record, "--see", see, "--until", until, "--with", "Jo",
    ]
}

#[test]
fn a_share_is_passed_on_changed_and_stopped_and_everyone_sees_it() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let daughter = Node::set_up("Sam", "person");
    let carer = Node::set_up("Jo", "person");
    let record = surgery.import(&sample("ips.json"));
    surgery.note(&record, "Slept badly");
    let (_surgery_runs, _daughter_runs, _carer_runs) =
        (surgery.running(), daughter.running(), carer.running());

    // The daughter and the carer know each other by a record of the daughter's own.
    let own = daughter.json(["record", "new", "--family", "Quince"]);
    let own = own["record"].as_str().expect("a record").to_owned();
    carer.join(&daughter.share(&own, "identity", "daily-care"));

    daughter.join(&surgery.share(&record, "identity,daily-care", "daily-care"));
    let refused = daughter.kith(with_jo(&record, "daily-care"));
    let refused = refused.ended(13);
    assert!(refused.err.contains("may not be shared on"), "{refused}");

    let change = [
        "share",
        &record,
        "--with",
        "Sam",
        "--see",
        "identity,daily-care,medicines",
        "--add",
        "daily-care",
        "--share-on",
        "--until",
        "2099-12-31",
    ];
    let changed = surgery.json(change);
    assert_eq!(changed["changed"], true, "{changed}");
    assert_eq!(changed["share"]["share_on"], 1, "{changed}");
    until("the daughter may share it on", || {
        lines(&daughter, &record)
            .iter()
            .any(|line| line["share_on"] == 1)
    });
    assert_eq!(lines(&daughter, &record).len(), 1);
    until("what was added to the share is there", || {
        !daughter.show(&record)["not_known_here"]
            .to_string()
            .contains("medicines")
    });

    let beyond = daughter.kith(with_jo(&record, "daily-care,letters"));
    let beyond = beyond.ended(13);
    assert!(
        beyond.err.contains("letters") && beyond.err.contains("medicines"),
        "{beyond}"
    );

    daughter.json(with_jo(&record, "daily-care"));
    until("the carer holds what was shared on", || {
        holds(&carer, &record, "Slept badly")
    });
    until("the surgery sees it", || {
        lines(&surgery, &record).len() == 2
    });
    let passed_on = lines(&surgery, &record)
        .into_iter()
        .find(|line| line["side"] == "between-others");
    let passed_on = passed_on.expect("the share of the carer");
    assert_eq!(passed_on["via"][0], "Sam", "{passed_on}");
    assert_eq!(lines(&carer, &record)[0]["side"], "between-others");
    let all = carer.json(["sharing"]);
    let with_us = all["shares"].as_array().into_iter().flatten();
    assert_eq!(
        with_us.filter(|line| line["side"] == "with-us").count(),
        2,
        "{all}"
    );

    surgery.json(["stop", &record, "Sam"]);
    until("the daughter knows", || {
        state(&daughter, &record, "Sam").as_deref() == Some("stopped")
    });
    until("the carer knows", || {
        state(&carer, &record, "Jo").as_deref() == Some("stopped")
    });
    daughter
        .kith(["add", &record, "note", "Nobody may"])
        .ended(13);
    for node in [&surgery, &daughter, &carer] {
        node.verify(&record);
    }
}

#[test]
fn a_share_is_given_back_by_whoever_has_it() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let laptop = Node::set_up("Sam", "person");
    let record = surgery.import(&sample("ips.json"));
    let (_surgery_runs, _laptop_runs) = (surgery.running(), laptop.running());
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    let entry = laptop.note(&record, "Slept well");
    until("the note reaches the surgery", || {
        holds(&surgery, &record, "Slept well")
    });
    let stopped = laptop.json(["stop", &record, "Riverside Surgery"]);
    assert!(
        stopped["note"]
            .to_string()
            .contains("given this share back"),
        "{stopped}"
    );
    until("the surgery knows", || {
        state(&surgery, &record, "Sam").as_deref() == Some("given back")
    });
    assert_eq!(surgery.json(["explain", &entry])["status"], "accepted");
    laptop
        .kith(["add", &record, "note", "Nobody may"])
        .ended(13);
}

#[test]
fn a_record_is_handed_over_and_whoever_gave_it_away_can_do_nothing_more_with_it() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let patient = Node::set_up("Ada", "person");
    let record = surgery.import(&sample("ips.json"));
    let other = surgery.json(["record", "new", "--family", "Quince"]);
    let other = other["record"].as_str().expect("a record").to_owned();
    let (_surgery_runs, _patient_runs) = (surgery.running(), patient.running());
    patient.join(&surgery.share(&other, "identity", "daily-care"));

    surgery
        .kith(["record", "control", &record, "leave"])
        .ended(13);
    surgery
        .kith(["record", "control", &record, "add", "Ada"])
        .ended(2);
    let shown = surgery.json([
        "record", "control", &record, "add", "Ada", "--as", "patient",
    ]);
    assert_eq!(
        shown["controllers"].as_array().map(Vec::len),
        Some(2),
        "{shown}"
    );
    until("the patient has the record", || {
        patient
            .json(["record", "list"])
            .to_string()
            .contains(&record)
    });
    until("both hold the same", || {
        let shown = patient.kith(["--json", "show", &record]);
        shown.code == Some(0) && patient.digest(&record) == surgery.digest(&record)
    });
    let control = patient.show(&record)["control"].to_string();
    assert!(
        control.contains("patient") && control.contains("Riverside Surgery"),
        "{control}"
    );

    // The patient controls it already, so the surgery leaves.
    surgery
        .kith(["record", "control", &record, "hand-over", "Ada"])
        .ended(1);
    surgery.json(["record", "control", &record, "leave"]);
    until("the patient alone controls it", || {
        let control = patient.show(&record)["control"].clone();
        control.as_array().map(Vec::len) == Some(1)
    });
    let share = [
        "share",
        &record,
        "--see",
        "all",
        "--until",
        "2099-12-31",
        "--with",
        "Ada",
    ];
    surgery.kith(share).ended(13);
    surgery
        .kith(["add", &record, "note", "Nobody may"])
        .ended(13);
    surgery
        .kith([
            "record", "control", &record, "add", "Ada", "--as", "patient",
        ])
        .ended(13);
    patient.note(&record, "Mine now");
    let shown = surgery.json([
        "record",
        "control",
        &other,
        "hand-over",
        "Ada",
        "--as",
        "patient",
    ]);
    assert_eq!(
        shown["controllers"].as_array().map(Vec::len),
        Some(1),
        "{shown}"
    );
    surgery
        .kith(["add", &other, "note", "Nobody may"])
        .ended(13);
    until("the patient controls the other record too", || {
        patient.show(&other)["control"][0]["is_us"] == true
    });
    patient.note(&other, "Mine too");
    patient.verify(&record);
    surgery.verify(&record);
}

#[test]
fn an_allowed_ambulance_opens_a_record_in_an_emergency_and_another_does_not() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let ambulance = Node::set_up("North Ambulance", "ambulance");
    let stranger = Node::set_up("Hill Rescue", "ambulance");
    let record = surgery.import(&sample("ips.json"));
    surgery.note(&record, "Key under the pot");
    let other = surgery.json(["record", "new", "--family", "Quince"]);
    let other = other["record"].as_str().expect("a record").to_owned();
    let (_surgery_runs, _ambulance_runs, _stranger_runs) =
        (surgery.running(), ambulance.running(), stranger.running());
    for crew in [&ambulance, &stranger] {
        crew.join(&surgery.share(&other, "identity", "daily-care"));
    }
    let allow = [
        "record",
        "emergency",
        &record,
        "--allow",
        "North Ambulance",
        "--secret",
    ];
    let allowed = surgery.json(allow);
    let page = allowed["link"].as_str().expect("a link").to_owned();
    until("the ambulance can find the person", || {
        ambulance
            .json(["record", "list"])
            .to_string()
            .contains(&record)
    });
    assert!(!holds(&ambulance, &record, "Key under the pot"));
    let open = |what| {
        [
            ["record", "emergency-open", what],
            ["--reason", "Fell at home", "--json"],
        ]
        .concat()
    };
    let opened = ambulance.kith(open(record.as_str())).done().json();
    assert_eq!(opened["state"], "open", "{opened}");
    until("the record is there", || {
        holds(&ambulance, &record, "Key under the pot")
    });
    until("the surgery is told", || {
        surgery.json(["status"])["problems"]
            .to_string()
            .contains("Fell at home")
    });
    surgery.kith(["status", "--check"]).ended(4);

    // One that is not named has nothing to open; with the code of the page it does.
    stranger.kith(open(record.as_str())).ended(1);
    stranger.kith(open(page.as_str())).done();
    until("the stranger has the record", || {
        holds(&stranger, &record, "Key under the pot")
    });
    until("the surgery is told of both", || {
        surgery
            .json(["review", &record])
            .to_string()
            .matches("Fell at home")
            .count()
            == 2
    });
    let opened = surgery.json(["record", "emergency", &record])["opened"].clone();
    for one in opened.as_array().into_iter().flatten() {
        let id = one["id"].as_str().expect("an id");
        surgery.json(["review", &record, "seen", id]);
    }
    surgery.kith(["status", "--check"]).ended(0);
    let looked = surgery.json(["who-looked", &record]).to_string();
    assert!(looked.contains("Hill Rescue"), "{looked}");
    for node in [&surgery, &ambulance, &stranger] {
        node.verify(&record);
    }
}

#[test]
fn two_records_of_one_person_are_shown_together_and_taken_apart_again() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let born = |given| {
        let person = [
            "record",
            "new",
            "--family",
            "Quince",
            "--born",
            "1931-05-01",
            "--given",
        ];
        let made = surgery.json(person.into_iter().chain([given]));
        made["record"].as_str().expect("a record").to_owned()
    };
    let (first, second) = (born("Ada"), born("Adeline"));
    surgery.note(&second, "Told at the second desk");
    surgery.json(["record", "same", &first, &second]);
    let review = surgery.json(["review", &first]).to_string();
    assert!(
        review.contains("the same birth date") && review.contains(&second),
        "{review}"
    );
    surgery.json(["record", "same", &first, &second, "--confirm"]);
    let shown = surgery.show(&first);
    let joined = shown["joined"][0].to_string();
    assert!(
        joined.contains("Told at the second desk") && joined.contains(&second),
        "{joined}"
    );
    let shown = surgery.kith(["show", &first]).done().text();
    assert!(
        shown.contains("ANOTHER RECORD OF THE SAME PERSON"),
        "{shown}"
    );
    surgery.json(["record", "same", &second, &first, "--withdraw"]);
    assert_eq!(surgery.show(&first)["joined"], serde_json::json!([]));
    for record in [&first, &second] {
        surgery.verify(record);
    }
}
