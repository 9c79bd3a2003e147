//! An International Patient Summary on paper, with its FHIR JSON inside.

use serde_json::Value;

use super::{Attachment, Paper, PaperError};

/// The paper of a summary bundle: what its own narrative says, and the bundle itself as a file.
///
/// # Errors
/// When the file cannot be made.
pub fn summary(bundle: &Value, person: &[(String, String)]) -> Result<Vec<u8>, PaperError> {
    let composition = bundle.pointer("/entry/0/resource").unwrap_or(&Value::Null);
    let said = |name: &str| composition.get(name).and_then(Value::as_str);
    let made = said("date").unwrap_or_default();
    let mut paper = Paper::new(&format!("Patient summary, made {made}"))?;
    paper.title(said("title").unwrap_or("Patient summary"));
    for (name, value) in person {
        paper.paragraph(&format!("{name}: {value}"));
    }
    paper.small(&format!(
        "Made {made}. It tells what one node held then: what was not shared with it or had not arrived is not in it."
    ));
    let sections = composition.get("section").and_then(Value::as_array);
    for section in sections.into_iter().flatten() {
        let title = section.get("title").and_then(Value::as_str);
        paper.heading(title.unwrap_or("Section"));
        let div = section.pointer("/text/div").and_then(Value::as_str);
        for part in parts(div.unwrap_or_default()) {
            match part {
                Part::Paragraph(text) => paper.paragraph(&text),
                Part::Item(what, details) => paper.item(&what, &details),
            }
        }
    }
    let json = serde_json::to_vec_pretty(bundle);
    let json = json.map_err(|why| PaperError::File(why.to_string()))?;
    let inside = Attachment {
        name: "summary.json",
        media_type: "application/fhir+json",
        what: "The same summary as FHIR R4 (International Patient Summary)",
        bytes: json,
    };
    paper.finish("Patient summary", made, vec![inside])
}

/// A part of a narrative that this node made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Paragraph(String),
    /// What stands in bold, and the rest.
    Item(String, String),
}

/// The paragraphs and items of a narrative as this node makes it: `p`, `li`, `b` and `i`.
pub(super) fn parts(div: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = div;
    while let Some((at, is_item)) = next(rest) {
        let (open, close) = if is_item {
            ("<li>", "</li>")
        } else {
            ("<p>", "</p>")
        };
        let inside = &rest[at + open.len()..];
        let end = inside.find(close).unwrap_or(inside.len());
        let text = &inside[..end];
        parts.push(if is_item {
            let (what, details) = text.split_once("</b>").unwrap_or((text, ""));
            let details = plain(details);
            let details = details.trim_start_matches([',', ' ']);
            Part::Item(plain(what), details.to_owned())
        } else {
            Part::Paragraph(plain(text))
        });
        rest = inside.get(end..).unwrap_or_default();
    }
    parts
}

/// Where the next part begins, and whether it is an item.
fn next(text: &str) -> Option<(usize, bool)> {
    match (text.find("<p>"), text.find("<li>")) {
        (Some(p), Some(li)) => Some((p.min(li), li < p)),
        (Some(p), None) => Some((p, false)),
        (None, Some(li)) => Some((li, true)),
        (None, None) => None,
    }
}

/// Without tags, and with what was escaped as it was.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            c => plain.push(c),
        }
    }
    let escaped = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    for (as_written, character) in escaped {
        plain = plain.replace(as_written, character);
    }
    plain
}
