//! Who can see what of a record: the list, a new share, changing one, stopping one.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use jiff::ToSpan;
use kith_crdt::Section;
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Tab, Where, token},
    go, page,
    parts::{self, Field, check, radio},
};
use crate::{
    api::{Keep, Reply, Request, ShareLine, ShareRequest, ShareTerms, Side, Status},
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, sessions::Session, visitor::Visitor, words},
    node::{Heading, start_of},
};

/// `/r/RECORD/sharing`.
pub(super) async fn list(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Done>,
) -> Answer {
    let heading = visitor.heading(Some(&record)).await?;
    let shares = shares(&visitor, &record).await?;
    let of = |wanted: fn(&ShareLine) -> bool| {
        shares
            .iter()
            .filter(|share| wanted(share))
            .collect::<Vec<_>>()
    };
    let main = html! {
        (parts::done(&asked))
        h1 { "Sharing" }
        p { a.button.main href=(format!("/r/{record}/sharing/new")) { "Share with somebody" } }
        (group(&record, "Waiting for somebody to join", &of(|share| share.state == "waiting")))
        (group(&record, "Shared by you", &of(|share| share.side == Side::FromUs && share.is_open())))
        (group(&record, "Shared with you", &of(|share| share.side == Side::WithUs && share.is_open())))
        (group(&record, "Shared by others", &of(|share| share.side == Side::BetweenOthers && share.is_open())))
        @if shares.is_empty() { section.panel { p { "This record is shared with nobody, as far as this node knows." } } }
        @let ended = of(|share| !share.is_open() && share.state != "waiting");
        @if !ended.is_empty() {
            details {
                summary { "Ended (" (ended.len()) ")" }
                (group(&record, "Ended", &ended))
            }
        }
        p { a href=(format!("/r/{record}/household")) { "Household: who lives with whom, and who supports whom" } }
        p.small { "Whoever has seen something keeps it. kith cannot take back what somebody already has on their own device." }
    };
    let at = Where::OfRecord(Tab::Sharing);
    Ok(page(&visitor, &heading, ("Sharing", at), &main))
}

async fn shares(visitor: &Visitor, record: &str) -> Result<Vec<ShareLine>, Refusal> {
    let request = Request::Sharing {
        record: record.to_owned(),
    };
    let Reply::Sharing(sharing) = visitor.ask(request).await? else {
        return Err(odd_answer().into());
    };
    Ok(sharing.shares)
}

fn group(record: &str, title: &str, shares: &[&ShareLine]) -> Markup {
    html! {
        @if !shares.is_empty() {
            section.panel {
                h2 { (title) }
                ul.things { @for share in shares { li { (line(record, share)) } } }
            }
        }
    }
}

fn line(record: &str, share: &ShareLine) -> Markup {
    let path = if share.state == "waiting" {
        format!("/invitations/{}", share.id)
    } else {
        format!("/r/{record}/sharing/{}", share.id)
    };
    html! {
        a href=(path) { (whom(share)) }
        span.by { (terms(share)) }
    }
}

/// With whom, from where this node stands.
fn whom(share: &ShareLine) -> String {
    match share.side {
        Side::WithUs => format!("From {}", share.by),
        Side::FromUs if share.name.is_empty() => "Nobody has come yet".to_owned(),
        Side::FromUs => share.name.clone(),
        Side::BetweenOthers => format!("{}, from {}", share.name, share.by),
    }
}

fn terms(share: &ShareLine) -> Markup {
    html! {
        @if share.state != "active" { span.mark { (share.state) } " " }
        "can see " (words::scopes(&share.see))
        @if !share.add.is_empty() { "; can add to " (words::scopes(&share.add)) }
        @if !share.change.is_empty() { "; can change " (words::scopes(&share.change)) }
        "; " (words::until(share.until.as_deref()))
        @if share.share_on > 0 { "; may share it on" }
        @if !share.via.is_empty() { "; through " (share.via.join(", ")) }
    }
}

