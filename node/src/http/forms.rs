//! What a form sent, once it is known to be one of this session.

use std::sync::Arc;

use axum::{
    Form, RequestExt,
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::StreamExt;

use super::{refusal::Refusal, sessions::Secret, site::Site, visitor::Visitor};
use crate::{
    failure::{Ending, Failure},
    node::Upload,
};

/// The field of each form that says whose it is.
pub(super) const TOKEN: &str = "form";

/// Bytes of a form without files, and of one with.
pub(super) const FORM_LEN_MAX: usize = 256 * 1024;
pub(super) const UPLOAD_LEN_MAX: usize = 64 * 1024 * 1024;

/// Of what is too long so much is read and thrown away: a browser shows the answer only once it
/// could send all.
const THROWN_AWAY_LEN_MAX: usize = 1024 * 1024 * 1024;

/// Refuses what says of itself that it is too long.
pub(super) async fn bounded(request: Request, next: Next) -> Response {
    let len_max = if has_files(request.headers()) {
        UPLOAD_LEN_MAX
    } else {
        FORM_LEN_MAX
    };
    let said = request.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|said| said.to_str().ok()?.parse::<usize>().ok());
    match said {
        Some(len) if len > len_max => {
            if len <= THROWN_AWAY_LEN_MAX {
                let mut rest = request.into_body().into_data_stream();
                while let Some(Ok(_)) = rest.next().await {}
            }
            Refusal::too_long().into_response()
        }
        Some(_) | None => next.run(request).await,
    }
}

fn has_files(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// A form, with who sent it.
pub(super) struct Sent {
    pub by: Visitor,
    fields: Vec<(String, String)>,
    pub files: Vec<Upload>,
}

impl Sent {
    /// A form whose token was looked at.
    pub const fn of(by: Visitor, fields: Vec<(String, String)>) -> Self {
        Self {
            by,
            fields,
            files: Vec::new(),
        }
    }

    /// A field without spaces around it; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// A field, where something was typed.
    pub fn given(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Every value of a field, such as of boxes that were ticked.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.fields.iter();
        fields
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.trim())
    }

    /// Whether a box was ticked or a button with this name pressed.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    fn is_of(&self, token: &Secret) -> bool {
        Secret::sent(self.text(TOKEN)).is(token)
    }
}

impl FromRequest<Arc<Site>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        let sent = Self::read_from(request, site).await?;
        if sent.by.is_phone() {
            return Err(sent.by.may_not().into_response());
        }
        Ok(sent)
    }
}

/// That a form of the session asked to end it: whoever only looks may do that too.
pub(super) struct Left;

impl FromRequest<Arc<Site>> for Left {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        Sent::read_from(request, site).await.map(|_| Self)
    }
}

impl Sent {
    /// A form of this session.
    async fn read_from(request: Request, site: &Arc<Site>) -> Result<Self, Response> {
        let mut request = request;
        let by: Visitor = request.extract_parts_with_state(site).await?;
        let mut sent = Self::of(by, Vec::new());
        let read = if has_files(request.headers()) {
            let parts = Multipart::from_request(request, site).await;
            let parts = parts.map_err(|error| not_read(&error).into_response())?;
            sent.read(parts).await
        } else {
            let form = Form::<Vec<(String, String)>>::from_request(request, site).await;
            form.map(|Form(fields)| sent.fields = fields)
                .map_err(|error| not_read(&error))
        };
        read.map_err(IntoResponse::into_response)?;
        if !sent.is_of(&sent.by.session.form) {
            return Err(Refusal::other_form().into_response());
        }
        Ok(sent)
    }

    /// Takes the parts of a form with files. Nothing is kept of one whose token, which comes first,
    /// is not this session's.
    async fn read(&mut self, mut parts: Multipart) -> Result<(), Refusal> {
        while let Some(part) = parts.next_field().await.map_err(|error| not_read(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                if !self.is_of(&self.by.session.form) {
                    return Err(Refusal::other_form());
                }
                self.files.extend(upload(part).await?);
            } else {
                let text = part.text().await.map_err(|error| not_read(&error))?;
                self.fields.push((name, text));
            }
        }
        Ok(())
    }
}

/// A file; nothing where none was chosen.
async fn upload(part: Field<'_>) -> Result<Option<Upload>, Refusal> {
    let name = part.file_name().unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    let bytes = part.bytes().await.map_err(|error| not_read(&error))?;
    let is_chosen = !name.is_empty() || !bytes.is_empty();
    Ok(is_chosen.then(|| Upload {
        name,
        bytes: bytes.into(),
    }))
}

fn not_read(error: &dyn std::error::Error) -> Refusal {
    Failure::new(
        Ending::NotUnderstood,
        "What was sent did not arrive whole, or is too much at once.",
        "Nothing was changed. Forms may be 256 KB and files 64 MB long.",
    )
    .because(error)
    .into()
}
