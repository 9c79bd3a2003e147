//! Searches. What may not be all is said to be so in the answer itself, so that an empty one is
//! never read as none.

use kith_protocol::record::Record;
use serde_json::{Value, json};

use super::{
    App, Entry, FhirAsked, FhirGiven, bundle,
    shelf::{Shelf, Thing, is_error},
};
use crate::{
    health::{
        fhir::{
            Code, Cursor, Interaction, Issue, Operation, Outcome, SearchAsked, Severity, Type,
            asked,
        },
        search::{Mark, Wanted},
    },
    node::Node,
    percent,
};

/// Bytes of a page after which another one begins.
const PAGE_LEN: usize = 8 * 1024 * 1024;

impl Node {
    pub(super) fn find_in(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
        request: &FhirAsked,
        kind: Option<&'static Type>,
    ) -> Result<FhirGiven, Outcome> {
        let search = asked(kind, &request.params, request.handling)?;
        let found = self.found(record, shelf, &search);
        let page = self.page(record, shelf, &search, &found)?;
        self.app_was_given(record, shelf, app, &page.entries)?;
        let mut issues = search.issues.clone();
        issues.extend(said_of(shelf, &search, &page, found.len()));
        let path = path_of(&request.interaction);
        let mut links = vec![(
            "self",
            url(&request.base, &path, &search, search.after.as_ref()),
        )];
        if let Some(next) = &page.next {
            links.push(("next", url(&request.base, &path, &search, Some(next))));
        }
        let mut entries: Vec<_> = page
            .entries
            .into_iter()
            .map(|entry| of_match(&request.base, entry))
            .collect();
        if !issues.is_empty() {
            entries.push(of_outcome(issues));
        }
        Ok(FhirGiven::bundle(bundle(Some(page.total), &links, entries)))
    }

    /// Everything that fits, without what was entered in error.
    pub(super) fn found<'s>(
        &self,
        record: &mut Record,
        shelf: &'s Shelf,
        search: &SearchAsked,
    ) -> Vec<&'s Thing> {
        let by_time = search.query.all.iter().flatten();
        let by_time = by_time.into_iter().any(|wanted| match wanted {
            Wanted::Updated { .. } => true,
            Wanted::Kind(_)
            | Wanted::Id(_)
            | Wanted::Token { .. }
            | Wanted::Words { .. }
            | Wanted::Time { .. } => false,
        });
        let is_of_person = search
            .persons
            .iter()
            .all(|line| line.iter().any(|person| shelf.is_person(person)));
        let things = shelf.things.iter();
        let fits = |thing: &&Thing| {
            let row = shelf.row(thing);
            let has_id = |line: &Vec<String>| {
                line.iter().any(|id| {
                    let own = id.split_once('.').map_or(id.as_str(), |(own, _)| own);
                    own == thing.id
                })
            };
            let updated_ms = if by_time {
                shelf.updated_ms(record, thing)
            } else {
                0
            };
            !is_error(row) && search.ids.iter().all(has_id) && search.query.finds(row, updated_ms)
        };
        if is_of_person {
            things.filter(fits).collect()
        } else {
            Vec::new()
        }
    }

    /// One page of what was found.
    fn page(
        &self,
        record: &mut Record,
        shelf: &Shelf,
        search: &SearchAsked,
        found: &[&Thing],
    ) -> Result<Page, Outcome> {
        let after = search.after.as_ref().map(Cursor::id);
        let begun = found
            .iter()
            .filter(|thing| after.is_none_or(|after| thing.id.as_str() > after));
        let mut page = Page {
            total: found.len(),
            ..Page::default()
        };
        let mut len = 0;
        let mut last: Option<&str> = None;
        for (n, thing) in begun.enumerate() {
            if search.count == 0 {
                break;
            }
            if n >= search.count || len >= PAGE_LEN {
                page.next = last.map(Cursor::after);
                break;
            }
            let mut entries = self.entries(record, shelf, thing)?;
            let is_asked = |entry: &Entry| {
                let ids = search.ids.iter();
                ids.into_iter()
                    .all(|line| line.iter().any(|id| *id == entry.id || *id == thing.id))
            };
            entries.retain(is_asked);
            len += entries.iter().map(|entry| entry.text.len()).sum::<usize>();
            page.entries.extend(entries);
            last = Some(&thing.id);
        }
        page.total += more_versions(self, record, shelf, found)?;
        Ok(page)
    }
}

/// A page of a search.
#[derive(Default)]
struct Page {
    entries: Vec<Entry>,
    total: usize,
    next: Option<Cursor>,
}

