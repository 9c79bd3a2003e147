//! The whole system from outside.
//!
//! The tests are one binary, `tests/all.rs`; this library holds what several of them share.
