//! A response held against its form.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::Value;

use super::{
    enabled::{Around, Asked, list},
    finding::{Finding, Findings, Weight},
    form::{DEPTH_MAX, Form, Kind, Question, choice},
    path::{as_decimal, compare},
};

const ROOT: &str = "QuestionnaireResponse";

/// Items and questions that are looked at in one response.
const STEPS_MAX: usize = 1_000_000;

/// The longest answer in words, in characters.
const TEXT_LEN_MAX: usize = 1 << 20;

/// What of a response does not fit the form. What has to be answered and is not is an error only
/// where the response says that it is done.
pub fn check(form: &Form, response: &Value) -> Vec<Finding> {
    let mut checking = Checking {
        form,
        asked: Asked::of(form),
        findings: Findings::default(),
        missing: Weight::Error,
        steps: 0,
    };
    if response.get("resourceType").and_then(Value::as_str) != Some(ROOT) {
        let what = "This is not a FHIR QuestionnaireResponse.";
        checking.findings.add(Weight::Error, "", None, what);
        return checking.findings.done(ROOT);
    }
    checking.frame(response);
    let mut around = Vec::new();
    checking.items(&form.questions, response, ROOT, &mut around);
    checking.findings.done(ROOT)
}

struct Checking<'r> {
    form: &'r Form,
    asked: Asked<'r>,
    findings: Findings,
    missing: Weight,
    steps: usize,
}

impl<'r> Checking<'r> {
    fn wrong(&mut self, place: &str, question: Option<&Question>, what: impl Into<String>) {
        let link_id = question.map(|question| question.link_id.as_str());
        self.findings.add(Weight::Error, place, link_id, what);
    }

    fn odd(&mut self, place: &str, question: Option<&Question>, what: impl Into<String>) {
        let link_id = question.map(|question| question.link_id.as_str());
        self.findings.add(Weight::Warning, place, link_id, what);
    }

    /// What a response says of itself.
    fn frame(&mut self, response: &Value) {
        let place = "QuestionnaireResponse.status";
        match response.get("status").and_then(Value::as_str) {
            Some("completed" | "amended") => {}
            Some("in-progress" | "stopped" | "entered-in-error") => self.missing = Weight::Warning,
            Some(other) => {
                let what = format!(
                    "There is no status {other:?}: it is in-progress, completed, amended, stopped or entered-in-error."
                );
                self.wrong(place, None, what);
            }
            None => self.wrong(
                place,
                None,
                "It is not said whether the answers are complete.",
            ),
        }
        let place = "QuestionnaireResponse.questionnaire";
        let named = response.get("questionnaire").and_then(Value::as_str);
        let Some(url) = self.form.url.clone() else {
            return;
        };
        match named.map(|named| named.split_once('|').unwrap_or((named, ""))) {
            Some((other, _)) if other != url => {
                self.wrong(place, None, format!("This answers another form: {other}."));
            }
            Some((_, version))
                if !version.is_empty() && Some(version) != self.form.version.as_deref() =>
            {
                let ours = self
                    .form
                    .version
                    .as_deref()
                    .unwrap_or("one without a number");
                let what = format!(
                    "This answers version {version} of the form, and it is held against {ours}."
                );
                self.odd(place, None, what);
            }
            Some(_) => {}
            None => self.odd(place, None, "It is not said which form this answers."),
        }
    }

    fn has_time(&mut self, steps: usize) -> bool {
        let had = self.steps <= STEPS_MAX;
        self.steps += steps;
        let has = self.steps <= STEPS_MAX;
        if had && !has {
            self.wrong(
                ROOT,
                None,
                "The response is too large to be held against the form.",
            );
        }
        has
    }

