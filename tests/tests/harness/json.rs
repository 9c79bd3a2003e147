//! JSON as text: token by token, so that `36.60`, the order of members and doubled members count.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The resources of a file, each without space between tokens: the entries of a Bundle, or the
/// file itself.
pub fn resources(text: &str) -> Vec<String> {
    let text = minified(text.strip_prefix('\u{feff}').unwrap_or(text));
    match member(&text, "resourceType") {
        Some("\"Bundle\"") => {
            let entries = entries(&text);
            let resources = entries.iter().filter_map(|entry| member(entry, "resource"));
            resources.map(str::to_owned).collect()
        }
        _ => vec![text],
    }
}

/// The entries of a Bundle, each as it stands there.
pub fn entries(bundle: &str) -> Vec<String> {
    let entries: Vec<&RawValue> = member(bundle, "entry")
        .map(|entries| serde_json::from_str(entries).expect("entry is a list"))
        .unwrap_or_default();
    entries.iter().map(|entry| entry.get().to_owned()).collect()
}

/// The text of a member of an object.
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let members: Members<'a> = serde_json::from_str(object).ok()?;
    members.get(name).map(|value| value.get())
}

/// Whether it is a Patient.
pub fn is_patient(resource: &str) -> bool {
    member(resource, "resourceType") == Some("\"Patient\"")
}

/// The same tokens without space between them.
pub fn minified(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if !c.is_ascii_whitespace() {
            out.push(c);
            in_string = c == '"';
        }
    }
    out
}

/// How a text begins, for people.
pub fn begin(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(120)
        .map_or(text.len(), |(end, _)| end);
    &text[..end]
}

#[test]
fn only_space_between_tokens_goes() {
    let text = "{ \"a b\" : \"c \\\" d\\\\\" ,\n \"n\": 36.60, \"n\" : 1e2 }";
    assert_eq!(
        minified(text),
        "{\"a b\":\"c \\\" d\\\\\",\"n\":36.60,\"n\":1e2}"
    );
}
