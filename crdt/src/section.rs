//! Where in a record something lives: section, label, month shard, epoch.
//!
//! The (section, label) pair is the smallest thing that can be shared, and each pair is a
//! document of its own, because an Automerge document cannot be shared in part.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The fourteen parts of a record, in the order in which they are synced and shown.
///
/// The discriminants are written into signed bytes: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Section {
    /// Who the person is, and the people and organisations named in the record.
    Identity,
    /// Allergies, intolerances and safety flags.
    Allergies,
    /// Care plans, treatment consent, ReSPECT and other advance-care documents.
    Plans,
    /// Medicines taken, prescribed, dispensed and given.
    Medicines,
    /// Problems, procedures, family history, implanted devices and goals.
    Conditions,
    /// Vaccinations.
    Immunisations,
    /// Laboratory, imaging and genomic results.
    Results,
    /// Encounters, appointments and episodes of care.
    Encounters,
    /// Work that someone has been asked to do, and messages about it.
    Tasks,
    /// Letters and documents of origin.
    Letters,
    /// Social history, carers' notes, pinned care basics.
    DailyCare,
    /// Readings from devices.
    Monitoring,
    /// Questionnaires and answers.
    Forms,
    /// Who cares for the person and who holds a copy.
    Circle,
}

impl Section {
    /// Every section, in sync order.
    pub const ALL: [Self; 14] = [
        Self::Identity,
        Self::Allergies,
        Self::Plans,
        Self::Medicines,
        Self::Conditions,
        Self::Immunisations,
        Self::Results,
        Self::Encounters,
        Self::Tasks,
        Self::Letters,
        Self::DailyCare,
        Self::Monitoring,
        Self::Forms,
        Self::Circle,
    ];

    /// The name that people type and scripts read, such as `daily-care`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Allergies => "allergies",
            Self::Plans => "plans",
            Self::Medicines => "medicines",
            Self::Conditions => "conditions",
            Self::Immunisations => "immunisations",
            Self::Results => "results",
            Self::Encounters => "encounters",
            Self::Tasks => "tasks",
            Self::Letters => "letters",
            Self::DailyCare => "daily-care",
            Self::Monitoring => "monitoring",
            Self::Forms => "forms",
            Self::Circle => "circle",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no section called {0:?}")]
pub struct UnknownSection(pub String);

impl FromStr for Section {
    type Err = UnknownSection;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|section| section.name() == text)
            .ok_or_else(|| UnknownSection(text.to_owned()))
    }
}

/// How sensitive a part of a section is: `general`, `mental-health`, `sexual-health`,
/// `social-care`, `private`, or a word of a practice's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Box<str>);

impl Label {
    /// The longest label, in bytes.
    pub const LEN_MAX: usize = 32;

    /// What is open to every holder of the section.
    pub fn general() -> Self {
        Self("general".into())
    }

    /// Mental health.
    pub fn mental_health() -> Self {
        Self("mental-health".into())
    }

    /// Sexual health.
    pub fn sexual_health() -> Self {
        Self("sexual-health".into())
    }

    /// Social care.
    pub fn social_care() -> Self {
        Self("social-care".into())
    }

    /// For nobody but those whom the person names.
    pub fn private() -> Self {
        Self("private".into())
    }

    /// The labels that every node knows.
    pub fn built_in() -> [Self; 5] {
        [
            Self::general(),
            Self::mental_health(),
            Self::sexual_health(),
            Self::social_care(),
            Self::private(),
        ]
    }

    /// The label as text, such as `mental-health`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that cannot be a label: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be a label: use 1 to 32 lower-case letters, digits and hyphens")]
pub struct BadLabel(pub String);

impl TryFrom<String> for Label {
    type Error = BadLabel;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=Self::LEN_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(BadLabel(text))
        }
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.into()
    }
}

impl FromStr for Label {
    type Err = BadLabel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

/// One calendar month, as months since January of year 0: the shard of a high-volume section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Month(u32);

impl Month {
    /// The month of `year` (0 to 9999) and `month` (1 to 12), or nothing when out of range.
    pub const fn new(year: u32, month: u32) -> Option<Self> {
        if year <= 9999 && month >= 1 && month <= 12 {
            Some(Self(year * 12 + month - 1))
        } else {
            None
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

/// Names one document within a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId {
    /// The part of the record.
    pub section: Section,
    /// How sensitive it is.
    pub label: Label,
    /// The month, where the section is sharded by month.
    pub month: Option<Month>,
    /// Tells fresh starts apart, a later one by a higher number: growth, erasure, relabelling, a
    /// reader without history.
    pub epoch: u32,
}

impl DocumentId {
    /// The first epoch of an unsharded document.
    pub const fn first(section: Section, label: Label) -> Self {
        Self {
            section,
            label,
            month: None,
            epoch: 0,
        }
    }

    /// What all epochs of this document have in common: its first.
    #[must_use]
    pub fn family(&self) -> Self {
        Self {
            epoch: 0,
            ..self.clone()
        }
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.section, self.label)?;
        if let Some(month) = self.month {
            write!(f, "@{month}")?;
        }
        if self.epoch > 0 {
            write!(f, "#{}", self.epoch)?;
        }
        Ok(())
    }
}