    /// The items below something, each held against the questions that stand there.
    fn items(
        &mut self,
        questions: &'r [Question],
        of: &'r Value,
        place: &str,
        around: &mut Around<'r>,
    ) {
        let place = format!("{place}.item");
        if of.get("item").is_some_and(|items| !items.is_array()) {
            self.wrong(&place, None, "The answers are not a list of items.");
            return;
        }
        if around.len() > DEPTH_MAX {
            let what = format!("Answers stand in each other more than {DEPTH_MAX} deep.");
            self.wrong(&place, None, what);
            return;
        }
        let items = list(of, "item");
        if !self.has_time(items.len() + questions.len()) {
            return;
        }
        around.push(items);
        let names: BTreeMap<&str, usize> = questions
            .iter()
            .enumerate()
            .map(|(n, question)| (question.link_id.as_str(), n))
            .collect();
        let mut given: Vec<Vec<usize>> = vec![Vec::new(); questions.len()];
        let mut last = 0;
        for (n, item) in items.iter().enumerate() {
            let place = format!("{place}[{n}]");
            let Some(link_id) = item.get("linkId").and_then(Value::as_str) else {
                self.wrong(
                    &place,
                    None,
                    "This item does not say which question it answers (linkId).",
                );
                continue;
            };
            match names.get(link_id) {
                Some(at) => {
                    if *at < last {
                        let what = "This answer stands before or after others than its question does in the form.";
                        self.odd(&place, Some(&questions[*at]), what);
                    }
                    last = last.max(*at);
                    given[*at].push(n);
                }
                None => {
                    let what = if self.form.has(link_id) {
                        format!("The question {link_id:?} stands elsewhere in the form.")
                    } else {
                        format!("The form has no question {link_id:?}.")
                    };
                    self.findings
                        .add(Weight::Error, &place, Some(link_id), what);
                }
            }
        }
        for (question, given) in questions.iter().zip(given) {
            let enabled = self.asked.is_enabled(question, around);
            self.question(question, items, &given, enabled, &place, around);
        }
        around.pop();
    }

    fn question(
        &mut self,
        question: &'r Question,
        items: &'r [Value],
        given: &[usize],
        enabled: bool,
        place: &str,
        around: &mut Around<'r>,
    ) {
        let at = |n: usize| format!("{place}[{n}]");
        if !enabled {
            for n in given {
                if says_something(&items[*n]) {
                    let what = "This is answered, and by the other answers it is not asked.";
                    self.wrong(&at(*n), Some(question), what);
                }
            }
            return;
        }
        match question.kind {
            Kind::Display => {
                for n in given {
                    if says_something(&items[*n]) {
                        self.wrong(
                            &at(*n),
                            Some(question),
                            "This is a text of the form and is not answered.",
                        );
                    }
                }
            }
            Kind::Group => {
                for n in given {
                    let item = &items[*n];
                    if !list(item, "answer").is_empty() {
                        self.wrong(
                            &at(*n),
                            Some(question),
                            "This is a group of questions: it has no answer of its own.",
                        );
                    }
                    self.items(&question.questions, item, &at(*n), around);
                }
                let count = given.iter().filter(|n| says_something(&items[**n])).count();
                self.count(question, count, place, "filled in");
                if given.is_empty() {
                    self.nothing_below(question, place, around);
                }
            }
            Kind::Boolean
            | Kind::Decimal
            | Kind::Integer
            | Kind::Date
            | Kind::DateTime
            | Kind::Time
            | Kind::String
            | Kind::Text
            | Kind::Url
            | Kind::Choice
            | Kind::OpenChoice
            | Kind::Attachment
            | Kind::Reference
            | Kind::Quantity => {
                if given.len() > 1 {
                    let what = "The answers to one question stand in one item, as several answers.";
                    self.wrong(&at(given[1]), Some(question), what);
                }
                let mut count = 0;
                for n in given {
                    count += self.answers(question, &items[*n], &at(*n), around);
                }
                self.count(question, count, place, "answered");
            }
        }
    }

