//! A search: what a resource must have to be found.

use super::{Param, Row};

/// Every line must be fulfilled; of the wishes of a line any one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The lines.
    pub all: Vec<Vec<Wanted>>,
}

/// One wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The type.
    Kind(String),
    /// The id that its sender gave it, or the one that it has in the document.
    Id(String),
    /// A code, identifier or reference.
    Token {
        /// What it is searched as.
        param: Param,
        /// The system.
        system: System,
        /// The code; nothing where any of the system will do.
        code: Option<String>,
    },
    /// The words of something begin so, whatever the case.
    Words {
        /// What they are searched as.
        param: Param,
        /// How they begin.
        text: String,
    },
    /// A time.
    Time {
        /// What it is searched as.
        param: Param,
        /// How it lies to the one that is given.
        compare: Compare,
        /// The first moment of that and the moment after its last, as [`super::span`] gives them.
        span: (i64, i64),
    },
    /// When it was written last, by the time that its author signed.
    Updated {
        /// How it lies to the one that is given.
        compare: Compare,
        /// The first moment of that and the moment after its last.
        span: (i64, i64),
    },
}

/// Of which system a code is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum System {
    /// Any or none: `code`.
    Any,
    /// None: `|code`.
    Missing,
    /// This one: `system|code`.
    Is(String),
}

/// The prefixes of FHIR's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `eq`: wholly within it.
    Eq,
    /// `ne`: not wholly within it.
    Ne,
    /// `gt`: some of it later.
    Gt,
    /// `ge`: some of it later, or wholly within.
    Ge,
    /// `lt`: some of it earlier.
    Lt,
    /// `le`: some of it earlier, or wholly within.
    Le,
    /// `sa`: all of it later.
    Sa,
    /// `eb`: all of it earlier.
    Eb,
}

impl Query {
    /// Whether a row is found that was written last at a time.
    pub fn finds(&self, row: &Row, updated_ms: u64) -> bool {
        let mut lines = self.all.iter();
        lines.all(|line| line.iter().any(|wanted| wanted.is_in(row, updated_ms)))
    }
}

impl Wanted {
    fn is_in(&self, row: &Row, updated_ms: u64) -> bool {
        match self {
            Self::Kind(kind) => row.kind == *kind,
            Self::Id(id) => row.resource == *id || row.native_id.as_ref() == Some(id),
            Self::Token {
                param,
                system,
                code,
            } => row.tokens.iter().any(|token| {
                token.param == *param
                    && system.is_of(token.system.as_deref())
                    && code.as_ref().is_none_or(|code| token.code == *code)
            }),
            Self::Words { param, text } => {
                let text = text.to_lowercase();
                let mut words = row.words.iter().filter(|words| words.param == *param);
                words.any(|words| words.text.starts_with(&text))
            }
            Self::Time {
                param,
                compare,
                span,
            } => {
                let mut spans = row.spans.iter().filter(|span| span.param == *param);
                spans.any(|held| {
                    let held = (
                        held.from_ms.unwrap_or(i64::MIN),
                        held.to_ms.unwrap_or(i64::MAX),
                    );
                    compare.holds(held, *span)
                })
            }
            Self::Updated { compare, span } => i64::try_from(updated_ms)
                .is_ok_and(|at| compare.holds((at, at.saturating_add(1)), *span)),
        }
    }
}

impl System {
    fn is_of(&self, system: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Missing => system.is_none(),
            Self::Is(wanted) => system == Some(wanted.as_str()),
        }
    }
}

impl Compare {
    fn holds(self, (from, to): (i64, i64), (start, end): (i64, i64)) -> bool {
        let is_within = start <= from && to <= end;
        match self {
            Self::Eq => is_within,
            Self::Ne => !is_within,
            Self::Gt => to > end,
            Self::Ge => to > end || is_within,
            Self::Lt => from < start,
            Self::Le => from < start || is_within,
            Self::Sa => from >= end,
            Self::Eb => to <= start,
        }
    }
}
