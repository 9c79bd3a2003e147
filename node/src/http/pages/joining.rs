//! Accepting an invitation: what was typed, whose it is, and waiting until all is here.

use axum::extract::Path;
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Where, token},
    go, page,
    parts::Field,
    waiting_page,
};
use crate::{
    api::{JoinBy, JoinRequest, Joined, Offered},
    failure::{Ending, Failure},
    http::{
        asking::Stage,
        forms::Sent,
        refusal::{self, Refusal},
        sessions::Session,
        visitor::Visitor,
        words,
    },
    node::Invited,
    pairing::words::Words,
};

/// `/join`.
pub(super) async fn form(visitor: Visitor) -> Answer {
    let heading = visitor.heading(None).await?;
    let main = html! {
        h1 { "I have an invitation" }
        form.panel method="post" action="/join" {
            (token(&visitor.session))
            (fields())
            button.main { "Look who it is from" }
        }
    };
    Ok(page(
        &visitor,
        &heading,
        ("I have an invitation", Where::Between),
        &main,
    ))
}

/// What is asked of an invitation.
pub(super) fn fields() -> Markup {
    html! {
        (Field { name: "said", label: "The four words, or the link", hint: "Such as: birch lamp river forty, or a link that begins with kith:", required: true, ..Field::TEXT }.draw())
        (Field { name: "host", label: "Where they are", hint: "Only with words, and only when they are on another network: a name or an address", ..Field::TEXT }.draw())
    }
}

/// What was typed, understood.
pub(super) fn typed(said: &str, host: &str) -> Result<JoinRequest, Failure> {
    if said.is_empty() {
        return Err(Failure::new(
            Ending::Usage,
            "Nothing was typed.",
            "Type the four words, or paste the link. Nothing was changed.",
        ));
    }
    let by = if said.starts_with("kith:") {
        // Understood before anything is made of it.
        said.parse::<Invited>()?;
        JoinBy::Link(said.to_owned())
    } else {
        let typed: Vec<String> = said.split_whitespace().map(str::to_owned).collect();
        JoinBy::Words {
            words: Words::read(&typed)?,
            host: (!host.is_empty()).then(|| host.to_owned()),
        }
    };
    Ok(JoinRequest { by, yes: false })
}

/// Begins to accept.
pub(super) async fn begin(sent: Sent) -> Answer {
    let request = typed(sent.text("said"), sent.text("host"))?;
    let name = sent.by.site.joins.begin(&sent.by.node, request);
    Ok(go(&format!("/joining/{name}")))
}

/// `/joining/NAME`.
pub(super) async fn show(visitor: Visitor, Path(name): Path<String>) -> Answer {
    let stage = visitor.site.joins.stage(&name);
    let stage = stage.ok_or_else(Refusal::not_there)?;
    let heading = visitor.heading(None).await?;
    let title = ("I have an invitation", Where::Between);
    let (main, waits) = match stage {
        Stage::Looking => (
            html! {
                h1 { "Looking for whoever invited you" }
                p.panel role="status" { "This takes up to a quarter of a minute. Nothing is shared yet." }
            },
            true,
        ),
        Stage::Offered(offered) => (offer(&name, &offered, &visitor.session), false),
        Stage::Fetching { check_words } => (fetching(check_words.as_ref()), true),
        Stage::Joined(joined) => (joined_page(&joined), false),
        Stage::Failed(failure) => (failed(&failure), false),
    };
    Ok(if waits {
        waiting_page(&visitor, &heading, title, &main)
    } else {
        page(&visitor, &heading, title, &main)
    })
}

fn offer(name: &str, offered: &Offered, session: &Session) -> Markup {
    html! {
        h1 { "Is this the right person?" }
        section.panel {
            h2 { (offered.from) " (" (offered.kind) ")" }
            p { "They would share a record with you." }
            dl.facts {
                dt { "You could see" } dd { (words::scopes(&offered.see)) }
                dt { "You could add to" } dd { (words::scopes(&offered.add)) }
                dt { "You could change" } dd { (words::scopes(&offered.change)) }
                dt { "Ends" } dd { (words::capital(&words::until(offered.until.as_deref()))) }
            }
            p.small { "Nothing is stored before you have said yes." }
            form.row method="post" action=(format!("/joining/{name}")) {
                (token(session))
                button.main name="yes" value="yes" { "Yes, that is right" }
                button.grave name="no" value="no" { "No" }
            }
        }
    }
}

fn fetching(check_words: Option<&(String, String)>) -> Markup {
    html! {
        h1 { "Nearly there" }
        @match check_words {
            Some((from, words)) => section.note role="status" {
                h2 { (from) " has to confirm that it is you" }
                p { "Ring them and read your check words to each other:" }
                p.words { (words) }
                p { "This page goes on by itself once they have confirmed. You can close it: what is shared comes later, while this node runs." }
            },
            None => p.panel role="status" { "What is shared with you is on its way. You can go on; it comes by itself." },
        }
    }
}

fn joined_page(joined: &Joined) -> Markup {
    html! {
        section.good role="status" {
            h1 { "It is here" }
            p { (joined.from) " shares a record with you." }
        }
        @if let Some(record) = &joined.record { p { a.button.main href=(format!("/r/{record}")) { "Open the record" } } }
    }
}

fn failed(failure: &Failure) -> Markup {
    html! {
        (refusal::said(failure))
        p { a.button href="/join" { "Try again" } }
    }
}

/// Yes or no.
pub(super) async fn answer(Path(name): Path<String>, sent: Sent) -> Answer {
    sent.by.site.joins.answer(&name, sent.has("yes"));
    Ok(go(&format!("/joining/{name}")))
}
