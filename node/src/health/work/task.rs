//! How it stands with a task: a pure function of the task, its event and the answers that are held,
//! in whatever order they came (decision 0092).
//!
//! A task is somebody's only by their own signature. What others say of it is shown and moves
//! nothing; that its event did not happen takes it back and hides nobody's answer.

mod fhir;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use fhir::{
    Asking, TakenBack, answer, answer_of, asked_of, end_of, identity_of, said_of, task,
};

/// What somebody answers when they are asked for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// They do it.
    Accept,
    /// They did it.
    Done,
    /// They do not.
    Decline,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Done, Self::Decline];

    /// As it is written down.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Done => "done",
            Self::Decline => "declined",
        }
    }
}

/// An answer, with who signed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answered<P> {
    /// When, by its author's clock, milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// Names it, where two were signed at the same time.
    pub id: String,
    /// Who signed it.
    pub by: P,
    /// What.
    pub answer: Answer,
}

/// How it stands with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Nobody said yet that they do it.
    Requested,
    /// Somebody does it.
    Accepted,
    /// It is done.
    Done,
    /// Whoever is asked does not do it.
    Declined,
    /// It is not wanted any more.
    Withdrawn,
}

impl TaskState {
    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether something is still to be done.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Requested | Self::Accepted | Self::Declined => true,
            Self::Done | Self::Withdrawn => false,
        }
    }
}

/// How it stands, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing<P> {
    /// The state.
    pub state: TaskState,
    /// Whose it is: who was asked by their key, or the first of those who said that they do it.
    pub owner: Option<P>,
    /// Everyone who said that they do it or did it and says so still, the first first.
    pub accepted_by: Vec<P>,
    /// Whether it is late at a time: `None` where no time was named.
    pub end_ms: Option<u64>,
}

impl<P> Standing<P> {
    /// Whether the time has passed in which somebody should have said that they do it, or done it.
    pub fn is_late(&self, now_ms: u64) -> bool {
        self.state.is_open() && self.end_ms.is_some_and(|end| end <= now_ms)
    }
}

/// How it stands with a task that `owner` was asked for, by their key where that is known.
/// `withdrawn` says that its event did not happen, or that the task itself was taken back.
///
/// Of what one person said the last counts. Where nobody was asked by their key it is theirs who said
/// first that they do it; one who says so later is named beside them.
pub fn stands<P: Ord + Clone>(
    owner: Option<&P>,
    end_ms: Option<u64>,
    withdrawn: bool,
    answers: &[Answered<P>],
) -> Standing<P> {
    let mut last: BTreeMap<&P, &Answered<P>> = BTreeMap::new();
    let mut first_yes: BTreeMap<&P, (u64, &str)> = BTreeMap::new();
    for answer in answers {
        let said = last.entry(&answer.by).or_insert(answer);
        if order(answer) > order(said) {
            *said = answer;
        }
        if answer.answer != Answer::Decline {
            let first = first_yes.entry(&answer.by).or_insert_with(|| order(answer));
            *first = order(answer).min(*first);
        }
    }
    let says_yes = |by: &P| {
        last.get(by)
            .is_some_and(|said| said.answer != Answer::Decline)
    };
    let mut accepted_by: Vec<_> = first_yes
        .iter()
        .filter(|(by, _)| says_yes(by))
        .map(|(by, first)| (*first, *by))
        .collect();
    accepted_by.sort_unstable_by(|(a, by_a), (b, by_b)| (a, by_a).cmp(&(b, by_b)));
    let accepted_by: Vec<P> = accepted_by.into_iter().map(|(_, by)| by.clone()).collect();
    let owner = owner.or_else(|| accepted_by.first()).cloned();
    let said = owner.as_ref().and_then(|owner| last.get(owner));
    let state = match said.map(|said| said.answer) {
        Some(Answer::Done) => TaskState::Done,
        _ if withdrawn => TaskState::Withdrawn,
        Some(Answer::Accept) => TaskState::Accepted,
        Some(Answer::Decline) => TaskState::Declined,
        None => TaskState::Requested,
    };
    Standing {
        state,
        owner,
        accepted_by,
        end_ms,
    }
}

fn order<P>(answer: &Answered<P>) -> (u64, &str) {
    (answer.at_ms, answer.id.as_str())
}
