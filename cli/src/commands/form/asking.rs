//! A form on the terminal, one question after the other.

use kith_node::{
    api::FormOpened,
    failure::{Ending, Failure},
    health::forms::{Form, Kind, Question, prefill::Prefilled, typed},
};
use serde_json::{Map, Value, json};

use crate::{ask::no_answer, render};

fn form_of(opened: &FormOpened) -> Option<Form> {
    let value = serde_json::from_str(&opened.questionnaire).ok()?;
    Form::read(value).ok()
}

/// The questions of a form, a line each, with what is offered.
pub fn lines(opened: &FormOpened) -> Vec<String> {
    let Some(form) = form_of(opened) else {
        return Vec::new();
    };
    let all = form.all().into_iter().filter(|question| !question.hidden);
    all.map(|question| {
        let depth = form.groups_around(&question.link_id).len();
        let kind = if question.kind.has_answer() {
            format!("  [{}: {}]", question.link_id, question.kind.in_words())
        } else {
            String::new()
        };
        let needed = if question.required { " *" } else { "" };
        format!("{}{}{needed}{kind}", "  ".repeat(depth), question.asked())
    })
    .collect()
}

/// Asks every question that is asked by what was answered before it. An empty answer leaves a
/// question open, or takes the one from the record.
pub fn ask(opened: &FormOpened) -> Result<Value, Failure> {
    let form = form_of(opened).ok_or_else(|| {
        Failure::new(
            Ending::Failed,
            "The form cannot be asked here.",
            "This is a fault of kith. Nothing was changed.",
        )
    })?;
    let mut answers = Map::new();
    below(&form, &form.questions, &opened.known, &mut answers)?;
    Ok(Value::Object(answers))
}

fn below(
    form: &Form,
    questions: &[Question],
    known: &[Prefilled],
    answers: &mut Map<String, Value>,
) -> Result<(), Failure> {
    for question in questions.iter().filter(|question| !question.hidden) {
        if !is_asked(form, question, answers) {
            continue;
        }
        if question.kind == Kind::Display {
            render::say(&render::clean(&question.asked()));
            continue;
        }
        if question.kind == Kind::Group {
            render::say(&format!("\n{}", render::clean(&question.asked())));
        } else {
            one(question, known, answers)?;
        }
        below(form, &question.questions, known, answers)?;
    }
    Ok(())
}

/// Whether a question is asked: the node decides it again of the whole response.
fn is_asked(form: &Form, question: &Question, answers: &Map<String, Value>) -> bool {
    let Ok(items) = typed::items(form, &Value::Object(answers.clone())) else {
        return true;
    };
    form.asks(question, &items)
}

fn one(
    question: &Question,
    known: &[Prefilled],
    answers: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let known = known.iter().find(|one| one.link_id == question.link_id);
    if matches!(question.kind, Kind::Attachment | Kind::Reference) || question.read_only {
        if let Some(known) = known {
            answers.insert(question.link_id.clone(), of_record(known));
        }
        return Ok(());
    }
    for (n, (_, value)) in (1..).zip(&question.options) {
        render::say(&format!(
            "  #{n} {}",
            render::clean(&typed::in_words(value))
        ));
    }
    if let Some(known) = known {
        render::say(&format!(
            "  From the record: {} ({})",
            render::clean(&known.answers.join(", ")),
            render::clean(&known.source)
        ));
    }
    let mut given = Vec::new();
    loop {
        let help = match (known, question.repeats) {
            (Some(_), _) if given.is_empty() => {
                "Enter takes what the record says; - leaves it open"
            }
            (_, true) => "Enter goes on",
            _ => "Enter leaves it open",
        };
        let text = inquire::Text::new(&render::clean(&question.asked()))
            .with_help_message(help)
            .prompt()
            .map_err(|error| no_answer(&error))?;
        match (text.trim(), known) {
            ("", Some(known)) if given.is_empty() => {
                answers.insert(question.link_id.clone(), of_record(known));
                return Ok(());
            }
            ("" | "-", _) => break,
            (text, _) => match typed::answer(question, text) {
                Ok((element, value)) => given.push(json!({ element: value })),
                Err(no) => {
                    render::say(&render::clean(&no.what));
                    continue;
                }
            },
        }
        if !question.repeats {
            break;
        }
    }
    if !given.is_empty() {
        answers.insert(question.link_id.clone(), Value::Array(given));
    }
    Ok(())
}

fn of_record(known: &Prefilled) -> Value {
    let values = known.values.iter().filter_map(|(element, text)| {
        let value: Value = serde_json::from_str(text).ok()?;
        Some(json!({ element.as_str(): value }))
    });
    Value::Array(values.collect())
}
