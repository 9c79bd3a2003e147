//! The demo: a fall, told on four nodes that really run.

pub mod cast;
mod papers;
pub mod story;
mod told;
#[cfg(feature = "trace")]
pub mod traces;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use kith_node::failure::{Ending, Failure};

pub use told::Told;

/// Whether somebody wants the demo to end.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Ends it at the next moment at which it can be ended.
    pub fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// When somebody wants the demo to end.
    pub fn check(&self) -> Result<(), Failure> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Failure::new(
                Ending::Failed,
                "The demo was ended before its story was told.",
                "Its nodes and all that they held were removed. Run kith demo to see it again.",
            ));
        }
        Ok(())
    }
}
