//! Days and dates of the proleptic Gregorian calendar (algorithms of Howard Hinnant, chrono-compatible low-level date
//! algorithms, 2013). Times are UTC, without leap seconds.

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// An instant as a calendar says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u32,
    /// From 0, Monday.
    pub(crate) weekday: u32,
    /// From 0 to 23.
    pub(crate) hour: u32,
}

/// Days since 1970-01-01 of a date that [`is_date`] accepts.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date and hour of an instant in milliseconds since 1970.
pub(crate) fn civil(instant: i64) -> Civil {
    let days = instant.div_euclid(DAY);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let weekday = (days + 3).rem_euclid(7) as u32;
    let hour = (instant.rem_euclid(DAY) / 3_600_000) as u32;
    Civil { year, month, weekday, hour }
}

/// Whether there is such a day.
pub(super) fn is_date(year: i64, month: u32, day: u32) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day) && (1..=9999).contains(&year)
}
