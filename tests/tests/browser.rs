//! The pages in a real browser: every page for both roles, in every light, on paper, with and
//! without a script, with keys alone; and hostile text in whatever others can fill.
//!
//! Where there is no Chromium these tests say loudly that they did not run (docs/ci.md).

mod app;
mod chromium;
mod hostile;
mod interfaces;
mod looks;
mod open_pages;
mod routes;
mod story;
mod tab;
mod visitors;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use self::{
    chromium::{Chromium, chromium},
    looks::{Looks, links},
    routes::{forgotten, shape},
    story::{Desk, Story},
    tab::Tab,
};

/// One browser at a time: a second one would only make the first slow.
static TURN: Mutex<()> = Mutex::new(());

/// So many addresses of one shape are looked at, such as things of a record, by whoever runs a node.
const EACH_MAX: usize = 6;
/// The same by others, who come to the same pages.
const EACH_MAX_OF_OTHERS: usize = 1;

fn begin() -> Option<Rc<RefCell<Chromium>>> {
    let program = chromium()?;
    Some(Rc::new(RefCell::new(Chromium::start(&program))))
}

#[test]
fn every_page_holds_for_everybody() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(browser) = begin() else { return };
    let began = Instant::now();
    let mut looks = Looks::begin();
    let mut story = Story::begin(&browser, &mut looks);
    story.meet(&mut looks);
    story.two_doses(&mut looks, &browser);
    story.falls(&mut looks);
    story.works(&mut looks);
    story.messages(&mut looks);
    story.apps(&mut looks);
    story.forms(&mut looks);
    let mut nurse = story.nurse_comes(&mut looks, &browser);
    let mut phone = story.phone_comes(&mut looks, &browser);
    story.daughter.tab.with_script(true);
    let Story {
        surgery,
        daughter,
        record,
        ..
    } = &mut story;
    for (role, tab, each_max) in [
        ("nurse", &mut nurse, EACH_MAX_OF_OTHERS),
        ("phone", &mut phone, EACH_MAX_OF_OTHERS),
        (surgery.role, &mut surgery.tab, EACH_MAX),
        (daughter.role, &mut daughter.tab, EACH_MAX),
    ] {
        walk(&mut looks, (role, each_max), tab, record);
    }
    story.they_leave(&mut looks, &mut nurse, &mut phone);
    never_none(&mut story.daughter, &story.record);
    emergency_sheet(&mut looks, &mut story.surgery, &story.record);
    looks.skips(&mut story.surgery.tab, "/records");
    story.stop(&mut looks);
    leave(&mut looks, &mut story.surgery);
    let left: Vec<_> = forgotten(&looks.seen);
    looks
        .wrong
        .extend(left.iter().map(|route| format!("nobody looked at {route}")));
    eprintln!(
        "{} pages, {} looks, {} shapes of addresses, {} s",
        looks.pages,
        looks.looks,
        looks.seen.len(),
        began.elapsed().as_secs()
    );
    looks.all_is_well();
}

/// Every page that links lead to from the beginning.
fn walk(looks: &mut Looks, (role, each_max): (&str, usize), tab: &mut Tab, record: &str) {
    let mut next = VecDeque::from(["/".to_owned(), format!("/r/{record}"), "/review".to_owned()]);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut each: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(path) = next.pop_front() {
        let is_file = path.contains("/file/") || path.ends_with("/download");
        if !known.insert(path.clone()) || (is_file && path.contains("/file/")) {
            continue;
        }
        let times = each.entry(shape(&path)).or_default();
        if *times >= each_max {
            continue;
        }
        *times += 1;
        looks.go(tab, role, &path);
        if role == "phone" {
            looks.only_shows(tab, &path);
        }
        next.extend(links(tab));
    }
}

/// Nothing that is not known to a node is said to be none.
fn never_none(desk: &mut Desk, record: &str) {
    for path in [
        "",
        "/emergency",
        "/plans",
        "/part/conditions",
        "/to-do",
        "/timeline",
    ] {
        desk.tab.go(&format!("/r/{record}{path}"));
        let text = desk.tab.text("document.body.innerText");
        let said = text.replace("not the same as none", "");
        let mut words = said.split(|c: char| !c.is_alphabetic());
        let none = words.find(|word| word.eq_ignore_ascii_case("none"));
        assert_eq!(none, None, "{path}: {text}");
        if !["/timeline", "/to-do"].contains(&path) {
            let said = ["Not known to this node", "Not shared with you"];
            assert!(
                said.iter().any(|said| text.contains(said)),
                "{path}: {text}"
            );
        }
    }
}

/// The emergency page is one sheet of A4.
fn emergency_sheet(looks: &mut Looks, desk: &mut Desk, record: &str) {
    desk.tab.go("/records");
    let records = links(&desk.tab).into_iter();
    for record in records.filter(|link| link.starts_with("/r/")) {
        desk.tab.go(&format!("{record}/emergency"));
        let name = format!(
            "the emergency page of {}",
            desk.tab.text("document.querySelector('.who').textContent")
        );
        looks.is_one_sheet(&desk.tab, &name);
    }
    desk.tab.go(&format!("/r/{record}/emergency"));
    desk.tab.press("Make an emergency page with a code");
    looks.is_one_sheet(&desk.tab, "the emergency page with a code");
}

fn leave(looks: &mut Looks, desk: &mut Desk) {
    desk.tab.go("/records");
    desk.tab.press("Close these pages");
    looks.at(&mut desk.tab, "surgery, closed");
    desk.tab.go("/records");
    looks.at(&mut desk.tab, "surgery, no session");
    desk.tab.go("/enter/0000");
    desk.tab.arrive();
    looks.at(&mut desk.tab, "surgery, a used link");
}
