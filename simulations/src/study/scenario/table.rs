//! Reads a TOML table key by key, and tells of keys that nobody asked for.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{Problems, instead_of};

/// A value and where it stands.
pub type Placed<'a> = &'a Spanned<DeValue<'a>>;

/// A table, the keys that were asked for, and how people name it.
pub struct Table<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
    /// How a message names it: `[[organisation]]` or `run`.
    pub name: String,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// A table that stands somewhere.
    pub fn of(name: impl Into<String>, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self {
            table,
            span,
            name: name.into(),
            known: Vec::new(),
        }
    }

    /// Where it begins.
    pub const fn at(&self) -> usize {
        self.span.start
    }

    /// The value of a key, which is known from now on.
    pub fn get(&mut self, key: &'static str) -> Option<Placed<'a>> {
        self.known.push(key);
        self.table.get(key)
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Option<String> {
        let value = self.get(key)?;
        let text = as_text(value);
        if text.is_none() {
            self.wrong(value, key, "a text", &format!("{key} = \"…\""), problems);
        }
        text
    }

    /// A text that has to be there; where it stands is told with it.
    pub fn needed_text(
        &mut self,
        key: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<(String, usize)> {
        let at = self.table.get(key).map(|value| value.span().start);
        let text = self.text(key, problems);
        if at.is_none() {
            self.missing(key, &format!("{key} = \"…\""), problems);
        }
        text.zip(at)
    }

    /// A whole number of at least `least` that is the same in every run.
    pub fn whole(
        &mut self,
        key: &'static str,
        least: u32,
        problems: &mut Problems<'_>,
    ) -> Option<u32> {
        let value = self.get(key)?;
        if let DeValue::Table(table) = value.get_ref()
            && table.contains_key("sweep")
        {
            let said = format!("`{key}` cannot be swept: it is the same in every run");
            problems.add(value.span().start, said, format!("write {key} = {least}"));
            return None;
        }
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.to_string().replace('_', "").parse().ok(),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        match number {
            Some(number) if number >= least => Some(number),
            _ => {
                let wanted = format!("a whole number from {least} on");
                self.wrong(value, key, &wanted, &format!("{key} = {least}"), problems);
                None
            }
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Option<bool> {
        let value = self.get(key)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        self.wrong(
            value,
            key,
            "true or false",
            &format!("{key} = true"),
            problems,
        );
        None
    }

    /// A list of texts, each with where it stands; one text is a list of one.
    pub fn texts(
        &mut self,
        key: &'static str,
        problems: &mut Problems<'_>,
    ) -> Option<Vec<(String, usize)>> {
        let value = self.get(key)?;
        let texts: Option<Vec<_>> = if let DeValue::Array(all) = value.get_ref() {
            let texts = all
                .iter()
                .map(|one| Some((as_text(one)?, one.span().start)));
            texts.collect()
        } else {
            as_text(value).map(|text| vec![(text, value.span().start)])
        };
        if texts.is_none() {
            let instead = format!("{key} = [\"…\", \"…\"]");
            self.wrong(value, key, "a list of texts", &instead, problems);
        }
        texts
    }

    /// A table inside.
    pub fn table(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Option<Table<'a>> {
        let value = self.get(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Table::of(format!("[{key}]"), table, value.span()));
        }
        let instead = format!("begin a line with [{key}] and write its keys below");
        self.wrong(value, key, "a table", &instead, problems);
        None
    }

    /// The tables of a list.
    pub fn tables(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Vec<Table<'a>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let all = if let DeValue::Array(all) = value.get_ref() {
            let tables = all.iter().map(|one| {
                let DeValue::Table(table) = one.get_ref() else {
                    return None;
                };
                Some(Table::of(format!("[[{key}]]"), table, one.span()))
            });
            tables.collect()
        } else {
            None
        };
        all.unwrap_or_else(|| {
            let instead = format!("begin each with a line [[{key}]]");
            self.wrong(value, key, "a list of tables", &instead, problems);
            Vec::new()
        })
    }

    /// A key that has to be there is not.
    pub fn missing(&self, key: &str, instead: &str, problems: &mut Problems<'_>) {
        let said = format!("{} has no `{key}`", self.name);
        problems.add(self.at(), said, format!("write {instead}"));
    }

    /// Every key that nobody asked for is refused.
    pub fn end(self, problems: &mut Problems<'_>) {
        for key in self.table.keys() {
            let word: &str = key.get_ref();
            if !self.known.contains(&word) {
                let said = format!("{} knows no key `{word}`", self.name);
                problems.add(key.span().start, said, instead_of(word, &self.known));
            }
        }
    }

    fn wrong(
        &self,
        value: Placed<'_>,
        key: &str,
        wanted: &str,
        instead: &str,
        problems: &mut Problems<'_>,
    ) {
        let said = format!(
            "`{key}` of {} is {}, and wants {wanted}",
            self.name,
            kind(value.get_ref())
        );
        problems.add(value.span().start, said, format!("write {instead}"));
    }
}

fn as_text(value: Placed<'_>) -> Option<String> {
    let DeValue::String(text) = value.get_ref() else {
        return None;
    };
    Some(Cow::clone(text).into_owned())
}

/// A number of either kind.
pub fn as_number(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => return None,
    };
    text.replace('_', "").parse().ok()
}

/// What a value is, in words.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
