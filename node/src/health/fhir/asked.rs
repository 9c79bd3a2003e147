//! What a search asks for, out of the parameters of a request.

use super::{
    outcome::{Code, Issue, Outcome, cut},
    types::{ParamKind, Type},
};
use crate::health::search::{Compare, Query, System, Wanted, span};

/// Resources on a page, where nothing is said, and at most.
const COUNT: usize = 50;
const COUNT_MAX: usize = 200;

/// Parameters of a search, and values of one, at most.
const PARAMS_MAX: usize = 64;
const VALUES_MAX: usize = 256;

/// What is to be done about parameters that are not known (R4, 3.1.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// The search is refused.
    Strict,
    /// They are left out, and the answer says so.
    Lenient,
}

/// Where a page goes on: after this id. Ids do not change, so that pages hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// After a resource.
    pub fn after(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id after which it goes on.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// As it stands in a link; nothing that whoever follows it could read anything out of.
    pub fn to_param(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(format!("1 {}", self.0).as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = data_encoding::BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some(Self(text.strip_prefix("1 ")?.to_owned()))
    }
}

/// What a search asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchAsked {
    /// Of which type; of all where there is none.
    pub kind: Option<&'static Type>,
    /// What is to be found.
    pub query: Query,
    /// The ids on this server: one of each line.
    pub ids: Vec<Vec<String>>,
    /// The ids of the person: one of each line.
    pub persons: Vec<Vec<String>>,
    /// How many on a page; with 0 no more than the number of what fits.
    pub count: usize,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// What is to be said beside the answer.
    pub issues: Vec<Issue>,
    /// What was understood, for the links.
    pub used: Vec<(String, String)>,
}

/// Reads the parameters of a search of one type, or of everything where none is given.
///
/// # Errors
/// When something in it is not understood, so that more would be found than was asked for.
pub fn asked(
    kind: Option<&'static Type>,
    params: &[(String, String)],
    handling: Handling,
) -> Result<SearchAsked, Outcome> {
    let mut asked = SearchAsked {
        kind,
        query: Query::default(),
        ids: Vec::new(),
        persons: Vec::new(),
        count: COUNT,
        after: None,
        issues: Vec::new(),
        used: Vec::new(),
    };
    if let Some(kind) = kind {
        let is_kind = Wanted::Kind(kind.name.to_owned());
        asked.query.all.push(vec![is_kind]);
    }
    if params.len() > PARAMS_MAX {
        return Err(Outcome::refused(
            400,
            Code::TooLong,
            format!("A search may have {PARAMS_MAX} parameters at most."),
        ));
    }
    for (name, value) in params {
        asked.take(name, value, handling)?;
    }
    Ok(asked)
}

impl SearchAsked {
    fn take(&mut self, name: &str, value: &str, handling: Handling) -> Result<(), Outcome> {
        match name {
            // How the answer is written, which is always the same.
            "_format" | "_pretty" => return Ok(()),
            "_count" => {
                let count = value
                    .parse()
                    .map_err(|_| bad(name, value, "Write a number, such as 50."))?;
                self.count = usize::min(count, COUNT_MAX);
                self.used.push((name.to_owned(), self.count.to_string()));
                return Ok(());
            }
            "_page" => {
                let cursor = Cursor::read(value);
                self.after = Some(cursor.ok_or_else(|| {
                    bad(name, value, "Follow the link of a page as it was given.")
                })?);
                return Ok(());
            }
            _ => {}
        }
        let (bare, modifier) = match name.split_once(':') {
            Some((bare, modifier)) => (bare, Some(modifier)),
            None => (name, None),
        };
        let known = match self.kind {
            Some(kind) => kind.param(bare).map(|param| param.kind),
            None if bare == "_since" => Some(ParamKind::Updated),
            None => None,
        };
        let Some(known) = known else {
            return self.not_known(name, handling);
        };
        let is_of_person = known == ParamKind::Person && modifier == Some("Patient");
        if modifier.is_some() && !is_of_person {
            // R4 3.1.1.3.1: never left out.
            return Err(Outcome::refused(
                400,
                Code::NotSupported,
                format!(
                    "This server knows no modifier of the parameter {bare:?}, so {:?} is not searched.",
                    cut(name)
                ),
            )
            .at(format!("http.{}", cut(name))));
        }
        if value.is_empty() {
            self.issues.push(
                Issue::warning(
                    Code::Informational,
                    format!("The parameter {bare:?} is empty and was left out."),
                )
                .at(format!("http.{bare}")),
            );
            return Ok(());
        }
        let values = split(value, ',');
        if values.len() > VALUES_MAX {
            return Err(bad(
                name,
                value,
                &format!("Name {VALUES_MAX} values at most."),
            ));
        }
        self.used.push((name.to_owned(), value.to_owned()));
        self.line(bare, known, &values)
    }

