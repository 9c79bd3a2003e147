//! OBR, OBX, SPM and NTE in reports: DiagnosticReport, Observation, Specimen.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Mapping, note_of, put, put_list,
    types::{period, term, v2},
    value::{attachment, is_file, reference_range, value_of},
};
use crate::health::hl7v2::{Segment, Waits};

/// A report on its way: the order that it answers and what belongs to it.
#[derive(Default)]
struct Report<'a> {
    orc: Option<&'a Segment>,
    obr: Option<&'a Segment>,
    /// NTE behind the OBR.
    notes: Vec<&'a Segment>,
    results: Vec<Result<'a>>,
    specimens: Vec<&'a Segment>,
}

/// One OBX with what follows it.
struct Result<'a> {
    obx: &'a Segment,
    /// Further lines of the same text.
    more: Vec<&'a Segment>,
    notes: Vec<&'a Segment>,
}

/// What may stand in a report without a value of its own.
const TEXTS: [&str; 2] = ["TX", "FT"];

impl<'a> Mapping<'a> {
    /// The reports of a message.
    pub(super) fn results(&mut self) -> std::result::Result<(), Waits> {
        let mut reports: Vec<Report<'a>> = Vec::new();
        let mut orc = None;
        // OUL has the specimen before its orders, ORU behind its results.
        let mut leading: Vec<&Segment> = Vec::new();
        let message = self.message;
        for segment in &message.segments {
            match segment.name.as_str() {
                "ORC" => match reports.last_mut() {
                    // OUL has ORC behind OBR.
                    Some(last) if message.header.kind.starts_with("OUL") && last.orc.is_none() => {
                        last.orc = Some(segment);
                    }
                    Some(_) | None => orc = Some(segment),
                },
                "OBR" => reports.push(Report {
                    orc: orc.take(),
                    obr: Some(segment),
                    specimens: leading.clone(),
                    ..Report::default()
                }),
                "SPM" if message.header.kind.starts_with("OUL") => leading = vec![segment],
                "SPM" => {
                    if let Some(last) = reports.last_mut() {
                        last.specimens.push(segment);
                    }
                }
                "OBX" => match reports.last_mut() {
                    Some(last) => push(&mut last.results, segment),
                    None => reports.push(Report {
                        results: vec![Result::of(segment)],
                        ..Report::default()
                    }),
                },
                "NTE" => {
                    if let Some(last) = reports.last_mut() {
                        match last.results.last_mut() {
                            Some(result) => result.notes.push(segment),
                            None => last.notes.push(segment),
                        }
                    }
                }
                _ => {}
            }
        }
        for (n, report) in reports.iter().enumerate() {
            self.report(n, report);
        }
        if reports.is_empty() {
            let kind = &message.header.kind;
            return Err(Waits::UnknownTrigger(format!("{kind} without a result")));
        }
        Ok(())
    }

    /// Results that stand beside a visit or a person, in no report.
    pub(super) fn loose_results(&mut self) {
        let mut results = Vec::new();
        let message = self.message;
        for segment in &message.segments {
            match segment.name.as_str() {
                "OBX" => push(&mut results, segment),
                // What follows is about that.
                "GT1" | "IN1" | "RF1" => break,
                _ => {}
            }
        }
        let scope = self.scope_of_message();
        self.observations(&scope, &results, None);
    }

    /// What results are told apart by that are in no order: when they were said.
    fn scope_of_message(&self) -> Vec<String> {
        let header = &self.message.header;
        vec![header.sender(), header.control_id.clone()]
    }

