//! The versions of one thing in a record, the newest first.

use axum::extract::Path;
use maud::{Markup, html};
use serde_json::Value;

use super::{
    Answer,
    frame::{Tab, Where},
    page,
    thing::{is_told, said, spoken},
};
use crate::{
    http::{told::timed, visitor::Visitor, words},
    node::{Aside, Beside, Difference, Version, Written},
};

/// `/r/RECORD/thing/THING/history`.
pub(super) async fn show(visitor: Visitor, Path((record, name)): Path<(String, String)>) -> Answer {
    let (word, wanted) = (record.clone(), name.clone());
    let looked = visitor.look(&record, move |node| node.history(&word, &wanted));
    let (heading, history) = looked.await?;
    let path = format!("/r/{record}/thing/{name}");
    let title = format!("Versions of {}", timed(&history.line.text));
    let main = html! {
        p.small { (words::section(&history.section)) }
        h1 { (title) }
        p { a href=(path) { "As it stands now" } }
        @for version in &history.versions { (one(&record, version)) }
        (not_in_view(&record, &history.aside))
        p.small { "Nothing is written over: each version stays in the record, signed by whoever wrote it. The times are those that they said." }
    };
    let at = Where::OfRecord(Tab::Summary);
    Ok(page(&visitor, &heading, (&title, at), &main))
}

fn one(record: &str, version: &Version) -> Markup {
    html! {
        section.panel {
            h2 { "Version " (version.number) ", by " (version.by) }
            p.by { (words::moment(&version.when)) ": " (act(version)) }
            @if version.to_review { p { span.mark { "to review" } } }
            @match version.beside {
                Beside::None => "",
                Beside::Undecided => p.note { "Somebody wrote another version at the same time, and nobody has decided between them: " a href=(format!("/r/{record}/review")) { "To review" } "." }
                Beside::Decided => p.small { "Somebody wrote another version at the same time; it was decided between them later." }
            }
            @if let Written::TookBack(reasons) = &version.act {
                @for reason in reasons { div.alert { h3 { "Entered in error" } p { (reason) } } }
            }
            (changed(version))
        }
    }
}

fn act(version: &Version) -> String {
    match (&version.act, version.upon) {
        (Written::New, _) => "wrote it".to_owned(),
        (Written::Changed, Some(upon)) if upon + 1 == version.number => "changed it".to_owned(),
        (Written::Changed, Some(upon)) => format!("changed version {upon}"),
        (Written::Changed, None) => "changed it".to_owned(),
        (Written::TookBack(_), _) => "said that it was entered in error".to_owned(),
        (Written::CarriedOver, _) => {
            "carried it over from an earlier part of the record, where what was before stands"
                .to_owned()
        }
    }
}

fn changed(version: &Version) -> Markup {
    let told: Vec<&Difference> = version
        .changed
        .iter()
        .filter(|difference| is_told(&difference.name, 0))
        .collect();
    let is_first = version.upon.is_none();
    html! {
        @if is_first {
            dl.facts {
                @for difference in &told { dt { (spoken(&difference.name)) } dd { (value(difference.after.as_ref())) } }
            }
        } @else if !told.is_empty() {
            table.stack {
                caption { "What is different" }
                thead { tr { th scope="col" { "What" } th scope="col" { "Before" } th scope="col" { "In this version" } } }
                tbody {
                    @for difference in &told {
                        tr {
                            td data-head="What" { (spoken(&difference.name)) }
                            td data-head="Before" { (value(difference.before.as_ref())) }
                            td data-head="In this version" { (value(difference.after.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn value(value: Option<&Value>) -> Markup {
    html! {
        @match value {
            Some(value) => (said(value, 0)),
            None => "it said nothing",
        }
    }
}

fn not_in_view(record: &str, aside: &[Aside]) -> Markup {
    html! {
        @if !aside.is_empty() {
            section.note {
                h2 { "Kept, and not in the view" }
                ul { @for one in aside { li { "by " (one.by) ", " (words::moment(&one.when)) ": " (one.status) } } }
                p { "What waits for a decision stands under " a href=(format!("/r/{record}/review")) { "To review" } "." }
            }
        }
    }
}
