//! The fall, told by the messages of a hospital's own system.

use serde_json::Value;

use super::{Hospital, message, now};
use crate::harness::{Node, until};

const RULES: &str = "\
on admission
  Social care: pause the morning visits, within 4 hours
on transfer
  Riverside Surgery: note the new ward, within 1 day
on discharge
  Community nurses: visit her at home, within 2 days
";

fn state(hospital: &Hospital, record: &str, what: &str) -> Option<String> {
    let list = hospital.node.json(["tasks", record, "--all"]);
    let tasks: Vec<Value> = list["tasks"].as_array().expect("tasks").clone();
    let mut found = tasks.iter().filter(|task| {
        task["what"]
            .as_str()
            .is_some_and(|said| said.contains(what))
    });
    let first = found.next()?;
    assert!(found.next().is_none(), "{what} is there once");
    first["state"].as_str().map(str::to_owned)
}

#[test]
fn an_admission_makes_its_tasks_and_what_is_taken_back_withdraws_them() {
    let hospital = Hospital::listens();
    let mut sender = hospital.sender();
    assert_eq!(sender.sends(message("ADT^A28", "1", &now(), &[])), "AA");
    let record = hospital.record("1");
    let file = hospital.node.file("rules.txt", RULES);
    let words = ["record", "rules", &record, "--set"].map(std::ffi::OsStr::new);
    hospital
        .node
        .kith(words.into_iter().chain([file.as_os_str()]))
        .done();

    let visit = |place: &str| format!("PV1|1|I|{place}||||||||||||||||V1^^^RXH");
    let is = |what: &str, expected: Option<&str>| {
        until(what, || {
            state(&hospital, &record, what).as_deref() == expected
        });
    };
    let mut tells = |kind: &str, id: &str, place: &str| {
        let told = message(kind, id, &now(), &[&visit(place), "PV2|||^Fall at home"]);
        assert_eq!(sender.sends(told), "AA", "{kind}");
        assert_eq!(hospital.record(id), record);
    };
    tells("ADT^A01", "2", "W3");
    is("pause the morning visits", Some("requested"));
    tells("ADT^A02", "3", "W7");
    is("note the new ward", Some("requested"));
    tells("ADT^A12", "4", "W3");
    is("note the new ward", Some("withdrawn"));
    is("pause the morning visits", Some("requested"));
    tells("ADT^A03", "5", "W3");
    is("visit her at home", Some("requested"));
    tells("ADT^A13", "6", "W3");
    is("visit her at home", Some("withdrawn"));
    is("pause the morning visits", Some("requested"));
    tells("ADT^A11", "7", "W3");
    is("pause the morning visits", Some("withdrawn"));
    hospital.node.verify(&record);
}

#[test]
fn who_was_given_a_part_of_a_record_files_that_part_of_a_message_and_says_what_it_leaves() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let hospital = Hospital::listens();
    let words = "record new --family Penn --given Ada --born 1941-02-03 --nhs-number 9434765919";
    let made = surgery.json(words.split(' '));
    let record = made["record"].as_str().expect("an id").to_owned();
    let _surgery_runs = surgery.running();
    let link = surgery.share(&record, "all", "encounters,tasks,letters");
    hospital.node.join(&link);

    let pid = "PID|1||9434765919^^^NHS^NH||Penn^Ada||19410203|F|||1 Mill Lane^^Riverside";
    let told = message(
        "ADT^A01",
        "1",
        &now(),
        &["PV1|1|I|W3", "PV2|||^Fall at home"],
    );
    let told = told.replace("PID|1||77^^^RXH^MR||Penn^Ada||19410203|F", pid);
    assert_eq!(hospital.sender().sends(told), "AA");
    assert_eq!(hospital.record("1"), record);
    let notes = hospital.message("1")["notes"].to_string();
    assert!(notes.contains("stays in the message"), "{notes}");
    until("the surgery has the stay", || {
        surgery.show(&record).to_string().contains("Fall at home")
    });
    let lines = String::from_utf8(surgery.ndjson(&record)).expect("UTF-8");
    let of_person = lines.lines().filter(|line| line.contains("\"Patient\""));
    assert!(of_person.clone().count() <= 1 && !lines.contains("Mill Lane"));
}
