//! Reading FHIR values: codings, words, dates. Nothing here fails; what is not there is nothing.

use serde_json::Value;

pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const ABSENT: &str = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips";

/// Every (system, code) of a CodeableConcept, a Coding or a list of them.
pub(super) fn codings(value: Option<&Value>) -> Vec<(&str, &str)> {
    match value {
        Some(Value::Array(items)) => items.iter().flat_map(|item| codings(Some(item))).collect(),
        Some(Value::Object(members)) => {
            let own = members.get("code").and_then(Value::as_str).map(|code| {
                let system = members.get("system").and_then(Value::as_str);
                (system.unwrap_or_default(), code)
            });
            own.into_iter()
                .chain(codings(members.get("coding")))
                .collect()
        }
        Some(Value::String(code)) => vec![("", code)],
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => Vec::new(),
    }
}

/// Whether one of the codings has this code.
pub(super) fn has_code(value: Option<&Value>, codes: &[&str]) -> bool {
    codings(value).iter().any(|(_, code)| codes.contains(code))
}

/// The words of a CodeableConcept: its text, a display, a code.
pub(super) fn words(value: Option<&Value>) -> Option<String> {
    let value = value?;
    if let Value::Array(items) = value {
        let words: Vec<_> = items.iter().filter_map(|item| words(Some(item))).collect();
        return (!words.is_empty()).then(|| words.join(", "));
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let coded = || {
        let codings = value.get("coding")?.as_array()?;
        let of = |name: &str| {
            codings
                .iter()
                .find_map(|coding| coding.get(name)?.as_str().filter(|text| !text.is_empty()))
        };
        of("display").or_else(|| of("code"))
    };
    text("text")
        .filter(|text| !text.is_empty())
        .or_else(|| text("display"))
        .or_else(coded)
        .or_else(|| text("code"))
        .or_else(|| value.as_str())
        .map(str::to_owned)
}

/// The code of a `status`-like element: of a code or of a CodeableConcept.
pub(super) fn code<'a>(resource: &'a Value, element: &str) -> Option<&'a str> {
    codings(resource.get(element))
        .first()
        .map(|(_, code)| *code)
}

/// When what a resource says happened, or was said, as text.
pub(super) fn date(resource: &Value) -> Option<String> {
    WHEN.into_iter()
        .find_map(|element| date_of(resource.get(element)?))
}

/// Elements that say when, what happened before when it was written down.
const WHEN: [&str; 22] = [
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "onsetDateTime",
    "onsetPeriod",
    "performedDateTime",
    "performedPeriod",
    "occurrenceDateTime",
    "occurrenceString",
    "timingDateTime",
    "timingPeriod",
    "period",
    "dateTime",
    "date",
    "authoredOn",
    "authored",
    "recordedDate",
    "dateAsserted",
    "recordedOn",
    "issued",
    "started",
    "created",
];

fn date_of(value: &Value) -> Option<String> {
    let end = |name: &str| value.get(name).and_then(Value::as_str);
    match (value.as_str(), end("start"), end("end")) {
        (Some(text), _, _) => Some(text.to_owned()),
        (None, Some(start), Some(end)) => Some(format!("{start} to {end}")),
        (None, Some(start), None) => Some(format!("since {start}")),
        (None, None, Some(end)) => Some(format!("until {end}")),
        (None, None, None) => None,
    }
}

/// The value of a choice element such as `value[x]`, with the name that it stands under.
pub(super) fn choice<'a>(resource: &'a Value, element: &str) -> Option<(&'a str, &'a Value)> {
    let members = resource.as_object()?;
    members.iter().find_map(|(name, value)| {
        let suffix = name.strip_prefix(element)?;
        suffix
            .starts_with(|first: char| first.is_ascii_uppercase())
            .then_some((name.as_str(), value))
    })
}

/// `value[x]` in words, numbers as they were written.
pub(super) fn value_words(resource: &Value) -> Option<String> {
    let (_, value) = choice(resource, "value")?;
    value_of(value)
}

fn value_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Object(_) => quantity(value)
            .or_else(|| range(value, "low", "high", " to "))
            .or_else(|| range(value, "numerator", "denominator", " / "))
            .or_else(|| date_of(value))
            .or_else(|| words(Some(value))),
        Value::Array(_) | Value::Null => None,
    }
}

fn range(value: &Value, low: &str, high: &str, between: &str) -> Option<String> {
    let (low, high) = (value.get(low), value.get(high));
    let parts: Vec<_> = [low, high]
        .into_iter()
        .flatten()
        .filter_map(quantity)
        .collect();
    (!parts.is_empty()).then(|| parts.join(between))
}

/// A Quantity in words.
pub(super) fn quantity(value: &Value) -> Option<String> {
    let Value::Number(number) = value.get("value")? else {
        return None;
    };
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let comparator = text("comparator").unwrap_or_default();
    let unit = text("unit").or_else(|| text("code")).unwrap_or_default();
    let space = if unit.is_empty() { "" } else { " " };
    Some(format!("{comparator}{number}{space}{unit}"))
}