    fn line(&mut self, name: &str, kind: ParamKind, values: &[String]) -> Result<(), Outcome> {
        let plain = || values.iter().map(|value| unescaped(value)).collect();
        let wanted: Result<Vec<_>, Outcome> = match kind {
            ParamKind::Id => {
                self.ids.push(plain());
                return Ok(());
            }
            ParamKind::Person => {
                self.persons.push(plain());
                return Ok(());
            }
            ParamKind::Token(param) => Ok(values
                .iter()
                .map(|value| {
                    let (system, code) = token(value);
                    Wanted::Token {
                        param,
                        system,
                        code,
                    }
                })
                .collect()),
            ParamKind::Code(param) => Ok(values
                .iter()
                .map(|value| {
                    let (system, code) = token(value);
                    let system = match system {
                        // The system of a bare code is not written in a resource.
                        System::Is(system) if system.starts_with("http://hl7.org/fhir/") => {
                            System::Any
                        }
                        System::Is(_) | System::Any | System::Missing => system,
                    };
                    Wanted::Token {
                        param,
                        system,
                        code,
                    }
                })
                .collect()),
            ParamKind::Text(param) => Ok(values
                .iter()
                .map(|value| Wanted::Words {
                    param,
                    text: unescaped(value),
                })
                .collect()),
            ParamKind::Date(param) => {
                let times = values.iter().map(|value| {
                    let (compare, span) = time(name, value)?;
                    Ok(Wanted::Time {
                        param,
                        compare,
                        span,
                    })
                });
                times.collect()
            }
            ParamKind::Updated => {
                let times = values.iter().map(|value| {
                    let (compare, span) = if name == "_since" {
                        time(name, &format!("ge{value}"))?
                    } else {
                        time(name, value)?
                    };
                    Ok(Wanted::Updated { compare, span })
                });
                times.collect()
            }
        };
        self.query.all.push(wanted?);
        Ok(())
    }

    fn not_known(&mut self, name: &str, handling: Handling) -> Result<(), Outcome> {
        let of = self.kind.map_or("everything", |kind| kind.name);
        let what = format!(
            "This server does not search {of} by {:?}. [base]/metadata lists what it searches by.",
            cut(name)
        );
        match handling {
            Handling::Strict => {
                Err(Outcome::refused(400, Code::NotSupported, what)
                    .at(format!("http.{}", cut(name))))
            }
            Handling::Lenient => {
                let what = format!("{what} It was left out, so more may be found than was meant.");
                let issue = Issue::warning(Code::NotSupported, what);
                self.issues.push(issue.at(format!("http.{}", cut(name))));
                Ok(())
            }
        }
    }
}

/// A value that is not understood.
fn bad(name: &str, value: &str, remedy: &str) -> Outcome {
    Outcome::refused(
        400,
        Code::Value,
        format!(
            "{:?} is not understood as {:?}. {remedy}",
            cut(value),
            cut(name)
        ),
    )
    .at(format!("http.{}", cut(name)))
}

fn time(name: &str, value: &str) -> Result<(Compare, (i64, i64)), Outcome> {
    const EXAMPLE: &str = "Write a time such as 2026, 2026-03, 2026-03-31 or 2026-03-31T09:30:00Z, with eq, ne, gt, ge, lt, le, sa or eb before it where it is not meant exactly.";
    let value = unescaped(value);
    let prefixes = [
        ("eq", Compare::Eq),
        ("ne", Compare::Ne),
        ("gt", Compare::Gt),
        ("ge", Compare::Ge),
        ("lt", Compare::Lt),
        ("le", Compare::Le),
        ("sa", Compare::Sa),
        ("eb", Compare::Eb),
    ];
    let found = prefixes
        .into_iter()
        .find_map(|(prefix, compare)| Some((compare, value.strip_prefix(prefix)?)));
    let (compare, text) = found.unwrap_or((Compare::Eq, &value));
    let span = is_time(text).then(|| span(text)).flatten();
    let span = span.ok_or_else(|| bad(name, &value, EXAMPLE))?;
    Ok((compare, span))
}

