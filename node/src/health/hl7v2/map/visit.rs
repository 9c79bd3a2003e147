//! PV1, PV2 and EVN: the visit, and what happened in it.

use serde_json::{Value, json};

use super::{
    Mapping,
    overlay::overlay,
    put, put_list,
    types::{Types, period, term, v2},
};
use crate::{
    api::EventKind,
    health::{
        hl7v2::{Segment, Trigger, Waits},
        work::event::Saying,
    },
};

impl Mapping<'_> {
    /// The Encounter of a message, and of a transfer another one.
    pub(super) fn visit(&mut self) -> Result<(), Waits> {
        let Some(pv1) = self.message.segment("PV1") else {
            return if self.trigger.is_of_visit() && self.trigger.cancels() {
                Err(Waits::NoVisit)
            } else {
                Ok(())
            };
        };
        let Some(full_url) = self.visit_name(pv1)? else {
            return Ok(());
        };
        if !self.trigger.is_of_visit() {
            // A report says at which visit it was made, and nothing new of it.
            if self.held(&full_url).is_none() {
                let mut visit = self.encounter(pv1);
                visit["status"] = json!("unknown");
                self.add(full_url.clone(), visit);
            }
            self.encounter = Some(full_url);
            return Ok(());
        }
        let before = self.held(&full_url).cloned();
        let mut visit = self.encounter(pv1);
        let happened = self.happened();
        match self.trigger {
            Trigger::Admit => {
                visit["status"] = json!("in-progress");
                if visit.pointer("/period/start").is_none() && before.is_none() {
                    visit["period"]["start"] = json!(happened);
                }
            }
            Trigger::Discharge => {
                visit["status"] = json!("finished");
                if visit.pointer("/period/end").is_none() {
                    visit["period"]["end"] = json!(happened);
                }
            }
            Trigger::CancelAdmit => visit["status"] = json!("cancelled"),
            Trigger::CancelDischarge => {
                visit["status"] = json!("in-progress");
                visit["period"]["end"] = Value::Null;
                if let Some(stay) = visit["hospitalization"].as_object_mut() {
                    stay.insert("dischargeDisposition".to_owned(), Value::Null);
                }
            }
            Trigger::Register => {
                let planned = self.message.header.kind == "ADT^A05";
                visit["status"] = json!(if planned { "planned" } else { "in-progress" });
                if planned {
                    // It is planned to end.
                    visit["period"]["end"] = Value::Null;
                }
            }
            Trigger::Transfer | Trigger::CancelTransfer | Trigger::Update => {
                let ended = visit.pointer("/period/end").is_some();
                let known = before.as_ref().and_then(|before| before.get("status"));
                visit["status"] = match known {
                    Some(known) if !ended => known.clone(),
                    Some(_) | None if ended => json!("finished"),
                    Some(_) | None => json!("in-progress"),
                };
            }
            Trigger::Person
            | Trigger::SamePerson
            | Trigger::Results
            | Trigger::Orders
            | Trigger::Document
            | Trigger::Vaccinations => {}
        }
        let before = before.as_ref();
        self.add(full_url.clone(), overlay(visit, before));
        self.encounter = Some(full_url.clone());
        match self.trigger {
            Trigger::Transfer => self.transfer(pv1, &full_url),
            Trigger::CancelTransfer => self.cancel_transfer(&full_url)?,
            Trigger::Admit
            | Trigger::Discharge
            | Trigger::Register
            | Trigger::Update
            | Trigger::CancelAdmit
            | Trigger::CancelDischarge
            | Trigger::Person
            | Trigger::SamePerson
            | Trigger::Results
            | Trigger::Orders
            | Trigger::Document
            | Trigger::Vaccinations => {}
        }
        Ok(())
    }

    /// Which visit it is: by its number, by another number of it, by the account, by when it began.
    fn visit_name(&mut self, pv1: &Segment) -> Result<Option<String>, Waits> {
        let pid = self.message.segment("PID");
        let account = pid.map(|pid| pid.field(18).first());
        let numbered = [pv1.field(19).first(), pv1.field(50).first()]
            .into_iter()
            .chain(account)
            .find_map(|cx| self.types.number(cx));
        if let Some((system, value)) = numbered {
            return Ok(Some(self.name("Encounter", &[&system, &value])));
        }
        if !self.trigger.is_of_visit() {
            if !pv1.field(2).is_empty() {
                self.note("PV1 has no number of the visit, so that no visit is made of it");
            }
            return Ok(None);
        }
        let began = self.types.time(pv1.field(44).first().c(1));
        match (began, self.trigger.cancels()) {
            (Some(began), _) => Ok(Some(self.name("Encounter", &["began", &began]))),
            (None, true) => Err(Waits::NoVisit),
            (None, false) => {
                let header = &self.message.header;
                let (sender, id) = (header.sender(), header.control_id.clone());
                self.note("PV1 has no number of the visit, so that later messages cannot be told to be of it");
                Ok(Some(self.name("Encounter", &["message", &sender, &id])))
            }
        }
    }

    fn encounter(&mut self, pv1: &Segment) -> Value {
        let mut visit = json!({ "resourceType": "Encounter" });
        let types = self.types.clone();
        let numbers = [(19, "VN"), (50, "")].into_iter().filter_map(|(n, kind)| {
            let mut number = types.identifier(pv1.field(n).first())?;
            if number.get("type").is_none() && !kind.is_empty() {
                number["type"] = json!({"coding": [v2("0203", kind)]});
            }
            Some(number)
        });
        put_list(&mut visit, "identifier", numbers.collect());
        visit["status"] = json!("unknown");
        let class = pv1.field(2).first().filled(1);
        if let Some(class) = class {
            visit["class"] = match types.tables.get("visit-class", class) {
                Some(known) => term("v3-ActCode", known),
                None => v2("0004", class),
            };
        }
        if let Some(kind) = pv1.text(4) {
            let mut concept = types
                .concept(pv1.field(4).first())
                .unwrap_or_else(|| json!({}));
            concept["coding"] = json!([v2("0007", kind)]);
            visit["type"] = json!([concept]);
        }
        if let Some(service) = pv1.text(10) {
            visit["serviceType"] = json!({"coding": [v2("0069", service)]});
        }
        visit["subject"] = self.subject();
        put_list(&mut visit, "participant", participants(pv1, &types));
        let times = (44, 45);
        let (start, end) = (
            types.time(pv1.field(times.0).first().c(1)),
            types.time(pv1.field(times.1).first().c(1)),
        );
        let pv2 = self.message.segment("PV2");
        if start.is_some() || end.is_some() {
            visit["period"] = period(start, end);
        }
        if let Some(reason) = pv2.and_then(|pv2| types.concept(pv2.field(3).first())) {
            visit["reasonCode"] = json!([reason]);
        }
        let mut stay = json!({});
        if let Some(code) = pv1.text(13) {
            stay["reAdmission"] = json!({"coding": [v2("0092", code)]});
        }
        if let Some(code) = pv1.text(14) {
            stay["admitSource"] = json!({"coding": [v2("0023", code)]});
        }
        if let Some(code) = pv1.text(36) {
            stay["dischargeDisposition"] = json!({"coding": [v2("0112", code)]});
        }
        if let Some(place) = pv1.field(37).first().filled(1) {
            stay["destination"] = json!({ "display": place });
        }
        if stay.as_object().is_some_and(|stay| !stay.is_empty()) {
            visit["hospitalization"] = stay;
        }
        let places = [(3, "active"), (6, "completed")]
            .into_iter()
            .filter_map(|(n, status)| {
                let place = Types::place(pv1.field(n).first())?;
                Some(json!({"location": {"display": place}, "status": status}))
            });
        put_list(&mut visit, "location", places.collect());
        let provider = types.organisation(pv1.field(39).first());
        put(&mut visit, "serviceProvider", provider);
        visit
    }

    /// When it happened (EVN-6), or was written down (EVN-2), or the message was made.
    fn happened(&self) -> Option<String> {
        let evn = self.message.segment("EVN");
        let fields = evn.into_iter().flat_map(|evn| [evn.field(6), evn.field(2)]);
        let made = self.message.segment("MSH").map(|msh| msh.field(7));
        fields
            .chain(made)
            .find_map(|field| self.types.time(field.first().c(1)))
    }

    /// That the person was moved: an Encounter of its own beside the stay.
    fn transfer(&mut self, pv1: &Segment, visit: &str) {
        let Some(when) = self.happened() else {
            self.note("the message does not say when the person was moved");
            return;
        };
        let place = Types::place(pv1.field(3).first());
        let said = Saying {
            kind: EventKind::Transfer,
            when: &when,
            place: place.as_deref(),
            why: None,
            of: None,
        };
        let mut transfer = said.resource();
        transfer["subject"] = self.subject();
        // A statement that is cancelled and part of another one would take that back.
        transfer["extension"] = json!([{"url": STAY_URL, "valueString": visit}]);
        let full_url = self.name("Encounter", &["transfer", visit, &when]);
        self.add(full_url, transfer);
    }

    fn cancel_transfer(&mut self, visit: &str) -> Result<(), Waits> {
        let occurred = self
            .message
            .segment("EVN")
            .and_then(|evn| self.types.time(evn.field(6).first().c(1)));
        let mut of_visit: Vec<_> = self
            .held
            .iter()
            .filter(|held| {
                let stay = held.value.pointer("/extension/0");
                stay.and_then(|stay| stay.get("url")?.as_str()) == Some(STAY_URL)
                    && stay.and_then(|stay| stay.get("valueString")?.as_str()) == Some(visit)
                    && held.value["status"] != "cancelled"
            })
            .collect();
        of_visit.sort_by_key(|held| held.value.pointer("/period/start").map(Value::to_string));
        let started = |value: &Value| {
            let start = value.pointer("/period/start").and_then(Value::as_str);
            start.is_some() && start == occurred.as_deref()
        };
        let named = of_visit.iter().find(|held| started(&held.value));
        let Some(last) = named.or_else(|| of_visit.last()) else {
            return Err(Waits::NoVisit);
        };
        let mut cancelled = last.value.clone();
        cancelled["status"] = json!("cancelled");
        self.add(last.full_url.clone(), cancelled);
        Ok(())
    }
}

/// The stay that a transfer was in, by its full URL.
const STAY_URL: &str = "urn:kith:hl7v2:stay";

fn participants(pv1: &Segment, types: &Types<'_>) -> Vec<Value> {
    let fields = [7, 8, 9, 17];
    let people = fields
        .into_iter()
        .flat_map(|n| pv1.field(n).repeats().map(move |xcn| (n, xcn)));
    let people = people.filter_map(|(n, xcn)| {
        let person = types.person(xcn)?;
        let mut participant = json!({ "individual": person });
        if let Some(code) = types.tables.get("participation", &n.to_string()) {
            participant["type"] = json!([{"coding": [term("v3-ParticipationType", code)]}]);
        }
        Some(participant)
    });
    people.collect()
}
