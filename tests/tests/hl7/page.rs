//! Messages in the pages of an organisation.

use super::{Hospital, message, now};

#[test]
fn a_message_that_waits_is_looked_at_and_filed_in_the_pages() {
    let hospital = Hospital::listens();
    let visitor = hospital.node.visited();
    visitor.page("/messages").says("Nothing waits.");
    let mut sender = hospital.sender();
    sender.sends(message("ADT^A28", "1", &now(), &[]));
    let record = hospital.record("1");
    let nobody = "MSH|^~\\&|LAB|RXH|KITH|GP|2026||ORU^R01|2|P|2.5\rPID|1||||<b>Penn</b>^Ada\rOBR|1||F1|1^Test\rOBX|1|NM|2823-3^Potassium^LN||6.10|mmol/L|||||F";
    assert_eq!(sender.sends(nobody), "AA");
    let waits = hospital.message("2");
    let path = format!("/messages/{}", waits["number"]);
    let list = visitor.page("/messages").says("needs a person");
    assert!(list.links().contains(&path));
    let page = visitor.page(&path).says("6.10").says("<b>Penn</b>");
    let filed = page
        .form("File it there")
        .with("record", &record)
        .press(&visitor, "File it there");
    filed.says("The message stands in the record now.");
    assert_eq!(hospital.record("2"), record);
}
