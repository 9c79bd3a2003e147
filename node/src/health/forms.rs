//! Forms: FHIR Questionnaires, what was answered, and what follows from an answer (SDC).
//!
//! Everything here is pure. A [`Form`] is read once, with bounds; [`check()`] says what of a response
//! does not fit it; [`prefill`] answers from the record, each answer with its source; [`extract`]
//! makes resources of a response. What of a form is not understood is said, never guessed.

pub mod check;
mod enabled;
pub mod extract;
pub mod finding;
pub mod form;
pub mod path;
pub mod prefill;
mod rules;
pub mod typed;

pub use check::check;
pub use finding::{Finding, Weight};
pub use form::{Form, Kind, Question};

#[cfg(test)]
mod tests;
