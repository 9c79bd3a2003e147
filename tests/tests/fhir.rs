//! Apps that read and write a record over FHIR, as another program sees it.

mod ipa;
mod launch;

use serde_json::Value;

use crate::harness::{
    Node, Running, all_hold_the_same, free_address,
    pages::{self, Answer},
};

/// An app with a token, and where it asks.
pub struct App {
    host: String,
    pub token: String,
    /// The id of the record's person.
    pub patient: String,
}

/// A node whose pages, and so its apps, are at a known address.
#[track_caller]
pub fn served(node: &Node) -> (Running, String) {
    let host = free_address();
    let running = node.running_at(["--listen", "127.0.0.1:0", "--pages", &host]);
    (running, host)
}

impl App {
    /// Connected by a token.
    #[track_caller]
    pub fn connect(node: &Node, host: &str, record: &str, name: &str, rights: &[&str]) -> Self {
        let words = ["connect", "fhir", record, "--name", name];
        let until = ["--until", "2099-12-31"];
        let words = words.iter().chain(rights).chain(&until);
        let token = node.json(words);
        assert_eq!(token["base"], format!("http://{host}/fhir"));
        let text = |name: &str| token[name].as_str().expect("a word").to_owned();
        Self {
            host: host.to_owned(),
            token: text("token"),
            patient: text("patient"),
        }
    }

    pub fn with_token(host: &str, token: &str, patient: &str) -> Self {
        Self {
            host: host.to_owned(),
            token: token.to_owned(),
            patient: patient.to_owned(),
        }
    }

    /// What is answered to a request for a path behind the base.
    #[track_caller]
    pub fn asks(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        let mut all = vec![
            ("Host", self.host.as_str()),
            ("Authorization", &authorization),
        ];
        all.extend(headers);
        let line = format!("{method} /fhir{path}");
        let request = pages::request(&line, &all, body.as_bytes());
        let answer = pages::raw(&self.host, &request);
        answer.unwrap_or_else(|| panic!("no answer to {line}"))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.asks("GET", path, &[], "")
    }

    /// The matches of a search on all its pages.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let base = format!("http://{}/fhir", self.host);
        let mut found = Vec::new();
        let mut next = Some(path.to_owned());
        let mut total = None;
        while let Some(path) = next {
            let bundle = json(&self.get(&path).is(200));
            assert_eq!(bundle["resourceType"], "Bundle", "{path}");
            let is_same = total.is_none_or(|total| bundle["total"] == total);
            assert!(is_same, "the total of {path} stays");
            total = bundle["total"].as_u64();
            for entry in bundle["entry"].as_array().into_iter().flatten() {
                if entry["search"]["mode"] == "match" {
                    found.push(entry["resource"].clone());
                }
            }
            let links = bundle["link"].as_array().into_iter().flatten();
            next = links
                .filter(|link| link["relation"] == "next")
                .filter_map(|link| link["url"].as_str()?.strip_prefix(&base))
                .map(str::to_owned)
                .next();
        }
        assert_eq!(total, Some(found.len() as u64), "the total of {path}");
        found
    }
}

#[track_caller]
pub fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

#[test]
fn a_concurrent_dose_is_never_picked() {
    let (ada, surgery) = (
        Node::set_up("Ada", "person"),
        Node::set_up("Riverside Surgery", "practice"),
    );
    let record = ada.json(["record", "new", "--family", "Quince"])["record"]
        .as_str()
        .expect("an id")
        .to_owned();
    ada.kith(["add", &record, "medicine", "Warfarin", "--dose", "1 mg"])
        .done();
    let [host, at_ada, at_surgery] = [(); 3].map(|()| free_address());
    let run = |node: &Node, address: &str, pages: &str| {
        node.running_at(["--listen", address, "--pages", pages])
    };
    {
        let _ada = run(&ada, &at_ada, &host);
        let _surgery = run(&surgery, &at_surgery, "127.0.0.1:0");
        let share = ada.json([
            "share",
            &record,
            "--see",
            "all",
            "--change",
            "medicines",
            "--until",
            "2099-12-31",
        ]);
        surgery.join(share["link"].as_str().expect("a link"));
        all_hold_the_same(&[&ada, &surgery], &record);
    }
    let thing = id_of(&ada.show(&record), "MedicationStatement").expect("a medicine");
    for (node, dose) in [(&ada, "2 mg"), (&surgery, "5 mg")] {
        node.kith(["change", &record, &thing, "--dose", dose])
            .done();
    }
    let _ada = run(&ada, &at_ada, &host);
    let _surgery = run(&surgery, &at_surgery, "127.0.0.1:0");
    all_hold_the_same(&[&ada, &surgery], &record);
    let app = App::connect(&ada, &host, &record, "Pill box", &["--see", "all"]);
    let read = app.get(&format!("/MedicationStatement/{thing}")).is(409);
    assert_eq!(json(&read)["issue"][0]["code"], "conflict");
    let found = app.all("/MedicationStatement");
    let doses: Vec<_> = found
        .iter()
        .map(|one| one["dosage"][0]["text"].as_str().expect("a dose"))
        .collect();
    assert!(
        doses.contains(&"2 mg") && doses.contains(&"5 mg"),
        "{doses:?}"
    );
    for one in &found {
        let id = one["id"].as_str().expect("an id");
        let read = json(&app.get(&format!("/MedicationStatement/{id}")).is(200));
        assert_eq!(&read, one);
    }
    let summary = json(&app.get("/Patient/$summary").is(200)).to_string();
    assert!(summary.contains("2 mg") && summary.contains("5 mg"));
    let review = ada.json(["review", &record]).to_string();
    assert!(review.contains("2 mg") && review.contains("5 mg"));
}

/// The id of the first thing of a kind, wherever it stands.
fn id_of(shown: &Value, kind: &str) -> Option<String> {
    match shown {
        Value::Object(members) if members.get("kind").is_some_and(|known| known == kind) => {
            members.get("id")?.as_str().map(str::to_owned)
        }
        Value::Object(members) => members.values().find_map(|value| id_of(value, kind)),
        Value::Array(items) => items.iter().find_map(|value| id_of(value, kind)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
