//! Random histories: everything that people do and everything that goes wrong, drawn from a seed,
//! beside a small reference model and with checkers for every invariant after each step.
//!
//! A history is a list of [`Step`]s. [`History::play`] plays it in a world of its own; what it finds
//! is a [`Failure`] in words. [`shrink`] leaves steps out while the same checker goes on failing, and
//! a [`Trace`] is what is kept of one.

mod check;
mod draw;
mod failure;
mod model;
mod play;
mod shrink;
mod step;
mod trace;

pub use self::{
    draw::{Fault, faults, steps},
    failure::{Failure, Invariant},
    play::{History, Played},
    shrink::shrink,
    step::{NotAStep, Step, Verb},
    trace::{NotATrace, Trace},
};