    fn report(&mut self, n: usize, report: &Report<'_>) {
        let types = self.types.clone();
        let Some(obr) = report.obr else {
            let scope = self.scope_of_message();
            self.observations(&scope, &report.results, None);
            return;
        };
        let numbers = self.order_numbers(report.orc, obr);
        let code = obr.field(4).first().c(1).to_owned();
        // A report is known by the filler's number, which the laboratory gives it.
        let mut scope: Vec<String> = match numbers.filler.as_ref().or(numbers.placer.as_ref()) {
            Some((system, value)) => vec![system.clone(), value.clone()],
            None => {
                let mut scope = self.scope_of_message();
                scope.push(n.to_string());
                scope
            }
        };
        scope.push(code);
        let parts: Vec<&str> = scope.iter().map(String::as_str).collect();
        let full_url = self.name("DiagnosticReport", &parts);
        let mut value = json!({ "resourceType": "DiagnosticReport" });
        put_list(&mut value, "identifier", numbers.identifiers());
        let order = self.order_of(&numbers, obr);
        put_list(&mut value, "basedOn", order.into_iter().collect());
        let status = obr
            .text(25)
            .and_then(|code| types.tables.get("report-status", code));
        value["status"] = json!(status.unwrap_or("unknown"));
        if let Some(service) = obr.text(24) {
            value["category"] = json!([{"coding": [v2("0074", service)]}]);
        }
        value["code"] = types.concept_or_not_said(obr.field(4).first());
        value["subject"] = self.subject();
        self.at_visit(&mut value);
        let (start, end) = (
            types.time(obr.field(7).first().c(1)),
            types.time(obr.field(8).first().c(1)),
        );
        let effective = start.clone();
        match (start, end) {
            (Some(start), Some(end)) if start != end => {
                value["effectivePeriod"] = period(Some(start), Some(end));
            }
            (Some(start), _) => value["effectiveDateTime"] = json!(start),
            (None, _) => {}
        }
        // FHIR `instant` is exact to the second.
        let issued = types.time(obr.field(22).first().c(1));
        put(
            &mut value,
            "issued",
            issued.filter(|issued| issued.contains('T')),
        );
        let reader = obr.field(32).first();
        let readers = [reader.part(1, 1), reader.part(1, 3), reader.part(1, 2)];
        let readers: Vec<&str> = readers.into_iter().flatten().collect();
        if let [_, rest @ ..] = readers.as_slice() {
            let shown = if rest.is_empty() {
                readers.join(" ")
            } else {
                rest.join(" ")
            };
            value["resultsInterpreter"] = json!([{ "display": shown }]);
        }
        let specimens = self.specimens(&report.specimens, &parts);
        let context = Context {
            effective,
            category: category(obr),
            specimen: specimens.first().cloned(),
            status: obr.text(25).map(str::to_owned),
        };
        put_list(&mut value, "specimen", specimens);
        let results = self.observations(&scope, &report.results, Some(&context));
        put_list(&mut value, "result", results);
        let notes: Vec<String> = report
            .notes
            .iter()
            .filter_map(|note| note_of(note))
            .filter_map(|note| note["text"].as_str().map(str::to_owned))
            .collect();
        if !notes.is_empty() {
            value["conclusion"] = json!(notes.join("\n"));
        }
        let files = report
            .results
            .iter()
            .filter_map(|result| attachment(result.obx));
        put_list(&mut value, "presentedForm", files.collect());
        self.add(full_url, value);
    }

