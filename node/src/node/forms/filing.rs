//! From answers to what is filed: the response as a whole, and the resources that it says.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{
    DocumentId, Edit, Label,
    classify::{self, LabelRules, strictest},
    person::Person,
};
use kith_protocol::{consent::grant::Actions, record::Record};
use serde_json::{Map, Value, json};

use super::basis;
use crate::{
    api::{FillRequest, FormFilled, FormResource},
    failure::Failure,
    health::{
        forms::{
            Finding, Form, Weight, check,
            extract::{Extracted, extract},
            prefill::{Prefilled, Prefilling},
            typed,
        },
        line,
    },
    node::{
        Node, add,
        import::{self, may_write, who_writes},
        now_ms, show,
    },
    store::random,
};

/// Where an answer of a response came from, beside the answer.
const SOURCE_URL: &str = "urn:kith:answered-from";

/// A UUID (RFC 9562, version 4) that nothing else has.
fn new_id() -> String {
    let id = uuid::Builder::from_random_bytes(random()).into_uuid();
    id.to_string()
}

impl Node {
    /// The response that answers make, held against its form.
    pub(super) fn response_of(
        &self,
        record: &mut Record,
        form: &Form,
        asked: &FillRequest,
        answers: &Value,
        prefilling: &Prefilling,
    ) -> Result<FormFilled, Failure> {
        let mut filled = FormFilled {
            record: record.id().to_string(),
            form: form.title.clone(),
            filed: false,
            response: String::new(),
            id: None,
            known: Vec::new(),
            open: prefilling.open.clone(),
            findings: Vec::new(),
            resources: Vec::new(),
            left_out: Vec::new(),
            changed_since: Vec::new(),
        };
        if asked
            .basis
            .as_ref()
            .is_some_and(|before| *before != basis(prefilling))
        {
            filled.changed_since = prefilling.answers.iter().map(now_says).collect();
            if filled.changed_since.is_empty() {
                filled
                    .changed_since
                    .push("The record answers nothing of this form any more.".to_owned());
            }
        }
        let is_whole = answers.get("resourceType").is_some();
        let response = if is_whole {
            self.whole_response(record, answers)
        } else {
            let known: &[Prefilled] = if asked.with_known {
                &prefilling.answers
            } else {
                &[]
            };
            match with_known(form, answers, known) {
                Ok((items, known)) => {
                    filled.known = known;
                    self.new_response(record, form, &items)
                }
                Err(findings) => {
                    filled.findings = findings;
                    return Ok(filled);
                }
            }
        };
        filled.findings = check(form, &response);
        filled.findings.extend(form.notes.iter().cloned());
        filled.response = response.to_string();
        Ok(filled)
    }

    fn new_response(&self, record: &Record, form: &Form, items: &[Value]) -> Value {
        let id = new_id();
        let mut response = json!({
            "resourceType": "QuestionnaireResponse",
            "id": id,
            "identifier": {"system": "urn:ietf:rfc:3986", "value": format!("urn:uuid:{id}")},
        });
        if let Some(canonical) = form.canonical() {
            response["questionnaire"] = json!(canonical);
            response["_questionnaire"] = json!({"extension": [{
                "url": "http://hl7.org/fhir/StructureDefinition/display",
                "valueString": form.title,
            }]});
        }
        response["status"] = json!("completed");
        response["subject"] = self.subject(record);
        response["authored"] = json!(show::time(now_ms()));
        response["author"] = json!({ "display": self.author_name() });
        response["item"] = json!(items);
        response
    }

    /// A response that came whole stays as it is, but for an id where it has none.
    fn whole_response(&self, record: &Record, given: &Value) -> Value {
        let mut response = given.clone();
        if let Some(members) = response.as_object_mut() {
            members.entry("id").or_insert_with(|| json!(new_id()));
            members
                .entry("subject")
                .or_insert_with(|| self.subject(record));
            members
                .entry("authored")
                .or_insert_with(|| json!(show::time(now_ms())));
        }
        response
    }

    fn subject(&self, record: &Record) -> Value {
        let known = self.people.get(&record.id()).cloned().unwrap_or_default();
        json!({"type": "Patient", "display": known.banner()})
    }

    fn author_name(&self) -> String {
        let own = self.identity.name.clone();
        match self.acting {
            Some(staff) => format!("{}, {own}", self.name_of_staff(staff)),
            None => own,
        }
    }

