//! Which parts of a record: `all`, `all:general`, or `medicines,plans:general`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use kith_crdt::{Label, Section};
use serde::{Deserialize, Serialize};

use crate::failure::{Ending, Failure};

/// Sections by label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scopes(BTreeMap<Label, BTreeSet<Section>>);

impl Scopes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &Label> {
        self.0.keys()
    }

    pub(super) fn sections(&self, label: &Label) -> Vec<Section> {
        self.0.get(label).into_iter().flatten().copied().collect()
    }
}

impl FromStr for Scopes {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let mut scopes = Self::default();
        for word in text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            let (section, label) = match word.split_once(':') {
                Some((section, label)) => (section, Some(label)),
                None => (word, None),
            };
            let sections: Vec<_> = if section == "all" {
                Section::ALL.to_vec()
            } else {
                vec![section.parse().map_err(|_| unknown(section))?]
            };
            let labels = match label {
                Some(label) => vec![label.parse::<Label>().map_err(|error| {
                    Failure::new(Ending::Usage, error.to_string(), "Labels are general, mental-health, sexual-health, social-care, private, or a word of your own.")
                })?],
                None if section == "all" => Label::built_in().to_vec(),
                None => vec![Label::general()],
            };
            for label in labels {
                scopes.0.entry(label).or_default().extend(&sections);
            }
        }
        Ok(scopes)
    }
}

impl FromIterator<(Label, Vec<Section>)> for Scopes {
    fn from_iter<I: IntoIterator<Item = (Label, Vec<Section>)>>(parts: I) -> Self {
        let mut scopes = Self::default();
        for (label, sections) in parts {
            scopes.0.entry(label).or_default().extend(sections);
        }
        scopes
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: BTreeSet<_> = Section::ALL.into();
        let everything = Label::built_in()
            .iter()
            .all(|label| self.0.get(label) == Some(&all));
        if everything && self.0.len() == Label::built_in().len() {
            return f.write_str("all");
        }
        let words: Vec<_> = self
            .0
            .iter()
            .flat_map(|(label, sections)| {
                if *sections == all {
                    return vec![format!("all:{label}")];
                }
                let word = |section: &Section| {
                    if *label == Label::general() {
                        section.to_string()
                    } else {
                        format!("{section}:{label}")
                    }
                };
                sections.iter().map(word).collect()
            })
            .collect();
        f.write_str(&words.join(","))
    }
}

fn unknown(word: &str) -> Failure {
    let names: Vec<_> = Section::ALL.iter().map(|section| section.name()).collect();
    let near = names
        .iter()
        .find(|name| is_near(name, word))
        .map_or_else(String::new, |name| format!(" Did you mean {name}?"));
    Failure::new(
        Ending::Usage,
        format!("There is no part of a record called {word:?}.{near}"),
        format!(
            "The parts are {}; all means every one of them.",
            names.join(", ")
        ),
    )
}

/// Whether a word is the beginning of a name, or a name but for two letters.
fn is_near(name: &str, word: &str) -> bool {
    let begins = word.len() > 2 && (name.starts_with(word) || word.starts_with(name));
    begins || (word.len() > 3 && distance(name, word) <= 2)
}

/// How many letters have to be put in, left out or changed (Levenshtein).
fn distance(name: &str, word: &str) -> usize {
    let mut row: Vec<usize> = (0..=word.chars().count()).collect();
    for (n, letter) in name.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = n + 1;
        for (m, other) in word.chars().enumerate() {
            let change = diagonal + usize::from(letter != other);
            diagonal = row[m + 1];
            row[m + 1] = change.min(row[m] + 1).min(diagonal + 1);
        }
    }
    row[word.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    fn again(text: &str) -> String {
        text.parse::<Scopes>()
            .map_or_else(|error| error.what, |scopes| scopes.to_string())
    }

    #[test]
    fn scopes_are_read_and_written_alike() {
        for text in [
            "all",
            "all:general",
            "plans,medicines",
            "plans,conditions:sexual-health",
            "",
        ] {
            assert_eq!(again(text), text);
        }
        assert_eq!(again("medicines:general, plans"), "plans,medicines");
    }

    #[test]
    fn an_unknown_part_is_said_with_what_was_meant() {
        assert!(again("medicine").contains("Did you mean medicines?"));
        assert!(again("medicnes").contains("Did you mean medicines?"));
        assert!(!again("qqqqqq").contains("Did you mean"));
        assert!("plans:Big Label".parse::<Scopes>().is_err());
    }
}
