//! A result that a patient brings, and a clinician's word beside it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Node, Running, free_address, json::member, pages, text, until};

const BROUGHT: &str = "brought by Ada, not verified by an NHS laboratory";
const WORDS: &str = "CYP2D6: poor metabolizer";

/// Ada's own node, and a surgery with which she shares her record.
struct Story {
    ada: Node,
    surgery: Node,
    record: String,
    running: Vec<Running>,
    /// Where Ada's pages and FHIR server are.
    host: String,
}

impl Story {
    fn begin(add: &str) -> Self {
        let ada = Node::set_up("Ada", "person");
        let surgery = Node::set_up("Riverside Surgery", "practice");
        let record = ada.begins("Penn", "Ada", "1950-01-31");
        let host = free_address();
        let running = vec![
            ada.running_at(["--listen", "127.0.0.1:0", "--pages", &host]),
            surgery.running(),
        ];
        ada.json([
            "add",
            &record,
            "result",
            "CYP2D6",
            "poor metabolizer",
            "--date",
            "2026-03-01",
            "--laboratory",
            "Genes by post",
        ]);
        let joined = surgery.join(&ada.share(&record, "all", add));
        assert_eq!(joined["record"], record);
        let story = Self {
            ada,
            surgery,
            record,
            running,
            host,
        };
        until("the result is at the surgery", || {
            story.shown(&story.surgery).is_some()
        });
        story
    }

    /// The result as a node shows it.
    fn shown(&self, node: &Node) -> Option<Value> {
        let shown = node.show(&self.record);
        let sections = shown["sections"].as_array().expect("sections").iter();
        let mut lines = sections
            .filter(|section| section["section"] == "results")
            .flat_map(|section| section["lines"].as_array().expect("lines"));
        lines.find(|line| line["kind"] == "Observation").cloned()
    }

    fn result(&self) -> String {
        let line = self.shown(&self.ada).expect("it was added");
        line["id"].as_str().expect("an id").to_owned()
    }

    /// Who accepts it, as a node shows it.
    fn accepted(&self, node: &Node) -> Vec<String> {
        let line = self.shown(node).expect("it is there");
        let said = line["accepted"].as_array().cloned().unwrap_or_default();
        said.iter()
            .map(|one| one.as_str().expect("a sentence").to_owned())
            .collect()
    }

    fn attests(&self, node: &Node, more: &[&str]) -> crate::harness::Ran {
        let result = self.result();
        let words = ["attest", &self.record, &result];
        node.kith(words.iter().chain(more))
    }
}

#[test]
fn a_brought_result_stays_the_patients_and_is_accepted_beside_it() {
    let story = Story::begin("results,medicines");
    let record = story.record.as_str();
    for node in [&story.ada, &story.surgery] {
        let line = story.shown(node).expect("it is there");
        assert_eq!(
            (line["text"].as_str(), line["brought"].as_str()),
            (Some(WORDS), Some(BROUGHT))
        );
        assert_eq!(line["marks"], json!(["matters for medicines"]));
        let told = node.kith(["record", "timeline", record]).done().text();
        assert!(told.contains(BROUGHT), "{told}");
    }
    // Where a medicine is chosen.
    let added = story
        .surgery
        .json(["add", record, "medicine", "Codeine 30 mg"]);
    assert_eq!(added["mind"][0]["brought"], BROUGHT);
    let shown = story.surgery.kith(["show", record]).done().text();
    assert!(
        shown.contains("RESULTS THAT MATTER FOR MEDICINES"),
        "{shown}"
    );

    // Nobody accepts their own, and no person does.
    let own = story.attests(&story.ada, &[]).ended(13);
    assert!(own.err.contains("brought this result yourself"), "{own}");
    story.attests(&story.surgery, &["--take-back"]).ended(2);

    story
        .surgery
        .kith(["staff", "add", "Dr Lee", "--role", "GP", "--may", "see,add"])
        .done();
    let said = story
        .attests(
            &story.surgery,
            &["--as", "Dr Lee", "--note", "as on the paper"],
        )
        .done();
    let told = said.text();
    assert!(
        told.contains("seen and accepted by Dr Lee of Riverside Surgery on"),
        "{told}"
    );
    assert!(told.contains(BROUGHT), "beside, not instead: {told}");
    story.attests(&story.surgery, &[]).ended(2);
    until("Ada sees it", || {
        story
            .accepted(&story.ada)
            .iter()
            .any(|said| said.starts_with("seen and accepted by Dr Lee of Riverside Surgery"))
    });
    let before = story.ada.ndjson(record);
    let before = String::from_utf8(before).expect("text");
    let results = before
        .lines()
        .filter(|line| line.contains("poor metabolizer"));
    let results: Vec<_> = results
        .filter(|line| member(line, "resourceType") == Some("\"Observation\""))
        .collect();
    assert_eq!(results.len(), 1, "the result is as it was");
    assert!(!results[0].contains("Riverside"));

    // What it says now was not seen.
    let other = results[0].replace("poor metabolizer", "normal metabolizer");
    let file: PathBuf = story.ada.file("other.json", other);
    story
        .ada
        .kith(["change", record, &story.result(), "--file", text(&file)])
        .done();
    for node in [&story.ada, &story.surgery] {
        until("it is said to have changed", || {
            story
                .accepted(node)
                .iter()
                .any(|said| said.starts_with("changed since it was seen and accepted by Dr Lee"))
        });
    }
    story.attests(&story.surgery, &["--as", "Dr Lee"]).done();
    story
        .attests(&story.surgery, &["--take-back", "--as", "Dr Lee"])
        .done();
    until("it is taken back", || story.accepted(&story.ada).is_empty());
    story.ada.verify(record);
    drop(story.running);
}

