//! What happened to a person that others have to know of: a fall, an admission, a discharge, a
//! transfer, and that one of them did not happen after all.
//!
//! An admission, a discharge and a transfer are Encounters (FHIR R4), whoever wrote them: an
//! imported one counts just the same. A fall is an Observation without an Encounter, so that
//! whoever may write into daily care, a daughter with a laptop, can say it. It is coded SNOMED CT
//! 1912002 "Fall": whoever finds somebody on the floor does not know whether it was an accident
//! (217082002) and does not say that it happens often (161898004, a finding).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CARE_SYSTEM, SNOMED, code_of, reference_to, resource_of};
use crate::health::line;

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The person fell.
    Fall,
    /// The person was taken into hospital.
    Admission,
    /// The person left hospital.
    Discharge,
    /// The person was brought to another place of care.
    Transfer,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Fall, Self::Admission, Self::Discharge, Self::Transfer];

    /// As people type it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fall => "fall",
            Self::Admission => "admission",
            Self::Discharge => "discharge",
            Self::Transfer => "transfer",
        }
    }

    /// The beginning of a sentence.
    pub const fn when(self) -> &'static str {
        match self {
            Self::Fall => "After a fall",
            Self::Admission => "When somebody is admitted to hospital",
            Self::Discharge => "When somebody is discharged from hospital",
            Self::Transfer => "When somebody is moved to another place of care",
        }
    }

    /// SNOMED CT, with the words of the code.
    const fn snomed(self) -> (&'static str, &'static str) {
        match self {
            Self::Fall => ("1912002", "Fall"),
            Self::Admission => ("32485007", "Hospital admission"),
            Self::Discharge => ("58000006", "Patient discharge"),
            Self::Transfer => ("107724000", "Patient transfer"),
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Codes that say that somebody fell (SNOMED CT; the commonest of the NHS primary care reference set
/// for falls).
const FALLS: [&str; 12] = [
    "1912002",
    "217082002",
    "161898004",
    "20902002",
    "17886000",
    "217083007",
    "217088003",
    "217090002",
    "217155007",
    "217156008",
    "217157004",
    "33036003",
];

/// Classes of Encounters at which somebody stays in hospital, or is in its emergency department (HL7
/// v3 ActCode).
const STAYS: [&str; 4] = ["IMP", "ACUTE", "NONACUTE", "EMER"];

/// An event as one resource tells it. One Encounter tells of an admission and, when it is finished,
/// of a discharge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CareEvent {
    /// What kind.
    pub kind: EventKind,
    /// When it happened, as recorded.
    pub when: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// Why, or how.
    pub why: Option<String>,
    /// Whether its own resource says that it did not happen.
    pub cancelled: bool,
}

impl CareEvent {
    /// The events that a resource tells of.
    pub fn of(resource: &Value) -> Vec<Self> {
        match resource.get("resourceType").and_then(Value::as_str) {
            Some("Encounter") => of_encounter(resource),
            Some("Observation") => of_observation(resource).into_iter().collect(),
            Some(_) | None => Vec::new(),
        }
    }

    /// When it happened, milliseconds since 1970 UTC; nothing where no time of day is recorded.
    pub fn happened_ms(&self) -> Option<u64> {
        let time: Timestamp = self.when.as_deref()?.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok()
    }

    /// The day on which it happened at the earliest, milliseconds since 1970 UTC.
    pub fn day_ms(&self) -> Option<u64> {
        let when = self.when.as_deref()?;
        let padded = match when.len() {
            4 => format!("{when}-01-01"),
            7 => format!("{when}-01"),
            _ => when.get(..10)?.to_owned(),
        };
        let day: jiff::civil::Date = padded.parse().ok()?;
        let midnight = jiff::tz::Offset::UTC
            .to_timestamp(day.at(0, 0, 0, 0))
            .ok()?;
        u64::try_from(midnight.as_millisecond()).ok()
    }
}

/// The event that a resource says did not happen, where that is all that it says.
pub fn cancels(resource: &Value) -> Option<&str> {
    let status = resource.get("status").and_then(Value::as_str);
    if status != Some("cancelled") {
        return None;
    }
    let named = match resource.get("resourceType").and_then(Value::as_str)? {
        "Encounter" => resource.get("partOf"),
        "Observation" => resource.pointer("/derivedFrom/0"),
        _ => None,
    };
    resource_of(named?)
}

fn of_encounter(resource: &Value) -> Vec<CareEvent> {
    let text = |place: &str| resource.pointer(place).and_then(Value::as_str);
    if cancels(resource).is_some() {
        return Vec::new();
    }
    if !text("/class/code").is_some_and(|class| STAYS.contains(&class)) {
        return Vec::new();
    };
    let status = text("/status").unwrap_or_default();
    let event = |kind, when: Option<&str>, cancelled| CareEvent {
        kind,
        when: when.map(str::to_owned),
        place: place_of(resource),
        why: why_of(resource),
        cancelled,
    };
    let (start, end) = (text("/period/start"), text("/period/end"));
    let types = resource.get("type").and_then(Value::as_array);
    let is_a = |kind: EventKind| {
        let mut types = types.into_iter().flatten();
        types.any(|concept| code_of(Some(concept), CARE_SYSTEM) == Some(kind.word()))
    };
    let cancelled = ["cancelled", "entered-in-error"].contains(&status);
    if is_a(EventKind::Transfer) {
        return vec![event(EventKind::Transfer, start, cancelled)];
    }
    if is_a(EventKind::Discharge) {
        return vec![event(EventKind::Discharge, end.or(start), cancelled)];
    }
    match status {
        "arrived" | "triaged" | "in-progress" | "onleave" | "cancelled" | "entered-in-error" => {
            vec![event(EventKind::Admission, start, cancelled)]
        }
        "finished" => vec![
            event(EventKind::Admission, start, false),
            event(EventKind::Discharge, end, false),
        ],
        _ => Vec::new(),
    }
}

fn of_observation(resource: &Value) -> Option<CareEvent> {
    let fell = code_of(resource.get("code"), SNOMED).is_some_and(|code| FALLS.contains(&code));
    if !fell || cancels(resource).is_some() {
        return None;
    }
    let status = resource.get("status").and_then(Value::as_str);
    let part = |name: &str| {
        let parts = resource.get("component").and_then(Value::as_array);
        parts.into_iter().flatten().find_map(|part| {
            let is_it = part.pointer("/code/text").and_then(Value::as_str) == Some(name);
            is_it.then(|| part.get("valueString")?.as_str().map(str::to_owned))?
        })
    };
    Some(CareEvent {
        kind: EventKind::Fall,
        when: line::when(resource).map(str::to_owned),
        place: part(WHERE),
        why: part(HOW),
        cancelled: matches!(status, Some("cancelled" | "entered-in-error")),
    })
}

/// The extension that says why an Encounter did not take place.
pub const BECAUSE_URL: &str = "urn:kith:because";

const WHERE: &str = "where";
const HOW: &str = "how";

fn place_of(encounter: &Value) -> Option<String> {
    let text = |place: &str| encounter.pointer(place).and_then(Value::as_str);
    text("/location/0/location/display")
        .or_else(|| text("/hospitalization/destination/display"))
        .or_else(|| text("/serviceProvider/display"))
        .map(str::to_owned)
}

fn why_of(encounter: &Value) -> Option<String> {
    let reason = encounter
        .get("reasonCode")
        .and_then(|reasons| reasons.get(0));
    line::concept(reason)
}

/// What somebody says that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saying<'a> {
    /// What kind of event.
    pub kind: EventKind,
    /// When, RFC 3339 or a FHIR date.
    pub when: &'a str,
    /// Where.
    pub place: Option<&'a str>,
    /// Why, or how.
    pub why: Option<&'a str>,
    /// The admission that it belongs to.
    pub of: Option<&'a str>,
}

impl Saying<'_> {
    /// The resource that tells it.
    pub fn resource(&self) -> Value {
        match self.kind {
            EventKind::Fall => self.fall(),
            EventKind::Admission | EventKind::Transfer => self.encounter("in-progress", "start"),
            EventKind::Discharge => self.encounter("finished", "end"),
        }
    }

    fn fall(&self) -> Value {
        let mut fall = json!({
            "resourceType": "Observation",
            "status": "final",
            // Of the categories whose readings stand in daily care, the one for what a person did.
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "activity"}]}],
            "code": self.concept(),
            "effectiveDateTime": self.when,
        });
        let part = |name: &str, text: &str| json!({"code": {"text": name}, "valueString": text});
        let parts: Vec<_> = [(WHERE, self.place), (HOW, self.why)]
            .into_iter()
            .filter_map(|(name, text)| Some(part(name, text?)))
            .collect();
        if !parts.is_empty() {
            fall["component"] = json!(parts);
        }
        fall
    }

    fn encounter(&self, status: &str, end: &str) -> Value {
        let mut encounter = json!({
            "resourceType": "Encounter",
            "status": status,
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "IMP",
                "display": "inpatient encounter",
            },
            "type": [self.concept()],
            "period": {end: self.when},
        });
        if let Some(why) = self.why {
            encounter["reasonCode"] = json!([{ "text": why }]);
        }
        if let Some(place) = self.place {
            encounter["location"] = json!([{"location": {"display": place}}]);
        }
        if let Some(of) = self.of {
            encounter["partOf"] = reference_to("Encounter", of, "the admission");
        }
        encounter
    }

    fn concept(&self) -> Value {
        let (code, display) = self.kind.snomed();
        json!({
            "coding": [
                {"system": SNOMED, "code": code, "display": display},
                {"system": CARE_SYSTEM, "code": self.kind.word()},
            ],
            "text": display,
        })
    }
}

