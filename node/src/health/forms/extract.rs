//! Resources that a response says: by the definitions of its questions, by templates in the form,
//! or as observations (SDC, "Form Data Extraction").
//!
//! Nothing is written here. Each resource names the response that it comes from; what a form asks
//! for and is not understood is told, and its resource is left out whole.

mod definition;
mod observation;
mod template;

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    enabled::list,
    form::{Form, Question, SDC, choice, extension},
    path::{Surroundings, Values, evaluate},
};

/// Resources that one response may make.
pub const RESOURCES_MAX: usize = 500;

/// A resource that a response says.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// The resource.
    pub value: Value,
    /// The name by which others of the same response refer to it.
    pub full_url: Option<String>,
    /// The question or group that it comes from.
    pub link_id: Option<String>,
    /// By which way.
    pub way: Way,
}

/// How a resource was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By the definitions of its questions.
    Definition,
    /// By a template in the form.
    Template,
    /// As an observation.
    Observation,
}

/// What came of a response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    /// The resources.
    pub resources: Vec<Extracted>,
    /// What was left out, in sentences.
    pub left_out: Vec<String>,
}

impl Extraction {
    fn add(&mut self, one: Extracted) {
        if self.resources.len() < RESOURCES_MAX {
            self.resources.push(one);
        } else if self.resources.len() == RESOURCES_MAX {
            let what = format!(
                "One response makes at most {RESOURCES_MAX} resources; the rest is left out."
            );
            if !self.left_out.contains(&what) {
                self.left_out.push(what);
            }
        }
    }

    fn left(&mut self, what: String) {
        if self.left_out.len() < RESOURCES_MAX && !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }
}

/// What a response says in resources. `now` is the time now, RFC 3339; `new_id` gives ids that
/// nothing else has.
pub fn extract(
    form: &Form,
    response: &Value,
    now: &str,
    new_id: &mut dyn FnMut() -> String,
) -> Extraction {
    let mut extraction = Extraction::default();
    let allocated = allocated(form, new_id);
    let values: BTreeMap<String, Value> = allocated
        .iter()
        .map(|(name, id)| (name.clone(), json!(id)))
        .collect();
    let mut around = Surroundings {
        now: Some(now.to_owned()),
        ..Surroundings::default()
    };
    around = around
        .with("resource", response)
        .with("questionnaire", &form.value);
    for (name, value) in &values {
        around = around.with(name, value);
    }
    let work = Work {
        form,
        around: &around,
    };
    template::extract(&work, response, &mut extraction);
    definition::extract(&work, response, &mut extraction);
    observation::extract(&work, response, &mut extraction);
    let id = response.get("id").and_then(Value::as_str);
    if let Some(id) = id {
        let source = format!("QuestionnaireResponse/{id}");
        for one in &mut extraction.resources {
            name_source(&mut one.value, &source);
        }
    }
    extraction
}

/// What every way works with.
struct Work<'w> {
    form: &'w Form,
    around: &'w Surroundings<'w>,
}

impl<'w> Work<'w> {
    fn values(&self, expression: &str, focus: &Values<'w>) -> Result<Values<'w>, String> {
        evaluate(expression, focus, self.around)
            .map_err(|why| format!("What the form says ({expression}) is not understood: {why}"))
    }

    /// The items of a response with the questions that they answer, groups before what is in them.
    fn items(&self, response: &'w Value) -> Vec<(&'w Question, &'w Value)> {
        let mut found = Vec::new();
        let mut open: Vec<&Value> = list(response, "item").iter().rev().collect();
        while let Some(item) = open.pop() {
            let link_id = item.get("linkId").and_then(Value::as_str);
            if let Some(question) = link_id.and_then(|name| self.form.question(name)) {
                found.push((question, item));
            }
            for answer in list(item, "answer").iter().rev() {
                open.extend(list(answer, "item").iter().rev());
            }
            open.extend(list(item, "item").iter().rev());
        }
        found
    }
}

/// Names that the form asks for, each with a new id.
fn allocated(form: &Form, new_id: &mut dyn FnMut() -> String) -> Vec<(String, String)> {
    let url = format!("{SDC}extractAllocateId");
    let mut names = Vec::new();
    let questions = form.all();
    let below = questions
        .iter()
        .flat_map(|question| question.extensions(&url));
    let own = form.extensions().iter();
    let own = own.filter(|one| one.get("url").and_then(Value::as_str) == Some(&url));
    for one in own.chain(below).take(RESOURCES_MAX) {
        if let Some(name) = one.get("valueString").and_then(Value::as_str) {
            names.push((name.to_owned(), format!("urn:uuid:{}", new_id())));
        }
    }
    names
}

/// The parts of an extension that is made of parts.
fn part<'e>(of: &'e Value, name: &str) -> Option<(String, Value)> {
    let inside: &'e [Value] = list(of, "extension");
    choice(extension(inside, name)?, "value")
}

/// A name by which others refer to a resource, where the extension says one.
fn full_url(work: &Work<'_>, of: &Value) -> Result<Option<String>, String> {
    let Some((_, said)) = part(of, "fullUrl") else {
        return Ok(None);
    };
    let Some(expression) = said.as_str() else {
        return Err("The name of a resource (fullUrl) is not a text.".to_owned());
    };
    let found = work.values(expression, &Vec::new())?;
    Ok(found
        .first()
        .and_then(|value| value.as_str())
        .map(str::to_owned))
}

/// Whether an extension asks for a change of what is there already, which no form does here: a
/// response says something new and never writes over what others said.
fn asks_to_update(of: &Value) -> bool {
    ["resourceId", "ifMatch"]
        .into_iter()
        .any(|name| part(of, name).is_some())
}

/// Observations name the response as what they are derived from; other kinds by the Provenance
/// that is filed with them.
fn name_source(resource: &mut Value, source: &str) {
    if resource.get("resourceType").and_then(Value::as_str) != Some("Observation") {
        return;
    }
    let Some(members) = resource.as_object_mut() else {
        return;
    };
    let derived = members.entry("derivedFrom").or_insert_with(|| json!([]));
    if let Some(derived) = derived.as_array_mut() {
        let is = |one: &Value| one.get("reference").and_then(Value::as_str) == Some(source);
        if !derived.iter().any(is) {
            derived.push(json!({ "reference": source }));
        }
    }
}

/// An answer's values.
fn answered<'r>(item: &'r Value) -> impl Iterator<Item = (String, Value)> + 'r {
    let answers = list(item, "answer").iter();
    answers.filter_map(|answer| choice(answer, "value"))
}

/// One value as a focus.
fn focus(of: &Value) -> Values<'_> {
    vec![Cow::Borrowed(of)]
}