#[test]
fn who_may_not_add_to_results_accepts_none() {
    let story = Story::begin("letters");
    story.attests(&story.surgery, &[]).ended(13);
    assert!(story.accepted(&story.surgery).is_empty());
    // A result of the surgery's own needs nobody's word.
    let paper = r#"{"resourceType":"Observation","status":"final","code":{"text":"Potassium"},"valueQuantity":{"value":4.1}}"#;
    let other = story.surgery.json(["record", "new", "--family", "Own"]);
    let other = other["record"].as_str().expect("a record");
    let file = story.surgery.file("own.json", paper);
    story
        .surgery
        .kith(["import", text(&file), "--record", other])
        .done();
    let shown = story.surgery.show(other);
    let sections = shown["sections"].as_array().expect("sections").iter();
    let line = sections
        .clone()
        .find(|section| section["section"] == "results")
        .expect("results");
    let line = &line["lines"][0];
    assert_eq!(line["brought"], Value::Null);
    let id = line["id"].as_str().expect("an id");
    let refused = story.surgery.kith(["attest", other, id]).ended(2);
    assert!(refused.err.contains("answers for it"), "{refused}");
}

#[test]
fn pages_apps_and_summaries_say_whose_word_a_result_is() {
    let story = Story::begin("results");
    let record = story.record.as_str();
    let visitor = story.surgery.visited();
    let path = format!("/r/{record}/thing/{}", story.result());
    visitor
        .page(&format!("/r/{record}"))
        .says("Results that matter for medicines")
        .says(BROUGHT);
    visitor
        .page(&format!("/r/{record}/add"))
        .says("Results that matter for medicines");
    let page = visitor
        .page(&path)
        .says("Brought by Ada, not verified by an NHS laboratory.");
    let form = page.form("I have seen this and accept it");
    let fields = form.filled(
        &[("note", "as on the paper")],
        "I have seen this and accept it",
    );
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    visitor.post(&form.action, &fields).is(303);
    visitor
        .page(&path)
        .says("Seen and accepted by Riverside Surgery on")
        .says("Take that back");
    until("Ada sees it", || !story.accepted(&story.ada).is_empty());
    let own = story
        .ada
        .visited()
        .page(&path)
        .says("Seen and accepted by Riverside Surgery on");
    assert!(!own.answer.text().contains("I have seen this and accept it"));

    let app = story.ada.json([
        "connect",
        "fhir",
        record,
        "--name",
        "Chart",
        "--see",
        "all",
        "--until",
        "2099-12-31",
    ]);
    let read = |path: &str| -> Value {
        let bearer = format!("Bearer {}", app["token"].as_str().expect("a token"));
        let headers = [
            ("Host", story.host.as_str()),
            ("Authorization", bearer.as_str()),
        ];
        let request = pages::request(&format!("GET /fhir/{path}"), &headers, b"");
        let answer = pages::raw(&story.host, &request)
            .expect("an answer")
            .is(200);
        serde_json::from_slice(&answer.body).expect("JSON")
    };
    let result = read(&format!("Observation/{}", story.result()));
    let tags = result["meta"]["tag"].to_string();
    assert!(
        tags.contains(BROUGHT) && tags.contains("seen and accepted by Riverside Surgery"),
        "{tags}"
    );
    assert!(tags.contains("matters-for-medicines"), "{tags}");
    let words = read("Provenance");
    let entries = words["entry"].as_array().expect("entries").iter();
    let word = entries
        .map(|entry| &entry["resource"])
        .find(|one| one["activity"]["coding"][0]["code"] == "seen-and-accepted")
        .expect("the word is there");
    assert_eq!(
        word["target"][0]["reference"],
        format!("Observation/{}", story.result())
    );
    assert_eq!(word["agent"][0]["type"]["coding"][0]["code"], "attester");

    let summary = story
        .ada
        .kith(["export", record, "--as", "ips"])
        .done()
        .text();
    assert!(
        summary.contains(BROUGHT) && summary.contains("seen and accepted by Riverside Surgery")
    );
}

#[test]
fn what_others_make_of_a_word_counts_for_nothing() {
    let story = Story::begin("results");
    let record = story.record.as_str();
    let words = || -> Vec<String> {
        let shown = story.ada.show(record);
        let sections = shown["sections"].as_array().expect("sections").iter();
        let lines = sections.flat_map(|section| section["lines"].as_array().expect("lines"));
        let words = lines.filter(|line| line["kind"] == "Provenance");
        words
            .map(|line| line["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    story.attests(&story.surgery, &[]).done();
    until("Ada sees it", || !story.accepted(&story.ada).is_empty());
    story
        .ada
        .kith([
            "change",
            record,
            &words()[0],
            "--mistake",
            "I would rather not",
        ])
        .done();
    assert_eq!(
        story.accepted(&story.ada).len(),
        1,
        "only who said it takes it back"
    );
    story.attests(&story.surgery, &["--take-back"]).done();
    until("it is taken back", || words().len() == 2);
    assert!(story.accepted(&story.ada).is_empty());
    // Ada has it say otherwise, as another program could.
    let given = String::from_utf8(story.ada.ndjson(record)).expect("text");
    let mut lines = given.lines();
    let accepts = lines
        .find(|line| line.contains("seen-and-accepted"))
        .expect("it is there");
    let file = story.ada.file("forged.json", accepts);
    for word in words() {
        // The one that she called an error is changed no more.
        let _ran = story
            .ada
            .kith(["change", record, &word, "--file", text(&file)]);
    }
    assert!(
        String::from_utf8(story.ada.ndjson(record))
            .expect("text")
            .matches("\"code\":\"seen-and-accepted\"")
            .count()
            >= 2
    );
    assert!(story.accepted(&story.ada).is_empty());
}
