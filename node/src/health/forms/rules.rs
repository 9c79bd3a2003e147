//! Bounds on a single answer.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    form::{CORE, choice, extension},
    path::{as_decimal, compare},
};

/// The longest pattern that is tried, in bytes.
const PATTERN_LEN_MAX: usize = 1_000;
/// What a pattern may take once it is understood, in bytes.
const PATTERN_SIZE_MAX: usize = 1 << 20;

/// Bounds on an answer.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Characters, at least.
    pub min_length: Option<u64>,
    /// Characters, at most.
    pub max_length: Option<u64>,
    /// The least.
    pub min: Option<Value>,
    /// The most.
    pub max: Option<Value>,
    /// Digits behind the point, at most.
    pub max_decimal_places: Option<u64>,
    /// Answers, at least.
    pub min_occurs: Option<u64>,
    /// Answers, at most.
    pub max_occurs: Option<u64>,
    /// Its unit: a Coding.
    pub unit: Option<Value>,
    pattern: Option<Pattern>,
}

#[derive(Clone, Debug)]
enum Pattern {
    Of(String, Box<Regex>),
    NotUnderstood(String),
}

impl Rules {
    pub(super) fn read(item: &Value, extensions: &[Value]) -> Self {
        let said = |name: &str| {
            let found = extension(extensions, &format!("{CORE}{name}"))?;
            choice(found, "value").map(|(_, value)| value)
        };
        let number = |name: &str| said(name).as_ref().and_then(Value::as_u64);
        let pattern = said("regex").and_then(|value| Some(Pattern::of(value.as_str()?)));
        Self {
            min_length: number("minLength"),
            max_length: item.get("maxLength").and_then(Value::as_u64),
            min: said("minValue"),
            max: said("maxValue"),
            max_decimal_places: number("maxDecimalPlaces"),
            min_occurs: number("questionnaire-minOccurs"),
            max_occurs: number("questionnaire-maxOccurs"),
            unit: said("questionnaire-unit"),
            pattern,
        }
    }

    pub(super) fn pattern_not_understood(&self) -> Option<&str> {
        match &self.pattern {
            Some(Pattern::NotUnderstood(why)) => Some(why),
            Some(Pattern::Of(..)) | None => None,
        }
    }

    /// What an answer breaks, in sentences.
    pub(super) fn broken_by(&self, value: &Value) -> Vec<String> {
        let mut broken = Vec::new();
        if let Value::String(text) = value {
            let len = text.chars().count() as u64;
            if let Some(max) = self.max_length.filter(|max| len > *max) {
                broken.push(format!(
                    "The answer has {len} characters; at most {max} fit."
                ));
            }
            if let Some(min) = self.min_length.filter(|min| len < *min) {
                broken.push(format!(
                    "The answer has {len} characters; at least {min} are needed."
                ));
            }
            if let Some(Pattern::Of(text_of, regex)) = &self.pattern
                && !regex.is_match(text)
            {
                broken.push(format!(
                    "The answer does not have the form that is asked for ({text_of})."
                ));
            }
        }
        let less = |bound: &Value| compare(value, bound).is_some_and(std::cmp::Ordering::is_lt);
        let more = |bound: &Value| compare(value, bound).is_some_and(std::cmp::Ordering::is_gt);
        if let Some(min) = self.min.as_ref().filter(|min| less(min)) {
            broken.push(format!("The answer is less than {}.", shown(min)));
        }
        if let Some(max) = self.max.as_ref().filter(|max| more(max)) {
            broken.push(format!("The answer is more than {}.", shown(max)));
        }
        let amount = value.get("value").unwrap_or(value);
        if let (Some(places), Some(number)) = (self.max_decimal_places, as_decimal(amount))
            && u64::from(number.normalize().scale()) > places
        {
            broken.push(format!(
                "The answer has more than {places} digits behind the point."
            ));
        }
        broken
    }
}

/// A bound in words.
fn shown(bound: &Value) -> String {
    match bound {
        Value::String(text) => text.clone(),
        Value::Object(amount) => {
            let unit = amount.get("unit").or_else(|| amount.get("code"));
            let unit = unit.and_then(Value::as_str).unwrap_or_default();
            let value = amount.get("value").map(ToString::to_string);
            format!("{} {unit}", value.unwrap_or_default())
                .trim()
                .to_owned()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => bound.to_string(),
    }
}

impl Pattern {
    fn of(text: &str) -> Self {
        if text.len() > PATTERN_LEN_MAX {
            return Self::NotUnderstood(format!("it is longer than {PATTERN_LEN_MAX} bytes"));
        }
        // The whole answer has to fit (FHIR, extension regex).
        let whole = format!("^(?:{text})$");
        let built = RegexBuilder::new(&whole)
            .size_limit(PATTERN_SIZE_MAX)
            .dfa_size_limit(PATTERN_SIZE_MAX)
            .nest_limit(50)
            .build();
        match built {
            Ok(regex) => Self::Of(text.to_owned(), Box::new(regex)),
            Err(regex::Error::CompiledTooBig(_)) => {
                Self::NotUnderstood("it is too large".to_owned())
            }
            Err(_) => Self::NotUnderstood(format!("{text:?}")),
        }
    }
}
