//! The shell: turns the engine's outputs into disk and network, and back.

pub mod health;
pub mod network;
pub mod store;
