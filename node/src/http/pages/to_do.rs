//! What somebody needs to know who takes over, and what happened: handover, events, rules.

use axum::extract::{Path, Query};
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Tab, Where, token},
    go, page,
    parts::{self, Field},
    tasks,
};
use crate::{
    api::{
        Addition, EventKind, EventRequest, EventSaid, HandoverRequest, HandoverShown, Known, Reply,
        Request, RulesAct, RulesRequest, RulesShown, TasksRequest,
    },
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, sessions::Session, told::told, visitor::Visitor, words},
};

/// `/r/RECORD/to-do`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    let request = HandoverRequest {
        record: record.clone(),
        read: false,
        keeps_place: true,
        staff: None,
    };
    let asked_for = TasksRequest {
        record: Some(record.clone()),
        all: true,
        ..TasksRequest::default()
    };
    let looked = visitor.look(&record, move |node| {
        let handover = node.handle(Request::Handover(request), &mut |_| {})?;
        Ok((
            handover,
            node.handle(Request::Tasks(asked_for), &mut |_| {})?,
        ))
    });
    let (heading, (Reply::Handover(handover), Reply::Tasks(all))) = looked.await? else {
        return Err(odd_answer().into());
    };
    let ended: Vec<_> = all
        .tasks
        .iter()
        .filter(|task| !task.state.is_open())
        .collect();
    let main = html! {
        (parts::done(&asked))
        h1 { "To do and handover" }
        (open_tasks(&handover, &visitor.session))
        div.columns {
            (basics(&record, &handover, &visitor.session))
            (happened(&record, &handover, &visitor.session))
        }
        (changed(&handover))
        (read_by(&record, &handover, &visitor.session))
        @if !ended.is_empty() {
            details.panel {
                summary { "Done or taken back (" (ended.len()) ")" }
                (tasks::tasks(&ended, &visitor.session, false))
            }
        }
        p { a href=(format!("/r/{record}/rules")) { "What has to happen after a fall, an admission or a discharge" } }
    };
    let at = Where::OfRecord(Tab::ToDo);
    Ok(page(&visitor, &heading, ("To do and handover", at), &main))
}

/// What is said where nothing of a kind is shown: never "none" for what is not known here.
fn known(known: Known, nothing: &str) -> Markup {
    html! {
        @match known {
            Known::Recorded => {}
            Known::NothingRecorded => p { (nothing) },
            Known::NotKnownHere => p { strong { "Not known to this node." } " That is not the same as none: it may not have arrived, or never have been written down." },
            Known::Withheld => p { strong { "Not shared with you." } " There may be something: ask whoever shares this record." },
        }
    }
}

fn open_tasks(handover: &HandoverShown, session: &Session) -> Markup {
    let open: Vec<_> = handover.tasks.iter().collect();
    html! {
        section.panel {
            h2 { "Open tasks" }
            (known(handover.tasks_known, "No task is open."))
            @if handover.tasks_known == Known::Recorded && open.is_empty() { p { "No task is open." } }
            (tasks::tasks(&open, session, false))
        }
    }
}

fn basics(record: &str, handover: &HandoverShown, session: &Session) -> Markup {
    html! {
        section.panel {
            h2 { "Care basics" }
            (known(handover.basics_known, "Nothing is written down yet, such as how somebody drinks, hears and sees."))
            ul.things {
                @for basic in &handover.basics {
                    li {
                        a.large href=(format!("/r/{record}/thing/{}", basic.id)) { (basic.text) }
                        @for mark in &basic.marks { " " span.mark { (mark) } }
                        span.by { (basic.by) }
                    }
                }
            }
            details {
                summary { "Add a basic" }
                form method="post" action=(format!("/r/{record}/basics")) {
                    (token(session))
                    (Field { name: "basic", label: "What everybody has to know", hint: "Such as: drinks thickened, left ear deaf, wears glasses", required: true, ..Field::TEXT }.draw())
                    button { "Add it" }
                }
            }
        }
    }
}

