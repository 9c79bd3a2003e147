//! Health formats: what a record says in words, and in the forms that other software reads.

pub mod attest;
pub mod drugs;
pub mod fhir;
pub mod forms;
pub mod gaps;
pub mod genes;
pub mod hl7v2;
pub mod ips;
pub mod line;
pub mod paper;
pub mod replaced;
pub mod search;
pub mod work;