    /// The Observations of results, and references to them.
    pub(super) fn observations_of(
        &mut self,
        scope: &[String],
        segments: &[&'a Segment],
    ) -> Vec<Value> {
        let mut results = Vec::new();
        for segment in segments {
            push(&mut results, segment);
        }
        self.observations(scope, &results, None)
    }

    fn observations(
        &mut self,
        scope: &[String],
        results: &[Result<'_>],
        context: Option<&Context>,
    ) -> Vec<Value> {
        let mut met: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut references = Vec::new();
        for result in results {
            let obx = result.obx;
            if is_file(obx) {
                if context.is_none() {
                    self.note(
                        "a file in an OBX that belongs to no report stands in the message only",
                    );
                }
                continue;
            }
            let (code, part) = (
                obx.field(3).first().shown(),
                obx.field(4).first().c(1).trim().to_owned(),
            );
            if obx.field(3).is_empty() && obx.field(5).is_empty() {
                self.note("an OBX without a code and a value is left out");
                continue;
            }
            let occurrence = met.entry((code.clone(), part.clone())).or_default();
            *occurrence += 1;
            let occurrence = occurrence.to_string();
            let code_name = obx.field(3).first().c(1).to_owned();
            let mut parts: Vec<&str> = scope.iter().map(String::as_str).collect();
            parts.extend([code_name.as_str(), part.as_str(), occurrence.as_str()]);
            let full_url = self.name("Observation", &parts);
            let value = self.observation(result, context);
            references.push(json!({ "reference": full_url }));
            self.add(full_url, value);
        }
        references
    }

    fn observation(&mut self, result: &Result<'_>, context: Option<&Context>) -> Value {
        let obx = result.obx;
        let types = self.types.clone();
        let mut value = json!({ "resourceType": "Observation" });
        let status = obx
            .text(11)
            .and_then(|code| types.tables.get("result-status", code))
            .or_else(|| {
                let status = context?.status.as_deref()?;
                types.tables.get("result-status", status)
            });
        value["status"] = json!(status.unwrap_or("unknown"));
        if let Some(category) = context.and_then(|context| context.category) {
            value["category"] = json!([{"coding": [term("observation-category", category)]}]);
        }
        value["code"] = types.concept_or_not_said(obx.field(3).first());
        value["subject"] = self.subject();
        self.at_visit(&mut value);
        let when = types
            .time(obx.field(14).first().c(1))
            .or_else(|| context.and_then(|context| context.effective.clone()));
        put(&mut value, "effectiveDateTime", when);
        let people = obx.field(16).repeats().filter_map(|xcn| types.person(xcn));
        let producer = obx.field(15).first();
        let by = obx.field(23).first();
        let places = [
            producer.filled(2).or_else(|| producer.filled(1)),
            by.filled(1),
        ];
        let places = places
            .into_iter()
            .flatten()
            .map(|name| json!({ "display": name }));
        put_list(&mut value, "performer", people.chain(places).collect());
        let (element, said) = value_of(&types, obx, &result.more);
        if let Some(said) = said {
            value[element] = said;
        } else if status == Some("final") && obx.field(5).is_empty() {
            value["dataAbsentReason"] = json!({"coding": [term("data-absent-reason", "unknown")]});
        }
        let flags = obx.field(8).repeats().filter_map(|flag| {
            let code = flag.filled(1)?;
            let known = types.tables.get("interpretation", code).unwrap_or(code);
            Some(json!({"coding": [term("v3-ObservationInterpretation", known)]}))
        });
        put_list(&mut value, "interpretation", flags.collect());
        let mut notes: Vec<Value> = result
            .notes
            .iter()
            .filter_map(|note| note_of(note))
            .collect();
        notes.retain(|note| note["text"].is_string());
        put_list(&mut value, "note", notes);
        put(&mut value, "bodySite", types.concept(obx.field(20).first()));
        put(&mut value, "method", types.concept(obx.field(17).first()));
        put(
            &mut value,
            "specimen",
            context.and_then(|context| context.specimen.clone()),
        );
        if let Some(range) = obx.field(7).first().filled(1) {
            let range = reference_range(&types, range, obx.field(6).first());
            value["referenceRange"] = json!([range]);
        }
        value
    }

    fn specimens(&mut self, segments: &[&Segment], scope: &[&str]) -> Vec<Value> {
        let types = self.types.clone();
        let mut references = Vec::new();
        for (n, spm) in segments.iter().enumerate() {
            let mut value = json!({ "resourceType": "Specimen" });
            let id = spm.field(2).first();
            let number = [1, 2].into_iter().find_map(|component| {
                let text = id.part(component, 1)?;
                let named = (
                    id.sub(component, 2),
                    id.sub(component, 3),
                    id.sub(component, 4),
                );
                let mut number = json!({ "value": text });
                put(&mut number, "system", types.authority(named));
                Some(number)
            });
            put_list(&mut value, "identifier", number.into_iter().collect());
            put(&mut value, "type", types.concept(spm.field(4).first()));
            value["subject"] = self.subject();
            let received = types.time(spm.field(18).first().c(1));
            put(&mut value, "receivedTime", received);
            let mut collection = json!({});
            let (start, end) = (
                types.time(spm.field(17).first().c(1)),
                types.time(spm.field(17).first().c(2)),
            );
            match (start, end) {
                (Some(start), None) => collection["collectedDateTime"] = json!(start),
                (start, Some(end)) => collection["collectedPeriod"] = period(start, Some(end)),
                (None, None) => {}
            }
            put(
                &mut collection,
                "method",
                types.concept(spm.field(7).first()),
            );
            put(
                &mut collection,
                "bodySite",
                types.concept(spm.field(8).first()),
            );
            if collection
                .as_object()
                .is_some_and(|collection| !collection.is_empty())
            {
                value["collection"] = collection;
            }
            let n = n.to_string();
            let shown = id.shown();
            let mut parts = scope.to_vec();
            parts.extend([shown.as_str(), n.as_str()]);
            let full_url = self.name("Specimen", &parts);
            references.push(json!({ "reference": full_url }));
            self.add(full_url, value);
        }
        references
    }

    /// The specimens of an order.
    pub(super) fn specimens_of(&mut self, segments: &[&Segment], scope: &[&str]) -> Vec<Value> {
        self.specimens(segments, scope)
    }
}

/// What results of one report have in common.
struct Context {
    effective: Option<String>,
    category: Option<&'static str>,
    specimen: Option<Value>,
    /// OBR-25, where an OBX says nothing of itself.
    status: Option<String>,
}

impl<'a> Result<'a> {
    const fn of(obx: &'a Segment) -> Self {
        Self {
            obx,
            more: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Adds an OBX: a line of the text before it, or a result of its own.
fn push<'a>(results: &mut Vec<Result<'a>>, obx: &'a Segment) {
    let is_text = |obx: &Segment| TEXTS.contains(&obx.field(2).first().c(1));
    if let Some(last) = results.last_mut()
        && is_text(last.obx)
        && is_text(obx)
        && last.notes.is_empty()
        && last.obx.field(3) == obx.field(3)
        && last.obx.field(4) == obx.field(4)
    {
        last.more.push(obx);
        return;
    }
    results.push(Result::of(obx));
}

/// `Observation.category` of the service that made a report (table 0074).
fn category(obr: &Segment) -> Option<&'static str> {
    match obr.text(24)? {
        "CH" | "HM" | "MB" | "MCB" | "BLB" | "SP" | "TX" | "LAB" | "IMM" | "SR" | "VR" | "CP"
        | "CG" | "ICU" | "OSL" | "PAT" | "GE" => Some("laboratory"),
        "RAD" | "CT" | "NMR" | "NMS" | "US" | "CUS" | "VUS" | "OUS" | "RUS" | "XRC" | "CTH"
        | "RX" | "DX" | "MR" => Some("imaging"),
        _ => None,
    }
}
