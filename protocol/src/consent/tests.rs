//! The status rule as stories and laws.

mod laws;
mod stories;
mod world;
