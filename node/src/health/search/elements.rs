//! The elements by which FHIR R4 searches (those of IPA 1.1.0), as they stand in a resource.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a value is searched as. Places are stored: a new one is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Param {
    /// Whom it is about: the reference as written.
    Patient,
    /// What it is: `code`, or the medicine or vaccine.
    Code,
    /// `category`.
    Category,
    /// `status`.
    Status,
    /// `clinicalStatus`.
    ClinicalStatus,
    /// `verificationStatus`.
    VerificationStatus,
    /// `type`.
    Type,
    /// `intent`.
    Intent,
    /// The media type of a document.
    ContentType,
    /// `gender`.
    Gender,
    /// `identifier`.
    Identifier,
    /// A family name.
    Family,
    /// A given name.
    Given,
    /// Any part of a name.
    Name,
    /// When it was, was done or was written.
    Date,
    /// When a condition began.
    OnsetDate,
    /// When a medicine was prescribed.
    AuthoredOn,
    /// The time that a document is about.
    Period,
    /// `birthDate`.
    BirthDate,
}

/// A code, an identifier or a reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Token {
    /// What it is searched as.
    pub param: Param,
    /// Its system, as written.
    pub system: Option<String>,
    /// The code, value or reference, as written.
    pub code: String,
}

/// Words in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Words {
    /// What they are searched as.
    pub param: Param,
    /// The words.
    pub text: String,
}

/// A stretch of time, milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// What it is searched as.
    pub param: Param,
    /// Its first moment; nothing where it has always been.
    pub from_ms: Option<i64>,
    /// The moment after its last; nothing where it goes on.
    pub to_ms: Option<i64>,
}

/// What was found in the versions of one resource.
#[derive(Default)]
pub(super) struct Found {
    pub(super) tokens: BTreeSet<Token>,
    pub(super) words: BTreeSet<Words>,
    pub(super) spans: BTreeSet<Span>,
}

impl Found {
    pub(super) fn add(&mut self, resource: &Value) {
        for place in ["/subject/reference", "/patient/reference"] {
            self.code(Param::Patient, resource.pointer(place));
        }
        for (param, element) in [
            (Param::Status, "status"),
            (Param::Intent, "intent"),
            (Param::Gender, "gender"),
        ] {
            self.code(param, resource.get(element));
        }
        for (param, element) in [
            (Param::Code, "code"),
            (Param::Code, "medicationCodeableConcept"),
            (Param::Code, "vaccineCode"),
            (Param::Category, "category"),
            (Param::ClinicalStatus, "clinicalStatus"),
            (Param::VerificationStatus, "verificationStatus"),
            (Param::Type, "type"),
        ] {
            for concept in each(resource.get(element)) {
                self.concept(param, concept);
            }
        }
        for identifier in each(resource.get("identifier")) {
            self.token(Param::Identifier, identifier, "value");
        }
        for content in each(resource.get("content")) {
            let media = content.pointer("/attachment/contentType");
            self.code(Param::ContentType, media);
        }
        for name in each(resource.get("name")) {
            self.name(name);
        }
        self.times(resource);
    }

    fn times(&mut self, resource: &Value) {
        for (param, element) in [
            (Param::Date, "effectiveDateTime"),
            (Param::Date, "effectiveInstant"),
            (Param::Date, "effectivePeriod"),
            (Param::Date, "effectiveTiming"),
            (Param::Date, "occurrenceDateTime"),
            (Param::Date, "occurrencePeriod"),
            (Param::Date, "performedDateTime"),
            (Param::Date, "performedPeriod"),
            (Param::Date, "period"),
            (Param::Date, "date"),
            (Param::OnsetDate, "onsetDateTime"),
            (Param::OnsetDate, "onsetPeriod"),
            (Param::AuthoredOn, "authoredOn"),
            (Param::BirthDate, "birthDate"),
        ] {
            self.time(param, resource.get(element));
        }
        self.time(Param::Period, resource.pointer("/context/period"));
        if resource.get("resourceType").and_then(Value::as_str) == Some("AllergyIntolerance") {
            self.time(Param::Date, resource.get("recordedDate"));
        }
    }

    /// A time, a Period, or the outermost bounds of a Timing.
    fn time(&mut self, param: Param, value: Option<&Value>) {
        let Some(value) = value else {
            return;
        };
        let bound = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).and_then(span);
        let (from_ms, to_ms) = if let Some(text) = value.as_str() {
            let at = span(text);
            (at.map(|at| at.0), at.map(|at| at.1))
        } else if let Some(events) = value.get("event").and_then(Value::as_array) {
            let events = events.iter().filter_map(Value::as_str).filter_map(span);
            let (from, to): (Vec<_>, Vec<_>) = events.unzip();
            (from.into_iter().min(), to.into_iter().max())
        } else {
            let period = value.pointer("/repeat/boundsPeriod").unwrap_or(value);
            let from = bound(period, "start").map(|start| start.0);
            (from, bound(period, "end").map(|end| end.1))
        };
        if from_ms.is_some() || to_ms.is_some() {
            self.spans.insert(Span {
                param,
                from_ms,
                to_ms,
            });
        }
    }

    fn concept(&mut self, param: Param, concept: &Value) {
        self.text(param, concept.get("text"));
        for coding in each(concept.get("coding")) {
            self.token(param, coding, "code");
            self.text(param, coding.get("display"));
        }
    }

    fn name(&mut self, name: &Value) {
        self.text(Param::Name, name.get("text"));
        if name.is_string() {
            self.text(Param::Name, Some(name));
        }
        for (param, element) in [
            (Some(Param::Family), "family"),
            (Some(Param::Given), "given"),
            (None, "prefix"),
            (None, "suffix"),
        ] {
            for part in each(name.get(element)) {
                self.text(Param::Name, Some(part));
                if let Some(param) = param {
                    self.text(param, Some(part));
                }
            }
        }
    }

    fn token(&mut self, param: Param, of: &Value, element: &str) {
        let system = of.get("system").and_then(Value::as_str).map(str::to_owned);
        if let Some(code) = of.get(element).and_then(Value::as_str) {
            self.tokens.insert(Token {
                param,
                system,
                code: code.to_owned(),
            });
        }
    }

    fn code(&mut self, param: Param, code: Option<&Value>) {
        if let Some(code) = code.and_then(Value::as_str) {
            self.tokens.insert(Token {
                param,
                system: None,
                code: code.to_owned(),
            });
        }
    }

    fn text(&mut self, param: Param, text: Option<&Value>) {
        let text = text.and_then(Value::as_str).map(str::to_lowercase);
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            self.words.insert(Words { param, text });
        }
    }
}

/// The items of a list; something that stands alone is a list of one.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter()
}

/// The first moment of a FHIR date, dateTime or instant and the moment after its last, in
/// milliseconds since 1970 UTC. What is written without a zone is taken as UTC.
pub fn span(text: &str) -> Option<(i64, i64)> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        let from = moment.as_millisecond();
        return Some((from, from + if text.contains('.') { 1 } else { 1000 }));
    }
    let (first, step) = match text.len() {
        4 => (format!("{text}-01-01"), 1.year()),
        7 => (format!("{text}-01"), 1.month()),
        _ => (text.get(..10)?.to_owned(), 1.day()),
    };
    let first: Date = first.parse().ok()?;
    let ms = |date: Date| {
        let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(midnight.as_millisecond())
    };
    Some((ms(first)?, ms(first.checked_add(step).ok()?)?))
}
