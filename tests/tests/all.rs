//! The one test binary of the whole system.

mod architecture;
