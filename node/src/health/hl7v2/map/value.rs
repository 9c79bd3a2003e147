//! OBX-5 as `value[x]`, as a file, and OBX-7 as a range.

use serde_json::{Value, json};

use super::{
    lines,
    types::{Types, number_of},
};
use crate::health::hl7v2::{Field, Repeat, Segment};

/// Whether an OBX brings a file, or where one is.
pub(super) fn is_file(obx: &Segment) -> bool {
    matches!(obx.field(2).first().c(1), "ED" | "RP") && !obx.field(5).is_empty()
}

/// The file that an OBX brings.
pub(super) fn attachment(obx: &Segment) -> Option<Value> {
    if !is_file(obx) {
        return None;
    }
    let file = obx.field(5).first();
    let kind = match (file.c(2).trim(), file.c(3).trim()) {
        (kind, part) if kind.contains('/') || part.is_empty() => kind.to_owned(),
        ("", part) => part.to_owned(),
        (kind, part) => media_type(kind, part),
    };
    let mut attachment = json!({});
    if !kind.is_empty() {
        attachment["contentType"] = json!(kind);
    }
    if obx.field(2).first().c(1) == "RP" {
        attachment["url"] = json!(file.filled(1)?);
        return Some(attachment);
    }
    let data = file.c(5);
    let bytes = match file.c(4).trim().to_ascii_lowercase().as_str() {
        "base64" => {
            let packed: String = data.chars().filter(|char| !char.is_whitespace()).collect();
            // What is no base64 stays as it came, in the message.
            data_encoding::BASE64.decode(packed.as_bytes()).ok()?
        }
        "hex" => data_encoding::HEXUPPER_PERMISSIVE
            .decode(data.trim().as_bytes())
            .ok()?,
        _ => data.as_bytes().to_vec(),
    };
    if bytes.is_empty() {
        return None;
    }
    attachment["data"] = json!(data_encoding::BASE64.encode(&bytes));
    Some(attachment)
}

fn media_type(kind: &str, part: &str) -> String {
    let part = part.to_ascii_lowercase();
    match (kind.to_ascii_lowercase().as_str(), part.as_str()) {
        (_, "pdf") => "application/pdf".to_owned(),
        ("im" | "image", part) => format!("image/{part}"),
        ("tx" | "text" | "ft", "plain" | "txt") => "text/plain".to_owned(),
        ("tx" | "text" | "ft", part) => format!("text/{part}"),
        (kind @ ("application" | "ap"), part) if kind.starts_with("ap") => {
            format!("application/{part}")
        }
        (kind, part) => format!("{kind}/{part}"),
    }
}

/// `value[x]` of an OBX, with the element's name.
pub(super) fn value_of(
    types: &Types<'_>,
    obx: &Segment,
    more: &[&Segment],
) -> (&'static str, Option<Value>) {
    let field = obx.field(5);
    let first = field.first();
    let several = field.repeats().count() > 1;
    if field.is_empty() {
        return ("valueString", None);
    }
    match obx.field(2).first().c(1) {
        "NM" if !several => match types.quantity(first.c(1), obx.field(6).first()) {
            Some(quantity) => ("valueQuantity", Some(quantity)),
            None => text(field, more),
        },
        "NM" => (
            "component",
            Some(
                field
                    .repeats()
                    .map(|number| {
                        let mut part =
                            json!({"code": types.concept_or_not_said(obx.field(3).first())});
                        match types.quantity(number.c(1), obx.field(6).first()) {
                            Some(quantity) => part["valueQuantity"] = quantity,
                            None => part["valueString"] = json!(number.shown()),
                        }
                        part
                    })
                    .collect(),
            ),
        ),
        "SN" => structured(types, first, obx.field(6).first()).unwrap_or_else(|| text(field, more)),
        "CE" | "CWE" | "CNE" | "CF" | "IS" | "ID" => match types.concept(first) {
            Some(mut concept) => {
                let others: Vec<Value> = field
                    .repeats()
                    .skip(1)
                    .filter_map(|other| types.concept(other)?.get("coding").cloned())
                    .filter_map(|codings| codings.as_array().cloned())
                    .flatten()
                    .collect();
                if !others.is_empty() {
                    // A second answer is no second code of the first.
                    concept["text"] = json!(lines(field));
                }
                ("valueCodeableConcept", Some(concept))
            }
            None => text(field, more),
        },
        "DT" | "TS" | "DTM" if !several => match types.time(first.c(1)) {
            Some(time) => ("valueDateTime", Some(json!(time))),
            None => text(field, more),
        },
        _ => text(field, more),
    }
}

fn text(field: &Field, more: &[&Segment]) -> (&'static str, Option<Value>) {
    let mut all = vec![lines(field)];
    all.extend(more.iter().map(|segment| lines(segment.field(5))));
    let text = all.join("\n");
    (
        "valueString",
        (!text.trim().is_empty()).then(|| json!(text)),
    )
}

/// A structured number (SN): `<^5`, `^182`, `^1^-^2`, `^1^:^128`.
fn structured(
    types: &Types<'_>,
    sn: &Repeat,
    unit: &Repeat,
) -> Option<(&'static str, Option<Value>)> {
    let comparator = sn.c(1).trim();
    let mut quantity = types.quantity(sn.c(2), unit)?;
    match (sn.c(3).trim(), sn.filled(4)) {
        ("" | "=", None) | ("", Some(_)) => {
            match comparator {
                "" | "=" => {}
                "<" | "<=" | ">" | ">=" => {
                    let mut compared =
                        json!({"value": quantity["value"].take(), "comparator": comparator});
                    types.unit(&mut compared, unit);
                    quantity = compared;
                }
                _ => return None,
            }
            Some(("valueQuantity", Some(quantity)))
        }
        ("-", Some(high)) if comparator.is_empty() => {
            let high = types.quantity(high, unit)?;
            Some(("valueRange", Some(json!({"low": quantity, "high": high}))))
        }
        (":" | "/", Some(other)) if comparator.is_empty() => {
            let other = json!({"value": number_of(other)?});
            Some((
                "valueRatio",
                Some(json!({"numerator": quantity, "denominator": other})),
            ))
        }
        _ => None,
    }
}

pub(super) fn reference_range(types: &Types<'_>, said: &str, unit: &Repeat) -> Value {
    let mut range = json!({ "text": said });
    let bounds = said
        .split_once('-')
        .map(|(low, high)| (low.trim(), high.trim()));
    if let Some((low, high)) = bounds
        && let (Some(low), Some(high)) = (types.quantity(low, unit), types.quantity(high, unit))
    {
        range["low"] = low;
        range["high"] = high;
    }
    range
}
