//! What every page has around it.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    api::AllergyState,
    http::{
        forms::TOKEN,
        sessions::{Session, Viewer},
        words,
    },
    node::{Heading, Person, Role},
};

/// A page on its way to a browser.
pub(in crate::http) struct Html(pub Markup);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let mut response = plain(self.0.into_string()).into_response();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
        response
    }
}

/// A page without what makes text look like another text: control characters, and marks that turn
/// the direction of all that follows. The pages themselves have none, so it came from somebody else.
fn plain(page: String) -> String {
    if page.contains(is_odd) {
        page.replace(is_odd, "\u{fffd}")
    } else {
        page
    }
}

fn is_odd(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// The pages of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Tab {
    Summary,
    Timeline,
    ToDo,
    Plans,
    Sharing,
    WhoLooked,
    Review,
    Add,
    Download,
    Emergency,
}

impl Tab {
    const ALL: [Self; 10] = [
        Self::Summary,
        Self::Timeline,
        Self::ToDo,
        Self::Plans,
        Self::Add,
        Self::Review,
        Self::Sharing,
        Self::WhoLooked,
        Self::Emergency,
        Self::Download,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Timeline => "Timeline",
            Self::ToDo => "To do",
            Self::Plans => "Plans",
            Self::Sharing => "Sharing",
            Self::WhoLooked => "Who looked",
            Self::Review => "To review",
            Self::Add => "Add",
            Self::Download => "Download",
            Self::Emergency => "Emergency page",
        }
    }

    /// Whether somebody comes there at all: a phone only looks.
    const fn is_for(self, viewer: &Viewer) -> bool {
        match self {
            Self::Summary
            | Self::Timeline
            | Self::ToDo
            | Self::Plans
            | Self::Sharing
            | Self::WhoLooked
            | Self::Review
            | Self::Emergency => true,
            Self::Add | Self::Download => !matches!(viewer, Viewer::Phone),
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Summary => "",
            Self::Timeline => "/timeline",
            Self::ToDo => "/to-do",
            Self::Plans => "/plans",
            Self::Sharing => "/sharing",
            Self::WhoLooked => "/who-looked",
            Self::Review => "/review",
            Self::Add => "/add",
            Self::Download => "/download",
            Self::Emergency => "/emergency",
        }
    }
}

/// The pages of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Place {
    Records,
    Inbox,
    Review,
    Data,
    Apps,
    Connections,
    Devices,
    Staff,
    Backups,
}

impl Place {
    const fn name(self, is_person: bool) -> &'static str {
        match self {
            Self::Records if is_person => "Records",
            Self::Records => "People",
            Self::Inbox if is_person => "To do",
            Self::Inbox => "Inbox",
            Self::Review => "To review",
            Self::Data => "Where data goes",
            Self::Apps => "Apps",
            Self::Connections => "Connections",
            Self::Devices => "Devices",
            Self::Staff => "Staff",
            Self::Backups => "Backups",
        }
    }

    /// Whether somebody comes there at all.
    const fn is_for(self, viewer: &Viewer) -> bool {
        match self {
            Self::Records | Self::Inbox | Self::Review | Self::Connections => true,
            Self::Data | Self::Apps | Self::Devices | Self::Staff | Self::Backups => {
                matches!(viewer, Viewer::Owner)
            }
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Records => "/records",
            Self::Inbox => "/inbox",
            Self::Review => "/review",
            Self::Data => "/data",
            Self::Apps => "/apps",
            Self::Connections => "/connections",
            Self::Devices => "/devices",
            Self::Staff => "/staff",
            Self::Backups => "/backups",
        }
    }

    const fn of(is_person: bool) -> &'static [Self] {
        if is_person {
            &[
                Self::Records,
                Self::Inbox,
                Self::Review,
                Self::Data,
                Self::Apps,
                Self::Connections,
                Self::Devices,
                Self::Backups,
            ]
        } else {
            &[
                Self::Records,
                Self::Inbox,
                Self::Review,
                Self::Data,
                Self::Apps,
                Self::Connections,
                Self::Staff,
                Self::Devices,
                Self::Backups,
            ]
        }
    }
}

/// Where a page is among the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Where {
    OfRecord(Tab),
    OfNode(Place),
    /// On the way to somewhere.
    Between,
}

/// A page: what it is called, where it is, and how it is kept up to date.
pub(in crate::http) struct Page<'p> {
    pub title: &'p str,
    pub at: Where,
    pub heading: &'p Heading,
    pub session: &'p Session,
    /// A page that waits for something is loaded again after so many milliseconds.
    pub waits_ms: Option<u32>,
}

