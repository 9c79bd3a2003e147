//! Reading a text of rules, line by line.

use super::{
    DAYS_MAX, EventKind, Mistake, NAME_LEN_MAX, RULES_MAX, Rule, Rules, TEXT_LEN_MAX, TimeUnit,
    WORDS_LEN_MAX, Within, mistake::near,
};

/// How an indented line is written.
const LIKE: &str = "Write it as \"NAME: what is to be done, within 2 days, because the reason\".";

/// Mistakes that are told at once: whoever wrote more begins with these.
const MISTAKES_MAX: usize = 40;

/// Reads a text.
///
/// # Errors
/// With everything that is odd, in the order of the text.
pub fn parse(text: &str) -> Result<Rules, Vec<Mistake>> {
    let mut reading = Reading::default();
    if text.len() > TEXT_LEN_MAX {
        reading.odd(
            (1, 1),
            format!("This is longer than {} KB.", TEXT_LEN_MAX / 1024),
            "Keep what has to happen around one person to a few lines.",
        );
        return Err(reading.mistakes);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (n, line) in (1..).zip(text.lines()) {
        reading.line(n, line);
    }
    reading.end()
}

/// A heading and what came beneath it.
struct Heading {
    /// Nothing where the event is not understood.
    on: Option<EventKind>,
    line: usize,
    has_rules: bool,
}

#[derive(Default)]
struct Reading {
    rules: Vec<Rule>,
    headings: Vec<Heading>,
    mistakes: Vec<Mistake>,
    /// Whether it was said already that there are too many.
    is_full: bool,
}

/// A part of a line: its first character, from 1, and its text without space around it.
#[derive(Clone, Copy)]
struct Part<'a> {
    column: usize,
    text: &'a str,
}

impl<'a> Part<'a> {
    fn of(line: &'a str) -> Self {
        Self {
            column: 1,
            text: line,
        }
        .trimmed()
    }

    fn trimmed(self) -> Self {
        let text = self.text.trim_start();
        let before = self.text.len() - text.len();
        Self {
            column: self.column + self.text[..before].chars().count(),
            text: text.trim_end(),
        }
    }

    /// What stands before and after a place in it.
    fn split(self, at: usize, len: usize) -> (Self, Self) {
        let (before, after) = (&self.text[..at], &self.text[at + len..]);
        let column = self.column + self.text[..at + len].chars().count();
        let part = |column, text| Part { column, text }.trimmed();
        (part(self.column, before), part(column, after))
    }

    fn split_once(self, at: &str) -> Option<(Self, Self)> {
        Some(self.split(self.text.find(at)?, at.len()))
    }
}

impl Reading {
    fn odd(&mut self, (line, column): (usize, usize), what: String, remedy: impl Into<String>) {
        if self.mistakes.len() < MISTAKES_MAX {
            self.mistakes.push(Mistake {
                line,
                column,
                what,
                remedy: remedy.into(),
            });
        }
    }

    fn line(&mut self, n: usize, line: &str) {
        let part = Part::of(line);
        if part.text.is_empty() || part.text.starts_with('#') {
            return;
        }
        let mut characters = (1..).zip(line.chars());
        if let Some((column, _)) = characters.find(|(_, c)| c.is_control() && *c != '\t') {
            self.odd(
                (n, column),
                "There is a character here that cannot be seen.".to_owned(),
                "Delete it and type the line again.",
            );
        } else if is_heading(part.text) {
            self.heading(n, part);
        } else if part.column == 1 {
            self.at_the_margin(n, part);
        } else {
            self.rule(n, part);
        }
    }

    fn at_the_margin(&mut self, n: usize, part: Part<'_>) {
        let first = part.text.split_whitespace().next().unwrap_or_default();
        let word = first.trim_end_matches(':').to_lowercase();
        let event = EventKind::ALL.into_iter().find(|kind| kind.word() == word);
        if let Some(event) = event {
            self.headings.push(Heading {
                on: None,
                line: n,
                has_rules: true,
            });
            let what = format!("{first:?} stands at the margin without the word \"on\".");
            self.odd((n, part.column), what, format!("Write \"on {event}\"."));
        } else if part.text.contains(':') {
            let what = "This line says what somebody is asked for, and begins at the margin.";
            let remedy = "Begin it with two spaces, beneath the line that says after what.";
            self.odd((n, part.column), what.to_owned(), remedy);
        } else {
            let what = "This line is not understood.".to_owned();
            let remedy = "Write \"on fall\", \"on admission\", \"on discharge\" or \"on transfer\" at the margin, and beneath it who is asked for what.";
            self.odd((n, part.column), what, remedy);
        }
    }

