//! From a message to FHIR R4 resources: one file for each family of segments.
//!
//! A resource has the same full URL whenever a message speaks of the same thing, so that what comes
//! later changes it and nothing stands there twice. What a message leaves empty stays as it was,
//! `""` takes it away (HL7 2.5, chapter 2.6).

mod clinical;
mod document;
mod order;
mod overlay;
mod person;
mod result;
#[cfg(test)]
mod tests;
mod types;
mod vaccination;
mod value;
mod visit;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Field, Message, Repeat, Segment, Tables, Trigger, Waits, trigger};
use types::Types;

pub use person::Numbers;

/// A resource on its way: its full URL and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// `urn:uuid:` and what names the thing.
    pub full_url: String,
    /// The resource.
    pub value: Value,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// What it asks for.
    pub trigger: Trigger,
    /// Its resources, the Patient first.
    pub resources: Vec<Made>,
    /// What people should know of how it was read.
    pub notes: Vec<String>,
}

/// What a record says already of [`LOOKED_UP`], as far as the same node's messages said it.
pub type Held<'a> = [&'a Made];

/// The types of which a message has to know what was said before. Results are most of a record and
/// are not among them: what a message says of one is all that is said of it.
pub const LOOKED_UP: [&str; 5] = [
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Patient",
    "ServiceRequest",
];

/// The numbers by which a message names its patient, and the name and birth date beside them.
///
/// # Errors
/// When it names nobody, or waits for another reason.
pub fn numbers(message: &Message, tables: &Tables) -> Result<Numbers, Waits> {
    trigger(message)?;
    let sender = message.header.sender();
    let types = types_of(tables, &sender);
    person::numbers(message, &types)
}

/// What a message says, beside what the record of its patient holds.
///
/// # Errors
/// The reason for which a person has to look at it.
pub fn map(message: &Message, tables: &Tables, held: &Held<'_>) -> Result<Mapped, Waits> {
    let sender = message.header.sender();
    let types = types_of(tables, &sender);
    let patient = person::patient(message, &types, held)?;
    let name = patient.full_url.clone();
    mapped(message, types, held, (name, Some(patient)))
}

/// What a message says that names no patient, of the one whose record a person named.
///
/// # Errors
/// The reason for which it cannot be read all the same.
pub fn map_of_nobody(message: &Message, tables: &Tables, held: &Held<'_>) -> Result<Mapped, Waits> {
    let sender = message.header.sender();
    let types = types_of(tables, &sender);
    let known = held
        .iter()
        .find(|held| held.value.get("resourceType").and_then(Value::as_str) == Some("Patient"));
    let Some(known) = known else {
        return Err(Waits::Nobody(
            "and the record has no Patient of this node to which it could refer",
        ));
    };
    mapped(message, types, held, (known.full_url.clone(), None))
}

fn mapped(
    message: &Message,
    types: Types<'_>,
    held: &Held<'_>,
    (patient, value): (String, Option<Made>),
) -> Result<Mapped, Waits> {
    let trigger = trigger(message)?;
    let mut mapping = Mapping {
        message,
        types,
        held,
        trigger,
        patient,
        encounter: None,
        resources: value.into_iter().collect(),
        notes: message.odd.clone(),
    };
    mapping.visit()?;
    match trigger {
        Trigger::Admit
        | Trigger::Transfer
        | Trigger::Discharge
        | Trigger::Register
        | Trigger::Update
        | Trigger::CancelDischarge
        | Trigger::Person => {
            mapping.clinical();
            mapping.loose_results();
        }
        // What is taken back, or moved, says nothing new of how somebody is.
        Trigger::CancelAdmit | Trigger::CancelTransfer | Trigger::SamePerson => {}
        Trigger::Results => mapping.results()?,
        Trigger::Orders => mapping.orders()?,
        Trigger::Document => mapping.document()?,
        Trigger::Vaccinations => mapping.vaccinations(),
    }
    if message.segment("ARV").is_some() {
        mapping.note("the sender restricts who may see a part of this (ARV), and kith does not by itself: look before you share it");
    }
    mapping.note_unread();
    let mut seen = BTreeSet::new();
    mapping
        .resources
        .retain(|made| seen.insert(made.full_url.clone()));
    Ok(Mapped {
        trigger,
        resources: mapping.resources,
        notes: mapping.notes,
    })
}

