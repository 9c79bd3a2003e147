//! Allergies: one that is recorded, or "no known allergies" said by a clinician on a day; flags.

use serde_json::json;

use super::{
    day::TODAY,
    organisations::Kind,
    page::{Closed, Page, hl7, snomed},
};

/// What a practice or a hospital says.
pub(super) fn write(page: &mut Page<'_>) {
    match page.life.allergy {
        Some(_) => recorded(page),
        None => none_known(page),
    }
    if page.life.is_frail() {
        flag(page, "falls", "129839007", "At risk for falls");
    }
    if page.life.takes("warfarin").is_some() || page.life.takes("apixaban").is_some() {
        flag(
            page,
            "anticoagulant",
            "",
            "Takes an anticoagulant: ask before any procedure",
        );
    }
}

fn recorded(page: &mut Page<'_>) {
    let Some(allergy) = page.life.allergy else {
        return;
    };
    let day = TODAY
        .back(page.stream("allergy").between(200, 3000))
        .working();
    let (code, reaction) = allergy.reaction;
    let body = json!({
        "resourceType": "AllergyIntolerance",
        "identifier": page.identifier("allergy", "allergy"),
        "clinicalStatus": hl7("allergyintolerance-clinical", "active"),
        "verificationStatus": hl7("allergyintolerance-verification", "confirmed"),
        "type": "allergy",
        "category": [allergy.category],
        "criticality": if allergy.is_severe { "high" } else { "low" },
        "code": snomed(allergy.code, allergy.term),
        "patient": page.patient(),
        "recordedDate": day.at(11 * 60),
        "recorder": page.staff(0),
        "asserter": page.patient(),
        "reaction": [{
            "manifestation": [snomed(code, reaction)],
            "severity": if allergy.is_severe { "severe" } else { "moderate" },
        }],
    });
    let story = format!("{}: {reaction}", allergy.term);
    page.add("allergy", day, Closed::Open, &story, body);
}

fn none_known(page: &mut Page<'_>) {
    let day = TODAY
        .back(page.stream("allergy").between(20, 900))
        .working();
    let body = json!({
        "resourceType": "AllergyIntolerance",
        "identifier": page.identifier("allergy", "allergy"),
        "clinicalStatus": hl7("allergyintolerance-clinical", "active"),
        "verificationStatus": hl7("allergyintolerance-verification", "confirmed"),
        "code": snomed("716186003", "No known allergy"),
        "patient": page.patient(),
        "recordedDate": day.at(10 * 60 + 20),
        "recorder": page.staff(0),
        "asserter": page.staff(0),
    });
    let story = format!("No known allergies, asked on {}", day.words());
    page.add("allergy", day, Closed::Open, &story, body);
}

fn flag(page: &mut Page<'_>, key: &str, code: &str, term: &str) {
    let day = TODAY.back(page.stream(key).between(30, 300)).working();
    let body = json!({
        "resourceType": "Flag",
        "status": "active",
        "category": [hl7("flag-category", "safety")],
        "code": snomed(code, term),
        "subject": page.patient(),
        "period": {"start": day.to_string()},
        "author": page.organisation(),
    });
    page.add(&format!("flag/{key}"), day, Closed::Open, term, body);
}

/// What an ambulance crew or a care home must know before they go in.
pub(super) fn access(page: &mut Page<'_>) {
    let term = match page.kind() {
        Kind::CareHome => "Ring the bell at the side door after 8 pm",
        Kind::Practice
        | Kind::Hospital
        | Kind::Ambulance
        | Kind::HomeCare
        | Kind::Pharmacy
        | Kind::Laboratory => "Key safe by the front door; the person's relative has the code",
    };
    flag(page, "access", "", term);
}
