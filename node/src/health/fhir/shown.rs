//! A resource as an app is shown it: its content as it was written, under the id, version and time
//! that it has on this server, with references that lead somewhere.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::names::Names;

/// What is known of a resource beside its content.
pub struct Shown<'s> {
    /// Its type.
    pub kind: &'s str,
    /// Its id on this server.
    pub id: &'s str,
    /// Its version: see [`version_of`].
    pub version: &'s str,
    /// When it was written last, milliseconds since 1970 UTC.
    pub updated_ms: u64,
    /// What is to be known of it, as codes and words.
    pub tags: Vec<(&'static str, String)>,
    /// The element that says whom it is about.
    pub subject: Option<&'static str>,
    /// `Patient/id` of the record's person, where that is known.
    pub person: Option<&'s str>,
    /// The import that it came with.
    pub batch: (u64, u32),
    /// What its references may lead to.
    pub names: &'s Names,
}

/// Of tags that kith puts on what it shows.
pub const TAG_SYSTEM: &str = "urn:kith:mark";
const ABSENT_URL: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
const BLOB: &str = "kith-blob:";

/// The version of a content: equal content has an equal version on every node.
pub fn version_of(text: &str) -> String {
    const LEN: usize = 16;
    blake3::hash(text.as_bytes()).to_hex()[..LEN].to_owned()
}

/// A time as FHIR writes an instant.
pub fn instant(time_ms: u64) -> String {
    let time = i64::try_from(time_ms).ok();
    let time = time.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let time = time.unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

impl Shown<'_> {
    /// The resource; nothing where the text is none.
    pub fn of(&self, text: &str) -> Option<Value> {
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return None;
        };
        let mut shown = Map::new();
        shown.insert("resourceType".to_owned(), json!(self.kind));
        shown.insert("id".to_owned(), json!(self.id));
        shown.insert("meta".to_owned(), self.meta(members.get("meta")));
        for (name, value) in members {
            if !["resourceType", "id", "meta"].contains(&name.as_str()) {
                shown.insert(name, value);
            }
        }
        let mut shown = Value::Object(shown);
        if let (Some(element), Some(person)) = (self.subject, self.person) {
            self.fill(&mut shown, element, person);
        }
        self.walk(&mut shown);
        Some(shown)
    }

    fn meta(&self, received: Option<&Value>) -> Value {
        let mut meta = Map::new();
        meta.insert("versionId".to_owned(), json!(self.version));
        meta.insert("lastUpdated".to_owned(), json!(instant(self.updated_ms)));
        if let Some(Value::Object(received)) = received {
            for (name, value) in received {
                let is_own = ["versionId", "_versionId", "lastUpdated", "_lastUpdated"];
                if !is_own.contains(&name.as_str()) {
                    meta.insert(name.clone(), value.clone());
                }
            }
        }
        if !self.tags.is_empty() {
            let tags = meta.entry("tag").or_insert_with(|| json!([]));
            if let Value::Array(tags) = tags {
                let own = self.tags.iter();
                tags.extend(own.map(
                    |(code, words)| json!({"system": TAG_SYSTEM, "code": code, "display": words}),
                ));
            }
        }
        Value::Object(meta)
    }

    /// Everything in a record is about its person: where nothing is said, or something that leads
    /// nowhere, that is said.
    fn fill(&self, shown: &mut Value, element: &str, person: &str) {
        match shown.get_mut(element) {
            None => shown[element] = json!({"reference": person}),
            Some(Value::Object(said)) => {
                let is_person = match said.get("reference").and_then(Value::as_str) {
                    Some(reference) => self.is_lost_person(reference),
                    None => said.get("type").is_none_or(|kind| kind == "Patient"),
                };
                if is_person {
                    said.insert("reference".to_owned(), json!(person));
                }
            }
            Some(_) => {}
        }
    }

    /// Whether a reference to whom something is about means a person and leads nowhere here.
    fn is_lost_person(&self, reference: &str) -> bool {
        let may_be = ["Patient/", "Patient?", "urn:"]
            .iter()
            .any(|begins| reference.starts_with(begins))
            || reference.contains("/Patient/");
        may_be && self.names.resolve(reference, self.batch).is_none()
    }

    fn walk(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                self.refer(members);
                self.lead(members);
                without_blobs(members);
                members.values_mut().for_each(|value| self.walk(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| self.walk(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Where a file is, that stands in a resource of its own.
    fn lead(&self, members: &mut Map<String, Value>) {
        let Some(Value::String(url)) = members.get("url") else {
            return;
        };
        if !url.starts_with("Binary/") {
            return;
        }
        match self.names.resolve(url, self.batch) {
            Some(here) => members.insert("url".to_owned(), json!(here)),
            None => {
                members.shift_remove("url");
                members.insert("_url".to_owned(), absent("unknown"))
            }
        };
    }

    fn refer(&self, members: &mut Map<String, Value>) {
        let Some(Value::String(reference)) = members.get("reference") else {
            return;
        };
        let is_elsewhere = ["#", "urn:", "http:", "https:"]
            .iter()
            .any(|scheme| reference.starts_with(scheme));
        let reference = reference.clone();
        if !reference.starts_with('#')
            && let Some(here) = self.names.resolve(&reference, self.batch)
        {
            members.insert("reference".to_owned(), json!(here));
            return;
        }
        if is_elsewhere {
            return;
        }
        // On this server it would lead nowhere, or to something else.
        members.shift_remove("reference");
        let (kind, rest) = reference.split_once(['/', '?']).unwrap_or((&reference, ""));
        if !kind.is_empty() && kind.chars().all(char::is_alphanumeric) {
            members.entry("type").or_insert_with(|| json!(kind));
        }
        match rest
            .strip_prefix("identifier=")
            .and_then(|said| said.split_once('|'))
        {
            Some((system, value)) => {
                members
                    .entry("identifier")
                    .or_insert_with(|| json!({"system": system, "value": value}));
            }
            None => {
                members.insert("_reference".to_owned(), absent("unknown"));
            }
        }
    }
}

fn absent(why: &str) -> Value {
    json!({"extension": [{"url": ABSENT_URL, "valueCode": why}]})
}

/// Attachments that have not arrived are said to be missing.
fn without_blobs(members: &mut Map<String, Value>) {
    let missing: Vec<_> = members
        .iter()
        .filter(|(_, value)| value.as_str().is_some_and(|text| text.starts_with(BLOB)))
        .map(|(name, _)| name.clone())
        .collect();
    for name in missing {
        members.shift_remove(&name);
        members.insert(format!("_{name}"), absent("temp-unknown"));
    }
}