/// Versions that stand beside the first one of what was found.
fn more_versions(
    node: &Node,
    record: &mut Record,
    shelf: &Shelf,
    found: &[&Thing],
) -> Result<usize, Outcome> {
    let mut more = 0;
    for thing in found {
        if shelf.row(thing).marks.contains(&Mark::TwoVersions) {
            more += node.entries(record, shelf, thing)?.len().saturating_sub(1);
        }
    }
    Ok(more)
}

fn said_of(shelf: &Shelf, search: &SearchAsked, page: &Page, found: usize) -> Vec<Issue> {
    let mut issues = Vec::new();
    let of = |thing: &Thing| {
        search
            .kind
            .is_none_or(|kind| shelf.row(thing).kind == kind.name)
    };
    let is_other = search
        .persons
        .iter()
        .any(|line| !line.iter().any(|person| shelf.is_person(person)));
    if is_other {
        issues.push(Issue::warning(
            Code::NotFound,
            format!(
                "This access token opens one record, whose person is Patient/{} here; nothing is known of anybody else.",
                shelf.person_id()
            ),
        ).at("http.patient"));
    }
    if found == 0 && !is_other {
        let what = search.kind.map_or("Nothing", |kind| kind.name);
        issues.push(Issue {
            severity: Severity::Information,
            code: Code::Informational,
            what: format!(
                "{what}: nothing that fits is known here to this app. That does not say that there is none."
            ),
            expression: None,
        });
    }
    if !shelf.sees_all {
        issues.push(Issue::warning(
            Code::Incomplete,
            "This app is shown a part of the record only, so there may be more than is given here.",
        ));
    }
    if !shelf.is_controlled {
        issues.push(Issue::warning(
            Code::Incomplete,
            "This node may not hold all of the record: others can have what has not arrived here or is not shared with its owner.",
        ));
    }
    if page.entries.iter().any(|entry| entry.id.contains('.')) {
        issues.push(Issue::warning(
            Code::Conflict,
            "Some of this has versions that were written at the same time and that nobody has decided between. All of them are given, with the tag two-versions; none is picked.",
        ));
    }
    let errors = shelf
        .things
        .iter()
        .filter(|thing| of(thing) && is_error(shelf.row(thing)))
        .count();
    if errors > 0 {
        issues.push(Issue {
            severity: Severity::Information,
            code: Code::Deleted,
            what: format!("{errors} that were entered in error are not given."),
            expression: None,
        });
    }
    if search.kind.is_none() && shelf.others > 0 {
        issues.push(Issue::warning(
            Code::NotSupported,
            format!(
                "{} things of kinds that this server does not serve are not given; kith export gives everything.",
                shelf.others
            ),
        ));
    }
    issues
}

/// An entry of a search set.
pub(super) fn of_match(base: &str, entry: Entry) -> Value {
    let url = format!("{base}/{}/{}", entry.kind, entry.id);
    let members = [
        ("fullUrl", json!(url)),
        ("resource", entry.value),
        ("search", json!({"mode": "match"})),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value));
    Value::Object(members.into_iter().collect())
}

pub(super) fn of_outcome(issues: Vec<Issue>) -> Value {
    let outcome = Outcome {
        status: 200,
        issues,
    };
    json!({"resource": outcome.to_value(), "search": {"mode": "outcome"}})
}

/// The path of a search, behind the base.
fn path_of(interaction: &Interaction) -> String {
    match interaction {
        Interaction::Search(kind) | Interaction::Create(kind) => kind.name.to_owned(),
        Interaction::Operation(operation, id) => operation_path(*operation, id.as_deref()),
        Interaction::Read(kind, id) | Interaction::Update(kind, id) => {
            format!("{}/{id}", kind.name)
        }
        Interaction::Capabilities => "metadata".to_owned(),
    }
}

fn operation_path(operation: Operation, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{}/{id}/${}", operation.of_type(), operation.name()),
        None => format!("{}/${}", operation.of_type(), operation.name()),
    }
}

fn url(base: &str, path: &str, search: &SearchAsked, page: Option<&Cursor>) -> String {
    let used = search.used.iter();
    let mut pairs: Vec<_> = used
        .map(|(name, value)| format!("{}={}", percent::encoded(name), percent::encoded(value)))
        .collect();
    if let Some(page) = page {
        pairs.push(format!("_page={}", page.to_param()));
    }
    if pairs.is_empty() {
        return format!("{base}/{path}");
    }
    format!("{base}/{path}?{}", pairs.join("&"))
}
