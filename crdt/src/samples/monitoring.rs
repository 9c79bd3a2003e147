//! Monitoring: what the person's own devices measured over the last months.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    life::Life,
    page::{Closed, Page, decimal, hl7, loinc, quantity},
    stream::Stream,
};

/// A device and what it measures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meter {
    BloodPressure,
    Pulse,
    Oxygen,
    Glucose,
    Weight,
}

impl Meter {
    fn device(self) -> (&'static str, &'static str) {
        match self {
            Self::BloodPressure | Self::Pulse => ("cuff", "Blood pressure monitor"),
            Self::Oxygen => ("oximeter", "Pulse oximeter"),
            Self::Glucose => ("glucose-meter", "Blood glucose meter"),
            Self::Weight => ("scales", "Weighing scales"),
        }
    }

    fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::BloodPressure => ("85354-9", "Blood pressure panel with all children optional"),
            Self::Pulse => ("8867-4", "Heart rate"),
            Self::Oxygen => (
                "59408-5",
                "Oxygen saturation in Arterial blood by Pulse oximetry",
            ),
            Self::Glucose => (
                "14743-9",
                "Glucose [Moles/volume] in Capillary blood by Glucometer",
            ),
            Self::Weight => ("29463-7", "Body weight"),
        }
    }

    /// The meters that a person uses.
    fn of(life: &Life) -> Vec<Self> {
        let has = |problems: &[&str]| problems.iter().any(|problem| life.has(problem));
        let mut meters = Vec::new();
        if has(&["hypertension", "stroke", "atrial-fibrillation"]) {
            meters.extend([Self::BloodPressure, Self::Pulse]);
        }
        if has(&["copd", "asthma"]) {
            meters.push(Self::Oxygen);
        }
        if has(&["diabetes"]) {
            meters.push(Self::Glucose);
        }
        if has(&["heart-failure", "frailty"]) {
            meters.push(Self::Weight);
        }
        meters
    }

    /// What it showed, as elements of an Observation, and in words.
    fn reading(self, life: &Life, stream: &mut Stream) -> (Value, String) {
        let treated = life.takes("ramipril").is_some() || life.takes("amlodipine").is_some();
        let one = |value: &str, unit: &str, ucum: &str| {
            (
                json!({"valueQuantity": quantity(value, unit, ucum)}),
                format!("{value} {unit}"),
            )
        };
        match self {
            Self::BloodPressure => {
                let middle = if treated { 134 } else { 142 };
                let systolic = middle + stream.between(-14, 14);
                let diastolic = 78 + stream.between(-9, 9);
                (
                    pressure(systolic, diastolic),
                    format!("{systolic}/{diastolic} mmHg"),
                )
            }
            Self::Pulse => {
                let slow = life.takes("bisoprolol").is_some() || life.takes("digoxin").is_some();
                let middle = if slow { 66 } else { 76 };
                one(
                    &(middle + stream.between(-8, 10)).to_string(),
                    "beats/min",
                    "/min",
                )
            }
            Self::Oxygen => {
                let middle = if life.has("copd") { 92 } else { 97 };
                one(&(middle + stream.between(-2, 2)).to_string(), "%", "%")
            }
            Self::Glucose => one(&decimal(stream.between(480, 1250), 1), "mmol/L", "mmol/L"),
            Self::Weight => {
                let own = life.weight();
                one(&decimal(own + stream.between(-90, 90), 2), "kg", "kg")
            }
        }
    }
}

fn pressure(systolic: i32, diastolic: i32) -> Value {
    let part = |code, name, value: i32| {
        let value = quantity(&value.to_string(), "mmHg", "mm[Hg]");
        json!({"code": loinc(code, name), "valueQuantity": value})
    };
    json!({"component": [
        part("8480-6", "Systolic blood pressure", systolic),
        part("8462-4", "Diastolic blood pressure", diastolic),
    ]})
}

/// A reading of every meter every twelve days, for half a year.
pub(super) fn half_year(page: &mut Page<'_>) {
    let meters = Meter::of(page.life);
    devices(page, &meters);
    for round in (0..15).rev() {
        for meter in &meters {
            let key = format!("{}/{round}", meter.code().0);
            let day = TODAY.back(round * 12 + page.stream(&key).between(1, 4));
            reading(page, *meter, day);
        }
    }
}

/// A reading of every meter on one day.
pub(super) fn day(page: &mut Page<'_>, day: Day) {
    for meter in Meter::of(page.life) {
        reading(page, meter, day);
    }
}

/// `count` readings of a cuff, one a day, from before the half year.
pub(super) fn earlier(page: &mut Page<'_>, count: usize) {
    if count > 0 {
        devices(page, &[Meter::BloodPressure]);
    }
    let mut day = TODAY.back(190);
    for _ in 0..count {
        day = day.back(1);
        reading(page, Meter::BloodPressure, day);
    }
}

fn devices(page: &mut Page<'_>, meters: &[Meter]) {
    for (n, meter) in meters.iter().enumerate() {
        let (key, name) = meter.device();
        if meters[..n]
            .iter()
            .any(|other| other.device() == meter.device())
        {
            continue;
        }
        let serial = format!("SN{:08}", page.stream(key).below(100_000_000));
        let body = json!({
            "resourceType": "Device",
            "status": "active",
            "serialNumber": serial,
            "deviceName": [{"name": name, "type": "user-friendly-name"}],
            "type": {"text": name},
            "patient": page.patient(),
        });
        let story = format!("{name}, {serial}");
        page.add(
            &format!("device/{key}"),
            TODAY.back(220),
            Closed::Open,
            &story,
            body,
        );
    }
}

fn reading(page: &mut Page<'_>, meter: Meter, day: Day) {
    let (code, name) = meter.code();
    let (device, device_name) = meter.device();
    let key = format!("reading/{code}/{day}");
    let mut stream = page.stream(&key);
    let minute = stream.between(7 * 60, 9 * 60 + 40);
    let (value, words) = meter.reading(page.life, &mut stream);
    let mut body = json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [hl7("observation-category", "vital-signs")],
        "code": loinc(code, name),
        "subject": page.patient(),
        "effectiveDateTime": day.at(minute),
        "performer": [page.patient()],
        "device": page.reference(&format!("device/{device}"), device_name),
    });
    if let (Value::Object(body), Value::Object(value)) = (&mut body, value) {
        body.extend(value);
    }
    page.add(&key, day, Closed::Open, &format!("{name}: {words}"), body);
}
