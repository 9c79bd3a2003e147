//! Answers put where the definitions of their questions say, such as `Patient#Patient.name.given`.

use serde_json::{Map, Value, json};

use super::{Extracted, Extraction, Way, Work, answered, asks_to_update, focus, full_url, part};
use crate::health::forms::{
    enabled::list,
    form::{Kind, Question, SDC},
};

/// Where FHIR's own resources are defined.
const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

pub(super) fn extract<'w>(work: &Work<'w>, response: &'w Value, extraction: &mut Extraction) {
    let url = format!("{SDC}definitionExtract");
    let of_form = work.form.extensions().iter();
    for asked in of_form.filter(|one| one.get("url").and_then(Value::as_str) == Some(&url)) {
        let of = Of {
            item: response,
            question: None,
            extensions: work.form.extensions(),
        };
        one(work, asked, &of, extraction);
    }
    for (question, item) in work.items(response) {
        for asked in question.extensions(&url) {
            let of = Of {
                item,
                question: Some(question),
                extensions: &question.extensions,
            };
            one(work, asked, &of, extraction);
        }
    }
}

/// What a resource is made of.
struct Of<'w> {
    item: &'w Value,
    question: Option<&'w Question>,
    extensions: &'w [Value],
}

fn one<'w>(work: &Work<'w>, asked: &Value, of: &Of<'w>, extraction: &mut Extraction) {
    let made = (|| {
        if asks_to_update(asked) {
            return Err("The form asks to write over something that is there already, which no answer does.".to_owned());
        }
        let definition = part(asked, "definition").map(|(_, value)| value);
        let definition = definition
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or_default();
        let kind = definition.strip_prefix(CORE).and_then(|kind| {
            let kind = kind.split('|').next().unwrap_or(kind);
            kind.chars()
                .all(|c| c.is_ascii_alphanumeric())
                .then_some(kind)
        });
        let kind = kind.ok_or_else(|| {
            format!("The form makes a resource by {definition:?}, and only FHIR's own definitions are known here.")
        })?;
        let mut making = Making {
            work,
            definition: format!("{CORE}{kind}#{kind}."),
            root: json!({ "resourceType": kind }),
            has_answer: false,
        };
        let place = Vec::new();
        if let Some(question) = of.question {
            making.item(question, of.item, &place)?;
        } else {
            making.below(list(of.item, "item"), &place)?;
        }
        if !making.has_answer {
            return Ok(None);
        }
        // What is fixed is put in once something was answered.
        making.fixed(of.extensions, of.item, &place)?;
        Ok(Some((making.root, full_url(work, asked)?)))
    })();
    match made {
        Ok(Some((value, full_url))) => extraction.add(Extracted {
            value,
            full_url,
            link_id: of.question.map(|question| question.link_id.clone()),
            way: Way::Definition,
        }),
        Ok(None) => {}
        Err(why) => extraction.left(why),
    }
}

/// A step into a resource: an element, and which of its list.
type Place = Vec<(String, usize)>;

struct Making<'m, 'w> {
    work: &'m Work<'w>,
    /// How definitions of elements of this resource begin.
    definition: String,
    root: Value,
    has_answer: bool,
}

