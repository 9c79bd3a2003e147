//! Encounters that were, appointments that will be.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    life::Life,
    organisations::Kind,
    page::{Closed, Page},
};

/// A kind of encounter: class of HL7 v3 ActCode, what it is called, how long it takes.
struct Visit {
    class: (&'static str, &'static str),
    kind: &'static str,
    minutes: i32,
}

const SURGERY: Visit = Visit {
    class: ("AMB", "ambulatory"),
    kind: "Consultation at the surgery",
    minutes: 12,
};
const CLINIC: Visit = Visit {
    class: ("AMB", "ambulatory"),
    kind: "Outpatient clinic",
    minutes: 25,
};
const EMERGENCY: Visit = Visit {
    class: ("EMER", "emergency"),
    kind: "Emergency department attendance",
    minutes: 230,
};
const CREW: Visit = Visit {
    class: ("FLD", "field"),
    kind: "Ambulance attendance",
    minutes: 75,
};

/// What the practice saw the person for.
pub(super) fn consultations(page: &mut Page<'_>) {
    let mut stream = page.stream("consultations");
    let mut back = 0;
    for n in 0..3 {
        back += stream.between(14, 150);
        let day = TODAY.back(back).working();
        let reason = open_reason(page.life, n, day);
        encounter(
            page,
            &format!("encounter/{n}"),
            day,
            &SURGERY,
            (Closed::Open, reason),
        );
    }
    if let Some(had) = page.life.has_closed(Closed::MentalHealth) {
        let day = had.since.on(28).min(TODAY.back(3)).working();
        let reason = had.problem.term;
        encounter(
            page,
            "encounter/mood",
            day,
            &SURGERY,
            (Closed::MentalHealth, reason),
        );
    }
    if page.life.has_secret {
        let day = TODAY.back(page.stream("secret").between(30, 700)).working();
        let reason = "Seen alone, as asked; not to be told to the family";
        encounter(
            page,
            "encounter/secret",
            day,
            &SURGERY,
            (Closed::Private, reason),
        );
    }
}

fn open_reason(life: &Life, n: usize, day: Day) -> &'static str {
    let open = life
        .problems
        .iter()
        .filter(|had| had.problem.closed == Closed::Open && had.since <= day);
    let reason = open.map(|had| had.problem.term).nth(n);
    reason.unwrap_or(
        [
            "Cough and sore throat",
            "Sprained ankle",
            "Tired all the time",
        ][n % 3],
    )
}

/// What the hospital saw the person for.
pub(super) fn hospital(page: &mut Page<'_>) {
    if let Some(day) = page.life.called_ambulance {
        encounter(
            page,
            "encounter/emergency",
            day,
            &EMERGENCY,
            (Closed::Open, call(page.life)),
        );
    }
    let day = TODAY.back(page.stream("clinic").between(30, 400)).working();
    let reason = open_reason(page.life, 0, day);
    encounter(
        page,
        "encounter/clinic",
        day,
        &CLINIC,
        (Closed::Open, reason),
    );
    if let Some(had) = page.life.has_closed(Closed::SexualHealth) {
        let day = had.since.working();
        let reason = had.problem.term;
        encounter(
            page,
            "encounter/sexual-health",
            day,
            &CLINIC,
            (Closed::SexualHealth, reason),
        );
    }
}

/// Why an ambulance came.
pub(super) fn call(life: &Life) -> &'static str {
    if life.is_frail() {
        "Fall at home, on the floor for about an hour"
    } else if life.has("asthma") || life.has("copd") {
        "Short of breath"
    } else {
        "Fainted; well again when the crew came"
    }
}

/// What the ambulance crew did.
pub(super) fn crew(page: &mut Page<'_>) {
    if let Some(day) = page.life.called_ambulance {
        encounter(
            page,
            "encounter/call",
            day,
            &CREW,
            (Closed::Open, call(page.life)),
        );
    }
}

fn encounter(
    page: &mut Page<'_>,
    key: &str,
    day: Day,
    visit: &Visit,
    (closed, reason): (Closed, &str),
) {
    let start = page.stream(key).between(9 * 60, 16 * 60);
    let (class, display) = visit.class;
    let body = json!({
        "resourceType": "Encounter",
        "identifier": page.identifier("encounter", key),
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class, "display": display},
        "type": [{"text": visit.kind}],
        "subject": page.patient(),
        "participant": [{"individual": page.staff(0)}],
        "period": {"start": day.at(start), "end": day.at(start + visit.minutes)},
        "reasonCode": [{"text": reason}],
        "location": [{"location": page.reference("organisation/location", page.source.name)}],
        "serviceProvider": page.organisation(),
    });
    let story = format!("{}: {reason}", visit.kind);
    page.add(key, day, closed, &story, body);
}

/// What is booked.
pub(super) fn appointment(page: &mut Page<'_>) {
    let mut stream = page.stream("appointment");
    let day = TODAY.on(stream.between(4, 48)).working();
    let start = 9 * 60 + 10 * stream.between(0, 40);
    let (what, minutes) = match page.kind() {
        Kind::Practice => ("Review with the practice nurse", 20),
        Kind::Hospital => ("Outpatient clinic", 30),
        Kind::Ambulance | Kind::CareHome | Kind::HomeCare | Kind::Pharmacy | Kind::Laboratory => {
            ("Visit", 30)
        }
    };
    let accepted =
        |actor: Value| json!({"actor": actor, "required": "required", "status": "accepted"});
    let body = json!({
        "resourceType": "Appointment",
        "identifier": page.identifier("appointment", "next"),
        "status": "booked",
        "description": what,
        "start": day.at(start),
        "end": day.at(start + minutes),
        "minutesDuration": minutes,
        "created": TODAY.back(12).to_string(),
        "participant": [
            accepted(page.patient()),
            accepted(page.staff(1)),
            accepted(page.reference("organisation/location", page.source.name)),
        ],
    });
    let story = format!("{what} on {}", day.words());
    page.add("appointment", TODAY.back(12), Closed::Open, &story, body);
}
