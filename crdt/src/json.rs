//! JSON kept as it was written: numbers to the last zero, order, duplicates, escapes.
//!
//! Text is only ever cut at the borders of values and freed of the space between tokens; no
//! number and no string is parsed and printed again.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Text that is not JSON, with the place where it stops being so.
#[derive(Debug, thiserror::Error)]
#[error("not JSON: {0}")]
pub struct NotJson(#[from] serde_json::Error);

/// The members of a JSON object in the order of the text, duplicates kept, each value as its own
/// text without space between tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(pub Vec<(String, String)>);

impl Members {
    /// Reads the text of one object.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        let RawMembers(members) = serde_json::from_str(text)?;
        Ok(Self(
            members
                .into_iter()
                .map(|(name, value)| (name, minify(value.get())))
                .collect(),
        ))
    }

    /// The first member of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(member, _)| member == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The text of the object, without space between tokens.
    pub fn to_text(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.0 {
            push_member(&mut text, name, value);
        }
        text.push('}');
        text
    }
}

/// Appends `"name":value`, after a comma where something stands before it.
pub fn push_member(text: &mut String, name: &str, value: &str) {
    push_name(text, name);
    text.push_str(value);
}

/// [`push_member`] of a value that may have space between its tokens.
pub(crate) fn push_minified_member(text: &mut String, name: &str, value: &str) {
    push_name(text, name);
    push_minified(text, value, usize::MAX, str::to_owned);
}

fn push_name(text: &mut String, name: &str) {
    if !text.is_empty() && !text.ends_with('{') {
        text.push(',');
    }
    if name.bytes().any(|b| b < b' ' || matches!(b, b'"' | b'\\')) {
        text.push_str(&quote(name));
    } else {
        text.push('"');
        text.push_str(name);
        text.push('"');
    }
    text.push(':');
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text of a JSON string value, or nothing when `value` is another kind.
pub fn string(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

/// The texts of an array's items, or nothing when `value` is no array.
pub fn items(value: &str) -> Option<Vec<String>> {
    let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    Some(items.iter().map(|item| minify(item.get())).collect())
}

/// Valid JSON without the space between its tokens; every token as it was.
pub fn minify(text: &str) -> String {
    minify_replacing(text, usize::MAX, str::to_owned)
}

/// Like [`minify`], with every string token longer than `len_max` bytes replaced.
pub fn minify_replacing(text: &str, len_max: usize, replace: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len().min(1 << 20));
    push_minified(&mut out, text, len_max, replace);
    out
}

fn push_minified(
    out: &mut String,
    text: &str,
    len_max: usize,
    mut replace: impl FnMut(&str) -> String,
) {
    let bytes = text.as_bytes();
    // What stands between `from` and `at` is copied in one piece.
    let (mut from, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = at + string_end(&bytes[at..]);
                if end - at > len_max {
                    out.push_str(&text[from..at]);
                    out.push_str(&replace(&text[at..end]));
                    from = end;
                }
                at = end;
            }
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(&text[from..at]);
                at += 1;
                from = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(&text[from..]);
}

/// Where the string that `text` starts with ends, after its closing quote.
fn string_end(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The members of an object as they stand in the text.
pub(crate) struct RawMembers<'a>(pub(crate) Vec<(String, &'a RawValue)>);

impl<'a> RawMembers<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, NotJson> {
        Ok(serde_json::from_str(text)?)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(member, _)| member == name);
        found.map(|(_, value)| value.get())
    }

    /// Whether a name stands more than once.
    pub(crate) fn has_duplicates(&self) -> bool {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// The text of the object, without space between tokens.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.0 {
            push_minified_member(&mut text, name, value.get());
        }
        text.push('}');
        text
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = RawMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::{Members, RawMembers, items, minify, push_member, string};

    #[test]
    fn tokens_stay_as_they_were() {
        let text = "{ \"a\" : 2.50 ,\n\t\"b c\": \" x \\\" \\u00e9 \", \"d\":[ 1E+2 , -0.0 ] }";
        assert_eq!(
            minify(text),
            "{\"a\":2.50,\"b c\":\" x \\\" \\u00e9 \",\"d\":[1E+2,-0.0]}"
        );
    }

    #[test]
    fn order_and_duplicates_are_kept() {
        let text = r#"{"b":1,"a":{"z": 4.10},"b":2}"#;
        let members = Members::parse(text).expect("JSON");
        assert_eq!(members.to_text(), r#"{"b":1,"a":{"z":4.10},"b":2}"#);
        let raw = RawMembers::parse(text).expect("JSON");
        assert_eq!(raw.to_text(), members.to_text());
        assert!(raw.has_duplicates());
        assert_eq!(members.get("b"), Some("1"));
    }

    #[test]
    fn a_name_is_escaped_where_it_must_be() {
        let mut text = String::from("{");
        for name in ["plain", "é \u{7f}", "a\"b", "c\\d", "e\nf", ""] {
            push_member(&mut text, name, "1");
        }
        assert_eq!(
            text,
            "{\"plain\":1,\"é \u{7f}\":1,\"a\\\"b\":1,\"c\\\\d\":1,\"e\\nf\":1,\"\":1"
        );
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "[]", "{", "{\"a\":}", "{} x", "nul"] {
            assert!(Members::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn items_and_strings_are_read() {
        assert_eq!(
            items("[1, {\"a\": 2}]"),
            Some(vec!["1".into(), "{\"a\":2}".into()])
        );
        assert_eq!(items("3"), None);
        assert_eq!(string("\"a\\nb\""), Some("a\nb".into()));
    }
}
