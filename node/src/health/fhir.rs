//! A record as FHIR R4 (4.0.1) over HTTP: which types and parameters there are, what a search asks
//! for, how a resource is shown to an app, and what is said when something is refused.
//!
//! Everything here is made of values. What may be read is decided where the record is
//! (`node/src/node/fhir.rs`), and the requests come in at `node/src/http/fhir.rs`.

mod asked;
mod capability;
mod interaction;
mod names;
mod outcome;
mod scopes;
mod shown;
mod types;

pub use asked::{Cursor, Handling, SearchAsked, asked};
pub use capability::{FHIR_VERSION, capability};
pub use interaction::{Interaction, Operation, Verb, interaction};
pub use names::{Name, Names};
pub use outcome::{Code, Issue, Outcome, Severity};
pub use scopes::{AppScopes, scopes_supported};
pub use shown::{Shown, TAG_SYSTEM, instant, version_of};
pub use types::{ParamKind, SearchParam, TYPES, Type, type_named};
