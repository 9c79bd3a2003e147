//! What comes to a page that is open by itself: that something has become late, and how far a file is
//! that is brought in.

use std::sync::PoisonError;

use serde_json::json;

use super::{TURN, begin, story::origin, tab::Tab};
use crate::{
    harness::{Node, sample},
    pages::late::in_seconds,
};

#[test]
fn what_becomes_late_and_what_is_brought_in_come_to_an_open_page() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(browser) = begin() else { return };
    let node = Node::set_up("Riverside Surgery", "practice");
    let record = node.import(&sample("ips.json"));
    let _runs = node.running();
    let link = node.link();
    let mut tab = Tab::open(&browser, &origin(&link));
    tab.go(&link);
    tab.until("the pages", |tab| !tab.path().contains("/enter"));
    becomes_late(&node, &mut tab, &record);
    is_brought_in(&node, &mut tab);
    let wrong = tab.wrong();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// It turns loud where it stands, while somebody types.
fn becomes_late(node: &Node, tab: &mut Tab, record: &str) {
    let to_do = format!("/r/{record}/to-do");
    let task = ["add", record, "task", "Ring the daughter", "--by"];
    node.json(task.into_iter().chain([in_seconds(6).as_str()]));
    tab.go(&to_do);
    assert!(tab.says("Ring the daughter") && !tab.says("Late since"));
    tab.value("window.__same = true");
    tab.fill("What everybody has to know", "drinks thick");
    tab.until("it is late", |tab| tab.says("Late since"));
    assert_eq!(tab.value("window.__same"), true, "it was not loaded anew");
    assert!(tab.says("1 late") && tab.says("has passed just now"));
    let typed = "document.getElementById('field-basic').value";
    assert_eq!(tab.text(typed), "drinks thick");
    // Without a script it is late on the next load.
    tab.with_script(false);
    tab.go(&to_do);
    assert!(tab.says("Late since"));
    tab.with_script(true);
}

/// The page says by itself how far it is, and that it is done.
fn is_brought_in(node: &Node, tab: &mut Tab) {
    let entries: Vec<_> = (0..400)
        .map(|n| {
            json!({"resource": {
                "resourceType": "Patient",
                "id": format!("p{n}"),
                "name": [{"family": format!("Okoro{n}"), "given": ["Ada"]}],
                "birthDate": "1950-01-31",
            }})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    let file = node.file("many.json", bundle.to_string());
    tab.go("/records/new");
    tab.choose("files", &file);
    tab.press("Bring in");
    assert!(tab.path().starts_with("/brought/"), "{}", tab.path());
    tab.until("it is done", |tab| {
        let done =
            "!!document.body && document.body.innerText.includes('All of it was read and filed.')";
        tab.looked(done)
    });
}
