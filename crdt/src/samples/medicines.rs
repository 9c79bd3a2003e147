//! Medicines: prescribed by the practice, taken as told in hospital or at home, dispensed.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    drugs::{Dose, Drug, Every},
    identity,
    life::Taken,
    organisations::Kind,
    page::{Page, hl7, number, quantity, snomed},
};

/// The practice's repeat prescriptions.
pub(super) fn prescribed(page: &mut Page<'_>) {
    for taken in &page.life.medicines {
        request(page, taken);
    }
}

fn request(page: &mut Page<'_>, taken: &Taken) {
    let Taken { drug, dose, .. } = *taken;
    let mut stream = page.stream(&format!("request/{}", drug.key));
    let day = issued(taken, stream.between(2, 55));
    let problem = taken.problem;
    let mut body = json!({
        "resourceType": "MedicationRequest",
        "identifier": page.identifier("prescription", drug.key),
        "status": "active",
        "intent": "order",
        "category": [hl7("medicationrequest-category", "community")],
        "priority": "routine",
        "medicationCodeableConcept": medication(drug, dose),
        "subject": page.patient(),
        "authoredOn": day.at(stream.between(9 * 60, 17 * 60)),
        "requester": page.staff(0),
        "courseOfTherapyType": {"text": "Repeat"},
        "dosageInstruction": [dosage(drug, dose)],
        "dispenseRequest": {
            "validityPeriod": {"start": day.to_string(), "end": day.on(180).to_string()},
            "numberOfRepeatsAllowed": 5,
            "quantity": supply(dose),
            "expectedSupplyDuration": quantity("28", "day", "d"),
        },
        "substitution": {"allowedBoolean": drug.key != "lamotrigine"},
    });
    body["reasonReference"] =
        json!([page.reference(&format!("condition/{}", problem.key), problem.term)]);
    let story = format!("{}: {}", dose.product, dose.text);
    page.add(
        &format!("request/{}", drug.key),
        day,
        problem.closed,
        &story,
        body,
    );
}

/// A day `back` days before today, but not before the medicine was begun.
fn issued(taken: &Taken, back: i32) -> Day {
    TODAY.back(back).max(taken.since).min(TODAY.back(1))
}

/// What the person says that they take: asked in hospital, or seen at home by carers.
pub(super) fn taken(page: &mut Page<'_>) {
    for taken in &page.life.medicines {
        statement(page, taken);
    }
}

fn statement(page: &mut Page<'_>, taken: &Taken) {
    let Taken { drug, dose, .. } = *taken;
    let mut stream = page.stream(&format!("statement/{}", drug.key));
    let day = issued(taken, stream.between(3, 120));
    let relative = stream.chance(40) && page.life.is_frail();
    let informant = if relative {
        identity::carer(page)
    } else {
        page.patient()
    };
    let body = json!({
        "resourceType": "MedicationStatement",
        "identifier": page.identifier("medicine", drug.key),
        "status": "active",
        "category": hl7("medication-statement-category", if page.kind() == Kind::Hospital { "inpatient" } else { "community" }),
        "medicationCodeableConcept": medication(drug, dose),
        "subject": page.patient(),
        "effectivePeriod": {"start": taken.since.to_string()},
        "dateAsserted": day.to_string(),
        "informationSource": informant,
        "reasonCode": [{"text": taken.problem.term}],
        "dosage": [dosage(drug, dose)],
    });
    let story = format!("Takes {}: {}", dose.product, dose.text);
    page.add(
        &format!("statement/{}", drug.key),
        day,
        taken.problem.closed,
        &story,
        body,
    );
}

/// What the pharmacy gave out.
pub(super) fn dispensed(page: &mut Page<'_>) {
    for taken in &page.life.medicines {
        for month in 0..2 {
            dispense(page, taken, month);
        }
    }
}

