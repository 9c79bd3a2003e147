//! Files from outside, taken apart into resources without changing a token.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, value::RawValue};

use crate::{
    json::{self, Members, RawMembers},
    resource::Attachment,
};

/// What a file turned out to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// What kind of file it is.
    pub kind: FileKind,
    /// Its resources, in the order of the text.
    pub resources: Vec<IncomingResource>,
    /// The Bundles that they came in, without the resources.
    pub frames: Vec<Frame>,
}

/// A Bundle without its resources: what else it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its members beside `entry`, and the entries that hold no resource, as the text of an object.
    pub text: String,
    /// The whole Bundle as it came, where it is a document that its author may have signed.
    pub original: Option<String>,
}

/// The kinds of file that hold resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A FHIR Bundle and its `type`.
    Bundle(String),
    /// One FHIR resource.
    Resource,
    /// One resource or Bundle a line.
    Lines,
    /// JSON that is not FHIR, carried as it is under this tag.
    Opaque(&'static str),
}

/// One resource of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomingResource {
    /// Its text, without space between tokens; long strings replaced by placeholders.
    pub text: String,
    /// The same, parsed, to find out what it is; null where it is closed to looking into.
    pub value: Value,
    /// `Bundle.entry.fullUrl`.
    pub full_url: Option<String>,
    /// The entry's members beside the resource, as the text of an object.
    pub entry: Option<String>,
    /// `Bundle.meta` of the Bundle that it came in.
    pub frame_meta: Option<Value>,
    /// Whether nobody can look into that.
    pub has_closed_frame: bool,
    /// What was taken out of the text, with its bytes.
    pub attachments: Vec<(Attachment, Vec<u8>)>,
    /// Where it stood, such as `Bundle.entry[3].resource`.
    pub place: String,
}

