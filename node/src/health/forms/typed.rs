//! Answers as people type them, and as a short file of programs: from words to FHIR.

use serde_json::{Map, Number, Value, json};

use super::{
    form::{DEPTH_MAX, Form, Kind, Question},
    path::as_decimal,
};

/// Why something typed is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NotAnAnswer {
    /// The question.
    pub link_id: String,
    /// Why, in a sentence.
    pub what: String,
}

/// What somebody typed, as one answer: the element's name and the value.
///
/// # Errors
/// Says what the question asks for.
pub fn answer(question: &Question, text: &str) -> Result<(String, Value), NotAnAnswer> {
    let text = text.trim();
    let found = match question.kind {
        Kind::Group | Kind::Display => None,
        Kind::Boolean => match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" => Some(("valueBoolean", json!(true))),
            "no" | "n" | "false" => Some(("valueBoolean", json!(false))),
            _ => None,
        },
        Kind::Decimal => number(text).map(|number| ("valueDecimal", number)),
        Kind::Integer => {
            let whole: Option<i32> = text.parse().ok();
            whole.map(|whole| ("valueInteger", json!(whole)))
        }
        Kind::Date => Some(("valueDate", json!(text))),
        Kind::DateTime => Some(("valueDateTime", json!(moment(text)))),
        Kind::Time => {
            let whole = if text.len() == 5 {
                format!("{text}:00")
            } else {
                text.to_owned()
            };
            Some(("valueTime", json!(whole)))
        }
        Kind::String | Kind::Text => Some(("valueString", json!(text))),
        Kind::Url => Some(("valueUri", json!(text))),
        Kind::Choice | Kind::OpenChoice => return chosen(question, text),
        Kind::Attachment | Kind::Reference => None,
        Kind::Quantity => quantity(question, text),
    };
    let fits = found.filter(|(element, value)| super::check::fits(element, value).is_ok());
    fits.map(|(element, value)| (element.to_owned(), value))
        .ok_or_else(|| no_answer(question, text))
}

fn no_answer(question: &Question, text: &str) -> NotAnAnswer {
    NotAnAnswer {
        link_id: question.link_id.clone(),
        what: format!("{text:?} is not {}.", question.kind.in_words()),
    }
}

fn number(text: &str) -> Option<Value> {
    let number: Number = text.parse().ok()?;
    let number = Value::Number(number);
    as_decimal(&number).map(|_| number)
}

/// A browser's field gives no zone: then it is the zone of this machine.
fn moment(text: &str) -> String {
    let local = text.parse::<jiff::civil::DateTime>().ok();
    let has_zone = text.parse::<jiff::Timestamp>().is_ok();
    match local.filter(|_| text.contains('T') && !has_zone) {
        Some(local) => {
            let zoned = jiff::tz::TimeZone::system().to_zoned_datetime(local);
            zoned.map_or_else(
                |_| text.to_owned(),
                |zoned| zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            )
        }
        None => text.to_owned(),
    }
}

/// A number, with the unit behind it or the one that the form asks for.
fn quantity(question: &Question, text: &str) -> Option<(&'static str, Value)> {
    let (value, unit) = match text.split_once(' ') {
        Some((value, unit)) => (value, Some(unit.trim())),
        None => (text, None),
    };
    let mut quantity = json!({ "value": number(value)? });
    let asked = question.rules.unit.as_ref();
    let said = |name: &str| {
        asked
            .and_then(|unit| unit.get(name))
            .and_then(Value::as_str)
    };
    let is_asked = |unit: &str| Some(unit) == said("code") || Some(unit) == said("display");
    match unit {
        Some(unit) if !is_asked(unit) => quantity["unit"] = json!(unit),
        Some(_) | None => {
            if let Some(unit) = said("display").or(said("code")) {
                quantity["unit"] = json!(unit);
            }
            for name in ["system", "code"] {
                if let Some(value) = said(name) {
                    quantity[name] = json!(value);
                }
            }
        }
    }
    Some(("valueQuantity", quantity))
}

/// One of those that are offered: by its number from 1, its code or its words.
fn chosen(question: &Question, text: &str) -> Result<(String, Value), NotAnAnswer> {
    let by_words = || {
        let mut options = question.options.iter();
        options.find(|(_, value)| {
            let code = value.get("code").and_then(Value::as_str);
            code == Some(text) || in_words(value).eq_ignore_ascii_case(text)
        })
    };
    let by_number = || {
        let n: usize = text.strip_prefix('#')?.parse().ok()?;
        question.options.get(n.checked_sub(1)?)
    };
    if let Some((element, value)) = by_words().or_else(by_number) {
        return Ok((element.clone(), value.clone()));
    }
    if text.is_empty() {
        return Err(no_answer(question, text));
    }
    if question.kind == Kind::OpenChoice {
        return Ok(("valueString".to_owned(), json!(text)));
    }
    if question.options.is_empty() {
        // What fits is kept elsewhere: the words stand for it.
        return Ok(("valueCoding".to_owned(), json!({ "display": text })));
    }
    Err(NotAnAnswer {
        link_id: question.link_id.clone(),
        what: format!("{text:?} is none of the answers that are offered."),
    })
}

