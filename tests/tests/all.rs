//! The one test binary of the whole system.

mod architecture;
mod backup;
mod brought;
mod browser;
mod bundles;
mod cli_reference;
mod crashes;
mod demo;
mod events;
mod fhir;
mod folder;
mod forms;
mod harness;
mod hl7;
mod household;
mod letters;
mod network;
mod new_start;
mod pages;
mod pairing;
#[cfg(feature = "trace")]
mod parity;
mod readings;
mod readme;
mod real_data;
mod recovery;
mod sandbox;
mod shared_again;
mod sharing;
mod sync;
mod two_nodes;
mod work;
mod wrong_input;
