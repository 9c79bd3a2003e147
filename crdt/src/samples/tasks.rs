//! Work: what is asked of whom, orders, messages, handover.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    encounters, identity,
    page::{Closed, Page, snomed},
    results::placer_number,
    stream::Stream,
};

/// The practice's orders and open tasks.
pub(super) fn practice(page: &mut Page<'_>) {
    if page.life.age >= 16 {
        blood_test(page);
    }
    if !page.life.medicines.is_empty() {
        task(
            page,
            "review",
            TODAY.back(6),
            14,
            "Medication review with the clinical pharmacist",
            Closed::Open,
        );
    }
    if page.life.is_frail() {
        let what = "Agree the care package with adult social care";
        task(
            page,
            "care-package",
            TODAY.back(9),
            10,
            what,
            Closed::SocialCare,
        );
    }
    if let Some(had) = page.life.has_closed(Closed::MentalHealth) {
        let day = had.since.on(60).min(TODAY.back(4)).working();
        task(
            page,
            "mood",
            day,
            28,
            "Ring to ask about mood and sleep",
            Closed::MentalHealth,
        );
    }
}

fn blood_test(page: &mut Page<'_>) {
    let day = TODAY.back(28).working();
    let placer = Stream::of(page.life.seed, page.life.number, "placer/0");
    let body = json!({
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "https://order.example/placer", "value": placer_number(placer)}],
        "status": "completed",
        "intent": "order",
        "category": [snomed("108252007", "Laboratory procedure")],
        "priority": "routine",
        "code": {"text": "Kidney function, full blood count and monitoring of medicines"},
        "subject": page.patient(),
        "occurrenceDateTime": day.on(1).to_string(),
        "authoredOn": day.at(10 * 60),
        "requester": page.staff(0),
        "performer": [{"display": "Four Rivers Pathology"}],
    });
    page.add(
        "request/blood",
        day,
        Closed::Open,
        "Blood tests ordered",
        body,
    );
}

fn task(page: &mut Page<'_>, key: &str, day: Day, days: i32, what: &str, closed: Closed) {
    let body = json!({
        "resourceType": "Task",
        "identifier": page.identifier("task", key),
        "status": if day > TODAY.back(30) { "requested" } else { "completed" },
        "intent": "order",
        "priority": "routine",
        "description": what,
        "for": page.patient(),
        "authoredOn": day.at(9 * 60 + 15),
        "lastModified": day.at(9 * 60 + 15),
        "requester": page.staff(0),
        "owner": page.staff(1),
        "restriction": {"period": {"end": day.on(days).to_string()}},
    });
    page.add(&format!("task/{key}"), day, closed, what, body);
}

/// What the hospital asks of others when the person goes home.
pub(super) fn discharge(page: &mut Page<'_>) {
    let Some(day) = page.life.called_ambulance else {
        return;
    };
    task(
        page,
        "after-discharge",
        day.on(1),
        14,
        "GP to check blood pressure lying and standing",
        Closed::Open,
    );
    if page.life.is_frail() {
        let text = "Medically fit. Walks with the frame and one person. Drinks and food as before. Relative told.";
        handover(page, "handover/discharge", day.on(1), text, Closed::Open);
    }
}

/// What the crew told the emergency department.
pub(super) fn crew(page: &mut Page<'_>) {
    let Some(day) = page.life.called_ambulance else {
        return;
    };
    let text = format!(
        "{}. Alert, no head injury seen, observations within limits. {}",
        encounters::call(page.life),
        if page.life.is_frail() {
            "ReSPECT plan seen and followed."
        } else {
            "Relative told."
        },
    );
    handover(page, "handover/emergency", day, &text, Closed::Open);
}

/// Handover from shift to shift, and what carers ask of others.
pub(super) fn carers(page: &mut Page<'_>) {
    for (n, text) in [
        "Slept well. Ate half of supper. Needs reminding to drink; beaker within reach on the right.",
        "A little unsteady this morning. Frame moved beside the bed. Watch on the way to the bathroom.",
        "Bright today. Walked to the window twice. Skin intact.",
    ]
    .into_iter()
    .zip(1..)
    .map(|(text, n)| (n, text))
    {
        handover(page, &format!("handover/{n}"), TODAY.back(n), text, Closed::Open);
    }
    task(
        page,
        "pads",
        TODAY.back(3),
        7,
        "Order continence pads",
        Closed::SocialCare,
    );
}

fn handover(page: &mut Page<'_>, key: &str, day: Day, text: &str, closed: Closed) {
    let body = json!({
        "resourceType": "Communication",
        "identifier": page.identifier("handover", key),
        "status": "completed",
        "category": [{"text": "Handover"}],
        "priority": "routine",
        "subject": page.patient(),
        "topic": {"text": "Handover"},
        "sent": day.at(19 * 60 + 45),
        "recipient": [identity::carer(page)],
        "sender": page.staff(1),
        "payload": [payload(text)],
    });
    page.add(key, day, closed, text, body);
}

fn payload(text: &str) -> Value {
    json!({"contentString": text})
}
