//! What a node can be asked, and what it answers: the same in one process and over the socket.

mod practice;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use kith_crdt::flag::Flag;
use serde::{Deserialize, Serialize};

use crate::failure::{Ending, Failure};

pub use crate::node::{BundleTo, ExportForm, Role};
pub use practice::{DeviceLine, DeviceList, Leaving, Left, NewStaff, StaffLine, StaffList};

/// A command. What it holds, a passphrase perhaps or a name, is nothing for a log.
#[derive(Clone, Serialize, Deserialize)]
pub enum Request {
    /// How this node is.
    Status,
    /// A record for a person of whom nothing is held yet.
    RecordNew(NewPerson),
    /// Every record here.
    RecordList,
    /// Records whose person fits some words.
    Find {
        /// Name, birth date or number.
        words: Vec<String>,
    },
    /// What is known of a person.
    Show {
        /// The record.
        record: String,
    },
    /// What happened when, and when it arrived.
    Timeline {
        /// The record.
        record: String,
    },
    /// Files into records.
    Import(ImportRequest),
    /// One thing from the keyboard.
    Add {
        /// The record.
        record: String,
        /// What.
        what: Addition,
        /// As which member of staff: a name, an id or its beginning.
        staff: Option<String>,
    },
    /// A record as files or text.
    Export {
        /// The record.
        record: String,
        /// In which form.
        form: ExportForm,
    },
    /// Every signature, link and status, from the raw bytes.
    Verify {
        /// A record or a bundle file.
        what: String,
        /// What opens the bundle.
        passphrase: Option<String>,
    },
    /// Why an entry has its status.
    Explain {
        /// The entry's id or its beginning, or a file.
        entry: String,
    },
    /// What needs a decision.
    Review {
        /// In one record or in all.
        record: Option<String>,
    },
    /// A decision.
    Decide {
        /// The record.
        record: String,
        /// What was decided.
        decision: Decision,
    },
    /// An invitation to see parts of a record.
    Share(ShareRequest),
    /// Who can see what of a record.
    Sharing {
        /// The record.
        record: String,
    },
    /// No more sharing.
    Stop {
        /// The record.
        record: String,
        /// The share, or with whom.
        share: String,
        /// What stays of what they wrote.
        keep: Keep,
    },
    /// Who looked at a record.
    WhoLooked {
        /// The record.
        record: String,
    },
    /// A new member of staff.
    StaffAdd(NewStaff),
    /// Everyone who was entered as staff.
    StaffList,
    /// A member of staff leaves.
    StaffEnd(Leaving),
    /// Every device that acts for the owner.
    DeviceList,
    /// A device leaves.
    DeviceRetire(Leaving),
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Request(..)")
    }
}

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

/// What to import.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Into this record.
    pub record: Option<String>,
    /// The file's Patient is this record's person, although it does not look so.
    pub same_person: bool,
    /// What opens a bundle among the files.
    pub passphrase: Option<String>,
}

impl fmt::Debug for ImportRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportRequest(..)")
    }
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
    },
}

/// What to share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShareRequest {
    /// The record.
    pub record: String,
    /// What they can see, such as `all` or `medicines,plans:general`.
    pub see: String,
    /// What they can add.
    pub add: Option<String>,
    /// Until when.
    pub until: String,
}

/// What stays of the entries of someone with whom sharing stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// Everything they did so far.
    All,
    /// Nothing after a time, milliseconds since 1970 UTC.
    NoneAfter(u64),
}

/// A decision on the review list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// An entry counts, with all that it needs.
    Adopt {
        /// The entry's id or its beginning.
        entry: String,
    },
    /// Of two versions this one.
    Choose {
        /// The resource.
        resource: String,
        /// The version, 1 or more, as `kith review` numbers them.
        version: usize,
    },
    /// What came in after its part of the record was begun anew.
    Settle {
        /// The resource.
        resource: String,
        /// Whether it is to be written into what stands now.
        wanted: bool,
    },
}

/// How far long work has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub doing: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// What a command gives back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// See [`Request::Status`].
    Status(Status),
    /// See [`Request::RecordNew`].
    RecordNew(RecordMade),
    /// See [`Request::RecordList`] and [`Request::Find`].
    Records(Vec<RecordLine>),
    /// See [`Request::Show`].
    Record(Box<RecordShown>),
    /// See [`Request::Timeline`].
    Timeline(Vec<Happened>),
    /// See [`Request::Import`].
    Imported(Imported),
    /// See [`Request::Add`].
    Added(Added),
    /// See [`Request::Export`].
    Exported(Exported),
    /// See [`Request::Verify`].
    Verified(Verified),
    /// See [`Request::Explain`].
    Explained(Explained),
    /// See [`Request::Review`].
    Review(Review),
    /// See [`Request::Decide`].
    Decided(Decided),
    /// See [`Request::Share`].
    Shared(Shared),
    /// See [`Request::Sharing`].
    Sharing(Sharing),
    /// See [`Request::Stop`].
    Stopped(Stopped),
    /// See [`Request::WhoLooked`].
    Looked(Vec<Looked>),
    /// See [`Request::StaffAdd`].
    StaffAdded(StaffLine),
    /// See [`Request::StaffList`].
    Staff(StaffList),
    /// See [`Request::DeviceList`].
    Devices(DeviceList),
    /// See [`Request::StaffEnd`] and [`Request::DeviceRetire`].
    Left(Left),
}

