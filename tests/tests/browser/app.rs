//! The page of `docs/build-on-kith.md` in a real browser: it asks, a person answers, it reads.

use std::sync::PoisonError;

use super::{TURN, begin, story::origin, tab::Tab};
use crate::sandbox::{Sandbox, examples, serve, served};

#[test]
fn the_example_page_reads_results_once_a_person_has_said_yes() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(browser) = begin() else { return };
    let file = examples().join("results.html");
    let (listener, url) = served(&file);
    serve(
        listener,
        std::fs::read_to_string(&file).expect("it is there"),
    );
    let sandbox = Sandbox::starts(&["--redirect", &url]);

    let mut tab = Tab::open(&browser, &origin(sandbox.word("pages")));
    tab.go(sandbox.word("pages"));
    tab.until("the pages", |tab| !tab.path().contains("/enter"));
    tab.go(&url);
    tab.value(&format!(
        "(() => {{ const form = document.getElementById('ask'); form.iss.value = {:?}; form.client.value = {:?}; form.requestSubmit(); }})()",
        sandbox.word("fhir"),
        sandbox.word("client_id"),
    ));
    // There may be no page at all for a moment.
    tab.until("who asks", |tab| {
        let text = tab.text("(document.body || {}).innerText || ''");
        text.contains("asks for a share")
    });
    tab.press("See what it asks for");
    assert!(tab.says("May An app in a browser read a record?"));
    tab.value("document.querySelector('input[name=record]').click()");
    tab.press("Yes, share this with An app in a browser");
    tab.until("the results", |tab| {
        tab.path() == "/results.html"
            && tab
                .text("document.getElementById('said').textContent")
                .ends_with("results")
    });
    let results =
        tab.list("[...document.querySelectorAll('#results li')].map((line) => line.textContent)");
    assert!(!results.is_empty(), "the sandbox has results");

    // The same page from elsewhere is nobody's.
    let (listener, elsewhere) = served(&file);
    serve(
        listener,
        std::fs::read_to_string(&file).expect("it is there"),
    );
    tab.go(&elsewhere);
    let asked = format!(
        "fetch({:?}).then(() => 'answered', () => 'refused')",
        format!("{}/metadata", sandbox.word("fhir"))
    );
    assert_eq!(tab.text(&asked), "refused");
    tab.go(&url);
    assert_eq!(tab.text(&asked), "answered");
}
