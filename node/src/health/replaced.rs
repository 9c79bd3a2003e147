//! Letters and plans that say of others that they take their place (FHIR `relatesTo` with the code
//! `replaces`, and `replaces` of a CarePlan).
//!
//! Nothing is replaced because something else is newer: only by what its own author, or somebody
//! else in the same record, signed to take its place. Whoever wrote both stays to be seen.

use std::collections::BTreeMap;

use kith_crdt::Held;
use kith_protocol::record::Placed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::work::resource_of;

/// By what one of them is found when another names it, and which it names itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relations {
    /// Its id in the record.
    pub id: String,
    /// Type and the id that its sender gave it: means something to its sender alone.
    local: Option<String>,
    full_url: Option<String>,
    /// Identifiers, system and value.
    identifiers: Vec<(String, String)>,
    targets: Vec<Target>,
    /// Whether its author stands by it: what was entered in error replaces nothing.
    counts: bool,
}

/// How another one is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Target {
    /// By its id in the record.
    Here(String),
    /// As its sender wrote it.
    Reference(String),
    /// By system and value.
    Identifier(String, String),
}

impl Relations {
    /// Of a resource and what it says.
    pub fn of(held: &Held, value: &Value) -> Self {
        let local = held.meta.native_id.as_ref();
        let is_wrong = value.get("status").and_then(Value::as_str) == Some("entered-in-error");
        let named = value.get("identifier").and_then(Value::as_array);
        let named = named
            .into_iter()
            .flatten()
            .chain(value.get("masterIdentifier"));
        Self {
            id: held.id.to_string(),
            local: local.map(|id| format!("{}/{id}", held.meta.kind)),
            full_url: held.meta.full_url(),
            identifiers: named.filter_map(identifier).collect(),
            targets: targets(value),
            counts: !is_wrong && !held.is_retracted(),
        }
    }

    /// Of what stands in a document, where it is a letter.
    pub fn of_letter(placed: &Placed) -> Option<Self> {
        let meta = &placed.held.meta;
        let is_letter = meta.kind == "DocumentReference" && !meta.made_here;
        is_letter.then(|| {
            let value = placed.held.value(0);
            Self::of(&placed.held, &value)
        })
    }

    fn replaces_any(&self) -> bool {
        self.counts && !self.targets.is_empty()
    }

    /// Whether this says that it takes the place of `other`. A local id is understood where both
    /// have the same author.
    fn replaces(&self, other: &Self, same_author: bool) -> bool {
        let names = |target: &Target| match target {
            Target::Here(id) => *id == other.id,
            Target::Reference(reference) => {
                let is_local = same_author && other.local.as_ref() == Some(reference);
                is_local || other.full_url.as_ref() == Some(reference)
            }
            Target::Identifier(system, value) => {
                let mut own = other.identifiers.iter();
                own.any(|(of, known)| of == system && known == value)
            }
        };
        self.counts && self.id != other.id && self.targets.iter().any(names)
    }
}

/// Of these, each with its author, those whose place another took: by what, the first that says so.
/// Where several say it of each other in a circle none of them is replaced: a person has to look.
pub fn replaced<A: PartialEq>(all: &[(Relations, Option<A>)]) -> BTreeMap<String, String> {
    let mut replaced = BTreeMap::new();
    for (newer, by) in all.iter().filter(|(newer, _)| newer.replaces_any()) {
        for (older, of) in all {
            if newer.replaces(older, by.is_some() && by == of) {
                let known = replaced.entry(older.id.clone());
                known.or_insert_with(|| newer.id.clone());
            }
        }
    }
    let in_a_circle = |id: &String| {
        let mut next = replaced.get(id);
        for _ in 0..replaced.len() {
            match next {
                Some(newer) if newer == id => return true,
                Some(newer) => next = replaced.get(newer),
                None => return false,
            }
        }
        false
    };
    let circles: Vec<_> = replaced
        .keys()
        .filter(|id| in_a_circle(id))
        .cloned()
        .collect();
    for id in circles {
        replaced.remove(&id);
    }
    replaced
}

fn targets(value: &Value) -> Vec<Target> {
    let relations = value.get("relatesTo").and_then(Value::as_array);
    let related = relations
        .into_iter()
        .flatten()
        .filter(|relation| relation.get("code").and_then(Value::as_str) == Some("replaces"))
        .filter_map(|relation| relation.get("target"));
    // A CarePlan says it by an element of its own.
    let plans = value.get("replaces").and_then(Value::as_array);
    related
        .chain(plans.into_iter().flatten())
        .filter_map(target)
        .collect()
}

