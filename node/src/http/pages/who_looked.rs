//! Who looked at a record, as this node knows it.

use axum::extract::{Path, Query};
use maud::html;

use super::{
    Answer,
    frame::{Tab, Where},
    page, parts,
};
use crate::{
    api::{Looked, Reply, Request},
    control::odd_answer,
    http::{visitor::Visitor, words},
};

/// Looks of one person in one way on one day.
struct Day {
    who: String,
    how: String,
    last: String,
    times: usize,
    parts: Vec<String>,
}

/// `/r/RECORD/who-looked`.
pub(super) async fn show(
    visitor: Visitor,
    Path(record): Path<String>,
    Query(asked): Query<parts::Paged>,
) -> Answer {
    let request = Request::WhoLooked {
        record: record.clone(),
    };
    let (heading, Reply::Looked(looked)) = visitor.look_by(&record, request).await? else {
        return Err(odd_answer().into());
    };
    let days = by_day(&looked);
    let slice = asked.of(&days);
    let main = html! {
        h1 { "Who looked" }
        p { "Everything that was given out of this record from this node, newest first. What others read on their own nodes is not seen here." }
        @if days.is_empty() { p.panel { "Nobody has looked at this record on this node." } }
        div.panel {
            table.stack {
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "How" } th scope="col" { "What" } } }
                tbody {
                    @for day in slice.lines {
                        tr {
                            td data-head="When" { (words::moment(&day.last)) @if day.times > 1 { span.by { (day.times) " times that day" } } }
                            td data-head="Who" { (day.who) }
                            td data-head="How" { (day.how) }
                            td data-head="What" { (what(&day.parts)) }
                        }
                    }
                }
            }
        }
        (slice.pager(&format!("/r/{record}/who-looked")))
    };
    let place = Where::OfRecord(Tab::WhoLooked);
    Ok(page(&visitor, &heading, ("Who looked", place), &main))
}

fn by_day(looked: &[Looked]) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for look in looked {
        let day = look.when.get(..10);
        let parts = sections(&look.parts);
        let same = days
            .iter_mut()
            .rev()
            .take_while(|before| before.last.get(..10) == day);
        let same = same.into_iter().find(|before| {
            before.who == look.who && before.how == look.how && before.parts == parts
        });
        match same {
            Some(before) => before.times += 1,
            None => days.push(Day {
                who: look.who.clone(),
                how: look.how.clone(),
                last: look.when.clone(),
                times: 1,
                parts,
            }),
        }
    }
    days
}

/// The sections of documents such as `medicines:general`, each once.
fn sections(parts: &[String]) -> Vec<String> {
    let mut sections: Vec<String> = parts
        .iter()
        .map(|part| part.split([':', '@', '#', '/']).next().unwrap_or(part))
        .map(|part| words::section(part).to_lowercase())
        .collect();
    sections.sort_unstable();
    sections.dedup();
    sections
}

fn what(parts: &[String]) -> String {
    if parts.is_empty() {
        "that the record is here".to_owned()
    } else {
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::by_day;
    use crate::api::Looked;

    #[test]
    fn looks_of_one_day_stand_in_one_line_and_those_of_two_do_not() {
        let look = |when: &str, who: &str| Looked {
            when: when.to_owned(),
            who: who.to_owned(),
            how: "looked at it here".to_owned(),
            parts: vec!["medicines:general".to_owned()],
        };
        let days = by_day(&[
            look("2026-11-28T10:00:00Z", "Ada"),
            look("2026-11-28T09:00:00Z", "Sam"),
            look("2026-11-28T08:00:00Z", "Ada"),
            look("2026-11-27T08:00:00Z", "Ada"),
        ]);
        let told: Vec<_> = days
            .iter()
            .map(|day| (day.who.as_str(), day.times))
            .collect();
        assert_eq!(told, [("Ada", 2), ("Sam", 1), ("Ada", 1)]);
        assert_eq!(days[0].parts, ["medicines"]);
    }
}
