//! When things happen in the made-up company: it grows, has seasons, and works on workdays.

use rapport_types::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

use crate::random::Random;

/// How much is done in each month, compared with a usual one: a shop of gifts has its harvest before Christmas.
const SEASON: [f64; 12] = [0.8, 0.85, 0.95, 1.0, 1.0, 0.9, 0.8, 0.75, 1.05, 1.25, 1.4, 1.0];
/// The largest product of growth, season and weekday.
const MOST: f64 = 1.4 * 1.45;

/// The years that a script tells of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
}

impl Calendar {
    /// The `days` before an instant.
    pub(super) fn before(end: Timestamp, days: i64) -> Self {
        Self { begin: Timestamp(end.0 - days * DAY_MS), end }
    }

    /// The instant at a part of the years.
    pub(super) fn at(&self, part: f64) -> Timestamp {
        Timestamp(self.begin.0 + ((self.end.0 - self.begin.0) as f64 * part.clamp(0.0, 1.0)) as i64)
    }

    /// An instant at which something is done; later ones are likelier, as are busy months. On `weekends` a share of a workday's
    /// is done.
    pub(super) fn draw(&self, random: &mut Random, weekends: f64) -> Timestamp {
        loop {
            let part = random.unit();
            let day = self.at(part);
            let weight =
                (0.55 + 0.9 * part) * SEASON[month_of(day) as usize - 1] * if is_weekend(day) { weekends } else { 1.0 };
            let at = in_working_hours(day, random);
            if random.chance(weight / MOST) && at < self.end {
                return at;
            }
        }
    }
}

/// An instant between eight and six of a day.
pub(super) fn in_working_hours(day: Timestamp, random: &mut Random) -> Timestamp {
    let midnight = day.0 - day.0.rem_euclid(DAY_MS);
    Timestamp(midnight + 8 * HOUR_MS + random.below(600) as i64 * MINUTE_MS + random.below(60_000) as i64)
}

/// So many days after an instant, in the working hours of a workday.
pub(super) fn days_after(at: Timestamp, days: f64, random: &mut Random) -> Timestamp {
    let mut day = Timestamp(at.0 + (days * DAY_MS as f64) as i64);
    while is_weekend(day) {
        day = Timestamp(day.0 + DAY_MS);
    }
    let found = in_working_hours(day, random);
    // What comes after must not come before.
    if found > at { found } else { Timestamp(at.0 + random.below(3 * HOUR_MS as u64) as i64 + MINUTE_MS) }
}

pub(super) fn is_weekend(day: Timestamp) -> bool {
    // 1970 began on a Thursday.
    day.0.div_euclid(DAY_MS).rem_euclid(7) == 2 || day.0.div_euclid(DAY_MS).rem_euclid(7) == 3
}

fn civil(at: Timestamp) -> jiff::civil::Date {
    let days = at.0.div_euclid(DAY_MS);
    jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days))
}

/// From 1 to 12.
pub(super) fn month_of(at: Timestamp) -> i8 {
    civil(at).month()
}

pub(super) fn year_of(at: Timestamp) -> i16 {
    civil(at).year()
}

/// As a day is written in a field.
pub(super) fn day(at: Timestamp) -> String {
    civil(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_done_later_in_autumn_and_on_workdays() {
        let end = Timestamp::parse("2026-11-26T00:00:00Z").unwrap();
        let calendar = Calendar::before(end, 730);
        let mut random = Random::new(1, 1);
        let drawn: Vec<Timestamp> = (0..20_000).map(|_| calendar.draw(&mut random, 0.2)).collect();
        assert!(drawn.iter().all(|at| calendar.begin <= *at && *at < end));
        let share = |which: &dyn Fn(Timestamp) -> bool| {
            drawn.iter().filter(|at| which(**at)).count() as f64 / drawn.len() as f64
        };
        let second_year = share(&|at| at.0 > end.0 - 365 * DAY_MS);
        assert!((0.56..0.68).contains(&second_year), "{second_year}");
        let (autumn, summer) = (share(&|at| month_of(at) == 10), share(&|at| month_of(at) == 8));
        assert!(autumn > 1.3 * summer, "{autumn} {summer}");
        let weekend = share(&is_weekend);
        assert!((0.04..0.12).contains(&weekend), "{weekend}");
        assert!(is_weekend(Timestamp::parse("2026-11-28T12:00:00Z").unwrap()), "a Saturday");
        assert!(!is_weekend(end) && day(end) == "2026-11-26" && month_of(end) == 11 && year_of(end) == 2026);
        let friday = Timestamp::parse("2026-11-27T16:00:00Z").unwrap();
        assert!(!is_weekend(days_after(friday, 1.0, &mut random)));
    }
}
