//! Records, what is in them, and who looked.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::ControllerLine;
use crate::health::{gaps::Gap, genes::MATTERS, search::Mark};

/// A person whose record begins empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewPerson {
    /// Family name.
    pub family: String,
    /// Given names.
    pub given: Vec<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub birth_date: Option<String>,
    /// Ten digits.
    pub nhs_number: Option<String>,
}

/// Something added from the keyboard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Addition {
    /// A note in words.
    Note(String),
    /// A reading: what, value, unit.
    Reading {
        /// Such as `pulse`.
        what: String,
        /// As written, such as `36.60`.
        value: String,
        /// Such as `/min`.
        unit: Option<String>,
    },
    /// A basic of somebody's care, which is in every handover until it is ended.
    Basics(String),
    /// A result that somebody has on paper: of a laboratory, of a genetic test.
    Result {
        /// What was tested, such as `CYP2D6`.
        what: String,
        /// What came of it: a number, or words.
        value: String,
        /// Of a number.
        unit: Option<String>,
        /// The day that stands on it: a FHIR date; today where nothing is said.
        date: Option<String>,
        /// Who tested it.
        laboratory: Option<String>,
    },
    /// A medicine in words.
    Medicine {
        /// Name and strength.
        name: String,
        /// How it is taken.
        dose: Option<String>,
    },
    /// Work for someone.
    Task {
        /// What.
        what: String,
        /// Until when.
        by: Option<String>,
    },
    /// A file.
    Letter {
        /// Where it is.
        file: PathBuf,
        /// What it is.
        title: Option<String>,
        /// The day that stands on it: a FHIR date.
        date: Option<String>,
        /// The letter whose place it takes, by its id in the record.
        replaces: Option<String>,
    },
}

/// A record that was begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordMade {
    /// Its id.
    pub record: String,
    /// Other records here that may be of the same person, with what speaks for it.
    pub alike: Vec<Alike>,
}

/// A record that may be of the same person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    /// Its id.
    pub record: String,
    /// Its person.
    pub person: String,
    /// What speaks for it.
    pub evidence: Vec<String>,
}

/// One record in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordLine {
    /// Its id.
    pub record: String,
    /// `SURNAME, Given`.
    pub person: String,
    /// As recorded.
    pub born: Option<String>,
    /// As recorded.
    pub nhs_number: Option<String>,
}

/// A record on a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordShown {
    /// Its id.
    pub record: String,
    /// Its person.
    pub person: RecordLine,
    /// How many entries are held.
    pub envelopes: usize,
    /// How many entries have each status.
    pub status: BTreeMap<String, usize>,
    /// Equal digests mean equal records.
    pub digest: String,
    /// How current it is, by source.
    pub as_of: Vec<AsOf>,
    /// Whether allergies are recorded, said to be none, or not known to this node.
    pub allergies: AllergyState,
    /// Other records that are said to be of the same person.
    pub same_person: Vec<String>,
    /// Who controls it.
    pub control: Vec<ControllerLine>,
    /// Sections that this node may see, with what they hold.
    pub sections: Vec<SectionShown>,
    /// Sections and labels that this node is not shown or does not hold.
    pub not_known_here: Vec<String>,
    /// From whom something of it may be missing here.
    #[serde(flatten)]
    pub doubts: Doubts,
    /// Other records of the same person that are here, shown beside it and never merged.
    pub joined: Vec<JoinedRecord>,
}

/// Another record of the same person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinedRecord {
    /// The record.
    pub record: String,
    /// Its person.
    pub person: RecordLine,
    /// Whether allergies are recorded in it, said to be none, or not known to this node.
    pub allergies: AllergyState,
    /// Who controls it.
    pub control: Vec<ControllerLine>,
    /// What it holds.
    pub sections: Vec<SectionShown>,
    /// How current it is, by source.
    pub as_of: Vec<AsOf>,
}

/// A word on two records being of one person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SamePersonRequest {
    /// The one.
    pub record: String,
    /// The other: the whole id where it is not here.
    pub other: String,
    /// The word.
    pub word: LinkWord,
    /// Why.
    pub because: Option<String>,
}

/// What is said of two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkWord {
    /// They may be of one person.
    Propose,
    /// They are.
    Confirm,
    /// They are not.
    Withdraw,
}

/// The three states of the allergies section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllergyState {
    /// At least one is recorded.
    Recorded,
    /// Someone said that none is known.
    NoneKnown,
    /// Nothing is known to this node.
    NotKnownHere,
}

/// From whom something of a record may be missing here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubts {
    /// Those of whom not everything that they share of it has come yet since they were met.
    pub coming: Vec<String>,
    /// Those who write in it or decide about it and are not connected: something newer may be there.
    pub away: Vec<AwaySource>,
}

