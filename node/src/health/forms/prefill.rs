//! Answers that the record knows already, each with where it comes from.
//!
//! Three ways are understood: an answer that the form itself puts there (`initial`), the newest
//! measured value of a question's code (`observationLinkPeriod`), and a path into the Patient
//! (`initialExpression`). What cannot be answered so is left open, with the reason: a wrong answer
//! that looks like one from the record is worse than none.

use std::borrow::Cow;

use jiff::{Span, Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    check::{fits, is_offered},
    form::{Form, Kind, Question, SDC, choice, extension},
    path::{Surroundings, evaluate},
    typed,
};
use crate::health::line;

/// What is known of the person, for filling in a form.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Who they are: a Patient.
    pub patient: Option<Sourced>,
    /// What was measured or said: Observations.
    pub observations: Vec<Sourced>,
    /// The time now, RFC 3339.
    pub now: String,
}

/// A resource with who says so.
#[derive(Clone, Debug)]
pub struct Sourced {
    /// Its id here.
    pub id: String,
    /// What it says.
    pub value: Value,
    /// Who wrote it.
    pub by: String,
    /// Whether two versions stand side by side, or somebody has to look at it.
    pub is_contested: bool,
}

/// An answer from the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefilled {
    /// The question.
    #[serde(rename = "question")]
    pub link_id: String,
    /// The answers as people read them.
    pub answers: Vec<String>,
    /// Where they come from, in words.
    pub source: String,
    /// The resource that they come from, by its id here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The answers as FHIR: the element, and the value as JSON.
    #[serde(rename = "fhir")]
    pub values: Vec<(String, String)>,
}

/// A question that the record could not answer, although the form asks it to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOpen {
    /// The question.
    #[serde(rename = "question")]
    pub link_id: String,
    /// Why.
    pub why: String,
}

/// What the record answers, and what it leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefilling {
    /// Answers.
    pub answers: Vec<Prefilled>,
    /// Questions that stay open.
    pub open: Vec<LeftOpen>,
}

impl Prefilling {
    /// The answer to a question.
    pub fn of(&self, link_id: &str) -> Option<&Prefilled> {
        self.answers.iter().find(|one| one.link_id == link_id)
    }
}

/// The answers of one question, with their source and the resource it is.
type Found = (Vec<(String, Value)>, String, Option<String>);

/// Answers what the record knows. Groups that repeat are not filled.
pub fn prefill(form: &Form, known: &Known) -> Prefilling {
    let mut prefilling = Prefilling::default();
    for question in form.all() {
        let link_id = question.link_id.clone();
        match answers(form, question, known) {
            None => {}
            Some(Err(why)) => prefilling.open.push(LeftOpen { link_id, why }),
            Some(Ok((values, source, from))) => prefilling.answers.push(Prefilled {
                link_id,
                answers: values
                    .iter()
                    .map(|(_, value)| typed::in_words(value))
                    .collect(),
                source,
                from,
                values: values
                    .into_iter()
                    .map(|(element, value)| (element, value.to_string()))
                    .collect(),
            }),
        }
    }
    prefilling
}

/// What is answered; nothing where the form does not ask the record.
fn answers(form: &Form, question: &Question, known: &Known) -> Option<Result<Found, String>> {
    if matches!(question.kind, Kind::Group | Kind::Display) {
        return None;
    }
    if is_in_repetition(form, question) {
        let asks = question
            .extension(&format!("{SDC}initialExpression"))
            .is_some();
        return asks.then(|| {
            Err(
                "It stands in a group that repeats, which is not filled from the record here."
                    .to_owned(),
            )
        });
    }
    if let Some(expression) = question.extension(&format!("{SDC}initialExpression")) {
        return Some(by_expression(form, question, expression, known));
    }
    if let Some(period) = question.extension(&format!("{SDC}observationLinkPeriod")) {
        return Some(by_observation(question, period, known));
    }
    let mut initial = question.initial.clone();
    let marked = question.options.iter().zip(options_marked(form, question));
    initial.extend(
        marked
            .filter(|(_, marked)| *marked)
            .map(|(option, _)| option.clone()),
    );
    if initial.is_empty() {
        return None;
    }
    let fits = |(element, value): &(String, Value)| {
        question.elements().contains(&element.as_str()) && fits(element, value).is_ok()
    };
    Some(if initial.iter().all(fits) {
        Ok((initial, "the form puts it there".to_owned(), None))
    } else {
        Err("What the form puts there is no answer to this question.".to_owned())
    })
}

