use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NotUnderstood, Surroundings, evaluate};

fn said(expression: &str, of: &Value) -> Result<Value, NotUnderstood> {
    let around = Surroundings {
        now: Some("2026-11-29T01:02:03Z".to_owned()),
        ..Surroundings::default()
    };
    let id = json!("urn:uuid:1");
    let around = around.with("resource", of).with("NewPatientId", &id);
    let found = evaluate(expression, &vec![Cow::Borrowed(of)], &around)?;
    Ok(Value::Array(
        found.into_iter().map(Cow::into_owned).collect(),
    ))
}

fn response() -> Value {
    serde_json::from_str(
        r#"{"resourceType":"QuestionnaireResponse","id":"r1","authored":"2026-11-28T10:00:00Z",
        "item":[{"linkId":"name","item":[
            {"linkId":"given","answer":[{"valueString":"Ada"},{"valueString":"May"}]},
            {"linkId":"family","answer":[{"valueString":"Penn"}]}]},
          {"linkId":"gender","answer":[{"valueCoding":{"code":"female","system":"g"}}]},
          {"linkId":"height","answer":[{"valueDecimal":1.650}]}]}"#,
    )
    .expect("JSON")
}

#[test]
fn the_expressions_of_published_forms_are_understood() {
    let of = response();
    let name = "item.where(linkId='name').item";
    for (expression, expected) in [
        (
            format!("{name}.where(linkId='given' or linkId='family').answer.value.join(' ')"),
            json!(["Ada May Penn"]),
        ),
        (
            format!("{name}.where(linkId = 'given').answer.value"),
            json!(["Ada", "May"]),
        ),
        (
            "item.where(linkId = 'gender').answer.value.first().code".to_owned(),
            json!(["female"]),
        ),
        (
            "'QuestionnaireResponse/' + %resource.id".to_owned(),
            json!(["QuestionnaireResponse/r1"]),
        ),
        (
            "(%resource.authored | %resource.meta.lastUpdated | now()).first()".to_owned(),
            json!(["2026-11-28T10:00:00Z"]),
        ),
        ("%NewPatientId".to_owned(), json!(["urn:uuid:1"])),
        ("%resource.author".to_owned(), json!([])),
        ("QuestionnaireResponse.item.count()".to_owned(), json!([3])),
        ("item[1].linkId".to_owned(), json!(["gender"])),
    ] {
        assert_eq!(said(&expression, &of), Ok(expected), "{expression}");
    }
    let height = said("item.where(linkId='height').answer.value * 100", &of).expect("a number");
    assert_eq!(height.to_string(), "[165.000]");
}

#[test]
fn numbers_keep_their_digits_and_are_compared_as_numbers() {
    let of = json!({});
    for (expression, expected) in [
        ("2.50 + 1", "[3.50]"),
        ("10.0 = 10", "[true]"),
        ("9 < 10", "[true]"),
        ("-3 < 2", "[true]"),
        ("1 + 2 * 3", "[7]"),
        ("5 - 2 - 1", "[2]"),
        ("{} = 1", "[]"),
        ("{} and false", "[false]"),
        ("{} or true", "[true]"),
        ("false implies {}", "[true]"),
        ("'a' & {} & 'b'", "[\"ab\"]"),
        ("@2026-05 < @2026-05-03", "[]"),
        ("@2026-05-02 < today()", "[true]"),
        ("iif(1 = 2, 'x', 'y')", "[\"y\"]"),
        ("(1 | 2 | 1).count()", "[2]"),
        ("'abc'.substring(1, 1)", "[\"b\"]"),
        ("'it\\'s'", "[\"it's\"]"),
    ] {
        let found = said(expression, &of).map(|found| found.to_string());
        assert_eq!(found, Ok(expected.to_owned()), "{expression}");
    }
}

#[test]
fn what_is_not_understood_is_named() {
    let of = response();
    let not_done = |what: &str| Err(NotUnderstood::NotDone(what.to_owned()));
    assert_eq!(
        said("item.resolve()", &of),
        not_done("the function resolve()")
    );
    assert_eq!(said("1 / 2", &of), not_done("division"));
    assert_eq!(
        said("item is BackboneElement", &of),
        not_done("the operator is")
    );
    assert_eq!(said("today() - 4 days", &of), not_done("an amount of time"));
    assert_eq!(
        said("%encounter.id", &of),
        Err(NotUnderstood::NoVariable("encounter".to_owned()))
    );
    assert_eq!(said("item.where(", &of), Err(NotUnderstood::At(11)));
    assert_eq!(said("", &of), Err(NotUnderstood::At(0)));
    assert!(matches!(
        said("item.answer + 1", &of),
        Ok(_) | Err(NotUnderstood::DoesNotFit(_))
    ));
}

#[test]
fn no_expression_takes_forever() {
    let of = response();
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    assert_eq!(said(&deep, &of), Err(NotUnderstood::TooMuch));
    assert_eq!(said(&"-".repeat(500), &of), Err(NotUnderstood::TooMuch));
    let many: Vec<_> = (0..3_000).collect();
    let wide = json!({"item": many});
    assert_eq!(
        said("item.where(%resource.item.count() > 1)", &wide),
        Err(NotUnderstood::TooMuch)
    );
    assert_eq!(
        said("item.distinct().count()", &wide),
        Err(NotUnderstood::TooMuch)
    );
    assert_eq!(said(&"a.".repeat(3_000), &of), Err(NotUnderstood::TooLong));
}

proptest! {
    /// Nothing that somebody writes breaks it off.
    #[test]
    fn any_text_has_an_end(text in "[a-z0-9 ().,'=%$@<>|+*&\\[\\]{}-]{0,60}") {
        let _found = said(&text, &response());
    }

    /// Where each value is the same, so is what is chosen by it.
    #[test]
    fn where_keeps_what_its_condition_says(links in proptest::collection::vec("[a-c]", 0..12), wanted in "[a-c]") {
        let items: Vec<_> = links.iter().map(|link| json!({"linkId": link})).collect();
        let of = json!({"item": items});
        let found = said(&format!("item.where(linkId = '{wanted}').count()"), &of);
        let expected = links.iter().filter(|link| **link == wanted).count();
        prop_assert_eq!(found, Ok(json!([expected])));
    }
}
