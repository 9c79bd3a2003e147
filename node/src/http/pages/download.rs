//! A record given back as files.

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::html;

use super::{
    Answer,
    frame::{Tab, Where, token},
    page,
    parts::Field,
};
use crate::{
    api::{BundleTo, ExportForm, Exported, Reply, Request},
    control::odd_answer,
    failure::Failure,
    http::{forms::Sent, refusal::Refusal, visitor::Visitor},
    node::Node,
};

/// `/r/RECORD/download`.
pub(super) async fn show(visitor: Visitor, Path(record): Path<String>) -> Answer {
    let heading = visitor.heading(Some(&record)).await?;
    let action = |form: &str| format!("/r/{record}/download/{form}");
    let main = html! {
        h1 { "Download" }
        p { "Whoever has a file can read it. Each download stands under Who looked." }
        form.panel method="post" action=(action("ips")) {
            (token(&visitor.session))
            h2 { "Patient summary" }
            p { "An International Patient Summary (FHIR), which other systems understand." }
            button.main { "Download the summary" }
        }
        form.panel method="post" action=(action("pdf")) {
            (token(&visitor.session))
            h2 { "Patient summary to read" }
            p { "The same as a PDF, for whoever has no such system. The FHIR is inside it." }
            button { "Download the PDF" }
        }
        form.panel method="post" action=(action("ndjson")) {
            (token(&visitor.session))
            h2 { "Everything as it was received" }
            p { "One FHIR resource a line, exactly as each came." }
            button { "Download all" }
        }
        form.panel method="post" action=(action("bundle")) {
            (token(&visitor.session))
            h2 { "Everything, signed and sealed" }
            p { "One file for another kith node: it keeps who signed what." }
            (Field { name: "passphrase", label: "A passphrase for the file", kind: "password", required: true, ..Field::TEXT }.draw())
            button { "Download the sealed file" }
        }
    };
    let at = Where::OfRecord(Tab::Download);
    Ok(page(&visitor, &heading, ("Download", at), &main))
}

/// Gives the file. It is a form since it writes who looked.
pub(super) async fn download(Path((record, form)): Path<(String, String)>, sent: Sent) -> Answer {
    let (kind, name, bytes) = match form.as_str() {
        "ips" => {
            let text = text(&sent, &record, ExportForm::Ips).await?;
            ("application/fhir+json", "summary.json", text)
        }
        "pdf" => {
            let work = move |node: &mut Node| {
                node.as_bytes(|node, path| written(node, record, ExportForm::Pdf(path)))
            };
            let bytes = sent.by.work(work).await?;
            ("application/pdf", "summary.pdf", bytes)
        }
        "ndjson" => {
            let text = text(&sent, &record, ExportForm::Ndjson).await?;
            ("application/fhir+ndjson", "record.ndjson", text)
        }
        "bundle" => {
            let to = BundleTo::Passphrase(sent.text("passphrase").to_owned());
            let work = move |node: &mut Node| {
                node.as_bytes(|node, path| written(node, record, ExportForm::Bundle { path, to }))
            };
            let bytes = sent.by.work(work).await?;
            ("application/octet-stream", "record.kith", bytes)
        }
        _ => return Err(Refusal::not_there()),
    };
    Ok(file(kind, name, bytes))
}

async fn text(sent: &Sent, record: &str, form: ExportForm) -> Result<Vec<u8>, Failure> {
    let request = Request::Export {
        record: record.to_owned(),
        form,
    };
    let Reply::Exported(Exported {
        text: Some(text), ..
    }) = sent.by.ask(request).await?
    else {
        return Err(odd_answer());
    };
    Ok(text.into_bytes())
}

fn written(node: &mut Node, record: String, form: ExportForm) -> Result<(), Failure> {
    let request = Request::Export { record, form };
    node.handle(request, &mut |_| {}).map(drop)
}

/// A file that a browser saves.
pub(super) fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let said = format!("attachment; filename=\"{name}\"");
    if let Ok(said) = HeaderValue::from_str(&said) {
        headers.insert(header::CONTENT_DISPOSITION, said);
    }
    response
}
