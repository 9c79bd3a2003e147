//! Forms of our own, held against what may come in.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Finding, Form, Weight, check,
    extract::{Way, extract},
    finding::has_errors,
    form::{DEPTH_MAX, QUESTIONS_MAX},
    prefill::{Known, Sourced, prefill},
    typed,
};

const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";
const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

fn falls() -> Value {
    json!({
        "resourceType": "Questionnaire", "status": "active", "title": "Falls",
        "url": "https://riverside.example/Questionnaire/falls", "version": "2",
        "item": [
            {"linkId": "fell", "text": "Did you fall?", "type": "boolean", "required": true},
            {"linkId": "times", "text": "How often?", "type": "integer", "required": true,
             "enableWhen": [{"question": "fell", "operator": "=", "answerBoolean": true}],
             "extension": [{"url": format!("{CORE}minValue"), "valueInteger": 1},
                           {"url": format!("{CORE}maxValue"), "valueInteger": 50}]},
            {"linkId": "where", "text": "Where?", "type": "choice", "repeats": true,
             "answerOption": [{"valueCoding": {"system": "w", "code": "in"}}, {"valueCoding": {"system": "w", "code": "out"}}]},
            {"linkId": "falls", "text": "Each fall", "type": "group", "repeats": true, "item": [
                {"linkId": "hurt", "text": "Hurt?", "type": "boolean"},
                {"linkId": "how", "text": "How?", "type": "string", "maxLength": 20,
                 "enableWhen": [{"question": "hurt", "operator": "=", "answerBoolean": true}]}]},
            {"linkId": "weight", "text": "Weight", "type": "quantity",
             "code": [{"system": "http://loinc.org", "code": "29463-7"}],
             "extension": [
                {"url": format!("{CORE}questionnaire-unit"), "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg"}},
                {"url": format!("{SDC}observationLinkPeriod"), "valueDuration": {"value": 1, "code": "a"}},
                {"url": format!("{SDC}observationExtract"), "valueBoolean": true}]},
            {"linkId": "born", "text": "Born", "type": "date",
             "extension": [{"url": format!("{SDC}initialExpression"),
                "valueExpression": {"language": "text/fhirpath", "expression": "%patient.birthDate"}}]},
            {"linkId": "code", "text": "Code", "type": "string",
             "extension": [{"url": format!("{CORE}regex"), "valueString": "[A-Z]{2}[0-9]+"}]}
        ]
    })
}

fn form() -> Form {
    Form::read(falls()).expect("a form")
}

fn response(items: &Value) -> Value {
    json!({"resourceType": "QuestionnaireResponse", "status": "completed", "id": "r1",
        "questionnaire": "https://riverside.example/Questionnaire/falls|2",
        "subject": {"display": "PENN, Ada"}, "authored": "2026-11-28T10:00:00Z", "item": items})
}

fn told(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings
        .iter()
        .map(|one| (one.expression.as_str(), one.what.as_str()))
        .collect()
}

fn found(items: &Value) -> Vec<Finding> {
    check(&form(), &response(items))
}

#[test]
fn what_fits_is_not_found_fault_with() {
    let items = json!([
        {"linkId": "fell", "answer": [{"valueBoolean": true}]},
        {"linkId": "times", "answer": [{"valueInteger": 2}]},
        {"linkId": "where", "answer": [{"valueCoding": {"system": "w", "code": "in"}}, {"valueCoding": {"system": "w", "code": "out"}}]},
        {"linkId": "falls", "item": [{"linkId": "hurt", "answer": [{"valueBoolean": true}]}, {"linkId": "how", "answer": [{"valueString": "wrist"}]}]},
        {"linkId": "falls", "item": [{"linkId": "hurt", "answer": [{"valueBoolean": false}]}]},
        {"linkId": "weight", "answer": [{"valueQuantity": {"value": 71.50, "code": "kg"}}]},
        {"linkId": "code", "answer": [{"valueString": "AB12"}]}
    ]);
    assert_eq!(told(&found(&items)), []);
}

