//! Single values: how they are compared, and what they are as numbers.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

/// The number that a JSON number says, with its digits; nothing where it has more than 28.
pub(in super::super) fn as_decimal(value: &Value) -> Option<Decimal> {
    let Value::Number(number) = value else {
        return None;
    };
    let text = number.to_string();
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
}

/// How two values of one kind stand to each other; nothing where that cannot be said, such as of
/// 2026-05 and 2026-05-03.
pub(in super::super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => Some(as_decimal(a)?.cmp(&as_decimal(b)?)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) if is_moment(a) && is_moment(b) => moments(a, b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Object(x), Value::Object(y))
            if x.contains_key("value") && y.contains_key("value") =>
        {
            let unit = |value: &Value| {
                let unit = value.get("code").or_else(|| value.get("unit"));
                unit.cloned()
            };
            if unit(a) != unit(b) {
                return None;
            }
            compare(x.get("value")?, y.get("value")?)
        }
        (Value::Object(_), Value::Object(_)) => same_coding(a, b).then_some(Ordering::Equal),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => None,
    }
}

/// Whether both are a Coding of the same code.
fn same_coding(a: &Value, b: &Value) -> bool {
    let text =
        |value: &'_ Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = text(a, "code");
    code.is_some() && code == text(b, "code") && {
        let (a, b) = (text(a, "system"), text(b, "system"));
        a == b
    }
}

/// A date or a date with a time, as FHIR writes it.
fn is_moment(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 4
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes.get(4).is_none_or(|b| *b == b'-')
        && bytes.get(7).is_none_or(|b| *b == b'-')
        && bytes.get(10).is_none_or(|b| *b == b'T')
}

fn moments(a: &str, b: &str) -> Option<Ordering> {
    if let (Ok(a), Ok(b)) = (a.parse::<Timestamp>(), b.parse::<Timestamp>()) {
        return Some(a.cmp(&b));
    }
    let common = a.len().min(b.len()).min(10);
    let (x, y) = (a.get(..common)?, b.get(..common)?);
    match x.cmp(y) {
        Ordering::Equal if a.len() == b.len() && a.len() <= 10 => Some(Ordering::Equal),
        Ordering::Equal if a == b => Some(Ordering::Equal),
        Ordering::Equal => None,
        different @ (Ordering::Less | Ordering::Greater) => Some(different),
    }
}
