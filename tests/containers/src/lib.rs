//! A town in containers: five providers, each on a machine and a network of its own, and the
//! practice on all of these networks.
//!
//! [`Engine`] makes networks, volumes and containers that carry one random name and are gone when
//! it is, whatever happened. [`Provider`] is a node in a container. [`Town`] is the five of them
//! with one record, and everything of it that anybody was told is kept.
//!
//! The tests are in `tests/`; `docs/containers.md` says how they are run.

mod engine;
mod provider;
mod town;
mod wait;

pub use engine::{Engine, Labels};
pub use provider::{Provider, Ran, Written};
pub use town::Town;
pub use wait::{never, until};