/// A value as people read it.
pub fn in_words(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Object(members) => match members.get("value") {
            Some(Value::Number(number)) => {
                let unit = text("unit").or_else(|| text("code")).unwrap_or_default();
                format!("{number} {unit}").trim().to_owned()
            }
            Some(_) | None => ["display", "text", "title", "code", "reference", "url"]
                .into_iter()
                .find_map(text)
                .unwrap_or_default()
                .to_owned(),
        },
        Value::Null | Value::Array(_) => String::new(),
    }
}

/// The items of a response, from answers by the names of their questions: a text, a number or yes
/// or no for an answer, a list for several, an object for a group.
///
/// # Errors
/// Names everything that is no answer to its question.
pub fn items(form: &Form, answers: &Value) -> Result<Vec<Value>, Vec<NotAnAnswer>> {
    let mut wrong = Vec::new();
    let items = below(&form.questions, answers, &mut wrong, 0);
    if wrong.is_empty() {
        Ok(items)
    } else {
        Err(wrong)
    }
}

fn below(
    questions: &[Question],
    answers: &Value,
    wrong: &mut Vec<NotAnAnswer>,
    depth: usize,
) -> Vec<Value> {
    let Some(given) = answers.as_object().filter(|_| depth <= DEPTH_MAX) else {
        wrong.push(NotAnAnswer {
            link_id: String::new(),
            what: "Answers are given by the names of their questions, as a JSON object.".to_owned(),
        });
        return Vec::new();
    };
    let mut left: Map<String, Value> = given.clone();
    let mut items = Vec::new();
    for question in questions {
        if question.kind == Kind::Group && !given.contains_key(&question.link_id) {
            // The answers of a group may stand beside the others where they are plain.
            let names: Vec<&String> = question.questions.iter().map(|one| &one.link_id).collect();
            let mut inside = Map::new();
            take_below(question, &mut left, &mut inside);
            if names.is_empty() || inside.is_empty() {
                continue;
            }
            let item = below(
                &question.questions,
                &Value::Object(inside),
                wrong,
                depth + 1,
            );
            items.push(json!({"linkId": question.link_id, "text": question.text, "item": item}));
            continue;
        }
        let Some(value) = left.remove(&question.link_id) else {
            continue;
        };
        items.extend(of_question(question, value, wrong, depth));
    }
    for (name, _) in left {
        wrong.push(NotAnAnswer {
            what: format!("The form has no question {name:?} here."),
            link_id: name,
        });
    }
    items
}

/// Moves all answers to questions of a group, and of groups in it, out of what is given.
fn take_below(group: &Question, from: &mut Map<String, Value>, to: &mut Map<String, Value>) {
    for question in &group.questions {
        if let Some(value) = from.remove(&question.link_id) {
            to.insert(question.link_id.clone(), value);
        } else if question.kind == Kind::Group {
            take_below(question, from, to);
        }
    }
}

fn of_question(
    question: &Question,
    value: Value,
    wrong: &mut Vec<NotAnAnswer>,
    depth: usize,
) -> Vec<Value> {
    let several = match value {
        Value::Array(several) => several,
        Value::Null => Vec::new(),
        one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![one]
        }
    };
    if question.kind == Kind::Group {
        let groups = several.iter().map(|one| {
            let items = below(&question.questions, one, wrong, depth + 1);
            json!({"linkId": question.link_id, "text": question.text, "item": items})
        });
        return groups.collect();
    }
    let mut answers = Vec::new();
    for one in several {
        let read = match &one {
            Value::String(text) => answer(question, text),
            Value::Bool(_) | Value::Number(_) => answer(question, &in_words(&one)),
            // An answer of FHIR as it is: `{"valueCoding": {…}}`.
            Value::Object(members) => match members.iter().next() {
                Some((element, value)) if members.len() == 1 && element.starts_with("value") => {
                    Ok((element.clone(), value.clone()))
                }
                Some(_) | None => Err(no_answer(question, &one.to_string())),
            },
            Value::Null | Value::Array(_) => Err(no_answer(question, &one.to_string())),
        };
        match read {
            Ok((element, value)) => answers.push(json!({ element: value })),
            Err(no) => wrong.push(no),
        }
    }
    if answers.is_empty() {
        return Vec::new();
    }
    vec![json!({"linkId": question.link_id, "text": question.text, "answer": answers})]
}
