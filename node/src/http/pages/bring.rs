//! Files that are brought in: each has a page that says how far it is and what came of it, while it
//! goes on and afterwards.

use std::time::Duration;

use axum::{extract::Path, response::Response};
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Place, Where},
    go, page, waiting_page,
};
use crate::{
    api::Imported,
    driver::Driver,
    failure::{Ending, Failure},
    http::{forms::Sent, told::told, visitor::Visitor, words},
    node::{BringNext, BringState, Brought, FileRead, Upload},
};

/// How soon it is looked again whether others before it are done.
const BETWEEN_TURNS: Duration = Duration::from_millis(200);

/// So many records are named on one page.
const SHOWN_MAX: usize = 100;

/// Brings files in.
pub(super) async fn import(sent: Sent) -> Answer {
    begin(sent.by, sent.files, None).await
}

/// Begins to bring files in, and leads to the page that says how far it is.
pub(super) async fn begin(by: Visitor, files: Vec<Upload>, record: Option<String>) -> Answer {
    // It goes on when whoever sent it does not wait for the answer.
    let begun = tokio::spawn(async move {
        let number = by.work(move |node| node.bring(&files, record)).await?;
        tokio::spawn(bring_on(by.node.driver, number));
        Ok::<u64, Failure>(number)
    });
    let number = begun.await.map_err(|_| not_begun())??;
    Ok(go(&format!("/brought/{number}")))
}

fn not_begun() -> Failure {
    Failure::new(
        Ending::TryAgain,
        "The files were not taken.",
        "Try again. Nothing was changed.",
    )
}

/// Does one step after the other until it is done or the node stops.
async fn bring_on(driver: Driver, number: u64) {
    let mut read = None;
    loop {
        let with = read.take();
        let next = driver.ask(move |node| node.bring_on(number, with)).await;
        match next {
            Ok(BringNext::Read(path)) => {
                let from = path.clone();
                let reading = tokio::task::spawn_blocking(move || FileRead::of(&from));
                let done = reading.await;
                read = Some(done.unwrap_or_else(|_| FileRead::not_read(&path)));
            }
            Ok(BringNext::Step) => {}
            Ok(BringNext::Waits) => tokio::time::sleep(BETWEEN_TURNS).await,
            Ok(BringNext::Ended) => return,
            Err(failure) => {
                tracing::warn!(what = failure.what, "files are not brought in any further");
                return;
            }
        }
    }
}

/// `/brought`: all that was brought in.
pub(super) async fn list(visitor: Visitor) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let heading = visitor.heading(None).await?;
    let all = visitor.work(|node| node.all_brought()).await?;
    let main = html! {
        h1 { "Files that were brought in" }
        @if all.is_empty() { section.panel { p { "Nothing was brought in on these pages yet." } } }
        @else {
            ul.things.panel {
                @for brought in &all {
                    li {
                        a href=(format!("/brought/{}", brought.number)) { (names(brought)) }
                        " " (mark(&brought.state))
                        span.by { "sent " (words::moment(&brought.begun)) }
                    }
                }
            }
        }
        p { a.button href="/records/new" { "Bring in a file" } }
    };
    let at = Where::OfNode(Place::Records);
    Ok(page(
        &visitor,
        &heading,
        ("Files that were brought in", at),
        &main,
    ))
}

fn names(brought: &Brought) -> String {
    brought.files.join(", ")
}

fn mark(state: &BringState) -> Markup {
    html! {
        @match state {
            BringState::Waits(_) => "waits its turn",
            BringState::Goes => "is being filed",
            BringState::Done => "is done",
            BringState::Failed(_) | BringState::BrokenOff => span.mark { "was not finished" },
        }
    }
}

/// `/brought/NUMBER`: how far it is, what was filed where, what is odd.
pub(super) async fn show(visitor: Visitor, Path(number): Path<u64>) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let brought = visitor.work(move |node| node.brought_in(number)).await?;
    let heading = visitor.heading(None).await?;
    let goes_on = matches!(brought.state, BringState::Waits(_) | BringState::Goes);
    let title = if goes_on { "Bringing in" } else { "Brought in" };
    let main = html! {
        h1 { (title) " " (names(&brought)) }
        (state(&brought))
        @if let Some(record) = &brought.record { p { "It goes into " a href=(format!("/r/{record}")) { "this record" } "." } }
        (what_came(&brought.imported, brought.unnamed))
        p { a href="/brought" { "All files that were brought in" } }
    };
    let at = (title, Where::OfNode(Place::Records));
    let response: fn(&Visitor, &_, (&str, Where), &Markup) -> Response =
        if goes_on { waiting_page } else { page };
    Ok(response(&visitor, &heading, at, &main))
}

