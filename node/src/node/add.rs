//! One thing from the keyboard into a record: a reading, a note, a medicine, a letter, a task.

use kith_crdt::{
    Body, DocumentId, Edit, Label, Meta, Resource,
    classify::{self, LabelRules},
};
use kith_protocol::{id::RecordId, record::Placed, store::Item};
use serde_json::{Value, json};

use super::{
    Node,
    find::is_date,
    import::{self, OfLetter},
    now_ms, show,
};
use crate::{
    api::{Added, Addition},
    failure::{Ending, Failure},
    health::{
        line,
        work::{handover, reference_to},
    },
};

impl Node {
    pub(super) fn add(&mut self, word: &str, what: Addition) -> Result<Added, Failure> {
        let id = self.record_named(word)?;
        let now = now_ms();
        let replaced = match &what {
            Addition::Letter {
                replaces: Some(letter),
                ..
            } => Some(self.letter_named(id, letter)?),
            Addition::Letter { replaces: None, .. }
            | Addition::Note(_)
            | Addition::Reading { .. }
            | Addition::Basics(_)
            | Addition::Result { .. }
            | Addition::Medicine { .. }
            | Addition::Task { .. } => None,
        };
        let is_medicine = matches!(what, Addition::Medicine { .. });
        let (document, resource, blob) = self.addition(what, replaced.as_ref(), now)?;
        if let Some(blob) = blob {
            kith_protocol::store::Store::put_blob(&mut self.store, &blob)?;
        }
        self.with_record(id, |node, record| {
            let mut rng = node.rng.clone();
            let mut items = Vec::new();
            let edits = [(document.clone(), vec![Edit::Create(resource)])].into();
            import::write_all(record, &node.pen(now), edits, &mut items, &mut rng)?;
            node.rng = rng;
            let entry = items.iter().find_map(|item| match item {
                Item::Entry { id, .. } => Some(id.to_string()),
                Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => {
                    None
                }
            });
            node.commit(items)?;
            let mind = match is_medicine {
                true => node.results_for_medicines(record)?,
                false => Vec::new(),
            };
            Ok(Added {
                record: id.to_string(),
                entry: entry.unwrap_or_else(String::new),
                section: document.section.name().to_owned(),
                mind,
            })
        })
    }

    /// The letter that an id, or the beginning of one, names.
    fn letter_named(&mut self, id: RecordId, word: &str) -> Result<Placed, Failure> {
        let placed = self.with_record(id, |node, record| node.thing_named(record, word))?;
        if placed.held.meta.kind == "DocumentReference" {
            return Ok(placed);
        }
        Err(Failure::new(
            Ending::Usage,
            format!("{word:?} is not a letter, so a letter cannot take its place."),
            "Name a letter of this record: kith show RECORD --json has their ids. Nothing was changed.",
        ))
    }

    pub(super) fn addition(
        &mut self,
        what: Addition,
        replaced: Option<&Placed>,
        now: u64,
    ) -> Result<(DocumentId, Resource, Option<Vec<u8>>), Failure> {
        let when = show::time(now);
        let value = match what {
            Addition::Note(text) => note(&required(text, "note")?, &when),
            Addition::Basics(text) => handover::basics(&required(text, "basic of care")?, &when),
            Addition::Reading { what, value, unit } => {
                reading(&what, &value, unit.as_deref(), &when)?
            }
            Addition::Result {
                what,
                value,
                unit,
                date,
                laboratory,
            } => {
                let when = date.map(day).transpose()?.unwrap_or(when);
                let what = required(what, "name of the test")?;
                result(
                    &what,
                    &required(value, "result")?,
                    unit.as_deref(),
                    laboratory,
                    &when,
                )
            }
            Addition::Medicine { name, dose } => {
                medicine(&required(name, "medicine")?, dose.as_deref(), &when)
            }
            Addition::Task { what, by } => task(&required(what, "task")?, by.as_deref(), &when)?,
            Addition::Letter {
                file, title, date, ..
            } => {
                let bytes = import::letter_file(&file)?;
                let file_name = || Some(file.file_name()?.to_string_lossy().into_owned());
                let of = OfLetter {
                    title: title.or_else(file_name),
                    date: date.map(day).transpose()?,
                    replaces: replaced.map(named),
                };
                let media_type = import::media_type_of(&bytes);
                let (resource, blob) = import::letter(bytes, media_type, &of, (now, 0));
                let value = serde_json::from_str(&resource.body.to_text()).unwrap_or(Value::Null);
                let mut document = classify::document(&value, &LabelRules::default());
                // Whoever may not know of the letter before may not know of this one.
                if let Some(replaced) = replaced.filter(|_| document.label == Label::general()) {
                    document.label = replaced.document.label.clone();
                }
                return Ok((document, resource, blob));
            }
        };
        let document = classify::document(&value, &LabelRules::default());
        let resource = resource(&value, &document, now);
        Ok((document, resource, None))
    }
}

/// A letter as another names it whose place it takes.
fn named(letter: &Placed) -> Value {
    let value = letter.held.value(0);
    reference_to(
        "DocumentReference",
        letter.held.id.as_str(),
        &line::describe(&value),
    )
}

/// A FHIR date.
fn day(text: String) -> Result<String, Failure> {
    if is_date(&text) {
        return Ok(text);
    }
    Err(Failure::new(
        Ending::Usage,
        format!("{text:?} is not a day."),
        "Write it as 2026-11-28, or as much of it as stands on the letter: 2026-11 or 2026. Nothing was changed.",
    ))
}

