//! An invitation that waits: its two doors, and whoever comes.

use axum::extract::Path;
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Where, drawn, token},
    go, page, waiting_page,
};
use crate::{
    api::{InvitationState, Keep, Reply, Request, Shared},
    control::odd_answer,
    http::{forms::Sent, refusal::Refusal, sessions::Session, visitor::Visitor, words},
    pairing::code,
};

/// `/invitations/ID`.
pub(super) async fn show(visitor: Visitor, Path(id): Path<String>) -> Answer {
    let state = state(&visitor, &id).await?;
    let heading = visitor.heading(None).await?;
    let shared = visitor.site.invitations.find(&visitor.session, &id);
    let main = html! {
        h1 { "Invitation" }
        @if let Some(trouble) = &state.trouble { p.note { (trouble) } }
        (came(&id, &state, &visitor.session))
        @if state.state == "waiting" {
            @match &shared {
                Some(shared) => (doors(shared)?),
                None => p.panel { "Its words and link are shown to whoever made it, until these pages are closed. If they are lost, take it back and share again." },
            }
            (take_back(&id, shared.as_ref(), &visitor.session))
        }
    };
    let at = ("Invitation", Where::Between);
    Ok(if state.state == "waiting" {
        waiting_page(&visitor, &heading, at, &main)
    } else {
        page(&visitor, &heading, at, &main)
    })
}

async fn state(visitor: &Visitor, id: &str) -> Result<InvitationState, Refusal> {
    let request = Request::Invitation { id: id.to_owned() };
    let Reply::Invitation(state) = visitor.ask(request).await? else {
        return Err(odd_answer().into());
    };
    Ok(state)
}

/// Who has come, and what is asked of the person here.
fn came(id: &str, state: &InvitationState, session: &Session) -> Markup {
    let name = state.name.as_deref().unwrap_or("Somebody");
    let kind = state.kind.as_deref().unwrap_or("not known");
    html! {
        @match state.state.as_str() {
            "waiting" => p role="status" { "Waiting for whoever you invited. You can close this page: To review shows who came." },
            "asked" => section.alert {
                h2 { (name) " (" (kind) ") wants to join" }
                p { "Ring them and read your check words to each other. A name proves nothing." }
                p.words { (state.check_words.as_deref().unwrap_or("not known")) }
                form.row method="post" action=(format!("/invitations/{id}")) {
                    (token(session))
                    button.main name="yes" value="yes" { "Their check words are the same" }
                    button.grave name="no" value="no" { "They are not the same" }
                }
            },
            "joined" => section.good role="status" { h2 { (state.name.as_deref().unwrap_or("Your new device")) " has joined" } p { "What you share goes there from now on." } },
            "declined" => section.note { h2 { "You said no" } p { "Nothing was shared." } },
            _ => section.note { h2 { "This invitation has ended" } p { "It was used, taken back, or too old. Share again if somebody still waits." } },
        }
    }
}

/// How to join.
fn doors(shared: &Shared) -> Result<Markup, Refusal> {
    let qr = code::for_page(&shared.link)?;
    Ok(html! {
        div.columns {
            @if let (Some(spoken), Some(ends)) = (&shared.words, &shared.words_end) {
                section.panel {
                    h2 { "Say four words" }
                    p { "To one person, by telephone or face to face:" }
                    p.words id="words" { (spoken) }
                    p.small { "Once, until " (words::moment(ends)) "." @if let Some(at) = shared.at.first() { " On another network they also need where you are: " kbd { (at) } } }
                }
            }
            section.panel {
                h2 { "Or send the link" }
                p { "In a way that only they can read:" }
                p.link id="link" { (shared.link) }
                button type="button" data-copy="link" hidden { "Copy the link" }
                p.small { "Once, until " (words::moment(&shared.invitation_ends)) ". When the words or the link are used, both end." }
            }
            section.panel {
                h2 { "Or let them scan" }
                div.qr { (drawn(qr)) }
                button type="button" data-print hidden { "Print this page" }
            }
            @if shared.until.is_some() {
                section.panel {
                    h2 { "What it gives" }
                    p { "They can see " (words::scopes(&shared.see)) "; add to " (words::scopes(&shared.add)) "; change " (words::scopes(&shared.change)) "; " (words::until(shared.until.as_deref())) "." }
                }
            }
        }
    })
}

fn take_back(id: &str, shared: Option<&Shared>, session: &Session) -> Markup {
    html! {
        @if shared.is_none_or(|shared| shared.until.is_some()) {
            form method="post" action=(format!("/invitations/{id}")) {
                (token(session))
                button.grave name="back" value="back" { "Take the invitation back" }
            }
        }
    }
}

/// Somebody is let in, or not; or the invitation is taken back.
pub(super) async fn admit(Path(id): Path<String>, sent: Sent) -> Answer {
    if sent.has("back") {
        let record = sent.by.work({
            let id = id.clone();
            move |node| node.record_of_invitation(&id)
        });
        let record = record.await?;
        let request = Request::Stop {
            record: record.clone(),
            share: id,
            keep: Keep::All,
            keep_shared_on: false,
        };
        sent.by.ask(request).await?;
        return Ok(go(&format!("/r/{record}/sharing?done=taken-back")));
    }
    let request = Request::Admit {
        id: id.clone(),
        yes: sent.has("yes"),
    };
    sent.by.ask(request).await?;
    Ok(go(&format!("/invitations/{id}")))
}
