//! Answers as Observations: where the form, a group or a question asks for it.

use serde_json::{Map, Value, json};

use super::{Extracted, Extraction, Way, Work, answered, choice};
use crate::health::forms::form::{Kind, Question, SDC, extension};

pub(super) fn extract(work: &Work<'_>, response: &Value, extraction: &mut Extraction) {
    let whole = says(work.form.extensions());
    for (question, item) in work.items(response) {
        if !is_asked(work, question, whole) || matches!(question.kind, Kind::Group | Kind::Display)
        {
            continue;
        }
        if question.code.is_empty() {
            if answered(item).next().is_some() && says(&question.extensions) == Some(true) {
                extraction.left(format!(
                    "{:?} has no code, so that nobody would know what the observation is of.",
                    question.asked()
                ));
            }
            continue;
        }
        for (element, value) in answered(item) {
            match observation(question, response, &element, value) {
                Some(value) => extraction.add(Extracted {
                    value,
                    full_url: None,
                    link_id: Some(question.link_id.clone()),
                    way: Way::Observation,
                }),
                None => extraction.left(format!(
                    "{:?} is a file or a reference, which is no value of an observation.",
                    question.asked()
                )),
            }
        }
    }
}

/// What is said of being taken out as observations: yes, no, or nothing.
fn says(extensions: &[Value]) -> Option<bool> {
    let found = extension(extensions, &format!("{SDC}observationExtract"))?;
    choice(found, "value")?.1.as_bool()
}

/// The nearest word on it counts.
fn is_asked(work: &Work<'_>, question: &Question, whole: Option<bool>) -> bool {
    if let Some(own) = says(&question.extensions) {
        return own;
    }
    let around = work.form.around(&question.link_id).unwrap_or_default();
    let nearest = around
        .iter()
        .rev()
        .find_map(|name| says(&work.form.question(name)?.extensions));
    nearest.or(whole).unwrap_or_default()
}

fn observation(
    question: &Question,
    response: &Value,
    element: &str,
    value: Value,
) -> Option<Value> {
    let category = extension(
        &question.extensions,
        &format!("{SDC}observation-extract-category"),
    );
    let category = category.and_then(|one| choice(one, "value")).map_or_else(
        || json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}),
        |(_, category)| category,
    );
    let mut made = Map::new();
    made.insert("resourceType".to_owned(), json!("Observation"));
    made.insert("status".to_owned(), json!("final"));
    made.insert("category".to_owned(), json!([category]));
    let code = json!({"coding": question.code, "text": question.text});
    made.insert("code".to_owned(), code);
    for (from, to) in [("subject", "subject"), ("encounter", "encounter")] {
        if let Some(value) = response.get(from) {
            made.insert(to.to_owned(), value.clone());
        }
    }
    if let Some(authored) = response.get("authored") {
        made.insert("effectiveDateTime".to_owned(), authored.clone());
        // An instant has a time of day.
        if authored.as_str().is_some_and(|text| text.contains('T')) {
            made.insert("issued".to_owned(), authored.clone());
        }
    }
    if let Some(author) = response.get("author") {
        made.insert("performer".to_owned(), json!([author]));
    }
    let (element, value) = match element {
        "valueCoding" => ("valueCodeableConcept", json!({ "coding": [value] })),
        "valueDecimal" => ("valueQuantity", quantity(question, &value)),
        "valueDate" => ("valueDateTime", value),
        "valueUri" => ("valueString", value),
        "valueBoolean" | "valueInteger" | "valueString" | "valueQuantity" | "valueDateTime"
        | "valueTime" => (element, value),
        _ => return None,
    };
    made.insert(element.to_owned(), value);
    Some(Value::Object(made))
}

/// A number with the unit that the form asks for.
fn quantity(question: &Question, number: &Value) -> Value {
    let mut quantity = json!({ "value": number });
    if let Some(unit) = &question.rules.unit {
        for (from, to) in [("display", "unit"), ("system", "system"), ("code", "code")] {
            if let Some(said) = unit.get(from) {
                quantity[to] = said.clone();
            }
        }
    }
    quantity
}
