//! How pages put into words what the node says in names and numbers.

use maud::{Markup, html};

pub(super) use crate::words::{
    age, bytes, capital, count, instant, nhs_number, scopes, section, today, until, when,
};

/// A FHIR date or instant in words, as an element that programs read too.
pub(super) fn moment(text: &str) -> Markup {
    html! { time datetime=(text) { (when(text)) } }
}
