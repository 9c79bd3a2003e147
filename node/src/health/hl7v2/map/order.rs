//! ORC, OBR and what belongs to an order: ServiceRequest.

use serde_json::{Value, json};

use super::{Mapping, note_of, put, put_list, types::Types};
use crate::health::hl7v2::{Segment, Waits};

/// The numbers of an order: whoever placed it gave one, whoever fills it another.
pub(super) struct OrderNumbers {
    pub(super) placer: Option<(String, String)>,
    pub(super) filler: Option<(String, String)>,
    shown: Vec<Value>,
}

impl OrderNumbers {
    pub(super) fn identifiers(&self) -> Vec<Value> {
        self.shown.clone()
    }

    fn all(&self) -> Vec<(String, String)> {
        self.placer.iter().chain(&self.filler).cloned().collect()
    }
}

/// An order on its way.
#[derive(Default)]
struct Order<'a> {
    orc: Option<&'a Segment>,
    obr: Option<&'a Segment>,
    tq1: Option<&'a Segment>,
    notes: Vec<&'a Segment>,
    diagnoses: Vec<&'a Segment>,
    results: Vec<&'a Segment>,
    specimens: Vec<&'a Segment>,
}

impl<'a> Mapping<'a> {
    pub(super) fn order_numbers(&self, orc: Option<&Segment>, obr: &Segment) -> OrderNumbers {
        let of = |in_obr: usize, in_orc: usize, kind: &str| {
            let in_orc = orc.map(|orc| orc.field(in_orc).first());
            let fields = [Some(obr.field(in_obr).first()), in_orc];
            let field = fields
                .into_iter()
                .flatten()
                .find(|field| field.filled(1).is_some())?;
            Some((
                self.types.entity(field)?,
                self.types.order_number(field, kind)?,
            ))
        };
        let (placer, filler) = (of(2, 2, "PLAC"), of(3, 3, "FILL"));
        let shown = [&placer, &filler].into_iter().flatten();
        OrderNumbers {
            shown: shown.map(|(_, shown)| shown.clone()).collect(),
            placer: placer.map(|(number, _)| number),
            filler: filler.map(|(number, _)| number),
        }
    }

    /// The name of an order: that of one with these numbers that is here already, that to which a
    /// report with one of them refers, or a new one.
    fn order_name(&self, numbers: &OrderNumbers) -> Option<String> {
        let all = numbers.all();
        if let Some(known) = self.held_with_number("ServiceRequest", &all) {
            return Some(known.to_owned());
        }
        let report = self.held_with_number("DiagnosticReport", &all);
        let awaited = report.and_then(|report| {
            let order = self.held(report)?.pointer("/basedOn/0/reference")?;
            order.as_str().map(str::to_owned)
        });
        awaited.or_else(|| {
            let (system, value) = numbers.placer.as_ref().or(numbers.filler.as_ref())?;
            Some(self.name("ServiceRequest", &[system, value]))
        })
    }

    /// The order that a report answers, whether it is here or has yet to come.
    pub(super) fn order_of(&self, numbers: &OrderNumbers, obr: &Segment) -> Option<Value> {
        let name = self.order_name(numbers)?;
        let mut order = json!({"reference": name, "type": "ServiceRequest"});
        put(
            &mut order,
            "identifier",
            numbers.identifiers().into_iter().next(),
        );
        let what = obr.field(4).first();
        put(
            &mut order,
            "display",
            what.filled(2).or_else(|| what.filled(1)),
        );
        Some(order)
    }

