//! Events, what has to happen after them, tasks and their answers, and handover.

use serde::{Deserialize, Serialize};

use super::{Line, Occurred};

pub use crate::health::work::{
    event::EventKind,
    rules::Mistake,
    task::{Answer, TaskState},
};

/// What a node knows of a part of a record. One is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// Something is recorded.
    Recorded,
    /// The part is here, and nothing of this kind is recorded in it.
    NothingRecorded,
    /// Nothing of the part is here: nobody here can tell whether there is something.
    NotKnownHere,
    /// The part is not shared with this node's owner.
    Withheld,
}

impl Known {
    /// In words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::NothingRecorded => "nothing recorded",
            Self::NotKnownHere => "not known to this node",
            Self::Withheld => "not shared with this node",
        }
    }
}

/// Something happened to a person, or did not happen after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRequest {
    /// The record.
    pub record: String,
    /// What.
    pub what: EventSaid,
    /// As which member of staff: a name, an id or its beginning.
    pub staff: Option<String>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventSaid {
    /// It happened.
    Happened {
        /// What kind.
        kind: EventKind,
        /// When: a day, or a time with a zone; now where it is left out.
        when: Option<String>,
        /// Where.
        place: Option<String>,
        /// Why, or how.
        why: Option<String>,
    },
    /// It did not happen, or not yet.
    Cancel {
        /// The event: its id or the beginning of it.
        event: String,
        /// Why.
        because: Option<String>,
    },
}

/// An event was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMade {
    /// The record.
    pub record: String,
    /// The event.
    pub event: String,
    /// The entry that says so.
    pub entry: String,
    /// What was written, in a sentence.
    pub what: String,
    /// The tasks that follow from it, or were taken back by it.
    pub tasks: Vec<TaskLine>,
    /// What people should know: who makes the tasks where this node may not.
    pub note: Option<String>,
}

/// An event of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// The event's id: that of the resource that tells of it.
    pub id: String,
    /// What kind.
    pub kind: EventKind,
    /// When it happened, as recorded.
    pub when: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// Why, or how.
    pub why: Option<String>,
    /// Who says so.
    pub by: String,
    /// When that was signed.
    pub said: String,
    /// Who says that it did not happen, and why; nothing where it stands.
    pub cancelled: Option<CancelledLine>,
}

/// Somebody's word that an event did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledLine {
    /// Whose.
    pub by: String,
    /// When it was signed.
    pub when: String,
    /// Why.
    pub because: Option<String>,
}

/// Which tasks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TasksRequest {
    /// Of one record; of all where it is left out.
    pub record: Option<String>,
    /// Only those that this node's owner is asked for, or has accepted.
    pub mine: bool,
    /// Also those that are done or withdrawn.
    pub all: bool,
}

/// Tasks, those that are late first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskList {
    /// One by one.
    pub tasks: Vec<TaskLine>,
    /// What this node knows of the tasks of the record that was asked for.
    pub known: Option<Known>,
    /// Records whose tasks cannot be read here now, with why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLine {
    /// The record.
    pub record: String,
    /// Whose record.
    pub person: String,
    /// The task's id.
    pub id: String,
    /// What is to be done.
    pub what: String,
    /// Why.
    pub because: Option<String>,
    /// Who is asked, by name; nothing where nobody in particular is.
    pub who: Option<String>,
    /// Whose it is, by their public key: of whom it was asked by their key, or who accepted it first.
    pub owner: Option<String>,
    /// Whether it is this node's owner's.
    pub is_ours: bool,
    /// How it stands.
    pub state: TaskState,
    /// By when, RFC 3339.
    pub due: Option<String>,
    /// Whether that has passed and it is not done.
    pub late: bool,
    /// In a few words, such as `late since 2026-11-28T10:00:00Z: nobody has accepted it`.
    pub says: String,
    /// Everyone who accepted it or did it and says so still, by name, the first first.
    pub accepted_by: Vec<String>,
    /// What was answered, oldest first.
    pub answers: Vec<AnswerLine>,
    /// The event that it follows from.
    pub event: Option<EventLine>,
    /// Who asks.
    pub by: String,
    /// When that was signed.
    pub asked: String,
    /// Whether it is for somebody to review: marked, or with versions side by side.
    pub to_review: bool,
}

