//! What happened when, and when it arrived.

use axum::extract::{Path, Query};
use maud::html;

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

/// `/r/RECORD/timeline`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Paged>,
) -> Answer {
    let request = Request::Timeline {
        record: record.clone(),
    };
    let (heading, Reply::Timeline(happened)) = visitor.look_by(&record, request).await? else {
        return Err(odd_answer().into());
    };
    let slice = asked.of(&happened);
    let main = html! {
        h1 { "Timeline" }
        p { "When it happened, as it was written down; what arrived here much later says so. Newest first." }
        @if happened.is_empty() { p.panel { "Nothing of this record is known to this node yet." } }
        ul.things.panel {
            @for happened in slice.lines {
                li {
                    span.small { (words::section(&happened.section)) ": " }
                    (parts::thing(&record, happened))
                }
            }
        }
        (slice.pager(&format!("/r/{record}/timeline")))
    };
    let place = Where::OfRecord(Tab::Timeline);
    Ok(page(&visitor, &heading, ("Timeline", place), &main))
}