    /// A group that is not there at all: what has to be answered in it is missing only where the
    /// group itself has to be there.
    fn nothing_below(&mut self, question: &'r Question, place: &str, around: &mut Around<'r>) {
        if question.required && around.len() <= DEPTH_MAX && self.has_time(1) {
            around.push(&[]);
            for below in &question.questions {
                let enabled = self.asked.is_enabled(below, around);
                self.question(below, &[], &[], enabled, place, around);
            }
            around.pop();
        }
    }

    /// How often something is answered or filled in.
    fn count(&mut self, question: &Question, count: usize, place: &str, done: &str) {
        let rules = &question.rules;
        let count = count as u64;
        let min = rules.min_occurs.unwrap_or_default();
        let min = min.max(u64::from(question.required));
        if count == 0 && min > 0 {
            let what = format!("{:?} has to be {done}.", question.asked());
            self.findings
                .add(self.missing, place, Some(&question.link_id), what);
        } else if count < min {
            let what = format!(
                "{:?} is {done} {count} times; at least {min} are needed.",
                question.asked()
            );
            self.findings
                .add(self.missing, place, Some(&question.link_id), what);
        }
        if count > 1 && !question.repeats {
            let what = format!("{:?} is {done} {count} times; once fits.", question.asked());
            self.wrong(place, Some(question), what);
        } else if let Some(max) = rules.max_occurs.filter(|max| count > *max) {
            let what = format!(
                "{:?} is {done} {count} times; at most {max} fit.",
                question.asked()
            );
            self.wrong(place, Some(question), what);
        }
    }

    /// The answers of one item; how many there are.
    fn answers(
        &mut self,
        question: &'r Question,
        item: &'r Value,
        place: &str,
        around: &mut Around<'r>,
    ) -> usize {
        if item.get("item").is_some() {
            let what = "What is asked below an answer stands in that answer.";
            self.wrong(&format!("{place}.item"), Some(question), what);
        }
        let place = format!("{place}.answer");
        match item.get("answer") {
            None => return 0,
            Some(answers) if !answers.is_array() => {
                self.wrong(&place, Some(question), "The answers are not a list.");
                return 0;
            }
            Some(_) => {}
        }
        let answers = list(item, "answer");
        if !self.has_time(answers.len()) {
            return answers.len();
        }
        let mut seen: Vec<Value> = Vec::new();
        for (n, answer) in answers.iter().enumerate() {
            let place = format!("{place}[{n}]");
            match choice(answer, "value") {
                Some((element, value)) => {
                    let place = format!("{place}.value");
                    self.value(question, &element, &value, &place);
                    // Short lists only: a long one of the same would take its square.
                    if seen.len() < 100 {
                        if seen.contains(&value) {
                            self.odd(&place, Some(question), "The same answer is given twice.");
                        }
                        seen.push(value);
                    }
                }
                None => self.wrong(&place, Some(question), "The answer is empty."),
            }
            if answer.get("item").is_some() || !question.questions.is_empty() {
                self.items(&question.questions, answer, &place, around);
            }
        }
        answers.len()
    }

    fn value(&mut self, question: &Question, element: &str, value: &Value, place: &str) {
        let elements = question.elements();
        if !elements.contains(&element) {
            let what = format!(
                "The answer is a {}; it should be {}.",
                element.trim_start_matches("value"),
                question.kind.in_words()
            );
            self.wrong(place, Some(question), what);
            return;
        }
        if let Err(what) = fits(element, value) {
            self.wrong(place, Some(question), format!("The answer is not {what}."));
            return;
        }
        for what in question.rules.broken_by(value) {
            self.wrong(place, Some(question), what);
        }
        let offers = question.options.iter().any(|(name, _)| name == element);
        if offers && question.kind != Kind::OpenChoice && !is_offered(question, value) {
            self.wrong(
                place,
                Some(question),
                "The answer is none of those that are offered.",
            );
        }
        let unit = question
            .rules
            .unit
            .as_ref()
            .and_then(|unit| unit.get("code"));
        if let Some(unit) = unit
            && element == "valueQuantity"
            && value.get("code") != Some(unit)
        {
            let unit = unit.as_str().unwrap_or_default();
            self.odd(
                place,
                Some(question),
                format!("The form asks for this in {unit}."),
            );
        }
    }
}

