//! What happens to a person and what has to be done then: events, rules, tasks, answers, handover.
//!
//! Everything is a resource in the record, signed like the rest. How it stands is found out from what
//! is held ([`reading`]); the rules of a record make tasks of events ([`following`]); what is open
//! and until when is kept in rows, so that nobody has to look through records to know that a time
//! has passed ([`deadlines`], decision 0092).

mod answering;
mod deadlines;
mod following;
mod handover;
mod happening;
mod late;
mod reading;
mod rules;
mod tasks;
#[cfg(test)]
mod tests;

pub(super) use deadlines::Deadlines;
pub(super) use reading::signed_by;
