//! Filling in a form: what the record knows stands there already, each answer with its source, and
//! what does not fit is said at its field.

use std::collections::BTreeMap;

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::{
    Answer,
    frame::{Tab, Where, token},
    go, page, parts,
};
use crate::{
    api::{
        FillRequest, FormFilled, FormLine, FormOpened, FormsReply, FormsRequest, Reply, Request,
    },
    control::odd_answer,
    failure::Failure,
    health::forms::{
        Form, Kind, Question, Weight,
        form::{Condition, Operator},
        prefill::Prefilled,
        typed,
    },
    http::{forms::Sent, refusal::Refusal, sessions::Session, visitor::Visitor},
    node::Heading,
};

/// Before the name of each question.
const ANSWER: &str = "answer.";

/// `/r/RECORD/forms`.
pub(super) async fn list(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    let request = Request::Forms(FormsRequest::List {
        record: Some(record.clone()),
    });
    let (heading, reply) = visitor.look_by(&record, request).await?;
    let Reply::Forms(FormsReply::List(forms)) = reply else {
        return Err(odd_answer().into());
    };
    let main = html! {
        (parts::done(&asked))
        h1 { "Forms" }
        @if forms.is_empty() {
            p { "There are no forms on this node. Whoever runs it keeps one with " kbd { "kith form add FILE" } "." }
        }
        ul.things { @for form in &forms { li { (line(&record, form)) } } }
    };
    Ok(page(
        &visitor,
        &heading,
        ("Forms", Where::OfRecord(Tab::Add)),
        &main,
    ))
}

fn line(record: &str, form: &FormLine) -> Markup {
    html! {
        a href=(format!("/r/{record}/form/{}", form.id)) { (form.title) }
        span.by {
            (form.questions) " questions; kept by " (form.by)
            @if let Some(version) = &form.version { "; version " (version) }
        }
    }
}

/// A form as it is shown: with what was sent before, where that did not fit.
struct Shown<'s> {
    record: &'s str,
    opened: &'s FormOpened,
    form: &'s Form,
    /// What was typed, by question; what the record knows where nothing was sent yet.
    typed: Option<&'s BTreeMap<String, Vec<String>>>,
    filled: Option<&'s FormFilled>,
}

/// `/r/RECORD/form/FORM`.
pub(super) async fn show(visitor: Visitor, Path((record, word)): Path<(String, String)>) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let (heading, opened) = opened(&visitor, &record, &word).await?;
    let form = read(&opened)?;
    let shown = Shown {
        record: &record,
        opened: &opened,
        form: &form,
        typed: None,
        filled: None,
    };
    Ok(drawn(&visitor, &heading, &shown))
}

async fn opened(
    visitor: &Visitor,
    record: &str,
    word: &str,
) -> Result<(Heading, Box<FormOpened>), Refusal> {
    let request = Request::Forms(FormsRequest::Open {
        record: record.to_owned(),
        form: word.to_owned(),
    });
    let (heading, reply) = visitor.look_by(record, request).await?;
    let Reply::Forms(FormsReply::Opened(opened)) = reply else {
        return Err(odd_answer().into());
    };
    Ok((heading, opened))
}

fn read(opened: &FormOpened) -> Result<Form, Failure> {
    let value = serde_json::from_str(&opened.questionnaire).unwrap_or(Value::Null);
    Form::read(value).map_err(|_| odd_answer())
}

/// Files the answers, or shows the form again with what does not fit.
pub(super) async fn fill(Path((record, word)): Path<(String, String)>, sent: Sent) -> Answer {
    let (heading, opened) = opened(&sent.by, &record, &word).await?;
    let form = read(&opened)?;
    let typed: BTreeMap<String, Vec<String>> = form
        .all()
        .into_iter()
        .map(|question| (question.link_id.clone(), texts(question, &sent)))
        .collect();
    let answers = answers(&form, &opened.known, &typed);
    let request = Request::Forms(FormsRequest::Fill(FillRequest {
        record: record.clone(),
        form: word,
        answers: answers.to_string(),
        with_known: true,
        basis: Some(sent.text("basis").to_owned()),
        dry_run: false,
        staff: None,
    }));
    let Reply::Forms(FormsReply::Filled(filled)) = sent.by.ask(request).await? else {
        return Err(odd_answer().into());
    };
    if filled.filed {
        return Ok(go(&format!("/r/{record}/forms?done=form")));
    }
    let shown = Shown {
        record: &record,
        opened: &opened,
        form: &form,
        typed: Some(&typed),
        filled: Some(&filled),
    };
    Ok(drawn(&sent.by, &heading, &shown))
}

