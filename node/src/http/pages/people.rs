//! Whose records are here: search first, a new one, and files that are brought in.

use axum::{extract::Query, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Answer,
    frame::{Place, Where, token},
    go, page,
    parts::Field,
};
use crate::{
    api::{NewPerson, RecordLine, RecordMade, Reply, Request},
    control::odd_answer,
    http::{forms::Sent, visitor::Visitor, words},
    node::{Heading, Role},
};

/// So many people are shown before a search.
const SHOWN_MAX: usize = 50;

/// `/`: somebody with one record is at it at once.
pub(super) async fn home(visitor: Visitor) -> Answer {
    let only = visitor
        .work(|node| Ok((node.only_record(), node.role())))
        .await?;
    Ok(match only {
        (Some(record), Role::Person) => go(&format!("/r/{record}")),
        (
            None | Some(_),
            Role::Person
            | Role::Practice
            | Role::Hospital
            | Role::Ambulance
            | Role::CareHome
            | Role::Laboratory,
        ) => go("/records"),
    })
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// `/records`.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    let words: Vec<String> = asked.q.split_whitespace().map(str::to_owned).collect();
    let request = if words.is_empty() {
        Request::RecordList
    } else {
        Request::Find { words }
    };
    let Reply::Records(found) = visitor.ask(request).await? else {
        return Err(odd_answer().into());
    };
    let heading = visitor.heading(None).await?;
    let is_person = heading.role == Some(Role::Person);
    let title = if is_person { "Records" } else { "People" };
    let main = html! {
        h1 { (title) }
        form.panel role="search" method="get" action="/records" {
            (Field { name: "q", label: "Find somebody", hint: "A name, a birth date such as 1950-01-31, or an NHS number", kind: "search", value: &asked.q, ..Field::TEXT }.draw())
            button.main { "Find" }
        }
        (results(&found, &asked.q))
        @if !visitor.is_phone() {
            div.row {
                a.button href="/records/new" { "Start a new record" }
                @if visitor.runs_it() { a.button href="/join" { "I have an invitation" } }
            }
        }
    };
    let at = Where::OfNode(Place::Records);
    Ok(page(&visitor, &heading, (title, at), &main))
}

fn results(found: &[RecordLine], asked: &str) -> Markup {
    html! {
        @if found.is_empty() && asked.is_empty() {
            section.panel {
                h2 { "No record is here yet" }
                p { "A record comes here when somebody shares it with you, or when you start one." }
            }
        } @else if found.is_empty() {
            section.panel role="status" {
                h2 { "Nobody here fits that" }
                p { "It says nothing about other nodes: kith has no list of people elsewhere. Try fewer letters, or the birth date." }
            }
        } @else {
            ul.things.panel {
                @for line in found.iter().take(SHOWN_MAX) {
                    li {
                        a href=(format!("/r/{}", line.record)) { (line.person) }
                        span.by {
                            @if let Some(born) = &line.born { "born " (words::moment(born)) }
                            @if let Some(number) = &line.nhs_number { ", NHS number " (words::nhs_number(number)) }
                        }
                    }
                }
            }
            @if found.len() > SHOWN_MAX {
                p { "The first " (SHOWN_MAX) " of " (found.len()) " are shown. Search to find others." }
            }
        }
    }
}

/// `/records/new`.
pub(super) async fn new(visitor: Visitor) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let heading = visitor.heading(None).await?;
    Ok(form_page(&visitor, &heading))
}

fn form_page(visitor: &Visitor, heading: &Heading) -> Response {
    let main = html! {
        h1 { "Start a new record" }
        p { "First look whether there is one already: " a href="/records" { "find somebody" } "." }
        form.panel method="post" action="/records/new" {
            (token(&visitor.session))
            (person_fields())
            button.main { "Start the record" }
        }
        h2 { "Or bring one in from files" }
        form.panel method="post" action="/import" enctype="multipart/form-data" {
            (token(&visitor.session))
            (Field { name: "files", label: "Files", hint: "FHIR bundles or NDJSON, letters as PDF, CDA or text, bundle files of kith", kind: "file", required: true, ..Field::TEXT }.draw())
            button { "Bring in" }
        }
        p { a href="/brought" { "Files that were brought in" } }
    };
    let at = Where::OfNode(Place::Records);
    page(visitor, heading, ("Start a new record", at), &main)
}

/// Who the person of a new record is.
pub(super) fn person_fields() -> Markup {
    html! {
        (Field { name: "family", label: "Family name", required: true, ..Field::TEXT }.draw())
        (Field { name: "given", label: "Given names", ..Field::TEXT }.draw())
        (Field { name: "born", label: "Birth date", hint: "Such as 1950-01-31; the year alone is enough", ..Field::TEXT }.draw())
        (Field { name: "nhs", label: "NHS number", hint: "Ten digits", ..Field::TEXT }.draw())
    }
}

/// The same, as it was filled in.
pub(super) fn person(sent: &Sent) -> NewPerson {
    NewPerson {
        family: sent.text("family").to_owned(),
        given: sent
            .text("given")
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        birth_date: sent.given("born"),
        nhs_number: sent.given("nhs"),
    }
}

/// Starts a record.
pub(super) async fn begin(sent: Sent) -> Answer {
    let request = Request::RecordNew(person(&sent));
    let Reply::RecordNew(RecordMade { record, alike }) = sent.by.ask(request).await? else {
        return Err(odd_answer().into());
    };
    if alike.is_empty() {
        return Ok(go(&format!("/r/{record}")));
    }
    let heading = sent.by.heading(Some(&record)).await?;
    let main = html! {
        div.note {
            h1 { "There may be a record of this person already" }
            ul { @for other in &alike {
                li { a href=(format!("/r/{}", other.record)) { (other.person) } ": " (other.evidence.join("; ")) }
            } }
            p { "The new record was started. If it is the same person, " a href=(format!("/r/{record}/review")) { "say so under To review" } "; nothing is merged." }
        }
        p { a.button href=(format!("/r/{record}")) { "Go on with the new record" } }
    };
    Ok(page(
        &sent.by,
        &heading,
        ("Start a new record", Where::Between),
        &main,
    ))
}