/// An answer to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLine {
    /// What.
    pub answer: Answer,
    /// Who signed it.
    pub by: String,
    /// As which member of staff, where they are of this node.
    pub staff: Option<String>,
    /// When.
    pub when: String,
    /// Why, in their words.
    pub because: Option<String>,
    /// Whether it is the word of whoever was asked, or of nobody in particular: what others say is
    /// shown and moves nothing.
    pub counts: bool,
}

/// An answer to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRequest {
    /// In this record; in whichever has the task where it is left out.
    pub record: Option<String>,
    /// The task: its id or the beginning of it.
    pub task: String,
    /// What.
    pub answer: Answer,
    /// Why.
    pub because: Option<String>,
    /// As which member of staff: a name, an id or its beginning.
    pub staff: Option<String>,
}

/// An answer that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAnswered {
    /// The entry.
    pub entry: String,
    /// The task as it stands now.
    pub task: TaskLine,
    /// What people should know of it.
    pub note: Option<String>,
}

/// What has to happen around a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesRequest {
    /// The record.
    pub record: String,
    /// What is to be done with them.
    pub act: RulesAct,
    /// As which member of staff: a name, an id or its beginning.
    pub staff: Option<String>,
}

/// What is done with rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RulesAct {
    /// They are shown.
    Show,
    /// A text is explained, and nothing is kept.
    Check(String),
    /// A text is kept in place of the one before.
    Set(String),
    /// There are none any more.
    End,
}

/// Rules of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesShown {
    /// The record.
    pub record: String,
    /// What this node knows of them.
    pub known: Known,
    /// Each text that stands, with who wrote it.
    pub texts: Vec<RulesText>,
    /// What is odd in a text that was to be checked or kept; then nothing was kept.
    pub mistakes: Vec<Mistake>,
    /// Each rule as a sentence.
    pub sentences: Vec<String>,
    /// Names that are nobody's who shares this record, with what was perhaps meant.
    pub unknown: Vec<UnknownName>,
    /// The names of those who share this record.
    pub names: Vec<String>,
    /// What people should know.
    pub note: Option<String>,
}

/// A text of rules that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesText {
    /// Its id.
    pub id: String,
    /// Exactly as it was written.
    pub text: String,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub when: String,
}

/// A name in a text of rules that is nobody's who shares the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownName {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// The name.
    pub name: String,
    /// Who was perhaps meant.
    pub meant: Option<String>,
}

/// What somebody needs to know who takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverRequest {
    /// The record.
    pub record: String,
    /// Whether it is signed that it was read.
    pub read: bool,
    /// Whether what is new to this reader is new the next time too, as on a page that is only
    /// loaded.
    #[serde(default)]
    pub keeps_place: bool,
    /// As which member of staff: a name, an id or its beginning.
    pub staff: Option<String>,
}

/// What somebody needs to know who takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverShown {
    /// The record.
    pub record: String,
    /// Whose.
    pub person: String,
    /// Who reads: this node's owner, or a member of their staff.
    pub reader: String,
    /// The newest thing that is here was signed then.
    pub as_of: Option<String>,
    /// What this node knows of tasks.
    pub tasks_known: Known,
    /// What is to be done.
    pub tasks: Vec<TaskLine>,
    /// What this node knows of care basics.
    pub basics_known: Known,
    /// Care basics, the newest first.
    pub basics: Vec<Line>,
    /// Events of the last weeks that stand or were cancelled, the newest first.
    pub events: Vec<EventLine>,
    /// When this reader last looked; nothing where they never did.
    pub since: Option<String>,
    /// What was written since then, oldest first; the last of it where they never looked.
    pub changed: Vec<Occurred>,
    /// How many things more.
    pub changed_more: usize,
    /// Parts of the record that are not shared with this node, of which something may have changed.
    pub withheld: Vec<String>,
    /// Who signed that they have read it, the newest first.
    pub read_by: Vec<ReadLine>,
    /// What came of signing that it was read.
    pub note: Option<String>,
}

/// Somebody's word that they have read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadLine {
    /// Whose.
    pub by: String,
    /// As which member of staff, where they are of this node.
    pub staff: Option<String>,
    /// When it was signed.
    pub when: String,
    /// The newest thing that they saw was signed then.
    pub as_of: Option<String>,
    /// Whether nothing was written since, as far as is known here.
    pub is_current: bool,
}