impl Page<'_> {
    /// The whole page.
    pub fn around(&self, main: &Markup) -> Html {
        let is_person = self.heading.role == Some(Role::Person);
        let body = html! {
            (skip())
            header.top {
                div {
                    a.name href="/" { (self.heading.owner) }
                    nav.top-menu aria-label="This node" { (self.places(is_person)) }
                    span.state { (freshness(self.heading)) }
                    a.to-menu href="#menu" { "Menu" }
                }
            }
            @if let Some(person) = &self.heading.person {
                (banner(person))
                (tabs(person, self.at, &self.session.viewer))
            }
            main id="main" tabindex="-1" {
                p.note id="news" hidden { "Something new has come. " a href="" { "Show it" } }
                p.alert id="late" role="alert" hidden { "The time of something that is to be done has passed just now. " a href="" { "Show the page anew" } }
                p.alert id="gone" hidden { "This page has lost its node: it may have stopped. What you see may be old." }
                @if self.session.viewer == Viewer::Phone { (only_to_look(main)) } @else { (main) }
                // Nothing is loaded again under somebody's eyes without a script that sees whether it changed.
                @if self.waits_ms.is_some() { p { a.button href="" { "Look again" } } }
            }
            footer.bottom {
                nav.end-menu id="menu" aria-label="This node" { h2 { "Menu" } (self.places(is_person)) }
                p { "What others share stays with them and with you. kith cannot take back what somebody already has." }
                form method="post" action="/leave" { (token(self.session)) button { "Close these pages" } }
            }
        };
        document(self.title, &body, Some(self))
    }
}

impl Page<'_> {
    /// The pages of the node: at the top of a wide window, at the end of a narrow one.
    fn places(&self, is_person: bool) -> Markup {
        html! {
            ul {
                @for place in Place::of(is_person).iter().filter(|place| place.is_for(&self.session.viewer)) {
                    li { (link(place.path(), place.name(is_person), self.at == Where::OfNode(*place))) }
                }
            }
        }
    }
}

/// What a page shows to somebody who changes nothing: all but its forms, and what would only open
/// one. What others wrote is escaped, so that each form is one of the page itself.
fn only_to_look(main: &Markup) -> Markup {
    let mut looked = String::new();
    let mut rest = main.0.as_str();
    while let Some((before, form)) = rest.split_once("<form") {
        looked.push_str(before);
        let (form, after) = form.split_once("</form>").unwrap_or((form, ""));
        let (tag, _) = form.split_once('>').unwrap_or((form, ""));
        if tag.contains("role=\"search\"") {
            looked.push_str(&format!("<form{form}</form>"));
        }
        rest = after;
    }
    looked.push_str(rest);
    PreEscaped(without_empty_details(&looked))
}

/// Without what opens and has nothing in it.
fn without_empty_details(page: &str) -> String {
    let mut kept = String::new();
    let mut rest = page;
    while let Some((before, details)) = rest.split_once("<details") {
        kept.push_str(before);
        let (inside, after) = details.split_once("</details>").unwrap_or((details, ""));
        let shown = inside
            .split_once("</summary>")
            .map_or(inside, |(_, shown)| shown);
        if !shown.is_empty() {
            kept.push_str(&format!("<details{inside}</details>"));
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// A page of somebody who has no session, or of what failed.
pub(in crate::http) fn bare(title: &str, main: &Markup) -> Html {
    let body = html! {
        (skip())
        header.top { div { span.name { "kith" } } }
        main id="main" tabindex="-1" { (main) }
    };
    document(title, &body, None)
}

fn document(title: &str, body: &Markup, page: Option<&Page<'_>>) -> Html {
    let waits = page.and_then(|page| page.waits_ms);
    let end = page.map(|page| page.heading.end);
    Html(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " - kith" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/icon.svg";
                script src="/script.js" defer {}
            }
            body data-end=[end] data-waits=[waits] { (body) }
        }
    })
}

fn skip() -> Markup {
    html! { a.skip href="#main" { "Skip to the page" } }
}

fn link(path: &str, name: &str, is_here: bool) -> Markup {
    html! { a href=(path) aria-current=[is_here.then_some("page")] { (name) } }
}

