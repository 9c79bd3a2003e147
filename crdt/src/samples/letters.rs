//! Letters, with their text attached.

use std::fmt::Write as _;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    encounters,
    organisations::Kind,
    page::{Closed, Page, snomed},
};

/// From here on an attachment is kept outside the document.
const LONG: usize = 16 * 1024;

/// The hospital's letters.
pub(super) fn hospital(page: &mut Page<'_>) {
    clinic_letter(page);
    if let Some(day) = page.life.called_ambulance {
        let reason = encounters::call(page.life);
        let text = format!(
            "{}Diagnosis: {reason}.\n\nInvestigations: ECG, blood tests and chest film as expected.\n\nMedicines are unchanged; see the list.\n\nPlan: home with support; GP to check blood pressure lying and standing.\n",
            greeting(page),
        );
        let mut body = document(page, "discharge", day.on(1), "Discharge summary", &text);
        body["type"] = snomed("373942005", "Discharge summary");
        page.add(
            "letter/discharge",
            day.on(1),
            Closed::Open,
            &format!("Discharge summary: {reason}"),
            body,
        );
    }
    closed_letters(page);
}

fn clinic_letter(page: &mut Page<'_>) {
    let mut stream = page.stream("clinic letter");
    let day = TODAY.back(stream.between(25, 300)).working();
    let term = page
        .life
        .problems
        .iter()
        .find(|had| had.problem.closed == Closed::Open && had.since <= day)
        .map_or("Routine check", |had| had.problem.term);
    let mut text = format!("{}Reviewed in clinic about: {term}.\n\n", greeting(page));
    for taken in page
        .life
        .medicines
        .iter()
        .filter(|taken| taken.problem.closed == Closed::Open && taken.since <= day)
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {}: {}", taken.dose.product, taken.dose.text);
    }
    text.push_str("\nNo change today. We will see the person again in a year.\n");
    if page.kind() == Kind::Hospital && stream.chance(5) {
        history(&mut text);
    }
    let body = document(
        page,
        "clinic",
        day,
        &format!("Clinic letter: {term}"),
        &text,
    );
    page.add(
        "letter/clinic",
        day,
        Closed::Open,
        &format!("Clinic letter about {term}"),
        body,
    );
}

/// A few people have a letter that goes back for years.
fn history(text: &mut String) {
    for year in (1990..2026).rev() {
        for month in ["March", "September"] {
            let _ = write!(
                text,
                "\n{month} {year}: attended as planned. Felt much the same as at the last visit. Examination of heart, chest and abdomen without new findings. Weight steady. The plan of the last letter was gone through line by line and stays as it is; written information was given again.\n"
            );
        }
    }
    debug_assert!(text.len() > LONG, "a long history is a long letter");
}

fn closed_letters(page: &mut Page<'_>) {
    for (key, closed, title, line) in [
        (
            "mental-health",
            Closed::MentalHealth,
            "Letter of the community mental health team",
            "Seen for an assessment. Mood is better than in spring. No thoughts of self-harm. Medicine goes on; review in three months.",
        ),
        (
            "sexual-health",
            Closed::SexualHealth,
            "Letter of the sexual health clinic",
            "Seen and treated. Partners were told with help of the clinic. No further visit is needed unless something changes.",
        ),
    ] {
        let Some(had) = page.life.has_closed(closed) else {
            continue;
        };
        let day = had.since.on(25).min(TODAY.back(3)).working();
        let text = format!("{}{line}\n", greeting(page));
        let body = document(page, key, day, title, &text);
        page.add(&format!("letter/{key}"), day, closed, title, body);
    }
    if page.life.is_frail() {
        let day = TODAY
            .back(page.stream("social work").between(15, 150))
            .working();
        let title = "Assessment by the hospital social worker";
        let text = format!(
            "{}Needs help twice a day with washing and meals. Savings below the limit. The relative wishes to go on helping and was offered a carer's assessment.\n",
            greeting(page)
        );
        let body = document(page, "social", day, title, &text);
        page.add("letter/social", day, Closed::SocialCare, title, body);
    }
}

/// What the ambulance crew leaves behind.
pub(super) fn crew(page: &mut Page<'_>) {
    let Some(day) = page.life.called_ambulance else {
        return;
    };
    let text = format!(
        "{}Call: {}.\nPulse, blood pressure, oxygen and glucose were measured. Taken to hospital.\n",
        greeting(page),
        encounters::call(page.life)
    );
    let body = document(page, "crew", day, "Ambulance patient record", &text);
    page.add(
        "letter/crew",
        day,
        Closed::Open,
        "Ambulance patient record",
        body,
    );
}

fn greeting(page: &Page<'_>) -> String {
    let person = &page.life.person;
    format!(
        "{}\n\nAbout {}, born {}, NHS number {}\n{}, {} {}\n\nDear colleague,\n\n",
        page.source.name,
        person.name(),
        person.born().words(),
        person.nhs_number,
        person.street,
        person.town,
        person.postcode,
    )
}

/// A document with its text attached.
pub(super) fn document(page: &Page<'_>, key: &str, day: Day, title: &str, text: &str) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "masterIdentifier": page.identifier("document", key)[0],
        "status": "current",
        "type": {"text": title},
        "subject": page.patient(),
        "date": day.at(16 * 60 + 30),
        "author": [page.staff(0)],
        "custodian": page.organisation(),
        "description": title,
        "content": [{
            "attachment": {
                "contentType": "text/plain; charset=utf-8",
                "language": "en-GB",
                "data": BASE64.encode(text.as_bytes()),
                "size": text.len(),
                "title": title,
                "creation": day.to_string(),
            },
        }],
    })
}
