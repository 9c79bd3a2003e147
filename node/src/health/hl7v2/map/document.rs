//! TXA and its OBX: DocumentReference.

use serde_json::{Value, json};

use super::{
    Mapping, lines, put, put_list,
    types::{term, v2},
    value::{attachment, is_file},
};
use crate::health::hl7v2::{Segment, Waits};

impl<'a> Mapping<'a> {
    pub(super) fn document(&mut self) -> Result<(), Waits> {
        let message = self.message;
        let Some(txa) = message.segment("TXA") else {
            return Err(Waits::UnknownTrigger(format!(
                "{} without a TXA segment",
                message.header.kind
            )));
        };
        let types = self.types.clone();
        let number = types.entity(txa.field(12).first());
        let header = &message.header;
        let full_url = match &number {
            Some((system, value)) => self.name("DocumentReference", &[system, value]),
            None => {
                let sender = header.sender();
                self.name(
                    "DocumentReference",
                    &["message", &sender, &header.control_id],
                )
            }
        };
        let before = self.held(&full_url).cloned();
        let mut value = json!({ "resourceType": "DocumentReference" });
        if let Some((system, number)) = &number {
            value["masterIdentifier"] = json!({"system": system, "value": number});
        }
        let cancelled = header.kind == "MDM^T11";
        let status = txa
            .text(19)
            .and_then(|code| types.tables.get("document-availability", code));
        value["status"] = json!(if cancelled {
            "entered-in-error"
        } else {
            status.unwrap_or("current")
        });
        let completion = txa
            .text(17)
            .and_then(|code| types.tables.get("document-status", code));
        put(&mut value, "docStatus", completion);
        if let Some(kind) = txa.text(2) {
            let mut concept = types
                .concept(txa.field(2).first())
                .unwrap_or_else(|| json!({}));
            concept["coding"] = json!([v2("0270", kind)]);
            value["type"] = concept;
        }
        value["subject"] = self.subject();
        let when = [4, 7, 6]
            .into_iter()
            .find_map(|n| types.time(txa.field(n).first().c(1)));
        // FHIR `instant` is exact to the second.
        put(
            &mut value,
            "date",
            when.clone().filter(|when| when.contains('T')),
        );
        let authors = [9, 5, 11].into_iter().flat_map(|n| txa.field(n).repeats());
        put_list(
            &mut value,
            "author",
            authors.filter_map(|xcn| types.person(xcn)).collect(),
        );
        if let Some(signed) = types.person(txa.field(22).first()) {
            value["authenticator"] = signed;
        }
        let parent = types.entity(txa.field(13).first());
        if let Some((system, number)) = &parent {
            let code = match header.kind.as_str() {
                "MDM^T05" | "MDM^T06" => "appends",
                _ => "replaces",
            };
            let target = self.name("DocumentReference", &[system, number]);
            value["relatesTo"] = json!([{"code": code, "target": {"reference": target}}]);
        }
        let level = txa
            .text(18)
            .and_then(|code| types.tables.get("confidentiality", code));
        if let Some(level) = level {
            value["meta"] = json!({"security": [term("v3-Confidentiality", level)]});
        }
        let mut content = self.content(&full_url);
        if content.is_empty() {
            let before = before
                .as_ref()
                .and_then(|before| before.get("content")?.as_array());
            content = before.cloned().unwrap_or_default();
        }
        if content.is_empty() {
            self.note("the document itself is not in the message");
            let mut about = json!({"title": "not in the message"});
            put(&mut about, "creation", when);
            content.push(json!({ "attachment": about }));
        }
        value["content"] = Value::Array(content);
        let mut context = json!({});
        put_list(
            &mut context,
            "encounter",
            self.encounter
                .iter()
                .map(|url| json!({ "reference": url }))
                .collect(),
        );
        if context
            .as_object()
            .is_some_and(|context| !context.is_empty())
        {
            value["context"] = context;
        }
        self.add(full_url, value);
        Ok(())
    }

    /// What the document says: its lines as one text, and its files. Coded results that stand
    /// beside it are results.
    fn content(&mut self, scope: &str) -> Vec<Value> {
        let message = self.message;
        let mut text = Vec::new();
        let mut files = Vec::new();
        let mut results: Vec<&Segment> = Vec::new();
        for obx in message.all("OBX") {
            match obx.field(2).first().c(1) {
                _ if obx.field(5).is_empty() => {}
                "TX" | "FT" | "ST" => text.push(lines(obx.field(5))),
                _ if is_file(obx) => match attachment(obx) {
                    Some(file) => files.push(json!({ "attachment": file })),
                    None => {
                        self.note("a file in an OBX cannot be unpacked; it stands in the message");
                    }
                },
                _ => results.push(obx),
            }
        }
        self.observations_of(&[scope.to_owned(), "document".to_owned()], &results);
        if !text.is_empty() {
            let data = data_encoding::BASE64.encode(text.join("\n").as_bytes());
            files.insert(
                0,
                json!({"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}),
            );
        }
        files
    }
}
