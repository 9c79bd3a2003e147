//! Messages of other systems that came in: what became of them, and what a person has to do.

use axum::extract::{Path, Query};
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Place, Where, token},
    go, page,
    parts::{self, Field},
};
use crate::{
    api::{
        InboxAsk, InboxLine, InboxShown, InboxState, MessageExplained, OutState, Outgoing, Reply,
        Request, SendAsk,
    },
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, sessions::Session, told::told, visitor::Visitor, words},
};

/// So many stand on one page.
const SHOWN_MAX: usize = 100;

/// `/messages`: those that wait, and the last that were filed.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<parts::Done>) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let heading = visitor.heading(None).await?;
    let shown = inbox(&visitor, InboxAsk::List { all: true }).await?;
    let (waiting, filed): (Vec<_>, Vec<_>) = shown
        .messages
        .iter()
        .partition(|line| line.state != InboxState::Filed);
    let out = outgoing(&visitor).await?;
    let main = html! {
        (parts::done(&asked))
        h1 { "Messages" }
        p { "What other systems sent as HL7 v2. Each message is kept before it is read, and stands here until it stands in a record." }
        section.panel {
            h2 { "Waiting" }
            @if waiting.is_empty() { p { "Nothing waits." } }
            ul.things {
                @for line in waiting.iter().take(SHOWN_MAX) { (one(line, &visitor.session)) }
            }
            @if waiting.len() > SHOWN_MAX { p { "The first " (SHOWN_MAX) " of " (waiting.len()) " are shown." } }
        }
        section.panel {
            h2 { "Filed" }
            @if filed.is_empty() { p { "Nothing was filed yet." } }
            ul.things {
                @for line in filed.iter().take(SHOWN_MAX) { (one(line, &visitor.session)) }
            }
        }
        (going_out(&out))
    };
    let at = Where::OfNode(Place::Inbox);
    Ok(page(&visitor, &heading, ("Messages", at), &main))
}

/// `/messages/{number}`: one message, field by field.
pub(super) async fn show(visitor: Visitor, Path(number): Path<u64>) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let heading = visitor.heading(None).await?;
    let shown = inbox(&visitor, InboxAsk::Show { number }).await?;
    let main = html! {
        h1 { "Message " (number) }
        ul.things.panel { @for line in &shown.messages { (one(line, &visitor.session)) } }
        @if let Some(fields) = &shown.fields { (explained(fields)) }
        @for line in &shown.messages {
            @if line.state == InboxState::NeedsPerson { (linking(number, &visitor.session)) }
        }
        p { a href="/messages" { "All messages" } }
    };
    let at = Where::OfNode(Place::Inbox);
    Ok(page(&visitor, &heading, ("Message", at), &main))
}

/// Files a message where somebody says, or tries it again.
pub(super) async fn act(Path(number): Path<u64>, sent: Sent) -> Answer {
    let asked = match sent.given("record") {
        Some(record) => InboxAsk::Link { number, record },
        None => InboxAsk::Retry {
            number: Some(number),
        },
    };
    let shown = inbox(&sent.by, asked).await?;
    let waits = shown
        .messages
        .iter()
        .find(|line| line.state != InboxState::Filed);
    match waits {
        None => Ok(go("/messages?done=filed")),
        Some(line) => {
            let reason = line.reason.clone().unwrap_or_default();
            Err(Failure::new(
                Ending::NeedsPerson,
                format!("The message waits still: {reason}."),
                "It is kept. Look at what stands in it, or ask whoever sent it.",
            )
            .into())
        }
    }
}

async fn inbox(visitor: &Visitor, asked: InboxAsk) -> Result<InboxShown, Refusal> {
    let Reply::Inbox(shown) = visitor.ask(Request::Inbox(asked)).await? else {
        return Err(odd_answer().into());
    };
    Ok(shown)
}

async fn outgoing(visitor: &Visitor) -> Result<Outgoing, Refusal> {
    let Reply::Outgoing(out) = visitor.ask(Request::Send(SendAsk::List)).await? else {
        return Err(odd_answer().into());
    };
    Ok(out)
}

fn one(line: &InboxLine, session: &Session) -> Markup {
    let kind = if line.kind.is_empty() {
        "not a message"
    } else {
        &line.kind
    };
    html! {
        li {
            a href=(format!("/messages/{}", line.number)) { (kind) " of " (line.sender) ", number " (line.control_id) }
            " " @if line.state == InboxState::Filed { (line.state.words()) } @else { span.mark { (line.state.words()) } }
            span.by { "received " (words::moment(&line.received)) " by " (line.from) }
            @if let Some(reason) = &line.reason { p { (words::capital(&told(reason))) "." } }
            @if let Some(record) = &line.record {
                p { a href=(format!("/r/{record}")) { @if line.began_record { "the record that it began" } @else { "the record" } } }
            }
            @for note in &line.notes { p.small { (told(note)) } }
            @if line.state == InboxState::NeedsPerson {
                form method="post" action=(format!("/messages/{}", line.number)) {
                    (token(session))
                    button { "Try again" }
                }
            }
        }
    }
}

fn linking(number: u64, session: &Session) -> Markup {
    html! {
        form.panel method="post" action=(format!("/messages/{number}")) {
            (token(session))
            h2 { "I know whose it is" }
            p { "Look at the record first. A message that names somebody else becomes a record of its own that is linked to it." }
            (Field { name: "record", label: "Record", hint: "Its id, or the beginning of it", required: true, ..Field::TEXT }.draw())
            button.grave { "File it there" }
        }
    }
}

fn explained(message: &MessageExplained) -> Markup {
    html! {
        section.panel {
            h2 { "What it would do" }
            @for sentence in &message.would { p { (told(sentence)) } }
            ul { @for resource in &message.resources { li { (resource) } } }
            @for note in &message.notes { p.small { (told(note)) } }
        }
        section.panel {
            h2 { "What stands in it" }
            dl {
                @for field in &message.fields {
                    dt { (field.place) @if !field.read { " (kept in the message)" } }
                    dd { (field.said) }
                }
            }
        }
    }
}

fn going_out(out: &Outgoing) -> Markup {
    html! {
        @if !out.messages.is_empty() {
            section.panel {
                h2 { "Going out" }
                ul.things {
                    @for line in out.messages.iter().rev().take(SHOWN_MAX) {
                        li {
                            (line.kind) " to " (line.to) ", number " (line.control_id)
                            " " span.mark { (line.state.words()) }
                            @if let Some(reason) = &line.reason { p { (told(reason)) } }
                            @if line.state == OutState::Waiting {
                                @if let Some(next) = &line.next { span.by { "next try " (words::moment(next)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
