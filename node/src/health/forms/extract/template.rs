//! Answers put into templates that stand in the form.
//!
//! A template is a contained resource. Where an element says `templateExtractContext` it stands
//! once for each value of that expression, and not at all where there is none; `templateExtractValue`
//! gives a value, and takes an element away that gets none and had none.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Extracted, Extraction, Way, Work, asks_to_update, focus, full_url, part};
use crate::health::forms::{
    enabled::list,
    form::{SDC, choice, extension},
    path::Values,
};

/// How deep a template may be.
const DEPTH_MAX: usize = 40;

pub(super) fn extract<'w>(work: &Work<'w>, response: &'w Value, extraction: &mut Extraction) {
    let url = format!("{SDC}templateExtract");
    let of_form = work.form.extensions().iter();
    for asked in of_form.filter(|one| one.get("url").and_then(Value::as_str) == Some(&url)) {
        one(work, asked, response, None, extraction);
    }
    for (question, item) in work.items(response) {
        for asked in question.extensions(&url) {
            one(work, asked, item, Some(&question.link_id), extraction);
        }
    }
    if let Some(bundle) = extension(
        work.form.extensions(),
        &format!("{SDC}templateExtractBundle"),
    ) {
        whole(work, bundle, response, extraction);
    }
}

/// A template that stands in the form, by its reference.
fn template<'w>(work: &Work<'w>, reference: Option<&Value>) -> Result<&'w Value, String> {
    let name = reference.and_then(|one| one.get("reference")?.as_str()?.strip_prefix('#'));
    let name = name.ok_or("The form names no template of its own.")?;
    let mut contained = list(&work.form.value, "contained").iter();
    contained
        .find(|one| one.get("id").and_then(Value::as_str) == Some(name))
        .ok_or_else(|| format!("The form has no template {name:?}."))
}

fn one<'w>(
    work: &Work<'w>,
    asked: &Value,
    item: &'w Value,
    link_id: Option<&str>,
    extraction: &mut Extraction,
) {
    let made = (|| {
        if asks_to_update(asked) {
            return Err("The form asks to write over something that is there already, which no answer does.".to_owned());
        }
        let reference = part(asked, "template").map(|(_, value)| value);
        let template = template(work, reference.as_ref())?;
        let filled = fill(work, template, &focus(item), 0)?;
        Ok((filled, full_url(work, asked)?))
    })();
    match made {
        Ok((Some(mut value), full_url)) => {
            without_id(&mut value);
            extraction.add(Extracted {
                value,
                full_url,
                link_id: link_id.map(str::to_owned),
                way: Way::Template,
            });
        }
        Ok((None, _)) => {}
        Err(why) => extraction.left(why),
    }
}

/// A Bundle as a template: each of its entries is a resource.
fn whole<'w>(work: &Work<'w>, asked: &Value, response: &'w Value, extraction: &mut Extraction) {
    let reference = choice(asked, "value").map(|(_, value)| value);
    let bundle = match template(work, reference.as_ref()) {
        Ok(bundle) => bundle,
        Err(why) => return extraction.left(why),
    };
    for entry in list(bundle, "entry") {
        let filled = match several(work, entry, &focus(response), 0) {
            Ok(filled) => filled,
            Err(why) => {
                extraction.left(why);
                continue;
            }
        };
        for mut entry in filled {
            let method = entry.pointer("/request/method").and_then(Value::as_str);
            if method.is_some_and(|method| method != "POST") {
                extraction.left("The form asks to write over something that is there already, which no answer does.".to_owned());
                continue;
            }
            let full_url = entry
                .get("fullUrl")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let resource = entry
                .as_object_mut()
                .and_then(|entry| entry.remove("resource"));
            if let Some(mut value) = resource {
                without_id(&mut value);
                extraction.add(Extracted {
                    value,
                    full_url,
                    link_id: None,
                    way: Way::Template,
                });
            }
        }
    }
}

/// The id of a template is none of what is made of it.
fn without_id(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("id");
    }
}

/// What a template's part becomes: once, or not at all.
fn fill<'w>(
    work: &Work<'w>,
    template: &'w Value,
    context: &Values<'w>,
    depth: usize,
) -> Result<Option<Value>, String> {
    Ok(several(work, template, context, depth)?.into_iter().next())
}

