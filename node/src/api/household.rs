//! Household and support links: what two records say of each other because both sides agreed to it.

use serde::{Deserialize, Serialize};

pub use kith_protocol::household::Bond;

/// What is asked of a record's links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdAsk {
    /// The record.
    pub record: String,
    /// What.
    pub act: HouseholdAct,
}

/// What is done with links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HouseholdAct {
    /// They are listed.
    Show,
    /// One is offered; what comes back goes to whoever controls the other record.
    Offer {
        /// What the person of this record is to the other.
        bond: Bond,
        /// What the other is called here.
        to: String,
        /// What the person of this record is called there; as the record says where nothing is
        /// said.
        name: Option<String>,
        /// How they are reached, for the other to see.
        reach: Option<String>,
    },
    /// What somebody offered is accepted; what comes back goes to whoever offered it.
    Answer {
        /// Their text.
        text: String,
        /// What the person of this record is called there; as the record says where nothing is
        /// said.
        name: Option<String>,
        /// How they are reached, for the other to see.
        reach: Option<String>,
    },
    /// What the other side gave is read: its answer, or that it ended the link, is taken in, and
    /// an offer is only told.
    TakeIn {
        /// Their text.
        text: String,
    },
    /// One is ended; what comes back goes to the other side.
    End {
        /// Its name or the beginning of it, or whom it is with.
        link: String,
    },
}

/// The links of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdShown {
    /// The record.
    pub record: String,
    /// One by one, those that stand first.
    pub links: Vec<HouseholdLine>,
    /// What the other side is to be given; nothing where it is here, or where nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether it was an offer, which waits for an answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_offer: bool,
    /// What was done, or would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How it stands with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HouseholdState {
    /// Both sides agreed.
    Agreed,
    /// This side offered it and has no answer.
    Offered,
    /// One of the two ended it.
    Ended,
}

/// A link, from where the record stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdLine {
    /// Its name, 32 hexadecimal digits.
    pub link: String,
    /// What the person of this record is to the other.
    pub bond: Bond,
    /// In words, such as `Lives with Bert Penn`.
    pub what: String,
    /// What the other is called.
    pub name: String,
    /// How the other is reached, as they said.
    pub reach: Option<String>,
    /// How it stands.
    pub state: HouseholdState,
    /// What this side said last, for the other side to take in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give: Option<String>,
    /// Who offered it, and when.
    pub offered: String,
    /// Who accepted it, and when.
    pub answered: Option<String>,
    /// Who ended it, and when.
    pub ended: Option<String>,
}
