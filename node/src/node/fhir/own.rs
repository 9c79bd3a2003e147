//! What this node knows itself of a record, as resources to be read: shares as Consents, and who
//! looked as AuditEvents. Only for an app that is shown all of a record, on the node of somebody
//! who controls it.

use kith_protocol::record::Record;
use serde_json::{Value, json};

use super::App;
use crate::{
    api::ShareLine,
    failure::Failure,
    health::{
        fhir::Type,
        search::{Param, Row, Span, span},
    },
    node::Node,
};

/// One of them.
pub(super) struct Own {
    pub(super) row: Row,
    pub(super) value: Value,
    pub(super) updated_ms: u64,
}

impl Own {
    fn of(id: &str, value: Value, time: Option<&str>) -> Self {
        let mut row = Row::of_value(id, &value);
        let moment = time.and_then(span);
        if let Some((from_ms, to_ms)) = moment {
            row.spans.push(Span {
                param: Param::Date,
                from_ms: Some(from_ms),
                to_ms: Some(to_ms),
            });
        }
        let updated_ms = moment.and_then(|(from, _)| u64::try_from(from).ok());
        Self {
            row,
            value,
            updated_ms: updated_ms.unwrap_or(0),
        }
    }
}

impl Node {
    /// Those of a type.
    pub(super) fn own_resources(
        &mut self,
        record: &mut Record,
        app: &App,
        (kind, person): (&Type, &str),
    ) -> Result<Vec<Own>, Failure> {
        match kind.name {
            "Consent" => Ok(self.consents(record, person)),
            "AuditEvent" => self.audit_events(app, person),
            _ => Ok(Vec::new()),
        }
    }

    fn consents(&self, record: &mut Record, person: &str) -> Vec<Own> {
        let shares = self.share_lines(record).into_iter();
        shares
            .map(|share| {
                Own::of(
                    &format!("share-{}", share.id),
                    consent(&share, person),
                    None,
                )
            })
            .collect()
    }

    fn audit_events(&self, app: &App, person: &str) -> Result<Vec<Own>, Failure> {
        let links = self.access_log()?.into_iter().enumerate();
        let of_record = links.filter(|(_, (_, what))| what.record == app.record);
        Ok(of_record
            .map(|(n, (time_ms, what))| {
                let looked = self.looked(time_ms, &what);
                let event = json!({
                    "resourceType": "AuditEvent",
                    "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
                    "action": "R",
                    "recorded": looked.when,
                    "outcome": "0",
                    "agent": [{"who": {"display": looked.who}, "requestor": true}],
                    "source": {"observer": {"display": self.name()}},
                    "entity": [{
                        "what": {"reference": person},
                        "description": format!("{}: {}", looked.how, looked.parts.join(", ")),
                    }],
                });
                Own::of(&format!("look-{n:010}"), event, Some(&looked.when))
            })
            .collect())
    }
}

fn consent(share: &ShareLine, person: &str) -> Value {
    let is_open = share.is_open();
    let mut provision = json!({
        "type": "permit",
        "actor": [{
            "role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]},
            "reference": {"display": share.name},
        }],
        "extension": [
            {"url": "urn:kith:see", "valueString": share.see},
            {"url": "urn:kith:add", "valueString": share.add},
            {"url": "urn:kith:change", "valueString": share.change},
        ],
    });
    if let Value::Array(said) = &mut provision["extension"] {
        said.retain(|one| one["valueString"] != "");
    }
    if share.from.is_some() || share.until.is_some() {
        let mut period = json!({});
        for (name, time) in [("start", &share.from), ("end", &share.until)] {
            if let Some(time) = time {
                period[name] = json!(time);
            }
        }
        provision["period"] = period;
    }
    json!({
        "resourceType": "Consent",
        "status": if is_open { "active" } else { "inactive" },
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": person},
        "performer": [{"display": share.by}],
        "policyRule": {"text": "A share of this record in kith"},
        "provision": provision,
    })
}