fn dispense(page: &mut Page<'_>, taken: &Taken, month: i32) {
    let Taken { drug, dose, .. } = *taken;
    let key = format!("dispense/{}/{month}", drug.key);
    let mut stream = page.stream(&key);
    let day = TODAY.back(28 * month + stream.between(2, 24)).working();
    if day < taken.since {
        return;
    }
    let body = json!({
        "resourceType": "MedicationDispense",
        "identifier": page.identifier("dispense", &key),
        "status": "completed",
        "medicationCodeableConcept": medication(drug, dose),
        "subject": page.patient(),
        "performer": [{"actor": page.staff(0)}],
        "location": page.reference("organisation/location", page.source.name),
        "quantity": supply(dose),
        "daysSupply": quantity("28", "day", "d"),
        "whenPrepared": day.at(10 * 60 + 5),
        "whenHandedOver": day.at(stream.between(11 * 60, 17 * 60)),
        "receiver": [identity::carer(page)],
        "dosageInstruction": [dosage(drug, dose)],
        "substitution": {"wasSubstituted": false},
    });
    let story = format!(
        "Dispensed {} {} of {}",
        dose.supply.0, dose.supply.1, dose.product
    );
    page.add(&key, day, taken.problem.closed, &story, body);
}

/// The substance in SNOMED CT where its code is sure, and the product as text.
fn medication(drug: &Drug, dose: &Dose) -> Value {
    let (code, substance) = drug.substance;
    let mut concept = snomed(code, substance);
    concept["text"] = dose.product.into();
    concept
}

fn dosage(drug: &Drug, dose: &Dose) -> Value {
    let (route, term) = drug.route;
    let mut dosage = json!({
        "sequence": 1,
        "text": dose.text,
        "timing": {"repeat": repeat(dose.every)},
        "route": snomed(route, term),
        "doseAndRate": [{"doseQuantity": measured(dose.value, dose.unit)}],
    });
    if let Every::Need(most) = dose.every {
        dosage["asNeededBoolean"] = true.into();
        dosage["maxDosePerPeriod"] = json!({
            "numerator": measured(&times(dose.value, most), dose.unit),
            "denominator": quantity("1", "day", "d"),
        });
    }
    dosage
}

fn repeat(every: Every) -> Value {
    match every {
        Every::Day(times) => json!({"frequency": times, "period": 1, "periodUnit": "d"}),
        Every::Week => json!({"frequency": 1, "period": 1, "periodUnit": "wk"}),
        Every::Need(most) => {
            json!({"frequency": 1, "frequencyMax": most, "period": 1, "periodUnit": "d"})
        }
    }
}

/// A written amount several times, with as many places as it has: 4 times `1.0` is `4.0`.
fn times(value: &str, n: u8) -> String {
    let places = value.split_once('.').map_or(0, |(_, places)| places.len());
    let digits: i64 = value.replace('.', "").parse().unwrap_or(0);
    let product = format!("{:0width$}", digits * i64::from(n), width = places + 1);
    let (whole, rest) = product.split_at(product.len() - places);
    if rest.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{rest}")
    }
}

/// An amount in a UCUM unit, or counted in tablets, inhalers and such.
fn measured(value: &str, unit: &str) -> Value {
    match unit {
        "mg" | "g" | "ug" => quantity(value, unit, unit),
        _ => json!({"value": number(value), "unit": unit}),
    }
}

fn supply(dose: &Dose) -> Value {
    let (value, unit) = dose.supply;
    measured(value, unit)
}

#[cfg(test)]
mod tests {
    use super::{super::drugs, times};

    #[test]
    fn an_amount_keeps_its_places() {
        assert_eq!(times("2.50", 4), "10.00");
        assert_eq!(times("1.0", 4), "4.0");
        assert_eq!(times("200", 4), "800");
    }

    #[test]
    fn keys_and_steps_name_each_other() {
        for problem in &super::super::problems::PROBLEMS {
            for key in problem.steps.iter().copied().flatten() {
                assert!(drugs::named(key).is_some(), "{key}");
            }
        }
    }
}
