//! What a checker found, in words.

use std::fmt;

macro_rules! invariants {
    ($($(#[$doc:meta])* $name:ident = $number:literal $word:literal,)*) => {
        /// What always holds: the numbers are those of the list of invariants; 0 stands beside it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant {
            $($(#[$doc])* $name,)*
        }

        impl Invariant {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// In one word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// Its number in the list of invariants.
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$name => $number,)*
                }
            }
        }
    };
}

invariants! {
    /// Equal sets of signed things give an equal record and equal statuses.
    Convergence = 1 "convergence",
    /// Nothing counts without a valid chain of rights.
    Authority = 2 "authority",
    /// Nothing acknowledged is lost.
    Durability = 3 "durability",
    /// No byte beyond somebody's scope leaves.
    Scope = 4 "scope",
    /// What was stopped or has passed is effective.
    Revocation = 5 "revocation",
    /// Exactly one link of the access log for each disclosure, written before it.
    Audit = 6 "audit",
    /// Nothing is anybody's who did not sign it.
    Attribution = 7 "attribution",
    /// A restart shows no less.
    Restart = 8 "restart",
    /// Nothing of one person's record is in another's.
    Bleed = 9 "bleed",
    /// What comes again changes nothing.
    Replay = 10 "replay",
    /// When faults stop, those who may hold the same come to hold the same.
    Healing = 11 "healing",
    /// Queues are bounded for each peer.
    Bounds = 12 "bounds",
    /// What an emergency needs can be read from one's own disk alone.
    Emergency = 13 "emergency",
    /// What was taken in has one status each, and can be found.
    Accounting = 14 "accounting",
    /// Absent and forbidden look the same.
    Absence = 0 "absence",
    /// An engine says that it cannot go on only where the disk is at fault.
    Errors = 0 "errors",
}

/// A failure, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What does not hold.
    pub invariant: Invariant,
    /// What was seen.
    pub words: String,
}

impl Failure {
    /// A failure.
    pub const fn new(invariant: Invariant, words: String) -> Self {
        Self { invariant, words }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant.word(), self.words)
    }
}