/// What was typed for a question: a line for each answer where it may have several.
fn texts(question: &Question, sent: &Sent) -> Vec<String> {
    let name = format!("{ANSWER}{}", question.link_id);
    let all = sent.all(&name).flat_map(|text| {
        let lines: Vec<&str> = if question.repeats {
            text.lines().collect()
        } else {
            vec![text]
        };
        lines
            .into_iter()
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
    });
    all.filter(|text| !text.is_empty()).collect()
}

/// Answers by question. What stands as the record gave it stays the record's, with its source; what
/// was taken out stays open.
fn answers(form: &Form, known: &[Prefilled], typed: &BTreeMap<String, Vec<String>>) -> Value {
    let mut answers = Map::new();
    for question in form.all() {
        let known = known.iter().find(|one| one.link_id == question.link_id);
        let given = typed.get(&question.link_id).map_or(&[][..], Vec::as_slice);
        let shows = is_shown(question);
        match known {
            Some(known) if !shows || shown_texts(question, known) == given => {}
            Some(_) | None if !given.is_empty() => {
                answers.insert(question.link_id.clone(), json!(given));
            }
            Some(_) => {
                answers.insert(question.link_id.clone(), Value::Null);
            }
            None => {}
        }
    }
    Value::Object(answers)
}

/// Whether people can answer it on a page.
fn is_shown(question: &Question) -> bool {
    let is_elsewhere = matches!(question.kind, Kind::Attachment | Kind::Reference);
    let has_field = question.kind.has_answer() && !is_elsewhere;
    has_field && !question.hidden && !question.read_only
}

/// What the record knows, as it stands in the fields.
fn shown_texts(question: &Question, known: &Prefilled) -> Vec<String> {
    let texts = known.values.iter().map(|(_, text)| {
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        place(question, &value).unwrap_or_else(|| typed::in_words(&value))
    });
    texts.collect()
}

/// The place of an answer among those that are offered, as a field says it.
fn place(question: &Question, value: &Value) -> Option<String> {
    let mut options = question.options.iter();
    let at = options.position(|(_, offered)| {
        offered == value
            || (offered.get("code").is_some() && offered.get("code") == value.get("code"))
    })?;
    Some(format!("#{}", at + 1))
}

fn drawn(visitor: &Visitor, heading: &Heading, shown: &Shown<'_>) -> axum::response::Response {
    let action = format!("/r/{}/form/{}", shown.record, shown.opened.form.id);
    let main = html! {
        h1 { (shown.form.title) }
        p { "What you answer is signed by you. Answers that the record knows stand there already: look at each before you send it." }
        @if let Some(filled) = shown.filled { (what_does_not_fit(filled)) }
        (form(&action, &visitor.session, shown))
    };
    let at = Where::OfRecord(Tab::Add);
    page(visitor, heading, (&shown.form.title, at), &main)
}

