//! Stories about summaries: small records written by hand.

use std::collections::BTreeMap;

use kith_crdt::{
    DocumentId, Label, Section,
    classify::{self, LabelRules},
};
use kith_protocol::id::RecordId;
use serde_json::{Value, json};

use super::{IpsError, Source, SummaryAuthor, SummaryContext, assemble};

mod absence;
mod laws;
mod own;
mod published;

const RECORD: RecordId = RecordId::from_bytes([7; 32]);

fn source(n: usize, resource: &Value) -> Source {
    let document = classify::document(resource, &LabelRules::default());
    Source {
        text: resource.to_string(),
        section: document.section,
        document,
        resource: format!("{n:024x}"),
        full_url: None,
        native_id: resource
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned),
        versions: Vec::new(),
        retracted: false,
        marked: false,
        flagged: false,
        author: "Riverside Surgery".to_owned(),
        brought: Vec::new(),
        arrived_ms: 1_700_000_000_000,
    }
}

fn record(resources: &[Value]) -> Vec<Source> {
    let sources = resources.iter().enumerate();
    sources.map(|(n, resource)| source(n, resource)).collect()
}

fn context() -> SummaryContext {
    let general = |section| (section, Label::general());
    SummaryContext {
        record: RECORD,
        now: "2026-01-31T09:30:00Z".to_owned(),
        author: SummaryAuthor::Organization("Riverside Surgery".to_owned()),
        visible: Section::ALL.into_iter().map(general).collect(),
        complete: true,
    }
}

fn summary(sources: &[Source]) -> Value {
    assemble(sources, &context()).expect("the time is one")
}

fn ada() -> Value {
    json!({"resourceType": "Patient", "id": "ada", "birthDate": "1944-05-06",
        "name": [{"family": "Lovelace", "given": ["Ada"]}]})
}

fn penicillin() -> Value {
    json!({"resourceType": "AllergyIntolerance", "id": "a",
        "patient": {"reference": "Patient/ada"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "373270004",
            "display": "Penicillin"}]}})
}

fn resources(bundle: &Value) -> BTreeMap<String, Value> {
    let entries = bundle["entry"].as_array().expect("entries").iter();
    entries
        .map(|entry| {
            let url = entry["fullUrl"]
                .as_str()
                .expect("every entry has a full URL");
            (url.to_owned(), entry["resource"].clone())
        })
        .collect()
}

fn of_kind(bundle: &Value, kind: &str) -> Vec<Value> {
    let found = resources(bundle).into_values();
    found
        .filter(|resource| resource["resourceType"] == kind)
        .collect()
}

fn section(bundle: &Value, code: &str) -> Option<Value> {
    let sections = bundle.pointer("/entry/0/resource/section")?.as_array()?;
    let found = sections
        .iter()
        .find(|section| section["code"]["coding"][0]["code"] == code);
    found.cloned()
}

fn text(bundle: &Value, code: &str) -> String {
    let section = section(bundle, code).expect("the section is there");
    section["text"]["div"].as_str().expect("text").to_owned()
}

