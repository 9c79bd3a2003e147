//! Who may do what, and which entries count.

pub mod cut;
pub mod grant;
