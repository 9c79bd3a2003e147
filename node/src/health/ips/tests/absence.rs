//! Recorded, said to be none, not known: three states that are never taken for each other.

use kith_crdt::Section;
use serde_json::json;

use super::{ada, context, entries, penicillin, record, summary, text};
use crate::health::ips::{SummaryContext, assemble};

#[test]
fn a_recorded_allergy_is_listed_with_who_says_it() {
    let bundle = summary(&record(&[ada(), penicillin()]));
    let listed = entries(&bundle, "48765-2");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["code"], penicillin()["code"]);
    assert!(text(&bundle, "48765-2").contains("<b>Penicillin</b>, says Riverside Surgery"));
}

#[test]
fn no_known_allergies_is_a_statement_with_its_author_and_date() {
    let none = json!({"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/ada"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003",
            "display": "No known allergy"}]}, "recordedDate": "2024-03-02"});
    let bundle = summary(&record(&[ada(), none.clone()]));
    assert_eq!(entries(&bundle, "48765-2")[0]["code"], none["code"]);
    let said = text(&bundle, "48765-2");
    assert!(
        said.contains("No known allergy</b>, 2024-03-02, says Riverside Surgery"),
        "{said}"
    );
    assert!(!said.contains("not known to this node"));
}

#[test]
fn what_nobody_said_is_never_none() {
    let bundle = summary(&record(&[ada()]));
    for (code, absent) in [
        ("48765-2", "no-allergy-info"),
        ("10160-0", "no-medication-info"),
        ("11450-4", "no-problem-info"),
    ] {
        let listed = entries(&bundle, code).remove(0);
        let concept = listed
            .get("code")
            .or(listed.get("medicationCodeableConcept"));
        assert_eq!(concept.expect("a code")["coding"][0]["code"], absent);
        let said = text(&bundle, code);
        assert!(said.contains("not known to this node. This does not mean that there are none"));
        assert!(!said.contains("<li>"));
    }
}

#[test]
fn a_part_that_this_node_may_not_see_is_not_known() {
    let mut blind = context();
    blind
        .visible
        .retain(|(section, _)| *section != Section::Allergies);
    let bundle = assemble(&record(&[ada()]), &blind).expect("the time is one");
    assert!(text(&bundle, "48765-2").contains("this node may not see this part of the record"));
    let late = SummaryContext {
        complete: false,
        ..context()
    };
    let bundle = assemble(&record(&[ada()]), &late).expect("the time is one");
    assert!(text(&bundle, "48765-2").contains("not everything has arrived at this node yet"));
    let bundle = assemble(&record(&[ada(), penicillin()]), &late).expect("the time is one");
    assert!(text(&bundle, "48765-2").contains("there may be more"));
}

#[test]
fn a_document_that_says_none_is_heard() {
    let letter = json!({"resourceType": "Composition", "date": "2023-01-02", "section": [
        {"code": {"coding": [{"system": "http://loinc.org", "code": "48765-2"}]},
            "emptyReason": {"coding": [{"code": "nilknown"}]}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "10160-0"}]},
            "emptyReason": {"coding": [{"code": "unavailable"}]}}]});
    let bundle = summary(&record(&[ada(), letter]));
    let none = &entries(&bundle, "48765-2")[0];
    assert_eq!(none["code"]["coding"][0]["code"], "no-known-allergies");
    assert_eq!(none["recordedDate"], "2023-01-02");
    assert!(text(&bundle, "10160-0").contains("not known to this node"));
}

#[test]
fn none_said_beside_a_recorded_allergy_shows_both() {
    let none = json!({"resourceType": "AllergyIntolerance",
        "code": {"text": "No known allergies"}});
    let bundle = summary(&record(&[ada(), penicillin(), none]));
    assert_eq!(entries(&bundle, "48765-2").len(), 2);
    assert!(text(&bundle, "48765-2").contains("both are shown"));
}

#[test]
fn others_not_knowing_says_nothing_beside_what_is_known() {
    let unsure = json!({"resourceType": "AllergyIntolerance", "code": {"coding": [{
        "system": "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
        "code": "no-allergy-info"}]}});
    let bundle = summary(&record(&[ada(), penicillin(), unsure]));
    assert_eq!(entries(&bundle, "48765-2").len(), 1);
}