    /// Files a response that fits, with all that it says, in one commit.
    pub(super) fn file_answers(
        &mut self,
        record: &mut Record,
        form: &Form,
        asked: &FillRequest,
        filled: &mut FormFilled,
    ) -> Result<(), Failure> {
        let now = now_ms();
        let response: Value = serde_json::from_str(&filled.response).unwrap_or(Value::Null);
        let extraction = extract(form, &response, &show::time(now), &mut new_id);
        filled.left_out = extraction.left_out;
        let known = self.people.get(&record.id()).cloned().unwrap_or_default();
        let subject = response.get("subject").cloned().unwrap_or(Value::Null);
        let is_person = |value: &Value| {
            let person = Person::of(value, None);
            known.said.iter().any(|said| said.is_surely(&person))
        };
        let made = of_this_person(
            extraction.resources,
            &subject,
            is_person,
            &mut filled.left_out,
        );
        let rules = LabelRules::default();
        let mut labels: Vec<Label> = vec![rules.label(&response), rules.label(&form.value)];
        let pen = self.pen(now);
        let who = who_writes(&pen);
        let mut edits: BTreeMap<DocumentId, Vec<Edit>> = BTreeMap::new();
        let mut targets = Vec::new();
        for one in made {
            let mut value = one.value;
            if let Some(members) = value.as_object_mut() {
                members.insert("id".to_owned(), json!(new_id()));
            }
            let document = classify::document(&value, &rules);
            labels.push(document.label.clone());
            let current = record.current(&document);
            if may_write(record, &who, &current, Actions::APPEND, now).is_err() {
                filled.left_out.push(format!(
                    "{} is not filed: this node may not add to {}.",
                    line::describe(&value),
                    document.section
                ));
                continue;
            }
            filled.resources.push(FormResource {
                section: document.section.name().to_owned(),
                text: line::describe(&value),
                way: one.way,
                question: one.link_id,
                resource: value.to_string(),
            });
            targets.push(json!({ "reference": name_of(&value) }));
            let resource = add::resource(&value, &document, now);
            edits
                .entry(document)
                .or_default()
                .push(Edit::Create(resource));
        }
        if asked.dry_run {
            return Ok(());
        }
        // The response is closed as far as the most closed thing that it says.
        let section = classify::section(&response);
        let document = DocumentId::first(section, strictest(&labels));
        let mut own = vec![Edit::Create(add::resource(&response, &document, now))];
        if !targets.is_empty() {
            let provenance = provenance(&response, &targets, &show::time(now), &self.author_name());
            own.push(Edit::Create(add::resource(&provenance, &document, now)));
        }
        let (mut items, mut rng) = (Vec::new(), self.rng.clone());
        let created = import::write_into(record, &pen, document, &own, &mut items, &mut rng)?;
        import::write_all(record, &pen, edits, &mut items, &mut rng)?;
        self.rng = rng;
        self.commit(items)?;
        filled.id = created.first().map(ToString::to_string);
        filled.filed = true;
        Ok(())
    }
}

fn name_of(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", text("resourceType"), text("id"))
}

/// What was made of what, by whom.
fn provenance(response: &Value, targets: &[Value], recorded: &str, by: &str) -> Value {
    json!({
        "resourceType": "Provenance",
        "id": new_id(),
        "target": targets,
        "recorded": recorded,
        "activity": {"text": "taken from the answers to a form"},
        "agent": [{
            "type": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                "code": "author",
            }]},
            "who": {"display": by},
        }],
        "entity": [{"role": "source", "what": {"reference": name_of(response)}}],
    })
}

fn now_says(answer: &Prefilled) -> String {
    format!(
        "{}: {} ({})",
        answer.link_id,
        answer.answers.join(", "),
        answer.source
    )
}

