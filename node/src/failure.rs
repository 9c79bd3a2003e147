//! What went wrong, in words for people, with the exit code that scripts read.

use serde::{Deserialize, Serialize};

/// How a command ends (`kith help exit-codes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Everything asked for was done.
    Done,
    /// It failed for a reason of its own.
    Failed,
    /// The command line is not understood.
    Usage,
    /// Some of it was done.
    Partly,
    /// A person has to decide.
    NeedsPerson,
    /// There is no node in this folder.
    NoNode,
    /// The node is not running.
    NotRunning,
    /// The store is locked, or the passphrase is another.
    Locked,
    /// Not allowed.
    NotAllowed,
    /// The other node cannot be reached.
    CannotReach,
    /// The input is not understood.
    NotUnderstood,
    /// A newer version of kith is needed.
    NewerVersion,
    /// Nothing is wrong with the command; try again later.
    TryAgain,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Partly,
        Self::NeedsPerson,
        Self::NoNode,
        Self::NotRunning,
        Self::Locked,
        Self::NotAllowed,
        Self::CannotReach,
        Self::NotUnderstood,
        Self::NewerVersion,
        Self::TryAgain,
    ];

    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partly => 3,
            Self::NeedsPerson => 4,
            Self::NoNode => 10,
            Self::NotRunning => 11,
            Self::Locked => 12,
            Self::NotAllowed => 13,
            Self::CannotReach => 14,
            Self::NotUnderstood => 15,
            Self::NewerVersion => 16,
            Self::TryAgain => 75,
        }
    }

    /// What it means, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "the command was not understood",
            Self::Partly => "partly done",
            Self::NeedsPerson => "needs a person to decide",
            Self::NoNode => "no node here",
            Self::NotRunning => "the node is not running",
            Self::Locked => "locked, or wrong passphrase",
            Self::NotAllowed => "not allowed",
            Self::CannotReach => "cannot reach the other node",
            Self::NotUnderstood => "the input is not understood",
            Self::NewerVersion => "a newer version of kith is needed",
            Self::TryAgain => "try again later",
        }
    }
}

/// A command that did not do all that it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// How the command ends.
    pub ending: Ending,
    /// What happened.
    pub what: String,
    /// Why, from the outermost reason inward.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What to do.
    #[serde(rename = "do")]
    pub remedy: String,
}

impl Failure {
    /// A failure with what to do about it.
    pub fn new(ending: Ending, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            ending,
            what: what.into(),
            why: Vec::new(),
            remedy: remedy.into(),
        }
    }

    /// Another process has the store, and nothing was begun.
    pub(crate) fn in_use() -> Self {
        Self::new(
            Ending::TryAgain,
            "Another kith command is using this node's store.",
            "Wait until it has ended, or start kith run: then commands go through the running node.",
        )
    }

    /// Whether another process has the store, so that trying again helps.
    pub fn is_in_use(&self) -> bool {
        *self == Self::in_use()
    }

    /// With the chain of reasons behind an error.
    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if !self.why.contains(&text) && text != self.what {
                self.why.push(text);
            }
            next = error.source();
        }
        self
    }
}

impl From<kith_protocol::store::StoreError> for Failure {
    fn from(error: kith_protocol::store::StoreError) -> Self {
        use kith_protocol::store::StoreError;
        match &error {
            StoreError::Full => Self::new(
                Ending::TryAgain,
                "The disk is full: nothing was written.",
                "What was stored before is safe. Make room, then run the command again: showing a record takes room too, since who looked is written first.",
            ),
            StoreError::Damaged(_) => Self::new(
                Ending::Failed,
                "A part of this node's store is damaged, and kith does not show what it cannot trust.",
                "The rest of the node works. Run kith status to see what is affected.",
            )
            .because(&error),
            StoreError::InUse => Self::in_use(),
            StoreError::Io(_) | StoreError::Index(_) => Self::new(
                Ending::Failed,
                "The store could not be read or written.",
                "What was stored before is safe. Check the disk and the folder's permissions, then try again.",
            )
            .because(&error),
        }
    }
}
