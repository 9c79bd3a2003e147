//! The shell: turns the engine's outputs into disk and network, and back.

pub mod api;
pub mod backup;
pub mod bench;
pub mod control;
pub mod daemon;
pub mod driver;
pub mod failure;
mod folder;
pub mod health;
pub mod hl7;
pub mod home;
pub mod http;
pub mod links;
pub mod network;
pub mod node;
pub mod opening;
mod packing;
pub mod pairing;
mod parallel;
mod percent;
pub mod place;
pub mod process;
pub mod service;
pub mod store;
pub mod wakefulness;
pub mod whereabouts;
mod words;
