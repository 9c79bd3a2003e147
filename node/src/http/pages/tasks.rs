//! What is to be done: tasks as they stand on every page, answering them, and the inbox of a node.

use axum::extract::{Path, Query};
use maud::{Markup, html};

use super::{
    Answer as Page,
    frame::{Place, Where, token},
    go, page,
    parts::{self, Field},
};
use crate::{
    api::{
        Answer, AnswerRequest, EventLine, Reply, Request, TaskLine, TaskList, TaskState,
        TasksRequest,
    },
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, sessions::Session, told::told, visitor::Visitor, words},
    node::Role,
};

/// So many tasks stand on one page; those that are late stand first.
const SHOWN_MAX: usize = 100;

/// `/inbox`: what is asked of this node's owner, and what is late.
pub(super) async fn inbox(visitor: Visitor, Query(asked): Query<parts::Done>) -> Page {
    let heading = visitor.heading(None).await?;
    let list = list(&visitor, TasksRequest::default()).await?;
    let (ours, others): (Vec<_>, Vec<_>) = list.tasks.iter().partition(|task| task.is_ours);
    let title = if heading.role == Some(Role::Person) {
        "To do"
    } else {
        "Inbox"
    };
    let main = html! {
        (parts::done(&asked))
        h1 { (title) }
        p { "What is asked of you and of others in every record here. What is late stands first." }
        @if heading.role != Some(Role::Person) && !visitor.is_phone() {
            p { a href="/messages" { "Messages of other systems" } }
        }
        @for unread in &list.unread { p.alert { (told(unread)) } }
        section.panel {
            h2 { "For you" }
            @if ours.is_empty() { p { "Nothing is asked of you by name." } }
            (tasks(&ours, &visitor.session, true))
        }
        section.panel {
            h2 { "For others, or for whoever takes it" }
            @if others.is_empty() { p { "Nothing that this node knows of." } }
            (tasks(&others, &visitor.session, true))
        }
    };
    let at = Where::OfNode(Place::Inbox);
    Ok(page(&visitor, &heading, (title, at), &main))
}

/// Tasks as the node knows them.
pub(super) async fn list(visitor: &Visitor, asked: TasksRequest) -> Result<TaskList, Refusal> {
    let Reply::Tasks(list) = visitor.ask(Request::Tasks(asked)).await? else {
        return Err(odd_answer().into());
    };
    Ok(list)
}

/// Tasks one under the other, each with what can be answered.
pub(super) fn tasks(tasks: &[&TaskLine], session: &Session, names_person: bool) -> Markup {
    html! {
        ul.things {
            @for task in tasks.iter().take(SHOWN_MAX) { li { (one(task, session, names_person)) } }
        }
        @if tasks.len() > SHOWN_MAX { p { "The first " (SHOWN_MAX) " of " (tasks.len()) " are shown." } }
    }
}

fn one(task: &TaskLine, session: &Session, names_person: bool) -> Markup {
    html! {
        @if names_person { a href=(format!("/r/{}/to-do", task.record)) { (task.person) } ": " }
        strong { (task.what) }
        @if task.to_review { " " span.mark { "to review" } }
        span.by data-stands=(task.id) {
            @if task.late { span.overdue { (says(task)) } } @else { (says(task)) }
        }
        span.by {
            "for " (task.who.as_deref().unwrap_or("whoever takes it"))
            @if let Some(due) = &task.due { ", by " (words::moment(due)) }
            "; asked by " (task.by) " on " (words::moment(&task.asked))
            @if let Some(because) = &task.because { "; because " (because) }
        }
        @if let Some(event) = &task.event { span.by { "after: " (event_words(event)) } }
        @if task.accepted_by.len() > 1 { span.by { strong { "Accepted by several: " (task.accepted_by.join(", ")) } } }
        @for answer in &task.answers {
            span.by {
                (answer.by) @if let Some(staff) = &answer.staff { " (" (staff) ")" }
                " said " (answer.answer.code()) ", " (words::moment(&answer.when))
                @if let Some(because) = &answer.because { ": " (because) }
                @if !answer.counts { " (somebody else was asked)" }
            }
        }
        @if task.state.is_open() { (answers(task, session)) }
    }
}

/// How it stands, with times as people read them.
fn says(task: &TaskLine) -> String {
    match (task.late, task.due.as_deref(), task.state) {
        (true, Some(due), TaskState::Accepted) => {
            format!("Late since {}: accepted, and not done", words::when(due))
        }
        (true, Some(due), _) => {
            format!("Late since {}: nobody has accepted it", words::when(due))
        }
        (_, _, state) => words::capital(state.word()),
    }
}

fn answers(task: &TaskLine, session: &Session) -> Markup {
    let button = |answer: &str, said: &str, class: &str| {
        html! { button class=(class) name="answer" value=(answer) { (said) } }
    };
    html! {
        form.row method="post" action=(format!("/r/{}/task/{}", task.record, task.id)) {
            (token(session))
            @if task.state != TaskState::Accepted { (button("accept", "I will do it", "")) }
            (button("done", "It is done", ""))
        }
        details {
            summary { "I cannot do it" }
            form method="post" action=(format!("/r/{}/task/{}", task.record, task.id)) {
                (token(session))
                (Field { name: "because", id: Some(&task.id), label: "Why", hint: "So that somebody else can take it", required: true, ..Field::TEXT }.draw())
                (button("decline", "Decline it", "grave"))
            }
        }
    }
}

/// An event in words.
pub(super) fn event_words(event: &EventLine) -> Markup {
    html! {
        @if event.cancelled.is_some() { span.struck { (words::capital(event.kind.word())) } } @else { (words::capital(event.kind.word())) }
        @if let Some(when) = &event.when { ", " (words::moment(when)) }
        @if let Some(place) = &event.place { ", " (place) }
        @if let Some(why) = &event.why { ": " (why) }
        " (" (event.by) ")"
        @if let Some(cancelled) = &event.cancelled {
            " " strong { "cancelled by " (cancelled.by) @if let Some(because) = &cancelled.because { ": " (because) } }
        }
    }
}

/// Signs an answer.
pub(super) async fn answer(Path((record, task)): Path<(String, String)>, sent: Sent) -> Page {
    let answer = match sent.text("answer") {
        "accept" => Answer::Accept,
        "done" => Answer::Done,
        "decline" => Answer::Decline,
        _ => {
            return Err(Failure::new(
                Ending::NotUnderstood,
                "It is not said what the answer is.",
                "Go back and press one of the buttons. Nothing was changed.",
            )
            .into());
        }
    };
    let request = Request::Answer(AnswerRequest {
        record: Some(record.clone()),
        task,
        answer,
        because: sent.given("because"),
        staff: None,
    });
    sent.by.ask(request).await?;
    Ok(go(&format!("/r/{record}/to-do?done=answered")))
}
