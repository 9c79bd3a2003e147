//! One thing in a record: all that it says, its files, and changing it.

use axum::{
    extract::{Path, Query},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Answer,
    frame::{Tab, Where, token},
    go, page,
    parts::{self, Field},
};
use crate::{
    api::{AttestRequest, Change, Line, Request},
    http::{forms::Sent, sessions::Session, told::timed, visitor::Visitor, words},
    node::{Attached, Thing, arrived_late},
};

/// How deep what a resource says is told; what is deeper stands in its text.
const DEPTH_MAX: usize = 8;

/// `/r/RECORD/thing/THING`.
pub(super) async fn show(
    visitor: Visitor,
    Path((record, name)): Path<(String, String)>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    let (word, wanted) = (record.clone(), name.clone());
    let looked = visitor.look(&record, move |node| node.thing(&word, &wanted));
    let (heading, thing) = looked.await?;
    let path = format!("/r/{record}/thing/{name}");
    let main = html! {
        (parts::done(&asked))
        p.small { (words::section(&thing.section)) @if thing.label != "general" { ", marked " (thing.label) } }
        h1 { (timed(&thing.line.text)) }
        (facts(&thing))
        (relations(&record, &thing))
        (acceptance(&path, &thing, &visitor))
        @for reason in &thing.taken_back { div.alert { h2 { "Entered in error" } p { (reason) } } }
        (versions(&record, &thing))
        p { a href=(format!("{path}/history")) { "Versions: who wrote what, and when" } }
        (files(&path, &thing.attached))
        @if thing.taken_back.is_empty() && thing.versions.len() == 1 { (changes(&path, &thing, &visitor.session)) }
    };
    let at = Where::OfRecord(Tab::Summary);
    Ok(page(
        &visitor,
        &heading,
        (&timed(&thing.line.text), at),
        &main,
    ))
}

fn facts(thing: &Thing) -> Markup {
    html! {
        dl.facts.panel {
            dt { "Says so" } dd { (thing.line.said_by()) }
            @if let Some(when) = &thing.line.when { dt { "When" } dd { (words::moment(when)) } }
            @if let Some(signed) = &thing.signed {
                dt { "Signed" }
                dd {
                    (words::moment(signed))
                    @if let Some(late) = thing.line.when.as_deref().and_then(|when| arrived_late(when, signed)) { ": " strong { (late) } }
                }
            }
            @if !thing.line.marks.is_empty() {
                dt { "Mind" } dd { @for mark in &thing.line.marks { span.mark { (mark) } " " } }
            }
        }
    }
}

/// Of a result that somebody brought: who accepts it, and accepting it.
fn acceptance(path: &str, thing: &Thing, visitor: &Visitor) -> Markup {
    let Some(brought) = &thing.line.brought else {
        return html! {};
    };
    html! {
        section.panel {
            h2 { "Whose word this is" }
            p { (words::capital(brought)) "." }
            @for accepted in &thing.line.accepted { p { (words::capital(accepted)) "." } }
            @if let Some(accepts) = thing.accepts.filter(|_| !visitor.is_phone()) {
                form method="post" action=(format!("{path}/accept")) {
                    (token(&visitor.session))
                    @if accepts {
                        p { "You have said that you accept it." }
                        button name="word" value="take-back" { "Take that back" }
                    } @else {
                        (Field { name: "note", label: "A note on it", hint: "Such as: agrees with the paper that I was shown", ..Field::TEXT }.draw())
                        button name="word" value="accept" { "I have seen this and accept it" }
                    }
                    p.small { "What you say is signed by you and stands beside the result. The result stays as it is, and stays the word of whoever brought it." }
                }
            }
        }
    }
}

/// A letter among those that came before and after it.
fn relations(record: &str, thing: &Thing) -> Markup {
    let link = |line: &Line| html! { a href=(format!("/r/{record}/thing/{}", line.id)) { (timed(&line.text)) } ", by " (line.said_by()) };
    html! {
        @if let Some(newer) = &thing.replaced_by {
            div.note { h2 { "A newer letter took the place of this one" } p { (link(newer)) } }
        }
        @if !thing.replaces.is_empty() {
            div.panel { h2 { "It takes the place of" } ul { @for older in &thing.replaces { li { (link(older)) } } } }
        }
        @if thing.line.kind == "DocumentReference" && thing.replaced_by.is_none() {
            p { a href=(format!("/r/{record}/add?replaces={}#letter", thing.line.id)) { "Add a newer letter in its place" } }
        }
    }
}