/// Which of the answers that are offered the form marks as chosen from the start.
fn options_marked(form: &Form, question: &Question) -> Vec<bool> {
    let item = raw(form, question);
    let options = item.and_then(|item| item.get("answerOption")?.as_array());
    let marked = options.into_iter().flatten().map(|option| {
        let is = option.get("initialSelected").and_then(Value::as_bool);
        is.unwrap_or_default()
    });
    marked.collect()
}

fn raw<'f>(form: &'f Form, question: &Question) -> Option<&'f Value> {
    let mut items = form.value.get("item")?.as_array()?;
    let named = |items: &'f [Value], name: &str| {
        let is = |item: &&Value| item.get("linkId").and_then(Value::as_str) == Some(name);
        items.iter().find(is)
    };
    for name in form.around(&question.link_id)? {
        items = named(items, name)?.get("item")?.as_array()?;
    }
    named(items, &question.link_id)
}

fn is_in_repetition(form: &Form, question: &Question) -> bool {
    let around = form.around(&question.link_id).unwrap_or_default();
    around
        .iter()
        .any(|name| form.question(name).is_some_and(|group| group.repeats))
}

fn by_expression(
    form: &Form,
    question: &Question,
    expression: &Value,
    known: &Known,
) -> Result<Found, String> {
    let (_, expression) = choice(expression, "value").ok_or("The expression is empty.")?;
    let language = expression.get("language").and_then(Value::as_str);
    if language != Some("text/fhirpath") {
        return Err(format!(
            "The form asks for it in {}, and only FHIRPath is understood here.",
            language.unwrap_or("a language that it does not name")
        ));
    }
    let text = expression.get("expression").and_then(Value::as_str);
    let text = text.ok_or("The expression is empty.")?;
    let patient = known.patient.as_ref();
    let mut around = Surroundings {
        now: Some(known.now.clone()),
        ..Surroundings::default()
    };
    let contexts = patient_contexts(form);
    if let Some(patient) = patient {
        for name in &contexts {
            around = around.with(name, &patient.value);
        }
    } else if contexts
        .iter()
        .any(|name| text.contains(&format!("%{name}")))
    {
        return Err("Who the person is is not known to this node.".to_owned());
    }
    let found = evaluate(text, &Vec::new(), &around)
        .map_err(|why| format!("What the form asks the record ({text}) is not answered: {why}."))?;
    if found.is_empty() {
        return Err("The record does not say.".to_owned());
    }
    if found.len() > 1 && !question.repeats {
        return Err(format!(
            "The record says {} things, and one fits.",
            found.len()
        ));
    }
    if patient.is_some_and(|patient| patient.is_contested) {
        return Err(
            "Two versions of who the person is stand side by side: see To review.".to_owned(),
        );
    }
    let values: Option<Vec<_>> = found
        .into_iter()
        .map(|value| as_answer(question, &Cow::into_owned(value)))
        .collect();
    let values = values.ok_or("What the record says is no answer to this question.")?;
    let by = patient.map_or("", |patient| patient.by.as_str());
    Ok((
        values,
        format!("from who the person is, as {by} says"),
        patient.map(|patient| patient.id.clone()),
    ))
}