fn happened(record: &str, handover: &HandoverShown, session: &Session) -> Markup {
    html! {
        section.panel {
            h2 { "What happened" }
            @if handover.events.is_empty() { p { "No fall, admission or discharge of the last weeks is known to this node." } }
            ul.things {
                @for event in &handover.events {
                    li {
                        (tasks::event_words(event))
                        @if event.cancelled.is_none() {
                            @let own = format!("{}{}", event.kind.word(), event.id);
                            details {
                                summary { "It did not happen" }
                                form method="post" action=(format!("/r/{record}/event")) {
                                    (token(session))
                                    input type="hidden" name="cancel" value=(event.id);
                                    (Field { name: "because", id: Some(&own), label: "Why", ..Field::TEXT }.draw())
                                    button.grave { "Cancel it, and take its tasks back" }
                                }
                            }
                        }
                    }
                }
            }
            details {
                summary { "Something happened" }
                form method="post" action=(format!("/r/{record}/event")) {
                    (token(session))
                    fieldset {
                        legend { "What?" }
                        @for kind in EventKind::ALL { (parts::radio("kind", kind.word(), &words::capital(kind.word()), kind == EventKind::Fall)) }
                    }
                    (Field { name: "when", label: "When", hint: "Now, where it is left out; otherwise such as 2026-11-28 14:05, or the day alone", ..Field::TEXT }.draw())
                    (Field { name: "place", label: "Where", ..Field::TEXT }.draw())
                    (Field { name: "why", label: "How, or why", ..Field::TEXT }.draw())
                    button { "Write it down and tell everybody who may know" }
                }
            }
        }
    }
}

fn changed(handover: &HandoverShown) -> Markup {
    html! {
        section.panel {
            h2 {
                @match &handover.since {
                    Some(since) => { "What changed since you last looked, " (words::moment(since)) }
                    None => "What came last (you have not looked before)",
                }
            }
            @if handover.changed.is_empty() { p { "Nothing." } }
            ul.things {
                @for occurred in &handover.changed {
                    li {
                        @for what in &occurred.what { (told(what)) " " }
                        span.by { (occurred.by) ", " (words::moment(&occurred.when)) @if let Some(section) = &occurred.section { ", " (words::section(section)) } }
                    }
                }
            }
            @if handover.changed_more > 0 { p { strong { (handover.changed_more) " more." } } }
            @if !handover.withheld.is_empty() {
                p.small { "Not shared with you, so that something may have changed there: " (handover.withheld.iter().map(|part| words::section(part).to_lowercase()).collect::<Vec<_>>().join(", ")) "." }
            }
        }
    }
}

fn read_by(record: &str, handover: &HandoverShown, session: &Session) -> Markup {
    html! {
        section.panel {
            h2 { "Read by" }
            @if handover.read_by.is_empty() { p { "Nobody has signed yet that they have read this, as far as this node knows." } }
            ul.things {
                @for read in &handover.read_by {
                    li {
                        (read.by) @if let Some(staff) = &read.staff { " (" (staff) ")" } ", " (words::moment(&read.when))
                        @if !read.is_current { " " span.mark { "something was written since" } }
                    }
                }
            }
            form method="post" action=(format!("/r/{record}/to-do")) {
                (token(session))
                button { "I have read this" }
            }
        }
    }
}

/// Signs that it was read.
pub(super) async fn read(Path(record): Path<String>, sent: Sent) -> Answer {
    let request = HandoverRequest {
        record: record.clone(),
        read: true,
        keeps_place: false,
        staff: None,
    };
    sent.by.ask(Request::Handover(request)).await?;
    Ok(go(&format!("/r/{record}/to-do?done=read")))
}

/// Writes a basic of somebody's care.
pub(super) async fn basic(Path(record): Path<String>, sent: Sent) -> Answer {
    let request = Request::Add {
        record: record.clone(),
        what: Addition::Basics(sent.text("basic").to_owned()),
        staff: None,
    };
    sent.by.ask(request).await?;
    Ok(go(&format!("/r/{record}/to-do?done=added")))
}

/// Writes that something happened, or did not.
pub(super) async fn event(Path(record): Path<String>, sent: Sent) -> Answer {
    let what = match sent.given("cancel") {
        Some(event) => EventSaid::Cancel {
            event,
            because: sent.given("because"),
        },
        None => EventSaid::Happened {
            kind: kind(sent.text("kind"))?,
            when: sent.given("when").map(|when| words::instant(&when)),
            place: sent.given("place"),
            why: sent.given("why"),
        },
    };
    let request = EventRequest {
        record: record.clone(),
        what,
        staff: None,
    };
    let Reply::Event(made) = sent.by.ask(Request::Event(request)).await? else {
        return Err(odd_answer().into());
    };
    let heading = sent.by.heading(Some(&record)).await?;
    let made_tasks: Vec<_> = made.tasks.iter().collect();
    let main = html! {
        section.good role="status" {
            h1 { "It is written down" }
            p { "Everybody who may know is told." }
            @if let Some(note) = &made.note { p { (note) } }
        }
        @if !made_tasks.is_empty() {
            section.panel { h2 { "What follows" } (tasks::tasks(&made_tasks, &sent.by.session, false)) }
        }
        p { a.button href=(format!("/r/{record}/to-do")) { "To do and handover" } }
    };
    let at = Where::OfRecord(Tab::ToDo);
    Ok(page(&sent.by, &heading, ("It is written down", at), &main))
}