fn versions(record: &str, thing: &Thing) -> Markup {
    html! {
        @if thing.versions.len() > 1 {
            div.note {
                h2 { "Two versions, and nobody has decided" }
                p { "Both stand until somebody chooses: " a href=(format!("/r/{record}/review")) { "To review" } "." }
            }
        }
        div class=[(thing.versions.len() > 1).then_some("versions")] {
            @for (n, (value, by)) in thing.versions.iter().enumerate() {
                section class=(if thing.versions.len() > 1 { "version" } else { "panel" }) {
                    @if thing.versions.len() > 1 { h2 { "Version " (n + 1) ", by " (by) } } @else { h2 { "What it says" } }
                    (said(value, 0))
                    details {
                        summary { "As it is kept (FHIR)" }
                        pre.scroll tabindex="0" { (serde_json::to_string_pretty(value).unwrap_or_default()) }
                    }
                }
            }
        }
    }
}

/// What a resource says, member by member, as text.
pub(super) fn said(value: &Value, depth: usize) -> Markup {
    html! {
        @match value {
            Value::Object(members) if depth < DEPTH_MAX => {
                dl.facts {
                    @for (name, member) in members.iter().filter(|(name, _)| is_told(name, depth)) {
                        dt { (spoken(name)) }
                        dd { (said(member, depth + 1)) }
                    }
                }
            }
            Value::Array(items) if depth < DEPTH_MAX => {
                @if let [one] = items.as_slice() { (said(one, depth + 1)) }
                @else { ul { @for item in items { li { (said(item, depth + 1)) } } } }
            }
            Value::String(text) if text.starts_with("kith-blob:") => "a file, beneath",
            Value::String(text) if is_long_data(text) => { (words::bytes(text.len() as u64)) " of data" }
            Value::String(text) => (timed(&words::when(text))),
            Value::Number(number) => (number.to_string()),
            Value::Bool(true) => "yes",
            Value::Bool(false) => "no",
            Value::Null => "",
            Value::Object(_) | Value::Array(_) => (value.to_string()),
        }
    }
}

/// Bookkeeping is not told; its text is there.
pub(super) fn is_told(name: &str, depth: usize) -> bool {
    !(depth == 0 && ["resourceType", "id", "meta", "text"].contains(&name)) && name != "system"
}

fn is_long_data(text: &str) -> bool {
    text.len() > 2_000 && !text.contains(' ')
}

/// `effectiveDateTime` as `effective date time`.
pub(super) fn spoken(name: &str) -> String {
    let mut spoken = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            spoken.push(' ');
            spoken.push(c.to_ascii_lowercase());
        } else {
            spoken.push(c);
        }
    }
    words::capital(spoken.trim_start_matches('_'))
}

