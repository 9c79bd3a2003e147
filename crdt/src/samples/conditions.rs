//! Conditions, what was done about them, what runs in the family, aids, goals.

use serde_json::{Value, json};

use super::{
    day::TODAY,
    life::Had,
    page::{Closed, Page, hl7, quantity, snomed},
};

/// The practice's problem list.
pub(super) fn problems(page: &mut Page<'_>) {
    for had in &page.life.problems {
        condition(page, had);
    }
    if page.life.has_secret {
        secret(page);
    }
    if page.life.is_frail() {
        needs_care(page);
    }
}

fn condition(page: &mut Page<'_>, had: &Had) {
    let problem = had.problem;
    let passed = problem.is_passing() && TODAY.since(had.since) > 60;
    let mut body = json!({
        "resourceType": "Condition",
        "identifier": page.identifier("problem", problem.key),
        "clinicalStatus": hl7("condition-clinical", if passed { "resolved" } else { "active" }),
        "verificationStatus": hl7("condition-ver-status", "confirmed"),
        "category": [hl7("condition-category", "problem-list-item")],
        "code": snomed(problem.code, problem.term),
        "subject": page.patient(),
        "onsetDateTime": had.since.to_string(),
        "recordedDate": had.since.working().at(12 * 60),
        "recorder": page.staff(0),
        "asserter": page.staff(0),
    });
    if passed {
        body["abatementDateTime"] = had.since.on(45).to_string().into();
    }
    if let Some(note) = note(problem.key) {
        body["note"] =
            json!([{"authorString": page.source.name, "time": had.since.at(750), "text": note}]);
    }
    let story = format!("{} since {}", problem.term, had.since.words());
    page.add(
        &format!("condition/{}", problem.key),
        had.since,
        problem.closed,
        &story,
        body,
    );
}

/// What a clinician adds to some conditions.
fn note(problem: &str) -> Option<&'static str> {
    match problem {
        "frailty" => Some("Clinical Frailty Scale 6: needs help outside and with the stairs."),
        "kidney-disease" => Some("Avoid NSAIDs. Sick-day rules explained; leaflet given."),
        "dysphagia" => Some("Drinks level 2, food level 6, upright for 30 minutes after meals."),
        "dementia" => Some("Follows one step at a time. The relative comes to appointments."),
        "hypertension" => Some("Home target below 135/85; below 145/85 from the age of 80."),
        "hearing-loss" => Some("Left ear worse. Face the person; do not raise the voice."),
        _ => None,
    }
}

fn secret(page: &mut Page<'_>) {
    let day = TODAY.back(page.stream("secret").between(30, 700)).working();
    let text = format!(
        "{} is under strain at home and asked that nobody else is told",
        page.life.person.pronoun()
    );
    let body = json!({
        "resourceType": "Condition",
        "clinicalStatus": hl7("condition-clinical", "active"),
        "verificationStatus": hl7("condition-ver-status", "unconfirmed"),
        "category": [hl7("condition-category", "encounter-diagnosis")],
        "code": {"text": text},
        "subject": page.patient(),
        "recordedDate": day.at(15 * 60),
        "recorder": page.staff(0),
    });
    page.add("condition/secret", day, Closed::Private, &text, body);
}

fn needs_care(page: &mut Page<'_>) {
    let day = TODAY
        .back(page.stream("needs care").between(60, 500))
        .working();
    let text = "Care needs assessed by adult social care: help with washing, dressing and meals";
    let body = json!({
        "resourceType": "Condition",
        "clinicalStatus": hl7("condition-clinical", "active"),
        "verificationStatus": hl7("condition-ver-status", "confirmed"),
        "category": [hl7("condition-category", "problem-list-item")],
        "code": {"text": text},
        "subject": page.patient(),
        "recordedDate": day.at(14 * 60),
        "recorder": page.staff(1),
    });
    page.add("condition/care-needs", day, Closed::SocialCare, text, body);
}

/// What follows from a condition: operations and procedures.
const PROCEDURES: [(&str, &str, &str); 5] = [
    ("hip-fracture", "", "Hemiarthroplasty of the hip"),
    ("cataract", "54885007", "Cataract extraction"),
    (
        "ischaemic-heart-disease",
        "415070008",
        "Percutaneous coronary intervention",
    ),
    (
        "osteoarthritis",
        "609588000",
        "Total replacement of knee joint",
    ),
    ("depression", "", "Course of cognitive behavioural therapy"),
];

