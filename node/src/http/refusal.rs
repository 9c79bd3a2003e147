//! What is said when something was not done: what happened, why, what is safe, what to do.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{pages::frame, told::told};
use crate::failure::{Ending, Failure};

/// A request that did not do what it was asked.
pub(super) struct Refusal {
    failure: Failure,
    status: StatusCode,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let status = status(failure.ending);
        Self { failure, status }
    }
}

impl Refusal {
    /// What is not there.
    pub fn not_there() -> Self {
        let failure = Failure::new(
            Ending::Failed,
            "There is no such page.",
            "Go back to the beginning.",
        );
        let status = StatusCode::NOT_FOUND;
        Self { failure, status }
    }

    /// More than is taken at once.
    pub fn too_long() -> Self {
        let failure = Failure::new(
            Ending::Usage,
            "That is more than kith takes at once.",
            "Nothing was changed. Forms may be 256 KB long, and files 64 MB together.",
        );
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self { failure, status }
    }

    /// A form that is not of this session.
    pub fn other_form() -> Self {
        let failure = Failure::new(
            Ending::NotAllowed,
            "This form was made before kith was opened again, so nothing was done.",
            "Go back, load the page again and send it once more.",
        );
        let status = StatusCode::FORBIDDEN;
        Self { failure, status }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { failure, status } = self;
        let body = frame::bare("That was not done", &said(&failure));
        (status, body).into_response()
    }
}

/// A failure as people read it.
pub(super) fn said(failure: &Failure) -> Markup {
    html! {
        section.alert role="alert" {
            h1 { "That was not done" }
            p { strong { (told(&failure.what)) } }
            @if !failure.why.is_empty() {
                ul { @for why in &failure.why { li { (sentence(&told(why))) } } }
            }
            p { (told(&failure.remedy)) }
            p.small { "Code: " (failure.ending.meaning()) " (" (failure.ending.code()) ")" }
        }
        p { a href="/" { "Back to the beginning" } }
    }
}

/// Reasons come as errors are written, in lower case and without an end.
fn sentence(why: &str) -> String {
    let mut chars = why.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let mut said: String = first.to_uppercase().chain(chars).collect();
    if !said.ends_with(['.', '?', '!']) {
        said.push('.');
    }
    said
}

/// A refusal before anything is known of who asks.
pub(super) fn plain(status: StatusCode, what: &str, remedy: &str) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "kith" } }
            body { h1 { (what) } p { (told(remedy)) } }
        }
    };
    (status, frame::Html(page)).into_response()
}

const fn status(ending: Ending) -> StatusCode {
    match ending {
        Ending::Done => StatusCode::OK,
        Ending::Usage | Ending::NotUnderstood | Ending::Partly => StatusCode::BAD_REQUEST,
        Ending::NotAllowed => StatusCode::FORBIDDEN,
        Ending::Failed | Ending::NeedsPerson => StatusCode::CONFLICT,
        Ending::NoNode
        | Ending::NotRunning
        | Ending::Locked
        | Ending::NewerVersion
        | Ending::TryAgain => StatusCode::SERVICE_UNAVAILABLE,
        Ending::CannotReach => StatusCode::BAD_GATEWAY,
    }
}
