//! The pages of a node, for whoever sits at its machine.
//!
//! A [`Site`] listens on this machine alone. Each request passes the `door`, which refuses what
//! another site or a name that was bent to this address sends, and bounds what is left. Behind it
//! nobody sees anything without a session, and a session begins with a one-use link
//! (`sessions`). A page is made on the node's own thread's answers, as HTML that works without a
//! script; what others wrote stands in it as text, since the templates escape by themselves.
//!
//! GET changes nothing. Whatever changes something is a form with the session's own token.

mod asking;
mod connections;
mod door;
mod fhir;
mod forms;
mod live;
mod once;
mod pages;
mod plots;
mod refusal;
mod sessions;
mod signing;
mod site;
#[cfg(test)]
mod tests;
mod tls;
mod told;
mod visitor;
mod words;

pub use site::{Pages, Site, StaffPages, Wish};