/// Somebody from whom something of a record comes, and who is not connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaySource {
    /// What they call themselves.
    pub name: String,
    /// The last time that they claim, RFC 3339; nothing where nothing of theirs is here.
    pub last: Option<String>,
}

/// How current a record is from one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    /// Who.
    pub source: String,
    /// The last time that they claim, RFC 3339.
    pub last: String,
    /// How many entries.
    pub entries: usize,
}

/// A section on a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionShown {
    /// Its name.
    pub section: String,
    /// Its label.
    pub label: String,
    /// What it holds.
    pub lines: Vec<Line>,
}

/// One resource in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The resource.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// Who says so: whoever made it.
    pub by: String,
    /// Others by whom something of it was written that stands now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_by: Vec<String>,
    /// When it happened, as recorded.
    pub when: Option<String>,
    /// `two versions`, `to review`, `entered in error`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Of a result that a person brought: that no laboratory of the NHS has verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought: Option<String>,
    /// Who has seen and accepts such a result, each in a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

impl Line {
    /// Whether it says how a body deals with medicines.
    pub fn matters_for_medicines(&self) -> bool {
        let wrong = Mark::EnteredInError.words();
        self.marks.iter().any(|mark| mark == MATTERS)
            && !self.marks.iter().any(|mark| mark == wrong)
    }

    /// Says of a letter whose place another took that it was replaced.
    pub(crate) fn note_replaced(&mut self, replaced: &BTreeMap<String, String>) {
        if replaced.contains_key(&self.id) {
            self.marks.push(Mark::Replaced.words().to_owned());
        }
    }

    /// Everybody who says something of it.
    pub fn said_by(&self) -> String {
        let by = self.brought.as_ref().unwrap_or(&self.by);
        let mut said = by.clone();
        if !self.changed_by.is_empty() {
            said.push_str(&format!(", changed by {}", self.changed_by.join(", ")));
        }
        for accepted in &self.accepted {
            said.push_str("; ");
            said.push_str(accepted);
        }
        said
    }
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When, as recorded.
    pub when: Option<String>,
    /// When its entry was signed, RFC 3339.
    pub arrived: String,
    /// `arrived 2 days later`, where it was late.
    pub late: Option<String>,
    /// The section.
    pub section: String,
    /// The resource.
    pub line: Line,
}

/// What was added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Added {
    /// The record.
    pub record: String,
    /// The entry.
    pub entry: String,
    /// The section that it is in.
    pub section: String,
    /// Of a medicine: results that matter for medicines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mind: Vec<Line>,
}

/// A word on a result that somebody brought.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AttestRequest {
    /// The record.
    pub record: String,
    /// The result: its id or the beginning of it.
    pub thing: String,
    /// What else is to be said.
    pub note: Option<String>,
    /// The word that was given before is taken back.
    pub take_back: bool,
    /// As which member of staff: a name, an id or its beginning.
    pub staff: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attested {
    /// The record.
    pub record: String,
    /// The entry.
    pub entry: String,
    /// The result, as it is shown now.
    pub result: Line,
}

/// What was exported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exported {
    /// Text for standard output.
    pub text: Option<String>,
    /// A file or folder that was written.
    pub path: Option<PathBuf>,
    /// How many resources or entries.
    pub count: usize,
    /// What people should know of it.
    pub notes: Vec<String>,
}

/// One look at a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When, RFC 3339.
    pub when: String,
    /// Who.
    pub who: String,
    /// How: on a page, as a file, sent to their node.
    pub how: String,
    /// Which parts.
    pub parts: Vec<String>,
}

/// What is to be different about one thing in a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// How a medicine is taken, in words.
    Dose(String),
    /// A status, as FHIR writes it, such as `completed`.
    Status(String),
    /// What a note or a basic of care says.
    Words(String),
    /// A basic of care holds no more.
    End,
    /// A whole new version, FHIR JSON.
    Content(String),
    /// It was entered in error, with the reason.
    Mistake(String),
}

/// What was measured of one kind, in one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamLine {
    /// What was measured.
    pub what: String,
    /// In which unit; empty where none was said.
    pub unit: String,
    /// How many values there are.
    pub values: usize,
    /// Values that are left out: of several versions nobody has chosen, or entered in error.
    pub left_out: usize,
    /// When the first was measured.
    pub first: Option<String>,
    /// When the last was measured.
    pub last: Option<String>,
    /// The digits of the last.
    pub last_value: Option<String>,
    /// How often they come, seconds: as was said, or as they usually do; nothing where that cannot
    /// be told.
    pub every_s: Option<i64>,
    /// Where they did not come for longer than that.
    pub gaps: Vec<Gap>,
}
