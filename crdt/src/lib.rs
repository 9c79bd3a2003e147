//! What a patient record is and how it merges: pure values, no IO, no clock, no randomness.

pub mod section;

pub use section::{DocumentId, Label, Month, Section};
