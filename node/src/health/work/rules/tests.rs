//! Rules, and everything that can be odd in them.

use proptest::prelude::*;

use super::{Rules, TimeUnit, Within, parse, plan, text_of};
use crate::health::work::event::EventKind;

const HAROLD: &str = "\
# What has to happen around Harold
on fall
  Riverside Surgery: review medicines that cause falls, within 2 days, because he takes blood thinners
  Community nurses: visit and look for injury, within 4 hours

on Admission
\tSara: take glasses, hearing aid and slippers to the ward, within 1 day
";

fn rules(text: &str) -> Rules {
    parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[test]
fn a_text_is_read_and_said_again_in_sentences() {
    let rules = rules(HAROLD);
    assert_eq!(rules.rules.len(), 3);
    let sara = rules.on(EventKind::Admission).next().expect("a rule");
    assert_eq!(sara.who, "Sara");
    assert_eq!(
        sara.what,
        "take glasses, hearing aid and slippers to the ward"
    );
    let day = Within {
        count: 1,
        unit: TimeUnit::Days,
    };
    assert_eq!((sara.within, sara.line), (day, 7));
    assert_eq!(
        rules.sentences()[0],
        "After a fall, Riverside Surgery is asked: review medicines that cause falls. Within 2 days, because he takes blood thinners."
    );
}

/// What is odd in a text: line, column, and the beginning of what is said.
fn odd(text: &str) -> Vec<(usize, usize, String)> {
    let mistakes = parse(text).expect_err("it is odd");
    let mistakes = mistakes.into_iter();
    mistakes
        .map(|one| (one.line, one.column, format!("{} {}", one.what, one.remedy)))
        .collect()
}

#[track_caller]
fn says(text: &str, at: (usize, usize), words: &str) {
    let odd = odd(text);
    let is_it = |(line, column, said): &(usize, usize, String)| {
        (*line, *column) == at && said.contains(words)
    };
    assert!(odd.iter().any(is_it), "{odd:?}");
}

#[test]
fn every_mistake_is_said_with_its_place_and_what_to_write() {
    says("on fal\n  A: b, within 1 day", (1, 4), "\"on fall\"");
    says(
        "on admision\n  A: b, within 1 day",
        (1, 4),
        "\"on admission\"",
    );
    says(
        "on birthday\n  A: b, within 1 day",
        (1, 4),
        "fall, admission",
    );
    says("on\n  A: b, within 1 day", (1, 3), "after what");
    says("on fall:\n  A: b, within 1 day", (1, 4), "colon");
    says("fall\n  A: b, within 1 day", (1, 1), "\"on fall\"");
    says("  A: b, within 1 day", (1, 3), "after what");
    says("on fall\nA: b, within 1 day", (2, 1), "two spaces");
    says("on fall\nhello", (2, 1), "not understood");
    says("on fall\n  A b, within 1 day", (2, 3), "no colon");
    says("on fall\n  : b, within 1 day", (2, 3), "name is missing");
    says("on fall\n  A: , within 1 day", (2, 6), "work is missing");
    says("on fall\n  A: b", (2, 7), "by when");
    says("on fall\n  A: b within 1 day", (2, 7), "comma");
    says("on fall\n  A: b, in 1 day", (2, 7), "within");
    says("on fall\n  A: b, within two days", (2, 16), "digits");
    says("on fall\n  A: b, within 0 days", (2, 16), "digits");
    says("on fall\n  A: b, within 2 dyas", (2, 18), "\"days\"");
    says(
        "on fall\n  A: b, within 2",
        (2, 17),
        "minutes, hours or days",
    );
    says("on fall\n  A: b, within 2 days or so", (2, 18), "no time");
    says("on fall\n  A: b, within 400 days", (2, 16), "year");
    says("on fall\n  A: b, within 1 day, because", (2, 30), "reason");
    says(
        "on fall\n  A: b, within 1 day\non fall\n  A: c, within 1 day",
        (3, 1),
        "line 1",
    );
    says(
        "on fall\n  A: b, within 1 day\n  A: b, within 2 days",
        (3, 3),
        "line 2",
    );
    says(
        "on fall\non transfer\n  A: b, within 1 day",
        (1, 1),
        "Nothing stands",
    );
    says("# only this\n", (1, 1), "Nothing has to happen");
    says(
        "on fall\n  A\u{1b}[2J: b, within 1 day",
        (2, 4),
        "cannot be seen",
    );
    says(
        &format!("on fall\n  {}: b, within 1 day", "a".repeat(101)),
        (2, 3),
        "101",
    );
    says(&"# long\n".repeat(3000), (1, 1), "longer than");
    let many: String = (0..70)
        .map(|n| format!("  A: b{n}, within 1 day\n"))
        .collect();
    says(&format!("on fall\n{many}"), (66, 3), "more than 64");
}

#[test]
fn several_mistakes_are_said_at_once_in_the_order_of_the_text() {
    let odd = odd("on fal\n  A b\non discharge\n  B: c, within 2 dyas");
    let places: Vec<_> = odd
        .iter()
        .map(|(line, column, _)| (*line, *column))
        .collect();
    assert_eq!(places, [(1, 4), (2, 3), (4, 18)]);
}

#[test]
fn columns_count_characters() {
    says("on fall\n  Zoë Müller: b, within 2 dyas", (2, 27), "days");
}

#[test]
fn the_text_comes_back_out_of_its_plan() {
    let rules = rules(HAROLD);
    let plan = plan(HAROLD, &rules, "2026-11-28", |name| {
        (name == "Sara").then(|| "abc".to_owned())
    });
    assert_eq!(text_of(&plan), Some(HAROLD));
    assert_eq!(plan["action"][2]["trigger"][0]["name"], "admission");
    assert_eq!(plan["action"][0]["timingDuration"]["code"], "d");
    let who = &plan["action"][2]["extension"][0]["valueReference"];
    assert_eq!(who["identifier"]["value"], "abc");
    let mut ended = plan.clone();
    ended["status"] = "retired".into();
    assert_eq!(text_of(&ended), None);
}

#[test]
fn a_task_has_one_name_for_one_event_and_another_for_the_next() {
    let rules = rules(HAROLD);
    let [first, second, _] = rules.rules.as_slice() else {
        panic!("three rules")
    };
    assert_eq!(first.key("e"), first.clone().key("e"));
    assert_ne!(first.key("e"), first.key("f"));
    assert_ne!(first.key("e"), second.key("e"));
}

proptest! {
    #[test]
    fn no_text_panics_and_every_place_is_in_the_text(text in "(on |fall|admission|[ ]{0,3}[A-Za-zë:,#]{0,9}|, within |2|days|, because |\n){0,40}") {
        if let Err(mistakes) = parse(&text) {
            prop_assert!(!mistakes.is_empty());
            let lines: Vec<_> = text.lines().collect();
            for mistake in mistakes {
                let line = lines.get(mistake.line - 1).copied().unwrap_or_default();
                prop_assert!(mistake.column >= 1 && mistake.column <= line.chars().count() + 1, "{mistake}");
            }
        }
    }
}
