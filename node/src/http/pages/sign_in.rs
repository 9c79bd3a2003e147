//! How the staff of an organisation sign in, and begin their accounts.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{Answer, alone, entrance::keep, frame::drawn, go, parts::Field};
use crate::{
    failure::{Ending, Failure},
    http::{
        refusal::{self, Refusal},
        sessions::Viewer,
        signing,
        site::{Kind, Running, Site},
        told::told,
    },
    node::Signing,
    pairing::code,
};

type Fields = Form<Vec<(String, String)>>;

fn text<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    let mut fields = fields.iter();
    let found = fields.find(|(field, _)| field == name);
    found.map_or("", |(_, value)| value.trim())
}

/// The node, at pages where staff sign in.
fn node(site: &Site) -> Result<Running, Refusal> {
    let running = site.running().filter(|_| site.kind == Kind::Staff);
    running.ok_or_else(Refusal::not_there)
}

/// `/sign-in`.
pub(super) async fn form(State(site): State<Arc<Site>>) -> Answer {
    node(&site)?;
    Ok(alone("Sign in", &asked(None)).into_response())
}

fn asked(failure: Option<&Failure>) -> Markup {
    html! {
        h1 { "Sign in" }
        @if let Some(failure) = failure { div.alert role="alert" { p { strong { (failure.what) } " " (told(&failure.remedy)) } } }
        form.panel method="post" action="/sign-in" {
            (Field { name: "name", label: "Your name", hint: "As it is entered here", required: true, ..Field::TEXT }.draw())
            (Field { name: "passphrase", label: "Your passphrase", kind: "password", required: true, ..Field::TEXT }.draw())
            (Field { name: "code", label: "The code that your app shows", required: true, ..Field::TEXT }.draw())
            button.main { "Sign in" }
        }
        p { a href="/begin" { "I have a code for a new account" } }
    }
}

/// Signs somebody in.
pub(super) async fn sign_in(State(site): State<Arc<Site>>, Form(fields): Fields) -> Answer {
    let running = node(&site)?;
    match proved(&running, &fields).await {
        Ok(signing) => {
            let session = site.sessions.begin(Viewer::Staff(signing.staff));
            let mut response = go("/");
            keep(&mut response, &site, &session);
            Ok(response)
        }
        Err(failure) => {
            let main = asked(Some(&failure));
            Ok((StatusCode::FORBIDDEN, alone("Sign in", &main)).into_response())
        }
    }
}

/// Whoever knows the passphrase and has the app. Nothing says which of the three was wrong.
async fn proved(running: &Running, fields: &[(String, String)]) -> Result<Signing, Failure> {
    let name = text(fields, "name").to_owned();
    let found = running.driver.ask(move |node| node.account_named(&name));
    let found = found.await?;
    let known = found.as_ref().and_then(|found| found.account.passphrase());
    let is_right = signing::is_right(text(fields, "passphrase"), known).await?;
    let Some(found) = found else {
        return Err(not_proved());
    };
    let codes = signing::codes(&found.account.shared, &found.name, "kith")?;
    let step = signing::step(&codes, text(fields, "code")).filter(|_| is_right);
    let staff = found.staff;
    running
        .driver
        .ask(move |node| node.account_tried(staff, step))
        .await?;
    if step.is_none() {
        return Err(not_proved());
    }
    Ok(found)
}

fn not_proved() -> Failure {
    Failure::new(
        Ending::NotAllowed,
        "That did not sign you in.",
        "Look at the name, the passphrase and the newest code of your app, and try again.",
    )
}

/// `/begin`.
pub(super) async fn begin(State(site): State<Arc<Site>>) -> Answer {
    node(&site)?;
    let main = html! {
        h1 { "Begin your account" }
        form.panel method="post" action="/begin" {
            (Field { name: "code", label: "The code that you were given", required: true, ..Field::TEXT }.draw())
            button.main { "Go on" }
        }
    };
    Ok(alone("Begin your account", &main).into_response())
}

/// To the page of a code.
pub(super) async fn with_code(State(site): State<Arc<Site>>, Form(fields): Fields) -> Answer {
    node(&site)?;
    let code: String = text(&fields, "code")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    Ok(go(&format!("/begin/{code}")))
}

/// `/begin/CODE`: a passphrase, and the app.
pub(super) async fn account(State(site): State<Arc<Site>>, Path(code): Path<String>) -> Answer {
    let running = node(&site)?;
    account_page(&running, &code, None).await
}

async fn account_page(running: &Running, code: &str, failure: Option<&Failure>) -> Answer {
    let asked = code.to_owned();
    let found = running
        .driver
        .ask(move |node| Ok((node.account_of_code(&asked)?, node.name().to_owned())));
    let (found, owner) = found.await?;
    let codes = signing::codes(&found.account.shared, &found.name, &owner)?;
    let link = codes.to_url().map_err(|error| no_link(&error))?;
    let main = html! {
        h1 { "Welcome, " (found.name) }
        @if let Some(failure) = failure { (refusal::said(failure)) }
        form.panel method="post" action=(format!("/begin/{code}")) {
            (Field { name: "passphrase", label: "Choose a passphrase", hint: "Four or five words: at least twelve characters", kind: "password", required: true, ..Field::TEXT }.draw())
            h2 { "Add this account to your app" }
            p { "Any app for codes (TOTP) will do. Scan this, or type the key:" }
            div.qr { (drawn(code::for_page(&link)?)) }
            p.link { (codes.secret().to_base32()) }
            (Field { name: "code", label: "The code that the app shows now", required: true, ..Field::TEXT }.draw())
            button.main { "Begin" }
        }
    };
    let status = if failure.is_some() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    Ok((status, alone("Begin your account", &main)).into_response())
}

fn no_link(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The link for your app cannot be made.",
        "Ask whoever runs this node to enter you under a shorter name.",
    )
    .because(error)
}

/// Begins the account, and signs in.
pub(super) async fn chosen(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    Form(fields): Fields,
) -> Result<Response, Refusal> {
    let running = node(&site)?;
    match begun(&running, &code, &fields).await {
        Ok(staff) => {
            site.sessions.end_staff(staff);
            let session = site.sessions.begin(Viewer::Staff(staff));
            let mut response = go("/");
            keep(&mut response, &site, &session);
            Ok(response)
        }
        Err(failure) => account_page(&running, &code, Some(&failure)).await,
    }
}

async fn begun(
    running: &Running,
    code: &str,
    fields: &[(String, String)],
) -> Result<kith_protocol::id::StaffId, Failure> {
    let asked = code.to_owned();
    let found = running.driver.ask(move |node| node.account_of_code(&asked));
    let found = found.await?;
    let codes = signing::codes(&found.account.shared, &found.name, "kith")?;
    let step = signing::step(&codes, text(fields, "code")).ok_or_else(|| {
        Failure::new(
            Ending::NotAllowed,
            "This is not the code that the app should show now.",
            "Look whether the clock of the phone is right, and type the newest code. Nothing was changed.",
        )
    })?;
    let passphrase = signing::hashed(text(fields, "passphrase")).await?;
    let code = code.to_owned();
    running
        .driver
        .ask(move |node| node.account_begin(&code, passphrase, step))
        .await
}