fn entries(bundle: &Value, code: &str) -> Vec<Value> {
    let held = resources(bundle);
    let section = section(bundle, code).expect("the section is there");
    let entries = section["entry"].as_array().expect("entries").iter();
    entries
        .map(|entry| held[entry["reference"].as_str().expect("a reference")].clone())
        .collect()
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("reference").and_then(Value::as_str);
            let nested = members.values().flat_map(references);
            own.map(str::to_owned).into_iter().chain(nested).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn two_versions_are_both_carried_and_neither_is_picked() {
    let dose = |dose: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"w","status":"active","intent":"order",
            "medicationCodeableConcept":{{"text":"warfarin"}},"subject":{{"reference":"Patient/ada"}},
            "dosageInstruction":[{{"doseAndRate":[{{"doseQuantity":{{"value":{dose},"unit":"mg"}}}}]}}]}}"#
        )
    };
    let mut sources = record(&[ada(), json!({"resourceType": "MedicationRequest"})]);
    sources[1].text = dose("2.50");
    sources[1].versions = vec![dose("2.50"), dose("5.0")];
    let bundle = summary(&sources);
    assert_eq!(entries(&bundle, "10160-0").len(), 2);
    let said = text(&bundle, "10160-0");
    assert!(
        said.contains("2.50 mg") && said.contains("5.0 mg"),
        "{said}"
    );
    assert!(said.contains("two versions, not yet decided: this is version 1 of 2"));
    assert!(bundle.to_string().contains(r#""value":2.50"#));
}

#[test]
fn two_versions_of_the_person_stand_inside_one_patient() {
    let mut sources = record(&[ada()]);
    let mut other = ada();
    other["birthDate"] = json!("1944-06-05");
    sources[0].versions = vec![ada().to_string(), other.to_string()];
    let bundle = summary(&sources);
    let patients = of_kind(&bundle, "Patient");
    assert_eq!(patients.len(), 1);
    assert_eq!(patients[0]["birthDate"], "1944-05-06");
    assert_eq!(patients[0]["contained"][0]["birthDate"], "1944-06-05");
    assert_eq!(patients[0]["link"][0]["type"], "seealso");
}

#[test]
fn references_lead_within_the_bundle_or_become_words() {
    let resources = [
        ada(),
        json!({"resourceType": "Practitioner", "id": "p", "name": [{"family": "Byron"}],
            "qualification": [{"code": {"text": "GP"},
                "issuer": {"reference": "https://elsewhere.example/fhir/Organization/o"}}]}),
        json!({"resourceType": "Organization", "id": "o", "name": "College"}),
        json!({"resourceType": "Condition", "subject": {"reference": "Patient/ada"},
            "clinicalStatus": {"coding": [{"code": "active"}]}, "code": {"text": "asthma"},
            "recorder": {"reference": "Practitioner/p/_history/3"},
            "asserter": {"reference": "Practitioner/gone", "display": "Dr Gone"},
            "encounter": {"reference": "Encounter/gone"},
            "evidence": [{"detail": [{"reference": "#none"}]}]}),
    ];
    let bundle = summary(&record(&resources));
    let asthma = &entries(&bundle, "11450-4")[0];
    assert_eq!(asthma["asserter"], json!({"display": "Dr Gone"}));
    assert_eq!(
        asthma["encounter"],
        json!({"display": "Encounter/gone (not in this summary)"})
    );
    let held = super::tests::resources(&bundle);
    let recorder = asthma["recorder"]["reference"]
        .as_str()
        .expect("a reference");
    assert_eq!(held[recorder]["name"][0]["family"], "Byron");
    assert_eq!(of_kind(&bundle, "Organization").len(), 2);
    assert!(references(&bundle).iter().all(|url| held.contains_key(url)));
}

#[test]
fn one_local_id_in_two_files_is_not_guessed_at() {
    let mut sources = record(&[
        ada(),
        json!({"resourceType": "Practitioner", "id": "1", "name": [{"family": "A"}]}),
        json!({"resourceType": "Practitioner", "id": "1", "name": [{"family": "B"}]}),
        json!({"resourceType": "Condition", "code": {"text": "x"},
            "recorder": {"reference": "Practitioner/1"}}),
    ]);
    assert!(of_kind(&summary(&sources), "Practitioner").is_empty());
    sources[2].author = "City Hospital".to_owned();
    let named = of_kind(&summary(&sources), "Practitioner");
    assert_eq!(named[0]["name"][0]["family"], "A");
}

#[test]
fn markup_of_others_stays_text() {
    let hostile = "<script>alert('x')</script>&\u{8}";
    let patient = json!({"resourceType": "Patient", "name": [{"family": hostile}],
        "text": {"status": "generated", "div": "<div><script>1</script></div>"}});
    let problem = json!({"resourceType": "Condition", "code": {"text": hostile},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "text": {"status": "generated", "div": "<div onclick='x'>raw</div>"}});
    let mut sources = record(&[patient, problem]);
    sources[1].author = hostile.to_owned();
    let bundle = summary(&sources);
    for resource in resources(&bundle).values() {
        let kind = resource["resourceType"].as_str();
        assert!(resource.get("text").is_none() || kind == Some("Composition"));
    }
    let composition = &of_kind(&bundle, "Composition")[0];
    let all = composition.to_string();
    assert!(
        !all.contains("<script") && !all.contains("onclick"),
        "{all}"
    );
    assert!(
        all.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"),
        "{all}"
    );
}

#[test]
fn retracted_entries_and_those_in_error_are_left_out() {
    let mut wrong = penicillin();
    wrong["verificationStatus"] = json!({"coding": [{"code": "entered-in-error"}]});
    let mut sources = record(&[ada(), penicillin(), wrong]);
    sources[1].retracted = true;
    let bundle = summary(&sources);
    assert!(!bundle.to_string().contains("Penicillin"));
    assert!(text(&bundle, "48765-2").contains("not known to this node"));
}

#[test]
fn malformed_parts_are_left_out_and_said_to_be() {
    let mut odd = penicillin();
    odd["onsetDateTime"] = Value::Null;
    odd["id"] = json!("not:an:id");
    odd["severeness"] = json!("high");
    odd["note"] = json!([{"text": "kept"}, "a word"]);
    odd["recordedDate"] = json!("last May");
    let mut sources = record(&[ada(), odd, penicillin()]);
    sources[2].text = "{ not JSON".to_owned();
    let bundle = summary(&sources);
    let listed = entries(&bundle, "48765-2");
    assert_eq!(listed.len(), 1);
    for element in ["onsetDateTime", "severeness", "recordedDate"] {
        assert!(listed[0].get(element).is_none(), "{element}");
    }
    assert_eq!(listed[0]["note"], json!([{"text": "kept"}]));
    let said = text(&bundle, "48765-2");
    assert!(said.contains("a part of this entry could not be read and is left out"));
    assert!(said.contains("One entry could not be read and is left out."));
}

#[test]
fn lists_stay_aligned_with_what_stands_beside_them() {
    let given = json!({"resourceType": "Patient", "birthDate": "1944", "name": [{
        "given": [null, "Ada", 5],
        "_given": [{"extension": [{"url": "http://example.org/x", "valueCode": "y"}]}, null, null],
    }]});
    let patient = &of_kind(&summary(&record(&[given])), "Patient")[0];
    assert_eq!(patient["name"][0]["given"], json!([null, "Ada"]));
    assert_eq!(
        patient["name"][0]["_given"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn contained_resources_keep_their_place() {
    let medicine = json!({"resourceType": "MedicationRequest", "status": "active",
        "intent": "order", "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "warfarin"},
            "text": {"status": "generated", "div": "<div>raw</div>"}}]});
    let bundle = summary(&record(&[ada(), medicine]));
    let carried = &entries(&bundle, "10160-0")[0];
    assert_eq!(carried["medicationReference"]["reference"], "#m");
    assert!(carried["contained"][0].get("text").is_none());
    assert!(text(&bundle, "10160-0").contains("<b>warfarin</b>"));
}

#[test]
fn marked_entries_say_so() {
    let mut sources = record(&[ada(), penicillin()]);
    sources[1].marked = true;
    assert!(text(&summary(&sources), "48765-2").contains("(marked: look at it in the record"));
}

#[test]
fn what_is_required_and_was_not_said_is_marked_absent() {
    let bundle = summary(&record(&[
        json!({"resourceType": "MedicationStatement"}),
        json!({"resourceType": "Immunization", "_occurrenceDateTime": {"extension": [
            {"url": "http://example.org/x", "valueCode": "y"}]}}),
    ]));
    let absent = |value: &Value| value["extension"][0]["valueCode"] == "unknown";
    let medicine = &entries(&bundle, "10160-0")[0];
    for element in ["_status", "medicationCodeableConcept", "_effectiveDateTime"] {
        assert!(absent(&medicine[element]), "{element}");
    }
    let patient = &of_kind(&bundle, "Patient")[0];
    assert!(absent(&patient["name"][0]) && absent(&patient["_birthDate"]));
    let vaccination = &entries(&bundle, "11369-6")[0];
    assert_eq!(
        vaccination["_occurrenceDateTime"]["extension"][0]["valueCode"],
        "y"
    );
}

#[test]
fn one_thing_is_said_about_tobacco_and_the_rest_is_not_lost() {
    let smoked = |date: &str| {
        json!({"resourceType": "Observation", "status": "final", "effectiveDateTime": date,
            "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2"}]}})
    };
    let bundle = summary(&record(&[
        ada(),
        smoked("2019"),
        smoked("2024"),
        smoked("2021"),
    ]));
    let shown = entries(&bundle, "29762-2");
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["effectiveDateTime"], "2024");
    assert_eq!(entries(&bundle, "11503-0").len(), 2);
}

#[test]
fn a_summary_with_a_restricted_entry_is_restricted() {
    let confidentiality = |sources: &[Source]| {
        of_kind(&summary(sources), "Composition")[0]["confidentiality"].clone()
    };
    let mut sources = record(&[ada(), penicillin()]);
    assert_eq!(confidentiality(&sources), "N");
    sources[1].document = DocumentId::first(Section::Allergies, Label::private());
    assert_eq!(confidentiality(&sources), "R");
}

#[test]
fn a_device_of_the_person_is_in_use() {
    let pacemaker = json!({"resourceType": "Device", "status": "active",
        "type": {"text": "pacemaker"}, "patient": {"reference": "Patient/ada"}});
    let bundle = summary(&record(&[ada(), pacemaker]));
    assert_eq!(entries(&bundle, "46264-8")[0]["status"], "active");
    assert!(text(&bundle, "46264-8").contains("<b>pacemaker</b>"));
}

#[test]
fn a_time_without_a_zone_is_refused() {
    let late = SummaryContext {
        now: "2026-01-31".to_owned(),
        ..context()
    };
    assert_eq!(
        assemble(&[], &late),
        Err(IpsError::Time("2026-01-31".to_owned()))
    );
}
