//! The researcher's half: what would a federated record change?
//!
//! A [`scenario::Scenario`] is a file that says who cares for whom, what happens to patients, what
//! goes wrong, and what is done today; every number in it is a constant, a distribution or a sweep,
//! and says where it comes from. A run ([`run::run`]) is one point of the sweep with one seed: a
//! patient after the other lives through the year ([`pathways`]), and every arm ([`arm`]) answers
//! what those who needed to know something found. The seed never changes a patient's year between
//! arms or points, so that differences are paired.
//!
//! Patients do not wait for each other: what they share, such as when a surgery's node is on the
//! network, is known before. So each has an agenda of its own, a few dozen lines long, and a
//! population costs no more than its patients one by one.

mod agenda;
pub mod arm;
pub mod carriers;
pub mod chance;
mod events;
mod fhir;
pub mod folder;
pub mod journey;
pub mod library;
mod log;
pub mod metric;
pub mod outputs;
pub mod pathways;
mod patient;
mod place;
pub mod protocol;
pub mod report;
pub mod run;
pub mod scenario;
pub mod settings;
pub mod statistics;
pub mod sweep;
pub mod table;
mod times;