impl<'w> Making<'_, 'w> {
    /// The element that a definition names, within this resource.
    fn element<'d>(&self, definition: &'d str) -> Option<&'d str> {
        definition.strip_prefix(self.definition.as_str())
    }

    fn below(&mut self, items: &'w [Value], place: &Place) -> Result<(), String> {
        for item in items {
            let link_id = item.get("linkId").and_then(Value::as_str);
            let question = link_id.and_then(|name| self.work.form.question(name));
            if let Some(question) = question {
                self.inner(question, item, place)?;
            }
        }
        Ok(())
    }

    /// An item below the one that the resource is made of.
    fn inner(
        &mut self,
        question: &'w Question,
        item: &'w Value,
        place: &Place,
    ) -> Result<(), String> {
        // It makes a resource of its own.
        if question
            .extensions(&format!("{SDC}definitionExtract"))
            .next()
            .is_some()
        {
            return Ok(());
        }
        self.item(question, item, place)
    }

    fn item(
        &mut self,
        question: &'w Question,
        item: &'w Value,
        place: &Place,
    ) -> Result<(), String> {
        let element = question
            .definition
            .as_deref()
            .and_then(|said| self.element(said));
        let is_root = question
            .extensions(&format!("{SDC}definitionExtract"))
            .next()
            .is_some();
        if question.kind == Kind::Group {
            let below = match element {
                Some(element) if says_something(item) => self.opened(element, place)?,
                Some(_) | None => place.clone(),
            };
            let before = self.has_answer;
            self.has_answer = false;
            self.below(list(item, "item"), &below)?;
            if self.has_answer && !is_root {
                self.fixed(&question.extensions, item, &below)?;
            }
            self.has_answer |= before;
            return Ok(());
        }
        let mut at = place.clone();
        if let Some(element) = element {
            for (kind, value) in answered(item) {
                at = self.put(element, place, &kind, value)?;
                self.has_answer = true;
            }
        }
        if answered(item).next().is_some() && !is_root {
            // What is fixed beside an answer stands in the same part as the answer.
            at.pop();
            let part_of = if at.len() > place.len() {
                at
            } else {
                place.clone()
            };
            self.fixed(&question.extensions, item, &part_of)?;
        }
        for answer in list(item, "answer") {
            self.below(list(answer, "item"), place)?;
        }
        Ok(())
    }

    /// Values that the form gives itself: fixed ones, and those of expressions.
    fn fixed(
        &mut self,
        extensions: &[Value],
        item: &'w Value,
        place: &Place,
    ) -> Result<(), String> {
        let url = format!("{SDC}definitionExtractValue");
        let all = extensions.iter();
        for fixed in all.filter(|one| one.get("url").and_then(Value::as_str) == Some(&url)) {
            let definition = part(fixed, "definition").map(|(_, value)| value);
            let definition = definition
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some(element) = self.element(definition) else {
                continue;
            };
            if let Some((kind, value)) = part(fixed, "fixed-value") {
                self.put(element, place, &kind, value)?;
                continue;
            }
            let expression = part(fixed, "expression").map(|(_, value)| value);
            let expression = expression
                .as_ref()
                .and_then(|said| said.get("expression")?.as_str());
            let expression = expression
                .ok_or("A value of the form has neither a fixed value nor an expression.")?;
            for value in self.work.values(expression, &focus(item))? {
                self.put(element, place, "", value.into_owned())?;
            }
        }
        Ok(())
    }

    /// A new part of a resource for a group, such as another name.
    fn opened(&mut self, element: &str, place: &Place) -> Result<Place, String> {
        let names = rest(element, place)?;
        let mut at = place.clone();
        let last = names.len().saturating_sub(1);
        for (n, name) in names.iter().enumerate() {
            let count = self.count(&at, name);
            let index = if n == last { count } else { 0 };
            at.push((name.clone(), index));
        }
        Ok(at)
    }

    fn count(&self, place: &Place, name: &str) -> usize {
        let part = found(&self.root, place).and_then(|part| part.get(name));
        part.and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Puts a value where an element stands; where that is.
    fn put(
        &mut self,
        element: &str,
        place: &Place,
        kind: &str,
        value: Value,
    ) -> Result<Place, String> {
        let names = rest(element, place)?;
        let Some((last, before)) = names.split_last() else {
            return Err(format!(
                "The form puts a value into {element:?}, which is all of the resource."
            ));
        };
        let mut at = place.clone();
        for name in before {
            at.push((name.clone(), 0));
        }
        let (name, value) = typed(last, kind, value, &at);
        let part = made(&mut self.root, &at).ok_or_else(|| {
            format!("The form puts a value into {element:?}, where another stands already.")
        })?;
        if is_list(&at, &name, self_kind(&self.definition)) {
            let list = part.entry(name.clone()).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(value);
            }
        } else {
            part.insert(name.clone(), value);
        }
        at.push((name, 0));
        Ok(at)
    }
}

fn says_something(item: &Value) -> bool {
    !list(item, "answer").is_empty() || list(item, "item").iter().any(says_something)
}

/// The type of a resource, from how the definitions of its elements begin.
fn self_kind(definition: &str) -> &str {
    let kind = definition.rsplit('#').next().unwrap_or_default();
    kind.trim_end_matches('.')
}