    /// The orders of a message.
    pub(super) fn orders(&mut self) -> Result<(), Waits> {
        let message = self.message;
        let mut orders: Vec<Order<'a>> = Vec::new();
        let mut begun = false;
        let mut orc = None;
        for segment in &message.segments {
            match segment.name.as_str() {
                "ORC" => {
                    orc = Some(segment);
                    begun = false;
                }
                "OBR" => {
                    orders.push(Order {
                        orc: orc.take(),
                        obr: Some(segment),
                        ..Order::default()
                    });
                    begun = true;
                }
                name if begun => {
                    let Some(last) = orders.last_mut() else {
                        continue;
                    };
                    match name {
                        "NTE" if last.results.is_empty() => last.notes.push(segment),
                        "DG1" => last.diagnoses.push(segment),
                        "OBX" => last.results.push(segment),
                        "SPM" => last.specimens.push(segment),
                        "TQ1" => last.tq1 = last.tq1.or(Some(segment)),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        if orders.is_empty() {
            return Err(Waits::UnknownTrigger(format!(
                "{} without an OBR: an order of something that is neither a test nor a service",
                message.header.kind
            )));
        }
        self.allergies();
        for (n, order) in orders.iter().enumerate() {
            self.order(n, order);
        }
        if orc.is_some() {
            self.note("an order without an OBR stands in the message only");
        }
        Ok(())
    }

    fn order(&mut self, n: usize, order: &Order<'a>) {
        let Some(obr) = order.obr else {
            return;
        };
        let types = self.types.clone();
        let numbers = self.order_numbers(order.orc, obr);
        let full_url = self.order_name(&numbers).unwrap_or_else(|| {
            let header = &self.message.header;
            let (sender, id, n) = (header.sender(), header.control_id.as_str(), n.to_string());
            self.name("ServiceRequest", &["message", &sender, id, &n])
        });
        let mut value = json!({ "resourceType": "ServiceRequest" });
        put_list(&mut value, "identifier", numbers.identifiers());
        let orc = order.orc;
        // What was ordered together.
        let group = orc.and_then(|orc| types.entity(orc.field(4).first()));
        if let Some((system, number)) = group {
            value["requisition"] = json!({"system": system, "value": number});
        }
        let status = orc
            .and_then(|orc| types.tables.get("order-status", orc.text(5)?))
            .or_else(|| types.tables.get("order-control", orc?.text(1)?));
        value["status"] = json!(status.unwrap_or("unknown"));
        value["intent"] = json!("order");
        put(&mut value, "priority", priority(&types, order));
        value["code"] = types.concept_or_not_said(obr.field(4).first());
        value["subject"] = self.subject();
        self.at_visit(&mut value);
        let wanted = order
            .tq1
            .and_then(|tq1| types.time(tq1.field(7).first().c(1)))
            .or_else(|| types.time(obr.field(6).first().c(1)));
        put(&mut value, "occurrenceDateTime", wanted);
        let ordered = orc.and_then(|orc| types.time(orc.field(9).first().c(1)));
        put(&mut value, "authoredOn", ordered);
        let by = orc.and_then(|orc| types.person(orc.field(12).first()));
        put(
            &mut value,
            "requester",
            by.or_else(|| types.person(obr.field(16).first())),
        );
        let reasons = obr
            .field(31)
            .repeats()
            .chain(orc.into_iter().flat_map(|orc| orc.field(16).repeats()));
        put_list(
            &mut value,
            "reasonCode",
            reasons.filter_map(|ce| types.concept(ce)).collect(),
        );
        let scope = full_url.clone();
        let diagnoses: Vec<Value> = order
            .diagnoses
            .iter()
            .map(|dg1| self.diagnosis(dg1))
            .map(|name| json!({ "reference": name }))
            .collect();
        put_list(&mut value, "reasonReference", diagnoses);
        let observed = self.observations_of(&[scope.clone(), "order".to_owned()], &order.results);
        put_list(&mut value, "supportingInfo", observed);
        let specimens = self.specimens_of(&order.specimens, &[&scope]);
        put_list(&mut value, "specimen", specimens);
        let told = obr.text(13).map(|text| json!({ "text": text }));
        let notes = order.notes.iter().filter_map(|note| note_of(note));
        put_list(&mut value, "note", told.into_iter().chain(notes).collect());
        if let Some(level) = orc.and_then(|orc| types.tables.get("confidentiality", orc.text(28)?))
        {
            value["meta"] = json!({"security": [super::types::term("v3-Confidentiality", level)]});
        }
        self.add(full_url, value);
    }
}

fn priority(types: &Types<'_>, order: &Order<'_>) -> Option<String> {
    let obr = order.obr?;
    let said = order
        .tq1
        .and_then(|tq1| tq1.text(9))
        .or_else(|| obr.text(5))
        .or_else(|| obr.field(27).first().filled(6))?;
    types.tables.get("priority", said).map(str::to_owned)
}