fn files(path: &str, attached: &[Attached]) -> Markup {
    html! {
        @if !attached.is_empty() {
            section.panel {
                h2 { "Files" }
                ul.things {
                    @for (n, file) in attached.iter().enumerate() {
                        li {
                            @match &file.sha256 {
                                Some(sha256) => {
                                    a href=(format!("{path}/file/{n}")) { (title(file, n)) }
                                    span.by { (file.media_type) ", " (words::bytes(file.len)) ", SHA-256 " code { (sha256) } }
                                }
                                None => {
                                    strong { (title(file, n)) } " has not arrived here yet"
                                    span.by { (words::bytes(file.len)) "; it comes by itself once a node that has it is connected" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn title(file: &Attached, n: usize) -> String {
    if file.title.is_empty() {
        format!("File {}", n + 1)
    } else {
        file.title.clone()
    }
}

fn changes(path: &str, thing: &Thing, session: &Session) -> Markup {
    let has_dose = [
        "MedicationRequest",
        "MedicationStatement",
        "MedicationDispense",
    ];
    html! {
        details.panel {
            summary { "Change this" }
            @if has_dose.contains(&thing.line.kind.as_str()) {
                form method="post" action=(path) {
                    (token(session))
                    (Field { name: "dose", label: "How it is taken", hint: "In words, such as: one tablet in the evening", required: true, ..Field::TEXT }.draw())
                    button { "Write the new dose" }
                }
            }
            form method="post" action=(path) {
                (token(session))
                (Field { name: "status", label: "Its status", hint: "As FHIR writes it, such as completed or stopped", required: true, ..Field::TEXT }.draw())
                button { "Write the new status" }
            }
            form method="post" action=(path) {
                (token(session))
                (Field { name: "mistake", label: "It was entered in error, because", hint: "Such as: wrong patient. It stays in the record, struck through.", required: true, ..Field::TEXT }.draw())
                button.grave { "Mark as entered in error" }
            }
        }
    }
}

/// Writes a change.
pub(super) async fn change(Path((record, thing)): Path<(String, String)>, sent: Sent) -> Answer {
    let (change, done) = if let Some(dose) = sent.given("dose") {
        (Change::Dose(dose), "changed")
    } else if let Some(reason) = sent.given("mistake") {
        (Change::Mistake(reason), "mistake")
    } else {
        (Change::Status(sent.text("status").to_owned()), "changed")
    };
    let request = Request::Change {
        record: record.clone(),
        thing: thing.clone(),
        change,
        staff: None,
    };
    sent.by.ask(request).await?;
    Ok(go(&format!("/r/{record}/thing/{thing}?done={done}")))
}

/// Says that a result was seen and is accepted, or takes that back.
pub(super) async fn accept(Path((record, thing)): Path<(String, String)>, sent: Sent) -> Answer {
    let request = Request::Attest(AttestRequest {
        record: record.clone(),
        thing: thing.clone(),
        note: sent.given("note"),
        take_back: sent.text("word") == "take-back",
        staff: None,
    });
    sent.by.ask(request).await?;
    Ok(go(&format!("/r/{record}/thing/{thing}?done=answered")))
}

/// `/r/RECORD/thing/THING/file/N`.
pub(super) async fn file(
    visitor: Visitor,
    Path((record, thing, at)): Path<(String, String, usize)>,
) -> Answer {
    let (file, bytes) = visitor
        .work(move |node| node.attached(&record, &thing, at))
        .await?;
    Ok(as_file(&file, bytes))
}

/// Types that a browser may show; anything else is saved. A page is never shown from a record.
const SHOWN: [&str; 4] = ["application/pdf", "image/png", "image/jpeg", "text/plain"];

fn as_file(file: &Attached, bytes: Vec<u8>) -> Response {
    let kind = file.media_type.split(';').next().unwrap_or_default().trim();
    let shown = SHOWN
        .into_iter()
        .find(|shown| kind.eq_ignore_ascii_case(shown));
    let mut response = bytes.into_response();
    let headers: &mut HeaderMap = response.headers_mut();
    let (kind, how) = match shown {
        Some("text/plain") => ("text/plain; charset=utf-8", "inline"),
        Some(kind) => (kind, "inline"),
        None => ("application/octet-stream", "attachment"),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    let said = format!("{how}; filename=\"{}\"", file_name(&file.title));
    if let Ok(said) = HeaderValue::from_str(&said) {
        headers.insert(header::CONTENT_DISPOSITION, said);
    }
    response
}

/// A name that every system takes.
fn file_name(title: &str) -> String {
    let name: String = title
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_. ".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() {
        "file".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{file_name, said, spoken};

    #[test]
    fn what_others_wrote_is_text() {
        let evil = json!({"code": {"text": "<script>alert(1)</script>"}, "note": ["\"><img src=x>", true, 2.50]});
        let told = said(&evil, 0).into_string();
        assert!(
            !told.contains("<script") && !told.contains("<img"),
            "{told}"
        );
        assert!(told.contains("&lt;script&gt;"));
    }

    #[test]
    fn deep_values_end() {
        let mut deep = json!("x");
        for _ in 0..200 {
            deep = json!([deep]);
        }
        assert!(said(&deep, 0).into_string().len() < 2_000);
    }

    #[test]
    fn names_are_said_and_files_named_plainly() {
        assert_eq!(spoken("effectiveDateTime"), "Effective date time");
        assert_eq!(
            file_name("../../etc/passwd\r\nX: y"),
            "-..-etc-passwd--X- y"
        );
        assert_eq!(file_name("..."), "file");
    }
}
