//! A record at a glance, and one section whole.

use axum::extract::{Path, Query};
use maud::{Markup, html};

use super::{
    Answer,
    frame::{Tab, Where},
    page, parts,
};
use crate::{
    api::{AllergyState, Happened},
    http::{plots, visitor::Visitor, words},
    node::{Overview, Part},
};

/// Sections that stand first, in this order: what an emergency needs.
const FIRST: [&str; 4] = ["plans", "allergies", "medicines", "conditions"];

/// Sections that a summary does not show: who the person is stands above it.
const ELSEWHERE: [&str; 2] = ["identity", "circle"];

/// Sections with values that are drawn over time.
const MEASURED: [&str; 3] = ["results", "daily-care", "monitoring"];

/// `/r/RECORD/`.
pub(super) async fn show(visitor: Visitor, Path(record): Path<String>) -> Answer {
    let word = record.clone();
    let looked = visitor.look(&record, move |node| node.overview(&word));
    let (heading, overview) = looked.await?;
    let main = html! {
        h1 { "Summary" }
        (doubts(&overview))
        div.columns {
            @for section in FIRST { (first(&record, &overview, section)) }
            (last(&record, &overview.last))
            @for part in overview.parts.iter().filter(|part| is_further(part)) { (card(&record, part, &[])) }
        }
        (not_known(&overview))
        (sources(&overview))
    };
    let at = Where::OfRecord(Tab::Summary);
    Ok(page(&visitor, &heading, ("Summary", at), &main))
}

fn is_further(part: &Part) -> bool {
    let section = part.section.as_str();
    !FIRST.contains(&section) && !ELSEWHERE.contains(&section)
}

/// What keeps this from being the whole truth.
fn doubts(overview: &Overview) -> Markup {
    let aside = |status: &str| overview.aside.get(status).copied().unwrap_or(0);
    let (contested, pending, unreadable) =
        (aside("contested"), aside("pending"), aside("unreadable"));
    html! {
        @if contested + pending + unreadable > 0 {
            section.note {
                h2 { "Not everything that is here is shown" }
                ul {
                    @if contested > 0 { li { (words::count(contested, "entry", "entries")) " do not count until somebody decides: " a href=(format!("/r/{}/review", overview.line.record)) { "To review" } } }
                    @if pending > 0 { li { (words::count(pending, "entry waits", "entries wait")) " for something that has not arrived here yet" } }
                    @if unreadable > 0 { li { (words::count(unreadable, "entry", "entries")) " could not be read by this version of kith. They are kept." } }
                }
            }
        }
        @for other in &overview.joined {
            p.note { "Another record of the same person is here: " a href=(format!("/r/{}", other.record)) { (other.person) } ". The two are shown beside each other and never merged." }
        }
    }
}

/// One of the sections that an emergency needs: shown where nothing of it is known, too.
fn first(record: &str, overview: &Overview, section: &str) -> Markup {
    let part = overview.parts.iter().find(|part| part.section == section);
    html! {
        @match part {
            Some(part) => (card(record, part, for_medicines(overview, section))),
            None => section.panel {
                h2 { (words::section(section)) }
                (for_medicines_of(record, for_medicines(overview, section)))
                @if section == "allergies" && overview.allergies == AllergyState::Recorded {
                    p { strong { "An allergy stands in another record of the same person, above." } }
                } @else {
                    p { strong { "Not known to this node." } " That is not the same as none: it may be withheld, not have arrived, or never have been written down here." }
                }
            },
        }
    }
}

/// What stands with the medicines beside them: results that say how a body deals with medicines.
fn for_medicines<'o>(overview: &'o Overview, section: &str) -> &'o [Happened] {
    match section {
        "medicines" => &overview.for_medicines,
        _ => &[],
    }
}

fn for_medicines_of(record: &str, results: &[Happened]) -> Markup {
    html! {
        @if !results.is_empty() {
            h3 { "Results that matter for medicines" }
            (parts::things(record, results))
        }
    }
}

