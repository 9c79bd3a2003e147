//! The status rule as stories and laws.

mod cuts;
mod documents;
mod keys;
mod laws;
mod stories;
mod words;
mod world;
