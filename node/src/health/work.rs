//! Events, what has to happen after them, and the tasks that follow: as values, without a disk, a
//! network or a clock.
//!
//! A [`event::CareEvent`] is read out of what anybody wrote of a person, the [`rules::Rules`] of a
//! record say who is asked for what after it, and [`task::stands`] says how it stands with a task,
//! as a pure function of the task, its event and the answers that are held (decision 0092).

pub mod event;
pub mod handover;
pub mod rules;
pub mod task;

/// Names a resource of kith's, by its id in the record.
pub const RESOURCE_SYSTEM: &str = "urn:kith:resource";
/// Names a principal, by its id.
pub const PRINCIPAL_SYSTEM: &str = "urn:kith:principal";
/// Codes of what kith itself makes of care: kinds of events, answers, care basics.
pub const CARE_SYSTEM: &str = "urn:kith:care";
/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";

use serde_json::{Value, json};

/// A reference to a resource by its id in the record, with a word for people.
pub fn reference_to(kind: &str, resource: &str, display: &str) -> Value {
    json!({
        "type": kind,
        "identifier": {"system": RESOURCE_SYSTEM, "value": resource},
        "display": display,
    })
}

/// The id of the resource of this record that a reference names.
pub fn resource_of(reference: &Value) -> Option<&str> {
    named(reference, RESOURCE_SYSTEM)
}

/// The principal that a reference names.
pub fn principal_of(reference: &Value) -> Option<&str> {
    named(reference, PRINCIPAL_SYSTEM)
}

fn named<'a>(reference: &'a Value, system: &str) -> Option<&'a str> {
    let identifier = reference.get("identifier")?;
    let is_ours = identifier.get("system").and_then(Value::as_str) == Some(system);
    is_ours.then(|| identifier.get("value")?.as_str())?
}

/// The code of a system within a CodeableConcept.
pub fn code_of<'a>(concept: Option<&'a Value>, system: &str) -> Option<&'a str> {
    let codings = concept?.get("coding")?.as_array()?;
    codings.iter().find_map(|coding| {
        let is_of = coding.get("system").and_then(Value::as_str) == Some(system);
        is_of.then(|| coding.get("code")?.as_str())?
    })
}
