//! Who may do what, and which entries count.

pub mod approval;
pub mod cut;
pub mod decision;
pub mod devices;
pub mod grant;
pub mod ledger;
pub mod status;

pub use decision::{Denial, Explanation, Issuer, Reader, Whoever, Writer};
pub use ledger::{
    ContentFacts, Controller, Effective, Emergency, Ended, Full, GrantFate, GrantState, Ledger,
    Material, ReviewItem, SaidLink, Voiding,
};
pub use status::{Cause, Fault, Missing, Status};

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
