//! How names and numbers of the node are put into words for people, on pages and on paper.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A section as a heading.
pub(crate) fn section(name: &str) -> String {
    match name {
        "identity" => "About the person".to_owned(),
        "daily-care" => "Daily care".to_owned(),
        "allergies" => "Allergies and alerts".to_owned(),
        "circle" => "People who help".to_owned(),
        "monitoring" => "Readings from devices".to_owned(),
        "immunisations" => "Vaccinations".to_owned(),
        other => capital(&other.replace('-', " ")),
    }
}

/// With a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `medicines,plans:general` as people say it.
pub(crate) fn scopes(scopes: &str) -> String {
    let parts: Vec<_> = scopes
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(':') {
            _ if part == "all" => "everything".to_owned(),
            Some(("all", label)) => format!("everything marked {}", spaced(label)),
            Some((part, label)) => format!("{} marked {}", lower(part), spaced(label)),
            None => lower(part),
        })
        .collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}

fn lower(name: &str) -> String {
    section(name).to_lowercase()
}

fn spaced(word: &str) -> String {
    word.replace('-', " ")
}

/// A FHIR date or instant as people write it: a day in words, and a time of day by this machine's
/// clock where one is said.
pub(crate) fn when(text: &str) -> String {
    said(text, &TimeZone::system())
}

fn said(text: &str, zone: &TimeZone) -> String {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return zone
            .to_datetime(instant)
            .strftime("%-d %b %Y, %H:%M")
            .to_string();
    }
    match text.len() {
        10 => text.parse::<Date>().map_or_else(
            |_| text.to_owned(),
            |day| day.strftime("%-d %b %Y").to_string(),
        ),
        7 => format!("{text}-01")
            .parse::<Date>()
            .map_or_else(|_| text.to_owned(), |day| day.strftime("%b %Y").to_string()),
        _ => text.to_owned(),
    }
}

/// A day and a time of day by this machine's clock, as people type them, as an instant; anything else
/// stays what it is.
pub(crate) fn instant(typed: &str) -> String {
    at(typed, &TimeZone::system())
}

fn at(typed: &str, zone: &TimeZone) -> String {
    let said = typed.trim().parse::<DateTime>();
    let is_whole = typed.contains(':') && typed.parse::<Timestamp>().is_err();
    let instant = said.ok().filter(|_| is_whole);
    let instant = instant.and_then(|said| zone.to_ambiguous_timestamp(said).compatible().ok());
    instant.map_or_else(|| typed.to_owned(), |instant| instant.to_string())
}

/// The last day of a share, in words.
pub(crate) fn until(until: Option<&str>) -> String {
    match until {
        None => "until it is stopped".to_owned(),
        Some(until) => {
            let day = crate::node::last_day(until);
            format!("until {}", when(day.as_deref().unwrap_or(until)))
        }
    }
}

/// `3 things`, `1 thing`.
pub(crate) fn count(n: usize, one: &str, several: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {several}")
    }
}

/// A number of bytes.
pub(crate) fn bytes(len: u64) -> String {
    match len {
        0..1_000 => format!("{len} bytes"),
        1_000..1_000_000 => format!("{} KB", len.div_ceil(1_000)),
        _ => format!("{}.{} MB", len / 1_000_000, len % 1_000_000 / 100_000),
    }
}

/// An NHS number in its three groups.
pub(crate) fn nhs_number(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 10 {
        return number.to_owned();
    }
    let group = |from: usize, to: usize| digits[from..to].iter().collect::<String>();
    format!("{} {} {}", group(0, 3), group(3, 6), group(6, 10))
}

/// How old somebody is who was born on a day.
pub(crate) fn age(born: &str) -> Option<i16> {
    age_on(born, today())
}

/// The day by this machine's clock.
pub(crate) fn today() -> Date {
    TimeZone::system().to_datetime(Timestamp::now()).date()
}

fn age_on(born: &str, today: Date) -> Option<i16> {
    let born: Date = born.parse().ok()?;
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    let years = today.year() - born.year() - i16::from(!had_birthday);
    (years >= 0).then_some(years)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{age_on, at, bytes, nhs_number, said, scopes};

    #[test]
    fn times_are_as_exact_as_they_were_said() {
        let zone = TimeZone::UTC;
        assert_eq!(said("2026-05-03", &zone), "3 May 2026");
        assert_eq!(said("2026-05", &zone), "May 2026");
        assert_eq!(said("2026", &zone), "2026");
        assert_eq!(said("2026-05-03T14:05:09Z", &zone), "3 May 2026, 14:05");
        assert_eq!(
            said("2026-05-03T14:05:09+02:00", &zone),
            "3 May 2026, 12:05"
        );
        assert_eq!(said("last spring", &zone), "last spring");
    }

    #[test]
    fn what_people_type_is_an_instant_where_it_has_a_time() {
        let zone = TimeZone::UTC;
        assert_eq!(at("2026-11-28 14:05", &zone), "2026-11-28T14:05:00Z");
        for other in ["2026-11-28", "2026-11-28T14:05:00+01:00", "this morning"] {
            assert_eq!(at(other, &zone), other);
        }
    }

    #[test]
    fn somebody_is_a_year_older_on_their_birthday() {
        let day = |text: &str| text.parse().expect("a day");
        assert_eq!(age_on("1950-06-01", day("2026-05-31")), Some(75));
        assert_eq!(age_on("1950-06-01", day("2026-06-01")), Some(76));
        assert_eq!(age_on("1950", day("2026-06-01")), None);
        assert_eq!(age_on("2030-01-01", day("2026-06-01")), None);
    }

    #[test]
    fn scopes_and_numbers_are_said_as_people_say_them() {
        assert_eq!(scopes("all"), "everything");
        assert_eq!(
            scopes("medicines,plans:general"),
            "medicines, plans marked general"
        );
        assert_eq!(scopes(""), "nothing");
        assert_eq!(nhs_number("9876543210"), "987 654 3210");
        assert_eq!(nhs_number("12"), "12");
        assert_eq!(bytes(1_500), "2 KB");
        assert_eq!(bytes(2_340_000), "2.3 MB");
    }
}
