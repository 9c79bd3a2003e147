//! Hostile text wherever a peer or a file can put some: it is shown as text, it runs nothing, and it
//! moves nothing about.

mod strings;

use std::{cell::RefCell, path::PathBuf, rc::Rc, sync::PoisonError, time::Instant};

use serde_json::{Value, json};

use self::strings::strings;
use super::{
    TURN, begin,
    chromium::Chromium,
    looks::links,
    story::origin,
    tab::{Light, Tab},
};
use crate::harness::{Node, Running, free_address, until};

/// What would be in a page if it were not taken out of it: marks that turn the direction of what
/// follows, and characters that no text has.
const NOT_SHOWN: &str = r#"(() => {
  const all = document.documentElement.outerHTML;
  const found = all.match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  return found ? ["it shows U+" + found[0].codePointAt(0).toString(16)] : [];
})()"#;

const LOOKS: &str = include_str!("looks.js");

const NARROW: Light = Light {
    width: 320,
    media: "light",
};

/// A file in which every member that people fill says something hostile.
fn file(node: &Node, name: &str, person: &str, texts: &[String]) -> PathBuf {
    let text = |n: usize| texts[n % texts.len()].clone();
    let patient = json!({
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": person, "given": [text(1), text(2)]}],
        "birthDate": "1950-01-31",
        "address": [{"text": text(3)}],
        text(4): {"text": text(5)},
    });
    let mut entries = vec![json!({"fullUrl": "urn:uuid:p", "resource": patient, text(6): text(7)})];
    for n in 0..texts.len() {
        let more = [
            medicine(n, &text),
            document(n, &text),
            condition(n, &text),
            reading(n, &text),
        ];
        let one = more[n % more.len()].clone();
        entries.push(json!({"fullUrl": format!("urn:uuid:r{n}"), "resource": one}));
    }
    for n in 0..8 {
        let allergy = json!({
            "resourceType": "AllergyIntolerance",
            "id": format!("a{n}"),
            "patient": {"reference": "urn:uuid:p"},
            "code": {"text": text(n * 23)},
            "note": [{"text": text(n * 23 + 1)}],
        });
        entries.push(json!({"fullUrl": format!("urn:uuid:a{n}"), "resource": allergy}));
    }
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    node.file(name, bundle.to_string())
}

fn div(text: &str) -> Value {
    json!({"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{text}</div>")})
}

fn medicine(n: usize, text: &impl Fn(usize) -> String) -> Value {
    json!({
        "resourceType": "MedicationStatement",
        "id": format!("r{n}"),
        "status": "active",
        "subject": {"reference": "urn:uuid:p"},
        "text": div(&text(n)),
        "medicationCodeableConcept": {"text": text(n), "coding": [{"system": text(n + 1), "code": "1", "display": text(n + 2)}]},
        "dosage": [{"text": text(n + 3)}],
        "note": [{"text": text(n + 4), "authorString": text(n + 5)}],
        text(n + 6): text(n + 7),
    })
}

fn document(n: usize, text: &impl Fn(usize) -> String) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "id": format!("r{n}"),
        "status": "current",
        "date": "2026-01-05T10:00:00Z",
        "subject": {"reference": "urn:uuid:p"},
        "type": {"text": text(n)},
        "description": text(n + 1),
        "author": [{"display": text(n + 2)}],
        "content": [{"attachment": {
            "contentType": text(n + 3),
            "title": text(n),
            "url": text(n + 4),
            "data": data_encoding::BASE64.encode(b"<script>window.__kithRan = 1</script>"),
        }}],
    })
}

fn condition(n: usize, text: &impl Fn(usize) -> String) -> Value {
    json!({
        "resourceType": "Condition",
        "id": format!("r{n}"),
        "subject": {"reference": "urn:uuid:p"},
        "clinicalStatus": {"text": text(n + 1)},
        "code": {"text": text(n)},
        "recordedDate": text(n + 2),
        "asserter": {"display": text(n + 3)},
        "text": div(&text(n + 4)),
    })
}

fn reading(n: usize, text: &impl Fn(usize) -> String) -> Value {
    json!({
        "resourceType": "Observation",
        "id": format!("r{n}"),
        "status": "final",
        "subject": {"reference": "urn:uuid:p"},
        "effectiveDateTime": "2026-01-05",
        "code": {"text": text(n)},
        "valueQuantity": {"value": 5, "unit": text(n + 1), "code": text(n + 2)},
        "performer": [{"display": text(n + 3)}],
        "interpretation": [{"text": text(n + 4)}],
    })
}

/// Two nodes whose names are hostile too, one of which shares with the other.
struct Town {
    host: Node,
    guest: Node,
    _run: [Running; 2],
}

impl Town {
    fn of(texts: &[String]) -> Self {
        let named = |needle: &str| {
            let mut texts = texts.iter();
            let found = texts.find(|text| text.contains(needle) && text.len() < 90);
            found.expect("there is one").clone()
        };
        let host = named_node(&named("<img"), "practice");
        let guest = named_node(&named("\u{202e}"), "ambulance");
        let run = [&host, &guest].map(|node| node.running_at(["--listen", &free_address()]));
        Self {
            host,
            guest,
            _run: run,
        }
    }
}

impl Town {
    /// The guest opens a record in an emergency, with reasons.
    fn opens(&self, record: &str, texts: &[String]) {
        let (host, guest) = (&self.host, &self.guest);
        let allowed = host.json(["record", "emergency", record, "--secret"]);
        let page = allowed["link"].as_str().expect("a link");
        let reasons = texts
            .iter()
            .filter(|text| text.len() < 90 && !text.contains('\0'));
        for reason in reasons.step_by(40) {
            let reason = format!("--reason={reason}");
            guest
                .kith(["record", "emergency-open", page, &reason])
                .done();
        }
        until("the host is told of it", || {
            let shown = host.json(["record", "emergency", record]);
            !shown["opened"].as_array().is_none_or(Vec::is_empty)
        });
    }
}

