//! What is handed over: basics of somebody's care that are pinned, and that somebody has read it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CARE_SYSTEM, PRINCIPAL_SYSTEM, code_of, principal_of};

const BASICS: &str = "care-basics";
const READ: &str = "read";
const AS_OF_URL: &str = "urn:kith:as-of";

/// A basic of somebody's care, such as `drinks thickened`, which holds until it is ended. An
/// Observation, not a Flag: a Flag is about safety and stands with allergies, where carers may not
/// write, and whoever cares for somebody day by day is who knows this.
pub fn basics(text: &str, when: &str) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "social-history"}]}],
        "code": {"coding": [{"system": CARE_SYSTEM, "code": BASICS}], "text": "Care basics"},
        "effectivePeriod": {"start": when},
        "valueString": text,
    })
}

/// Whether a resource is a basic of care that holds now.
pub fn holds_as_basics(resource: &Value, now_ms: u64) -> bool {
    if code_of(resource.get("code"), CARE_SYSTEM) != Some(BASICS) {
        return false;
    }
    let status = resource.get("status").and_then(Value::as_str);
    if matches!(status, Some("cancelled" | "entered-in-error")) {
        return false;
    }
    let end = resource
        .pointer("/effectivePeriod/end")
        .and_then(Value::as_str);
    let end = end.and_then(|end| {
        let time = end.parse::<Timestamp>().ok();
        time.or_else(|| {
            let day: jiff::civil::Date = end.parse().ok()?;
            let next = day.tomorrow().ok()?.at(0, 0, 0, 0);
            jiff::tz::Offset::UTC.to_timestamp(next).ok()
        })
    });
    end.and_then(|end| u64::try_from(end.as_millisecond()).ok())
        .is_none_or(|end| end > now_ms)
}

/// That somebody has read the handover, as it stood when the newest thing in it was signed.
pub fn read((name, principal): (&str, &str), as_of: Option<&str>, now: &str) -> Value {
    let stood = as_of.map_or_else(String::new, |as_of| format!(" as it stood at {as_of}"));
    let mut read = json!({
        "resourceType": "Communication",
        "status": "completed",
        "category": [{"coding": [{"system": CARE_SYSTEM, "code": READ}]}],
        "sent": now,
        "sender": {"display": name, "identifier": {"system": PRINCIPAL_SYSTEM, "value": principal}},
        "payload": [{"contentString": format!("Read the handover{stood}")}],
    });
    if let Some(as_of) = as_of {
        read["extension"] = json!([{"url": AS_OF_URL, "valueInstant": as_of}]);
    }
    read
}

/// The point as of which somebody says that they have read the handover, and who it says they are;
/// nothing of any other resource.
pub fn read_of(resource: &Value) -> Option<(Option<&str>, Option<&str>)> {
    let codes = resource.get("category")?.as_array()?;
    let code = codes
        .iter()
        .find_map(|concept| code_of(Some(concept), CARE_SYSTEM))?;
    if code != READ {
        return None;
    }
    let extensions = resource.get("extension").and_then(Value::as_array);
    let as_of = extensions.into_iter().flatten().find_map(|one| {
        let is_it = one.get("url").and_then(Value::as_str) == Some(AS_OF_URL);
        is_it.then(|| one.get("valueInstant")?.as_str())?
    });
    Some((as_of, resource.get("sender").and_then(principal_of)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{basics, holds_as_basics, read, read_of};

    #[test]
    fn basics_hold_until_they_are_ended() {
        let mut held = basics("drinks thickened", "2026-11-01T08:00:00Z");
        let now = 1_795_860_000_000;
        assert!(holds_as_basics(&held, now));
        held["effectivePeriod"]["end"] = json!("2026-11-28");
        assert!(holds_as_basics(&held, now), "to the end of the day");
        held["effectivePeriod"]["end"] = json!("2026-11-28T09:00:00Z");
        assert!(!holds_as_basics(&held, now));
        assert!(!holds_as_basics(&json!({"code": {"text": "Note"}}), now));
    }

    #[test]
    fn who_has_read_it_is_read_again() {
        let said = read(
            ("Sam", "abc"),
            Some("2026-11-28T09:00:00Z"),
            "2026-11-28T10:00:00Z",
        );
        assert_eq!(
            read_of(&said),
            Some((Some("2026-11-28T09:00:00Z"), Some("abc")))
        );
        assert_eq!(read_of(&json!({})), None);
    }
}