/// Whether an answer is among those that a form offers.
pub(super) fn is_offered(question: &Question, value: &Value) -> bool {
    let mut options = question.options.iter();
    options.any(|(_, offered)| offered == value || compare(offered, value) == Some(Ordering::Equal))
}

fn says_something(item: &Value) -> bool {
    !list(item, "answer").is_empty() || list(item, "item").iter().any(says_something)
}

/// Whether a value is what its element says; what it is not, otherwise.
pub(super) fn fits(element: &str, value: &Value) -> Result<(), &'static str> {
    let (is, what) = match element {
        "valueBoolean" => (value.is_boolean(), "yes or no (true or false)"),
        "valueDecimal" => (as_decimal(value).is_some(), "a number of at most 28 digits"),
        "valueInteger" => (
            value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "a whole number",
        ),
        "valueDate" => (
            text(value).is_some_and(is_date),
            "a day, such as 2026-05-31",
        ),
        "valueDateTime" => (
            text(value).is_some_and(is_date_time),
            "a day or a day with a time and its zone, such as 2026-05-31T14:30:00Z",
        ),
        "valueTime" => (
            text(value).is_some_and(is_time),
            "a time of day, such as 14:30:00",
        ),
        "valueString" => (
            text(value).is_some_and(|text| {
                !text.trim().is_empty() && text.chars().count() <= TEXT_LEN_MAX
            }),
            "a text",
        ),
        "valueUri" => (
            text(value).is_some_and(|text| {
                !text.is_empty() && text.len() <= 4_096 && !text.contains(char::is_whitespace)
            }),
            "an address",
        ),
        "valueCoding" => (
            has_text(value, "code") || has_text(value, "display"),
            "a coding with a code or a display",
        ),
        "valueAttachment" => (is_attachment(value), "a file with its bytes or its address"),
        "valueReference" => (
            has_text(value, "reference")
                || has_text(value, "display")
                || value.get("identifier").is_some_and(Value::is_object),
            "a reference",
        ),
        "valueQuantity" => (
            value.get("value").and_then(as_decimal).is_some()
                && ["unit", "system", "code", "comparator"]
                    .into_iter()
                    .all(|name| value.get(name).is_none_or(Value::is_string)),
            "a number with its unit",
        ),
        _ => (false, "something that a form asks for"),
    };
    if is { Ok(()) } else { Err(what) }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn has_text(value: &Value, name: &str) -> bool {
    let text = value.get(name).and_then(Value::as_str);
    text.is_some_and(|text| !text.trim().is_empty())
}

fn is_attachment(value: &Value) -> bool {
    let data = value.get("data");
    let is_data = data.and_then(Value::as_str).is_some_and(|data| {
        data.starts_with("kith-blob:") || data_encoding::BASE64.decode(data.as_bytes()).is_ok()
    });
    (data.is_none() || is_data) && (is_data || has_text(value, "url") || has_text(value, "title"))
}

pub(super) fn is_date(text: &str) -> bool {
    let full = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => return false,
    };
    let plain = full.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain && full.parse::<jiff::civil::Date>().is_ok()
}

pub(super) fn is_date_time(text: &str) -> bool {
    is_date(text)
        || (text.len() <= 40 && text.contains('T') && text.parse::<jiff::Timestamp>().is_ok())
}

fn is_time(text: &str) -> bool {
    let is_whole = matches!(text.len(), 8..=15) && text.as_bytes()[2] == b':';
    is_whole && text.parse::<jiff::civil::Time>().is_ok()
}
