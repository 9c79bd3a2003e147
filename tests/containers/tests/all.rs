//! The one test binary of the containers.

mod compose;
mod faults;