#[test]
fn each_thing_that_does_not_fit_is_told_where_it_stands() {
    let root = "QuestionnaireResponse.item";
    for (items, place, what) in [
        (
            json!([]),
            root.to_owned(),
            "\"Did you fall?\" has to be answered.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueString": "yes"}]}]),
            format!("{root}[0].answer[0].value"),
            "The answer is a String; it should be yes or no.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": "yes"}]}]),
            format!("{root}[0].answer[0].value"),
            "The answer is not yes or no (true or false).",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": true}, {"valueBoolean": false}]}]),
            root.to_owned(),
            "\"Did you fall?\" is answered 2 times; once fits.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": true}]}]),
            root.to_owned(),
            "\"How often?\" has to be answered.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "times", "answer": [{"valueInteger": 2}]}]),
            format!("{root}[1]"),
            "This is answered, and by the other answers it is not asked.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": true}]}, {"linkId": "times", "answer": [{"valueInteger": 99}]}]),
            format!("{root}[1].answer[0].value"),
            "The answer is more than 50.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "where", "answer": [{"valueCoding": {"code": "up"}}]}]),
            format!("{root}[1].answer[0].value"),
            "The answer is none of those that are offered.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "falls", "item": [{"linkId": "how", "answer": [{"valueString": "x"}]}]}]),
            format!("{root}[1].item[0]"),
            "This is answered, and by the other answers it is not asked.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "hurt", "answer": [{"valueBoolean": true}]}]),
            format!("{root}[1]"),
            "The question \"hurt\" stands elsewhere in the form.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "zebra"}]),
            format!("{root}[1]"),
            "The form has no question \"zebra\".",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "code", "answer": [{"valueString": "ab"}]}]),
            format!("{root}[1].answer[0].value"),
            "The answer does not have the form that is asked for ([A-Z]{2}[0-9]+).",
        ),
        (
            json!([{"linkId": "fell", "answer": [{"valueBoolean": false}]}, {"linkId": "born", "answer": [{"valueDate": "2026-02-30"}]}]),
            format!("{root}[1].answer[0].value"),
            "The answer is not a day, such as 2026-05-31.",
        ),
        (
            json!("x"),
            root.to_owned(),
            "The answers are not a list of items.",
        ),
        (
            json!([{"linkId": "fell", "answer": [{}]}]),
            format!("{root}[0].answer[0]"),
            "The answer is empty.",
        ),
        (
            json!([{"answer": []}]),
            format!("{root}[0]"),
            "This item does not say which question it answers (linkId).",
        ),
    ] {
        let findings = found(&items);
        assert!(
            told(&findings).contains(&(place.as_str(), what)),
            "{items}: {findings:#?}"
        );
    }
}

#[test]
fn what_is_asked_in_a_repetition_hangs_on_that_repetition() {
    let items = json!([
        {"linkId": "fell", "answer": [{"valueBoolean": false}]},
        {"linkId": "falls", "item": [{"linkId": "hurt", "answer": [{"valueBoolean": true}]}]},
        {"linkId": "falls", "item": [{"linkId": "hurt", "answer": [{"valueBoolean": false}]}, {"linkId": "how", "answer": [{"valueString": "x"}]}]}
    ]);
    let findings = found(&items);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        findings[0].expression,
        "QuestionnaireResponse.item[2].item[1]"
    );
}

#[test]
fn what_is_open_is_no_fault_while_somebody_is_at_it() {
    let mut draft = response(&json!([]));
    draft["status"] = json!("in-progress");
    assert!(!has_errors(&check(&form(), &draft)));
    draft["status"] = json!("done");
    assert!(has_errors(&check(&form(), &draft)));
    draft["status"] = json!("in-progress");
    draft["questionnaire"] = json!("https://elsewhere.example/Questionnaire/falls");
    assert!(has_errors(&check(&form(), &draft)));
}

fn known() -> Known {
    let weight = |id: &str, value: &str, unit: &str, when: &str| {
        Sourced {
        id: id.to_owned(),
        value: serde_json::from_str(&format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}],"text":"weight"}},"effectiveDateTime":"{when}","valueQuantity":{{"value":{value},"code":"{unit}"}}}}"#
        ))
        .expect("JSON"),
        by: "Riverside".to_owned(),
        is_contested: false,
    }
    };
    Known {
        patient: Some(Sourced {
            id: "p".to_owned(),
            value: json!({"resourceType": "Patient", "birthDate": "1950-01-31"}),
            by: "Riverside".to_owned(),
            is_contested: false,
        }),
        observations: vec![
            weight("old", "80", "kg", "2020-01-01"),
            weight("new", "71.50", "kg", "2026-10-01T08:00:00Z"),
            weight("before", "72", "kg", "2026-09-01"),
        ],
        now: "2026-11-29T00:00:00Z".to_owned(),
    }
}

#[test]
fn the_record_answers_with_its_source() {
    let prefilling = prefill(&form(), &known());
    let weight = prefilling.of("weight").expect("answered");
    assert_eq!(weight.answers, ["71.50 kg"]);
    assert_eq!(weight.from.as_deref(), Some("new"));
    assert!(
        weight.source.contains("2026-10-01") && weight.source.contains("Riverside"),
        "{}",
        weight.source
    );
    assert_eq!(
        prefilling.of("born").expect("answered").answers,
        ["1950-01-31"]
    );
    assert_eq!(prefilling.open, []);
}

