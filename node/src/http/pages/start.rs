//! The first time: nothing is made before it is said what is wanted.

use axum::{
    Form,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use tokio::sync::oneshot;

use super::{
    Answer, alone,
    frame::token,
    go, joining,
    parts::{Field, radio},
    people,
};
use crate::{
    api::{Reply, Request},
    control::odd_answer,
    failure::{Ending, Failure},
    home::Unlock,
    http::{
        forms::{Sent, TOKEN},
        refusal::Refusal,
        sessions::{Secret, Session},
        site::Wish,
        visitor::{Newcomer, Visitor},
    },
    node::Role,
};

/// `/start`.
pub(super) async fn show(newcomer: Newcomer) -> Response {
    if newcomer.site.running().is_some() {
        return go("/");
    }
    let main = html! {
        h1 { "Welcome" }
        p { "kith keeps a person's health record on this computer, and shares it with those whom they choose." }
        div.columns {
            section.panel {
                h2 { "Somebody invited me" }
                p { "A family member, a surgery or another of your own devices gave you four words or a link." }
                p { a.button.main href="/start/invitation" { "I have an invitation" } }
            }
            section.panel {
                h2 { "I begin" }
                p { "For yourself, for somebody whom you care for, or for an organisation." }
                p { a.button href="/start/record" { "Start a new record" } }
            }
        }
        p.small { "Nothing is made and nothing is sent before you have answered." }
    };
    alone("Welcome", &main).into_response()
}

/// `/start/record`.
pub(super) async fn record(newcomer: Newcomer) -> Response {
    let main = html! {
        h1 { "Start a new record" }
        form.panel method="post" action="/start/record" {
            (token(&newcomer.session))
            (who_runs_it())
            h2 { "Whose record is it?" }
            p.hint { "An organisation can leave this out and bring in its records later." }
            (Field { name: "family", label: "Family name", ..Field::TEXT }.draw())
            (Field { name: "given", label: "Given names", ..Field::TEXT }.draw())
            (Field { name: "born", label: "Birth date", hint: "Such as 1950-01-31", ..Field::TEXT }.draw())
            (Field { name: "nhs", label: "NHS number", hint: "Ten digits", ..Field::TEXT }.draw())
            button.main { "Start" }
        }
    };
    alone("Start a new record", &main).into_response()
}

/// Kinds of owners, as people say them.
const KINDS: [(&str, &str, Role); 6] = [
    (
        "person",
        "A person: patient, carer, family or friend",
        Role::Person,
    ),
    ("practice", "A general practice", Role::Practice),
    ("hospital", "A hospital", Role::Hospital),
    ("ambulance", "An ambulance service", Role::Ambulance),
    ("care-home", "A care home", Role::CareHome),
    ("laboratory", "A laboratory", Role::Laboratory),
];

fn who_runs_it() -> Markup {
    html! {
        (Field { name: "name", label: "What do others call you or your organisation?", hint: "Such as Sam's laptop, or Riverside Surgery. Whoever you share with sees it.", required: true, ..Field::TEXT }.draw())
        details {
            summary { "This computer belongs to an organisation, or needs a passphrase" }
            fieldset {
                legend { "Who runs it?" }
                @for (value, label, role) in KINDS { (radio("kind", value, label, role == Role::Person)) }
            }
            (Field { name: "passphrase", label: "A passphrase", hint: "Asked for whenever kith is started. Without one a key file in its folder opens it, which only you can read.", kind: "password", ..Field::TEXT }.draw())
        }
    }
}

/// `/start/invitation`.
pub(super) async fn invitation(newcomer: Newcomer) -> Response {
    let main = html! {
        h1 { "I have an invitation" }
        form.panel method="post" action="/start/invitation" {
            (token(&newcomer.session))
            (joining::fields())
            (who_runs_it())
            button.main { "Look who it is from" }
        }
    };
    alone("I have an invitation", &main).into_response()
}

/// A form of somebody who has no node yet.
struct First {
    newcomer: Newcomer,
    fields: Vec<(String, String)>,
}

impl First {
    fn of(newcomer: Newcomer, fields: Vec<(String, String)>) -> Result<Self, Refusal> {
        let first = Self { newcomer, fields };
        let session: &Session = &first.newcomer.session;
        if Secret::sent(first.text(TOKEN)).is(&session.form) {
            Ok(first)
        } else {
            Err(Refusal::other_form())
        }
    }

    fn text(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Makes the node, and waits until it runs.
    async fn make(self) -> Result<Sent, Refusal> {
        let name = self.text("name").to_owned();
        if name.is_empty() {
            return Err(Failure::new(
                Ending::Usage,
                "It is not said what others call you.",
                "Go back and give a name. Nothing was made.",
            )
            .into());
        }
        let kind = KINDS.iter().find(|(kind, ..)| *kind == self.text("kind"));
        let passphrase = self.text("passphrase");
        let (made, is_made) = oneshot::channel();
        let wish = Wish {
            name,
            role: kind.map_or(Role::Person, |(.., role)| *role),
            unlock: if passphrase.is_empty() {
                Unlock::KeyFile
            } else {
                Unlock::Passphrase(passphrase.to_owned())
            },
            made,
        };
        let site = self.newcomer.site;
        site.wishes.send(wish).await.map_err(|_| stopped())?;
        let recovery = is_made.await.map_err(|_| stopped())??;
        site.recovery.keep(recovery);
        let node = site.running().ok_or_else(stopped)?;
        let by = Visitor {
            site,
            session: self.newcomer.session,
            node,
        };
        Ok(Sent::of(by, self.fields))
    }
}

fn stopped() -> Failure {
    Failure::new(
        Ending::NotRunning,
        "The node was not started.",
        "Type kith ui again in the terminal.",
    )
}

/// Makes a node, and the record that was asked for.
pub(super) async fn new_record(
    newcomer: Newcomer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer {
    let sent = First::of(newcomer, fields)?.make().await?;
    if sent.text("family").is_empty() {
        return Ok(go("/welcome"));
    }
    let request = Request::RecordNew(people::person(&sent));
    let Reply::RecordNew(_) = sent.by.ask(request).await? else {
        return Err(odd_answer().into());
    };
    Ok(go("/welcome"))
}

/// Makes a node, and accepts the invitation with it. What was typed is understood first, so that a
/// mistyped word makes nothing.
pub(super) async fn invited(
    newcomer: Newcomer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer {
    let first = First::of(newcomer, fields)?;
    let request = joining::typed(first.text("said"), first.text("host"))?;
    let sent = first.make().await?;
    let name = sent.by.site.joins.begin(&sent.by.node, request);
    sent.by.site.recovery.then(format!("/joining/{name}"));
    Ok(go("/welcome"))
}

/// `/welcome`: the recovery sheet, until somebody has it.
pub(super) async fn welcome(visitor: Visitor) -> Answer {
    let Some(recovery) = visitor.site.recovery.code() else {
        return Ok(go("/"));
    };
    let main = html! {
        h1 { "Your recovery sheet" }
        section.panel {
            p { "Write this down, or print this page, and keep it where you keep important papers. It opens this node when its passphrase or key file is lost, and it is not shown again." }
            p.words { (recovery) }
            button type="button" data-print hidden { "Print this page" }
        }
        form method="post" action="/welcome" {
            (token(&visitor.session))
            button.main { "I have it" }
        }
    };
    Ok(alone("Your recovery sheet", &main).into_response())
}

/// Somebody has it.
pub(super) async fn noted(sent: Sent) -> Answer {
    let next = sent.by.site.recovery.noted();
    Ok(go(next.as_deref().unwrap_or("/")))
}