/// Whether the node is up to date with others.
fn freshness(heading: &Heading) -> String {
    let Heading {
        known,
        waiting,
        away,
        ..
    } = heading;
    let is_coming = |person: &Person| !person.doubts.coming.is_empty();
    match (known, away, waiting) {
        (_, 0, 0) if heading.person.as_ref().is_some_and(is_coming) => "Receiving".to_owned(),
        (0, ..) => "Shared with nobody yet".to_owned(),
        (_, 0, 0) => "Up to date".to_owned(),
        (_, 0, n) => format!("Sending to {n}"),
        (known, away, 0) if known == away => "Not connected".to_owned(),
        (_, away, 0) => format!("{away} not connected"),
        (_, away, waiting) => format!("{away} not connected, waiting to send to {waiting}"),
    }
}

fn banner(person: &Person) -> Markup {
    let line = &person.line;
    html! {
        section.person aria-label="Whose record this is" {
            div {
                p.who { (line.person) }
                dl {
                    div {
                        dt { "Born " }
                        dd {
                            @match line.born.as_deref() {
                                Some(born) => {
                                    (words::moment(born))
                                    @if let Some(age) = words::age(born) { " (" (age) " years)" }
                                }
                                None => "not known here",
                            }
                        }
                    }
                    div {
                        dt { "NHS number " }
                        dd {
                            @match line.nhs_number.as_deref() {
                                Some(number) => (words::nhs_number(number)),
                                None => "not known here",
                            }
                        }
                    }
                    div { dt { "Allergies " } dd { (allergies(person)) } }
                }
                (doubts(person))
            }
        }
    }
}

/// What may be missing on every page of a record, and from whom.
fn doubts(person: &Person) -> Markup {
    html! {
        @if !person.doubts.coming.is_empty() {
            p.mind { "Not everything has come yet from " (person.doubts.coming.join(", ")) ": what stands here may be a part." }
        }
        @if !person.doubts.away.is_empty() {
            p.mind {
                "Not connected now: "
                @for (n, source) in person.doubts.away.iter().enumerate() {
                    @if n > 0 { "; " }
                    (source.name) @if let Some(last) = &source.last { ", last heard " (words::moment(last)) }
                }
                ". There may be something newer that is not here."
            }
        }
    }
}

fn allergies(person: &Person) -> Markup {
    match person.allergies {
        AllergyState::Recorded => html! { span.allergic { (person.allergic_to.join("; ")) } },
        AllergyState::NoneKnown => html! { "No known allergies" },
        AllergyState::NotKnownHere => html! { strong { "Not known to this node" } },
    }
}

fn tabs(person: &Person, at: Where, viewer: &Viewer) -> Markup {
    let record = &person.line.record;
    html! {
        nav.nav aria-label="This record" {
            div {
                ul {
                    @for tab in Tab::ALL.into_iter().filter(|tab| tab.is_for(viewer)) {
                        li {
                            (link(&format!("/r/{record}{}", tab.path()), tab.name(), at == Where::OfRecord(tab)))
                            @if tab == Tab::Review && person.to_review > 0 {
                                " " span.badge { (person.to_review) }
                            }
                            @if tab == Tab::ToDo {
                                span data-stands="late" { @if person.late > 0 { " " span.badge { (person.late) " late" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The field that says that a form is of this session.
pub(in crate::http) fn token(session: &Session) -> Markup {
    html! { input type="hidden" name=(TOKEN) value=(session.form.as_str()); }
}

/// Markup that this node made itself, such as a QR code.
pub(in crate::http) fn drawn(svg: String) -> Markup {
    PreEscaped(svg)
}

#[cfg(test)]
mod tests {
    use maud::PreEscaped;

    use super::{only_to_look, plain};

    #[test]
    fn whoever_only_looks_gets_no_form_but_a_search() {
        let page = "<p>a</p><form method=\"post\"><button>b</button></form><details><summary>c</summary>\
             <form>d</form></details><form role=\"search\">e</form><details class=\"panel\"><summary>f</summary>g</details>";
        let looked = only_to_look(&PreEscaped(page.to_owned()));
        assert_eq!(
            looked.0,
            "<p>a</p><form role=\"search\">e</form><details class=\"panel\"><summary>f</summary>g</details>"
        );
    }

    #[test]
    fn what_turns_text_around_is_seen_to_have_been_there() {
        let page = "5 mg \u{202e}gm 05\u{0}\u{2067}";
        assert_eq!(plain(page.to_owned()), "5 mg \u{fffd}gm 05\u{fffd}\u{fffd}");
        let honest = "שלום\n\u{200f}a\u{200d}b\ttab";
        assert_eq!(plain(honest.to_owned()), honest);
    }
}