/// A node that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetUp {
    /// Its name.
    pub name: String,
    /// What its owner is.
    pub kind: Role,
    /// The device key's public half.
    pub node: String,
    /// The owner's public key.
    pub owner: String,
    /// Its folder.
    pub home: PathBuf,
    /// What goes on the recovery sheet; shown once.
    pub recovery: String,
}

/// How a node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// What its owner is.
    pub kind: Role,
    /// The device key's public half.
    pub node: String,
    /// Its folder.
    pub home: PathBuf,
    /// How many records are here.
    pub records: usize,
    /// Where it listens, while it runs.
    pub addresses: Vec<String>,
    /// What is wrong, each with the command that mends it.
    pub problems: Vec<Problem>,
    /// How many things wait for a decision.
    pub to_review: usize,
    /// How many entries this build could not read: our fault.
    pub unreadable: usize,
    /// The other nodes it knows.
    pub connections: Vec<Connection>,
}

/// Something wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What.
    pub what: String,
    /// What mends it.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its name.
    pub name: String,
    /// In words: `up to date`, `waiting to send`, `not connected`.
    pub state: String,
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
    /// Sections that this node may see, with what they hold.
    pub sections: Vec<SectionShown>,
    /// Sections and labels that this node is not shown or does not hold.
    pub not_known_here: Vec<String>,
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
    /// Who says so.
    pub by: String,
    /// When it happened, as recorded.
    pub when: Option<String>,
    /// `two versions`, `to review`, `entered in error`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
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

/// What was filed of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// The record.
    pub record: String,
    /// Whose.
    pub person: String,
    /// Resources new or changed, by section.
    pub filed: BTreeMap<String, usize>,
    /// Resources that were here already.
    pub unchanged: usize,
    /// Other records here that may be of the same person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<Alike>,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// By record.
    pub records: Vec<Filed>,
    /// What is odd, where.
    pub flagged: Vec<Flag>,
    /// Files of which nothing was filed.
    pub refused: Vec<Refused>,
}

/// A file of which nothing was filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The file.
    pub file: String,
    /// Why, and what to do.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Imported {
    /// How the command ends.
    pub fn ending(&self) -> Ending {
        match (self.records.is_empty(), self.refused.as_slice()) {
            (_, []) => Ending::Done,
            (true, [only]) => only.failure.ending,
            (true, _) => Ending::NotUnderstood,
            (false, _) => Ending::Partly,
        }
    }
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

/// What a check found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verified {
    /// What was checked.
    pub what: String,
    /// Signed events checked.
    pub events: usize,
    /// Signed entries checked.
    pub entries: usize,
    /// How many entries have each status.
    pub status: BTreeMap<String, usize>,
    /// Parts of the record that were begun anew, in sentences.
    pub begun_anew: Vec<String>,
    /// What does not hold.
    pub faults: Vec<String>,
}

/// Why an entry has its status.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explained {
    /// The entry.
    pub entry: String,
    /// Its status.
    pub status: String,
    /// Why, in sentences.
    pub because: Vec<String>,
}

/// What needs a decision.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Review {
    /// Item by item.
    pub items: Vec<ToReview>,
}

/// One thing to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToReview {
    /// The record.
    pub record: String,
    /// Whose.
    pub person: String,
    /// What kind of decision.
    pub kind: String,
    /// The entry or resource.
    pub id: String,
    /// What it says.
    pub what: String,
    /// Versions side by side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// What can be done.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// What was decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// The entry that says so.
    pub entry: String,
    /// In words.
    pub what: String,
}

/// An invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shared {
    /// Four words; none are given yet for an invitation by link.
    pub words: Option<String>,
    /// The link.
    pub link: String,
    /// The end of the share.
    pub until: String,
    /// Until when the invitation can be used, RFC 3339.
    pub invitation_ends: String,
}

/// Who can see what.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sharing {
    /// One by one.
    pub shares: Vec<ShareLine>,
}

/// One share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareLine {
    /// Its id.
    pub id: String,
    /// The public key of whoever it is for.
    pub who: String,
    /// What they call themselves.
    pub name: String,
    /// What they can see.
    pub see: String,
    /// What they can add.
    pub add: String,
    /// Until when.
    pub until: Option<String>,
    /// `active`, `stopped`, `ended`, `waiting`.
    pub state: String,
}

/// A share that was stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stopped {
    /// The share.
    pub share: String,
    /// With whom.
    pub name: String,
    /// What cannot be undone, in words.
    pub note: String,
}

/// An invitation that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The record.
    pub record: String,
    /// Who shared it.
    pub from: String,
    /// What can be seen.
    pub see: String,
    /// What can be added.
    pub add: String,
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

#[cfg(test)]
mod tests {
    use super::{BundleTo, ImportRequest, Request};

    #[test]
    fn what_is_printed_for_debugging_holds_no_secret() {
        let passphrase = || Some("canary".to_owned());
        let import = ImportRequest {
            passphrase: passphrase(),
            ..ImportRequest::default()
        };
        let verify = Request::Verify {
            what: String::new(),
            passphrase: passphrase(),
        };
        let to = BundleTo::Passphrase("canary".to_owned());
        let printed = format!("{import:?} {verify:?} {to:?}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}
