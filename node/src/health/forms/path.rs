//! A part of FHIRPath: what forms say about where an answer comes from and where it goes.
//!
//! Understood are steps along names (`name.given`, also `value` for any `value[x]`), indexes,
//! literals, `%variables`, the operators `or xor and implies = != ~ < > <= >= in contains | + - * &`
//! and the functions that `Function` names below. Whatever else an expression says is refused as a whole, by
//! name: half an expression would give an answer that nobody meant.
//!
//! The libraries that know all of FHIRPath need a newer compiler than this tree is built with, or
//! bring their own types for every resource, which change digits (decision 0098).

mod evaluate;
mod parse;
mod value;

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

pub(super) use value::{as_decimal, compare};

/// The longest expression, in bytes.
pub const EXPRESSION_LEN_MAX: usize = 4_000;
/// How deep expressions and functions may stand in each other.
pub(super) const DEPTH_MAX: usize = 40;
/// Values that one expression may look at, before it is given up.
pub(super) const STEPS_MAX: usize = 200_000;

/// Why an expression has no result here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// It is longer than any that a form needs.
    #[error("the expression is longer than {EXPRESSION_LEN_MAX} bytes")]
    TooLong,
    /// It is not written as FHIRPath is.
    #[error("the expression is not understood at character {0}")]
    At(usize),
    /// It asks for something that this program does not do.
    #[error("{0} is not understood here")]
    NotDone(String),
    /// It names something that is not known.
    #[error("%{0} is not known here")]
    NoVariable(String),
    /// What it is applied to does not fit.
    #[error("{0}")]
    DoesNotFit(&'static str),
    /// It goes on for too long.
    #[error("the expression takes too long")]
    TooMuch,
}

/// Several values, in order.
pub type Values<'v> = Vec<Cow<'v, Value>>;

/// What an expression may name.
#[derive(Clone, Debug, Default)]
pub struct Surroundings<'v> {
    /// By name, without `%`.
    pub variables: BTreeMap<String, Values<'v>>,
    /// The time now, as FHIR writes it; `now()` and `today()` are not known without it.
    pub now: Option<String>,
}

impl<'v> Surroundings<'v> {
    /// Adds a variable with one value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &'v Value) -> Self {
        self.variables
            .insert(name.to_owned(), vec![Cow::Borrowed(value)]);
        self
    }
}

/// What an expression gives on a focus.
///
/// # Errors
/// Names what is not understood, and why nothing came of the rest.
pub fn evaluate<'v>(
    expression: &str,
    focus: &Values<'v>,
    around: &Surroundings<'v>,
) -> Result<Values<'v>, NotUnderstood> {
    if expression.len() > EXPRESSION_LEN_MAX {
        return Err(NotUnderstood::TooLong);
    }
    let parsed = parse::parse(expression)?;
    evaluate::Evaluation::new(around).run(&parsed, focus)
}

/// Functions that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Where,
    Select,
    All,
    Exists,
    Empty,
    Not,
    Count,
    First,
    Last,
    Tail,
    Skip,
    Take,
    Single,
    Distinct,
    OfType,
    Iif,
    Join,
    ToString,
    Trim,
    Upper,
    Lower,
    Length,
    StartsWith,
    EndsWith,
    Contains,
    Substring,
    Extension,
    HasValue,
    Now,
    Today,
}

impl Function {
    const ALL: [(&'static str, Self); 30] = [
        ("where", Self::Where),
        ("select", Self::Select),
        ("all", Self::All),
        ("exists", Self::Exists),
        ("empty", Self::Empty),
        ("not", Self::Not),
        ("count", Self::Count),
        ("first", Self::First),
        ("last", Self::Last),
        ("tail", Self::Tail),
        ("skip", Self::Skip),
        ("take", Self::Take),
        ("single", Self::Single),
        ("distinct", Self::Distinct),
        ("ofType", Self::OfType),
        ("iif", Self::Iif),
        ("join", Self::Join),
        ("toString", Self::ToString),
        ("trim", Self::Trim),
        ("upper", Self::Upper),
        ("lower", Self::Lower),
        ("length", Self::Length),
        ("startsWith", Self::StartsWith),
        ("endsWith", Self::EndsWith),
        ("contains", Self::Contains),
        ("substring", Self::Substring),
        ("extension", Self::Extension),
        ("hasValue", Self::HasValue),
        ("now", Self::Now),
        ("today", Self::Today),
    ];

    fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == name).map(|(_, f)| *f)
    }
}

#[cfg(test)]
mod tests;