/// The names by which a form calls the person.
fn patient_contexts(form: &Form) -> Vec<String> {
    let url = format!("{SDC}launchContext");
    let mut names: Vec<String> = form
        .extensions()
        .iter()
        .filter(|one| one.get("url").and_then(Value::as_str) == Some(&url))
        .filter_map(|context| {
            let inside = context.get("extension")?.as_array()?;
            let said = |name: &str| choice(extension(inside, name)?, "value");
            let (_, kind) = said("type")?;
            let (_, name) = said("name")?;
            let name = name.as_str().or_else(|| name.get("code")?.as_str())?;
            (kind.as_str() == Some("Patient")).then(|| name.to_owned())
        })
        .collect();
    if !names.iter().any(|name| name == "patient") {
        names.push("patient".to_owned());
    }
    names
}

/// The newest value of a question's code, where it is not older than the form says.
fn by_observation(question: &Question, period: &Value, known: &Known) -> Result<Found, String> {
    if question.code.is_empty() {
        return Err("The form asks for a measured value and does not say which.".to_owned());
    }
    let since = choice(period, "value")
        .and_then(|(_, period)| since(&known.now, &period))
        .ok_or("How old a measured value may be is not said in a way that is understood here.")?;
    let mut fitting: Vec<(&Sourced, Timestamp)> = known
        .observations
        .iter()
        .filter(|one| has_code(&one.value, &question.code))
        .filter_map(|one| Some((one, moment(line::when(&one.value)?)?)))
        .collect();
    fitting.sort_by_key(|(_, when)| *when);
    let Some((newest, when)) = fitting.last() else {
        return Err("Nothing of this kind is known to this node.".to_owned());
    };
    if *when < since {
        return Err(format!(
            "The newest value known here is of {}, which is too long ago for this form.",
            day(&newest.value)
        ));
    }
    if newest.is_contested {
        return Err(
            "Of the newest value two versions stand side by side: see To review.".to_owned(),
        );
    }
    let at_once = fitting.iter().filter(|(_, other)| other == when);
    let mut values: Vec<Value> = at_once
        .filter_map(|(one, _)| choice(&one.value, "value").map(|(_, value)| value))
        .collect();
    values.dedup();
    if values.len() > 1 {
        return Err("Several different values are recorded for the same moment.".to_owned());
    }
    let said = line::describe(&newest.value);
    let source = format!(
        "{said}, measured {}, as {} says",
        day(&newest.value),
        newest.by
    );
    let value = values
        .pop()
        .ok_or("The newest value is not one that can be an answer.")?;
    if let Some(status) = newest.value.get("status").and_then(Value::as_str)
        && !["final", "amended", "corrected"].contains(&status)
    {
        return Err(format!("The newest value is {status}."));
    }
    let answer = of_quantity(question, &value)?;
    Ok((vec![answer], source, Some(newest.id.clone())))
}

fn day(resource: &Value) -> String {
    let when = line::when(resource).unwrap_or_default();
    when.get(..10).unwrap_or(when).to_owned()
}

fn has_code(observation: &Value, wanted: &[Value]) -> bool {
    let codings = observation
        .pointer("/code/coding")
        .and_then(Value::as_array);
    let mut codings = codings.into_iter().flatten();
    codings.any(|coding| {
        wanted.iter().any(|wanted| {
            let same = |name: &str| coding.get(name) == wanted.get(name);
            wanted.get("code").is_some() && same("code") && same("system")
        })
    })
}

/// From when on a value is new enough.
fn since(now: &str, period: &Value) -> Option<Timestamp> {
    let amount = period.get("value")?.as_f64()?.ceil();
    if !(0.0..=200_000.0).contains(&amount) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is between 0 and 200,000"
    )]
    let amount = amount as i64;
    let unit = period
        .get("code")
        .or_else(|| period.get("unit"))?
        .as_str()?;
    let span: Span = match unit {
        "a" | "year" | "years" => amount.min(9_000).years(),
        "mo" | "month" | "months" => amount.months(),
        "wk" | "week" | "weeks" => amount.weeks(),
        "d" | "day" | "days" => amount.days(),
        "h" | "hour" | "hours" => amount.hours(),
        "min" | "minute" | "minutes" => amount.minutes(),
        _ => return None,
    };
    let now = now
        .parse::<Timestamp>()
        .ok()?
        .to_zoned_datetime(TimeZone::UTC);
    now.checked_sub(span).ok().map(|then| then.timestamp())
}

fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.get(..10)?.to_owned(),
    };
    format!("{full}T00:00:00Z").parse().ok()
}

/// A measured value as an answer. A number without a unit is never taken from one in another unit
/// than the form asks for.
fn of_quantity(question: &Question, value: &Value) -> Result<(String, Value), String> {
    let unit_of = |value: &Value| {
        let unit = value.get("code").or_else(|| value.get("unit"));
        unit.and_then(Value::as_str).map(str::to_owned)
    };
    let asked = question.rules.unit.as_ref().and_then(unit_of);
    if value.get("value").is_some_and(Value::is_number) {
        if value.get("comparator").is_some() {
            return Err("The newest value is only a bound, such as <5.".to_owned());
        }
        let unit = unit_of(value);
        if let Some(asked) = asked.filter(|asked| Some(asked) != unit.as_ref()) {
            return Err(format!(
                "The newest value is in {}, and the form asks for {asked}.",
                unit.as_deref().unwrap_or("no unit")
            ));
        }
    }
    as_answer(question, value)
        .ok_or_else(|| "The newest value is not of the kind that the form asks for.".to_owned())
}

/// A value of the record as an answer to a question.
fn as_answer(question: &Question, value: &Value) -> Option<(String, Value)> {
    let amount = || {
        value
            .get("value")
            .filter(|value| value.is_number())
            .cloned()
    };
    let with = |element: &str, value: Value| {
        fits(element, &value).ok()?;
        Some((element.to_owned(), value))
    };
    match question.kind {
        Kind::Group | Kind::Display => None,
        Kind::Boolean => with("valueBoolean", value.clone()),
        Kind::Decimal => with("valueDecimal", amount().unwrap_or_else(|| value.clone())),
        Kind::Integer => with("valueInteger", amount().unwrap_or_else(|| value.clone())),
        Kind::Date => {
            let text = value.as_str()?;
            with("valueDate", json!(text.get(..10).unwrap_or(text)))
        }
        Kind::DateTime => with("valueDateTime", value.clone()),
        Kind::Time => with("valueTime", value.clone()),
        Kind::String | Kind::Text => {
            let text = line::concept(Some(value)).unwrap_or_else(|| typed::in_words(value));
            with("valueString", json!(text))
        }
        Kind::Url => with("valueUri", value.clone()),
        Kind::Choice | Kind::OpenChoice => of_choice(question, value),
        Kind::Attachment => with("valueAttachment", value.clone()),
        Kind::Reference => with("valueReference", value.clone()),
        Kind::Quantity => with("valueQuantity", value.clone()),
    }
}

/// A code of the record as one of the answers that are offered.
fn of_choice(question: &Question, value: &Value) -> Option<(String, Value)> {
    let codings = match value.get("coding").and_then(Value::as_array) {
        Some(codings) => codings.clone(),
        None => vec![value.clone()],
    };
    if question.options.is_empty() {
        let coding = codings.into_iter().next()?;
        let coding = match coding.as_str() {
            Some(code) => json!({ "code": code }),
            None => coding,
        };
        let is_coding = fits("valueCoding", &coding).is_ok();
        return is_coding.then(|| ("valueCoding".to_owned(), coding));
    }
    for coding in &codings {
        if is_offered(question, coding) {
            return Some(("valueCoding".to_owned(), coding.clone()));
        }
        // A plain code, such as a gender, is one of those offered where its code is.
        let code = coding.as_str();
        let mut options = question.options.iter();
        let offered = options.find(|(_, option)| {
            code.is_some()
                && (option.as_str() == code || option.get("code").and_then(Value::as_str) == code)
        });
        if let Some((element, option)) = offered {
            return Some((element.clone(), option.clone()));
        }
    }
    None
}
