//! PID, PD1, NK1 and MRG: who the patient is.

use serde_json::{Value, json};

use super::{
    Made,
    overlay::overlay,
    put, put_list,
    types::{Types, term, v2},
    url,
};
use crate::health::hl7v2::{Message, Segment, Trigger, Waits, trigger};

/// By what a message names its patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// (system, value), those that a record is found by.
    pub current: Vec<(String, String)>,
    /// Those that are said to be of the same person (MRG-1), where the message says so.
    pub before: Vec<(String, String)>,
    /// Family name.
    pub family: String,
    /// Birth date, as FHIR writes it.
    pub birth_date: String,
}

/// How many patients one message may name in words.
fn pid(message: &Message) -> Result<&Segment, Waits> {
    let count = message.all("PID").count();
    match (message.segment("PID"), count) {
        (Some(pid), 1) => Ok(pid),
        (None, _) => Err(Waits::Nobody("it has no PID segment")),
        (Some(_), several) => Err(Waits::SeveralPatients(several)),
    }
}

pub(super) fn numbers(message: &Message, types: &Types<'_>) -> Result<Numbers, Waits> {
    let pid = pid(message)?;
    let current = current(pid, types);
    if current.is_empty() {
        return Err(Waits::Nobody("PID has no number of the patient"));
    }
    let name = pid.field(5).first();
    let before = match trigger(message) {
        Ok(Trigger::SamePerson) => message
            .all("MRG")
            .flat_map(|mrg| mrg.field(1).repeats())
            .filter_map(|cx| types.number(cx))
            .collect(),
        Ok(_) | Err(_) => Vec::new(),
    };
    Ok(Numbers {
        current,
        before,
        family: name.filled(1).unwrap_or_default().to_owned(),
        birth_date: types.date(pid.field(7).first().c(1)).unwrap_or_default(),
    })
}

/// PID-3; where that is empty, PID-2 and PID-4, which are kept for older versions.
fn current(pid: &Segment, types: &Types<'_>) -> Vec<(String, String)> {
    let in_field = |n: usize| -> Vec<_> {
        let repeats = pid.field(n).repeats();
        repeats.filter_map(|cx| types.number(cx)).collect()
    };
    let listed = in_field(3);
    if !listed.is_empty() {
        return listed;
    }
    in_field(2).into_iter().chain(in_field(4)).collect()
}

/// The Patient of a message, over what was said of them before.
pub(super) fn patient(message: &Message, types: &Types<'_>, held: &[&Made]) -> Result<Made, Waits> {
    let pid = pid(message)?;
    let numbers = current(pid, types);
    let names: Vec<String> = numbers
        .iter()
        .map(|(system, value)| url(&["Patient", system, value]))
        .collect();
    let Some(first) = names.first() else {
        return Err(Waits::Nobody("PID has no number of the patient"));
    };
    // Another message may have named the same patient by another of these numbers first.
    let before = held.iter().find(|held| {
        let is_patient = held.value["resourceType"] == "Patient";
        is_patient
            && (names.contains(&held.full_url) || named_by(&held.value, &held.full_url, &numbers))
    });
    let full_url = before.map_or_else(|| first.clone(), |before| before.full_url.clone());
    let mut value = json!({ "resourceType": "Patient" });
    put_list(&mut value, "identifier", identifiers(pid, types));
    who(&mut value, message, pid, types);
    keep_numbers(&mut value, before.map(|before| &before.value));
    Ok(Made {
        value: overlay(value, before.map(|before| &before.value)),
        full_url,
    })
}

/// Whether a Patient that a message made has one of these numbers.
fn named_by(patient: &Value, full_url: &str, numbers: &[(String, String)]) -> bool {
    let identifiers = patient.get("identifier").and_then(Value::as_array);
    let pairs: Vec<(&str, &str)> = identifiers
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one.get("system")?.as_str()?, one.get("value")?.as_str()?)))
        .collect();
    let is_made = pairs
        .iter()
        .any(|(system, value)| url(&["Patient", system, value]) == full_url);
    is_made
        && numbers
            .iter()
            .any(|(system, value)| pairs.contains(&(system, value)))
}

/// A number that was known stays known: a message need not list them all.
fn keep_numbers(value: &mut Value, before: Option<&Value>) {
    let before = before.and_then(|before| before.get("identifier")?.as_array());
    let Some(now) = value.get_mut("identifier").and_then(Value::as_array_mut) else {
        return;
    };
    for old in before.into_iter().flatten() {
        let is_there = now.iter().any(|new| {
            new.get("system") == old.get("system") && new.get("value") == old.get("value")
        });
        if !is_there {
            now.push(old.clone());
        }
    }
}

