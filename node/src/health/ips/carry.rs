//! The copy of a resource that goes into a summary.
//!
//! Parts that no reader could take (a `null`, an attachment that is not base64, a text that is
//! kept elsewhere) are left out of the copy, and the narrative says so. References are rewritten;
//! one that leads to nothing becomes words.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    elements::Elements,
    held::{Entry, kind},
    own,
    references::{References, Target},
};

/// What copies go into.
pub(super) struct Bundle<'r> {
    pub(super) references: References<'r>,
    pub(super) elements: Elements,
    /// The full URLs of the entries.
    pub(super) full_urls: Vec<&'r str>,
    /// The full URL of the person.
    pub(super) patient_url: &'r str,
}

/// A copy on its way into a bundle.
pub(super) struct Copy {
    pub(super) value: Map<String, Value>,
    /// The entries that it leads to.
    pub(super) targets: BTreeSet<usize>,
    /// Whether a part of it was left out.
    pub(super) left_out: bool,
}

/// Copies what was received.
pub(super) fn copy(entry: &Entry<'_>, bundle: &Bundle<'_>) -> Copy {
    let mut copier = Copier {
        entry,
        bundle,
        contained: contained_ids(&entry.received),
        targets: BTreeSet::new(),
        left_out: entry.source.flagged,
    };
    let mut value = Map::new();
    value.insert("resourceType".to_owned(), Value::from(entry.kind()));
    value.insert("id".to_owned(), Value::from(own::id_of(&entry.full_url)));
    if let Value::Object(members) = &entry.received {
        for (name, member) in copier.resource(members) {
            value.entry(name).or_insert(member);
        }
    }
    Copy {
        value,
        targets: copier.targets,
        left_out: copier.left_out,
    }
}

struct Copier<'r> {
    entry: &'r Entry<'r>,
    bundle: &'r Bundle<'r>,
    contained: BTreeSet<String>,
    targets: BTreeSet<usize>,
    left_out: bool,
}

impl Copier<'_> {
    fn resource(&mut self, members: &Map<String, Value>) -> Map<String, Value> {
        let object = members.get("resourceType").and_then(Value::as_str);
        let object = object.unwrap_or_default();
        let mut copied = Map::new();
        for (name, value) in members {
            match name.as_str() {
                "text" | "_id" | "implicitRules" => {}
                "resourceType" => {
                    copied.insert(name.clone(), value.clone());
                }
                "contained" => put(&mut copied, name, self.contained(value)),
                "id" if !value.as_str().is_some_and(is_id) => {}
                "meta" => put(&mut copied, name, self.meta(value)),
                _ => put(&mut copied, name, self.member(object, name, value, members)),
            }
        }
        close_gaps(&mut copied);
        copied
    }

    /// The resources inside.
    fn contained(&mut self, value: &Value) -> Option<Value> {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        let typed = items.iter().filter(|item| is_type(kind(item)));
        let copied: Vec<Value> = typed
            .filter_map(|item| Some(Value::Object(self.resource(item.as_object()?))))
            .collect();
        self.left_out |= copied.is_empty() || copied.len() < items.len();
        (!copied.is_empty()).then_some(Value::Array(copied))
    }

    /// Without what it said of itself where it came from: profiles that the copy is not checked
    /// against and versions of another server.
    fn meta(&mut self, meta: &Value) -> Option<Value> {
        let Value::Object(members) = meta else {
            self.left_out = true;
            return None;
        };
        let told = |name: &str| matches!(name, "profile" | "versionId" | "_profile");
        let kept = members.iter().filter(|(name, _)| !told(name));
        let kept: Map<_, _> = kept
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if kept.is_empty() {
            return None;
        }
        self.value("Meta", "meta", &Value::Object(kept))
    }

    fn member(
        &mut self,
        object: &str,
        name: &str,
        value: &Value,
        beside: &Map<String, Value>,
    ) -> Option<Value> {
        if !self.bundle.elements.takes(object, name, value) {
            self.left_out = true;
            return None;
        }
        let inside = self.bundle.elements.inside(object, name);
        let item = |item: &Value| self.bundle.elements.takes_item(object, name, item);
        let aligned = name.starts_with('_') || beside.contains_key(&format!("_{name}"));
        match value {
            Value::Array(items) if aligned && !items.is_empty() => {
                let copied = items.iter().map(|one| {
                    if one.is_null() {
                        Value::Null
                    } else if item(one) {
                        self.value(&inside, name, one).unwrap_or(Value::Null)
                    } else {
                        self.left_out = true;
                        Value::Null
                    }
                });
                Some(Value::Array(copied.collect()))
            }
            Value::Array(items) => {
                let kept: Vec<Value> = items.iter().filter(|one| item(one)).cloned().collect();
                self.left_out |= kept.len() < items.len();
                self.value(&inside, name, &Value::Array(kept))
            }
            Value::Object(_)
            | Value::String(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Null => self.value(&inside, name, value),
        }
    }

    fn value(&mut self, object: &str, name: &str, value: &Value) -> Option<Value> {
        let copied = match value {
            Value::Null => None,
            Value::String(text) => self.text(name, text),
            Value::Bool(_) | Value::Number(_) => Some(value.clone()),
            Value::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .filter_map(|item| self.value(object, name, item))
                    .collect();
                (!items.is_empty()).then_some(Value::Array(items))
            }
            Value::Object(members) => self.object(object, name, members),
        };
        self.left_out |= copied.is_none();
        copied
    }

    fn text(&mut self, name: &str, text: &str) -> Option<Value> {
        let readable = !text.trim().is_empty()
            && !text.starts_with("kith-blob:")
            && (name != "data" || is_base64(text))
            && (!matches!(name, "system" | "url") || !text.contains(char::is_whitespace));
        readable.then(|| Value::from(text))
    }

    fn object(&mut self, object: &str, name: &str, members: &Map<String, Value>) -> Option<Value> {
        let mut copied = Map::new();
        for (member, value) in members {
            match (member.as_str(), value) {
                ("reference", Value::String(reference))
                    if self.bundle.elements.takes(object, member, value) =>
                {
                    self.reference(reference, members, &mut copied);
                }
                ("url", Value::String(url)) if ATTACHMENTS.contains(&name) => {
                    put(&mut copied, member, self.attachment(url));
                }
                _ => put(
                    &mut copied,
                    member,
                    self.member(object, member, value, members),
                ),
            }
        }
        close_gaps(&mut copied);
        let says = !copied.is_empty() && self.bundle.elements.has_heart(object, &copied);
        says.then_some(Value::Object(copied))
    }

    fn reference(
        &mut self,
        reference: &str,
        beside: &Map<String, Value>,
        copied: &mut Map<String, Value>,
    ) {
        if let Some(url) = self.url_of(reference) {
            copied.insert("reference".to_owned(), Value::from(url));
            return;
        }
        let spoken = ["display", "identifier"]
            .into_iter()
            .any(|name| beside.get(name).is_some_and(|value| !value.is_null()));
        if !spoken {
            let words = format!("{reference} (not in this summary)");
            copied.insert("display".to_owned(), Value::from(words));
        }
    }

    /// The full URL within the bundle.
    fn url_of(&mut self, reference: &str) -> Option<String> {
        if let Some(id) = reference.strip_prefix('#') {
            return (id.is_empty() || self.contained.contains(id)).then(|| reference.to_owned());
        }
        match self.bundle.references.resolve(reference, self.entry) {
            Target::Subject => Some(self.bundle.patient_url.to_owned()),
            Target::Entry(place) => {
                self.targets.insert(place);
                Some(self.bundle.full_urls[place].to_owned())
            }
            Target::Nothing => None,
        }
    }

    /// Where an attachment is: in the bundle, or somewhere that a URL names by itself.
    fn attachment(&mut self, url: &str) -> Option<Value> {
        let found = self.url_of(url).map(Value::from);
        let elsewhere = url.contains("://").then(|| Value::from(url));
        let kept = found.or(elsewhere);
        self.left_out |= kept.is_none();
        kept
    }
}

