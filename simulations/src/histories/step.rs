//! One transition of a history: a verb with three numbers and how long it is waited afterwards.
//!
//! The numbers are taken modulo whatever there is to choose from when the step is played, so that
//! a step means something whatever was left out before it: that is what lets a history shrink.

use std::{fmt, str::FromStr};

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What happens: a closed set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Verb {
            $($(#[$doc])* $name,)*
        }

        impl Verb {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it stands in a file.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

verbs! {
    /// A host begins another record.
    Begin = "begin",
    /// A host writes into a document, once or several times.
    Write = "write",
    /// A host changes something that stands in a document.
    Change = "change",
    /// A host decides between versions that stand side by side.
    Choose = "choose",
    /// A host makes something count that waits for review.
    Adopt = "adopt",
    /// A controller begins a part of a record anew.
    Anew = "anew",
    /// A host shares a document, as a controller or on.
    Share = "share",
    /// A share is stopped by whoever may.
    Stop = "stop",
    /// A share is given back.
    GiveBack = "give-back",
    /// It is said that a share has ended.
    Lapse = "lapse",
    /// Somebody gets a second device.
    Phone = "phone",
    /// The second device is retired.
    Retire = "retire",
    /// Two hosts who both hold a record get to know each other.
    Meet = "meet",
    /// Whoever controls a record says who may open it in an emergency.
    Trust = "trust",
    /// A host opens a record in an emergency.
    Open = "open",
    /// A host loses what is in its memory and stays down.
    Crash = "crash",
    /// A host that is down comes back.
    Restart = "restart",
    /// The power goes in the middle of a commit.
    Power = "power",
    /// A host sleeps.
    Sleep = "sleep",
    /// A host wakes up.
    Wake = "wake",
    /// Two hosts are cut off from each other.
    Cut = "cut",
    /// Nothing gets from one host to another.
    OneWay = "one-way",
    /// Two hosts reach each other again.
    Mend = "mend",
    /// A host calls another although they may be talking.
    CallAgain = "call-again",
    /// The way from one host to another becomes slow or loses packets.
    Slow = "slow",
    /// A host is behind a router that lets nobody in.
    Nat = "nat",
    /// A host's clock is set.
    Clock = "clock",
    /// A disk is full, or takes nothing for another reason.
    Full = "full",
    /// There is room again.
    Room = "room",
    /// A bit flips on a disk.
    Rot = "rot",
    /// A copy of a disk is made.
    Copy = "copy",
    /// An older copy of a disk is put back.
    Restore = "restore",
    /// Mallory writes two things in one place of a chain.
    Equivocate = "equivocate",
    /// Mallory writes as one who has not seen that a share was stopped.
    Backdate = "backdate",
    /// Mallory keeps every batch back and says that nothing is missing.
    Withhold = "withhold",
    /// Mallory flips bits in what is signed by others.
    Flip = "flip",
    /// Mallory puts other content beside signed headers.
    Swap = "swap",
    /// Mallory says everything twice.
    Double = "double",
    /// Mallory sends an entry that claims to be another's.
    Forge = "forge",
    /// Mallory sends a grant to itself that claims to be another's.
    ForgeGrant = "forge-grant",
    /// Mallory writes where it may not.
    Overreach = "overreach",
    /// Mallory shares what it may not share on.
    Pass = "pass",
    /// Mallory stops a share that it may not stop.
    Meddle = "meddle",
    /// Mallory makes something count without being asked to review.
    SelfAdopt = "self-adopt",
    /// Mallory sends what others signed again.
    Replay = "replay",
    /// Mallory asks for a record that it was never given, and for one that does not exist.
    Probe = "probe",
    /// Mallory asks for more than can be answered.
    Flood = "flood",
    /// Somebody whom nobody knows calls.
    Stranger = "stranger",
    /// Mallory keeps to the rules again.
    Behave = "behave",
    /// Nothing.
    Wait = "wait",
    /// Every fault ends, time passes, and everything is checked.
    Quiet = "quiet",
}

/// One transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub verb: Verb,
    /// Mostly: by whom.
    pub a: u32,
    /// Mostly: with whom, or of what.
    pub b: u32,
    /// Mostly: which.
    pub c: u32,
    /// How long it is waited afterwards, milliseconds.
    pub wait_ms: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verb,
            a,
            b,
            c,
            wait_ms,
        } = self;
        write!(f, "{} {a} {b} {c} {wait_ms}", verb.word())
    }
}

/// A line that is no step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no step: {0:?} (a verb, three numbers and milliseconds)")]
pub struct NotAStep(String);

impl FromStr for Step {
    type Err = NotAStep;

    fn from_str(line: &str) -> Result<Self, NotAStep> {
        let not = || NotAStep(line.to_owned());
        let mut words = line.split_whitespace();
        let word = words.next().ok_or_else(not)?;
        let verb = Verb::ALL.iter().find(|verb| verb.word() == word);
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        let mut short = || u32::try_from(number()?).ok();
        let (a, b, c) = (short(), short(), short());
        let step = Self {
            verb: *verb.ok_or_else(not)?,
            a: a.ok_or_else(not)?,
            b: b.ok_or_else(not)?,
            c: c.ok_or_else(not)?,
            wait_ms: number().ok_or_else(not)?,
        };
        words.next().is_none().then_some(step).ok_or_else(not)
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, Verb};

    #[test]
    fn every_step_comes_back_from_its_line() {
        for (n, verb) in (0..).zip(Verb::ALL) {
            let step = Step {
                verb: *verb,
                a: n,
                b: 7,
                c: u32::MAX,
                wait_ms: 40,
            };
            assert_eq!(step.to_string().parse(), Ok(step));
        }
        for line in [
            "",
            "write",
            "write 1 2 3",
            "write 1 2 3 4 5",
            "fly 1 2 3 4",
            "write 1 2 x 4",
        ] {
            assert!(line.parse::<Step>().is_err(), "{line:?}");
        }
    }
}