fn state(brought: &Brought) -> Markup {
    html! {
        @match &brought.state {
            BringState::Waits(before) => section.panel role="status" {
                p { "It waits its turn: " (words::count(*before, "other comes", "others come")) " before it." }
                (leave())
            },
            BringState::Goes => section.panel role="status" {
                (progress(brought))
                (leave())
            },
            BringState::Done => {
                @if brought.imported.refused.is_empty() {
                    section.good role="status" { p { "All of it was read and filed." } }
                } @else {
                    section.note role="status" { p { "It is done. Some of it was not brought in, and stands beneath with the reason." } }
                }
            }
            BringState::Failed(failure) => section.alert role="alert" {
                h2 { "It ended before all was done" }
                p { strong { (told(&failure.what)) } " " (told(&failure.remedy)) }
                p { (so_far(brought)) " What stands beneath was filed before that, and stays." }
            },
            BringState::BrokenOff => section.alert role="alert" {
                h2 { "This node was stopped before all was done" }
                p { (so_far(brought)) " What stands beneath is filed and stays." }
                p { "A little more may have been filed than is said here. Bring the file in once more: what is here already is not filed twice." }
                p { a.button href="/records/new" { "Bring it in once more" } }
            },
        }
    }
}

fn leave() -> Markup {
    html! { p { "You can leave this page: it goes on, and " a href="/brought" { "all files that were brought in" } " leads back here." } }
}

fn progress(brought: &Brought) -> Markup {
    let Brought {
        done, total, read, ..
    } = brought;
    html! {
        p { label for="progress" { (so_far(brought)) } }
        @if *total == 0 { progress id="progress" {} }
        @else { progress id="progress" max=(total) value=(done) { (done) " of " (total) } }
        @if *read < brought.files.len() { p.small { "Files that are not read yet may have more in them." } }
    }
}

fn so_far(brought: &Brought) -> String {
    let files = brought.files.len();
    let read = match (files, brought.read) {
        (1, 0) => "The file was not read yet.".to_owned(),
        (1, _) => "The file was read.".to_owned(),
        (files, read) => format!("{read} of {files} files were read."),
    };
    match brought.total {
        0 => read,
        total => format!(
            "{read} Filed so far: what it says of {} of {}.",
            brought.done,
            words::count(total, "person", "people")
        ),
    }
}

/// What came of it, file by file.
fn what_came(imported: &Imported, unnamed: usize) -> Markup {
    let left_out = unnamed + imported.records.len().saturating_sub(SHOWN_MAX);
    html! {
        @for filed in imported.records.iter().take(SHOWN_MAX) {
            section.panel {
                h2 { a href=(format!("/r/{}", filed.record)) { (filed.person) } }
                ul {
                    @for (section, n) in &filed.filed { li { (words::section(section)) ": " (words::count(*n, "thing", "things")) } }
                    @if filed.unchanged > 0 { li { (words::count(filed.unchanged, "thing was", "things were")) " here already" } }
                }
                @for other in &filed.alike {
                    p.note { "This may be the same person as " a href=(format!("/r/{}", other.record)) { (other.person) } ": " (other.evidence.join("; ")) }
                }
            }
        }
        @if left_out > 0 { p { (words::count(left_out, "more record was filed and is", "more records were filed and are")) " not named here: " a href="/records" { "find somebody" } "." } }
        @if !imported.refused.is_empty() {
            section.alert {
                h2 { "Not brought in" }
                ul { @for refused in &imported.refused { li { (name_of(&refused.file)) ": " (plain(&refused.failure.what)) " " (plain(&refused.failure.remedy)) } } }
            }
        }
        @if !imported.flagged.is_empty() {
            section.note {
                h2 { "Odd, and kept as it came" }
                ul { @for flag in imported.flagged.iter().take(SHOWN_MAX) { li { (told(&flag.what)) } } }
            }
        }
    }
}

/// As pages say it, without the folder in which a file stood while it was worked on.
fn plain(text: &str) -> String {
    let told = told(text);
    let words = told.split(' ').map(|word| match word.contains("passing-") {
        true => name_of(word),
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