fn identifiers(pid: &Segment, types: &Types<'_>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for n in [3, 2, 4] {
        for identifier in pid.field(n).repeats().filter_map(|cx| types.identifier(cx)) {
            let is_there = all.iter().any(|one| {
                one["system"] == identifier["system"] && one["value"] == identifier["value"]
            });
            if !is_there {
                all.push(identifier);
            }
        }
    }
    if let Some(number) = pid.text(19) {
        all.push(json!({
            "type": {"coding": [v2("0203", "SS")]},
            "system": "http://hl7.org/fhir/sid/us-ssn",
            "value": number,
        }));
    }
    all
}

fn who(value: &mut Value, message: &Message, pid: &Segment, types: &Types<'_>) {
    let names = [5, 9].into_iter().flat_map(|n| pid.field(n).repeats());
    put_list(
        value,
        "name",
        names.filter_map(|xpn| types.name(xpn, 1, 7)).collect(),
    );
    let homes = pid.field(13).repeats().map(|xtn| (xtn, "home"));
    let works = pid.field(14).repeats().map(|xtn| (xtn, "work"));
    let telecom = homes.chain(works);
    let telecom = telecom.filter_map(|(xtn, used)| types.telecom(xtn, Some(used)));
    put_list(value, "telecom", telecom.collect());
    if let Some(sex) = pid.text(8) {
        value["gender"] = json!(types.tables.get("gender", sex).unwrap_or("unknown"));
    }
    put(value, "birthDate", types.date(pid.field(7).first().c(1)));
    match (types.time(pid.field(29).first().c(1)), pid.text(30)) {
        (Some(when), _) => value["deceasedDateTime"] = json!(when),
        (None, Some("Y")) => value["deceasedBoolean"] = json!(true),
        (None, Some("N")) => value["deceasedBoolean"] = json!(false),
        (None, Some(_) | None) => {}
    }
    let addresses = pid.field(11).repeats();
    put_list(
        value,
        "address",
        addresses.filter_map(|xad| types.address(xad)).collect(),
    );
    let marital = pid.field(16).first();
    if let Some(code) = marital.filled(1) {
        let mut concept = types.concept(marital).unwrap_or_else(|| json!({}));
        if let Some(known) = types.tables.get("marital", code) {
            let system = if known == "UNK" {
                "v3-NullFlavor"
            } else {
                "v3-MaritalStatus"
            };
            concept["coding"] = json!([term(system, known)]);
        }
        value["maritalStatus"] = concept;
    }
    let languages = pid.field(15).repeats().filter_map(|ce| types.concept(ce));
    let languages = languages.map(|language| json!({"language": language, "preferred": true}));
    put_list(value, "communication", languages.collect());
    if let Some(pd1) = message.segment("PD1") {
        let doctors = pd1.field(4).repeats().filter_map(|xcn| types.person(xcn));
        let practices = pd1
            .field(3)
            .repeats()
            .filter_map(|xon| types.organisation(xon));
        put_list(
            value,
            "generalPractitioner",
            doctors.chain(practices).collect(),
        );
    }
    let contacts = message.all("NK1").filter_map(|nk1| contact(nk1, types));
    put_list(value, "contact", contacts.collect());
    let deletions = [
        (5, "name"),
        (7, "birthDate"),
        (8, "gender"),
        (11, "address"),
        (13, "telecom"),
        (15, "communication"),
        (16, "maritalStatus"),
        (29, "deceasedDateTime"),
        (30, "deceasedBoolean"),
    ];
    for (field, element) in deletions {
        if pid.field(field).deletes() {
            value[element] = Value::Null;
        }
    }
}

/// A next of kin.
fn contact(nk1: &Segment, types: &Types<'_>) -> Option<Value> {
    let mut contact = json!({});
    let relation = nk1.field(3).first();
    if let Some(mut concept) = types.concept(relation) {
        if let Some(known) = types.tables.get("relationship", relation.c(1).trim()) {
            concept["coding"] = json!([term("v3-RoleCode", known)]);
        }
        contact["relationship"] = json!([concept]);
    }
    put(&mut contact, "name", types.name(nk1.field(2).first(), 1, 7));
    let homes = nk1.field(5).repeats().map(|xtn| (xtn, "home"));
    let works = nk1.field(6).repeats().map(|xtn| (xtn, "work"));
    let telecom = homes.chain(works);
    let telecom = telecom.filter_map(|(xtn, used)| types.telecom(xtn, Some(used)));
    put_list(&mut contact, "telecom", telecom.collect());
    put(&mut contact, "address", types.address(nk1.field(4).first()));
    if let Some(sex) = nk1.text(15) {
        put(&mut contact, "gender", types.tables.get("gender", sex));
    }
    contact
        .as_object()
        .is_some_and(|contact| !contact.is_empty())
        .then_some(contact)
}