#[test]
fn what_is_in_doubt_is_left_open_with_the_reason() {
    let open = |change: fn(&mut Known)| {
        let mut known = known();
        change(&mut known);
        let prefilling = prefill(&form(), &known);
        assert!(prefilling.answers.len() < 2);
        prefilling.open[0].why.clone()
    };
    let why = open(|known| known.observations[1].value["valueQuantity"]["code"] = json!("[lb_av]"));
    assert!(why.contains("[lb_av]"), "{why}");
    let why = open(|known| known.observations[1].is_contested = true);
    assert!(why.contains("two versions"), "{why}");
    let why = open(|known| known.observations.retain(|one| one.id == "old"));
    assert!(why.contains("2020-01-01"), "{why}");
    let why = open(|known| known.observations.clear());
    assert!(why.contains("known to this node"), "{why}");
    let why = open(|known| known.patient = None);
    assert!(why.contains("not known"), "{why}");
}

fn ids() -> impl FnMut() -> String {
    let mut next = 0;
    move || {
        next += 1;
        format!("id{next}")
    }
}

#[test]
fn an_answer_is_an_observation_where_the_form_asks_for_it() {
    let items: Value = serde_json::from_str(
        r#"[{"linkId":"weight","answer":[{"valueQuantity":{"value":71.50,"code":"kg"}}]},{"linkId":"code","answer":[{"valueString":"AB1"}]}]"#,
    )
    .expect("JSON");
    let form = form();
    let made = extract(&form, &response(&items), "2026-11-29T00:00:00Z", &mut ids());
    let [one] = made.resources.as_slice() else {
        panic!("{made:?}");
    };
    assert_eq!(one.way, Way::Observation);
    assert!(one.value.to_string().contains("71.50"));
    assert_eq!(
        one.value["derivedFrom"],
        json!([{"reference": "QuestionnaireResponse/r1"}])
    );
    assert_eq!(one.value["effectiveDateTime"], "2026-11-28T10:00:00Z");
}

#[test]
fn a_form_that_would_write_over_something_makes_nothing() {
    let mut value = falls();
    value["item"][6]["extension"] = json!([{"url": format!("{SDC}definitionExtract"), "extension": [
        {"url": "definition", "valueCanonical": format!("{CORE}Patient")},
        {"url": "resourceId", "valueString": "%patient.id"}]}]);
    let form = Form::read(value).expect("a form");
    let items = json!([{"linkId": "code", "answer": [{"valueString": "AB1"}]}]);
    let made = extract(&form, &response(&items), "2026-11-29T00:00:00Z", &mut ids());
    assert_eq!(made.resources, []);
    assert!(
        made.left_out[0].contains("write over"),
        "{:?}",
        made.left_out
    );
}

fn nested(depth: usize) -> Value {
    let mut item = json!({"linkId": "q", "type": "string"});
    for n in 0..depth {
        item = json!({"linkId": format!("g{n}"), "type": "group", "item": [item]});
    }
    json!({"resourceType": "Questionnaire", "item": [item]})
}

#[test]
fn hostile_forms_are_refused_with_the_reason() {
    let refused = |value: Value| {
        let findings = Form::read(value).expect_err("refused");
        findings[0].what.clone()
    };
    assert!(refused(nested(DEPTH_MAX)).contains("deep"));
    assert!(Form::read(nested(DEPTH_MAX - 1)).is_ok());
    let many: Vec<_> = (0..=QUESTIONS_MAX)
        .map(|n| json!({"linkId": n.to_string(), "type": "string"}))
        .collect();
    assert!(refused(json!({"resourceType": "Questionnaire", "item": many})).contains("more than"));
    for (items, what) in [
        (json!("x"), "not a list"),
        (json!([]), "asks nothing"),
        (json!([7]), "no linkId"),
        (json!([{"linkId": 7, "type": "string"}]), "no linkId"),
        (json!([{"linkId": "a"}]), "no type"),
        (
            json!([{"linkId": "a", "type": "coding"}]),
            "no type \"coding\"",
        ),
        (
            json!([{"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string"}]),
            "Two questions",
        ),
        (
            json!([{"linkId": "a", "type": "string", "enableWhen": [{"question": "z", "operator": "exists", "answerBoolean": true}]}]),
            "no such question",
        ),
        (
            json!([{"linkId": "a", "type": "string", "enableWhen": [{"question": "a", "operator": "exists", "answerBoolean": true}]}]),
            "its own answer",
        ),
        (
            json!([{"linkId": "a", "type": "string", "enableWhen": [{"question": "a"}]}]),
            "not said in full",
        ),
    ] {
        let said = refused(json!({"resourceType": "Questionnaire", "item": items}));
        assert!(said.contains(what), "{said}");
    }
    assert!(refused(json!({"resourceType": "Patient"})).contains("not a FHIR Questionnaire"));
}

