//! How pages put into words what the node says in names and numbers.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use maud::{Markup, html};

/// A section as a heading.
pub(super) fn section(name: &str) -> String {
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
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `medicines,plans:general` as people say it.
pub(super) fn scopes(scopes: &str) -> String {
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
pub(super) fn when(text: &str) -> String {
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

/// The same as an element that programs read too.
pub(super) fn moment(text: &str) -> Markup {
    html! { time datetime=(text) { (when(text)) } }
}

/// The last day of a share, in words.
pub(super) fn until(until: Option<&str>) -> String {
    match until {
        None => "until it is stopped".to_owned(),
        Some(until) => {
            let day = crate::node::last_day(until);
            format!("until {}", when(day.as_deref().unwrap_or(until)))
        }
    }
}

/// `3 things`, `1 thing`.
pub(super) fn count(n: usize, one: &str, several: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {several}")
    }
}

/// A number of bytes.
pub(super) fn bytes(len: u64) -> String {
    match len {
        0..1_000 => format!("{len} bytes"),
        1_000..1_000_000 => format!("{} KB", len.div_ceil(1_000)),
        _ => format!("{}.{} MB", len / 1_000_000, len % 1_000_000 / 100_000),
    }
}

/// An NHS number in its three groups.
pub(super) fn nhs_number(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != 10 {
        return number.to_owned();
    }
    let group = |from: usize, to: usize| digits[from..to].iter().collect::<String>();
    format!("{} {} {}", group(0, 3), group(3, 6), group(6, 10))
}

/// How old somebody is who was born on a day.
pub(super) fn age(born: &str) -> Option<i16> {
    age_on(born, today())
}

/// The day by this machine's clock.
pub(super) fn today() -> Date {
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

    use super::{age_on, bytes, nhs_number, said, scopes};

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
