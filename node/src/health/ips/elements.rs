//! Which elements FHIR R4 gives to an object, so that what no reader could take stays out of a
//! summary: elements that do not exist, lists in place of values, dates that are none.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The table.
const TABLE: &str = include_str!("elements.txt");

/// What every object has.
const EVERYWHERE: [Element; 3] = [
    Element::new("id", false, "string"),
    Element::new("extension", true, "Extension"),
    Element::new("modifierExtension", true, "Extension"),
];

/// What gives some objects their meaning: without it they say nothing.
const HEART: [(&str, &str); 2] = [("Extension", "url"), ("Annotation", "text")];

/// The elements of objects by type or path.
pub(super) struct Elements(BTreeMap<&'static str, Vec<Element>>);

/// One element of an object.
#[derive(Debug)]
struct Element {
    /// Its name, without `[x]`.
    name: &'static str,
    is_choice: bool,
    is_list: bool,
    /// Its type, where there is one.
    kind: Option<&'static str>,
}

impl Elements {
    /// Reads the table.
    pub(super) fn of_r4() -> Self {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let objects = lines.filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.map(Element::parse).collect()))
        });
        Self(objects.collect())
    }

    /// Under which name the elements of a value stand in the table.
    pub(super) fn inside(&self, object: &str, member: &str) -> String {
        if member.starts_with('_') {
            return "Element".to_owned();
        }
        match self.find(object, member) {
            Some(element) if element.is_choice => suffix(element, member).to_owned(),
            Some(Element {
                kind: Some(kind), ..
            }) if *kind != "*" => (*kind).to_owned(),
            Some(_) | None => format!("{object}.{member}"),
        }
    }

    /// Whether a reader of R4 can take a member of an object. Of objects that are not in the
    /// table, everything is taken.
    pub(super) fn takes(&self, object: &str, member: &str, value: &Value) -> bool {
        if !self.0.contains_key(object) {
            return true;
        }
        let name = member.strip_prefix('_').unwrap_or(member);
        match self.find(object, name) {
            Some(element) if member.starts_with('_') => {
                if element.is_list {
                    value.is_array()
                } else {
                    value.is_object()
                }
            }
            Some(element) => element.takes(name, value),
            None => false,
        }
    }

    /// Whether an object has what it would say nothing without.
    pub(super) fn has_heart(&self, object: &str, members: &Map<String, Value>) -> bool {
        let needed = HEART.iter().find(|(name, _)| *name == object);
        needed.is_none_or(|(_, heart)| {
            members.contains_key(*heart) || members.contains_key(&format!("_{heart}"))
        })
    }

    /// Whether a reader can take one item of a list that it takes.
    pub(super) fn takes_item(&self, object: &str, member: &str, item: &Value) -> bool {
        if member.starts_with('_') {
            return item.is_null() || item.is_object();
        }
        let element = self.find(object, member);
        element.is_none_or(|element| is_of(element.kind, item))
    }

    fn find(&self, object: &str, member: &str) -> Option<&Element> {
        let elements = self.0.get(object)?;
        let mut known = elements.iter().chain(&EVERYWHERE);
        known.find(|element| element.is(member))
    }
}

impl Element {
    const fn new(name: &'static str, is_list: bool, kind: &'static str) -> Self {
        Self {
            name,
            is_choice: false,
            is_list,
            kind: Some(kind),
        }
    }

    fn parse(word: &'static str) -> Self {
        let (name, kind) = match word.split_once(':') {
            Some((name, kind)) => (name, Some(kind)),
            None => (word, None),
        };
        let bare = name.trim_end_matches('*');
        Self {
            name: bare.trim_end_matches("[x]"),
            is_choice: bare.ends_with("[x]"),
            is_list: bare.len() < name.len(),
            kind,
        }
    }

    fn is(&self, member: &str) -> bool {
        if self.is_choice {
            suffix(self, member).starts_with(|first: char| first.is_ascii_uppercase())
        } else {
            self.name == member
        }
    }

    fn takes(&self, member: &str, value: &Value) -> bool {
        let kind = if self.is_choice {
            Some(suffix(self, member))
        } else {
            self.kind
        };
        if self.is_list {
            value.is_array()
        } else {
            is_of(kind, value)
        }
    }
}

/// The type that the name of a choice ends with: `Quantity` of `valueQuantity`.
fn suffix<'m>(element: &Element, member: &'m str) -> &'m str {
    member.strip_prefix(element.name).unwrap_or_default()
}