/// That an event did not happen, as a statement of its own: for those who may add and not change.
pub fn cancelling(kind: EventKind, event: &str, because: Option<&str>) -> Value {
    let named = |resource_type| json!(reference_to(resource_type, event, kind.word()));
    let (code, display) = kind.snomed();
    let concept = json!({"coding": [{"system": SNOMED, "code": code, "display": display}], "text": format!("{display} did not happen")});
    if kind == EventKind::Fall {
        let mut said = json!({
            "resourceType": "Observation",
            "status": "cancelled",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "activity"}]}],
            "code": concept,
            "derivedFrom": [named("Observation")],
        });
        if let Some(because) = because {
            said["note"] = json!([{ "text": because }]);
        }
        return said;
    }
    let mut said = json!({
        "resourceType": "Encounter",
        "status": "cancelled",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP", "display": "inpatient encounter"},
        "type": [concept],
        "partOf": named("Encounter"),
    });
    if let Some(because) = because {
        said["reasonCode"] = json!([{ "text": because }]);
    }
    said
}

/// Why an event was cancelled, in the words of whoever said so.
pub fn because_of(resource: &Value) -> Option<String> {
    let text = |place: &str| resource.pointer(place).and_then(Value::as_str);
    let extension = text("/extension/0/url") == Some(BECAUSE_URL);
    let because = if extension {
        text("/extension/0/valueString")
    } else {
        text("/note/0/text")
    };
    because.map(str::to_owned).or_else(|| why_of(resource))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CareEvent, EventKind, Saying, cancelling, cancels};

    fn kinds(resource: &serde_json::Value) -> Vec<(EventKind, bool)> {
        let events = CareEvent::of(resource).into_iter();
        events.map(|event| (event.kind, event.cancelled)).collect()
    }

    #[test]
    fn what_is_said_is_read_again() {
        for kind in EventKind::ALL {
            let said = Saying {
                kind,
                when: "2026-11-28T10:00:00Z",
                place: Some("kitchen"),
                why: Some("slipped"),
                of: None,
            };
            let read = CareEvent::of(&said.resource());
            assert_eq!(read.len(), 1, "{kind}");
            assert_eq!(read[0].kind, kind);
            assert_eq!(read[0].place.as_deref(), Some("kitchen"), "{kind}");
            assert_eq!(read[0].why.as_deref(), Some("slipped"), "{kind}");
            assert_eq!(read[0].happened_ms(), Some(1_795_860_000_000), "{kind}");
            assert!(!read[0].cancelled);
        }
    }

    #[test]
    fn an_encounter_from_elsewhere_is_an_admission_and_then_a_discharge() {
        let stay = |status: &str, class: &str| json!({"resourceType": "Encounter", "status": status, "class": {"code": class}});
        let admitted = (EventKind::Admission, false);
        let left = (EventKind::Discharge, false);
        assert_eq!(kinds(&stay("in-progress", "IMP")), [admitted]);
        assert_eq!(kinds(&stay("in-progress", "EMER")), [admitted]);
        assert_eq!(kinds(&stay("finished", "IMP")), [admitted, left]);
        assert_eq!(
            kinds(&stay("cancelled", "IMP")),
            [(EventKind::Admission, true)]
        );
        assert_eq!(kinds(&stay("in-progress", "AMB")), []);
        assert_eq!(kinds(&stay("planned", "IMP")), []);
    }

    #[test]
    fn a_statement_that_something_did_not_happen_names_it_and_is_no_event() {
        for kind in EventKind::ALL {
            let said = cancelling(kind, "0123456789abcdef01234567", Some("wrong person"));
            assert_eq!(cancels(&said), Some("0123456789abcdef01234567"), "{kind}");
            assert_eq!(kinds(&said), [], "{kind}");
            assert_eq!(super::because_of(&said).as_deref(), Some("wrong person"));
        }
        let transfer = Saying {
            kind: EventKind::Transfer,
            when: "2026-11-28",
            place: None,
            why: None,
            of: Some("0123456789abcdef01234567"),
        };
        assert_eq!(cancels(&transfer.resource()), None);
    }
}
