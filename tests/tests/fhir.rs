//! Apps that read and write a record over FHIR, as another program sees it.

mod ipa;
mod launch;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::backup::restored;
use crate::harness::{
    Node, Running, all_hold_the_same, free_address,
    pages::{self, Answer},
    sample, text,
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

#[test]
fn an_app_that_follows_is_told_goes_on_after_a_break_and_ends_with_its_share() {
    let node = Node::set_up("Ada", "person");
    let record = node.json(["record", "new", "--family", "Quince"]);
    let record = record["record"].as_str().expect("an id");
    let (_running, host) = served(&node);
    let app = App::connect(&node, &host, record, "Diary", &["--see", "all"]);
    let mut stream = Follower::open(&app, None);
    node.note(record, "Slept well");
    let (id, first) = stream.next();
    node.note(record, "Ate well");
    let (_, second) = stream.next();
    let mut again = Follower::open(&app, Some(&id));
    assert_eq!(again.next().1, second);
    for (thing, text) in [(first, "Slept well"), (second, "Ate well")] {
        let read = json(&app.get(&format!("/{thing}")).is(200));
        assert_eq!(read["valueString"], text);
    }
    node.kith(["connect", "stop", "Diary"]).done();
    assert!(stream.ends());
    app.get("/$events").is(401);
}

#[test]
fn the_tokens_of_a_node_that_goes_on_from_a_copy_have_ended() {
    let (node, sheet) = Node::with_sheet("Ada", "person");
    let record = node.import(&sample("ips.json"));
    let app;
    {
        let (_running, host) = served(&node);
        app = App::connect(&node, &host, &record, "Diary", &["--see", "all"]);
        app.get("/Patient").is(200);
    }
    let folder = node.beside("backup");
    node.json(["backup", text(&folder)]);
    let again = restored(&folder, &sheet);
    let _running = again.running_at(["--listen", "127.0.0.1:0", "--pages", &app.host]);
    app.get("/Patient").is(401);
    let next = App::connect(&again, &app.host, &record, "Diary again", &["--see", "all"]);
    next.get("/Patient").is(200);
}

/// A stream of events, as it is read.
struct Follower(BufReader<TcpStream>);

impl Follower {
    #[track_caller]
    fn open(app: &App, after: Option<&str>) -> Self {
        let authorization = format!("Bearer {}", app.token);
        let mut headers = vec![
            ("Host", app.host.as_str()),
            ("Authorization", &authorization),
        ];
        headers.extend(after.map(|id| ("Last-Event-ID", id)));
        let request = pages::request("GET /fhir/$events", &headers, b"");
        let mut stream = TcpStream::connect(&app.host).expect("it is served");
        stream.write_all(&request).expect("it is sent");
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).expect("an answer");
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).expect("a header");
        }
        Self(stream)
    }

    /// The id of the next event, and the first thing that it names.
    #[track_caller]
    fn next(&mut self) -> (String, String) {
        let (mut id, mut data) = (None, None);
        while id.is_none() || data.is_none() {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).expect("it goes on");
            assert!(read > 0, "the stream ended");
            let line = line.trim();
            id = line.strip_prefix("id: ").map(str::to_owned).or(id);
            data = line.strip_prefix("data: ").map(str::to_owned).or(data);
        }
        let data: Value = serde_json::from_str(&data.expect("read")).expect("JSON");
        let thing = data["changed"][0].as_str().expect("a thing");
        (id.expect("read"), thing.to_owned())
    }

    /// Whether it ends, with nothing told any more.
    fn ends(mut self) -> bool {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).is_ok() && !rest.contains("changed")
    }
}