/// Whether a value has the form of a type. An item that is `null` is dealt with elsewhere.
fn is_of(kind: Option<&str>, value: &Value) -> bool {
    let (Some(kind), false) = (kind, value.is_null()) else {
        return true;
    };
    let text = value.as_str();
    match kind {
        "boolean" | "Boolean" => value.is_boolean(),
        "integer" | "Integer" | "positiveInt" | "PositiveInt" | "unsignedInt" | "UnsignedInt" => {
            value.is_i64() || value.is_u64()
        }
        "decimal" | "Decimal" => value.is_number(),
        "date" | "Date" => text.is_some_and(is_date),
        "dateTime" | "DateTime" => text.is_some_and(|text| is_date(text) || is_instant(text)),
        "instant" | "Instant" => text.is_some_and(is_instant),
        "code" | "Code" => text.is_some_and(is_code),
        "uri" | "Uri" | "url" | "Url" | "canonical" | "Canonical" | "id" | "Id" => {
            text.is_some_and(|text| !text.contains(char::is_whitespace))
        }
        "string" | "String" | "markdown" | "Markdown" | "time" | "Time" | "base64Binary"
        | "Base64Binary" => text.is_some(),
        _ => value.is_object(),
    }
}

/// No space around it and one at a time inside it.
fn is_code(text: &str) -> bool {
    text.split(' ').all(|word| !word.is_empty()) && !text.contains(['\t', '\n', '\r'])
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    ["0000", "0000-00", "0000-00-00"]
        .into_iter()
        .any(|form| has_form(text, form))
}

/// `YYYY-MM-DDThh:mm:ss`, parts of a second, and a zone.
fn is_instant(text: &str) -> bool {
    let Some((time, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        Some(parts) => {
            let zone = parts.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if zone.len() == parts.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    let zoned = zone == "Z" || has_form(zone, "+00:00") || has_form(zone, "-00:00");
    has_form(time, "0000-00-00T00:00:00") && zoned
}

/// Whether a text has a digit wherever the form has `0`, and is like it elsewhere.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, like)| {
            byte == like && like != b'0' || like == b'0' && byte.is_ascii_digit()
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Elements, is_date, is_instant};

    #[test]
    fn elements_and_forms_are_those_of_r4() {
        let r4 = Elements::of_r4();
        assert!(r4.takes("Patient", "active", &json!(true)));
        assert!(!r4.takes("Patient", "active", &json!("true")));
        assert!(!r4.takes("Patient", "colour", &json!("blue")));
        assert!(!r4.takes("Patient", "name", &json!({"family": "x"})));
        assert!(r4.takes("Patient", "_birthDate", &json!({"id": "x"})));
        assert!(r4.takes("Observation", "valueQuantity", &json!({"value": 1})));
        assert!(!r4.takes("Observation", "valueQuantity", &json!(1)));
        assert!(r4.takes("Zebra", "stripes", &json!(12)));
    }

    #[test]
    fn an_extension_without_its_name_says_nothing() {
        let r4 = Elements::of_r4();
        let named = json!({"url": "http://example.org/x", "valueCode": "y"});
        assert!(r4.has_heart("Extension", named.as_object().expect("an object")));
        assert!(!r4.has_heart("Extension", &serde_json::Map::new()));
        assert!(!r4.takes("Patient.contact", "extension", &json!({})));
    }

    #[test]
    fn what_is_inside_is_found_by_type_or_path() {
        let r4 = Elements::of_r4();
        assert_eq!(r4.inside("Observation", "valueQuantity"), "Quantity");
        assert_eq!(r4.inside("Patient", "name"), "HumanName");
        assert_eq!(r4.inside("Patient", "contact"), "Patient.contact");
        assert!(!r4.takes("Patient.contact", "nickname", &json!("x")));
    }

    #[test]
    fn partial_dates_are_dates_and_others_are_not() {
        for date in ["1950", "1950-02", "1950-02-03"] {
            assert!(is_date(date), "{date}");
        }
        for date in ["", "50", "1950-2", "3.2.1950", "1950-02-03T"] {
            assert!(!is_date(date), "{date}");
        }
        assert!(is_instant("2026-01-31T09:30:00Z"));
        assert!(is_instant("2026-01-31T09:30:00.123+01:00"));
        assert!(!is_instant("2026-01-31T09:30:00"));
        assert!(!is_instant("2026-01-31T09:30:00.Z"));
    }
}