pub(super) fn resource(value: &Value, document: &DocumentId, now: u64) -> Resource {
    let text = value.to_string();
    Resource {
        meta: Meta {
            kind: value["resourceType"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            batch: (now, 0),
            ..Meta::default()
        },
        body: Body::parse(&text, document.section).unwrap_or_else(|_| Body::whole(text)),
    }
}

fn required(text: String, what: &str) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(
            Ending::Usage,
            format!("The {what} is empty."),
            "Write what it should say. Nothing was changed.",
        ));
    }
    Ok(text)
}

pub(super) fn note(text: &str, when: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "social-history"}]}],
        "code": {"text": "Note"},
        "effectiveDateTime": when,
        "valueString": text,
    })
}

/// Readings that have a code of their own (LOINC), with the unit that is meant when none is said.
const READINGS: [(&str, &str, &str, &str); 8] = [
    ("pulse", "8867-4", "Heart rate", "/min"),
    ("temperature", "8310-5", "Body temperature", "Cel"),
    ("weight", "29463-7", "Body weight", "kg"),
    ("height", "8302-2", "Body height", "cm"),
    (
        "oxygen",
        "59408-5",
        "Oxygen saturation in Arterial blood by Pulse oximetry",
        "%",
    ),
    ("breathing", "9279-1", "Respiratory rate", "/min"),
    (
        "glucose",
        "15074-8",
        "Glucose [Moles/volume] in Blood",
        "mmol/L",
    ),
    (
        "pain",
        "72514-3",
        "Pain severity - 0-10 verbal numeric rating [Score] - Reported",
        "{score}",
    ),
];

pub(super) fn reading(
    what: &str,
    value: &str,
    unit: Option<&str>,
    when: &str,
) -> Result<Value, Failure> {
    let known = READINGS.iter().find(|(name, ..)| *name == what);
    let code = match known {
        Some((_, code, display, _)) => json!({
            "coding": [{"system": "http://loinc.org", "code": code, "display": display}],
            "text": what,
        }),
        None => json!({ "text": what }),
    };
    let mut reading = json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": code,
        "effectiveDateTime": when,
    });
    if what == "blood-pressure" {
        return blood_pressure(reading, value);
    }
    let number: serde_json::Number = value.parse().map_err(|_| not_a_number(value))?;
    let unit = unit.or(known.map(|(.., unit)| *unit));
    reading["valueQuantity"] = match unit {
        Some(unit) => {
            json!({"value": number, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit})
        }
        None => json!({ "value": number }),
    };
    Ok(reading)
}

fn blood_pressure(mut reading: Value, value: &str) -> Result<Value, Failure> {
    let parts = value.split_once('/').ok_or_else(|| not_a_number(value))?;
    let number = |text: &str| {
        text.parse::<serde_json::Number>()
            .map_err(|_| not_a_number(value))
    };
    let part = |code: &str, display: &str, number| {
        json!({
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
            "valueQuantity": {"value": number, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        })
    };
    reading["code"] = json!({
        "coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel with all children optional"}],
        "text": "blood-pressure",
    });
    reading["component"] = json!([
        part("8480-6", "Systolic blood pressure", number(parts.0)?),
        part("8462-4", "Diastolic blood pressure", number(parts.1)?),
    ]);
    Ok(reading)
}

fn not_a_number(value: &str) -> Failure {
    Failure::new(
        Ending::Usage,
        format!("{value:?} is not a reading."),
        "Write a number such as 36.60, or 120/80 for blood-pressure. Nothing was changed.",
    )
}

/// A result from a paper that somebody has: what a laboratory found, in the words on it.
fn result(
    what: &str,
    value: &str,
    unit: Option<&str>,
    laboratory: Option<String>,
    when: &str,
) -> Value {
    let mut result = json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "code": {"text": what},
        "effectiveDateTime": when,
    });
    if let Some(laboratory) = laboratory {
        result["performer"] = json!([{ "display": laboratory }]);
    }
    match (value.parse::<serde_json::Number>(), unit) {
        (Ok(number), Some(unit)) => {
            result["valueQuantity"] = json!({ "value": number, "unit": unit });
        }
        (Ok(number), None) => result["valueQuantity"] = json!({ "value": number }),
        (Err(_), Some(unit)) => result["valueString"] = json!(format!("{value} {unit}")),
        (Err(_), None) => result["valueString"] = json!(value),
    }
    result
}

fn medicine(name: &str, dose: Option<&str>, when: &str) -> Value {
    let mut medicine = json!({
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": name},
        "dateAsserted": when,
    });
    if let Some(dose) = dose {
        medicine["dosage"] = json!([{ "text": dose }]);
    }
    medicine
}

fn task(what: &str, by: Option<&str>, when: &str) -> Result<Value, Failure> {
    let mut task = json!({
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "description": what,
        "authoredOn": when,
    });
    if let Some(by) = by {
        let is_time = by.parse::<jiff::Timestamp>().is_ok();
        if !is_time && by.parse::<jiff::civil::Date>().is_err() {
            return Err(Failure::new(
                Ending::Usage,
                format!("{by:?} is not a day or a time."),
                "Write it as 2026-12-24, or as 2026-12-24T14:30:00Z. Nothing was changed.",
            ));
        }
        task["restriction"] = json!({"period": {"end": by}});
    }
    Ok(task)
}
