//! What keeps a page from being the whole truth stands on every page where it matters, and where the
//! command line shows a record: a letter that came late, a first sync that is not at its end, a
//! source that is not reached.

use std::process::Stdio;

use serde_json::json;

use super::Surgery;
use crate::harness::{Node, incompressible, sample, text, until};

/// The pages of a record.
const PAGES: [&str; 13] = [
    "",
    "/part/medicines",
    "/timeline",
    "/to-do",
    "/rules",
    "/plans",
    "/add",
    "/forms",
    "/review",
    "/sharing",
    "/who-looked",
    "/emergency",
    "/download",
];
const LATE: &str = "days later";
const AWAY: &str = "Not connected now: Riverside Surgery";
const COMING: &str = "Not everything has come yet from Riverside Surgery";

#[test]
fn what_came_late_says_so_wherever_it_is_shown() {
    let surgery = Surgery::open();
    let of = |kind: &str, more: serde_json::Value| {
        let mut resource = json!({
            "resourceType": kind,
            "subject": {"reference": "Patient/x"},
        });
        let more = more.as_object().expect("members").clone();
        resource.as_object_mut().expect("members").extend(more);
        resource
    };
    let letter = of(
        "DocumentReference",
        json!({
            "status": "current",
            "date": "2024-02-03T10:00:00Z",
            "description": "Letter of the memory clinic",
            "content": [{"attachment": {"contentType": "text/plain", "title": "memory.txt", "data": "RGVhciBjb2xsZWFndWU="}}],
        }),
    );
    let condition = of(
        "Condition",
        json!({
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "recordedDate": "2024-02-03",
            "code": {"text": "Memory loss"},
        }),
    );
    for (name, resource) in [("letter.json", &letter), ("condition.json", &condition)] {
        let file = surgery.node.file(name, resource.to_string());
        surgery
            .node
            .json(["import", text(&file), "--record", &surgery.record]);
    }
    for path in ["", "/part/letters", "/timeline", "/emergency"] {
        surgery.visitor.page(&surgery.page(path)).says(LATE);
    }
    let list = surgery.visitor.page(&surgery.page("/part/letters"));
    let things = list.links().into_iter();
    let pages = things
        .filter(|link| link.contains("/thing/"))
        .map(|thing| surgery.visitor.page(&thing));
    let mut late = pages.filter(|page| page.answer.text().contains("Letter of the memory clinic"));
    late.next().expect("the letter's own page").says(LATE);
}

/// A surgery with a record of some megabytes.
fn surgery() -> (Node, String) {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let record = surgery.import(&sample("ips.json"));
    for n in 0..6 {
        let file = surgery.file("letter.bin", incompressible(400_000 + n));
        surgery.json(["add", &record, "letter", text(&file)]);
    }
    (surgery, record)
}

#[test]
fn a_source_that_is_not_reached_stands_on_every_page_of_a_record() {
    let (surgery, record) = surgery();
    let mut runs = surgery.running();
    let laptop = Node::set_up("Sam's laptop", "person");
    let _laptop_runs = laptop.running();
    surgery.shares_all_with(&laptop, &record);
    let visitor = laptop.visited();
    let to_do = format!("/r/{record}/to-do");
    // What came is told there with how long it took, once it is all here.
    visitor.until_it_says(&to_do, "Up to date").says(LATE);
    let said = laptop.kith(["show", &record]).done().text();
    assert!(!said.contains(AWAY) && !said.contains(COMING), "{said}");
    for path in PAGES {
        let text = visitor.page(&format!("/r/{record}{path}")).answer.text();
        assert!(
            !text.contains(AWAY) && !text.contains(COMING),
            "{path}: {text}"
        );
    }
    runs.kill();
    visitor.until_it_says(&format!("/r/{record}"), AWAY);
    let said = laptop.kith(["show", &record]).done().text();
    assert!(said.contains(AWAY), "{said}");
    let shown = laptop.show(&record);
    assert_eq!(shown["away"][0]["name"], "Riverside Surgery");
    assert_eq!(shown["coming"], json!([]));
    for path in PAGES {
        visitor
            .page(&format!("/r/{record}{path}"))
            .says(AWAY)
            .says("There may be something newer");
    }
}

/// So often it is tried to end the first sync in its middle.
const TRIES: usize = 6;

#[test]
fn a_first_sync_that_is_not_at_its_end_stands_on_every_page_of_a_record() {
    let (surgery, record) = surgery();
    let address = crate::harness::free_address();
    for n in 0..TRIES {
        let mut runs = surgery.running_at(["--listen", &address]);
        let laptop = Node::set_up(&format!("Laptop {n}"), "person");
        let _laptop_runs = laptop.running();
        let visitor = laptop.visited();
        let link = surgery.share(&record, "all", "all");
        let mut joining = laptop
            .command(["--json", "join", "--link", &link, "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("kith can be started");
        until("something of the record is here", || {
            visitor.get(&format!("/r/{record}")).status == 200
        });
        runs.kill();
        let is_partial = visitor
            .page(&format!("/r/{record}"))
            .answer
            .text()
            .contains(COMING);
        if is_partial {
            let said = laptop.kith(["show", &record]).done().text();
            assert!(said.contains(COMING), "{said}");
            assert_eq!(laptop.show(&record)["coming"], json!(["Riverside Surgery"]));
        }
        for path in PAGES.iter().filter(|_| is_partial) {
            let path = format!("/r/{record}{path}");
            visitor.page(&path).says(COMING);
        }
        // It may have ended by itself.
        let _ended = joining.kill();
        let _status = joining.wait();
        if is_partial {
            let _runs = surgery.running_at(["--listen", &address]);
            until("everything has come", || {
                let text = visitor.page(&format!("/r/{record}")).answer.text();
                !text.contains(COMING) && text.contains("Up to date")
            });
            return;
        }
    }
    panic!("the first sync was never ended in its middle");
}