fn what_does_not_fit(filled: &FormFilled) -> Markup {
    let errors: Vec<_> = filled
        .findings
        .iter()
        .filter(|finding| finding.weight == Weight::Error)
        .collect();
    html! {
        div.alert role="alert" {
            h2 { "Nothing was filed yet" }
            @if !filled.changed_since.is_empty() {
                p { "The record answers otherwise now than when you opened this form. Look at these answers and send it again." }
                ul { @for line in &filled.changed_since { li { (line) } } }
            }
            @if !errors.is_empty() {
                ul {
                    @for finding in &errors {
                        li {
                            @match &finding.link_id {
                                Some(link_id) => { a href=(format!("#{}", field_id(link_id))) { (finding.what) } }
                                None => { (finding.what) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn form(action: &str, session: &Session, shown: &Shown<'_>) -> Markup {
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            input type="hidden" name="basis" value=(shown.opened.basis);
            (questions(shown, &shown.form.questions))
            button.main { "Sign and file the answers" }
        }
    }
}

fn questions(shown: &Shown<'_>, all: &[Question]) -> Markup {
    html! {
        @for question in all.iter().filter(|question| !question.hidden) {
            @match question.kind {
                Kind::Group => {
                    fieldset {
                        legend { (question.asked()) }
                        (when(shown, question))
                        (questions(shown, &question.questions))
                    }
                }
                Kind::Display => { p { (question.asked()) } }
                Kind::Boolean | Kind::Decimal | Kind::Integer | Kind::Date | Kind::DateTime | Kind::Time
                | Kind::String | Kind::Text | Kind::Url | Kind::Choice | Kind::OpenChoice
                | Kind::Attachment | Kind::Reference | Kind::Quantity => {
                    (field(shown, question))
                    (questions(shown, &question.questions))
                }
            }
        }
    }
}

/// A name that a page can have, from any linkId.
fn field_id(link_id: &str) -> String {
    format!(
        "field-{}",
        data_encoding::HEXLOWER.encode(link_id.as_bytes())
    )
}

fn field(shown: &Shown<'_>, question: &Question) -> Markup {
    let id = field_id(&question.link_id);
    let known = shown
        .opened
        .known
        .iter()
        .find(|one| one.link_id == question.link_id);
    let open = shown
        .opened
        .open
        .iter()
        .find(|one| one.link_id == question.link_id);
    let findings: Vec<&str> = shown.filled.map_or_else(Vec::new, |filled| {
        let all = filled.findings.iter();
        let own = all.filter(|one| {
            one.weight != Weight::Note && one.link_id.as_ref() == Some(&question.link_id)
        });
        own.map(|one| one.what.as_str()).collect()
    });
    let texts = match (shown.typed, known) {
        (Some(typed), _) => typed.get(&question.link_id).cloned().unwrap_or_default(),
        (None, Some(known)) => shown_texts(question, known),
        (None, None) => Vec::new(),
    };
    let hint = format!("{id}-hint");
    html! {
        div.field {
            label for=(id) {
                (question.asked())
                @if !question.required { span.small { " (may be left out)" } }
            }
            span.hint id=(hint) {
                @if question.options.is_empty() || question.kind == Kind::OpenChoice { (question.kind.in_words()) }
                @if question.repeats && question.options.is_empty() { "; one answer a line" }
                @if question.kind == Kind::OpenChoice && !question.options.is_empty() { ": " (offered(question)) "." }
                @if let Some(known) = known { " From the record: " (known.answers.join(", ")) " (" (known.source) ")." }
                @if let Some(open) = open { " " (open.why) }
                @for what in &findings { " " strong.late { (what) } }
            }
            (when(shown, question))
            @if is_shown(question) { (input(question, &id, &hint, &texts, !findings.is_empty())) }
            @else { p { "This is not answered on a page." } }
        }
    }
}

fn offered(question: &Question) -> String {
    let options = question.options.iter();
    let words: Vec<_> = options.map(|(_, value)| typed::in_words(value)).collect();
    words.join(", ")
}

fn input(question: &Question, id: &str, hint: &str, texts: &[String], is_wrong: bool) -> Markup {
    let name = format!("{ANSWER}{}", question.link_id);
    let invalid = is_wrong.then_some("true");
    let is = |value: &str| texts.iter().any(|text| text == value);
    let first = texts.first().map_or("", String::as_str);
    let is_day = question.kind == Kind::Date && (first.is_empty() || first.len() == 10);
    let kind = if is_day { "date" } else { "text" };
    let offers = !question.options.is_empty() && question.kind != Kind::OpenChoice;
    html! {
        @if question.kind == Kind::Boolean {
            select id=(id) name=(name) aria-describedby=(hint) aria-invalid=[invalid] {
                option value="" selected[texts.is_empty()] { "not answered" }
                option value="yes" selected[is("yes")] { "yes" }
                option value="no" selected[is("no")] { "no" }
            }
        } @else if offers {
            select id=(id) name=(name) multiple[question.repeats] aria-describedby=(hint) aria-invalid=[invalid] {
                @if !question.repeats { option value="" selected[texts.is_empty()] { "not answered" } }
                @for (n, (_, value)) in (1..).zip(&question.options) {
                    option value=(format!("#{n}")) selected[is(&format!("#{n}"))] { (typed::in_words(value)) }
                }
            }
        } @else if question.kind == Kind::Text || question.repeats {
            textarea id=(id) name=(name) aria-describedby=(hint) aria-invalid=[invalid] { (texts.join("\n")) }
        } @else {
            input type=(kind) id=(id) name=(name) value=(first) aria-describedby=(hint) aria-invalid=[invalid] autocomplete="off";
        }
    }
}

/// When a question is asked at all; without a script every question is on the page.
fn when(shown: &Shown<'_>, question: &Question) -> Markup {
    let said: Vec<String> = question
        .when
        .iter()
        .map(|condition| condition_in_words(shown.form, condition))
        .collect();
    let between = if question.when_all { " and " } else { " or " };
    html! {
        @if !said.is_empty() { p.small { "Only where " (said.join(between)) "." } }
    }
}

fn condition_in_words(form: &Form, condition: &Condition) -> String {
    let asked = form.question(&condition.question);
    let asked = asked.map_or_else(|| condition.question.clone(), Question::asked);
    let answer = typed::in_words(&condition.answer.1);
    match condition.operator {
        Operator::Exists if condition.answer.1 == json!(false) => {
            format!("“{asked}” is not answered")
        }
        Operator::Exists => format!("“{asked}” is answered"),
        Operator::Equal => format!("the answer to “{asked}” is {answer}"),
        Operator::NotEqual => format!("the answer to “{asked}” is not {answer}"),
        Operator::Greater => format!("the answer to “{asked}” is more than {answer}"),
        Operator::Less => format!("the answer to “{asked}” is less than {answer}"),
        Operator::GreaterOrEqual => format!("the answer to “{asked}” is at least {answer}"),
        Operator::LessOrEqual => format!("the answer to “{asked}” is at most {answer}"),
    }
}
