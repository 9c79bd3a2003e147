//! Days of the calendar and times of the day in the United Kingdom.

use std::fmt;

/// A day, counted from 1 January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i32);

/// The day on which every sample is told: a Sunday.
pub(super) const TODAY: Day = Day::of(2026, 11, 1);

impl Day {
    /// The day of this date (proleptic Gregorian; H. Hinnant, "chrono-compatible date
    /// algorithms", for years after 0).
    pub(super) const fn of(year: i32, month: i32, day: i32) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year / 400, year % 400);
        let month = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * month + 2) / 5 + day - 1;
        Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    /// The day `days` before.
    pub(super) const fn back(self, days: i32) -> Self {
        Self(self.0 - days)
    }

    /// The day `days` later.
    pub(super) const fn on(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// Days since `earlier`.
    pub(super) const fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// Year, month and day of the month.
    pub(super) const fn date(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400;
        (if month <= 2 { year + 1 } else { year }, month, day)
    }

    /// Monday is 0.
    const fn weekday(self) -> i32 {
        (self.0 + 3).rem_euclid(7)
    }

    /// This day, or the Friday before it at a weekend.
    pub(super) const fn working(self) -> Self {
        let weekday = self.weekday();
        if weekday > 4 {
            self.back(weekday - 4)
        } else {
            self
        }
    }

    /// A FHIR dateTime on this day, `minute` minutes after midnight by the clock on the wall.
    pub(super) fn at(self, minute: i32) -> String {
        let offset = if self.is_summer() { "+01:00" } else { "+00:00" };
        format!("{self}T{:02}:{:02}:00{offset}", minute / 60, minute % 60)
    }

    /// `3 April 2026`, for people.
    pub(super) fn words(self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let (year, month, day) = self.date();
        let name = usize::try_from(month - 1).ok().and_then(|n| MONTHS.get(n));
        format!("{day} {} {year}", name.unwrap_or(&"month"))
    }

    /// From the last Sunday of March until that of October. The hours before the change on these
    /// two days are counted with the new time; no sample is about the middle of those nights.
    fn is_summer(self) -> bool {
        let (year, _, _) = self.date();
        let last_sunday = |month| {
            let last = Self::of(year, month, 31);
            last.back((last.weekday() + 1) % 7)
        };
        (last_sunday(3)..last_sunday(10)).contains(&self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Day, TODAY};

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(Day::of(1970, 1, 1), Day(0));
        for back in 0..50_000 {
            let day = TODAY.back(back);
            let (year, month, date) = day.date();
            assert_eq!(Day::of(year, month, date), day);
        }
        assert_eq!(Day::of(2024, 3, 1).back(1).to_string(), "2024-02-29");
    }

    #[test]
    fn the_clock_changes_on_the_last_sundays_of_march_and_october() {
        assert_eq!(Day::of(2026, 3, 28).at(600), "2026-03-28T10:00:00+00:00");
        assert_eq!(Day::of(2026, 3, 29).at(600), "2026-03-29T10:00:00+01:00");
        assert_eq!(Day::of(2026, 10, 24).at(61), "2026-10-24T01:01:00+01:00");
        assert_eq!(Day::of(2026, 10, 25).at(600), "2026-10-25T10:00:00+00:00");
    }

    #[test]
    fn today_is_a_sunday() {
        assert_eq!(TODAY.working().to_string(), "2026-10-30");
    }
}