/// Whether a text is a FHIR date or dateTime; `span` reads the day of some that are not.
fn is_time(text: &str) -> bool {
    let is_day = |text: &str| {
        let shape: String = text
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        ["0000", "0000-00", "0000-00-00"].contains(&shape.as_str())
    };
    match text.split_once('T') {
        None => is_day(text),
        Some((day, time)) => {
            let bare: jiff::civil::Time = match time
                .split(['Z', '+', '-'])
                .next()
                .and_then(|time| time.parse().ok())
            {
                Some(time) => time,
                None => return false,
            };
            day.len() == 10 && is_day(day) && bare >= jiff::civil::Time::midnight()
        }
    }
}

fn token(value: &str) -> (System, Option<String>) {
    let parts = split(value, '|');
    let part = |at: usize| parts.get(at).map(|part| unescaped(part));
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    match parts.len() {
        0 | 1 => (System::Any, part(0)),
        _ => match given(part(0)) {
            None => (System::Missing, given(part(1))),
            Some(system) => (System::Is(system), given(part(1))),
        },
    }
}

/// Cut at a mark that no backslash stands before.
fn split(text: &str, mark: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_escaped = false;
    for c in text.chars() {
        if c == mark && !is_escaped {
            parts.push(String::new());
            continue;
        }
        is_escaped = c == '\\' && !is_escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Handling, asked};
    use crate::health::{
        fhir::type_named,
        search::{Compare, Param, System, Wanted, span},
    };

    fn of(kind: &str, params: &[(&str, &str)]) -> Result<super::SearchAsked, u16> {
        let params: Vec<_> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        asked(type_named(kind), &params, Handling::Strict).map_err(|outcome| outcome.status)
    }

    #[test]
    fn values_are_read_as_the_specification_writes_them() {
        let found = of(
            "Observation",
            &[
                ("code", r"http://loinc.org|8867-4,a\,b\|c,|x"),
                ("date", "ge2020-03"),
                ("status", "http://hl7.org/fhir/observation-status|final"),
                ("patient:Patient", "p1"),
            ],
        )
        .expect("understood");
        let token = |system, code: &str| Wanted::Token {
            param: Param::Code,
            system,
            code: Some(code.to_owned()),
        };
        let loinc = System::Is("http://loinc.org".to_owned());
        assert_eq!(
            found.query.all[1],
            [
                token(loinc, "8867-4"),
                token(System::Any, "a,b|c"),
                token(System::Missing, "x"),
            ]
        );
        let march = span("2020-03").expect("a month");
        assert_eq!(
            found.query.all[2],
            [Wanted::Time {
                param: Param::Date,
                compare: Compare::Ge,
                span: march
            }]
        );
        assert!(
            matches!(&found.query.all[3][..], [Wanted::Token { system: System::Any, code: Some(code), .. }] if code == "final")
        );
        assert_eq!(found.persons, [["p1"]]);
    }

    #[test]
    fn what_would_find_more_than_was_meant_is_refused() {
        for (name, value) in [
            ("code:in", "x"),
            ("date", "ap2020"),
            ("date", "yesterday"),
            ("date", "2020-13-45"),
            ("date", "2020-01-01Tnoon"),
            ("colour", "red"),
            ("_count", "-1"),
            ("_page", "?"),
        ] {
            assert_eq!(
                of("Observation", &[(name, value)]).err(),
                Some(400),
                "{name}={value}"
            );
        }
    }

    #[test]
    fn a_link_goes_on_where_a_page_ended() {
        let cursor = Cursor::after("0123");
        let found = of("Observation", &[("_page", &cursor.to_param())]).expect("understood");
        assert_eq!(found.after, Some(cursor));
    }
}
