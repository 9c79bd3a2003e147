//! Forms on real nodes: kept, answered from the record with sources, checked, filed, extracted.

mod pages;
mod published;

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Node, Ran, free_address, sample, text};

const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

/// A form of a surgery: who they are from the record, a weight into it.
fn weight_form() -> Value {
    json!({
        "resourceType": "Questionnaire", "status": "active", "title": "Weight at home",
        "url": "https://riverside.example/Questionnaire/weight", "version": "1",
        "item": [
            {"linkId": "born", "text": "Your birth date", "type": "date", "extension": [
                {"url": format!("{SDC}initialExpression"), "valueExpression":
                    {"language": "text/fhirpath", "expression": "%patient.birthDate"}}]},
            {"linkId": "weight", "text": "Your weight", "type": "quantity", "required": true,
             "code": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}],
             "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
                 "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kg"}},
                {"url": format!("{SDC}observationLinkPeriod"), "valueDuration": {"value": 1, "code": "a"}},
                {"url": format!("{SDC}observationExtract"), "valueBoolean": true}]},
            {"linkId": "clothes", "text": "With clothes?", "type": "boolean",
             "enableWhen": [{"question": "weight", "operator": "exists", "answerBoolean": true}]}
        ]
    })
}

pub(super) struct Surgery {
    pub(super) node: Node,
    pub(super) record: String,
}

impl Surgery {
    pub(super) fn opens() -> Self {
        let node = Node::set_up("Riverside Surgery", "practice");
        let record = node.begins("Penn", "Ada", "1950-01-31");
        Self { node, record }
    }

    pub(super) fn keeps(&self, form: &Value) {
        let file = self.node.file("form.json", form.to_string());
        self.node.json(["form", "add", text(&file)]);
    }

    pub(super) fn answers(&self, form: &str, answers: &Value) -> Ran {
        let file = self.node.file("answers.json", answers.to_string());
        self.node.kith([
            "--json",
            "form",
            "fill",
            &self.record,
            form,
            "--answers",
            text(&file),
        ])
    }

    fn check(&self, file: &Path) -> Ran {
        self.node.kith(["--json", "form", "check", text(file)])
    }

    pub(super) fn lines(&self, section: &str) -> Vec<Value> {
        let shown = self.node.show(&self.record);
        let sections = shown["sections"].as_array().expect("sections");
        let of = sections.iter().filter(|one| one["section"] == section);
        of.flat_map(|one| one["lines"].as_array().expect("lines").clone())
            .collect()
    }
}

