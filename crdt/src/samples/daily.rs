//! Daily care: how the person lives, notes of carers, what everybody must know.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    life::Home,
    page::{Closed, Page, hl7, loinc, number, snomed},
};

/// What the practice asked about: smoking, alcohol, how the person lives.
pub(super) fn habits(page: &mut Page<'_>) {
    const SMOKING: [(&str, &str); 3] = [
        ("266919005", "Never smoked tobacco"),
        ("8517006", "Ex-smoker"),
        ("77176002", "Smoker"),
    ];
    if page.life.age < 14 {
        return;
    }
    let mut stream = page.stream("habits");
    let day = TODAY.back(stream.between(20, 500)).working();
    let (code, term) = *stream.pick(&SMOKING);
    let value = json!({"valueCodeableConcept": snomed(code, term)});
    observe(
        page,
        "smoking",
        day,
        "social-history",
        &loinc("72166-2", "Tobacco smoking status"),
        (term, value),
        Closed::Open,
    );
    let units = stream.between(0, 16).to_string();
    let value = json!({"valueQuantity": {"value": number(&units), "unit": "units/week"}});
    observe(
        page,
        "alcohol",
        day,
        "social-history",
        &json!({"text": "Alcohol, units a week"}),
        (&units, value),
        Closed::Open,
    );
    if page.life.has_closed(Closed::MentalHealth).is_some() {
        let score = stream.between(3, 14);
        let value = json!({"valueInteger": score});
        let code = loinc(
            "44261-6",
            "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]",
        );
        observe(
            page,
            "phq9",
            day,
            "survey",
            &code,
            (&score.to_string(), value),
            Closed::MentalHealth,
        );
    }
}

/// What is pinned to the top: the basics of caring for this person.
pub(super) fn basics(page: &mut Page<'_>) {
    let life = page.life;
    let mut basics = vec![("glasses", "Wears glasses; clean them in the morning")];
    if life.has("hearing-loss") {
        basics.push(("hearing", "Left ear deaf: sit on the right, hearing aid in"));
    }
    if life.has("dysphagia") {
        basics.push(("drinks", "Drinks thickened to level 2, upright, small sips"));
    }
    basics.push(match life.home {
        Home::Residential => (
            "moves",
            "Walks with the frame and one carer; sensor mat at night",
        ),
        Home::Helped | Home::Independent => (
            "moves",
            "Walks with the frame; chair riser in the front room",
        ),
    });
    for (key, text) in basics {
        let day = TODAY.back(page.stream(key).between(10, 120));
        let mut body = noted(
            page,
            day,
            "social-history",
            &json!({"text": "Care basics"}),
            &json!({"valueString": text}),
        );
        body["interpretation"] = json!([{"text": "Pinned"}]);
        page.add(&format!("basics/{key}"), day, Closed::Open, text, body);
    }
}

const NOTES: [&str; 12] = [
    "Ate all of breakfast, porridge and a banana. Two cups of tea.",
    "Wash and clean clothes. Skin on heels and back intact, cream applied.",
    "Walked to the front window and back with the frame, a little breathless.",
    "Did not want lunch. Ate the soup later with company.",
    "Daughter's photographs looked at together. Talked about the allotment.",
    "Restless between two and four in the night. Settled with the radio.",
    "All medicines from the box taken with water.",
    "Bowels open, normal. Pad changed once.",
    "Bruise on the left forearm, old, the size of a coin. Family knows.",
    "Sat in the garden for half an hour. Enjoyed the robin.",
    "Drank 1.2 litres by the chart. Reminded every hour.",
    "Hairdresser came. In good spirits.",
];

/// Notes of the last fortnight.
pub(super) fn notes(page: &mut Page<'_>) {
    for back in (1..=14).rev() {
        note(page, TODAY.back(back));
    }
    let day = TODAY.back(8);
    let text = "Relative upset about the fees. Listened; gave the number of the council's adviser.";
    let value = json!({"valueString": text});
    observe(
        page,
        "fees",
        day,
        "social-history",
        &json!({"text": "Carer's note"}),
        (text, value),
        Closed::SocialCare,
    );
}

/// One carer's note of a day.
pub(super) fn note(page: &mut Page<'_>, day: Day) {
    let key = format!("note/{day}");
    // Five is prime to twelve: no note comes again before all others did.
    let turn = day.since(TODAY).rem_euclid(12) * 5 + page.stream("notes").between(0, 11);
    let text = NOTES[usize::try_from(turn).unwrap_or(0) % NOTES.len()];
    let text = text.replace("Daughter's photographs", "Family photographs");
    let value = json!({"valueString": text});
    observe(
        page,
        &key,
        day,
        "activity",
        &json!({"text": "Carer's note"}),
        (&text, value),
        Closed::Open,
    );
}

fn observe(
    page: &mut Page<'_>,
    key: &str,
    day: Day,
    category: &str,
    code: &Value,
    (words, value): (&str, Value),
    closed: Closed,
) {
    let story = format!("{}: {words}", code["text"].as_str().unwrap_or_default());
    let body = noted(page, day, category, code, &value);
    page.add(&format!("daily/{key}"), day, closed, &story, body);
}

fn noted(page: &Page<'_>, day: Day, category: &str, code: &Value, value: &Value) -> Value {
    let minute = page
        .stream(&format!("minute/{day}"))
        .between(8 * 60, 20 * 60);
    let mut body = json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [hl7("observation-category", category)],
        "code": code,
        "subject": page.patient(),
        "effectiveDateTime": day.at(minute),
        "performer": [page.staff(1)],
    });
    if let (Value::Object(body), Value::Object(value)) = (&mut body, value) {
        body.extend(value.clone());
    }
    body
}