fn types_of<'a>(tables: &'a Tables, sender: &'a str) -> Types<'a> {
    Types {
        tables,
        zone: tables.zone(),
        sender,
    }
}

/// A message on its way.
struct Mapping<'a> {
    message: &'a Message,
    types: Types<'a>,
    held: &'a Held<'a>,
    trigger: Trigger,
    patient: String,
    encounter: Option<String>,
    resources: Vec<Made>,
    notes: Vec<String>,
}

/// Segments that kith reads nothing of and that are common: they are in the message itself.
const SILENT: [&str; 4] = ["MSH", "SFT", "EVN", "UAC"];

impl Mapping<'_> {
    fn subject(&self) -> Value {
        json!({ "reference": self.patient })
    }

    /// Says at which visit something was, where one is known.
    fn at_visit(&self, value: &mut Value) {
        let visit = self.encounter.as_ref();
        put(
            value,
            "encounter",
            visit.map(|url| json!({ "reference": url })),
        );
    }

    fn add(&mut self, full_url: String, value: Value) {
        self.resources.push(Made { full_url, value });
    }

    fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What was said before under this name: of the types in [`LOOKED_UP`].
    fn held(&self, full_url: &str) -> Option<&Value> {
        let found = self.held.iter().find(|held| held.full_url == full_url);
        found.map(|held| &held.value)
    }

    /// A resource of a kind with one of these numbers that the record holds.
    fn held_with_number(&self, kind: &str, numbers: &[(String, String)]) -> Option<&str> {
        let has = |value: &Value| {
            let identifiers = value.get("identifier").and_then(Value::as_array);
            identifiers.into_iter().flatten().any(|identifier| {
                let text = |name: &str| identifier.get(name).and_then(Value::as_str);
                numbers.iter().any(|(system, number)| {
                    text("system") == Some(system) && text("value") == Some(number)
                })
            })
        };
        let found = self.held.iter().find(|held| {
            held.value.get("resourceType").and_then(Value::as_str) == Some(kind) && has(&held.value)
        });
        found.map(|held| held.full_url.as_str())
    }

    /// The name of something of this patient.
    fn name(&self, kind: &str, parts: &[&str]) -> String {
        let mut all = vec![kind, self.patient.as_str()];
        all.extend(parts);
        url(&all)
    }

    /// Says which segments nothing was read of: they are in the message, and nowhere else.
    fn note_unread(&mut self) {
        let unread: BTreeSet<&str> = self
            .message
            .segments
            .iter()
            .filter(|segment| !SILENT.contains(&segment.name.as_str()))
            .filter(|segment| {
                let mut fields = segment.fields();
                !fields.any(|(n, _)| n > 1 && segment.was_read(n))
            })
            .map(|segment| segment.name.as_str())
            .collect();
        if !unread.is_empty() {
            let names: Vec<_> = unread.into_iter().collect();
            self.note(format!(
                "nothing of these segments is filed by itself, they stand in the message: {}",
                names.join(", ")
            ));
        }
    }
}

/// A name that is always the same for the same parts.
fn url(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    urn_of(&hasher.finalize())
}

/// A name that is a UUID of version 8 (RFC 9562): the beginning of a hash.
pub fn urn_of(hash: &blake3::Hash) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    uuid.urn().to_string()
}

/// The text of notes (NTE-3) that follow a segment, one for each.
fn note_of(segment: &Segment) -> Option<Value> {
    let lines: Vec<&str> = segment.field(3).repeats().map(|line| line.c(1)).collect();
    let text = lines.join("\n");
    (!text.trim().is_empty()).then(|| json!({ "text": text }))
}

/// Everything in a field, repetitions apart.
fn lines(field: &Field) -> String {
    let lines: Vec<String> = field.repeats().map(Repeat::shown).collect();
    lines.join("\n")
}

/// Puts a list into a resource where something is in it.
fn put_list(value: &mut Value, element: &str, items: Vec<Value>) {
    if !items.is_empty() {
        value[element] = Value::Array(items);
    }
}

/// Puts something into a resource where it is known.
fn put<T: Into<Value>>(value: &mut Value, element: &str, item: Option<T>) {
    if let Some(item) = item {
        value[element] = item.into();
    }
}
