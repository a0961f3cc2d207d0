//! Dates and instants as people and programs write them.

use serde::{Deserialize, Serialize};

use super::civil::{DAY, days_from_civil, is_date};

/// How instants are written in a column. A time of day and an offset from UTC may follow a date; without an offset it is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// `2024-02-29`, `2024/2/29`, `2024年2月29日`.
    YearFirst,
    /// `2/29/2024`.
    MonthFirst,
    /// `29.2.2024`.
    DayFirst,
    /// `20240229`, `20240229235959`.
    Compact,
    /// `29 Feb 2024`, `Feb 29, 2024`, `Thu, 29 Feb 2024`.
    Named,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// What is tried on texts; the first that explains most is taken.
pub(super) const FORMS: [TimeForm; 5] =
    [TimeForm::YearFirst, TimeForm::MonthFirst, TimeForm::DayFirst, TimeForm::Compact, TimeForm::Named];

impl TimeForm {
    /// The instant that a text stands for, in milliseconds since 1970.
    pub fn read(self, text: &str) -> Option<i64> {
        let mut scan = Scan { rest: text.trim() };
        let days = match self {
            Self::YearFirst => scan.year_first()?,
            Self::MonthFirst => scan.slashed(true)?,
            Self::DayFirst => scan.slashed(false)?,
            Self::Compact => return scan.compact(),
            Self::Named => scan.named()?,
            Self::Seconds => return scan.rest.parse::<f64>().ok().and_then(|seconds| epoch(seconds, 1000.0)),
            Self::Milliseconds => {
                return scan.rest.parse::<f64>().ok().and_then(|milliseconds| epoch(milliseconds, 1.0));
            }
        };
        Some(days * DAY + scan.time_of_day()?)
    }
}

/// An instant counted since 1970, within the years that a calendar of four digits has.
pub(super) fn epoch(count: f64, unit: f64) -> Option<i64> {
    let milliseconds = count * unit;
    (milliseconds.abs() < 2.5e14).then_some(milliseconds as i64)
}

