//! The people who work for an organisation.

use axum::extract::Query;
use maud::html;

use super::{
    Answer,
    frame::{Place, Where, token},
    go, page,
    parts::{self, Field, check},
};
use crate::{
    api::{Keep, Leaving, NewStaff, Reply, Request},
    control::odd_answer,
    http::{forms::Sent, visitor::Visitor, words},
};

/// What a role may do, as people say it.
const MAY: [(&str, &str); 5] = [
    ("see", "See records"),
    ("add", "Add to them"),
    ("change", "Change what stands in them"),
    ("review", "Decide what counts"),
    ("share", "Share"),
];

/// `/staff`.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<parts::Done>) -> Answer {
    let heading = visitor.heading(None).await?;
    let Reply::Staff(list) = visitor.ask(Request::StaffList).await? else {
        return Err(odd_answer().into());
    };
    let with_accounts = visitor.work(|node| node.with_accounts()).await?;
    let main = html! {
        (parts::done(&asked))
        h1 { "Staff" }
        @if list.staff.is_empty() { p.panel { "Nobody is entered yet." } }
        @else {
            ul.things.panel {
                @for member in &list.staff {
                    li {
                        strong { (member.name) } ", " (member.role)
                        @if member.state != "active" { " " span.mark { (member.state) } }
                        span.by { "may " (member.may.replace(',', ", ")) "; since " (words::moment(&member.since)) @if member.until.is_some() { ", " (words::until(member.until.as_deref())) } }
                        @if member.state == "active" {
                            div.row {
                                form method="post" action="/staff/account" {
                                    (token(&visitor.session))
                                    input type="hidden" name="who" value=(member.id);
                                    button { @if with_accounts.contains(&member.id) { "Make a new account" } @else { "Make an account" } " for " (member.name) }
                                }
                                form method="post" action="/staff/end" {
                                    (token(&visitor.session))
                                    input type="hidden" name="who" value=(member.id);
                                    button.grave { (member.name) " leaves" }
                                }
                            }
                        }
                    }
                }
            }
        }
        form.panel method="post" action="/staff" {
            (token(&visitor.session))
            h2 { "Somebody new" }
            (Field { name: "name", label: "Name", hint: "It stays on this node; others see the role", required: true, ..Field::TEXT }.draw())
            (Field { name: "role", label: "Role", hint: "Such as nurse", required: true, ..Field::TEXT }.draw())
            fieldset { legend { "May" } @for (word, said) in MAY { (check("may", word, said, word == "see" || word == "add")) } }
            (Field { name: "until", label: "Last day", kind: "date", ..Field::TEXT }.draw())
            button.main { "Enter" }
        }
    };
    let at = Where::OfNode(Place::Staff);
    Ok(page(&visitor, &heading, ("Staff", at), &main))
}

/// Enters somebody.
pub(super) async fn add(sent: Sent) -> Answer {
    let request = Request::StaffAdd(NewStaff {
        name: sent.text("name").to_owned(),
        role: sent.text("role").to_owned(),
        may: sent.all("may").collect::<Vec<_>>().join(","),
        until: sent.given("until"),
    });
    sent.by.ask(request).await?;
    Ok(go("/staff?done=staff-added"))
}

/// A code by which somebody begins an account; shown in the answer and never again.
pub(super) async fn account(sent: Sent) -> Answer {
    let who = sent.text("who").to_owned();
    let (name, code) = sent.by.work(move |node| node.account_code(&who)).await?;
    let heading = sent.by.heading(None).await?;
    let main = html! {
        h1 { "An account for " (name) }
        section.panel {
            p { "Give this code to " (name) " and to nobody else. It works once, for seven days, and is not shown again." }
            p.words { (code) }
            p { "They open the staff pages in a browser, choose \u{201c}I have a code for a new account\u{201d}, and pick a passphrase. An account that they had before ends." }
        }
        p { a.button href="/staff" { "Back to staff" } }
    };
    let at = Where::OfNode(Place::Staff);
    Ok(page(&sent.by, &heading, ("An account", at), &main))
}

/// Somebody leaves.
pub(super) async fn end(sent: Sent) -> Answer {
    let request = Request::StaffEnd(Leaving {
        who: sent.text("who").to_owned(),
        keep: Keep::All,
    });
    sent.by.ask(request).await?;
    Ok(go("/staff?done=staff-ended"))
}
