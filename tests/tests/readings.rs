//! Readings of devices on a real node: filed once, never changed, with their silences.

use serde_json::Value;

use crate::harness::{Node, text};

fn surgery() -> (Node, String) {
    let node = Node::set_up("Riverside Surgery", "practice");
    let made = node.json(["record", "new", "--family", "Penn", "--born", "1950-01-31"]);
    let record = made["record"].as_str().expect("an id").to_owned();
    (node, record)
}

fn import(
    node: &Node,
    record: &str,
    name: &str,
    lines: &str,
    device: &str,
) -> (Option<i32>, Value) {
    let file = node.file(name, lines);
    let ran = node.kith([
        "--json",
        "import",
        text(&file),
        "--record",
        record,
        "--device",
        device,
    ]);
    (ran.code, ran.json())
}

#[test]
fn readings_are_filed_once_by_device_and_id_and_silences_are_told() {
    let (node, record) = surgery();
    let mut lines = "time,what,value,unit,id\n".to_owned();
    for day in [1, 2, 3, 4, 5, 11, 12] {
        lines.push_str(&format!(
            "2026-05-{day:02}T08:00:00Z,weight,7{day}.50,kg,r{day}\n"
        ));
    }
    let (code, filed) = import(&node, &record, "readings.csv", &lines, "Bathroom scales");
    assert_eq!(
        (code, &filed["filed"]["monitoring"]),
        (Some(0), &7.into()),
        "{filed}"
    );
    let digest = node.digest(&record);
    let (code, again) = import(&node, &record, "readings.csv", &lines, "Bathroom scales");
    assert_eq!((code, &again["unchanged"]), (Some(0), &7.into()), "{again}");
    assert_eq!(node.digest(&record), digest, "nothing was written twice");

    let told = node.json(["record", "readings", &record]);
    let weight = &told["readings"][0];
    assert_eq!(
        (&weight["values"], &weight["every_s"]),
        (&7.into(), &86_400.into()),
        "{told}"
    );
    assert_eq!(weight["gaps"][0]["from"], "2026-05-05T08:00:00Z");
    assert_eq!(weight["gaps"][0]["missing"], 5);
    let told = node.json(["record", "readings", &record, "--every", "7d"]);
    assert_eq!(told["readings"][0]["gaps"], serde_json::json!([]));

    // The same ids of another device are other readings.
    let (_, other) = import(&node, &record, "readings.csv", &lines, "Surgery scales");
    assert_eq!(other["filed"]["monitoring"], 7, "{other}");
    let exported = String::from_utf8(node.ndjson(&record)).expect("text");
    assert!(exported.contains("\"value\":71.50"), "{exported}");
    node.verify(&record);
}

#[test]
fn bad_lines_are_named_and_the_others_are_filed() {
    let (node, record) = surgery();
    let first = r#"{"resourceType":"Observation","id":"1","status":"final","code":{"text":"pulse"},"effectiveDateTime":"2026-05-01T08:00:00Z","valueQuantity":{"value":62.0}}"#;
    let lines = format!("{first}\nnonsense\n{{\"resourceType\":\"Patient\"}}\n");
    let (code, filed) = import(&node, &record, "watch.ndjson", &lines, "Watch");
    assert_eq!(code, Some(3), "{filed}");
    assert_eq!(filed["filed"]["monitoring"], 1);
    let refused = filed["refused"].as_array().expect("refused");
    let said: Vec<_> = refused
        .iter()
        .map(|one| one["what"].as_str().unwrap_or_default())
        .collect();
    assert!(
        said[0].contains("line 2") && said[1].contains("line 3"),
        "{said:?}"
    );
    assert!(
        String::from_utf8(node.ndjson(&record))
            .expect("text")
            .lines()
            .any(|line| line == first)
    );

    // A reading is never changed: another value under its id is named.
    let changed = first.replace("62.0", "99");
    let (code, filed) = import(&node, &record, "watch.ndjson", &changed, "Watch");
    assert_eq!(code, Some(3), "{filed}");
    assert!(
        filed["refused"][0]["what"]
            .as_str()
            .is_some_and(|what| what.contains("never changed"))
    );
    assert!(
        !String::from_utf8(node.ndjson(&record))
            .expect("text")
            .contains("99")
    );
}

#[test]
fn what_is_no_table_is_refused_whole() {
    let (node, record) = surgery();
    let digest = node.digest(&record);
    for (name, lines) in [
        ("a.csv", "2026-05-01,weight,71\n"),
        ("b.csv", ""),
        ("c.csv", "\u{0}\u{1}"),
    ] {
        let file = node.file(name, lines);
        let ran = node.kith([
            "--json",
            "import",
            text(&file),
            "--record",
            &record,
            "--device",
            "x",
        ]);
        ran.ended(15);
    }
    let file = node.file("d.csv", "time,what,value\n");
    node.kith(["--json", "import", text(&file), "--device", "x"])
        .ended(2);
    assert_eq!(node.digest(&record), digest);
}
