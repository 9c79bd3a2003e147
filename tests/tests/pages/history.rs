//! The versions of a thing, each with who wrote it and what it made different.

use super::Surgery;
use crate::harness::pages::Page;

/// The page of the first medicine, and of its versions.
fn medicine(surgery: &Surgery) -> (String, String) {
    let list = surgery.visitor.page(&surgery.page("/part/medicines"));
    let links = list.links().into_iter();
    let thing = links.into_iter().find(|link| link.contains("/thing/"));
    let thing = thing.expect("a medicine");
    let versions = surgery.visitor.page(&thing).links().into_iter();
    let versions = versions.into_iter().find(|link| link.ends_with("/history"));
    (thing, versions.expect("a way to its versions"))
}

fn change(surgery: &Surgery, thing: &str, words: &[&str]) {
    let id = thing.rsplit('/').next().expect("an id");
    let change = ["change", &surgery.record, id];
    surgery.node.json(change.iter().chain(words));
}

/// Its versions as text, the newest first.
fn versions(page: &Page) -> Vec<String> {
    let text = page.answer.text();
    let parts = text.split("Version ").skip(1);
    parts.map(str::to_owned).collect()
}

#[test]
fn who_wrote_which_version_and_what_it_made_different_is_on_a_page() {
    let surgery = Surgery::open();
    let nurse = ["staff", "add", "Nurse Ada", "--role", "nurse"];
    surgery.node.json(nurse);
    let (thing, path) = medicine(&surgery);
    let first = versions(&surgery.visitor.page(&path));
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0].contains("wrote it"), "{first:?}");

    change(&surgery, &thing, &["--dose", "two tablets at night"]);
    let by_nurse = ["--dose", "one tablet at night", "--as", "Nurse Ada"];
    change(&surgery, &thing, &by_nurse);
    let all = versions(&surgery.visitor.page(&path));
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(
        all[0].contains("by Riverside Surgery (Nurse Ada)"),
        "{all:?}"
    );
    assert!(all[1].contains("by Riverside Surgery") && !all[1].contains("Nurse Ada"));
    // Both sides of a change, and no word of what stays as it was.
    assert!(all[0].contains("two tablets at night") && all[0].contains("one tablet at night"));
    assert!(!all[1].contains("one tablet at night"), "{all:?}");
    assert!(!all[0].contains("Subject"), "{all:?}");
    assert!(all[2].contains("Subject"), "{all:?}");

    change(
        &surgery,
        &thing,
        &["--mistake", "another patient's tablets"],
    );
    let all = versions(&surgery.visitor.page(&path));
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(
        all[0].contains("said that it was entered in error")
            && all[0].contains("another patient's tablets"),
        "{all:?}"
    );
    assert!(!all[1].contains("entered in error"), "{all:?}");
}

#[test]
fn versions_of_what_is_not_here_are_said_not_to_be() {
    let surgery = Surgery::open();
    let (thing, _) = medicine(&surgery);
    let other = format!("{}x/history", &thing[..thing.len() - 1]);
    surgery
        .visitor
        .get(&other)
        .is(409)
        .says("nothing here by that name");
}