/// Elements of the type Attachment.
const ATTACHMENTS: [&str; 7] = [
    "attachment",
    "photo",
    "presentedForm",
    "content",
    "valueAttachment",
    "sourceAttachment",
    "image",
];

fn put(members: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        members.insert(name.to_owned(), value);
    }
}

fn contained_ids(resource: &Value) -> BTreeSet<String> {
    let contained = resource.get("contained").and_then(Value::as_array);
    let ids = contained.into_iter().flatten();
    ids.filter(|resource| is_type(kind(resource)))
        .filter_map(|resource| resource.get("id")?.as_str())
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .collect()
}

/// Whether a word can name a type of resource.
fn is_type(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Where a list and the list beside it both have nothing, nothing stands.
fn close_gaps(members: &mut Map<String, Value>) {
    let twins = members.keys().filter(|name| name.starts_with('_'));
    for twin in twins.cloned().collect::<Vec<_>>() {
        let name = twin.trim_start_matches('_').to_owned();
        let items = |members: &Map<String, Value>, name: &str| {
            members.get(name).and_then(Value::as_array).cloned()
        };
        let (Some(values), Some(beside)) = (items(members, &name), items(members, &twin)) else {
            continue;
        };
        let at = |items: &[Value], n: usize| items.get(n).cloned().unwrap_or(Value::Null);
        let pairs = (0..values.len().max(beside.len())).map(|n| (at(&values, n), at(&beside, n)));
        let (values, beside): (Vec<_>, Vec<_>) = pairs
            .filter(|(value, beside)| !value.is_null() || !beside.is_null())
            .unzip();
        for (name, items) in [(name, values), (twin, beside)] {
            if items.iter().all(Value::is_null) {
                members.shift_remove(&name);
            } else {
                members.insert(name, Value::Array(items));
            }
        }
    }
}

/// FHIR R4 `id`: 1 to 64 of `A-Z a-z 0-9 - .`.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// Whether a text is base64, with space between its parts or not (RFC 4648, 4).
fn is_base64(text: &str) -> bool {
    let mut digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let whole = digits.len().is_multiple_of(4);
    let padding = digits
        .iter()
        .rev()
        .take_while(|byte| **byte == b'=')
        .count();
    digits.truncate(digits.len() - padding);
    whole
        && padding <= 2
        && digits
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}
