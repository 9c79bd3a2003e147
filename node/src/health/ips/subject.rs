//! The person whose summary it is: one Patient, with what other sources say of them inside it.
//!
//! IPS allows one Patient in a bundle. The Patients of other sources, and a second version of the
//! same one, are carried as contained resources with a `seealso` link (R4, Patient.link.type), so
//! that nobody's statement is picked over another's in silence.

use serde_json::{Map, Value, json};

use super::{
    codes,
    held::{Entry, Held},
};

/// The Patient that stands for the person: readable with name and birth date rather than without,
/// the newest first.
pub(super) fn principal(held: &Held<'_>) -> Option<usize> {
    patients(held).min_by_key(|place| {
        let entry = &held.entries[*place];
        let says = |name: &str| {
            entry
                .received
                .get(name)
                .is_some_and(|value| !value.is_null())
        };
        (
            entry.version,
            !(says("name") && says("birthDate")),
            entry.source.flagged,
            std::cmp::Reverse(entry.source.arrived_ms),
            *place,
        )
    })
}

fn patients<'h>(held: &'h Held<'_>) -> impl Iterator<Item = usize> + 'h {
    let places = 0..held.entries.len();
    places.filter(|place| held.entries[*place].kind() == "Patient")
}

/// Puts what other sources say inside the Patient.
pub(super) fn join(
    patient: &mut Map<String, Value>,
    patient_url: &str,
    others: Vec<Map<String, Value>>,
) {
    drop_links_to_self(patient, patient_url);
    for (n, mut other) in others.into_iter().enumerate() {
        let id = format!("other-{}", n + 1);
        other.insert("id".to_owned(), Value::from(id.as_str()));
        for name in ["contained", "link"] {
            other.shift_remove(name);
        }
        make_containable(&mut other);
        push(patient, "contained", Value::Object(other));
        let link = json!({"other": {"reference": format!("#{id}")}, "type": "seealso"});
        push(patient, "link", link);
    }
}

/// Links to a Patient that is this person too say nothing within the bundle.
fn drop_links_to_self(patient: &mut Map<String, Value>, patient_url: &str) {
    if let Some(Value::Array(links)) = patient.get_mut("link") {
        links.retain(|link| link.pointer("/other/reference") != Some(&Value::from(patient_url)));
        if links.is_empty() {
            patient.shift_remove("link");
        }
    }
}

/// A contained resource has no time and no label of its own (R4, dom-4 and dom-5).
fn make_containable(other: &mut Map<String, Value>) {
    if let Some(Value::Object(meta)) = other.get_mut("meta") {
        for name in ["lastUpdated", "_lastUpdated", "security"] {
            meta.shift_remove(name);
        }
        if meta.is_empty() {
            other.shift_remove("meta");
        }
    }
}

fn push(members: &mut Map<String, Value>, name: &str, item: Value) {
    let items = members
        .entry(name)
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(items) = items {
        items.push(item);
    }
}

/// `Chalmers, Peter James, born 1974-12-25`, as the sources say it.
pub(super) fn words(patient: &Value) -> String {
    let name = patient.pointer("/name/0");
    let text = |name: &Value, element: &str| name.get(element)?.as_str().map(str::to_owned);
    let spoken = name.and_then(|name| {
        let given = name.get("given").and_then(Value::as_array);
        let given = given.into_iter().flatten().filter_map(Value::as_str);
        let parts = text(name, "family").into_iter();
        let given: Vec<_> = given.collect();
        let given = (!given.is_empty()).then(|| given.join(" "));
        let parts: Vec<_> = parts.chain(given).collect();
        (!parts.is_empty())
            .then(|| parts.join(", "))
            .or_else(|| text(name, "text"))
    });
    let born = patient.get("birthDate").and_then(Value::as_str);
    let gender = codes::code(patient, "gender");
    let mut words = spoken.unwrap_or_else(|| "no name known to this node".to_owned());
    if let Some(born) = born {
        words.push_str(&format!(", born {born}"));
    }
    if let Some(gender) = gender {
        words.push_str(&format!(", {gender}"));
    }
    words
}

/// Whether several versions of the Patient stand side by side.
pub(super) fn is_undecided(entry: &Entry<'_>) -> bool {
    entry.versions > 1
}