#[test]
fn a_form_is_kept_once_answered_from_the_record_and_filed_whole() {
    let surgery = Surgery::opens();
    surgery.keeps(&weight_form());
    surgery.keeps(&weight_form());
    let list = surgery.node.json(["form", "list"]);
    assert_eq!(list["forms"].as_array().map(Vec::len), Some(1), "{list}");

    surgery
        .node
        .json(["add", &surgery.record, "reading", "weight", "71.50"]);
    let opened = surgery
        .node
        .json(["form", "fill", &surgery.record, "Weight at home", "--show"]);
    let known = opened["known"].as_array().expect("known");
    let weight = known
        .iter()
        .find(|one| one["question"] == "weight")
        .expect("answered");
    assert_eq!(weight["answers"], json!(["71.50 kg"]));
    assert!(
        weight["source"]
            .as_str()
            .is_some_and(|source| source.contains("Riverside Surgery"))
    );
    assert!(
        known.iter().any(|one| one["question"] == "born"),
        "{opened}"
    );

    let before = surgery.lines("results").len();
    let filled = surgery.answers(
        "Weight at home",
        &json!({"weight": "70.20 kg", "clothes": false}),
    );
    let filled = filled.done().json();
    assert_eq!(filled["filed"], true);
    assert_eq!(
        filled["response"]["item"][0]["answer"][0]["valueDate"],
        "1950-01-31"
    );
    assert!(filled["response"]["item"][0]["answer"][0]["extension"][0]["valueString"].is_string());
    // A number keeps its digits, and what was there before stays beside it.
    let exported = String::from_utf8(surgery.node.ndjson(&surgery.record)).expect("text");
    assert!(
        exported.contains("70.20") && exported.contains("71.50"),
        "{exported}"
    );
    let observation = exported
        .lines()
        .find(|line| line.contains("derivedFrom"))
        .expect("the observation names its response");
    let id = filled["response"]["id"].as_str().expect("an id");
    assert!(observation.contains(&format!("QuestionnaireResponse/{id}")));
    assert!(
        exported
            .lines()
            .any(|line| line.contains("\"Provenance\"") && line.contains(id))
    );
    let after = surgery.lines("results").len() + surgery.lines("daily-care").len();
    assert_eq!(after, before + 1);
    assert_eq!(surgery.lines("forms").len(), 2);
    surgery.node.verify(&surgery.record);
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_filed() {
    let surgery = Surgery::opens();
    surgery.keeps(&weight_form());
    let digest = surgery.node.digest(&surgery.record);
    for (answers, what) in [
        (json!({}), "has to be answered"),
        (json!({"weight": "heavy"}), "is not a number"),
        (
            json!({"weight": "70 kg", "zebra": 1}),
            "The form has no question",
        ),
        (json!([1]), "JSON object"),
    ] {
        let ran = surgery.answers("Weight at home", &answers).ended(15);
        let filled = ran.json();
        assert_eq!(filled["filed"], false);
        assert!(filled["findings"].to_string().contains(what), "{filled}");
    }
    let file = surgery.node.file("not.json", "{");
    let ran = surgery.node.kith([
        "--json",
        "form",
        "fill",
        &surgery.record,
        "Weight at home",
        "--answers",
        text(&file),
    ]);
    ran.ended(15);
    surgery
        .node
        .kith(["--json", "form", "fill", &surgery.record, "Weight at home"])
        .ended(2);
    surgery.answers("no such form", &json!({})).ended(1);
    assert_eq!(
        surgery.node.digest(&surgery.record),
        digest,
        "nothing was written"
    );
}

#[test]
fn a_response_is_held_against_its_form() {
    let surgery = Surgery::opens();
    surgery.keeps(&weight_form());
    let response = |weight: &str| {
        format!(
            r#"{{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"https://riverside.example/Questionnaire/weight|1","item":[{{"linkId":"weight","answer":[{weight}]}}]}}"#
        )
    };
    let good = surgery.node.file(
        "good.json",
        response(r#"{"valueQuantity":{"value":70.20,"code":"kg"}}"#),
    );
    surgery.check(&good).done();
    let bad = surgery
        .node
        .file("bad.json", response(r#"{"valueString":"70"}"#));
    let checked = surgery.check(&bad).ended(15).json();
    let finding = &checked["findings"][0];
    assert_eq!(
        finding["expression"],
        "QuestionnaireResponse.item[0].answer[0].value"
    );
    assert_eq!(finding["question"], "weight");
}

#[test]
fn hostile_forms_and_answers_are_refused_with_a_reason() {
    let surgery = Surgery::opens();
    let digest = surgery.node.digest(&surgery.record);
    let mut deep = json!({"linkId": "q", "type": "string"});
    for n in 0..50 {
        deep = json!({"linkId": format!("g{n}"), "type": "group", "item": [deep]});
    }
    let twice = json!([{"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string"}]);
    for (n, items) in [json!([deep]), twice, json!({"a": 1}), json!([null])]
        .into_iter()
        .enumerate()
    {
        let form = json!({"resourceType": "Questionnaire", "title": "x", "item": items});
        let file = surgery
            .node
            .file(&format!("hostile-{n}.json"), form.to_string());
        let ran = surgery
            .node
            .kith(["--json", "form", "add", text(&file)])
            .ended(15);
        assert!(ran.err.contains("cannot be asked"), "{ran}");
    }
    let abyss = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let file = surgery.node.file("abyss.json", abyss);
    surgery
        .node
        .kith(["--json", "form", "add", text(&file)])
        .ended(15);
    surgery
        .node
        .kith(["--json", "form", "check", text(&file)])
        .ended(15);

    let items: Vec<_> = (0..10_000)
        .map(|n| json!({"linkId": n.to_string(), "type": "string"}))
        .collect();
    surgery.keeps(&json!({"resourceType": "Questionnaire", "title": "Long", "item": items}));
    let answers: serde_json::Map<String, Value> =
        (0..10_000).map(|n| (n.to_string(), json!("x"))).collect();
    let file = surgery
        .node
        .file("answers.json", Value::Object(answers).to_string());
    let dry = surgery.node.json([
        "form",
        "extract",
        &surgery.record,
        "Long",
        "--answers",
        text(&file),
    ]);
    assert_eq!(dry["filed"], false);
    assert_eq!(
        surgery.node.digest(&surgery.record),
        digest,
        "nothing was written"
    );
}

#[test]
fn two_people_who_change_one_response_at_the_same_time_are_a_matter_for_review() {
    let surgery = Surgery::opens();
    surgery.keeps(&weight_form());
    let filled = surgery
        .answers("Weight at home", &json!({"weight": "70.20 kg"}))
        .done()
        .json();
    let home = Node::set_up("Sam", "person");
    // At the same addresses again, so that they find each other.
    let (here, there) = (free_address(), free_address());
    let mut at_surgery = surgery.node.running_at(["--listen", &here]);
    let mut at_home = home.running_at(["--listen", &there]);
    let words = ["share", &surgery.record, "--see", "all", "--add", "all"];
    let more = ["--change", "all", "--until", "2099-12-31"];
    let shared = surgery.node.json(words.iter().chain(&more));
    home.join(shared["link"].as_str().expect("a link"));
    crate::harness::all_hold_the_same(&[&surgery.node, &home], &surgery.record);
    at_surgery.stopped();
    at_home.stopped();
    let id = filled["id"].as_str().expect("an id");
    for (node, weight) in [(&surgery.node, "71"), (&home, "72")] {
        let mut response = filled["response"].clone();
        response["status"] = json!("amended");
        response["item"][1]["answer"][0]["valueQuantity"]["value"] =
            weight.parse().expect("a number");
        let file = node.file("amended.json", response.to_string());
        node.json(["change", &surgery.record, id, "--file", text(&file)]);
    }
    let _surgery = surgery.node.running_at(["--listen", &here]);
    let _home = home.running_at(["--listen", &there]);
    crate::harness::all_hold_the_same(&[&surgery.node, &home], &surgery.record);
    let review = surgery.node.json(["review", &surgery.record]).to_string();
    assert!(
        review.contains("QuestionnaireResponse") || review.contains(id),
        "{review}"
    );
    let both = String::from_utf8(surgery.node.ndjson(&surgery.record)).expect("text");
    assert!(
        both.contains("\"value\":71") && both.contains("\"value\":72"),
        "none is picked"
    );
}

#[test]
fn a_form_of_a_record_is_found_there() {
    let surgery = Surgery::opens();
    let record = surgery.node.import(&sample("ips.json"));
    let file = surgery.node.file("form.json", weight_form().to_string());
    surgery
        .node
        .json(["form", "add", text(&file), "--record", &record]);
    assert_eq!(surgery.node.json(["form", "list"])["forms"], json!([]));
    let list = surgery.node.json(["form", "list", &record]);
    assert_eq!(list["forms"][0]["record"], json!(record));
}
