//! Names for medicines that are told apart from their prescriptions: Medication resources.

use std::collections::BTreeMap;

use kith_protocol::record::Placed;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::line;

/// What each Medication of a record is called, by every reference that may name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct Drugs(BTreeMap<String, String>);

impl Drugs {
    /// The Medications among the resources of a record.
    pub fn of(placed: &[Placed]) -> Self {
        let mut names = BTreeMap::new();
        let drugs = placed.iter().map(|placed| &placed.held);
        for held in drugs.filter(|held| held.meta.kind == "Medication") {
            let value: Value = held.value(0);
            let Some(name) = line::concept(value.get("code")) else {
                continue;
            };
            let local = held
                .meta
                .native_id
                .as_ref()
                .map(|id| format!("Medication/{id}"));
            let references = held.meta.full_url().into_iter().chain(local);
            names.extend(references.map(|reference| (reference, name.clone())));
        }
        Self(names)
    }

    /// Takes in what stands in another document.
    pub fn extend(&mut self, others: &Self) {
        let others = others.0.iter();
        self.0
            .extend(others.map(|(reference, name)| (reference.clone(), name.clone())));
    }

    /// Whether a resource names its medicine by a reference alone.
    pub fn wants(resource: &Value) -> bool {
        let reference = resource.get("medicationReference");
        reference.is_some_and(|reference| reference.get("display").is_none())
    }

    /// Puts the name beside the reference of a prescription or statement that has none.
    pub fn name(&self, resource: &mut Value) {
        let contained = contained(resource);
        let Some(reference) = resource.get_mut("medicationReference") else {
            return;
        };
        if reference.get("display").is_some() {
            return;
        }
        let named = reference.get("reference").and_then(Value::as_str);
        let name = named.and_then(|named| {
            let inside = named.strip_prefix('#').and_then(|id| contained.get(id));
            inside.or_else(|| self.0.get(named)).cloned()
        });
        if let (Some(name), Some(reference)) = (name, reference.as_object_mut()) {
            reference.insert("display".to_owned(), Value::String(name));
        }
    }
}

impl From<Vec<(String, String)>> for Drugs {
    fn from(names: Vec<(String, String)>) -> Self {
        Self(names.into_iter().collect())
    }
}

impl From<Drugs> for Vec<(String, String)> {
    fn from(drugs: Drugs) -> Self {
        drugs.0.into_iter().collect()
    }
}

/// The names of Medications within a resource, by id.
fn contained(resource: &Value) -> BTreeMap<String, String> {
    let within = resource.get("contained").and_then(Value::as_array);
    within
        .into_iter()
        .flatten()
        .filter_map(|drug| {
            let id = drug.get("id")?.as_str()?.to_owned();
            Some((id, line::concept(drug.get("code"))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Drugs;

    #[test]
    fn a_prescription_is_shown_with_the_name_of_its_drug() {
        let drugs = Drugs([("Medication/m".to_owned(), "Warfarin 1 mg".to_owned())].into());
        let mut apart = json!({"medicationReference": {"reference": "Medication/m"}});
        drugs.name(&mut apart);
        assert_eq!(apart["medicationReference"]["display"], "Warfarin 1 mg");
        let mut inside = json!({"contained": [{"id": "x", "code": {"text": "Aspirin"}}],
            "medicationReference": {"reference": "#x"}});
        drugs.name(&mut inside);
        assert_eq!(inside["medicationReference"]["display"], "Aspirin");
        let mut unknown = json!({"medicationReference": {"reference": "Medication/z"}});
        drugs.name(&mut unknown);
        assert_eq!(unknown["medicationReference"].get("display"), None);
    }
}
