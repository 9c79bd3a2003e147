//! The patient summary, and references to documents (`$docref` of IPA 1.1.0).

use kith_protocol::{consent::Reader, record::Record};
use serde_json::Value;

use super::{
    App, Entry, FhirAsked, FhirGiven, bundle,
    finding::{of_match, of_outcome},
    shelf::Shelf,
};
use crate::{
    health::{
        fhir::{Code, Handling, Issue, Outcome, Severity, asked, type_named},
        search::{Param, Row, span},
    },
    node::{Node, now_ms, show},
};

impl Node {
    /// The summary of what an app may see.
    pub(super) fn app_summary(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
    ) -> Result<FhirGiven, Outcome> {
        let scopes = app.scopes();
        let mut placed = Vec::new();
        for reader in &shelf.readers {
            placed.extend(record.read(reader));
        }
        placed.retain(|placed| scopes.reads(&placed.held.meta.kind));
        let sources = self.sources_of(record, placed);
        let documents = shelf.readers.iter().map(Reader::document);
        let visible = documents
            .map(|document| (document.section, document.label.clone()))
            .collect();
        let is_complete = shelf.is_controlled && shelf.sees_all;
        let now = show::time(now_ms());
        let summary = self.summary_of(record, &sources, (visible, is_complete), &now)?;
        let places: Vec<_> = (0..shelf.readers.len()).collect();
        self.app_was_given_of(record, shelf, app, &places)?;
        Ok(FhirGiven::bundle(summary))
    }

    /// DocumentReferences that are about care in a time; the last ones where none is said.
    pub(super) fn documents_for(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
        request: &FhirAsked,
    ) -> Result<FhirGiven, Outcome> {
        let params = match request.body.is_empty() {
            true => request.params.clone(),
            false => [request.params.clone(), parameters(&request.body)?].concat(),
        };
        let all = |name: &str| {
            let named = params.iter().filter(move |(known, _)| known == name);
            named.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let one = |name: &str| all(name).into_iter().next();
        let Some(patient) = one("patient") else {
            return Err(Outcome::refused(
                400,
                Code::Required,
                "Name the person with the parameter patient.",
            )
            .at("http.patient"));
        };
        let (start, end) = (time("start", one("start"))?, time("end", one("end"))?);
        let only_on_demand = one("on-demand").as_deref() == Some("true");
        let types = all("type").join(",");
        let mut search = vec![("patient".to_owned(), patient)];
        if !types.is_empty() {
            search.push(("type".to_owned(), types));
        }
        let kind = type_named("DocumentReference");
        let search = asked(kind, &search, Handling::Strict)?;
        let mut found = self.found(record, shelf, &search);
        let spans = |row: &Row| care(row).unwrap_or((i64::MIN, i64::MAX));
        if only_on_demand {
            found.clear();
        } else if start.is_some() || end.is_some() {
            let from = start.map_or(i64::MIN, |(from, _)| from);
            let to = end.map_or(i64::MAX, |(_, to)| to);
            found.retain(|thing| {
                let (begins, ends) = spans(shelf.row(thing));
                begins < to && ends > from
            });
        } else {
            let last = found.iter().map(|thing| begun(shelf.row(thing))).max();
            found.retain(|thing| Some(begun(shelf.row(thing))) == last);
        }
        let mut entries: Vec<Entry> = Vec::new();
        for thing in found {
            entries.extend(self.entries(record, shelf, thing)?);
        }
        self.app_was_given(record, shelf, app, &entries)?;
        let total = entries.len();
        let mut given: Vec<Value> = entries
            .into_iter()
            .map(|entry| of_match(&request.base, entry))
            .collect();
        let what = if only_on_demand {
            "No documents are made on demand here; Patient/$summary gives the patient summary."
        } else if total == 0 {
            "No document that fits is known here to this app. That does not say that there is none."
        } else {
            ""
        };
        if !what.is_empty() {
            let issue = Issue {
                severity: Severity::Information,
                code: Code::Informational,
                what: what.to_owned(),
                expression: None,
            };
            given.push(of_outcome(vec![issue]));
        }
        Ok(FhirGiven::bundle(bundle(Some(total), &[], given)))
    }
}

/// When the care was that a document is about; when it was written where that is not said.
fn care(row: &Row) -> Option<(i64, i64)> {
    let of = |param: Param| row.spans.iter().find(move |span| span.param == param);
    let span = of(Param::Period).or_else(|| of(Param::Date))?;
    Some((
        span.from_ms.unwrap_or(i64::MIN),
        span.to_ms.unwrap_or(i64::MAX),
    ))
}

fn begun(row: &Row) -> i64 {
    care(row).map_or(i64::MIN, |(from, _)| from)
}

fn time(name: &str, value: Option<String>) -> Result<Option<(i64, i64)>, Outcome> {
    let Some(value) = value else {
        return Ok(None);
    };
    match span(&value) {
        Some(span) => Ok(Some(span)),
        None => Err(Outcome::refused(
            400,
            Code::Value,
            format!("The parameter {name:?} is not a time. Write it as 2026, 2026-03-31 or 2026-03-31T09:30:00Z."),
        )
        .at(format!("http.{name}"))),
    }
}

/// What a Parameters resource holds, as the parameters of an address.
fn parameters(body: &[u8]) -> Result<Vec<(String, String)>, Outcome> {
    let wrong = || {
        Outcome::refused(
            400,
            Code::Structure,
            "Send an operation's parameters in the address, or as a FHIR Parameters resource in JSON.",
        )
        .at("Parameters")
    };
    let body: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    if body["resourceType"] != "Parameters" {
        return Err(wrong());
    }
    let Some(items) = body.get("parameter").and_then(Value::as_array) else {
        return Ok(Vec::new());
    };
    let mut params = Vec::new();
    for item in items {
        let name = item["name"].as_str().ok_or_else(wrong)?;
        let members = item.as_object().ok_or_else(wrong)?;
        let value = members.iter().find(|(name, _)| name.starts_with("value"));
        let text = match value {
            Some((_, Value::String(text))) => text.clone(),
            Some((_, Value::Bool(flag))) => flag.to_string(),
            Some((_, Value::Object(coding))) => {
                let part = |name: &str| coding.get(name).and_then(Value::as_str);
                let code = part("code").unwrap_or_default();
                match part("system") {
                    Some(system) => format!("{system}|{code}"),
                    None => code.to_owned(),
                }
            }
            _ => return Err(wrong()),
        };
        params.push((name.to_owned(), text));
    }
    Ok(params)
}