#[test]
fn questions_that_hang_on_each_other_come_to_an_end() {
    let when =
        |other: &str| json!([{"question": other, "operator": "exists", "answerBoolean": true}]);
    let form = Form::read(json!({"resourceType": "Questionnaire", "item": [
        {"linkId": "a", "type": "string", "required": true, "enableWhen": when("b")},
        {"linkId": "b", "type": "string", "required": true, "enableWhen": when("a")}]}))
    .expect("a form");
    let of = |items: Value| {
        check(
            &form,
            &json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}),
        )
    };
    assert_eq!(of(json!([])), []);
    assert!(has_errors(&of(
        json!([{"linkId": "a", "answer": [{"valueString": "x"}]}])
    )));
}

#[test]
fn ten_thousand_questions_that_hang_on_each_other_are_held_against_ten_thousand_answers() {
    let items: Vec<_> = (0..10_000)
        .map(|n: usize| {
            let before = n.saturating_sub(1).to_string();
            let when = json!([{"question": before, "operator": "exists", "answerBoolean": true}]);
            let mut item = json!({"linkId": n.to_string(), "type": "string"});
            if n > 0 {
                item["enableWhen"] = when;
            }
            item
        })
        .collect();
    let form = Form::read(json!({"resourceType": "Questionnaire", "item": items})).expect("a form");
    let answers: Vec<_> = (0..10_000)
        .map(|n: usize| json!({"linkId": n.to_string(), "answer": [{"valueString": "x"}]}))
        .collect();
    let response =
        json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": answers});
    assert_eq!(check(&form, &response), []);
    let mut less = response.clone();
    less["item"].as_array_mut().expect("a list").remove(0);
    let findings = check(&form, &less);
    assert_eq!(findings[0].expression, "QuestionnaireResponse.item[0]");
}

/// Any JSON in the place of items.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("linkId"),
        Just("answer"),
        Just("item"),
        Just("valueString"),
        Just("valueBoolean"),
        Just("valueCoding"),
        Just("valueQuantity"),
        Just("value"),
        Just("code"),
        Just("text")
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::from),
        prop_oneof![
            Just("fell"),
            Just("times"),
            Just("falls"),
            Just("how"),
            Just("x")
        ]
        .prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((names.clone(), inner), 0..4).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            })
        ]
    })
}

/// A typed answer to each question that is asked.
fn answers() -> impl Strategy<Value = Value> {
    let number = (1..50u32, 0..100u32).prop_map(|(whole, part)| format!("{whole}.{part:02} kg"));
    (
        any::<bool>(),
        1..=50u32,
        proptest::option::of(number),
        proptest::collection::vec("[a-z]{1,20}", 0..3),
    )
        .prop_map(|(fell, times, weight, falls)| {
            let mut given = json!({"fell": fell});
            if fell {
                given["times"] = json!(times);
            }
            if let Some(weight) = weight {
                given["weight"] = json!(weight);
            }
            let falls: Vec<_> = falls
                .iter()
                .map(|how| json!({"hurt": true, "how": how}))
                .collect();
            if !falls.is_empty() {
                given["falls"] = json!(falls);
            }
            given
        })
}

proptest! {
    /// Nothing that comes in breaks it off, and what is found has a place and a sentence.
    #[test]
    fn any_response_is_held_against_a_form(items in any_json()) {
        let response = response(&items);
        for finding in found(&items) {
            prop_assert!(finding.expression.starts_with("QuestionnaireResponse"));
            prop_assert!(finding.what.ends_with('.'), "{}", finding.what);
        }
        let form = form();
        let made = extract(&form, &response, "2026-11-29T00:00:00Z", &mut ids());
        for one in made.resources {
            prop_assert!(one.value["resourceType"].is_string());
        }
    }

    #[test]
    fn any_json_is_a_form_or_is_not(items in any_json()) {
        if let Err(findings) = Form::read(json!({"resourceType": "Questionnaire", "item": items})) {
            prop_assert!(findings.iter().any(|one| one.weight == Weight::Error));
        }
    }

    /// What is typed as the form asks fits it, and comes out with its digits.
    #[test]
    fn typed_answers_fit_and_keep_their_digits(given in answers()) {
        let form = form();
        let items = typed::items(&form, &given).expect("answers");
        let response = response(&json!(items));
        let findings = check(&form, &response);
        prop_assert!(!has_errors(&findings), "{:#?}", findings);
        let made = extract(&form, &response, "2026-11-29T00:00:00Z", &mut ids());
        let weight = given["weight"].as_str().and_then(|weight| weight.strip_suffix(" kg"));
        match (weight, made.resources.as_slice()) {
            (Some(weight), [one]) => prop_assert_eq!(one.value["valueQuantity"]["value"].to_string(), weight),
            (None, []) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