/// A file that is not understood, with the reason.
#[derive(Debug, thiserror::Error)]
pub enum NotUnderstood {
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// It is not text.
    #[error("the file is not text in UTF-8 (byte {0})")]
    NotText(usize),
    /// It is not JSON.
    #[error("the file is not JSON")]
    NotJson(#[source] json::NotJson),
}

/// Reads a file. Strings longer than `inline_len_max` bytes become attachments.
pub fn read(bytes: &[u8], inline_len_max: usize) -> Result<Incoming, NotUnderstood> {
    let text = std::str::from_utf8(bytes).map_err(|e| NotUnderstood::NotText(e.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if text.is_empty() {
        return Err(NotUnderstood::Empty);
    }
    let reader = Reader { inline_len_max };
    if let Ok(members) = RawMembers::parse(text) {
        return Ok(reader.file(text, Some(members)));
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => Ok(reader.file(text, None)),
        Err(error) => reader
            .lines(text)
            .ok_or_else(|| NotUnderstood::NotJson(error.into())),
    }
}

/// Reads one resource that stands by itself, with what its Bundle's entry said beside it: a Bundle
/// is not taken apart.
///
/// # Errors
/// When it is not text or not JSON.
pub fn one(
    bytes: &[u8],
    entry: Option<&str>,
    place: &str,
    inline_len_max: usize,
) -> Result<IncomingResource, NotUnderstood> {
    let text = std::str::from_utf8(bytes).map_err(|e| NotUnderstood::NotText(e.valid_up_to()))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(NotUnderstood::Empty);
    }
    serde_json::from_str::<&RawValue>(text).map_err(|e| NotUnderstood::NotJson(e.into()))?;
    let beside = entry.map(RawMembers::parse).transpose();
    let beside = beside.map_err(NotUnderstood::NotJson)?.map(|members| {
        let members = members.0.iter();
        Members(
            members
                .map(|(name, value)| (name.clone(), json::minify(value.get())))
                .collect(),
        )
    });
    Ok(Reader { inline_len_max }.resource(text, beside, place.to_owned()))
}

struct Reader {
    inline_len_max: usize,
}

impl Reader {
    fn file(&self, text: &str, members: Option<RawMembers<'_>>) -> Incoming {
        let kind = members
            .as_ref()
            .and_then(|members| json::string(members.get("resourceType")?));
        match (kind.as_deref(), members) {
            (Some("Bundle"), Some(members)) if members.get("entry").is_some_and(is_array) => {
                self.bundle(text, &members)
            }
            (Some(_), _) => Incoming {
                kind: FileKind::Resource,
                resources: vec![self.resource(text, None, String::new())],
                frames: Vec::new(),
            },
            (None, members) => Incoming {
                kind: FileKind::Opaque(opaque_tag(members.as_ref())),
                resources: vec![self.resource(text, None, String::new())],
                frames: Vec::new(),
            },
        }
    }

    fn bundle(&self, text: &str, members: &RawMembers<'_>) -> Incoming {
        let kind = members.get("type").and_then(json::string);
        let entries: Vec<&RawValue> = members
            .get("entry")
            .and_then(|entries| serde_json::from_str(entries).ok())
            .unwrap_or_default();
        let meta = members.get("meta").map(serde_json::from_str);
        let has_closed_frame = matches!(meta, Some(Err(_)));
        let meta: Option<Value> = meta.and_then(Result::ok);
        let mut resources = Vec::with_capacity(entries.len());
        let mut bare = Vec::new();
        for (n, entry) in entries.iter().enumerate() {
            match self.entry(n, entry.get()) {
                Some(resource) => resources.push(IncomingResource {
                    frame_meta: meta.clone(),
                    has_closed_frame,
                    ..resource
                }),
                None => bare.push(format!("[{n},{}]", json::minify(entry.get()))),
            }
        }
        let kind = kind.unwrap_or_default();
        let frame = Frame {
            text: frame_text(members, &bare),
            original: (kind == "document").then(|| text.to_owned()),
        };
        Incoming {
            kind: FileKind::Bundle(kind),
            resources,
            frames: vec![frame],
        }
    }

    fn entry(&self, n: usize, entry: &str) -> Option<IncomingResource> {
        let members = RawMembers::parse(entry).ok()?;
        let resource = members.get("resource")?;
        let beside: Vec<_> = members
            .0
            .iter()
            .filter(|(name, _)| name != "resource")
            .map(|(name, value)| (name.clone(), json::minify(value.get())))
            .collect();
        let beside = (!beside.is_empty()).then_some(Members(beside));
        Some(self.resource(resource, beside, format!("Bundle.entry[{n}].resource")))
    }

    fn lines(&self, text: &str) -> Option<Incoming> {
        let (mut resources, mut frames) = (Vec::new(), Vec::new());
        for (n, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let members = RawMembers::parse(line).ok()?;
            let file = self.file(line, Some(members));
            frames.extend(file.frames);
            for mut resource in file.resources {
                resource.place = format!("line {}{}", n + 1, dotted(&resource.place));
                resources.push(resource);
            }
        }
        Some(Incoming {
            kind: FileKind::Lines,
            resources,
            frames,
        })
    }

    fn resource(&self, text: &str, entry: Option<Members>, place: String) -> IncomingResource {
        let mut attachments = Vec::new();
        let text = json::minify_replacing(text, self.inline_len_max + 2, |token| {
            let (attachment, bytes) = Attachment::of_token(token);
            let placeholder = attachment.placeholder();
            attachments.push((attachment, bytes));
            placeholder
        });
        let value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let full_url = entry
            .as_ref()
            .and_then(|entry| json::string(entry.get("fullUrl")?));
        IncomingResource {
            value,
            text,
            full_url,
            entry: entry.map(|entry| entry.to_text()),
            frame_meta: None,
            has_closed_frame: false,
            attachments,
            place,
        }
    }
}

impl IncomingResource {
    /// Whether nobody can look into it, or into what its Bundle says of all that is in it: it is
    /// nested deeper than 128 levels, or a string in it is not Unicode. Its text is whole.
    pub fn is_closed(&self) -> bool {
        self.has_closed_frame || (self.value.is_null() && self.text != "null")
    }

    /// `resourceType`, or a tag for what is not FHIR.
    pub fn kind(&self) -> &str {
        let tag = || match &self.value {
            Value::Object(members) if members.contains_key("archetype_node_id") => "openEHR",
            Value::Object(_)
            | Value::Array(_)
            | Value::String(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Null => "json",
        };
        self.value
            .get("resourceType")
            .and_then(Value::as_str)
            .unwrap_or_else(tag)
    }

    /// The id that its sender gave it.
    pub fn native_id(&self) -> Option<&str> {
        self.value.get("id").and_then(Value::as_str)
    }

    /// The reference by which it says whom it is about.
    pub fn subject(&self) -> Option<&str> {
        ["subject", "patient", "for", "beneficiary", "individual"]
            .into_iter()
            .find_map(|element| self.value.get(element)?.get("reference")?.as_str())
    }

    /// Whether `reference` names it: by full URL, or by type and id.
    pub fn is_named_by(&self, reference: &str) -> bool {
        if self.full_url.as_deref() == Some(reference) {
            return true;
        }
        let Some(id) = self.native_id() else {
            return false;
        };
        let local = reference.rsplit_once('/').map(|(head, id)| {
            let kind = head.rsplit_once('/').map_or(head, |(_, kind)| kind);
            (kind, id)
        });
        local == Some((self.kind(), id)) || reference.strip_prefix("urn:uuid:") == Some(id)
    }

    /// Every reference in it.
    pub fn references(&self) -> Vec<&str> {
        let mut found = Vec::new();
        collect_references(&self.value, &mut found);
        found
    }
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(reference) if name == "reference" => found.push(reference),
                    Value::Object(_) | Value::Array(_) => collect_references(value, found),
                    Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, found)),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// What a Bundle says beside its resources; entries without one stand as `[place, entry]`.
fn frame_text(members: &RawMembers<'_>, bare: &[String]) -> String {
    let beside = members.0.iter().filter(|(name, _)| name != "entry");
    let mut kept: Vec<_> = beside
        .map(|(name, value)| (name.clone(), json::minify(value.get())))
        .collect();
    if !bare.is_empty() {
        kept.push(("entry".to_owned(), format!("[{}]", bare.join(","))));
    }
    Members(kept).to_text()
}

fn is_array(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

fn dotted(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!(".{place}")
    }
}

fn opaque_tag(members: Option<&RawMembers<'_>>) -> &'static str {
    match members {
        Some(members) if members.get("archetype_node_id").is_some() => "openEHR",
        Some(_) | None => "json",
    }
}

/// The resources of a file by the people that they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// For each Patient, in order: the places of all resources that belong to it, its own first
    /// place included. What several people need (an organisation) is with each of them.
    pub patients: Vec<Vec<usize>>,
    /// Places of resources about somebody who is not in the file.
    pub strangers: Vec<usize>,
}

/// Sorts resources by the Patient that they are about. What names nobody goes with whoever leads
/// to it, or with the first Patient.
pub fn people(resources: &[IncomingResource]) -> People {
    let patients: Vec<usize> = (0..resources.len())
        .filter(|n| resources[*n].kind() == "Patient")
        .collect();
    let mut owners: Vec<Vec<usize>> = vec![Vec::new(); resources.len()];
    let mut strangers = Vec::new();
    for (owner, n) in patients.iter().enumerate() {
        owners[*n].push(owner);
    }
    if patients.len() == 1 {
        let all = (0..resources.len()).collect();
        return People {
            patients: vec![all],
            strangers,
        };
    }
    let names = Names::of(resources);
    let mut place_of_patient: Vec<Option<usize>> = vec![None; resources.len()];
    for (owner, n) in patients.iter().enumerate() {
        place_of_patient[*n] = Some(owner);
    }
    for (n, resource) in resources.iter().enumerate() {
        let Some(subject) = resource.subject().filter(|_| owners[n].is_empty()) else {
            continue;
        };
        let owner = names
            .all(subject)
            .into_iter()
            .find_map(|at| place_of_patient[at]);
        match owner {
            Some(owner) => owners[n].push(owner),
            None if !patients.is_empty() && subject.contains("Patient/") => strangers.push(n),
            None => {}
        }
    }
    spread(resources, &names, &mut owners);
    let mut grouped = vec![Vec::new(); patients.len()];
    for (n, owners) in owners.iter().enumerate() {
        if strangers.binary_search(&n).is_ok() {
            continue;
        }
        let first = [0];
        let to = if owners.is_empty() {
            &first[..]
        } else {
            owners
        };
        for owner in to {
            if let Some(group) = grouped.get_mut(*owner) {
                group.push(n);
            }
        }
    }
    People {
        patients: grouped,
        strangers,
    }
}

/// Gives what names nobody to everyone whose resources lead to it.
fn spread(resources: &[IncomingResource], names: &Names<'_>, owners: &mut [Vec<usize>]) {
    let fixed: Vec<bool> = owners.iter().map(|owners| !owners.is_empty()).collect();
    let leads: Vec<Vec<usize>> = resources
        .iter()
        .map(|resource| {
            let references = resource.references().into_iter();
            let named = references.filter_map(|reference| names.first(reference));
            let mut named: Vec<_> = named.filter(|to| !fixed[*to]).collect();
            named.sort_unstable();
            named.dedup();
            named
        })
        .collect();
    let mut next: Vec<(usize, usize)> = owners
        .iter()
        .enumerate()
        .flat_map(|(n, owners)| owners.iter().map(move |owner| (n, *owner)))
        .collect();
    let mut given: BTreeSet<(usize, usize)> = BTreeSet::new();
    while let Some((n, owner)) = next.pop() {
        for to in &leads[n] {
            if given.insert((*to, owner)) {
                next.push((*to, owner));
            }
        }
    }
    for (to, owner) in given {
        owners[to].push(owner);
    }
}

/// The resources of a file by every reference that names them.
pub(crate) struct Names<'a> {
    by_url: BTreeMap<&'a str, Vec<usize>>,
    by_kind: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    by_id: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(resources: &'a [IncomingResource]) -> Self {
        let mut names = Self {
            by_url: BTreeMap::new(),
            by_kind: BTreeMap::new(),
            by_id: BTreeMap::new(),
        };
        for (n, resource) in resources.iter().enumerate() {
            if let Some(url) = &resource.full_url {
                names.by_url.entry(url).or_default().push(n);
            }
            if let Some(id) = resource.native_id() {
                names.by_id.entry(id).or_default().push(n);
                let kind = (resource.kind(), id);
                names.by_kind.entry(kind).or_default().push(n);
            }
        }
        names
    }

    /// The places of all resources that a reference names (`IncomingResource::is_named_by`),
    /// ascending.
    pub(crate) fn all(&self, reference: &str) -> BTreeSet<usize> {
        let local = reference.rsplit_once('/').map(|(head, id)| {
            let kind = head.rsplit_once('/').map_or(head, |(_, kind)| kind);
            (kind, id)
        });
        let by_url = self.by_url.get(reference);
        let by_kind = local.and_then(|local| self.by_kind.get(&local));
        let by_id = reference
            .strip_prefix("urn:uuid:")
            .and_then(|id| self.by_id.get(id));
        [by_url, by_kind, by_id]
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect()
    }

    fn first(&self, reference: &str) -> Option<usize> {
        self.all(reference).first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{FileKind, people, read};

    const TWO: &str = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient","id":"a"}},
        {"fullUrl":"urn:uuid:b","resource":{"resourceType":"Patient","id":"b"}},
        {"resource":{"resourceType":"Organization","id":"o"}},
        {"resource":{"resourceType":"Condition","subject":{"reference":"Patient/b"},
            "recorder":{"reference":"Organization/o"}}},
        {"resource":{"resourceType":"Condition","subject":{"reference":"Patient/z"}}},
        {"search":{"mode":"match"}}]}"#;