fn named_node(name: &str, kind: &str) -> Node {
    let node = Node::nowhere();
    let made = node.kith(["setup", "--name", name, "--kind", kind]);
    if made.code != Some(0) {
        let plain: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
        node.kith(["setup", "--name", &plain, "--kind", kind])
            .done();
    }
    node
}

fn enter(browser: &Rc<RefCell<Chromium>>, node: &Node) -> Tab {
    let link = node.link();
    let mut tab = Tab::open(browser, &origin(&link));
    tab.show_in(NARROW);
    tab.go(&link);
    tab.until("the pages", |tab| !tab.path().contains("/enter"));
    tab
}

/// Looks at a page for all that hostile text could do.
fn look(tab: &mut Tab, path: &str, wrong: &mut Vec<String>) {
    tab.go(path);
    let ask = json!({"media": "light", "lines": false});
    let mut found = tab.list(&format!("{LOOKS}({ask})"));
    found.extend(tab.list(NOT_SHOWN));
    found.extend(tab.wrong());
    wrong.extend(found.into_iter().map(|what| format!("{path}: {what}")));
}

#[test]
fn hostile_text_is_shown_and_runs_nothing() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(browser) = begin() else { return };
    let began = Instant::now();
    let texts = strings();
    assert!(texts.len() >= 200, "{}", texts.len());
    let town = Town::of(&texts);
    let mut records = Vec::new();
    for (n, person) in [
        "<b onmouseover=alert(1)>Okoro",
        "\u{202e}evil",
        "A\u{0}B\r\nSet-Cookie: x",
    ]
    .iter()
    .enumerate()
    {
        let mut turned = texts.clone();
        turned.rotate_left(n * 67);
        records.push(town.host.import(&file(
            &town.host,
            &format!("evil{n}.json"),
            person,
            &turned,
        )));
    }
    let record = &records[0];
    town.host.shares_all_with(&town.guest, record);
    until("the guest has the record", || {
        town.guest.digest(record) == town.host.digest(record)
    });
    town.opens(&records[1], &texts);
    let mut tab = enter(&browser, &town.host);
    fill(&mut tab, record, &texts);
    let mut wrong = Vec::new();
    let mut pages = 0;
    for tab in [&mut tab, &mut enter(&browser, &town.guest)] {
        for path in everything(tab, &records) {
            look(tab, &path, &mut wrong);
            pages += 1;
        }
    }
    eprintln!(
        "{} strings, {pages} pages, {} s",
        texts.len(),
        began.elapsed().as_secs()
    );
    let shown: Vec<_> = wrong
        .iter()
        .take(60)
        .map(|wrong| format!("{wrong:.400}"))
        .collect();
    assert!(
        shown.is_empty(),
        "{} things:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

/// What is typed into forms: staff, notes, tasks, medicines, doses, letters.
fn fill(tab: &mut Tab, record: &str, texts: &[String]) {
    let short: Vec<_> = texts.iter().filter(|text| text.len() < 90).collect();
    for text in short.iter().step_by(9) {
        tab.go("/staff");
        tab.fill("Name", text);
        tab.fill("Role", text);
        tab.press("Enter");
    }
    for text in short.iter().step_by(7) {
        tab.go(&format!("/r/{record}/add"));
        tab.fill("A note", text);
        tab.press("Add the note");
        tab.fill("A medicine", text);
        tab.fill("How it is taken", text);
        tab.press("Add the medicine");
        tab.fill("Something to do", text);
        tab.press("Add the task");
        tab.go(&format!("/r/{record}/to-do"));
        tab.fill("What everybody has to know", text);
        tab.press("Add it");
        tab.fill("Fall", "");
        tab.fill("Where", text);
        tab.fill("How, or why", text);
        tab.press("Write it down and tell everybody who may know");
        tab.go("/records");
        tab.fill("Find somebody", text);
        tab.press("Find");
    }
    // What is typed is forbidden nothing; what was wrong meanwhile is looked for afterwards.
}

/// Pages of records, whatever is in them.
fn everything(tab: &mut Tab, records: &[String]) -> Vec<String> {
    const PLACES: [&str; 9] = [
        "/records",
        "/review",
        "/inbox",
        "/data",
        "/apps",
        "/connections",
        "/devices",
        "/staff",
        "/backups",
    ];
    const TABS: [&str; 11] = [
        "",
        "/timeline",
        "/sharing",
        "/who-looked",
        "/review",
        "/to-do",
        "/plans",
        "/rules",
        "/add",
        "/download",
        "/emergency",
    ];
    const EACH: usize = 20;
    let mut all: Vec<String> = PLACES.iter().map(|path| (*path).to_owned()).collect();
    all.push("/records?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22onfocus%3Dalert(1)+x".to_owned());
    for record in records {
        tab.go("/records");
        if !links(tab).contains(&format!("/r/{record}")) {
            continue;
        }
        all.extend(TABS.iter().map(|tab| format!("/r/{record}{tab}")));
        tab.go(&format!("/r/{record}"));
        let sections: Vec<_> = links(tab)
            .into_iter()
            .filter(|link| link.contains("/part/"))
            .collect();
        for section in sections {
            tab.go(&section);
            let things = links(tab)
                .into_iter()
                .filter(|link| link.contains("/thing/"));
            all.extend(things.take(EACH));
            all.push(section);
        }
    }
    all.sort();
    all.dedup();
    all
}
