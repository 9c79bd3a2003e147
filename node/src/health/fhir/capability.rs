//! What the server says that it does, made of the table of which its router is made.

use serde_json::{Value, json};

use super::{
    interaction::Operation,
    types::{TYPES, Type},
};

/// FHIR R4.
pub const FHIR_VERSION: &str = "4.0.1";

/// The day of the last change of what is stated.
const DATE: &str = "2026-11-29";

/// The CapabilityStatement of a server at a base. `has_launch` says whether apps can be launched
/// there (SMART App Launch).
pub fn capability(base: &str, has_launch: bool) -> Value {
    let types: Vec<_> = TYPES.iter().map(of_type).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "kith", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "One person's record, as far as the app that asks may see it", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "documentation": "Each access token opens one record, within a share that ends when its owner stops it. What is not known here is never said to be none. [base]/$events is a stream of server-sent events that name what changes, and goes on behind Last-Event-ID.",
            "security": security(base, has_launch),
            "resource": types,
        }],
    })
}

fn security(base: &str, has_launch: bool) -> Value {
    let mut security = json!({
        "cors": false,
        "description": "An access token in the header Authorization: Bearer. Everything but this statement and .well-known/smart-configuration needs one.",
    });
    if has_launch {
        security["service"] = json!([{"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
            "code": "SMART-on-FHIR",
        }]}]);
        security["extension"] = json!([{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                {"url": "authorize", "valueUri": format!("{base}/authorize")},
                {"url": "token", "valueUri": format!("{base}/token")},
            ],
        }]);
    }
    security
}

fn of_type(kind: &Type) -> Value {
    let params: Vec<_> = kind
        .all_params()
        .map(|param| json!({"name": param.name, "type": param.kind.name()}))
        .collect();
    let codes: &[&str] = if kind.is_written() {
        &["read", "search-type", "create", "update"]
    } else {
        &["read", "search-type"]
    };
    let interactions: Vec<_> = codes.iter().map(|code| json!({"code": code})).collect();
    let mut said = json!({
        "type": kind.name,
        "interaction": interactions,
        "versioning": if kind.is_written() { "versioned-update" } else { "versioned" },
        "readHistory": false,
        "updateCreate": false,
        "conditionalCreate": kind.is_written(),
        "conditionalRead": "not-match",
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["resolves"],
        "searchParam": params,
    });
    let operations = Operation::ALL.into_iter();
    let operations: Vec<_> = operations
        .filter(|operation| operation.of_type() == kind.name)
        .map(|operation| json!({"name": operation.name(), "definition": operation.definition()}))
        .collect();
    if !operations.is_empty() {
        said["operation"] = json!(operations);
    }
    said
}