fn target(target: &Value) -> Option<Target> {
    if let Some(id) = resource_of(target) {
        return Some(Target::Here(id.to_owned()));
    }
    if let Some(reference) = target.get("reference").and_then(Value::as_str) {
        return Some(Target::Reference(reference.to_owned()));
    }
    let (system, value) = identifier(target.get("identifier")?)?;
    Some(Target::Identifier(system, value))
}

/// Means something by system and value, and by neither alone.
fn identifier(identifier: &Value) -> Option<(String, String)> {
    let part = |name: &str| Some(identifier.get(name)?.as_str()?.to_owned());
    Some((part("system")?, part("value")?))
}

#[cfg(test)]
mod tests {
    use kith_crdt::{Actor, Body, Document, Edit, Meta, Resource, Section};
    use serde_json::json;

    use super::*;
    use crate::health::work::reference_to;

    /// Writes letters into one document, each named by its place.
    fn written(letters: &[Value]) -> Vec<Relations> {
        let mut document = Document::new();
        let create = |value: &Value| {
            Edit::Create(Resource {
                meta: Meta {
                    kind: "DocumentReference".to_owned(),
                    native_id: value["id"].as_str().map(str::to_owned),
                    ..Meta::default()
                },
                body: Body::parse(&value.to_string(), Section::Letters).expect("an object"),
            })
        };
        let edits: Vec<_> = letters.iter().map(create).collect();
        document
            .write(Actor([7; 16]), 1, &edits)
            .expect("it is written");
        let held = document.resources().into_iter();
        let value = |held: &Held| serde_json::from_str(&held.to_text(0)).expect("JSON");
        held.map(|held| Relations::of(&held, &value(&held)))
            .collect()
    }

    /// Which letters are replaced, by their place, where these have these authors.
    fn of(letters: &[Value], authors: &[u8]) -> Vec<bool> {
        let written = written(letters);
        let all: Vec<_> = written
            .iter()
            .cloned()
            .zip(authors.iter().copied().map(Some))
            .collect();
        let replaced = replaced(&all);
        written
            .iter()
            .map(|letter| replaced.contains_key(&letter.id))
            .collect()
    }

    fn says(id: &str, target: &Value) -> Value {
        json!({"resourceType": "DocumentReference", "id": id, "status": "current",
            "relatesTo": [{"code": "replaces", "target": target}]})
    }

    #[test]
    fn a_letter_is_replaced_by_one_that_names_it() {
        let old = json!({"resourceType": "DocumentReference", "id": "a",
            "masterIdentifier": {"system": "urn:x", "value": "1"}});
        let local = says("b", &json!({"reference": "DocumentReference/a"}));
        let by_number = says(
            "b",
            &json!({"identifier": {"system": "urn:x", "value": "1"}}),
        );
        let other = says(
            "b",
            &json!({"identifier": {"system": "urn:y", "value": "1"}}),
        );
        assert_eq!(of(&[old.clone(), local.clone()], &[1, 1]), [true, false]);
        // Another sender's local id is another letter's.
        assert_eq!(of(&[old.clone(), local], &[1, 2]), [false, false]);
        assert_eq!(of(&[old.clone(), by_number], &[1, 2]), [true, false]);
        assert_eq!(of(&[old.clone(), other], &[1, 1]), [false, false]);
        let id = written(std::slice::from_ref(&old))[0].id.clone();
        let here = says("b", &reference_to("DocumentReference", &id, "a letter"));
        assert_eq!(of(&[old, here], &[1, 2]), [true, false]);
    }

    #[test]
    fn a_mistake_replaces_nothing_and_a_circle_hides_nothing() {
        let old = json!({"resourceType": "DocumentReference", "id": "a"});
        let mut wrong = says("b", &json!({"reference": "DocumentReference/a"}));
        wrong["status"] = json!("entered-in-error");
        assert_eq!(of(&[old, wrong], &[1, 1]), [false, false]);
        let to = |id: &str| json!({"reference": format!("DocumentReference/{id}")});
        let circle = [
            says("a", &to("b")),
            says("b", &to("c")),
            says("c", &to("a")),
        ];
        assert_eq!(of(&circle, &[1, 1, 1]), [false, false, false]);
        let appended = json!({"resourceType": "DocumentReference", "id": "b",
            "relatesTo": [{"code": "appends", "target": to("a")}]});
        let old = json!({"resourceType": "DocumentReference", "id": "a"});
        assert_eq!(of(&[old, appended], &[1, 1]), [false, false]);
    }
}