/// Procedures, as the place that did or recorded them tells.
pub(super) fn procedures(page: &mut Page<'_>) {
    let mut stream = page.stream("procedures");
    for (problem, code, term) in PROCEDURES {
        let Some(had) = page.life.had(problem) else {
            continue;
        };
        if problem != "hip-fracture" && stream.chance(40) {
            continue;
        }
        let delay = if problem == "hip-fracture" {
            1
        } else {
            stream.between(30, 400)
        };
        let day = had
            .since
            .on(delay)
            .min(TODAY.back(9))
            .working()
            .max(had.since);
        procedure(page, had, (problem, code, term), &day.to_string());
    }
    if stream.chance(12) {
        let day = page
            .life
            .person
            .born()
            .on(stream.between(3000, 7000))
            .min(TODAY.back(30));
        let body = performed(page, "80146002", "Appendectomy", &day.to_string()[..4]);
        page.add(
            "procedure/appendix",
            day,
            Closed::Open,
            "Appendix removed when young",
            body,
        );
    }
}

fn procedure(page: &mut Page<'_>, had: &Had, (key, code, term): (&str, &str, &str), day: &str) {
    let mut body = performed(page, code, term, day);
    body["reasonCode"] = json!([snomed(had.problem.code, had.problem.term)]);
    body["performer"] = json!([{"actor": page.staff(0), "onBehalfOf": page.organisation()}]);
    let story = format!("{term} for {}", had.problem.term);
    page.add(
        &format!("procedure/{key}"),
        had.since,
        had.problem.closed,
        &story,
        body,
    );
}

fn performed(page: &Page<'_>, code: &str, term: &str, when: &str) -> Value {
    json!({
        "resourceType": "Procedure",
        "identifier": page.identifier("procedure", term),
        "status": "completed",
        "code": snomed(code, term),
        "subject": page.patient(),
        "performedDateTime": when,
    })
}

/// What runs in the family.
pub(super) fn family(page: &mut Page<'_>) {
    const RUNS: [(&str, &str, &str, &str, &str); 4] = [
        ("FTH", "father", "22298006", "Myocardial infarction", "58"),
        (
            "MTH",
            "mother",
            "44054006",
            "Type 2 diabetes mellitus",
            "61",
        ),
        (
            "MTH",
            "mother",
            "254837009",
            "Malignant neoplasm of breast",
            "66",
        ),
        ("SIS", "sister", "195967001", "Asthma", "12"),
    ];
    let mut stream = page.stream("family");
    let (code, words, condition, term, age) = *stream.pick(&RUNS);
    let day = TODAY.back(stream.between(100, 3000)).working();
    let body = json!({
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "patient": page.patient(),
        "date": day.to_string(),
        "relationship": hl7("v3-RoleCode", code),
        "condition": [{
            "code": snomed(condition, term),
            "onsetAge": quantity(age, "year", "a"),
        }],
    });
    page.add(
        "family",
        day,
        Closed::Open,
        &format!("{words}: {term} at {age}"),
        body,
    );
}

/// Aids that the person uses.
pub(super) fn aids(page: &mut Page<'_>) {
    if page.life.has("hearing-loss") {
        aid(page, "hearing-aid", "6012004", "Hearing aid");
    }
    if page.life.is_frail() {
        aid(page, "walking-frame", "266731002", "Walking frame");
    }
}

fn aid(page: &mut Page<'_>, key: &str, code: &str, term: &str) {
    let day = TODAY.back(page.stream(key).between(60, 900)).working();
    let device = format!("device/{key}");
    let body = json!({
        "resourceType": "Device",
        "status": "active",
        "type": snomed(code, term),
        "patient": page.patient(),
        "owner": page.organisation(),
    });
    page.add(&device, day, Closed::Open, term, body);
    let body = json!({
        "resourceType": "DeviceUseStatement",
        "status": "active",
        "subject": page.patient(),
        "timingPeriod": {"start": day.to_string()},
        "recordedOn": day.to_string(),
        "source": page.staff(1),
        "device": page.reference(&device, term),
    });
    page.add(
        &format!("device-use/{key}"),
        day,
        Closed::Open,
        &format!("Uses a {term}"),
        body,
    );
}

/// What the person wants to reach.
pub(super) fn goals(page: &mut Page<'_>) {
    const WANTED: [(&str, &str); 6] = [
        (
            "frailty",
            "To stay at home, and to walk to the corner shop with the frame",
        ),
        ("diabetes", "HbA1c below 58 mmol/mol without hypos"),
        ("hypertension", "Blood pressure at home below 135/85"),
        (
            "asthma",
            "No night with a cough, blue inhaler less than three times a week",
        ),
        ("depression", "Back to the choir on Thursdays"),
        ("migraine", "Fewer than two attacks a month"),
    ];
    for (problem, text) in WANTED {
        let Some(had) = page.life.had(problem) else {
            continue;
        };
        let day = had.since.on(20).min(TODAY.back(5)).working();
        let body = json!({
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "achievementStatus": hl7("goal-achievement", "in-progress"),
            "category": [hl7("goal-category", "behavioral")],
            "description": {"text": text},
            "subject": page.patient(),
            "startDate": day.to_string(),
            "target": [{"dueDate": TODAY.on(120).to_string()}],
            "expressedBy": page.patient(),
        });
        page.add(
            &format!("goal/{problem}"),
            day,
            had.problem.closed,
            text,
            body,
        );
    }
}
