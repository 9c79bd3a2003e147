//! Rules as a FHIR PlanDefinition, which keeps the exact text beside what it means.

use serde_json::{Value, json};

use super::{Rule, Rules};
use crate::health::work::{CARE_SYSTEM, PRINCIPAL_SYSTEM};

/// The extension that keeps the text.
const TEXT_URL: &str = "urn:kith:rules-text";
/// The extension that says who is asked.
const WHO_URL: &str = "urn:kith:who";

/// The PlanDefinition of rules. `principal` says whom a name means, where that is known.
pub fn plan(
    text: &str,
    rules: &Rules,
    when: &str,
    principal: impl Fn(&str) -> Option<String>,
) -> Value {
    let actions: Vec<_> = rules
        .rules
        .iter()
        .map(|rule| action(rule, principal(&rule.who)))
        .collect();
    json!({
        "resourceType": "PlanDefinition",
        "extension": [{"url": TEXT_URL, "valueMarkdown": text}],
        "title": "What has to happen",
        "status": "active",
        "date": when,
        "action": actions,
    })
}

fn action(rule: &Rule, principal: Option<String>) -> Value {
    let mut who = json!({"display": rule.who});
    if let Some(principal) = principal {
        who["identifier"] = json!({"system": PRINCIPAL_SYSTEM, "value": principal});
    }
    let mut action = json!({
        "extension": [{"url": WHO_URL, "valueReference": who}],
        "title": rule.what,
        "description": rule.sentence(),
        "code": [{"coding": [{"system": CARE_SYSTEM, "code": rule.on.word()}]}],
        "trigger": [{"type": "named-event", "name": rule.on.word()}],
        "timingDuration": {
            "value": rule.within.count,
            "unit": rule.within.unit.words()[1],
            "system": "http://unitsofmeasure.org",
            "code": rule.within.unit.ucum(),
        },
    });
    if let Some(because) = &rule.because {
        action["reason"] = json!([{ "text": because }]);
    }
    action
}

/// The text of rules that stand, out of their PlanDefinition; nothing of what others wrote in another
/// way, and of rules that were ended.
pub fn text_of(plan: &Value) -> Option<&str> {
    let is_active = plan.get("status").and_then(Value::as_str) == Some("active");
    let extensions = plan.get("extension").filter(|_| is_active)?.as_array()?;
    let text = extensions
        .iter()
        .find(|one| one.get("url").and_then(Value::as_str) == Some(TEXT_URL))?;
    text.get("valueMarkdown")?.as_str()
}