    #[test]
    fn a_bundle_is_taken_apart() {
        let file = read(TWO.as_bytes(), 1000).expect("a bundle");
        assert_eq!(file.kind, FileKind::Bundle("collection".into()));
        assert_eq!(file.resources.len(), 5);
        assert_eq!(
            file.resources[0].entry.as_deref(),
            Some(r#"{"fullUrl":"urn:uuid:a"}"#)
        );
    }

    #[test]
    fn resources_go_with_the_person_that_they_are_about() {
        let file = read(TWO.as_bytes(), 1000).expect("a bundle");
        let people = people(&file.resources);
        assert_eq!(people.patients, [vec![0], vec![1, 2, 3]]);
        assert_eq!(people.strangers, [4]);
    }

    #[test]
    fn names_are_found_as_they_are_compared() {
        let file = read(TWO.as_bytes(), 1000).expect("a bundle");
        let names = super::Names::of(&file.resources);
        for reference in [
            "urn:uuid:a",
            "Patient/b",
            "https://x/Patient/a",
            "a",
            "Organization/o",
            "",
        ] {
            let compared =
                (0..file.resources.len()).filter(|n| file.resources[*n].is_named_by(reference));
            assert!(names.all(reference).into_iter().eq(compared), "{reference}");
        }
    }

    #[test]
    fn lines_and_single_resources_and_other_json_are_read() {
        let lines = "{\"resourceType\":\"Patient\"}\n\n{\"resourceType\":\"Goal\"}\n";
        let file = read(lines.as_bytes(), 1000).expect("lines");
        assert_eq!((file.kind, file.resources.len()), (FileKind::Lines, 2));
        let single = read(b"{\"resourceType\":\"Patient\"}", 1000).expect("a resource");
        assert_eq!(single.kind, FileKind::Resource);
        let other =
            read(br#"{"_type":"COMPOSITION","archetype_node_id":"x"}"#, 1000).expect("JSON");
        assert_eq!(other.kind, FileKind::Opaque("openEHR"));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for bytes in [&b""[..], b"  \n", b"MSH|^~\\&|", b"{", &[0xff, 0xfe]] {
            assert!(read(bytes, 1000).is_err());
        }
    }

    #[test]
    fn a_long_attachment_leaves_the_text_and_comes_back() {
        let data = "QUJD".repeat(20);
        let text = format!(r#"{{"resourceType":"Binary","data":"{data}"}}"#);
        let file = read(text.as_bytes(), 40).expect("a resource");
        let resource = &file.resources[0];
        let (attachment, bytes) = &resource.attachments[0];
        assert_eq!(bytes, &b"ABC".repeat(20));
        let back = resource
            .text
            .replace(&attachment.placeholder(), &attachment.token(bytes));
        assert_eq!(back, text);
    }
}
