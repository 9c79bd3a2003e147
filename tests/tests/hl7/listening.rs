//! What is answered, and what becomes of what was answered.

use std::fs;

use super::{Hospital, Sender, message, now, settled};
use crate::harness::{Node, until};

#[test]
fn every_message_has_the_answer_of_the_table_and_none_is_lost() {
    let hospital = Hospital::listens();
    let mut sender = hospital.sender();
    let admitted = message(
        "ADT^A01",
        "1",
        &now(),
        &["PV1|1|I|W3||||||||||||||||V1^^^RXH"],
    );
    assert_eq!(sender.sends(&admitted), "AA");
    assert_eq!(sender.sends(&admitted), "AA", "sent again");
    assert_eq!(sender.sends(admitted.replace("W3", "W4")), "AA");
    assert_eq!(
        sender.sends(message("SIU^S12", "2", &now(), &[])),
        "AA",
        "it waits"
    );
    assert_eq!(sender.sends("{\"no\": \"message\"}"), "AR");
    assert_eq!(
        sender.sends(
            &b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|3|P|2.5||||||UNICODE UTF-8\rPID|1||9||M\xfcller"[..]
        ),
        "AA"
    );
    assert_eq!(
        sender.sends(
            b"MSH|^~\\&|A|B|C|D|2026||ADT^A28|4|P|2.4||||||8859/1\rPID|1||9^^^X||M\xfcller^J\xf6rg"
        ),
        "AA"
    );
    // Enhanced mode: what is asked for, or AR with the reason.
    let enhanced = |id: &str, modes: &str| {
        format!(
            "MSH|^~\\&|ADT|RXH|KITH|GP|2026||ADT^A31|{id}|P|2.5|||{modes}\rPID|1||77^^^RXH^MR||Penn^Ada||19410203"
        )
    };
    assert_eq!(sender.sends(enhanced("5", "AL|NE")), "CA");
    assert_eq!(sender.sends(enhanced("6", "AL|AL")), "AA", "it says both");
    sender.begins(enhanced("7", "ER|NE").as_bytes());
    assert_eq!(
        sender.sends(enhanced("8", "XX|NE")),
        "AR",
        "nothing was said to number 7"
    );
    assert_eq!(
        sender.sends(enhanced("10", "NE|NE")),
        "AA",
        "or nobody would know"
    );
    // Other separators, other line ends.
    let odd =
        "MSH#*%!$#ADT#RXH#KITH#GP#2026##ADT*A31#9#P#2.3\nPID#1##77***RXH*MR##Penn*Ada##19410203\n";
    assert_eq!(sender.sends(odd), "AA");

    let states: Vec<_> = hospital
        .inbox()
        .into_iter()
        .map(|line| {
            (
                line["control_id"].as_str().unwrap_or_default().to_owned(),
                line["state"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let state = |id: &str| {
        let mut found: Vec<_> = states
            .iter()
            .filter(|(known, _)| known == id)
            .map(|(_, state)| state.as_str())
            .collect();
        found.sort_unstable();
        found
    };
    assert_eq!(
        state("1"),
        ["filed", "filed"],
        "the second with one value changed"
    );
    assert_eq!(state("2"), ["needs-person"]);
    assert_eq!(state(""), ["needs-person"], "what is no message");
    assert_eq!(
        state("3"),
        ["needs-person"],
        "another character set than it says"
    );
    for filed in ["4", "5", "6", "7", "9", "10"] {
        assert_eq!(state(filed), ["filed"], "{filed}");
    }
    assert_eq!(state("8"), ["needs-person"]);
    assert_eq!(hospital.record("9"), hospital.record("5"));
    let muller = hospital.record("4");
    let text = String::from_utf8_lossy(&hospital.node.ndjson(&muller)).into_owned();
    assert!(text.contains("Müller") && text.contains("Jörg"), "{text}");
    hospital.node.verify(&muller);
}

#[test]
fn broken_frames_are_answered_or_kept_and_what_follows_is_read() {
    let hospital = Hospital::listens();
    let mut sender = hospital.sender();
    let one = message("ADT^A28", "1", &now(), &[]);
    let two = message("ADT^A28", "2", &now(), &[]);
    // Without the byte before it.
    sender.raw(&[one.as_bytes(), b"\x1c\r"].concat());
    assert_eq!(sender.said(), "AR");
    // Broken off by the next one, in pieces, with what engines send between frames.
    sender.raw(b"\r\n\x0bMSH|^~\\&|ADT|RXH|KITH|GP|2026||ADT^A28|9|P|2.5\rPID|1||7");
    sender.raw(b"\x0b");
    assert_eq!(sender.said(), "AR");
    sender.raw(&two.as_bytes()[..20]);
    sender.raw(&two.as_bytes()[20..]);
    sender.raw(b"\x1c");
    sender.raw(b"\r");
    assert_eq!(sender.said(), "AA");
    // Two in one write.
    let three = two.replace("|2|P|", "|3|P|");
    sender.raw(
        &[
            b"\x0b",
            two.as_bytes(),
            b"\x1c\r\x0b",
            three.as_bytes(),
            b"\x1c\r",
        ]
        .concat(),
    );
    assert_eq!(
        (sender.said(), sender.said()),
        ("AA".to_owned(), "AA".to_owned())
    );
    let all = hospital.inbox();
    let waits = all.iter().filter(|line| line["state"] == "needs-person");
    assert_eq!((all.len(), waits.count()), (4, 2));
    // What was cut off with the connection was not acknowledged, and its sender has it.
    let mut other = hospital.sender();
    other.raw(b"\x0bMSH|^~\\&|ADT|RXH");
    drop(other);
    assert_eq!(hospital.sender().sends(&three), "AA");
    assert_eq!(hospital.inbox().len(), 4);
}

#[test]
fn a_person_says_whose_a_message_is() {
    let hospital = Hospital::listens();
    let mut sender = hospital.sender();
    sender.sends(message("ADT^A28", "1", &now(), &[]));
    let record = hospital.record("1");
    let nobody = "MSH|^~\\&|LAB|RXH|KITH|GP|2026||ORU^R01|2|P|2.5\rPID|1||||Penn^Ada\rOBR|1||F1|1^Test\rOBX|1|NM|2823-3^Potassium^LN||6.10|mmol/L|||||F";
    assert_eq!(sender.sends(nobody), "AA");
    let waits = hospital.message("2");
    assert_eq!(waits["state"], "needs-person");
    let number = waits["number"].to_string();
    let shown = hospital.node.json(["inbox", "show", &number]);
    let fields = shown["fields"]["fields"].as_array().expect("fields");
    assert!(
        fields
            .iter()
            .any(|field| field["place"] == "OBX-5" && field["said"] == "6.10")
    );
    hospital.node.kith(["inbox", "retry", &number]).ended(4);
    hospital
        .node
        .kith(["inbox", "link", &number, &record])
        .done();
    assert_eq!(hospital.record("2"), record);
    let text = String::from_utf8_lossy(&hospital.node.ndjson(&record)).into_owned();
    assert!(text.contains("\"value\":6.10"), "every digit: {text}");
    hospital.node.kith(["inbox", "show", "99"]).ended(1);
}

#[test]
fn a_dry_run_says_field_by_field_what_a_file_would_do_and_does_nothing() {
    let node = Node::set_up("Castlebridge", "hospital");
    let file = node.file(
        "a01.hl7",
        message(
            "ADT^A01",
            "1",
            &now(),
            &["PV1|1|I|W3||||||||||||||||V1^^^RXH", "ZZZ|1|own"],
        ),
    );
    let said = node.json(["explain".as_ref(), file.as_os_str()]);
    let message = &said["messages"][0];
    assert!(
        message["would"][0]
            .as_str()
            .is_some_and(|would| would.contains("begin a record"))
    );
    let fields = message["fields"].as_array().expect("fields");
    let read = |place: &str| {
        let field = fields.iter().find(|field| field["place"] == place);
        field.map(|field| field["read"].clone())
    };
    assert_eq!(read("PID-5"), Some(true.into()));
    assert_eq!(read("PV1-19"), Some(true.into()));
    assert_eq!(read("ZZZ-2"), Some(false.into()));
    assert_eq!(
        node.json(["inbox", "--all"])["messages"],
        serde_json::json!([])
    );
    let record = node.import(&file);
    let said = node.json(["explain".as_ref(), file.as_os_str()]);
    let would = said["messages"][0]["would"][0].to_string();
    assert!(would.contains(&record[..12]), "{would}");
}

#[test]
fn files_of_a_folder_go_to_done_or_to_waiting_with_the_reason() {
    let node = Node::set_up("Castlebridge", "hospital");
    let folder = node.beside("drop");
    fs::create_dir(&folder).expect("a folder");
    node.kith([
        "connect".as_ref(),
        "hl7".as_ref(),
        "--folder".as_ref(),
        folder.as_os_str(),
    ])
    .done();
    let _running = node.running();
    let batch = format!(
        "FHS|^~\\&|A\rBHS|^~\\&|A\r{}BTS|1\rFTS|1\r",
        message("ADT^A28", "1", &now(), &[])
    );
    fs::write(folder.join("good.hl7"), batch).expect("a file");
    fs::write(folder.join("odd.hl7"), message("SIU^S12", "2", &now(), &[])).expect("a file");
    fs::write(folder.join("none.hl7"), "nothing").expect("a file");
    until("the folder is empty", || {
        folder.join("done/good.hl7").exists()
            && folder.join("waiting/odd.hl7").exists()
            && folder.join("waiting/none.hl7").exists()
    });
    let why = |name: &str| {
        fs::read_to_string(folder.join(format!("waiting/{name}.reason.txt"))).expect("a reason")
    };
    assert!(why("odd.hl7").contains("SIU^S12"));
    assert!(why("none.hl7").contains("MSH"));
    assert_eq!(settled(&node).len(), 2);
}

#[test]
fn where_it_listens_is_set_while_it_runs_and_no_further_than_this_machine() {
    let node = Node::set_up("Castlebridge", "hospital");
    let _running = node.running();
    node.kith(["connect", "hl7", "--listen", "0.0.0.0:0"])
        .ended(13);
    node.json(["connect", "hl7", "--listen", "127.0.0.1:0"]);
    let mut at = String::new();
    until("it listens", || {
        let said = node.json(["connect"]);
        at = said["hl7"]["listen"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        said["hl7"]["listening"] == true
    });
    assert_eq!(
        Sender::to(&at).sends(message("ADT^A28", "1", &now(), &[])),
        "AA"
    );
    node.json(["connect", "hl7", "--off"]);
    until("nobody listens", || {
        std::net::TcpStream::connect(&at).is_err()
    });
}

#[test]
fn what_one_node_sends_the_other_files_and_what_is_refused_says_why() {
    let hospital = Hospital::listens();
    let laboratory = Node::set_up("Pathology", "laboratory");
    let to = hospital.running.hl7.clone().expect("it listens");
    let file = laboratory.file("out.hl7", message("ADT^A28", "1", &now(), &[]));
    let send = |to: &str| {
        let words = ["send", "hl7", "--to", to].map(std::ffi::OsStr::new);
        laboratory
            .kith(words.into_iter().chain([file.as_os_str()]))
            .done();
    };
    // Nobody is there, and it waits.
    send("127.0.0.1:9");
    let _running = laboratory.running();
    until("it says why it waits", || {
        let said = laboratory.json(["send"]);
        let reason = said["messages"][0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        reason.contains("127.0.0.1:9 does not answer")
    });
    send(&to);
    until("it was sent", || {
        laboratory.json(["send"])["messages"][1]["state"] == "sent"
    });
    assert_eq!(hospital.message("1")["state"], "filed");
    let odd = laboratory.file(
        "odd.hl7",
        "MSH|^~\\&|A|B|C|D|2026||ADT^A28|7|P|2.5|||XX|AL\rPID|1||7",
    );
    let words = ["send", "hl7", "--to", &to].map(std::ffi::OsStr::new);
    laboratory
        .kith(words.into_iter().chain([odd.as_os_str()]))
        .done();
    until("it says why it was refused", || {
        let said = laboratory.json(["send"]);
        let line = &said["messages"][2];
        line["state"] == "refused"
            && line["reason"]
                .as_str()
                .is_some_and(|why| why.contains("MSH-15"))
    });
}