/// What a template's part becomes in each of its contexts.
fn several<'w>(
    work: &Work<'w>,
    template: &'w Value,
    context: &Values<'w>,
    depth: usize,
) -> Result<Vec<Value>, String> {
    if depth > DEPTH_MAX {
        return Err(format!("The template is more than {DEPTH_MAX} deep."));
    }
    let Value::Object(members) = template else {
        return Ok(vec![template.clone()]);
    };
    let extensions = list(template, "extension");
    let contexts = match said(extensions, "templateExtractContext")? {
        Some(expression) => {
            let found = work.values(&expression, context)?;
            found.into_iter().map(|value| vec![value]).collect()
        }
        None => vec![context.clone()],
    };
    let mut made = Vec::new();
    for context in contexts {
        if let Some(expression) = said(extensions, "templateExtractValue")? {
            // The element itself is a value.
            let found = work.values(&expression, &context)?;
            made.extend(found.into_iter().map(Cow::into_owned));
            continue;
        }
        let mut filled = Map::new();
        for (name, value) in members {
            if name == "extension" {
                let kept: Vec<_> = extensions
                    .iter()
                    .filter(|one| !is_of_templates(one))
                    .collect();
                if !kept.is_empty() {
                    filled.insert(name.clone(), json!(kept));
                }
                continue;
            }
            member(work, (name, value), &context, &mut filled, depth)?;
        }
        // What lost all that it said is not there.
        if !filled.is_empty() || members.is_empty() {
            made.push(Value::Object(filled));
        }
    }
    Ok(made)
}

fn member<'w>(
    work: &Work<'w>,
    (name, value): (&'w str, &'w Value),
    context: &Values<'w>,
    filled: &mut Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    if let Some(of) = name.strip_prefix('_') {
        return primitive(work, (of, value), context, filled);
    }
    match value {
        Value::Array(items) => {
            let mut made = Vec::new();
            for item in items {
                made.extend(several(work, item, context, depth + 1)?);
            }
            if !made.is_empty() {
                filled.insert(name.to_owned(), Value::Array(made));
            }
        }
        Value::Object(_) => {
            if let Some(made) = fill(work, value, context, depth + 1)? {
                filled.insert(name.to_owned(), made);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            // What stands there already is kept where nothing is put in its place.
            filled
                .entry(name.to_owned())
                .or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

/// The value of a plain element, from its `_name`.
fn primitive<'w>(
    work: &Work<'w>,
    (name, beside): (&str, &'w Value),
    context: &Values<'w>,
    filled: &mut Map<String, Value>,
) -> Result<(), String> {
    let (all, is_list): (&[Value], bool) = match beside {
        Value::Array(items) => (items, true),
        one @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)) => (std::slice::from_ref(one), false),
    };
    let mut values = Vec::new();
    let mut asks = false;
    for one in all {
        let extensions = list(one, "extension");
        let contexts = match said(extensions, "templateExtractContext")? {
            Some(expression) => {
                let found = work.values(&expression, context)?;
                found.into_iter().map(|value| vec![value]).collect()
            }
            None => vec![context.clone()],
        };
        if let Some(expression) = said(extensions, "templateExtractValue")? {
            asks = true;
            for context in contexts {
                values.extend(work.values(&expression, &context)?);
            }
        }
    }
    if !asks {
        filled.insert(format!("_{name}"), beside.clone());
        return Ok(());
    }
    let mut values: Vec<Value> = values.into_iter().map(Cow::into_owned).collect();
    if is_list {
        if !values.is_empty() {
            filled.insert(name.to_owned(), Value::Array(values));
        }
    } else if values.len() > 1 {
        return Err(format!(
            "There are {} values for {name}, and one fits.",
            values.len()
        ));
    } else if let Some(value) = values.pop() {
        filled.insert(name.to_owned(), value);
    }
    Ok(())
}

fn is_of_templates(extension: &Value) -> bool {
    let url = extension.get("url").and_then(Value::as_str);
    url.is_some_and(|url| {
        url.strip_prefix(SDC)
            .is_some_and(|name| name.starts_with("templateExtract"))
    })
}

/// The expression that an extension of a name says.
fn said(extensions: &[Value], name: &str) -> Result<Option<String>, String> {
    let Some(found) = extension(extensions, &format!("{SDC}{name}")) else {
        return Ok(None);
    };
    let text = choice(found, "value").and_then(|(_, value)| {
        let text = value.get("expression").unwrap_or(&value);
        text.as_str().map(str::to_owned)
    });
    text.map(Some)
        .ok_or_else(|| format!("A template says {name} without an expression."))
}
