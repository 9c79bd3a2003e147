//! Messages that come in from other systems and go out to them.

use std::{net::IpAddr, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

/// What is asked of the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InboxAsk {
    /// What waits; what was filed too, newest first, where `all` is asked for.
    List {
        /// Those that are filed too.
        all: bool,
    },
    /// One message, field by field.
    Show {
        /// Its number.
        number: u64,
    },
    /// Try again to file one message, or all that wait.
    Retry {
        /// Its number; every message that waits where there is none.
        number: Option<u64>,
    },
    /// A person says whose a message is: it is filed there.
    Link {
        /// Its number.
        number: u64,
        /// The record.
        record: String,
    },
}

/// How it stands with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboxState {
    /// It is on the disk, and nobody looked at it yet.
    Received,
    /// It was understood and could not be written yet: this node tries again.
    TryAgain,
    /// A person has to look at it.
    NeedsPerson,
    /// It stands in a record.
    Filed,
}

impl InboxState {
    /// In words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::TryAgain => "tries again",
            Self::NeedsPerson => "needs a person",
            Self::Filed => "filed",
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxLine {
    /// Its number on this node.
    pub number: u64,
    /// When it was received, RFC 3339.
    pub received: String,
    /// How it came: an address, or a file.
    pub from: String,
    /// Who made it: MSH-3 and MSH-4.
    pub sender: String,
    /// Its type, such as `ADT^A01`.
    pub kind: String,
    /// Its number at the sender (MSH-10).
    pub control_id: String,
    /// How it stands.
    pub state: InboxState,
    /// Whether it was understood.
    pub understood: bool,
    /// Why it is not filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The record in which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Whether it began that record, which this node alone holds until somebody shares or links it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub began_record: bool,
    /// What is odd.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What the inbox says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxShown {
    /// Messages, oldest first where they wait.
    pub messages: Vec<InboxLine>,
    /// How many need a person.
    pub need_a_person: usize,
    /// How many this node will try again.
    pub wait: usize,
    /// How many more there are than are listed.
    #[serde(default)]
    pub not_listed: usize,
    /// What stands in the one that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<MessageExplained>,
}

/// What a message would do, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageExplained {
    /// Its type.
    pub kind: String,
    /// Who made it.
    pub sender: String,
    /// Its number at the sender.
    pub control_id: String,
    /// What would be done with it, in sentences.
    pub would: Vec<String>,
    /// The resources that it would make, a line each.
    pub resources: Vec<String>,
    /// What is odd.
    pub notes: Vec<String>,
    /// Its fields.
    pub fields: Vec<FieldExplained>,
}

/// One field of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldExplained {
    /// Such as `PID-5`.
    pub place: String,
    /// What stands there.
    pub said: String,
    /// Whether kith reads it; what it does not read stands in the message.
    pub read: bool,
}

/// What a file of messages would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileExplained {
    /// Message by message.
    pub messages: Vec<MessageExplained>,
}

/// How messages come in and whose: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectHl7 {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Addresses that may connect where that is not this machine alone.
    pub allow: Vec<IpAddr>,
    /// Who may send, each as `APPLICATION|FACILITY`; anybody where it is empty.
    pub senders: Vec<String>,
    /// A folder out of which files are taken.
    pub folder: Option<PathBuf>,
    /// A file of a site's own tables.
    pub tables: Option<PathBuf>,
    /// Nothing comes in any more.
    pub off: bool,
}

/// How messages come in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// Where the node listens, or will when it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Whether it listens there now.
    pub listening: bool,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Addresses that may connect.
    pub allow: Vec<IpAddr>,
    /// Who may send.
    pub senders: Vec<String>,
    /// The folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Whether a site's own tables are used.
    pub own_tables: bool,
}

/// What is asked of the messages that go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendAsk {
    /// Those that wait, and the last that went.
    List,
    /// The messages of a file to another system.
    File {
        /// The file.
        file: PathBuf,
        /// `HOST:PORT`.
        to: String,
    },
    /// Try a message again now that was refused.
    Retry {
        /// Its number.
        number: u64,
    },
    /// A message is not sent after all.
    Drop {
        /// Its number.
        number: u64,
    },
}

/// How it stands with a message that goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutState {
    /// It waits for its turn, or for the other side.
    Waiting,
    /// The other side has it.
    Sent,
    /// The other side does not take it: a person has to look.
    Refused,
}

impl OutState {
    /// In words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waiting to send",
            Self::Sent => "sent",
            Self::Refused => "refused",
        }
    }
}

/// A message that goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutLine {
    /// Its number on this node.
    pub number: u64,
    /// To whom.
    pub to: String,
    /// Its type.
    pub kind: String,
    /// Its number at the sender.
    pub control_id: String,
    /// When it was queued, RFC 3339.
    pub queued: String,
    /// How it stands.
    pub state: OutState,
    /// Why it was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried again, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Messages that go out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// In the order in which they were queued.
    pub messages: Vec<OutLine>,
    /// Whether the node runs, so that they leave.
    pub running: bool,
}
