//! The state of a task under every order of arrival.

use proptest::prelude::*;
use serde_json::json;

use super::{
    Answer, Answered, Asking, Standing, TakenBack, TaskState, answer, answer_of, asked_of, end_of,
    identity_of, said_of, stands, task,
};
use crate::health::work::event::EventKind;

fn said(by: &str, answer: Answer, at_ms: u64) -> Answered<String> {
    Answered {
        at_ms,
        id: format!("{by}{at_ms}{}", answer.code()),
        by: by.to_owned(),
        answer,
    }
}

fn state(owner: Option<&str>, withdrawn: bool, answers: &[Answered<String>]) -> Standing<String> {
    stands(
        owner.map(str::to_owned).as_ref(),
        Some(100),
        withdrawn,
        answers,
    )
}

#[test]
fn only_the_one_who_is_asked_accepts() {
    let nothing = state(Some("gp"), false, &[]);
    assert_eq!(nothing.state, TaskState::Requested);
    assert!(!nothing.is_late(99) && nothing.is_late(100));
    let other = [
        said("nurse", Answer::Accept, 1),
        said("nurse", Answer::Done, 2),
    ];
    let standing = state(Some("gp"), false, &other);
    assert_eq!(standing.state, TaskState::Requested);
    assert_eq!(standing.accepted_by, ["nurse"], "it is shown as theirs");
    let own = [
        said("nurse", Answer::Done, 2),
        said("gp", Answer::Accept, 3),
    ];
    assert_eq!(state(Some("gp"), false, &own).state, TaskState::Accepted);
}

#[test]
fn of_what_one_says_the_last_counts() {
    let mut answers = vec![
        said("gp", Answer::Accept, 1),
        said("gp", Answer::Decline, 2),
    ];
    let standing = state(Some("gp"), false, &answers);
    assert_eq!(standing.state, TaskState::Declined);
    assert!(standing.is_late(100), "nobody does it");
    answers.push(said("gp", Answer::Done, 3));
    let standing = state(Some("gp"), false, &answers);
    assert_eq!(standing.state, TaskState::Done);
    assert!(!standing.is_late(100));
}

#[test]
fn a_task_for_a_name_is_theirs_who_accept_first_and_both_are_shown() {
    let answers = [
        said("b", Answer::Accept, 2),
        said("a", Answer::Accept, 3),
        said("c", Answer::Decline, 1),
    ];
    let standing = state(None, false, &answers);
    assert_eq!(standing.owner.as_deref(), Some("b"));
    assert_eq!(standing.accepted_by, ["b", "a"]);
    let mut answers = answers.to_vec();
    answers.push(said("b", Answer::Decline, 4));
    assert_eq!(state(None, false, &answers).owner.as_deref(), Some("a"));
}

#[test]
fn what_did_not_happen_takes_a_task_back_and_hides_nobody() {
    let accepted = [said("gp", Answer::Accept, 1)];
    let standing = state(Some("gp"), true, &accepted);
    assert_eq!(standing.state, TaskState::Withdrawn);
    assert_eq!(standing.accepted_by, ["gp"]);
    assert!(!standing.is_late(100));
    let done = [said("gp", Answer::Done, 1)];
    assert_eq!(state(Some("gp"), true, &done).state, TaskState::Done);
}

#[test]
fn a_task_and_an_answer_are_read_as_they_were_written() {
    let asking = Asking {
        key: "k",
        what: "visit",
        who: "Nurses",
        principal: Some("abc"),
        end: "2026-11-28T12:00:00Z",
        because: Some("he fell"),
        on: EventKind::Fall,
        event: ("Observation", "0123456789abcdef01234567"),
        now: "2026-11-28T10:00:00Z",
    };
    let task = task(&asking);
    assert_eq!(identity_of(&task), Some("k"));
    assert_eq!(end_of(&task), Some(1_795_867_200_000));
    assert_eq!(
        asked_of(&task),
        Some(("0123456789abcdef01234567", Some(EventKind::Fall)))
    );
    assert_eq!(said_of(&task), Ok(None));
    let answer = answer("k", Answer::Decline, ("Jo", "abc"), Some("ill"), asking.now);
    assert_eq!(
        answer_of(&answer),
        Some(("k", Answer::Decline, Some("ill"), Some("abc")))
    );
}

#[test]
fn a_day_ends_with_the_day_and_a_status_says_what_it_says() {
    let day = json!({"restriction": {"period": {"end": "2026-11-28"}}});
    assert_eq!(end_of(&day), Some(1_795_910_400_000));
    assert_eq!(said_of(&json!({"status": "cancelled"})), Err(TakenBack));
    assert_eq!(
        said_of(&json!({"status": "completed"})),
        Ok(Some(Answer::Done))
    );
    assert_eq!(said_of(&json!({})), Ok(None));
}

fn answers() -> impl Strategy<Value = Vec<Answered<String>>> {
    let one = (
        prop::sample::select(vec!["gp", "nurse", "sara"]),
        prop::sample::select(Answer::ALL.to_vec()),
        0_u64..6,
        0_u8..3,
    );
    let one = one.prop_map(|(by, answer, at_ms, id)| Answered {
        at_ms,
        id: format!("{id}{}", answer.code()),
        by: by.to_owned(),
        answer,
    });
    prop::collection::btree_set(one, 0..12).prop_map(|all| all.into_iter().collect())
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_the_same(
        (answers, shuffled) in answers().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        owner in prop::option::of(prop::sample::select(vec!["gp", "nurse"])),
        withdrawn: bool,
    ) {
        prop_assert_eq!(
            state(owner, withdrawn, &answers),
            state(owner, withdrawn, &shuffled)
        );
    }

    #[test]
    fn nobody_but_the_owner_moves_a_task_that_was_asked_of_somebody(
        answers in answers(), withdrawn: bool,
    ) {
        let own: Vec<_> = answers.iter().filter(|one| one.by == "gp").cloned().collect();
        prop_assert_eq!(
            state(Some("gp"), withdrawn, &answers).state,
            state(Some("gp"), withdrawn, &own).state
        );
    }

    #[test]
    fn whoever_accepts_and_says_nothing_else_stays_in_sight(answers in answers(), withdrawn: bool) {
        let standing = state(None, withdrawn, &answers);
        for by in ["gp", "nurse", "sara"] {
            let mut own = answers.iter().filter(|one| one.by == by).peekable();
            if own.peek().is_some() && own.all(|one| one.answer == Answer::Accept) {
                prop_assert!(standing.accepted_by.iter().any(|one| one == by));
            }
        }
    }
}