/// The names of an element below the part in which it is to stand. A slice of a choice
/// (`value[x]:valueQuantity`) is its name.
fn rest(element: &str, place: &Place) -> Result<Vec<String>, String> {
    let names: Vec<String> = element
        .split('.')
        .map(|name| match name.split_once(':') {
            Some((_, slice)) => slice.to_owned(),
            None => name.to_owned(),
        })
        .collect();
    let fits = |name: &str| {
        let plain = name.strip_suffix("[x]").unwrap_or(name);
        !plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if names.len() > 12 || !names.iter().all(|name| fits(name)) {
        return Err(format!("The element {element:?} is not understood here."));
    }
    let inside = place
        .iter()
        .zip(&names)
        .take_while(|((at, _), name)| at == *name)
        .count();
    Ok(names[inside.min(place.len())..].to_vec())
}

/// The name and the value of an element, with its type where it is a choice.
fn typed(name: &str, kind: &str, value: Value, at: &Place) -> (String, Value) {
    let stem = name.strip_suffix("[x]");
    let is_choice = stem.is_some() || (at.is_empty() && CHOICES.contains(&name));
    let stem = stem.unwrap_or(name);
    if is_choice {
        let kind = match kind.strip_prefix("value") {
            Some("Coding") => {
                return (
                    format!("{stem}CodeableConcept"),
                    json!({ "coding": [value] }),
                );
            }
            Some("Date") => "DateTime",
            Some("Decimal") => return (format!("{stem}Quantity"), json!({ "value": value })),
            Some("Uri") => "String",
            Some(kind) => kind,
            None => of_value(&value),
        };
        return (format!("{stem}{kind}"), value);
    }
    // A code where the answer is a coding: `Patient.gender`.
    let is_code = [
        "gender",
        "status",
        "use",
        "system",
        "language",
        "criticality",
    ]
    .contains(&name);
    match (is_code, value) {
        (true, Value::Object(coding)) if coding.contains_key("code") => {
            let code = coding.get("code").cloned().unwrap_or(Value::Null);
            (stem.to_owned(), code)
        }
        (_, value) => (stem.to_owned(), value),
    }
}

const CHOICES: [&str; 6] = [
    "value",
    "effective",
    "onset",
    "occurrence",
    "performed",
    "medication",
];

fn of_value(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Quantity",
        Value::String(text) if super::super::check::is_date_time(text) => "DateTime",
        Value::String(_) => "String",
        Value::Object(members) if members.contains_key("coding") => "CodeableConcept",
        Value::Object(members) if members.contains_key("value") => "Quantity",
        Value::Object(_) => "Reference",
        Value::Null | Value::Array(_) => "String",
    }
}

/// Elements that are lists (FHIR R4), for resources that forms make.
fn is_list(at: &Place, name: &str, kind: &str) -> bool {
    const EVERYWHERE: [&str; 9] = [
        "coding",
        "given",
        "prefix",
        "suffix",
        "line",
        "extension",
        "identifier",
        "telecom",
        "note",
    ];
    if EVERYWHERE.contains(&name) {
        // One identifier in a Reference.
        return name != "identifier" || at.is_empty();
    }
    if !at.is_empty() {
        return matches!(name, "relationship" if at[0].0 == "contact");
    }
    match kind {
        "Patient" => matches!(
            name,
            "name"
                | "address"
                | "contact"
                | "communication"
                | "generalPractitioner"
                | "photo"
                | "link"
        ),
        "RelatedPerson" => matches!(
            name,
            "name" | "address" | "relationship" | "communication" | "photo"
        ),
        "Observation" => matches!(
            name,
            "category"
                | "performer"
                | "derivedFrom"
                | "basedOn"
                | "partOf"
                | "focus"
                | "component"
                | "interpretation"
                | "referenceRange"
                | "hasMember"
        ),
        "Condition" => matches!(name, "category" | "bodySite" | "stage" | "evidence"),
        "AllergyIntolerance" => matches!(name, "category" | "reaction"),
        "MedicationStatement" => matches!(
            name,
            "dosage" | "reasonCode" | "reasonReference" | "derivedFrom" | "basedOn" | "partOf"
        ),
        "MedicationRequest" => matches!(
            name,
            "category" | "dosageInstruction" | "reasonCode" | "reasonReference"
        ),
        "Procedure" => matches!(
            name,
            "performer" | "reasonCode" | "bodySite" | "basedOn" | "partOf"
        ),
        "Immunization" => matches!(
            name,
            "performer" | "reasonCode" | "reaction" | "protocolApplied"
        ),
        "ServiceRequest" => matches!(
            name,
            "category"
                | "performer"
                | "reasonCode"
                | "reasonReference"
                | "bodySite"
                | "supportingInfo"
        ),
        "FamilyMemberHistory" => matches!(name, "condition" | "reasonCode"),
        "Encounter" => matches!(
            name,
            "type" | "participant" | "reasonCode" | "location" | "diagnosis"
        ),
        _ => false,
    }
}

/// The part of a resource at a place.
fn found<'v>(root: &'v Value, place: &Place) -> Option<&'v Value> {
    let mut part = root;
    for (name, index) in place {
        part = match part.get(name)? {
            Value::Array(items) => items.get(*index)?,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => other,
        };
    }
    Some(part)
}

/// The same, made where it is not there yet; nothing where a plain value stands in its way.
fn made<'v>(root: &'v mut Value, place: &Place) -> Option<&'v mut Map<String, Value>> {
    let kind = root.get("resourceType")?.as_str()?.to_owned();
    let mut part = root;
    for (n, (name, index)) in place.iter().enumerate() {
        let around: Place = place[..n].to_vec();
        let is_list = is_list(&around, name, &kind);
        let members = part.as_object_mut()?;
        let next = members
            .entry(name.clone())
            .or_insert_with(|| if is_list { json!([]) } else { json!({}) });
        part = match next {
            Value::Array(items) => {
                while items.len() <= *index {
                    items.push(json!({}));
                }
                items.get_mut(*index)?
            }
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => other,
        };
    }
    part.as_object_mut()
}
