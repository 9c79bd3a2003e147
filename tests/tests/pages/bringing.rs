//! Files that are brought in on a page: it answers at once, says how far it is and what came of it, and
//! says so still when the node was stopped in the middle.

use serde_json::{Value, json};

use super::Surgery;
use crate::harness::{
    Node,
    pages::{Visitor, multipart},
    until,
};

const DONE: &str = "All of it was read and filed.";
/// So many people need several steps.
const PEOPLE: usize = 240;

/// A file about so many people, each with a reading.
fn file(people: usize, family: &str) -> Vec<u8> {
    let mut entries = Vec::new();
    for n in 0..people {
        let patient = format!("urn:uuid:00000000-0000-4000-8000-{n:012}");
        entries.push(json!({"fullUrl": patient, "resource": {
            "resourceType": "Patient",
            "name": [{"family": format!("{family}{n}"), "given": ["Ada"]}],
            "birthDate": format!("19{:02}-0{}-1{}", n % 90 + 10, n % 9 + 1, n % 10),
        }}));
        entries.push(
            json!({"fullUrl": format!("urn:uuid:10000000-0000-4000-8000-{n:012}"), "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "Pulse"},
                "subject": {"reference": patient},
                "effectiveDateTime": "2026-05-03T10:00:00Z",
                "valueQuantity": {"value": 60 + n % 40, "unit": "/min"},
            }}),
        );
    }
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    bundle.to_string().into_bytes()
}

/// Sends a file, and gives the address of the page to which it leads.
#[track_caller]
fn send(visitor: &Visitor, name: &str, file: &[u8]) -> String {
    let token = visitor.token("/records/new");
    let (kind, body) = multipart(&[("form", &token)], &[("files", name, file)]);
    let answer = visitor.send("/import", &kind, &body).is(303);
    answer.header("location").expect("a page").to_owned()
}

fn records(node: &Node) -> usize {
    let list = node.json(["record", "list"]);
    list["records"].as_array().map_or(0, Vec::len)
}

#[test]
fn the_page_answers_at_once_says_how_far_it_is_and_is_found_again() {
    let surgery = Surgery::open();
    let visitor = &surgery.visitor;
    let before = records(&surgery.node);
    let first = send(visitor, "many.json", &file(PEOPLE, "Many"));
    let second = send(visitor, "few.json", &file(2, "Few"));
    assert_ne!(first, second);
    // It can be left, and stands in a list.
    let list = visitor.page("/records/new").links();
    assert!(list.contains(&"/brought".to_owned()), "{list:?}");
    let list = visitor.page("/brought").says("many.json").says("few.json");
    assert!(list.links().contains(&first) && list.links().contains(&second));
    let page = visitor
        .until_it_says(&first, DONE)
        .says("Brought in many.json");
    assert!(page.links().iter().any(|link| link.starts_with("/r/")));
    visitor.until_it_says(&second, DONE);
    assert_eq!(records(&surgery.node), before + PEOPLE + 2);
    // Once more: everything is here already.
    let again = send(visitor, "many.json", &file(PEOPLE, "Many"));
    visitor.until_it_says(&again, DONE).says("here already");
    assert_eq!(records(&surgery.node), before + PEOPLE + 2);
}

#[test]
fn a_second_file_waits_its_turn() {
    let surgery = Surgery::open();
    let visitor = &surgery.visitor;
    let first = send(visitor, "many.json", &file(PEOPLE * 3, "Many"));
    let second = send(visitor, "few.json", &file(1, "Few"));
    let mut waited = false;
    until("the second is done", || {
        let other = visitor.page(&second).answer.text();
        let goes_on = visitor.page(&first).answer.text().contains("Bringing in");
        waited |= other.contains("waits its turn");
        assert!(!(goes_on && other.contains(DONE)), "it did not wait");
        other.contains(DONE)
    });
    assert!(waited, "nobody saw it wait");
    visitor.page(&first).says(DONE);
}

#[test]
fn what_cannot_be_read_is_told_plainly_and_nothing_is_filed() {
    let surgery = Surgery::open();
    let visitor = &surgery.visitor;
    let before = records(&surgery.node);
    let path = send(visitor, "strange.json", b"{\"resourceType\": 3");
    let page = visitor.until_it_says(&path, "Not brought in");
    let text = page.answer.text();
    assert!(text.contains("strange.json is not JSON"), "{text}");
    assert!(
        !text.contains("passing-") && !text.contains("kith import"),
        "{text}"
    );
    assert_eq!(records(&surgery.node), before);
    let token = visitor.token("/records/new");
    let (kind, body) = multipart(&[("form", &token)], &[]);
    let none = visitor.send("/import", &kind, &body);
    none.is(400).says("No file was chosen.");
    visitor
        .get("/brought/99")
        .is(409)
        .says("nothing here by that number");
}

#[test]
fn a_node_that_was_stopped_says_what_was_filed_and_the_rest_is_brought_in_again() {
    let mut surgery = Surgery::open();
    let before = records(&surgery.node);
    let many = file(PEOPLE * 4, "Many");
    let path = send(&surgery.visitor, "many.json", &many);
    until("some of it is filed", || {
        let text = surgery.visitor.page(&path).answer.text();
        assert!(!text.contains(DONE), "it was done too soon: {text}");
        text.contains("Filed so far")
            && !text.contains("of 0 of")
            && records_named(&surgery.visitor, &path) > 0
    });
    surgery.runs.kill();
    surgery.runs = surgery.node.running();
    let visitor = surgery.node.visited();
    let page = visitor
        .page(&path)
        .says("This node was stopped before all was done");
    let here = records(&surgery.node) - before;
    let said = page.answer.text();
    let filed: usize = said
        .split("what it says of ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("how much is said: {said}"));
    assert!(
        filed > 0 && filed <= here && here < PEOPLE * 4,
        "{filed} {here}"
    );
    for record in page
        .links()
        .iter()
        .filter(|link| link.starts_with("/r/"))
        .take(3)
    {
        visitor.page(record).says("Summary");
    }
    let again = send(&visitor, "many.json", &many);
    visitor.until_it_says(&again, DONE);
    assert_eq!(records(&surgery.node), before + PEOPLE * 4);
    visitor
        .page(&path)
        .says("This node was stopped before all was done");
}

fn records_named(visitor: &Visitor, path: &str) -> usize {
    let links = visitor.page(path).links().into_iter();
    links.filter(|link| link.starts_with("/r/")).count()
}

#[test]
fn what_is_kept_of_it_is_no_ones_but_the_node_s_own() {
    let surgery = Surgery::open();
    let path = send(&surgery.visitor, "few.json", &file(2, "Fewest"));
    surgery.visitor.until_it_says(&path, DONE);
    let left: Vec<Value> = std::fs::read_dir(surgery.node.home())
        .expect("a folder")
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().to_string_lossy().into_owned();
            name.starts_with("passing-").then(|| name.into())
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