/// What a form says about this person, and of nobody else: a statement of who somebody is stays
/// out unless it surely is this person, and what names it names the record's person.
fn of_this_person(
    made: Vec<Extracted>,
    subject: &Value,
    is_person: impl Fn(&Value) -> bool,
    left_out: &mut Vec<String>,
) -> Vec<Extracted> {
    let is_patient =
        |one: &Extracted| one.value.get("resourceType").and_then(Value::as_str) == Some("Patient");
    let mut others = BTreeSet::new();
    let mut kept = Vec::new();
    for one in made {
        if is_patient(&one) {
            others.extend(one.full_url.clone());
            if !is_person(&one.value) {
                left_out.push(
                    "A statement of who the person is was not filed: by its name, birth date and numbers it is not surely this person. The answers themselves are kept.".to_owned(),
                );
                continue;
            }
        }
        kept.push(one);
    }
    for one in &mut kept {
        name_person(&mut one.value, subject, &others);
        let kind = one.value.get("resourceType").and_then(Value::as_str);
        let element = match kind {
            Some(
                "AllergyIntolerance" | "Immunization" | "RelatedPerson" | "FamilyMemberHistory",
            ) => "patient",
            Some("Patient") => continue,
            Some(_) | None => "subject",
        };
        if let Some(members) = one.value.as_object_mut() {
            members.entry(element).or_insert_with(|| subject.clone());
        }
    }
    kept
}

/// Puts the record's person where a new name for them stands.
fn name_person(value: &mut Value, subject: &Value, others: &BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let names = members.get("reference").and_then(Value::as_str);
            if names.is_some_and(|name| others.contains(name)) {
                *value = subject.clone();
                return;
            }
            for (name, member) in members.iter_mut() {
                // A template may put the name itself where a reference should be.
                let is_name = member.as_str().is_some_and(|text| others.contains(text));
                if is_name && (name == "subject" || name == "patient") {
                    *member = subject.clone();
                } else {
                    name_person(member, subject, others);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                name_person(item, subject, others);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The items of a response from what was answered and what the record knows beside it, and which
/// of the latter stand in it: a known answer to a question that is not asked is left away.
fn with_known(
    form: &Form,
    answers: &Value,
    known: &[Prefilled],
) -> Result<(Vec<Value>, Vec<Prefilled>), Vec<Finding>> {
    let mut used: Vec<Prefilled> = known
        .iter()
        .filter(|one| !is_given(answers, &one.link_id))
        .cloned()
        .collect();
    loop {
        let mut all = answers.clone();
        if let Some(members) = all.as_object_mut() {
            for one in &used {
                put(form, members, one);
            }
        }
        let mut items = typed::items(form, &all).map_err(|wrong| {
            let findings = wrong.into_iter().map(|no| Finding {
                weight: Weight::Error,
                expression: "QuestionnaireResponse.item".to_owned(),
                link_id: (!no.link_id.is_empty()).then_some(no.link_id),
                what: no.what,
            });
            findings.collect::<Vec<_>>()
        })?;
        let draft = json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": items});
        let findings = check(form, &draft);
        let before = used.len();
        used.retain(|one| {
            !findings.iter().any(|finding| {
                finding.weight == Weight::Error && finding.link_id.as_ref() == Some(&one.link_id)
            })
        });
        if used.len() == before {
            for item in &mut items {
                name_sources(item, &used);
            }
            return Ok((items, used));
        }
    }
}

/// Whether a question is answered anywhere in what was given.
fn is_given(answers: &Value, link_id: &str) -> bool {
    match answers {
        Value::Object(members) => {
            members.contains_key(link_id) || members.values().any(|value| is_given(value, link_id))
        }
        Value::Array(items) => items.iter().any(|item| is_given(item, link_id)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Puts a known answer beside the others: into its group where that was given as one.
fn put(form: &Form, answers: &mut Map<String, Value>, known: &Prefilled) {
    let values: Vec<Value> = known
        .values
        .iter()
        .filter_map(|(element, text)| {
            let value: Value = serde_json::from_str(text).ok()?;
            Some(json!({ element.as_str(): value }))
        })
        .collect();
    let mut at = answers;
    for name in form.groups_around(&known.link_id) {
        if !at.contains_key(name) {
            continue;
        }
        match at.get_mut(name) {
            Some(Value::Object(inside)) => at = inside,
            Some(_) | None => return,
        }
    }
    at.insert(known.link_id.clone(), Value::Array(values));
}

/// Says beside each answer of the record where it comes from.
fn name_sources(item: &mut Value, known: &[Prefilled]) {
    let link_id = item
        .get("linkId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if let Some(known) = known.iter().find(|one| one.link_id == link_id) {
        let source = json!([{"url": SOURCE_URL, "valueString": known.source}]);
        let answers = item.get_mut("answer").and_then(Value::as_array_mut);
        for answer in answers.into_iter().flatten() {
            answer["extension"] = source.clone();
        }
    }
    let below = item.get_mut("item").and_then(Value::as_array_mut);
    for item in below.into_iter().flatten() {
        name_sources(item, known);
    }
}