/// What somebody is invited to, in few words: most need no more.
const PRESETS: [(&str, &str, &str, &str); 3] = [
    (
        "family",
        "Family or friend: sees everything, adds notes, readings and tasks",
        "all:general",
        "daily-care,tasks,monitoring,results",
    ),
    (
        "organisation",
        "An organisation that cares for the person: sees everything, adds what it does",
        "all",
        "encounters,tasks,letters,results,medicines,conditions,allergies,immunisations,daily-care,monitoring,plans",
    ),
    ("some", "Only what I choose below", "", ""),
];

/// `/r/RECORD/sharing/new`.
pub(super) async fn new(visitor: Visitor, Path(record): Path<String>) -> Answer {
    if visitor.is_phone() {
        return Err(visitor.may_not());
    }
    let heading = visitor.heading(Some(&record)).await?;
    let known = known(&visitor).await?;
    let main = html! {
        h1 { "Share with somebody" }
        (form(&format!("/r/{record}/sharing/new"), &visitor.session, &known))
    };
    let at = Where::OfRecord(Tab::Sharing);
    Ok(page(&visitor, &heading, ("Share with somebody", at), &main))
}

/// The names of nodes that were met.
async fn known(visitor: &Visitor) -> Result<Vec<String>, Refusal> {
    let Reply::Status(Status { connections, .. }) = visitor.ask(Request::Status).await? else {
        return Err(odd_answer().into());
    };
    Ok(connections.into_iter().map(|other| other.name).collect())
}

fn form(action: &str, session: &Session, known: &[String]) -> Markup {
    let in_a_year = words::today().saturating_add(1.year()).to_string();
    html! {
        form.panel method="post" action=(action) {
            (token(session))
            fieldset {
                legend { "What can they do?" }
                @for (value, label, _, _) in PRESETS { (radio("preset", value, label, value == "family")) }
            }
            details {
                summary { "Choose part by part" }
                (parts_of("see", "They can see"))
                (parts_of("add", "They can add to"))
                (parts_of("change", "They can change"))
            }
            (Field { name: "until", label: "Until", hint: "The last day; you can stop earlier at any time", kind: "date", value: &in_a_year, required: true, ..Field::TEXT }.draw())
            @if !known.is_empty() {
                div.field {
                    label for="field-with" { "With" }
                    span.hint id="hint-with" { "Somebody whose node this one has met needs no invitation" }
                    select id="field-with" name="with" aria-describedby="hint-with" {
                        option value="" { "Somebody new: make an invitation" }
                        @for name in known { option value=(name) { (name) } }
                    }
                }
            }
            (check("confirm", "yes", "Ask me before whoever comes with the link gets anything (you compare check words by telephone)", true))
            p.small { "They see earlier versions too. kith cannot take back what they already have." }
            button.main { "Share" }
        }
    }
}

fn parts_of(name: &str, legend: &str) -> Markup {
    html! {
        fieldset {
            legend { (legend) }
            @for section in Section::ALL {
                (check(name, section.name(), &words::section(section.name()), false))
            }
        }
    }
}

/// Shares: by an invitation, or with somebody known.
pub(super) async fn share(Path(record): Path<String>, sent: Sent) -> Answer {
    let share = asked(record.clone(), &sent)?;
    if let Some(with) = sent.given("with") {
        sent.by.ask(Request::ShareWith { share, with }).await?;
        return Ok(go(&format!("/r/{record}/sharing?done=shared")));
    }
    let Reply::Shared(shared) = sent.by.ask(Request::Share(share)).await? else {
        return Err(odd_answer().into());
    };
    let to = format!("/invitations/{}", shared.invitation);
    sent.by.site.invitations.keep(&sent.by.session, shared);
    Ok(go(&to))
}

fn asked(record: String, sent: &Sent) -> Result<ShareRequest, Failure> {
    let preset = PRESETS
        .iter()
        .find(|(name, ..)| *name == sent.text("preset"));
    let [see, add, change] = match preset {
        Some((_, _, see, add)) if !see.is_empty() => {
            [(*see).to_owned(), (*add).to_owned(), String::new()]
        }
        Some(_) | None => {
            ["see", "add", "change"].map(|name| sent.all(name).collect::<Vec<_>>().join(","))
        }
    };
    if see.is_empty() {
        return Err(Failure::new(
            Ending::Usage,
            "Nothing was chosen that they can see.",
            "Go back and choose at least one part. Nothing was shared.",
        ));
    }
    let some = |scopes: String| (!scopes.is_empty()).then_some(scopes);
    Ok(ShareRequest {
        record,
        see,
        add: some(add),
        change: some(change),
        until: sent.text("until").to_owned(),
        confirm: sent.has("confirm"),
        terms: ShareTerms::default(),
    })
}

