//! Looking changes nothing but the log of who looked.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::Surgery;
use crate::harness::Node;

/// What a node holds and has decided, without the log of who looked.
fn state(node: &Node, record: &str) -> Vec<Value> {
    let commands: [&[&str]; 6] = [
        &["record", "list"],
        &["sharing", record],
        &["review"],
        &["staff", "list"],
        &["devices", "list"],
        &["record", "emergency", record],
    ];
    let mut state: Vec<_> = commands.iter().map(|words| node.json(*words)).collect();
    state.push(node.digest(record).into());
    state.push(node.show(record)["envelopes"].clone());
    state
}

#[test]
fn every_page_can_be_looked_at_and_nothing_changes() {
    let surgery = Surgery::open();
    let Surgery {
        node,
        record,
        visitor,
        ..
    } = &surgery;
    node.json(["staff", "add", "Nurse Ada", "--role", "nurse"]);
    let shared = node.json(["share", record, "--see", "all", "--until", "2099-12-31"]);
    let invitation = shared["invitation"].as_str().expect("an id");
    let before = state(node, record);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut next = VecDeque::from(["/".to_owned(), format!("/invitations/{invitation}")]);
    while let Some(path) = next.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = visitor.page(&path);
        let status = page.answer.status;
        // Where forms are sent to and nothing is shown.
        assert!(
            status < 400 || status == 405,
            "{path}: {}",
            page.answer.text()
        );
        let kind = page.answer.header("content-type").unwrap_or_default();
        if kind.starts_with("text/html") {
            next.extend(page.links());
            next.extend(page.forms().into_iter().map(|form| form.action));
        }
        seen.insert(page.path);
    }
    // Addresses to which forms are sent do nothing for whoever only looks.
    for path in ["/leave", "/import", "/devices/retire", "/staff/end"] {
        assert_eq!(visitor.get(path).status, 405, "{path}");
    }
    assert!(seen.len() > 30, "{seen:?}");
    assert_eq!(state(node, record), before);
    let handover = node.json(["handover", record]);
    assert!(
        handover["since"].is_null(),
        "a look is no handover that was read"
    );
}
