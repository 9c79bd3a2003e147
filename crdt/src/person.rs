//! Whom a Patient resource is about, as far as the resource says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The identifier system of NHS numbers.
pub const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// What a Patient resource says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// Family name as written.
    pub family: String,
    /// Given names as written, joined by spaces.
    pub given: String,
    /// `birthDate` as written, possibly partial or absent.
    pub birth_date: String,
    /// (system, value) of its identifiers.
    pub identifiers: Vec<(String, String)>,
    /// Its full URL, or its native id.
    pub source_id: String,
}

impl Person {
    /// Reads a Patient resource.
    pub fn of(patient: &Value, full_url: Option<&str>) -> Self {
        let text = |value: Option<&Value>| {
            value
                .and_then(Value::as_str)
                .map_or_else(String::new, str::to_owned)
        };
        let name = patient.pointer("/name/0");
        let given = name.and_then(|name| name.get("given")?.as_array());
        let given: Vec<_> = given
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut family = text(name.and_then(|name| name.get("family")));
        if family.is_empty() && given.is_empty() {
            family = text(name.and_then(|name| name.get("text")));
        }
        let identifiers = patient.get("identifier").and_then(Value::as_array);
        Self {
            family,
            given: given.join(" "),
            birth_date: text(patient.get("birthDate")),
            identifiers: identifiers
                .into_iter()
                .flatten()
                .map(|id| (text(id.get("system")), text(id.get("value"))))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            source_id: full_url.map_or_else(|| text(patient.get("id")), str::to_owned),
        }
    }

    /// The NHS number, as written.
    pub fn nhs_number(&self) -> Option<&str> {
        let found = self
            .identifiers
            .iter()
            .find(|(system, _)| system == NHS_NUMBER_SYSTEM);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether another Patient resource may be filed with this one without asking anyone: the same
    /// source said both of them, or they share an identifier, family name and birth date. An NHS
    /// number alone is never enough: published examples put one on two people.
    pub fn is_surely(&self, other: &Self) -> bool {
        let same_name = self.family.eq_ignore_ascii_case(&other.family)
            && !self.birth_date.is_empty()
            && self.birth_date == other.birth_date;
        let shared = |ids: &[(String, String)]| self.identifiers.iter().any(|id| ids.contains(id));
        self == other || (same_name && shared(&other.identifiers))
    }

    /// What speaks for two records being about one person, in words for whoever decides.
    pub fn evidence(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        if let (Some(ours), Some(theirs)) = (self.number_digits(), other.number_digits())
            && ours == theirs
        {
            said.push("the same NHS number".to_owned());
        }
        if self.birth_date == other.birth_date && !self.birth_date.is_empty() {
            said.push("the same birth date".to_owned());
        }
        if self.family.eq_ignore_ascii_case(&other.family) && !self.family.is_empty() {
            said.push("the same family name".to_owned());
        }
        said
    }

    /// What an index keeps a person under. Two that are surely the same, or for whom two things
    /// speak, have one of these in common; that they do proves nothing.
    pub fn likenesses(&self) -> Vec<Likeness> {
        let name = self.family.to_ascii_lowercase();
        let mut found = Vec::new();
        if let Some(number) = self.number_digits() {
            if !name.is_empty() {
                found.push(Likeness::NumberAndName(number.clone(), name.clone()));
            }
            if !self.birth_date.is_empty() {
                found.push(Likeness::NumberAndBirth(number, self.birth_date.clone()));
            }
        }
        found.push(if self.birth_date.is_empty() {
            Likeness::Whole(self.clone())
        } else {
            Likeness::NameAndBirth(name, self.birth_date.clone())
        });
        found
    }

    /// The NHS number's digits; nothing where there is none.
    fn number_digits(&self) -> Option<String> {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect();
        let found: Option<String> = self.nhs_number().map(digits);
        found.filter(|digits| !digits.is_empty())
    }

    /// `SURNAME, Given`, for a banner.
    pub fn banner(&self) -> String {
        match (self.family.is_empty(), self.given.is_empty()) {
            (true, true) => "no name recorded".to_owned(),
            (true, false) => self.given.clone(),
            (false, true) => self.family.to_uppercase(),
            (false, false) => format!("{}, {}", self.family.to_uppercase(), self.given),
        }
    }
}

/// Something that two Patient resources of one person have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Likeness {
    /// NHS number and family name.
    NumberAndName(String, String),
    /// NHS number and birth date.
    NumberAndBirth(String, String),
    /// Family name, possibly absent, and birth date.
    NameAndBirth(String, String),
    /// All that is said, where no birth date is.
    Whole(Person),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::Person;

    fn person(family: &str, number: &str) -> Person {
        Person::of(
            &json!({"name": [{"family": family, "given": ["Ann", "B"]}], "birthDate": "1950-01-02",
                "identifier": [{"system": super::NHS_NUMBER_SYSTEM, "value": number}]}),
            None,
        )
    }

    #[test]
    fn an_nhs_number_alone_never_joins_two_people() {
        let (ada, bob) = (person("Ada", "9876543210"), person("Bob", "9876543210"));
        assert!(!ada.is_surely(&bob));
        assert_eq!(ada.evidence(&bob).len(), 2);
        assert!(ada.is_surely(&person("ADA", "9876543210")));
    }

    #[test]
    fn a_banner_names_what_is_known() {
        assert_eq!(person("Ada", "1").banner(), "ADA, Ann B");
        assert_eq!(Person::default().banner(), "no name recorded");
    }

    #[test]
    fn numbers_without_digits_are_not_the_same_number() {
        let (ada, bob) = (person("Ada", "not known"), person("Bob", "?"));
        assert_eq!(ada.evidence(&bob), ["the same birth date"]);
    }

    /// People from so few names, dates and numbers that many have some in common.
    fn anybody() -> impl Strategy<Value = Person> {
        let name = prop::sample::select(vec!["", "Lee", "LEE", "Ray"]);
        let birth = prop::sample::select(vec!["", "1950", "1950-01-02"]);
        let number = prop::sample::select(vec!["", "n/a", "987 654", "987654", "123"]);
        (name, birth, number, any::<bool>()).prop_map(|(name, birth, number, here)| Person {
            birth_date: birth.to_owned(),
            source_id: here.to_string(),
            ..person(name, number)
        })
    }

    proptest! {
        #[test]
        fn who_may_be_one_person_has_a_likeness_in_common(one in anybody(), other in anybody()) {
            let may_be = one.is_surely(&other) || one.evidence(&other).len() > 1;
            let likenesses = other.likenesses();
            let shares = one.likenesses().iter().any(|likeness| likenesses.contains(likeness));
            prop_assert!(shares || !may_be);
        }
    }
}
