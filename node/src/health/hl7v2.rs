//! HL7 v2: messages as they are sent between hospitals, laboratories and practices, in versions 2.2
//! to 2.8.
//!
//! Everything here is a pure function of bytes, tables and what a record holds: [`Message`] is the
//! structure, [`Header`] what an acknowledgement needs, [`map`] turns a message into FHIR R4
//! resources, and [`explain`] says field by field what became of it. Who keeps messages, and what is
//! done with them, is in `node::inbox`.

pub mod ack;
pub mod batch;
mod charset;
pub mod explain;
pub mod frame;
pub mod map;
pub mod message;
mod tables;
mod trigger;

pub use charset::NotText;
pub use message::{Field, Header, Message, NoHeader, Repeat, Segment};
pub use tables::{NotATable, Tables};
pub use trigger::{Trigger, Waits, trigger};
