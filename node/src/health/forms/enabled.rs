//! Whether a question is asked, by what was answered.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::Value;

use super::{
    form::{Condition, Form, Operator, Question, choice},
    path::compare,
};

/// The lists of items around an item of a response, from the outermost inward, each of one
/// repetition of its group.
pub(super) type Around<'r> = Vec<&'r [Value]>;

/// Answers below one list of items, by question.
type Answers<'r> = BTreeMap<&'r str, Vec<&'r Value>>;

/// Which questions of a form are asked, as a response stands. Only answers are looked at, so that
/// conditions that hang on each other come to an end.
pub(super) struct Asked<'r> {
    form: &'r Form,
    /// By the place in memory of the list.
    known: BTreeMap<usize, Answers<'r>>,
}

impl<'r> Asked<'r> {
    pub(super) const fn of(form: &'r Form) -> Self {
        Self {
            form,
            known: BTreeMap::new(),
        }
    }

    /// Whether a question is asked where it stands.
    pub(super) fn is_enabled(&mut self, question: &Question, around: &Around<'r>) -> bool {
        if question.when.is_empty() {
            return true;
        }
        let mut conditions = question.when.iter();
        if question.when_all {
            conditions.all(|condition| self.holds(question, condition, around))
        } else {
            conditions.any(|condition| self.holds(question, condition, around))
        }
    }

    fn holds(&mut self, question: &Question, condition: &Condition, around: &Around<'r>) -> bool {
        let answers = self.answers_near(question, &condition.question, around);
        let (_, wanted) = &condition.answer;
        let any = |is: fn(Ordering) -> bool| {
            let mut values = answers.iter().filter_map(|answer| choice(answer, "value"));
            values.any(|(_, value)| compare(&value, wanted).is_some_and(is))
        };
        match condition.operator {
            Operator::Exists => wanted.as_bool().unwrap_or(true) != answers.is_empty(),
            Operator::Equal => any(Ordering::is_eq),
            // R4: true where no answer has a value that is equal.
            Operator::NotEqual => !any(Ordering::is_eq),
            Operator::Greater => any(Ordering::is_gt),
            Operator::Less => any(Ordering::is_lt),
            Operator::GreaterOrEqual => any(Ordering::is_ge),
            Operator::LessOrEqual => any(Ordering::is_le),
        }
    }

    /// The answers to another question, in the same repetition of all groups around both.
    fn answers_near(
        &mut self,
        question: &Question,
        other: &str,
        around: &Around<'r>,
    ) -> &[&'r Value] {
        let here = self.form.around(&question.link_id).unwrap_or_default();
        let there = self.form.around(other).unwrap_or_default();
        let common = here.iter().zip(there).take_while(|(a, b)| a == b).count();
        let Some(items) = around.get(common.min(around.len().saturating_sub(1))) else {
            return &[];
        };
        let known = self.known.entry(items.as_ptr().addr());
        let answers = known.or_insert_with(|| answers_in(items));
        answers.get(other).map_or(&[], Vec::as_slice)
    }
}

fn answers_in(items: &[Value]) -> Answers<'_> {
    let mut found: Answers<'_> = BTreeMap::new();
    let mut open: Vec<&Value> = items.iter().rev().collect();
    while let Some(item) = open.pop() {
        let answers = list(item, "answer");
        if let Some(link_id) = item.get("linkId").and_then(Value::as_str) {
            found.entry(link_id).or_default().extend(answers);
        }
        open.extend(list(item, "item").iter().rev());
        open.extend(answers.iter().flat_map(|answer| list(answer, "item")));
    }
    found
}

/// A list of something; empty where it has none.
pub(super) fn list<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of.get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