/// `/r/RECORD/sharing/SHARE`.
pub(super) async fn one(visitor: Visitor, Path((record, id)): Path<(String, String)>) -> Answer {
    let heading = visitor.heading(Some(&record)).await?;
    let shares = shares(&visitor, &record).await?;
    let share = shares.iter().find(|share| share.id == id);
    let share = share.ok_or_else(Refusal::not_there)?;
    let main = html! {
        h1 { (whom(share)) }
        dl.facts.panel {
            dt { "State" } dd { (share.state) }
            dt { "Can see" } dd { (words::scopes(&share.see)) }
            dt { "Can add to" } dd { (words::scopes(&share.add)) }
            dt { "Can change" } dd { (words::scopes(&share.change)) }
            dt { "Ends" } dd { (words::capital(&words::until(share.until.as_deref()))) }
            @if !share.via.is_empty() { dt { "Through" } dd { (share.via.join(", ")) } }
            dt { "Given by" } dd { (share.by) }
        }
        @if share.is_open() { (stop_form(&record, share, &visitor.session)) }
    };
    let at = Where::OfRecord(Tab::Sharing);
    let title = format!("Sharing: {}", whom(share));
    Ok(page(&visitor, &heading, (&title, at), &main))
}

fn stop_form(record: &str, share: &ShareLine, session: &Session) -> Markup {
    let (title, button) = match share.side {
        Side::WithUs => ("Give it back", "Give it back"),
        Side::FromUs | Side::BetweenOthers => ("Stop sharing", "Stop sharing"),
    };
    html! {
        section.panel {
            h2 { (title) }
            p { "From then on nothing new goes to them. kith cannot take back what they already have on their own device." }
            form method="post" action=(format!("/r/{record}/sharing/{}", share.id)) {
                (token(session))
                fieldset {
                    legend { "What they wrote so far" }
                    (radio("keep", "all", "All of it stays in the record", true))
                    (radio("keep", "after", "What they wrote after a day waits until somebody looks at it", false))
                    (Field { name: "after", label: "That day", kind: "date", ..Field::TEXT }.draw())
                }
                (check("shared-on", "yes", "Those with whom they shared it on keep what they have", false))
                button.grave { (button) }
            }
        }
    }
}

/// Stops a share.
pub(super) async fn stop(Path((record, share)): Path<(String, String)>, sent: Sent) -> Answer {
    let keep = match (sent.text("keep"), sent.given("after")) {
        ("after", Some(day)) => Keep::NoneAfter(start_of(&day)?),
        ("after", None) => {
            return Err(Failure::new(
                Ending::Usage,
                "It is not said after which day.",
                "Go back and give the day, or choose that all of it stays. Nothing was stopped.",
            )
            .into());
        }
        (_, _) => Keep::All,
    };
    let request = Request::Stop {
        record: record.clone(),
        share,
        keep,
        keep_shared_on: sent.has("shared-on"),
    };
    let Reply::Stopped(stopped) = sent.by.ask(request).await? else {
        return Err(odd_answer().into());
    };
    let heading = sent.by.heading(Some(&record)).await?;
    Ok(told(&sent.by, &heading, &record, &stopped))
}

fn told(
    visitor: &Visitor,
    heading: &Heading,
    record: &str,
    stopped: &crate::api::Stopped,
) -> Response {
    let main = html! {
        section.good role="status" {
            h1 { "Sharing with " (stopped.name) " was stopped" }
            p { (stopped.note) }
        }
        p { a.button href=(format!("/r/{record}/sharing")) { "Who can see what now" } }
    };
    let at = Where::OfRecord(Tab::Sharing);
    page(visitor, heading, ("Sharing was stopped", at), &main)
}
