//! What a patient record is and how it merges: pure values, no IO, no clock, no randomness.
//!
//! A record is split into documents by [`Section`] and [`Label`]. A [`Document`] holds resources;
//! a resource is cut by its [`Shape`](shape::Shape) into registers, safety groups and lists, each
//! holding exact JSON text that some author wrote. Who may write is not this crate's business.

pub mod classify;
pub mod document;
pub mod flag;
#[cfg(test)]
mod generated;
pub mod incoming;
pub mod json;
pub mod person;
pub mod planted;
pub mod refile;
pub mod resource;
pub mod samples;
pub mod section;
pub mod shape;
pub mod vet;

pub use document::{Actor, ChangeHash, Document, Edit, Held, ResourceId, Written};
pub use resource::{Body, Meta, Resource};
pub use section::{DocumentId, Label, Month, Section};
pub use vet::{Condensed, Refusal, VETTING_VERSION, Vetted, vet};
