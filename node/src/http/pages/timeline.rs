//! What happened when, and when it arrived.

use axum::extract::{Path, Query};
use maud::html;
use serde::Deserialize;

use super::{
    Answer,
    frame::{Tab, Where},
    page, parts,
};
use crate::{
    api::{Reply, Request},
    control::odd_answer,
    http::{visitor::Visitor, words},
};

/// Lines of a page.
const LINES: usize = 100;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default = "first")]
    page: usize,
}

const fn first() -> usize {
    1
}

/// `/r/RECORD/timeline`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let heading = visitor.heading(Some(&record)).await?;
    let request = Request::Timeline {
        record: record.clone(),
    };
    let Reply::Timeline(happened) = visitor.ask(request).await? else {
        return Err(odd_answer().into());
    };
    let pages = happened.len().div_ceil(LINES).max(1);
    let at = asked.page.clamp(1, pages);
    let lines = happened.iter().skip((at - 1) * LINES).take(LINES);
    let main = html! {
        h1 { "Timeline" }
        p { "When it happened, as it was written down; what arrived here much later says so. Newest first." }
        @if happened.is_empty() { p.panel { "Nothing of this record is known to this node yet." } }
        ul.things.panel {
            @for happened in lines {
                li {
                    span.small { (words::section(&happened.section)) ": " }
                    (parts::thing(&record, happened))
                }
            }
        }
        (parts::pager(&format!("/r/{record}/timeline"), at, pages))
    };
    let place = Where::OfRecord(Tab::Timeline);
    Ok(page(&visitor, &heading, ("Timeline", place), &main))
}