fn card(record: &str, part: &Part, results: &[Happened]) -> Markup {
    let hidden = part.count - part.lines.len();
    html! {
        section.panel {
            h2 { (words::section(&part.section)) }
            (parts::things(record, &part.lines))
            (for_medicines_of(record, results))
            p.screen {
                a href=(format!("/r/{record}/part/{}", part.section)) {
                    @if hidden > 0 { "All " (part.count) } @else { "Look closer" }
                    span.small { " (" (words::section(&part.section)) ")" }
                }
            }
        }
    }
}

fn last(record: &str, last: &[Happened]) -> Markup {
    html! {
        section.panel.wide {
            h2 { "What came last" }
            @if last.is_empty() { p { "Nothing has come yet." } }
            ul.things {
                @for happened in last {
                    li {
                        span.small { (words::section(&happened.section)) ": " }
                        (parts::thing(record, happened))
                        span.by { "here since " (words::moment(&happened.arrived)) }
                    }
                }
            }
        }
    }
}

/// What nobody here can say anything about.
fn not_known(overview: &Overview) -> Markup {
    let further = |section: &&String| {
        !FIRST.contains(&section.as_str()) && !ELSEWHERE.contains(&section.as_str())
    };
    let sections: Vec<_> = overview
        .not_known_here
        .iter()
        .filter(further)
        .map(|section| words::section(section).to_lowercase())
        .collect();
    html! {
        @if !sections.is_empty() {
            section.panel {
                h2 { "Not known to this node" }
                p { (words::capital(&sections.join(", "))) "." }
                p.small { "Nothing of this is here. It may be withheld, not have arrived, or never have been written down: this node cannot tell which." }
            }
        }
    }
}

/// How current it is, and from whom.
fn sources(overview: &Overview) -> Markup {
    html! {
        section.panel {
            h2 { "How current this is" }
            table.stack {
                thead { tr { th scope="col" { "From" } th scope="col" { "Last heard" } th scope="col" { "Now" } th scope="col" { "Entries" } } }
                tbody {
                    @for source in &overview.as_of {
                        tr {
                            td data-head="From" { (source.source) }
                            td data-head="Last heard" { (words::moment(&source.last)) }
                            td data-head="Now" { (overview.connections.get(&source.source).map_or_else(String::new, |state| words::capital(state))) }
                            td data-head="Entries" { (source.entries) }
                        }
                    }
                }
            }
            @for controller in &overview.control {
                p.small { (controller.name) " decides about this record" @if let Some(capacity) = controller.capacity { " (" (capacity.words()) ")" } "." }
            }
            p.small { a href="/connections" { "Who is connected now" } }
        }
    }
}

/// `/r/RECORD/part/SECTION`.
pub(super) async fn part(
    visitor: Visitor,
    Path((record, section)): Path<(String, String)>,
    Query(paged): Query<parts::Paged>,
) -> Answer {
    let (word, asked) = (record.clone(), section.clone());
    let (heading, (part, series)) = visitor
        .look(&record, move |node| {
            let part = node.part(&word, &asked)?;
            let is_measured = MEASURED.contains(&asked.as_str());
            let series = is_measured.then(|| node.readings(&word, &asked));
            Ok((part, series.transpose()?.unwrap_or_default()))
        })
        .await?;
    let title = words::section(&section);
    let main = html! {
        h1 { (title) }
        @match part {
            Some(part) => {
                @let slice = paged.of(&part.lines);
                @if slice.is_first() { (plots::of(&series)) }
                section.panel { (parts::things(&record, slice.lines)) }
                (slice.pager(&format!("/r/{record}/part/{section}")))
            }
            None => section.panel {
                p { strong { "Not known to this node." } " That is not the same as none." }
            },
        }
    };
    let at = Where::OfRecord(Tab::Summary);
    Ok(page(&visitor, &heading, (&title, at), &main))
}
