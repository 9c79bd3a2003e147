//! The node itself: where data goes, who is connected, backups.

use std::path::PathBuf;

use maud::{Markup, html};

use super::{
    Answer,
    frame::{Place, Where, token},
    page,
    parts::Field,
};
use crate::{
    api::{BackedUp, Connection, Problem, Reply, Request, Side, Status},
    control::odd_answer,
    failure::{Ending, Failure},
    http::{forms::Sent, refusal::Refusal, told::told, visitor::Visitor, words},
};

async fn status(visitor: &Visitor) -> Result<Status, Refusal> {
    let Reply::Status(status) = visitor.ask(Request::Status).await? else {
        return Err(odd_answer().into());
    };
    Ok(status)
}

/// `/connections`.
pub(super) async fn connections(visitor: Visitor) -> Answer {
    let heading = visitor.heading(None).await?;
    let status = status(&visitor).await?;
    let main = html! {
        h1 { "Connections" }
        (problems(&status.problems))
        @for notice in &status.notices { p.note { (notice) } }
        section.panel {
            h2 { "Other nodes" }
            @if status.connections.is_empty() { p { "This node knows no other yet. It meets one when somebody accepts an invitation." } }
            @else { (others(&status.connections)) }
            p.small { "Whoever is not connected is called again by itself; nothing is lost meanwhile." }
        }
        section.panel {
            h2 { "This node" }
            dl.facts {
                dt { "Name" } dd { (status.name) }
                dt { "Records" } dd { (status.records) }
                dt { "Reached at" } dd { @if status.addresses.is_empty() { "nowhere: it does not listen" } @else { ul { @for address in &status.addresses { li { code { (address) } } } } } }
                dt { "Folder" } dd { code { (status.home.display()) } }
            }
        }
    };
    let at = Where::OfNode(Place::Connections);
    Ok(page(&visitor, &heading, ("Connections", at), &main))
}

fn problems(problems: &[Problem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            section.alert {
                h2 { "What is wrong" }
                ul { @for problem in problems { li { strong { (told(&problem.what)) } " " (words::capital(&told(&problem.remedy))) } } }
            }
        }
    }
}

fn others(connections: &[Connection]) -> Markup {
    html! {
        table.stack {
            thead { tr { th scope="col" { "Who" } th scope="col" { "State" } th scope="col" { "Why" } th scope="col" { "Waiting" } } }
            tbody {
                @for other in connections {
                    tr {
                        td data-head="Who" { (other.name) }
                        td data-head="State" { (words::capital(&other.state)) }
                        td data-head="Why" {
                            (other.why.as_deref().map(|why| words::capital(&told(why))).unwrap_or_default())
                            @if let Some(next) = &other.next_try { span.by { "called again " @if next == "now" { "now" } @else { (words::moment(next)) } } }
                        }
                        td data-head="Waiting" { @if other.waits { "something is to be sent" } @else { "it has everything up to now" } }
                    }
                }
            }
        }
    }
}

/// `/data`.
pub(super) async fn data(visitor: Visitor) -> Answer {
    let heading = visitor.heading(None).await?;
    let Reply::Sharing(sharing) = visitor.ask(Request::AllSharing).await? else {
        return Err(odd_answer().into());
    };
    let given = visitor.work(|node| node.given_out()).await?;
    let open: Vec<_> = sharing
        .shares
        .iter()
        .filter(|share| share.side == Side::FromUs && share.state == "active")
        .collect();
    let main = html! {
        h1 { "Where data goes" }
        p { "Every share of this node, and what was sent from here. Nothing goes anywhere else." }
        section.panel {
            h2 { "Shared now" }
            @if open.is_empty() { p { "Nothing is shared from this node." } }
            ul.things {
                @for share in &open {
                    li {
                        a href=(format!("/r/{}/sharing/{}", share.record, share.id)) { (share.name) }
                        span.by { (share.person) ": can see " (words::scopes(&share.see)) "; " (words::until(share.until.as_deref())) }
                    }
                }
            }
        }
        section.panel {
            h2 { "Sent so far" }
            @if given.is_empty() { p { "Nothing was sent from this node yet." } }
            @else {
                table.stack {
                    thead { tr { th scope="col" { "To" } th scope="col" { "Last" } th scope="col" { "How much" } th scope="col" { "Of" } } }
                    tbody {
                        @for line in &given {
                            tr {
                                td data-head="To" { (line.to) }
                                td data-head="Last" { (words::moment(&line.last)) }
                                td data-head="How much" { (words::bytes(line.bytes)) " in " (words::count(line.times, "sending", "sendings")) }
                                td data-head="Of" { a href=(format!("/r/{}/who-looked", line.record)) { "record " (line.record.get(..8).unwrap_or_default()) } }
                            }
                        }
                    }
                }
            }
        }
    };
    let at = Where::OfNode(Place::Data);
    Ok(page(&visitor, &heading, ("Where data goes", at), &main))
}

/// `/backups`.
pub(super) async fn backups(visitor: Visitor) -> Answer {
    let heading = visitor.heading(None).await?;
    let main = html! {
        h1 { "Backups" }
        form.panel method="post" action="/backups" {
            (token(&visitor.session))
            p { "A sealed copy of this node in a folder, or what is new since the last one. Choose a folder on another disk. The recovery sheet opens it." }
            (Field { name: "folder", label: "The folder", hint: "Its whole name, such as /media/stick/kith", required: true, ..Field::TEXT }.draw())
            button.main { "Back up now" }
        }
    };
    let at = Where::OfNode(Place::Backups);
    Ok(page(&visitor, &heading, ("Backups", at), &main))
}

/// Copies what the node holds now, while it goes on.
pub(super) async fn back_up(sent: Sent) -> Answer {
    let folder = PathBuf::from(sent.text("folder"));
    if !folder.is_absolute() {
        return Err(Failure::new(
            Ending::Usage,
            "This is not the whole name of a folder.",
            "Begin at the root, such as /media/stick/kith. Nothing was written.",
        )
        .into());
    }
    let made = crate::daemon::back_up(&sent.by.node.driver, folder, |_| {}).await?;
    let Reply::BackedUp(BackedUp {
        folder,
        parts,
        bytes,
        written,
        is_new,
    }) = made
    else {
        return Err(odd_answer().into());
    };
    let heading = sent.by.heading(None).await?;
    let main = html! {
        section.good role="status" {
            h1 { @if is_new { "The backup was made" } @else { "The backup is up to date" } }
            dl.facts {
                dt { "Folder" } dd { code { (folder.display()) } }
                dt { "Written now" } dd { (words::bytes(written)) }
                dt { "In all" } dd { (words::bytes(bytes)) " in " (words::count(parts, "part", "parts")) }
            }
            p { "It was read again and holds. Keep the recovery sheet: without it nobody can open the backup." }
        }
    };
    let at = Where::OfNode(Place::Backups);
    Ok(page(&sent.by, &heading, ("Backups", at), &main))
}