/// What is left of a text.
struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    /// Between `least` and `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.rest.bytes().take(most + 1).take_while(u8::is_ascii_digit).count();
        if count < least || count > most {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits.parse().ok()
    }

    fn eat(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn one_of(&mut self, characters: &[char]) -> Option<char> {
        let found = self.rest.chars().next().filter(|first| characters.contains(first))?;
        self.rest = &self.rest[found.len_utf8()..];
        Some(found)
    }

    fn letters(&mut self) -> &'a str {
        let count = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (letters, rest) = self.rest.split_at(count);
        self.rest = rest;
        letters
    }

    fn year_first(&mut self) -> Option<i64> {
        let year = self.digits(4, 4)?;
        let separator = self.one_of(&['-', '/', '.', '年'])?;
        let month = self.digits(1, 2)?;
        let day = if separator == '年' {
            self.one_of(&['月'])?;
            let day = self.digits(1, 2)?;
            self.one_of(&['日'])?;
            day
        } else {
            self.one_of(&[separator])?;
            self.digits(1, 2)?
        };
        date(i64::from(year), month, day)
    }

    fn slashed(&mut self, month_first: bool) -> Option<i64> {
        let first = self.digits(1, 2)?;
        let separator = self.one_of(&['/', '.', '-'])?;
        let second = self.digits(1, 2)?;
        self.one_of(&[separator])?;
        let year = self.year()?;
        let (month, day) = if month_first { (first, second) } else { (second, first) };
        date(year, month, day)
    }

    /// Four digits, or two that stand for a year from 1970 to 2069.
    fn year(&mut self) -> Option<i64> {
        let before = self.rest.len();
        let year = i64::from(self.digits(2, 4)?);
        match before - self.rest.len() {
            4 => Some(year),
            2 => Some(if year < 70 { 2000 + year } else { 1900 + year }),
            _ => None,
        }
    }

    fn compact(&mut self) -> Option<i64> {
        if !(self.rest.len() == 8 || self.rest.len() == 14) || !self.rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |from: usize, to: usize| self.rest[from..to].parse::<u32>().ok();
        let year = number(0, 4).filter(|year| (1900..=2100).contains(year))?;
        let days = date(i64::from(year), number(4, 6)?, number(6, 8)?)?;
        let clock = if self.rest.len() == 14 { clock(number(8, 10)?, number(10, 12)?, number(12, 14)?)? } else { 0 };
        Some(days * DAY + clock)
    }

    fn named(&mut self) -> Option<i64> {
        let spaces: &[char] = &[' ', '-', ',', '.', '/'];
        let mut word = self.letters();
        if WEEKDAYS.iter().any(|day| starts_as(word, day)) && month(word).is_none() {
            self.rest = self.rest.trim_start_matches(spaces);
            word = self.letters();
        }
        let (month, day) = if word.is_empty() {
            let day = self.digits(1, 2)?;
            self.rest = self.rest.trim_start_matches(spaces);
            (month(self.letters())?, day)
        } else {
            self.rest = self.rest.trim_start_matches(spaces);
            (month(word)?, self.digits(1, 2)?)
        };
        let trimmed = self.rest.trim_start_matches(spaces);
        if trimmed.len() == self.rest.len() {
            return None;
        }
        self.rest = trimmed;
        let year = self.year()?;
        date(year, month, day)
    }

    /// Milliseconds of the time of day that ends the text; 0 if the text has ended.
    fn time_of_day(&mut self) -> Option<i64> {
        if self.rest.is_empty() {
            return Some(0);
        }
        self.one_of(&['T', 't', ' '])?;
        self.rest = self.rest.trim_start();
        let mut hour = self.digits(1, 2)?;
        self.one_of(&[':'])?;
        let minute = self.digits(2, 2)?;
        let second = if self.eat(':') { self.digits(2, 2)? } else { 0 };
        let mut milliseconds = 0;
        if self.one_of(&['.', ',']).is_some() {
            let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&count) {
                return None;
            }
            let nanoseconds = i64::from(self.digits(count, count)?) * 10_i64.pow(9 - count as u32);
            milliseconds = nanoseconds / 1_000_000;
        }
        self.rest = self.rest.trim_start();
        if self.rest.len() >= 2 && self.rest.is_char_boundary(2) {
            let half = &self.rest[..2];
            let afternoon = half.eq_ignore_ascii_case("pm");
            if afternoon || half.eq_ignore_ascii_case("am") {
                if !(1..=12).contains(&hour) {
                    return None;
                }
                hour = hour % 12 + if afternoon { 12 } else { 0 };
                self.rest = self.rest[2..].trim_start();
            }
        }
        let offset = self.offset()?;
        Some(clock(hour, minute, second)? + milliseconds - offset)
    }

    /// Milliseconds ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        if matches!(self.rest, "" | "Z" | "z" | "UTC" | "GMT") {
            return Some(0);
        }
        let sign = if self.one_of(&['+', '-'])? == '-' { -1 } else { 1 };
        let hours = self.digits(2, 2).or_else(|| {
            // `+0800` has no colon between hours and minutes.
            let (hours, rest) = self.rest.split_at_checked(2)?;
            self.rest = rest;
            hours.parse().ok()
        })?;
        self.eat(':');
        let minutes = if self.rest.is_empty() { 0 } else { self.digits(2, 2)? };
        (self.rest.is_empty() && hours <= 18 && minutes < 60)
            .then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)) * 60_000)
    }
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Whether a word is the name or its abbreviation of at least three letters.
fn starts_as(word: &str, name: &str) -> bool {
    word.len() >= 3 && name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn month(word: &str) -> Option<u32> {
    MONTHS.iter().position(|name| starts_as(word, name)).map(|place| place as u32 + 1)
}

fn date(year: i64, month: u32, day: u32) -> Option<i64> {
    is_date(year, month, day).then(|| days_from_civil(year, month, day))
}

fn clock(hour: u32, minute: u32, second: u32) -> Option<i64> {
    // A leap second is 60; midnight at the end of a day is 24:00.
    let there = hour < 24 && minute < 60 && second <= 60 || (hour, minute, second) == (24, 0, 0);
    there.then(|| (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1000)
}
