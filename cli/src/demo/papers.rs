//! What the demo's organisations write, as FHIR that their own systems could send.

use jiff::Timestamp;
use kith_crdt::samples::{Sample, SamplePerson, sample};
use serde_json::{Value, json};

/// The seed of the demo's people.
const SEED: u64 = 2026;

/// An old man who lives at home, takes medicines, and does not exist.
pub fn person() -> Sample {
    let fits = |sample: &Sample| {
        let person = &sample.person;
        let text = sample
            .bundles
            .first()
            .map_or("", |bundle| bundle.text.as_str());
        !person.is_female
            && person.birth_date.as_str() < "1948"
            && text.matches("\"MedicationRequest\"").count() >= 2
            && text.contains("\"AllergyIntolerance\"")
    };
    (0..500)
        .map(|number| sample(SEED, number))
        .find(fits)
        .unwrap_or_else(|| sample(SEED, 0))
}

/// Others of the same practice, of whom nothing is shared.
pub fn others() -> Vec<Sample> {
    (500..503).map(|number| sample(SEED, number)).collect()
}

/// A ReSPECT plan, as the practice signs it.
pub fn respect(day: &str) -> Value {
    let words = "ReSPECT plan: recommended summary plan for emergency care and treatment. What matters: to be at home. \
                 For hospital where a fall or an infection can be treated; not for resuscitation. \
                 Ring Riverside Surgery and the daughter.";
    json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {
            "coding": [{"system": "http://snomed.info/sct", "code": "1382601000000107"}],
            "text": "ReSPECT plan",
        },
        "date": format!("{day}T09:00:00Z"),
        "description": words,
        "content": [{"attachment": {
            "contentType": "text/plain",
            "title": "ReSPECT plan",
            "data": data_of(words),
        }}],
    })
}

/// What has to happen around him, as the practice writes it down.
pub const RULES: &str = "\
# What has to happen around him
on admission
  Riverside Surgery: review his medicines, within 2 days, because he fell
  Community nurses: dress the wrist at home, within 3 days
  Social care: pause the morning visits, within 4 hours
  Sam's laptop: take glasses and hearing aid to the ward, within 1 day
on discharge
  Community nurses: visit him at home, within 2 days
";

/// What the hospital's own system says of his stay, as HL7 v2: `ADT^A01` when he was admitted,
/// `ADT^A03` when he goes home, `ADT^A13` when that is taken back.
pub fn message(kind: &str, number: u32, man: &SamplePerson) -> String {
    let now = Timestamp::now().strftime("%Y%m%d%H%M%S+0000").to_string();
    let birth: String = man.birth_date.split('-').collect();
    let (family, given, number_of_nhs) = (&man.family, &man.given, &man.nhs_number);
    let event = kind.trim_start_matches("ADT^");
    let (admitted, discharged) = match event {
        "A03" => ("", now.as_str()),
        _ => (now.as_str(), ""),
    };
    [
        format!("MSH|^~\\&|PAS|CASTLEBRIDGE|KITH|CASTLEBRIDGE|{now}||{kind}|DEMO{number}|P|2.5.1"),
        format!("EVN|{event}|{now}"),
        format!("PID|1||{number_of_nhs}^^^NHS^NH||{family}^{given}||{birth}|M"),
        format!("PV1|1|I|Ward 7^^^Castlebridge General Hospital||||||||||||||||V1^^^CASTLEBRIDGE|||||||||||||||||||||||||{admitted}|{discharged}"),
        "PV2|||^Fall at home, wrist fracture".to_owned(),
    ]
    .map(|segment| segment + "\r")
    .concat()
}

/// What carers and devices measured at one time.
pub fn reading(n: u32) -> (String, String) {
    match n % 3 {
        0 => ("pulse".to_owned(), (68 + n % 20).to_string()),
        1 => (
            "blood-pressure".to_owned(),
            format!("{}/{}", 118 + n % 25, 70 + n % 12),
        ),
        _ => ("temperature".to_owned(), format!("36.{}", n % 9)),
    }
}

fn data_of(words: &str) -> String {
    data_encoding::BASE64.encode(words.as_bytes())
}