    fn heading(&mut self, n: usize, part: Part<'_>) {
        let (_, rest) = part.split(0, 2);
        let on = self.event(n, rest);
        let before = on.and_then(|on| self.headings.iter().find(|one| one.on == Some(on)));
        if let (Some(on), Some(before)) = (on, before) {
            let what = format!("\"on {on}\" stands in line {} already.", before.line);
            let remedy = "Put what stands beneath this line beneath that one.";
            self.odd((n, part.column), what, remedy);
        }
        self.headings.push(Heading {
            on,
            line: n,
            has_rules: on.is_none(),
        });
    }

    fn event(&mut self, n: usize, said: Part<'_>) -> Option<EventKind> {
        let words: Vec<_> = EventKind::ALL.into_iter().map(EventKind::word).collect();
        let all = words.join(", ");
        let at = (n, said.column);
        if said.text.is_empty() {
            let what = "It is not said after what.".to_owned();
            self.odd(at, what, format!("Write \"on\" and one of {all}."));
            return None;
        }
        let word = said.text.trim_end_matches(':').trim_end();
        let kind = EventKind::ALL
            .into_iter()
            .find(|kind| kind.word() == word.to_lowercase());
        if let Some(kind) = kind {
            if word != said.text {
                let what = "There is a colon behind the event.".to_owned();
                self.odd(
                    at,
                    what,
                    format!("Write \"on {kind}\" and nothing behind it."),
                );
            }
            return Some(kind);
        }
        let first = word.split_whitespace().next().unwrap_or(word);
        let meant = near(first, words.iter().copied());
        let remedy = meant.map_or_else(
            || format!("Write one of {all}."),
            |meant| format!("Did you mean \"on {meant}\"? Nothing else stands in that line."),
        );
        self.odd(at, format!("There is no event called {word:?}."), remedy);
        None
    }

    fn rule(&mut self, n: usize, part: Part<'_>) {
        let on = match self.headings.last_mut() {
            Some(heading) => {
                heading.has_rules = true;
                heading.on
            }
            None => {
                let what = "It is not said after what this has to happen.".to_owned();
                let remedy = "Write \"on fall\", \"on admission\", \"on discharge\" or \"on transfer\" above it, at the margin.";
                self.odd((n, part.column), what, remedy);
                None
            }
        };
        let mistakes = self.mistakes.len();
        let Some((who, asked)) = part.split_once(":") else {
            let what = "It is not said who is asked: there is no colon.".to_owned();
            self.odd((n, part.column), what, LIKE);
            return;
        };
        self.words(n, who, ("name", NAME_LEN_MAX));
        let (asked, because) = match find(asked, ", because ") {
            Some((asked, why)) => (asked, Some(why)),
            None => (asked, None),
        };
        if let Some(why) = because {
            self.words(n, why, ("reason", WORDS_LEN_MAX));
        }
        let (what, within) = self.within(n, asked);
        self.words(n, what, ("work", WORDS_LEN_MAX));
        let (Some(on), Some(within)) = (on, within) else {
            return;
        };
        if self.mistakes.len() == mistakes {
            self.add(Rule {
                on,
                who: who.text.to_owned(),
                what: what.text.to_owned(),
                within,
                because: because.map(|why| why.text.to_owned()),
                line: n,
                column: part.column,
            });
        }
    }

    fn add(&mut self, rule: Rule) {
        let at = (rule.line, rule.column);
        let same = |before: &&Rule| {
            (before.on, &before.who, &before.what) == (rule.on, &rule.who, &rule.what)
        };
        if let Some(before) = self.rules.iter().find(same) {
            let what = format!("The same is asked of the same in line {}.", before.line);
            self.odd(at, what, "Delete one of the two.");
        } else if self.rules.len() == RULES_MAX {
            if !self.is_full {
                let what = format!("These are more than {RULES_MAX} tasks.");
                self.odd(at, what, "Keep what matters most.");
            }
            self.is_full = true;
        } else {
            self.rules.push(rule);
        }
    }

    /// Whether words are there, and not too many.
    fn words(&mut self, n: usize, part: Part<'_>, (name, len_max): (&str, usize)) {
        let len = part.text.chars().count();
        if len == 0 {
            self.odd((n, part.column), format!("The {name} is missing."), LIKE);
        } else if len > len_max {
            let what = format!("The {name} is {len} characters long.");
            let remedy = format!("Use at most {len_max}.");
            self.odd((n, part.column), what, remedy);
        }
    }

