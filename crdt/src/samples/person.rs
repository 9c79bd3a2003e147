//! Who a sample is: names, birth date, numbers, address, and who looks after them.

use super::{
    day::{Day, TODAY},
    names::{Background, COUNTRIES, OTHERS},
    stream::Stream,
};

/// A made-up person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplePerson {
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Whether the records say `female` or `male`.
    pub is_female: bool,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// A number of the test range 999…, with a right check digit.
    pub nhs_number: String,
    /// House and street.
    pub street: String,
    /// Town.
    pub town: String,
    /// A postcode in an area that does not exist.
    pub postcode: String,
    /// A telephone number that Ofcom keeps for drama.
    pub phone: String,
    /// Tag and name of a language for which an interpreter is asked.
    pub language: Option<(&'static str, &'static str)>,
    /// The relative or friend who helps most.
    pub carer: SampleCarer,
    born: Day,
}

/// Who helps a person most, or whom to ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleCarer {
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Code of HL7 v3 RoleCode, such as `DAUC`.
    pub relationship: &'static str,
    /// The relationship in words.
    pub words: &'static str,
    /// A mobile number that Ofcom keeps for drama.
    pub phone: String,
}

impl SamplePerson {
    /// Given and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    pub(super) fn born(&self) -> Day {
        self.born
    }

    /// `She` or `He`.
    pub(super) fn pronoun(&self) -> &'static str {
        if self.is_female { "She" } else { "He" }
    }

    /// Age in full years on a day.
    pub(super) fn age(&self, on: Day) -> i32 {
        let ((year, month, day), (born, born_month, born_day)) = (on.date(), self.born.date());
        year - born - i32::from((month, day) < (born_month, born_day))
    }

    /// Person `number` of a population. Every fifth is old, from number 0.
    pub(super) fn of(seed: u64, number: u32) -> Self {
        let mut stream = Stream::of(seed, number, "person");
        let country = stream.pick(&COUNTRIES);
        let background = if stream.chance(60) {
            country.background
        } else {
            stream.pick(&OTHERS)
        };
        let born = birth(&mut stream, number.is_multiple_of(5));
        let is_female = stream.chance(52);
        let (town, area) = *stream.pick(country.towns);
        let family = (*stream.pick(background.families)).to_owned();
        let house = stream.between(1, 98);
        let street = format!("{house} {}", stream.pick(country.streets));
        let postcode = postcode(area, &mut stream);
        let mut person = Self {
            given: given(background, is_female, &mut stream),
            carer: carer(
                &family,
                background,
                is_female,
                TODAY.since(born) / 365,
                &mut stream,
            ),
            family,
            is_female,
            birth_date: born.to_string(),
            nhs_number: nhs_number(seed, number),
            street,
            town: town.to_owned(),
            postcode,
            phone: format!("01632 960{:03}", stream.below(1000)),
            language: None,
            born,
        };
        let asked = person.age(TODAY) >= 60 && stream.chance(30);
        person.language = background.language.filter(|_| asked);
        person
    }

    /// A twin: the same family, birth date and address, another first name and number.
    pub(super) fn twin(&self, seed: u64, number: u32) -> Self {
        let own = Self::of(seed, number);
        let background = if self.given == own.given {
            "Robin"
        } else {
            &own.given
        };
        Self {
            given: background.to_owned(),
            nhs_number: own.nhs_number,
            is_female: own.is_female,
            ..self.clone()
        }
    }
}

fn birth(stream: &mut Stream, is_old: bool) -> Day {
    let years = if is_old {
        stream.between(79, 96)
    } else {
        let (low, high) =
            *stream.pick(&[(1, 17), (18, 39), (18, 49), (50, 69), (50, 74), (70, 94)]);
        stream.between(low, high)
    };
    TODAY.back(years * 365 + years / 4 + stream.between(1, 360))
}

fn given(background: &Background, is_female: bool, stream: &mut Stream) -> String {
    let names = if is_female {
        background.women
    } else {
        background.men
    };
    (*stream.pick(names)).to_owned()
}

fn postcode(area: &str, stream: &mut Stream) -> String {
    const LETTERS: [char; 10] = ['A', 'B', 'D', 'F', 'H', 'J', 'L', 'N', 'T', 'Z'];
    let digit = stream.below(10);
    format!(
        "{area} {digit}{}{}",
        stream.pick(&LETTERS),
        stream.pick(&LETTERS)
    )
}

fn carer(
    family: &str,
    background: &Background,
    is_female: bool,
    age: i32,
    stream: &mut Stream,
) -> SampleCarer {
    let choices: &[(&str, &str, bool)] = match age {
        ..18 => &[("MTH", "mother", true), ("FTH", "father", false)],
        18..45 => &[
            ("SIS", "sister", true),
            ("BRO", "brother", false),
            ("MTH", "mother", true),
        ],
        45..70 if is_female => &[("HUSB", "husband", false), ("DAUC", "daughter", true)],
        45..70 => &[("WIFE", "wife", true), ("SONC", "son", false)],
        _ => &[
            ("DAUC", "daughter", true),
            ("DAUC", "daughter", true),
            ("SONC", "son", false),
        ],
    };
    let (relationship, words, carer_is_female) = *stream.pick(choices);
    SampleCarer {
        family: family.to_owned(),
        given: given(background, carer_is_female, stream),
        relationship,
        words,
        phone: format!("07700 900{:03}", stream.below(1000)),
    }
}

/// A number of the range 999 000 0000 to 999 999 9999, which is kept for tests. Two people of a
/// population have the same one only when their numbers differ by a multiple of 100,000.
fn nhs_number(seed: u64, number: u32) -> String {
    let start = Stream::of(seed, 0, "nhs numbers").below(100_000);
    // 7919 is prime to 100,000: every number of five digits comes once.
    let own = (u64::from(number) * 7919 + u64::from(start)) % 100_000;
    let first = Stream::of(seed, number, "nhs number").below(10);
    (0..10)
        .map(|n| format!("999{own:05}{}", (first + n) % 10))
        .find_map(|body| check_digit(&body).map(|check| format!("{body}{check}")))
        .expect("at most one in eleven bodies has no check digit")
}

fn check_digit(body: &str) -> Option<u32> {
    let digits = body.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .zip((2..=10).rev())
        .map(|(digit, weight)| digit * weight)
        .sum();
    match 11 - sum % 11 {
        10 => None,
        11 => Some(0),
        check => Some(check),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SamplePerson, nhs_number};
    use crate::{flag::is_nhs_number, samples::day::TODAY};

    #[test]
    fn nhs_numbers_are_right_of_the_test_range_and_differ() {
        let numbers: BTreeSet<_> = (0..5000).map(|number| nhs_number(3, number)).collect();
        assert_eq!(numbers.len(), 5000);
        assert!(
            numbers
                .iter()
                .all(|n| n.starts_with("999") && is_nhs_number(n))
        );
    }

    #[test]
    fn every_fifth_person_is_old() {
        for number in (0..200).step_by(5) {
            assert!(SamplePerson::of(7, number).age(TODAY) >= 79);
        }
    }

    #[test]
    fn twins_share_what_twins_share() {
        let first = SamplePerson::of(7, 1);
        let second = first.twin(7, 2);
        assert_eq!(
            (&first.family, &first.birth_date),
            (&second.family, &second.birth_date)
        );
        assert_ne!(first.given, second.given);
        assert_ne!(first.nhs_number, second.nhs_number);
    }
}
