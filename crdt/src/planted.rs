//! Bugs that are put in on purpose, so that it can be seen whether the simulator finds them.
//!
//! Only with the feature `planted-bugs`, which no default selection has, can one be planted: for
//! the thread that plants it. Without the feature [`is`] is a constant `false`, and nothing of them
//! is left in what is built.

macro_rules! bugs {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal,)*) => {
        /// A bug, named by what goes wrong with it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Planted {
            $($(#[doc = $doc])* $name,)*
        }

        impl Planted {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in files.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What goes wrong.
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)*
                }
            }
        }
    };
}

bugs! {
    /// Whether somebody may read is not looked at when something new is sent.
    RightSkippedOnSend = "right-skipped-on-send",
    /// Whether somebody may read is not looked at when a document is sent from its start.
    RightSkippedOnResend = "right-skipped-on-resend",
    /// What a failing disk did not keep is acknowledged all the same.
    AcknowledgedBeforeDurable = "acknowledged-before-durable",
    /// A share whose end has passed is served.
    ExpiredServed = "expired-served",
    /// A share that has not begun is served.
    NotBegunServed = "not-begun-served",
    /// A share of one section opens the others of its label.
    SectionIgnored = "section-ignored",
    /// What came after a stop counts, whatever the cut says.
    CutIgnored = "cut-ignored",
    /// What a stop keeps does not count any more.
    CutEmptied = "cut-emptied",
    /// A stopped share is served.
    StoppedServed = "stopped-served",
    /// A share under one that was stopped is served.
    StoppedAboveServed = "stopped-above-served",
    /// A share that was given back is served.
    GivenBackServed = "given-back-served",
    /// What came after the end of a share counts although the end was said.
    LapseIgnored = "lapse-ignored",
    /// What claims to be from after the end of its share has no mark.
    MarkForgotten = "mark-forgotten",
    /// What is sent has no link in the access log.
    AuditForgotten = "audit-forgotten",
    /// What is sent has two links in the access log.
    AuditTwice = "audit-twice",
    /// The access log does not say which device was given something.
    AuditNamesNoDevice = "audit-names-no-device",
    /// What is contested is in no list.
    ContestedDropped = "contested-dropped",
    /// A device numbers what it writes from the start each time.
    SequenceReused = "sequence-reused",
    /// Of a drug and its dose only the one that somebody changed is taken over.
    GroupHalved = "group-halved",
    /// An entry that comes again is taken in again.
    ReplayTaken = "replay-taken",
    /// What an entry that counts builds on is not loaded with it.
    ClosureBroken = "closure-broken",
    /// An item for which a batch has no room is left out.
    ItemSkipped = "item-skipped",
    /// A share that was passed on gives more than the one above it.
    AttenuationIgnored = "attenuation-ignored",
    /// Anyone may stop any share.
    StoppedByAnyone = "stopped-by-anyone",
    /// Whoever may add may make things count.
    AdoptedUnasked = "adopted-unasked",
    /// A key that nobody certified signs for anyone.
    DeviceUnchecked = "device-unchecked",
    /// Signatures of entries are not checked.
    SignatureUnchecked = "signature-unchecked",
    /// The content beside a header is not held against it.
    PayloadUnchecked = "payload-unchecked",
    /// What begins a part anew carries only half of it over.
    CarryOverHalved = "carry-over-halved",
    /// About a record that one may not see something else is said than about one that is not there.
    AbsenceTold = "absence-told",
    /// More and more batches go out without an answer.
    BatchesUnbounded = "batches-unbounded",
    /// More and more questions are kept.
    QuestionsUnbounded = "questions-unbounded",
    /// What somebody hands in after the end of a right is dropped and acknowledged.
    HandInDropped = "hand-in-dropped",
    /// A stranger is greeted like somebody known.
    StrangerGreeted = "stranger-greeted",
    /// What was found out of somebody's rights is used when they have changed.
    RightsKept = "rights-kept",
    /// Parts of cuts are not given when they are new.
    PartsForgotten = "parts-forgotten",
    /// Of what a comparison finds the first is left out.
    ComparisonForgets = "comparison-forgets",
}

/// Whether a bug is planted in this thread.
#[cfg(not(feature = "planted-bugs"))]
#[inline]
pub const fn is(_bug: Planted) -> bool {
    false
}

#[cfg(feature = "planted-bugs")]
pub use switch::{is, plant};

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::cell::Cell;

    use super::Planted;

    thread_local! {
        static PLANTED: Cell<Option<Planted>> = const { Cell::new(None) };
    }

    /// Whether a bug is planted in this thread.
    pub fn is(bug: Planted) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Plants a bug in this thread, in place of the one before; nothing for none.
    pub fn plant(bug: Option<Planted>) {
        PLANTED.set(bug);
    }
}
