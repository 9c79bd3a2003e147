//! A form of a page: what is filled in already, what somebody fills in, and its buttons.

use super::{
    Page, Visitor,
    html::{attributes, tags, text_of, unescaped},
};

/// A form, as it is filled in.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub has_files: bool,
    fields: Vec<(String, String)>,
    /// What stands on each button, and what pressing it adds.
    buttons: Vec<(String, Option<(String, String)>)>,
}

/// The value of an attribute.
fn of(attributes: &[(String, String)], name: &str) -> Option<String> {
    let mut attributes = attributes.iter();
    let found = attributes.find(|(said, _)| said == name);
    found.map(|(_, value)| value.clone())
}

impl Form {
    /// Each form of a page.
    pub fn all(html: &str) -> Vec<Self> {
        let parts = html.split("<form").skip(1);
        parts
            .filter_map(|part| {
                let (tag, rest) = part.split_once('>')?;
                let (inside, _) = rest.split_once("</form>")?;
                Some(Self::read(tag, inside))
            })
            .collect()
    }

    fn read(tag: &str, inside: &str) -> Self {
        let own = attributes(&format!("form{tag}"));
        Self {
            action: of(&own, "action").unwrap_or_default(),
            has_files: of(&own, "enctype").is_some(),
            fields: [inputs(inside), selects(inside), texts(inside)].concat(),
            buttons: buttons(inside),
        }
    }

    /// Whether these words stand on one of its buttons.
    pub fn has(&self, button: &str) -> bool {
        self.buttons.iter().any(|(label, _)| label == button)
    }

    /// What is in a field.
    pub fn value(&self, name: &str) -> String {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Fills in a field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What is sent when a button is pressed, with some fields filled in.
    #[track_caller]
    pub fn filled(&self, fields: &[(&str, &str)], button: &str) -> Vec<(String, String)> {
        let filled = fields
            .iter()
            .fold(self.clone(), |form, (name, value)| form.with(name, value));
        let pressed = self.buttons.iter().find(|(label, _)| label == button);
        let (_, adds) = pressed.unwrap_or_else(|| panic!("no button {button:?} in {self:?}"));
        filled.fields.into_iter().chain(adds.clone()).collect()
    }

    /// Presses a button, and looks at where it leads.
    #[track_caller]
    pub fn press(mut self, visitor: &Visitor, button: &str) -> Page {
        let pressed = self.buttons.iter().find(|(label, _)| label == button);
        let (_, adds) = pressed.unwrap_or_else(|| panic!("no button {button:?} in {self:?}"));
        self.fields.extend(adds.clone());
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = if self.has_files {
            let (kind, body) = multipart(&fields, &[]);
            visitor.send(&self.action, &kind, &body)
        } else {
            visitor.post(&self.action, &fields)
        };
        visitor.follow(self.action.clone(), answer)
    }
}

/// A file in a form: its field, its name and its bytes.
pub type Uploaded<'f> = (&'f str, &'f str, &'f [u8]);

/// A form with files, as browsers write it: what it is, and its bytes.
pub fn multipart(fields: &[(&str, &str)], files: &[Uploaded<'_>]) -> (String, Vec<u8>) {
    const BOUNDARY: &str = "----kith-tests-7MA4YWxkTrZu0gW";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend(part.into_bytes());
    }
    for (field, name, bytes) in files {
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; \
             filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(part.into_bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

fn inputs(inside: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for tag in tags(inside, "input") {
        let own = attributes(tag);
        let kind = of(&own, "type").unwrap_or_default();
        let is_chosen = of(&own, "checked").is_some();
        if (["checkbox", "radio"].contains(&kind.as_str()) && !is_chosen) || kind == "file" {
            continue;
        }
        if let Some(name) = of(&own, "name") {
            fields.push((name, of(&own, "value").unwrap_or_default()));
        }
    }
    fields
}

/// Of each list the first choice, which is what a browser sends unasked.
fn selects(inside: &str) -> Vec<(String, String)> {
    let parts = inside.split("<select").skip(1);
    parts
        .filter_map(|part| {
            let (tag, rest) = part.split_once('>')?;
            let name = of(&attributes(&format!("select{tag}")), "name")?;
            let first = tags(rest, "option").into_iter().next()?;
            Some((name, of(&attributes(first), "value").unwrap_or_default()))
        })
        .collect()
}

fn texts(inside: &str) -> Vec<(String, String)> {
    let parts = inside.split("<textarea").skip(1);
    parts
        .filter_map(|part| {
            let (tag, rest) = part.split_once('>')?;
            let (text, _) = rest.split_once("</textarea>")?;
            let name = of(&attributes(&format!("textarea{tag}")), "name")?;
            Some((name, unescaped(text)))
        })
        .collect()
}

fn buttons(inside: &str) -> Vec<(String, Option<(String, String)>)> {
    let parts = inside.split("<button").skip(1);
    parts
        .filter_map(|part| {
            let (tag, rest) = part.split_once('>')?;
            let (label, _) = rest.split_once("</button>")?;
            let own = attributes(&format!("button{tag}"));
            let adds = of(&own, "name").zip(of(&own, "value"));
            Some((text_of(label), adds))
        })
        .collect()
}
