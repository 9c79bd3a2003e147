//! A form in a browser without a script.

use super::{Surgery, weight_form};
use crate::harness::Node;

const BUTTON: &str = "Sign and file the answers";

fn form_path(node: &Node, record: &str) -> String {
    let list = node.json(["form", "list"]);
    let id = list["forms"][0]["id"].as_str().expect("an id");
    format!("/r/{record}/form/{id}")
}

#[test]
fn a_form_is_filled_in_on_a_page_with_sources_beside_the_answers() {
    let surgery = Surgery::opens();
    surgery.keeps(&weight_form());
    let Surgery { node, record } = &surgery;
    node.json(["add", record, "reading", "weight", "71.50"]);
    let path = form_path(node, record);
    let _runs = node.running();
    let visitor = node.visited();
    visitor
        .page(&format!("/r/{record}/add"))
        .says("Fill in a form");
    visitor
        .page(&format!("/r/{record}/forms"))
        .says("Weight at home");
    let page = visitor.page(&path).says("as Riverside Surgery says");
    let form = page.form(BUTTON);
    assert_eq!(form.value("answer.weight"), "71.50 kg");
    assert_eq!(form.value("answer.born"), "1950-01-31");

    // What does not fit is said at its field, and what was typed stays there.
    let again = form
        .clone()
        .with("answer.weight", "heavy")
        .press(&visitor, BUTTON)
        .says("Nothing was filed yet")
        .says("is not a number");
    assert_eq!(again.form(BUTTON).value("answer.weight"), "heavy");
    assert!(surgery.lines("forms").is_empty());

    again
        .form(BUTTON)
        .with("answer.weight", "70.20")
        .with("answer.clothes", "no")
        .press(&visitor, BUTTON)
        .says("The answers are in the record");
    let exported = String::from_utf8(node.ndjson(record)).expect("text");
    assert!(exported.contains("\"value\":70.20"), "{exported}");
    assert!(exported.contains("urn:kith:answered-from"), "{exported}");
    assert!(
        surgery
            .lines("forms")
            .iter()
            .any(|line| line["text"] == "Answers: Weight at home")
    );
}

#[test]
fn what_the_record_says_since_is_shown_before_anything_is_filed() {
    let surgery = Surgery::opens();
    surgery.keeps(&weight_form());
    let Surgery { node, record } = &surgery;
    node.json(["add", record, "reading", "weight", "71.50"]);
    let path = form_path(node, record);
    let _runs = node.running();
    let visitor = node.visited();
    let form = visitor.page(&path).form(BUTTON);
    node.json(["add", record, "reading", "weight", "65.00"]);
    let again = form
        .press(&visitor, BUTTON)
        .says("The record answers otherwise now");
    assert!(surgery.lines("forms").is_empty());
    again
        .form(BUTTON)
        .press(&visitor, BUTTON)
        .says("The answers are in the record");
}

#[test]
fn what_a_form_says_is_text() {
    let surgery = Surgery::opens();
    let mut form = weight_form();
    form["title"] = "<script>alert(1)</script>".into();
    form["item"][1]["text"] = "\"><img src=x onerror=alert(1)>".into();
    surgery.keeps(&form);
    let path = form_path(&surgery.node, &surgery.record);
    let _runs = surgery.node.running();
    let html = surgery.node.visited().page(&path).answer.html();
    assert!(
        !html.contains("<script>alert") && !html.contains("<img"),
        "{html}"
    );
}
