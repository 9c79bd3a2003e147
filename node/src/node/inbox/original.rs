//! The message itself in the record, and where each resource comes from.

use std::collections::BTreeMap;

use kith_crdt::classify::{self, LabelRules, strictness};
use kith_protocol::limits::INLINE_ATTACHMENT_LEN_MAX;
use serde_json::{Value, json};

use super::{super::show, rows::InboxRow};
use crate::{
    failure::{Ending, Failure},
    health::hl7v2::map::{self, Made},
};

/// What a message is called where it is kept whole.
pub(super) const MEDIA_TYPE: &str = "x-application/hl7-v2+er7";

/// A Bundle of what was made of a message, of the message itself under the most restrictive label
/// of anything in it, and of one Provenance for each label: where the message itself may not be
/// seen, it says no more than when one was received.
pub(super) fn bundle(
    resources: &[Made],
    row: &InboxRow,
    number: u64,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    let of_message = entries(resources);
    let text = whole(&of_message)?;
    let incoming =
        kith_crdt::incoming::read(text.as_bytes(), INLINE_ATTACHMENT_LEN_MAX).map_err(|error| {
            Failure::new(
                Ending::Failed,
                "What was made of the message cannot be read again.",
                "The message is kept. This is a fault of kith.",
            )
            .because(&error)
        })?;
    let documents = classify::documents(&incoming.resources, &LabelRules::default());
    let mut by_label: BTreeMap<(u8, String), Vec<&str>> = BTreeMap::new();
    for (made, document) in resources.iter().zip(&documents) {
        let label = (strictness(&document.label), document.label.to_string());
        by_label.entry(label).or_default().push(&made.full_url);
    }
    let received = show::time(row.received_ms);
    let original = named(row, "original");
    let mut all = of_message;
    let related: Vec<Value> = resources
        .iter()
        .map(|made| json!({ "reference": made.full_url }))
        .collect();
    all.push(json!({"fullUrl": original, "resource": {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": format!("HL7 v2 message {}", row.kind)},
        "description": format!("HL7 v2 message {} of {}, number {}", row.kind, row.sender, row.control_id),
        "date": received,
        "content": [{"attachment": {
            "contentType": MEDIA_TYPE,
            "data": data_encoding::BASE64.encode(bytes),
            "title": format!("message {number}"),
            "creation": received,
        }}],
        "context": {"related": related},
    }}));
    let strictest = by_label.keys().next_back().cloned();
    for (label, targets) in by_label {
        let targets: Vec<_> = targets
            .iter()
            .map(|url| json!({ "reference": url }))
            .collect();
        let what = if Some(&label) == strictest.as_ref() {
            json!({"reference": original, "display": format!("HL7 v2 message {}", row.kind)})
        } else {
            json!({"display": format!("from a message received on {}", &received[..10.min(received.len())])})
        };
        all.push(json!({"fullUrl": named(row, &format!("provenance {}", label.1)), "resource": {
            "resourceType": "Provenance",
            "target": targets,
            "recorded": received,
            "activity": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "CREATE"}]},
            "agent": [{
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "transmitter"}]},
                "who": {"display": if row.sender.is_empty() || Some(&label) != strictest.as_ref() { "another system" } else { row.sender.as_str() }},
            }],
            "entity": [{"role": "source", "what": what}],
        }}));
    }
    Ok(whole(&all)?.into_bytes())
}

fn entries(resources: &[Made]) -> Vec<Value> {
    resources
        .iter()
        .map(|made| json!({"fullUrl": made.full_url, "resource": made.value}))
        .collect()
}

fn whole(entries: &[Value]) -> Result<String, Failure> {
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    serde_json::to_string(&bundle).map_err(|error| {
        Failure::new(
            Ending::Failed,
            "What was made of the message cannot be written.",
            "The message is kept. This is a fault of kith.",
        )
        .because(&error)
    })
}

/// The name of something about a message that is not a part of what it says.
fn named(row: &InboxRow, what: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&row.id);
    hasher.update(what.as_bytes());
    map::urn_of(&hasher.finalize())
}
