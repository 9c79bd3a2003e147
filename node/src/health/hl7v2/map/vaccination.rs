//! RXA, RXR and their OBX: Immunization.

use serde_json::{Value, json};

use super::{
    Mapping, put, put_list,
    types::{term, v2},
};
use crate::health::hl7v2::Segment;

/// LOINC: which programme pays, and with whose money.
const ELIGIBILITY: &str = "64994-7";
const FUNDING: &str = "30963-3";

/// A vaccination on its way.
struct Given<'a> {
    orc: Option<&'a Segment>,
    rxa: &'a Segment,
    rxr: Option<&'a Segment>,
    told: Vec<&'a Segment>,
}

impl Mapping<'_> {
    pub(super) fn vaccinations(&mut self) {
        let message = self.message;
        let mut all: Vec<Given<'_>> = Vec::new();
        let mut orc = None;
        for segment in &message.segments {
            match (segment.name.as_str(), all.last_mut()) {
                ("ORC", _) => orc = Some(segment),
                ("RXA", _) => all.push(Given {
                    orc: orc.take(),
                    rxa: segment,
                    rxr: None,
                    told: Vec::new(),
                }),
                ("RXR", Some(last)) => last.rxr = Some(segment),
                ("OBX", Some(last)) => last.told.push(segment),
                _ => {}
            }
        }
        self.allergies();
        for given in &all {
            self.vaccination(given);
        }
        if all.is_empty() {
            self.note("the message has no vaccination");
        }
    }

    fn vaccination(&mut self, given: &Given<'_>) {
        let types = self.types.clone();
        let rxa = given.rxa;
        let number = given.orc.and_then(|orc| {
            types
                .entity(orc.field(3).first())
                .or_else(|| types.entity(orc.field(2).first()))
        });
        let when = types.time(rxa.field(3).first().c(1));
        let code = rxa.field(5).first();
        let full_url = match &number {
            Some((system, value)) => self.name("Immunization", &[system, value]),
            None => {
                let when = when.clone().unwrap_or_default();
                self.name("Immunization", &[code.c(1), code.c(3), &when])
            }
        };
        let mut value = json!({ "resourceType": "Immunization" });
        if let Some((system, number)) = &number {
            value["identifier"] = json!([{"system": system, "value": number}]);
        }
        let status = rxa
            .text(20)
            .and_then(|code| types.tables.get("vaccination-status", code));
        value["status"] = json!(match rxa.text(21) {
            Some("D") => "entered-in-error",
            Some(_) | None => status.unwrap_or("completed"),
        });
        put(
            &mut value,
            "statusReason",
            types.concept(rxa.field(18).first()),
        );
        value["vaccineCode"] = types.concept_or_not_said(code);
        value["patient"] = self.subject();
        self.at_visit(&mut value);
        match when {
            Some(when) => value["occurrenceDateTime"] = json!(when),
            None => value["occurrenceString"] = json!("not said"),
        }
        // 00 is a new record of whoever gave it; everything else is history.
        if let Some(source) = rxa.text(9) {
            value["primarySource"] = json!(source == "00");
            if source != "00" {
                put(
                    &mut value,
                    "reportOrigin",
                    types.concept(rxa.field(9).first()),
                );
            }
        }
        let place = rxa.field(11).first();
        let place = place.part(4, 1).or_else(|| place.filled(1));
        put(
            &mut value,
            "location",
            place.map(|place| json!({ "display": place })),
        );
        let maker = rxa.field(17).first();
        let maker = maker.filled(2).or_else(|| maker.filled(1));
        put(
            &mut value,
            "manufacturer",
            maker.map(|maker| json!({ "display": maker })),
        );
        put(&mut value, "lotNumber", rxa.text(15).map(str::to_owned));
        put(
            &mut value,
            "expirationDate",
            types.date(rxa.field(16).first().c(1)),
        );
        if let Some(rxr) = given.rxr {
            put(&mut value, "site", types.concept(rxr.field(2).first()));
            put(&mut value, "route", types.concept(rxr.field(1).first()));
        }
        // 999 says that the amount is not known (CDC implementation guide).
        let dose = rxa.text(6).filter(|dose| *dose != "999");
        let dose = dose.and_then(|dose| types.quantity(dose, rxa.field(7).first()));
        put(&mut value, "doseQuantity", dose);
        let people = rxa.field(10).repeats().filter_map(|xcn| types.person(xcn));
        let people = people
            .map(|person| json!({"function": {"coding": [v2("0443", "AP")]}, "actor": person}));
        put_list(&mut value, "performer", people.collect());
        let mut notes = Vec::new();
        for obx in &given.told {
            let said = types.concept(obx.field(5).first());
            match (obx.field(3).first().c(1), said) {
                (ELIGIBILITY, Some(said)) => value["programEligibility"] = json!([said]),
                (FUNDING, Some(said)) => value["fundingSource"] = said,
                (_, _) => notes.extend(told(obx)),
            }
        }
        put_list(&mut value, "note", notes);
        if rxa.text(20) == Some("PA") {
            value["isSubpotent"] = json!(true);
            value["subpotentReason"] =
                json!([{"coding": [term("immunization-subpotent-reason", "partial")]}]);
        }
        self.add(full_url, value);
    }
}

/// What else was said of a vaccination, as a sentence.
fn told(obx: &Segment) -> Option<Value> {
    let what = obx.field(3).first();
    let what = what.filled(2).or_else(|| what.filled(1))?;
    let said = obx.field(5).first();
    let said = said.filled(2).or_else(|| said.filled(1))?;
    Some(json!({"text": format!("{what}: {said}")}))
}
