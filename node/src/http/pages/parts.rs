//! Parts that several pages have.

use maud::{Markup, html};
use serde::Deserialize;

use crate::{
    api::Happened,
    http::{told::timed, words},
};

/// Things of a record, one under the other, each a link to all that it says.
pub(in crate::http) fn things(record: &str, lines: &[Happened]) -> Markup {
    html! {
        ul.things {
            @for happened in lines { li { (thing(record, happened)) } }
        }
    }
}

/// One thing of a record, with who says so, when it happened and when it arrived.
pub(in crate::http) fn thing(record: &str, happened: &Happened) -> Markup {
    let line = &happened.line;
    let struck = line.marks.iter().any(|mark| mark == "entered in error");
    html! {
        a href=(format!("/r/{record}/thing/{}", line.id)) class=[struck.then_some("struck")] { (timed(&line.text)) }
        @for mark in &line.marks { " " span.mark { (mark) } }
        span.by {
            @if let Some(when) = &happened.when { (words::moment(when)) ", " }
            (line.said_by())
            @if let Some(late) = &happened.late { " " span.late { (late) } }
        }
    }
}

/// A field of a form with its name and what helps to fill it in.
pub(in crate::http) struct Field<'f> {
    pub name: &'f str,
    pub label: &'f str,
    pub hint: &'f str,
    pub kind: &'f str,
    pub value: &'f str,
    pub required: bool,
    /// What tells it from others of the same name on one page.
    pub id: Option<&'f str>,
}

impl Field<'_> {
    pub const TEXT: Self = Self {
        name: "",
        label: "",
        hint: "",
        kind: "text",
        value: "",
        required: false,
        id: None,
    };

    pub fn draw(&self) -> Markup {
        let own = self.id.unwrap_or_default();
        let id = format!("field-{}{own}", self.name);
        let hint = format!("hint-{}{own}", self.name);
        let has_hint = !self.hint.is_empty();
        html! {
            div.field {
                label for=(id) { (self.label) @if !self.required && self.kind != "search" { span.small { " (may be left out)" } } }
                @if has_hint { span.hint id=(hint) { (self.hint) } }
                input type=(self.kind) id=(id) name=(self.name) value=(self.value)
                    aria-describedby=[has_hint.then_some(&hint)] required[self.required] autocomplete="off";
            }
        }
    }
}

/// A box to tick.
pub(in crate::http) fn check(name: &str, value: &str, label: &str, ticked: bool) -> Markup {
    let id = format!("check-{name}-{value}");
    html! {
        div.check {
            input type="checkbox" id=(id) name=(name) value=(value) checked[ticked];
            label for=(id) { (label) }
        }
    }
}

/// One of several.
pub(in crate::http) fn radio(name: &str, value: &str, label: &str, chosen: bool) -> Markup {
    let id = format!("radio-{name}-{value}");
    html! {
        div.check {
            input type="radio" id=(id) name=(name) value=(value) checked[chosen] required;
            label for=(id) { (label) }
        }
    }
}

/// What an address says was done, where a page was come to from a form.
#[derive(Default, Deserialize)]
pub(in crate::http) struct Done {
    done: Option<String>,
}

impl Done {
    /// What was done just now.
    pub fn of(key: &str) -> Self {
        Self {
            done: Some(key.to_owned()),
        }
    }
}

/// The same in a sentence.
pub(in crate::http) fn done(asked: &Done) -> Markup {
    let key = asked.done.as_deref();
    let said = DONE.iter().find(|(name, _)| Some(*name) == key);
    html! {
        @if let Some((_, said)) = said { div.good role="status" { p { (said) } } }
    }
}

/// What can have been done, by the word that stands in an address: the address is anybody's, so it
/// never holds the words themselves.
const DONE: [(&str, &str); 21] = [
    (
        "app-stopped",
        "The app reads nothing more. kith cannot take back what it has read.",
    ),
    (
        "form",
        "The answers are in the record, signed by you, with what they say.",
    ),
    ("answered", "Your answer is signed and in the record."),
    (
        "read",
        "It is signed that you have read this, and others see that.",
    ),
    ("added", "It is in the record now, signed by you."),
    (
        "changed",
        "The new version stands in the record now. The one before stays in its history.",
    ),
    (
        "mistake",
        "It is marked as entered in error. It stays in the record, struck through.",
    ),
    ("decided", "Your decision is in the record now."),
    ("filed", "The message stands in the record now."),
    ("seen", "It is noted that you have seen this."),
    ("shared", "The share was changed."),
    (
        "stopped",
        "Sharing was stopped. kith cannot take back what they already have.",
    ),
    (
        "taken-back",
        "The invitation was taken back. Nobody can use it any more.",
    ),
    ("staff-added", "They are entered as staff."),
    (
        "staff-ended",
        "They can do nothing more here. What they did stays.",
    ),
    (
        "offered",
        "The offer is in this record. Give its text to whoever looks after the other one.",
    ),
    ("agreed", "You accepted, and this record says so now."),
    ("taken-in", "What they sent is in this record now."),
    (
        "ended",
        "The link is ended here. Where the other record is elsewhere, give them the text.",
    ),
    ("retired", "That device can do nothing more in your name."),
    (
        "emergency",
        "Who may open the record in an emergency was changed.",
    ),
];

/// Which page of a long list an address asks for.
#[derive(Deserialize)]
pub(in crate::http) struct Paged {
    #[serde(default)]
    page: usize,
}

/// Lines of one page of a long list.
const LINES: usize = 100;

/// One page of a long list.
pub(in crate::http) struct Slice<'l, T> {
    pub lines: &'l [T],
    page: usize,
    pages: usize,
}

impl Paged {
    /// The page of a list that is asked for; the nearest that there is.
    pub fn of<'l, T>(&self, all: &'l [T]) -> Slice<'l, T> {
        let pages = all.len().div_ceil(LINES).max(1);
        let page = self.page.clamp(1, pages);
        let from = (page - 1) * LINES;
        let lines = &all[from..all.len().min(from + LINES)];
        Slice { lines, page, pages }
    }
}

impl<T> Slice<'_, T> {
    pub const fn is_first(&self) -> bool {
        self.page == 1
    }

    /// The way to the pages before and after.
    pub fn pager(&self, path: &str) -> Markup {
        let Self { page, pages, .. } = *self;
        html! {
            @if pages > 1 {
                nav.row aria-label="Pages of this list" {
                    @if page > 1 { a.button href=(format!("{path}?page={}", page - 1)) { "Newer" } }
                    span { "Page " (page) " of " (pages) }
                    @if page < pages { a.button href=(format!("{path}?page={}", page + 1)) { "Older" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Paged;

    #[test]
    fn a_page_that_there_is_not_is_the_nearest_that_there_is() {
        let all: Vec<usize> = (0..250).collect();
        let first = |page| Paged { page }.of(&all).lines.first().copied();
        assert_eq!(
            [0, 1, 2, 3, 99].map(first),
            [Some(0), Some(0), Some(100), Some(200), Some(200)]
        );
        assert!(Paged { page: 5 }.of::<usize>(&[]).lines.is_empty());
    }
}
