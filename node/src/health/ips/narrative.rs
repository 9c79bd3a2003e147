//! Text for people (`Narrative`, status `generated`). Everything that others wrote passes through
//! [`escape`], and nothing of their markup is ever carried.

use serde_json::{Value, json};

use super::line::Line;

/// A narrative in the making.
pub(super) struct Narrative(String);

impl Narrative {
    pub(super) fn new() -> Self {
        Self("<div xmlns=\"http://www.w3.org/1999/xhtml\">".to_owned())
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.0.push_str("<p>");
        self.0.push_str(&escape(text));
        self.0.push_str("</p>");
    }

    /// A list of entries.
    pub(super) fn list<'a>(&mut self, lines: impl IntoIterator<Item = &'a Line>) {
        let items: Vec<String> = lines.into_iter().map(item).collect();
        if !items.is_empty() {
            self.0.push_str("<ul>");
            self.0.push_str(&items.concat());
            self.0.push_str("</ul>");
        }
    }

    /// The FHIR element.
    pub(super) fn finish(mut self) -> Value {
        self.0.push_str("</div>");
        json!({"status": "generated", "div": self.0})
    }
}

fn item(line: &Line) -> String {
    let mut text = format!("<li><b>{}</b>", escape(&line.what));
    for detail in &line.details {
        text.push_str(", ");
        text.push_str(&escape(detail));
    }
    for mark in &line.marks {
        text.push_str(" <i>(");
        text.push_str(&escape(mark));
        text.push_str(")</i>");
    }
    text.push_str("</li>");
    text
}

/// Text as the content of an XHTML element: the five characters of markup escaped, characters that
/// XML 1.0 does not know left out.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}
