//! The emergency page: what a stranger in a hurry needs, on one sheet of paper; and who may open
//! the record in an emergency.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use maud::{Markup, html};

use super::{
    Answer,
    download::file,
    frame::{Tab, Where, drawn, token},
    go, page,
    parts::{self, Field},
};
use crate::{
    api::{AllergyState, EmergencyChange, EmergencyShown, Reply, Request},
    control::odd_answer,
    http::{forms::Sent, refusal::Refusal, sessions::Session, visitor::Visitor, words},
    node::{Overview, Part},
    pairing::code,
};

/// `/r/RECORD/emergency`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    sheet(&visitor, &record, &asked, None).await
}

/// The page, with the code that opens the record where one was just made.
async fn sheet(
    visitor: &Visitor,
    record: &str,
    done: &parts::Done,
    link: Option<&str>,
) -> Result<Response, Refusal> {
    let word = record.to_owned();
    let looked = visitor.look(record, move |node| node.overview(&word));
    let (heading, overview) = looked.await?;
    let rules = rules(visitor, record, None).await?;
    let qr = link.map(code::for_page).transpose()?;
    let main = html! {
        (parts::done(done))
        div.sheet {
        h1 { "Emergency page" }
        (needed(&overview))
        @if let (Some(qr), Some(link)) = (qr, link) {
            section.panel {
                h2 { "Opens the record" }
                div.qr { (drawn(qr)) }
                p.link { (link) }
                p.small { "Whoever has this code can open the record for some hours. You are told each time. It is shown once: print this page now." }
            }
        }
        }
        form.screen.row method="post" action=(format!("/r/{record}/emergency/paper")) {
            (token(&visitor.session))
            button.main { "Download as a PDF" }
            button type="button" data-print hidden { "Print this page" }
        }
        div.screen { (rules_panel(record, &rules, &visitor.session)) }
    };
    let at = Where::OfRecord(Tab::Emergency);
    Ok(page(visitor, &heading, ("Emergency page", at), &main))
}

async fn rules(
    visitor: &Visitor,
    record: &str,
    change: Option<EmergencyChange>,
) -> Result<EmergencyShown, Refusal> {
    let request = Request::Emergency {
        record: record.to_owned(),
        change,
    };
    let Reply::Emergency(shown) = visitor.ask(request).await? else {
        return Err(odd_answer().into());
    };
    Ok(shown)
}

fn needed(overview: &Overview) -> Markup {
    let part = |name: &str| overview.parts.iter().find(|part| part.section == name);
    html! {
        div.columns {
            section class=(if overview.allergies == AllergyState::Recorded { "alert wide" } else { "panel wide" }) {
                h2 { (words::section("allergies")) }
                @match (overview.allergies, part("allergies")) {
                    (AllergyState::Recorded, Some(part)) => (lines(part)),
                    (AllergyState::Recorded, None) => p { "They stand in another record of the same person." },
                    (AllergyState::NoneKnown, _) => p.large { "No known allergies, as somebody said." },
                    (AllergyState::NotKnownHere, _) => p.large { strong { "Not known to this node." } " That is not the same as none." },
                }
            }
            @for name in ["plans", "medicines", "conditions"] {
                section.panel {
                    h2 { (words::section(name)) }
                    @match part(name) {
                        Some(part) => (lines(part)),
                        None => p { strong { "Not known to this node." } " That is not the same as none." },
                    }
                }
            }
        }
        p.small { "As this node knew it on " (words::moment(&now())) "." }
    }
}

fn lines(part: &Part) -> Markup {
    let left_out = part.current.saturating_sub(part.lines.len());
    html! {
        ul.things {
            @for happened in part.lines.iter().take(part.current) {
                li.large {
                    (happened.line.text)
                    @for mark in &happened.line.marks { " " span.mark { (mark) } }
                    span.by { @if let Some(when) = &happened.when { (words::moment(when)) ", " } (happened.line.said_by()) @if let Some(late) = &happened.late { " " span.late { (late) } } }
                }
            }
        }
        @if part.current == 0 { p { "Nothing of this holds now: what there was has ended." } }
        @if left_out > 0 { p { strong { (left_out) " more are in the record." } } }
    }
}

fn rules_panel(record: &str, rules: &EmergencyShown, session: &Session) -> Markup {
    html! {
        section.panel {
            h2 { "Who may open this record in an emergency" }
            @if rules.allowed.is_empty() { p { "Nobody by name." } }
            @else { ul { @for name in &rules.allowed { li { (name) } } } }
            p { @if rules.has_secret { "A code on an emergency page opens it, too." } @else { "No code opens it." } }
            form method="post" action=(format!("/r/{record}/emergency/new")) {
                (token(session))
                div.row {
                    button { "Make an emergency page with a code" }
                    button name="as" value="pdf" { "The same as a PDF" }
                }
                @if rules.has_secret { p.small { "The code on earlier pages opens nothing any more then." } }
            }
            form method="post" action=(format!("/r/{record}/emergency")) {
                (token(session))
                (Field { name: "allow", label: "Also allow", hint: "The name of a node that this one has met, such as an ambulance service", required: true, ..Field::TEXT }.draw())
                button { "Allow" }
            }
        }
        @if !rules.opened.is_empty() {
            section.note {
                h2 { "Opened in an emergency" }
                ul.things {
                    @for opened in &rules.opened {
                        li {
                            strong { (opened.by) } ": " (opened.reason)
                            span.by { (words::moment(&opened.from)) " to " (words::moment(&opened.until)) ", " (opened.state) }
                        }
                    }
                }
            }
        }
    }
}

/// The page as a PDF, without a code.
pub(super) async fn on_paper(Path(record): Path<String>, sent: Sent) -> Answer {
    paper(&sent.by, &record, None).await
}

async fn paper(visitor: &Visitor, record: &str, link: Option<String>) -> Answer {
    let word = record.to_owned();
    let made = visitor.work(move |node| node.emergency_paper(&word, link));
    Ok(file("application/pdf", "emergency.pdf", made.await?))
}

fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Somebody is allowed.
pub(super) async fn change(Path(record): Path<String>, sent: Sent) -> Answer {
    let change = EmergencyChange {
        allow: sent.all("allow").map(str::to_owned).collect(),
        ..EmergencyChange::default()
    };
    rules(&sent.by, &record, Some(change)).await?;
    Ok(go(&format!("/r/{record}/emergency?done=emergency")))
}

/// A page with a new code: it is shown in the answer and never again.
pub(super) async fn with_code(Path(record): Path<String>, sent: Sent) -> Answer {
    let change = EmergencyChange {
        new_secret: true,
        ..EmergencyChange::default()
    };
    let made = rules(&sent.by, &record, Some(change)).await?;
    if sent.text("as") == "pdf" {
        return paper(&sent.by, &record, made.link).await;
    }
    sheet(
        &sent.by,
        &record,
        &parts::Done::of("emergency"),
        made.link.as_deref(),
    )
    .await
}
