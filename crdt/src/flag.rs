//! What is odd about what came in: named, kept, never repaired.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{incoming::IncomingResource, person::NHS_NUMBER_SYSTEM};

/// Something that a person may want to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// Where it stands.
    #[serde(rename = "where")]
    pub place: String,
    /// What it is, as a plain sentence.
    pub what: String,
}

/// Flags of one file are cut off here: a file of a million nulls is said to be one.
pub const FLAGS_MAX: usize = 200;

/// What is odd about a resource.
pub fn flags(resource: &IncomingResource) -> Vec<Flag> {
    let mut found = Vec::new();
    let place = Place::File(&resource.place);
    if resource.is_closed() {
        push(
            &mut found,
            &place,
            "this, or the meta of its Bundle, cannot be looked into, since it is nested more than 128 levels deep or holds text that is not Unicode; it is kept as it is, under the label private",
        );
    } else if !resource.value.is_object() {
        push(
            &mut found,
            &place,
            "this is not an object; it is kept as it is",
        );
    } else if resource.value.get("resourceType").is_none() {
        push(&mut found, &place, "this is not FHIR; it is kept as it is");
    }
    if let Some(id) = resource.native_id().filter(|id| !is_fhir_id(id)) {
        let len = id.chars().count();
        let what = format!("this id ({len} characters) is not in the form that FHIR allows");
        push(&mut found, &Place::Member(&place, "id"), &what);
    }
    walk(&resource.value, &place, &mut found);
    found.truncate(FLAGS_MAX);
    found
}

/// Where the walk is: spelled out only for what is odd.
#[derive(Clone, Copy)]
enum Place<'a> {
    File(&'a str),
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn is_file(&self) -> bool {
        matches!(self, Place::File(""))
    }

    /// Whether it stands in an element's `_` twin.
    fn is_in_twin(&self) -> bool {
        match self {
            Place::Item(list, _) => list.is_in_twin(),
            Place::Member(_, name) | Place::File(name) => {
                let last = name.rsplit('.').next();
                last.is_some_and(|name| name.starts_with('_'))
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(place) => f.write_str(place),
            Place::Member(of, name) if of.is_file() => f.write_str(name),
            Place::Member(of, name) => write!(f, "{of}.{name}"),
            Place::Item(list, n) => write!(f, "{list}[{n}]"),
        }
    }
}

fn push(found: &mut Vec<Flag>, place: &Place<'_>, what: &str) {
    found.push(Flag {
        place: match place {
            place if place.is_file() => "the file".to_owned(),
            place => place.to_string(),
        },
        what: what.to_owned(),
    });
}

/// FHIR R4 `id`: 1 to 64 of `A-Z a-z 0-9 - .`.
fn is_fhir_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

fn walk(value: &Value, place: &Place<'_>, found: &mut Vec<Flag>) {
    if found.len() >= FLAGS_MAX {
        return;
    }
    match value {
        Value::Object(members) => {
            check_object(members, place, found);
            for (name, value) in members {
                let place = Place::Member(place, name);
                if value.is_null() {
                    push(found, &place, "this has no value");
                } else {
                    walk(value, &place, found);
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                let place = Place::Item(place, n);
                if item.is_null()
                    && !place.is_in_twin()
                    && !items.iter().any(|item| !item.is_null())
                {
                    push(found, &place, "this has no value");
                }
                walk(item, &place, found);
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn check_object(
    members: &serde_json::Map<String, Value>,
    place: &Place<'_>,
    found: &mut Vec<Flag>,
) {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if text("system") == Some(NHS_NUMBER_SYSTEM)
        && let Some(number) = text("value")
        && !is_nhs_number(number)
    {
        let what = "the check digit of this NHS number is wrong; look at the source";
        push(found, &Place::Member(place, "value"), what);
    }
    let attached = text("contentType").is_some() || members.get("resourceType").is_some();
    if let Some(data) = text("data").filter(|_| attached)
        && !data.starts_with("kith-blob:")
        && data_encoding::BASE64_MIME_PERMISSIVE
            .decode(data.as_bytes())
            .is_err()
    {
        push(
            found,
            &Place::Member(place, "data"),
            "this attachment is not readable base64",
        );
    }
}

/// Ten digits with a right check digit (modulus 11, NHS Data Dictionary).
pub fn is_nhs_number(text: &str) -> bool {
    let written = text.chars().filter(|c| !matches!(c, ' ' | '-'));
    let digits: Option<Vec<u32>> = written.map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() == 10) else {
        return false;
    };
    let sum: u32 = (2..=10)
        .rev()
        .zip(&digits)
        .map(|(weight, digit)| weight * digit)
        .sum();
    match 11 - sum % 11 {
        10 => false,
        11 => digits[9] == 0,
        check => digits[9] == check,
    }
}

#[cfg(test)]
mod tests {
    use super::{flags, is_nhs_number};
    use crate::incoming::read;

    #[test]
    fn nhs_numbers_are_checked() {
        assert!(is_nhs_number("943 476 5919"));
        assert!(is_nhs_number("9876543210"));
        assert!(!is_nhs_number("9434765918"));
        assert!(!is_nhs_number("94347659"));
        assert!(!is_nhs_number("9434765919/12"));
    }

    #[test]
    fn odd_parts_are_named_where_they_stand() {
        let text = r#"{"resourceType":"Patient","id":"a:b","birthDate":null,
            "photo":[{"contentType":"image/png","data":"%%%"}]}"#;
        let file = read(text.as_bytes(), 1000).expect("JSON");
        let places: Vec<_> = flags(&file.resources[0])
            .into_iter()
            .map(|flag| flag.place)
            .collect();
        assert_eq!(places, ["id", "birthDate", "photo[0].data"]);
    }

    #[test]
    fn what_nobody_can_look_into_is_named() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let text = format!(
            r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"Flag","a":{deep}}}}}]}}"#
        );
        let file = read(text.as_bytes(), 1000).expect("JSON");
        let found = flags(&file.resources[0]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "Bundle.entry[0].resource");
        assert!(found[0].what.contains("128 levels"), "{found:?}");
    }
}