fn kind(word: &str) -> Result<EventKind, Failure> {
    let kind = EventKind::ALL.into_iter().find(|kind| kind.word() == word);
    kind.ok_or_else(|| {
        Failure::new(
            Ending::NotUnderstood,
            "It is not said what happened.",
            "Go back and choose one. Nothing was changed.",
        )
    })
}

/// `/r/RECORD/rules`.
pub(super) async fn rules(visitor: Visitor, Path(record): Path<String>) -> Answer {
    let shown = ruled(&visitor, &record, RulesAct::Show).await?;
    rules_page(&visitor, &record, &shown, None).await
}

async fn ruled(visitor: &Visitor, record: &str, act: RulesAct) -> Result<RulesShown, Refusal> {
    let request = RulesRequest {
        record: record.to_owned(),
        act,
        staff: None,
    };
    let Reply::Rules(shown) = visitor.ask(Request::Rules(request)).await? else {
        return Err(odd_answer().into());
    };
    Ok(shown)
}

/// Explains a text or keeps it; one with mistakes is shown again and not kept.
pub(super) async fn set_rules(Path(record): Path<String>, sent: Sent) -> Answer {
    let text = sent.text("text").to_owned();
    let act = if sent.text("do") == "set" {
        RulesAct::Set(text.clone())
    } else {
        RulesAct::Check(text.clone())
    };
    let shown = ruled(&sent.by, &record, act).await?;
    rules_page(&sent.by, &record, &shown, Some(&text)).await
}

const EXAMPLE: &str = "on fall\n  Riverside Surgery: review the medicines that cause falls, within 2 days\n\non admission\n  Sara: take glasses and hearing aid to the ward, within 1 day\n";

async fn rules_page(
    visitor: &Visitor,
    record: &str,
    shown: &RulesShown,
    typed: Option<&str>,
) -> Answer {
    let heading = visitor.heading(Some(record)).await?;
    let stands = shown.texts.first().map(|text| text.text.as_str());
    let text = typed.or(stands).unwrap_or_default();
    let main = html! {
        h1 { "What has to happen" }
        p { "When somebody falls, is taken into hospital or comes home, these rules make the tasks." }
        (mistakes(shown))
        @if let Some(note) = &shown.note { p.note { (note) } }
        (known(shown.known, "There are no rules yet."))
        @if !shown.sentences.is_empty() {
            section.panel { h2 { "In sentences" } ul { @for sentence in &shown.sentences { li { (sentence) } } } }
        }
        form.panel method="post" action=(format!("/r/{record}/rules")) {
            (token(&visitor.session))
            div.field {
                label for="text" { "The rules" }
                span.hint id="text-hint" { "One line for each: who: what, within how long, because why" }
                textarea id="text" name="text" rows="12" aria-describedby="text-hint" { (text) }
            }
            div.row {
                button.main name="do" value="set" { "Keep these rules" }
                button name="do" value="check" { "Only explain them" }
            }
        }
        details.panel {
            summary { "How they are written" }
            pre.scroll tabindex="0" { (EXAMPLE) }
            @if !shown.names.is_empty() { p { "Those who share this record: " (shown.names.join(", ")) "." } }
        }
    };
    let at = Where::OfRecord(Tab::ToDo);
    Ok(page(visitor, &heading, ("What has to happen", at), &main))
}

fn mistakes(shown: &RulesShown) -> Markup {
    html! {
        @if !shown.mistakes.is_empty() {
            section.alert role="alert" {
                h2 { "These rules were not kept" }
                ul { @for mistake in &shown.mistakes { li { "Line " (mistake.line) ", character " (mistake.column) ": " (mistake.what) " " (told(&mistake.remedy)) } } }
            }
        }
        @if !shown.unknown.is_empty() {
            section.note {
                h2 { "Names that are nobody's who shares this record" }
                ul { @for unknown in &shown.unknown { li { "Line " (unknown.line) ": " (unknown.name) @if let Some(meant) = &unknown.meant { ". Did you mean " (meant) "?" } } } }
            }
        }
    }
}
