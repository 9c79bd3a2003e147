//! Plans for emergencies: the one that stands, who has it, and those before it.

use axum::extract::Path;
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Tab, Where},
    page,
};
use crate::{
    api::{HasIt, Known, PlanLine, PlansShown, Reply, Request},
    control::odd_answer,
    http::{visitor::Visitor, words},
    node::arrived_late,
};

/// `/r/RECORD/plans`.
pub(super) async fn show(visitor: Visitor, Path(record): Path<String>) -> Answer {
    let request = Request::Plans {
        record: record.clone(),
    };
    let (heading, Reply::Plans(plans)) = visitor.look_by(&record, request).await? else {
        return Err(odd_answer().into());
    };
    let main = html! {
        h1 { "Plans" }
        (current(&record, &plans))
        (holders(&plans))
        (further(&record, "Other plans and decisions", &plans.others))
        @if !plans.superseded.is_empty() {
            details.panel {
                summary { "Replaced or ended (" (plans.superseded.len()) ")" }
                ul.things { @for plan in &plans.superseded { li.struck { (line(&record, plan)) } } }
            }
        }
        p.screen { button type="button" data-print hidden { "Print this page" } }
    };
    let at = Where::OfRecord(Tab::Plans);
    Ok(page(&visitor, &heading, ("Plans", at), &main))
}

fn current(record: &str, plans: &PlansShown) -> Markup {
    html! {
        @if let Some(conflict) = &plans.conflict {
            section.alert {
                h2 { "Two plans stand at the same time" }
                p { (conflict) }
                @if !plans.ring.is_empty() { p.large { "Ring: " strong { (plans.ring.join(", ")) } } }
                p { a href=(format!("/r/{record}/review")) { "To review" } }
            }
        }
        @match (plans.current.is_empty(), plans.known) {
            (true, Known::Recorded | Known::NothingRecorded) => section.panel {
                h2 { "Plan for emergencies" }
                p { "No plan for emergencies is in what this node has. Somebody else may have one that was not shared with you or has not arrived." }
            },
            (true, Known::NotKnownHere) => section.panel {
                h2 { "Plan for emergencies" }
                p.large { strong { "Not known to this node." } " That is not the same as none." }
            },
            (true, Known::Withheld) => section.panel {
                h2 { "Plan for emergencies" }
                p.large { strong { "Not shared with you." } " There may be one: ask whoever shares this record." }
            },
            (false, _) => {
                @for plan in &plans.current {
                    section.panel {
                        h2 { (plan.kind) }
                        p.large { a href=(format!("/r/{record}/thing/{}", plan.id)) { (plan.text) } }
                        (facts(plan))
                    }
                }
            }
        }
    }
}

fn facts(plan: &PlanLine) -> Markup {
    html! {
        dl.facts {
            @if let Some(date) = &plan.date { dt { "Version of" } dd { (words::moment(date)) } }
            @if !plan.authors.is_empty() { dt { "Written by" } dd { (plan.authors.join(", ")) } }
            dt { "Signed by" } dd { (plan.signed_by) ", " (words::moment(&plan.signed)) (late(plan)) }
            @if let Some(due) = &plan.review_due {
                dt { "To be looked at again" }
                dd { (words::moment(due)) @if plan.review_late { " " span.overdue { "that day has passed" } } }
            }
            @if !plan.marks.is_empty() { dt { "Mind" } dd { @for mark in &plan.marks { span.mark { (mark) } " " } } }
        }
    }
}

/// That it came here long after the day that stands on it, where it did.
fn late(plan: &PlanLine) -> Markup {
    let date = plan.date.as_deref();
    let late = date.and_then(|date| arrived_late(date, &plan.signed));
    html! { @if let Some(late) = late { ": " strong { (late) } } }
}

fn holders(plans: &PlansShown) -> Markup {
    html! {
        @if plans.holders.iter().any(|holder| holder.has_it != HasIt::NoPlan) {
            section.panel {
                h2 { "Who has it" }
                table.stack {
                    thead { tr { th scope="col" { "Who" } th scope="col" { "Has it" } th scope="col" { "Since" } } }
                    tbody {
                        @for holder in &plans.holders {
                            tr {
                                td data-head="Who" { (holder.name) @if holder.is_us { " (this node)" } }
                                td data-head="Has it" {
                                    @match holder.has_it {
                                        HasIt::Confirmed => "Yes, their node said so",
                                        HasIt::NotYet => strong { "Not yet" },
                                        HasIt::NotKnownHere => "Not known here",
                                        HasIt::NoPlan => "There is none",
                                    }
                                    span.by { (holder.says) }
                                }
                                td data-head="Since" { @match &holder.since { Some(since) => (words::moment(since)), None => "not known" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn further(record: &str, title: &str, plans: &[PlanLine]) -> Markup {
    html! {
        @if !plans.is_empty() {
            section.panel {
                h2 { (title) }
                ul.things { @for plan in plans { li { (line(record, plan)) } } }
            }
        }
    }
}

fn line(record: &str, plan: &PlanLine) -> Markup {
    html! {
        a href=(format!("/r/{record}/thing/{}", plan.id)) { (plan.text) }
        @for mark in &plan.marks { " " span.mark { (mark) } }
        span.by {
            (plan.kind) @if let Some(date) = &plan.date { ", " (words::moment(date)) }
            ", signed by " (plan.signed_by) (late(plan))
            @if plan.status != "current" { ", " (plan.status) }
        }
    }
}
