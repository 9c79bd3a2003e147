//! The one test binary of the whole system.

mod architecture;
mod harness;
mod two_nodes;
