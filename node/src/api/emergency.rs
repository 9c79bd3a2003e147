//! Who may open a record in an emergency, and opening one.

use serde::{Deserialize, Serialize};

/// A change in who may open a record in an emergency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyChange {
    /// Who may from now on, by the names of nodes that are known here.
    pub allow: Vec<String>,
    /// Who may not any more.
    pub disallow: Vec<String>,
    /// Whether a new secret is made for the emergency page; one before it opens nothing any more.
    pub new_secret: bool,
    /// Whether no secret opens the record any more.
    pub no_secret: bool,
    /// How sensitive the parts are that an emergency opens, by their labels: general where nothing
    /// was ever said.
    pub labels: Vec<String>,
}

/// Who may open a record in an emergency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyShown {
    /// The record.
    pub record: String,
    /// Who may, by their names.
    pub allowed: Vec<String>,
    /// Whether a secret opens it.
    pub has_secret: bool,
    /// Parts with which labels are opened.
    pub labels: Vec<String>,
    /// What the emergency page has in its code; shown once.
    pub link: Option<String>,
    /// Emergencies that were opened, the newest first.
    pub opened: Vec<OpenedLine>,
    /// What people should know of a change that was made.
    pub note: Option<String>,
    /// What others are asked who have to agree to the change before it holds, as text.
    pub ask: Option<String>,
}

/// An emergency that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedLine {
    /// Its id.
    pub id: String,
    /// The record.
    pub record: String,
    /// Who opened it.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
    /// Since when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// `open`, `ended`, `stopped`.
    pub state: String,
    /// Whether they had the secret of the emergency page.
    pub with_secret: bool,
    /// Whether somebody here has said that they have seen it.
    pub seen: bool,
}

/// A record to open in an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRequest {
    /// The record, or what the code of its emergency page says.
    pub what: String,
    /// Why, in words that the person and their practice will read.
    pub reason: String,
    /// For how many hours, 4 to 24.
    pub hours: u8,
}