    /// What is to be done, and how long that may take.
    fn within<'a>(&mut self, n: usize, asked: Part<'a>) -> (Part<'a>, Option<Within>) {
        let at = asked.text.rfind(", within ");
        if let Some(at) = at {
            let (what, time) = asked.split(at, ", within ".len());
            return (what, self.time(n, time));
        }
        let end = asked.column + asked.text.chars().count();
        for (words, say) in [
            (" within ", "There is no comma before \"within\"."),
            (", in ", "The time is not said with \"within\"."),
            (", by ", "The time is not said with \"within\"."),
        ] {
            if let Some((before, _)) = asked.split_once(words) {
                let column = before.column + before.text.chars().count();
                let remedy = "Write \", within 2 days\" behind what is to be done.";
                self.odd((n, column), say.to_owned(), remedy);
                return (before, None);
            }
        }
        let what = "It is not said by when.".to_owned();
        let remedy =
            "Write \", within 2 days\" behind what is to be done, or so many minutes or hours.";
        self.odd((n, end), what, remedy);
        (asked, None)
    }

    fn time(&mut self, n: usize, time: Part<'_>) -> Option<Within> {
        let at = time.text.find(char::is_whitespace);
        let (number, unit) = match at {
            Some(at) => time.split(at, 1),
            None => time.split(time.text.len(), 0),
        };
        let count: Option<u32> = number.text.parse().ok().filter(|count| *count > 0);
        if count.is_none() {
            let what = format!("{:?} is not a number of hours or days.", number.text);
            let remedy = "Write the time in digits, such as \"within 2 days\".";
            self.odd((n, number.column), what, remedy);
        }
        let unit = self.unit(n, unit);
        let within = Within {
            count: count?,
            unit: unit?,
        };
        if within.ms() > u64::from(DAYS_MAX) * TimeUnit::Days.minutes() * 60_000 {
            let what = format!("{within} is longer than a year.");
            let remedy = "A task is something that is done soon: name a shorter time.";
            self.odd((n, number.column), what, remedy);
            return None;
        }
        Some(within)
    }

    fn unit(&mut self, n: usize, said: Part<'_>) -> Option<TimeUnit> {
        let mut units = TimeUnit::ALL.into_iter();
        let lower = said.text.to_lowercase();
        let unit = units.find(|unit| unit.words().contains(&lower.as_str()));
        if unit.is_none() {
            let words = TimeUnit::ALL.map(|unit| unit.words()[1]);
            let first = said.text.split_whitespace().next().unwrap_or_default();
            let meant = near(first, words);
            let remedy = meant.map_or_else(
                || {
                    "Write minutes, hours or days, and nothing behind it but \", because …\"."
                        .to_owned()
                },
                |meant| {
                    format!("Did you mean {meant:?}? Only \", because …\" may stand behind it.")
                },
            );
            let what = if said.text.is_empty() {
                "It is not said whether these are minutes, hours or days.".to_owned()
            } else {
                format!("{:?} is no time that is known here.", said.text)
            };
            self.odd((n, said.column), what, remedy);
        }
        unit
    }

    fn end(mut self) -> Result<Rules, Vec<Mistake>> {
        let empty: Vec<_> = self
            .headings
            .iter()
            .filter(|heading| !heading.has_rules)
            .filter_map(|heading| Some((heading.line, heading.on?)))
            .collect();
        for (line, on) in empty {
            let what = format!("Nothing stands beneath \"on {on}\".");
            self.odd(
                (line, 1),
                what,
                "Write who is asked for what, or delete the line.",
            );
        }
        if self.rules.is_empty() && self.mistakes.is_empty() {
            let what = "Nothing has to happen by this text.".to_owned();
            let remedy = "Write \"on fall\" in one line, and in the next, after two spaces, who is asked for what.";
            self.odd((1, 1), what, remedy);
        }
        if self.mistakes.is_empty() {
            return Ok(Rules { rules: self.rules });
        }
        self.mistakes
            .sort_by_key(|mistake| (mistake.line, mistake.column));
        Err(self.mistakes)
    }
}

/// Whether a line says after what: the word "on" and, where more stands there, no colon behind a
/// name that begins so.
fn is_heading(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let on = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("on"));
    let more = words.count();
    on && (more <= 1 || !line.contains(", within "))
}

/// What stands before and after the first of some words.
fn find<'a>(part: Part<'a>, words: &str) -> Option<(Part<'a>, Part<'a>)> {
    // At the end of a line nothing stands behind the last space.
    let bare = words.trim_end();
    part.split_once(words).or_else(|| {
        let at = part.text.len().checked_sub(bare.len())?;
        part.text
            .ends_with(bare)
            .then(|| part.split(at, bare.len()))
    })
}
