//! Orders and reports, in any order of arrival, to everybody who shares the record.

use serde_json::Value;

use super::{Hospital, message, now};
use crate::harness::{Node, until};

fn resources(node: &Node, record: &str, kind: &str) -> Vec<Value> {
    let text = String::from_utf8_lossy(&node.ndjson(record)).into_owned();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|line: &Value| line["resourceType"] == kind)
        .collect()
}

#[test]
fn a_report_that_comes_before_its_order_is_linked_and_reaches_the_surgery() {
    let hospital = Hospital::listens();
    let mut sender = hospital.sender();
    sender.sends(message("ADT^A28", "1", &now(), &[]));
    let record = hospital.record("1");
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let _running = surgery.running();
    hospital.node.shares_all_with(&surgery, &record);

    let report = |id: &str, value: &str, status: &str| {
        let obr = format!(
            "OBR|1|P1^GP|F1^LAB|2823-3^Potassium^LN|||{}||||||||||||||||||{status}",
            now()
        );
        let obx =
            format!("OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L^^UCUM|3.5-5.3|H|||{status}");
        message("ORU^R01", id, &now(), &[&obr, &obx])
    };
    assert_eq!(sender.sends(report("2", "6.10", "F")), "AA");
    let order = message(
        "OML^O21",
        "3",
        &now(),
        &["ORC|NW|P1^GP", "OBR|1|P1^GP||2823-3^Potassium^LN"],
    );
    assert_eq!(sender.sends(order), "AA");
    assert_eq!(
        sender.sends(report("4", "4.10", "C")),
        "AA",
        "it was haemolysed"
    );
    for id in ["2", "3", "4"] {
        assert_eq!(hospital.record(id), record);
    }
    let orders = resources(&hospital.node, &record, "ServiceRequest");
    let reports = resources(&hospital.node, &record, "DiagnosticReport");
    let results = resources(&hospital.node, &record, "Observation");
    assert_eq!(
        (orders.len(), reports.len(), results.len()),
        (1, 1, 1),
        "the correction is no second result"
    );
    assert_eq!(results[0]["valueQuantity"]["value"].to_string(), "4.10");
    assert_eq!(results[0]["status"], "corrected");
    let based_on = &reports[0]["basedOn"][0];
    assert_eq!(based_on["identifier"]["value"], "P1");
    assert!(
        based_on["reference"]
            .as_str()
            .is_some_and(|url| url.starts_with("urn:uuid:"))
    );
    until("the surgery has the corrected result", || {
        let results = resources(&surgery, &record, "Observation");
        // Digit by digit: 4.1 is another result.
        let values: Vec<_> = results
            .iter()
            .map(|result| result["valueQuantity"]["value"].to_string())
            .collect();
        values.iter().any(|value| value == "4.10")
    });
    assert_eq!(surgery.digest(&record), hospital.node.digest(&record));
}
