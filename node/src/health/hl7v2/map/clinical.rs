//! AL1, DG1, PRB and PR1 beside a visit: AllergyIntolerance, Condition, Procedure.

use serde_json::{Value, json};

use super::{
    Mapping, put, put_list,
    types::{Types, term},
};
use crate::health::hl7v2::Segment;

impl Mapping<'_> {
    pub(super) fn clinical(&mut self) {
        let message = self.message;
        self.allergies();
        for dg1 in message.all("DG1") {
            self.diagnosis(dg1);
        }
        for prb in message.all("PRB") {
            self.problem(prb);
        }
        for pr1 in message.all("PR1") {
            self.procedure(pr1);
        }
    }

    pub(super) fn allergies(&mut self) {
        let message = self.message;
        let types = self.types.clone();
        for al1 in message.all("AL1") {
            let code = al1.field(3).first();
            let Some(concept) = types.concept(code) else {
                self.note("an AL1 that does not say to what is left out");
                continue;
            };
            let mut value = json!({ "resourceType": "AllergyIntolerance" });
            value["clinicalStatus"] =
                json!({"coding": [term("allergyintolerance-clinical", "active")]});
            if let Some(kind) = al1.text(2) {
                put_list(
                    &mut value,
                    "category",
                    types
                        .tables
                        .get("allergy-category", kind)
                        .map(Value::from)
                        .into_iter()
                        .collect(),
                );
            }
            if let Some(severity) = al1.text(4) {
                put(
                    &mut value,
                    "criticality",
                    types.tables.get("allergy-criticality", severity),
                );
            }
            value["code"] = concept;
            value["patient"] = self.subject();
            let reactions: Vec<Value> = al1
                .field(5)
                .repeats()
                .map(|reaction| json!({ "text": reaction.shown() }))
                .collect();
            if !reactions.is_empty() {
                let mut reaction = json!({ "manifestation": reactions });
                put(
                    &mut reaction,
                    "onset",
                    types.date(al1.field(6).first().c(1)),
                );
                value["reaction"] = json!([reaction]);
            }
            let full_url = self.name("AllergyIntolerance", &[code.c(1), code.c(2), code.c(3)]);
            self.add(full_url, value);
        }
    }

    /// A diagnosis; its name.
    pub(super) fn diagnosis(&mut self, dg1: &Segment) -> String {
        let types = self.types.clone();
        let code = dg1.field(3).first();
        let number = types.entity(dg1.field(20).first());
        let visit = self.encounter.clone().unwrap_or_default();
        let text = dg1.text(4).unwrap_or_default();
        let full_url = match (&number, code.filled(1)) {
            (Some((system, value)), _) => self.name("Condition", &[system, value]),
            (None, Some(_)) => self.name("Condition", &[&visit, code.c(1), code.c(3)]),
            (None, None) => self.name("Condition", &[&visit, text]),
        };
        let mut value = json!({ "resourceType": "Condition" });
        if let Some((system, number)) = &number {
            value["identifier"] = json!([{"system": system, "value": number}]);
        }
        let deleted = dg1.text(21) == Some("D");
        let certain = match dg1.text(6) {
            _ if deleted => Some("entered-in-error"),
            Some("F") => Some("confirmed"),
            Some("A" | "W") => Some("provisional"),
            Some(_) | None => None,
        };
        if !deleted {
            value["clinicalStatus"] = json!({"coding": [term("condition-clinical", "active")]});
        }
        if let Some(certain) = certain {
            value["verificationStatus"] =
                json!({"coding": [term("condition-ver-status", certain)]});
        }
        value["category"] =
            json!([{"coding": [term("condition-category", "encounter-diagnosis")]}]);
        value["code"] = worded(&types, dg1, 3, 4);
        value["subject"] = self.subject();
        self.at_visit(&mut value);
        put(
            &mut value,
            "onsetDateTime",
            types.time(dg1.field(5).first().c(1)),
        );
        put(
            &mut value,
            "recordedDate",
            types.time(dg1.field(19).first().c(1)),
        );
        put(&mut value, "asserter", types.person(dg1.field(16).first()));
        self.add(full_url.clone(), value);
        full_url
    }

    fn problem(&mut self, prb: &Segment) {
        let types = self.types.clone();
        let Some(concept) = types.concept(prb.field(3).first()) else {
            return;
        };
        let number = types.entity(prb.field(4).first());
        let code = prb.field(3).first();
        let full_url = match &number {
            Some((system, value)) => self.name("Condition", &["problem", system, value]),
            None => self.name("Condition", &["problem", code.c(1), code.c(3)]),
        };
        let mut value = json!({ "resourceType": "Condition" });
        if let Some((system, number)) = &number {
            value["identifier"] = json!([{"system": system, "value": number}]);
        }
        if prb.text(1) == Some("DE") {
            value["verificationStatus"] =
                json!({"coding": [term("condition-ver-status", "entered-in-error")]});
        } else {
            let resolved = types.time(prb.field(9).first().c(1));
            let status = if resolved.is_some() {
                "resolved"
            } else {
                "active"
            };
            value["clinicalStatus"] = json!({"coding": [term("condition-clinical", status)]});
            put(&mut value, "abatementDateTime", resolved);
        }
        value["category"] = json!([{"coding": [term("condition-category", "problem-list-item")]}]);
        value["code"] = concept;
        value["subject"] = self.subject();
        put(
            &mut value,
            "onsetDateTime",
            types.time(prb.field(16).first().c(1)),
        );
        put(
            &mut value,
            "recordedDate",
            types.time(prb.field(2).first().c(1)),
        );
        self.add(full_url, value);
    }

    fn procedure(&mut self, pr1: &Segment) {
        let types = self.types.clone();
        let code = pr1.field(3).first();
        let when = types.time(pr1.field(5).first().c(1));
        let number = types.entity(pr1.field(19).first());
        let full_url = match &number {
            Some((system, value)) => self.name("Procedure", &[system, value]),
            None => {
                let when = when.clone().unwrap_or_default();
                self.name("Procedure", &[code.c(1), code.c(3), &when])
            }
        };
        let mut value = json!({ "resourceType": "Procedure" });
        if let Some((system, number)) = &number {
            value["identifier"] = json!([{"system": system, "value": number}]);
        }
        value["status"] = json!(if pr1.text(20) == Some("D") {
            "entered-in-error"
        } else {
            "completed"
        });
        value["code"] = worded(&types, pr1, 3, 4);
        value["subject"] = self.subject();
        self.at_visit(&mut value);
        put(&mut value, "performedDateTime", when);
        let people = [11, 8, 12].into_iter().flat_map(|n| pr1.field(n).repeats());
        let people = people.filter_map(|xcn| types.person(xcn));
        put_list(
            &mut value,
            "performer",
            people.map(|person| json!({ "actor": person })).collect(),
        );
        put_list(
            &mut value,
            "reasonCode",
            types.concept(pr1.field(15).first()).into_iter().collect(),
        );
        self.add(full_url, value);
    }
}

/// A coded field with the words of another one.
fn worded(types: &Types<'_>, segment: &Segment, code: usize, words: usize) -> Value {
    let concept = types.concept(segment.field(code).first());
    let text = segment.text(words);
    match (concept, text) {
        (Some(mut concept), Some(text)) => {
            concept["text"] = json!(text);
            concept
        }
        (Some(concept), None) => concept,
        (None, Some(text)) => json!({ "text": text }),
        (None, None) => json!({"text": "not said"}),
    }
}
