//! The forms that the SDC guide publishes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Surgery;
use crate::harness::{data, text};

/// Answers to the guide's own example, in the groups of its forms.
fn answers() -> Value {
    json!({
        "patient": {
            "name": [{"given": ["Ada", "May"], "family": "Penn"}],
            "gender": {"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}},
            "dob": "1950-01-31", "ihi": "800", "mobile-phone": "07700 900001"
        },
        "contacts": [{"contact-name": "Sam Penn", "phone": "07700 900002",
            "relationship": {"valueCoding": {"system": "r", "code": "C", "display": "Emergency contact"}}}],
        "obs": {"height": "1.65", "weight": "71.50", "complication": "yes"}
    })
}

#[test]
fn published_forms_make_the_resources_that_their_answers_say() {
    let Some(folder) = data() else {
        return;
    };
    for name in [
        "extract-complex-defn3",
        "extract-complex-template",
        "extract-complex-template2",
    ] {
        let surgery = Surgery::opens();
        let file = folder.join(format!("sdc/{name}.json"));
        surgery.node.json(["form", "add", text(&file)]);
        let url = format!("http://hl7.org/fhir/uv/sdc/Questionnaire/{name}");
        let given = surgery.node.file("answers.json", answers().to_string());
        let ran = surgery.node.kith([
            "--json",
            "form",
            "extract",
            &surgery.record,
            &url,
            "--answers",
            text(&given),
        ]);
        let dry = ran.ended(3).json();
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let resources = dry["resources"].as_array().expect("resources");
        for one in resources {
            let kind = one["resource"]["resourceType"].as_str().expect("a type");
            *kinds.entry(kind).or_default() += 1;
        }
        // In the form by definitions the last question makes no resource of its own.
        let observations = if name.contains("defn") { 2 } else { 3 };
        assert_eq!(
            kinds.get("Observation"),
            Some(&observations),
            "{name}: {dry}"
        );
        assert_eq!(kinds.get("RelatedPerson"), Some(&1), "{name}: {dry}");
        let said: String = resources
            .iter()
            .map(|one| one["resource"].to_string())
            .collect();
        assert!(
            said.contains("71.50") && said.contains("Sam Penn"),
            "{name}: {said}"
        );
        assert!(!said.contains("templateExtract"), "{name}: {said}");
        // The patient of the form is not surely the record's: that is said, and nobody is named
        // who is in no record.
        assert!(
            dry["left_out"].to_string().contains("who the person is"),
            "{name}: {dry}"
        );
        assert!(!kinds.contains_key("Patient"), "{name}: {dry}");
        assert!(!said.contains("urn:uuid:"), "{name}: {said}");
    }
}

#[test]
fn a_published_form_of_142_questions_and_a_response_to_it_are_read() {
    let Some(folder) = data() else {
        return;
    };
    let surgery = Surgery::opens();
    let form = folder.join("sdc/Questionnaire-CardiologyForm.json");
    let added = surgery.node.json(["form", "add", text(&form)]);
    assert!(
        added["questions"].as_u64().is_some_and(|n| n >= 142),
        "{added}"
    );
    let response = folder.join("sdc/QuestionnaireResponse-Cardiology-MariaSantos.json");
    let title = added["title"].as_str().expect("a title");
    let ran = surgery
        .node
        .kith(["--json", "form", "check", text(&response), "--form", title]);
    // It names its form by another address than the form has: that is told.
    let checked = ran.ended(15).json();
    let errors: Vec<_> = checked["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|one| one["weight"] == "error")
        .collect();
    assert!(
        errors
            .iter()
            .any(|one| one["expression"] == "QuestionnaireResponse.questionnaire"),
        "{checked}"
    );
}
