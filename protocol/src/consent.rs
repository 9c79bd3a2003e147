//! Who may do what, and which entries count.

pub mod cut;
pub mod devices;
pub mod grant;
pub mod ledger;
