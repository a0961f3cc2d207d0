//! How dates and numbers are written in a column: which comes first, and what stands before the decimals.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::schema::FieldKind;

/// How a column's dates and numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportStyle)]
#[serde(default, deny_unknown_fields)]
pub struct Style {
    /// The order of day, month and year.
    pub dates: DateOrder,
    /// Whether decimals follow a comma: `1.234,50`.
    pub decimal_comma: bool,
}

/// Which of day, month and year comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2026-01-31`.
    #[default]
    YearMonthDay,
    /// `31.01.2026`.
    DayMonthYear,
    /// `01/31/2026`.
    MonthDayYear,
}

impl Style {
    /// A cell as the field's own check takes it. What it does not understand it leaves as it is, to be told of by that check.
    pub(super) fn apply(self, kind: &FieldKind, value: Value) -> Value {
        let Value::String(text) = &value else { return value };
        let mended = match kind {
            FieldKind::Date | FieldKind::DateTime => self.date(text, *kind == FieldKind::DateTime).map(Value::String),
            FieldKind::Number => self.number(text).map(|(number, _)| json!(number)),
            FieldKind::Money => self.money(text),
            _ => None,
        };
        mended.unwrap_or(value)
    }

    /// `31.1.2026 14:05` as `2026-01-31T14:05:00Z`.
    fn date(self, text: &str, with_time: bool) -> Option<String> {
        let text = text.trim();
        let (day, time) = text.split_once([' ', 'T']).map_or((text, ""), |(day, time)| (day, time.trim()));
        let [first, second, third] = parts(day)?;
        let (year, month, day) = match self.dates {
            _ if first > 31 => (first, second, third),
            DateOrder::YearMonthDay | DateOrder::DayMonthYear => (third, second, first),
            DateOrder::MonthDayYear => (third, first, second),
        };
        let year = if year < 70 {
            year + 2_000
        } else if year < 100 {
            year + 1_900
        } else {
            year
        };
        let day = format!("{year:04}-{month:02}-{day:02}");
        if !with_time || time.is_empty() {
            return Some(day);
        }
        Some(format!("{day}T{}", clock(time)?))
    }

    /// A number and what stands around it, such as a currency.
    fn number(self, text: &str) -> Option<(f64, String)> {
        let (mut digits, mut around) = (String::new(), String::new());
        let (group, decimal) = if self.decimal_comma { ('.', ',') } else { (',', '.') };
        for letter in text.chars() {
            match letter {
                '0'..='9' => digits.push(letter),
                '-' | '\u{2212}' if digits.is_empty() => digits.push('-'),
                '+' if digits.is_empty() => {}
                letter if letter == decimal => digits.push('.'),
                letter if letter == group || letter == '\'' || letter.is_whitespace() => {}
                // Accountants put losses in brackets.
                '(' if digits.is_empty() && text.trim_end().ends_with(')') => digits.push('-'),
                ')' => {}
                'e' | 'E' if digits.ends_with(|last: char| last.is_ascii_digit()) => {
                    return text.trim().parse().ok().map(|number| (number, String::new()));
                }
                other => around.push(other),
            }
        }
        Some((digits.parse().ok()?, around))
    }

    fn money(self, text: &str) -> Option<Value> {
        let (amount, around) = self.number(text)?;
        if around.is_empty() {
            return Some(json!(amount));
        }
        Some(json!({ "amount": amount, "currency": currency(&around) }))
    }
}

/// The code of a currency that may be written with its sign.
pub(super) fn currency(text: &str) -> &str {
    match text {
        "$" | "US$" => "USD",
        "€" => "EUR",
        "£" => "GBP",
        "¥" | "￥" | "元" => "CNY",
        code => code,
    }
}

/// Three numbers between `.`, `/`, `-` or Chinese signs.
fn parts(day: &str) -> Option<[u32; 3]> {
    let mut parts = day.split(['.', '/', '-', '年', '月', '日']).filter(|part| !part.is_empty());
    let mut next = || {
        let part = parts.next()?;
        if part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None }
    };
    let found = [next()?, next()?, next()?];
    parts.next().is_none().then_some(found)
}

/// `2:05 PM` as `14:05:00Z`; a time with a zone keeps it.
fn clock(time: &str) -> Option<String> {
    let lower = time.to_ascii_lowercase();
    let (digits, add) = match lower
        .strip_suffix("pm")
        .map(|rest| (rest, true))
        .or_else(|| lower.strip_suffix("am").map(|rest| (rest, false)))
    {
        Some((digits, afternoon)) => (digits.trim(), Some(afternoon)),
        None => (lower.as_str(), None),
    };
    let end =
        digits.find(|letter: char| !letter.is_ascii_digit() && letter != ':' && letter != '.').unwrap_or(digits.len());
    let zone = if end < digits.len() { digits[end..].trim().to_ascii_uppercase() } else { "Z".to_owned() };
    let mut parts = digits[..end].splitn(3, ':');
    let mut hour: u32 = parts.next()?.parse().ok()?;
    let minute: u32 = parts.next().unwrap_or("0").parse().ok()?;
    let second = parts.next().unwrap_or("00");
    hour = match add {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    Some(format!("{hour:02}:{minute:02}:{second:0>2}{zone}"))
}

/// How the values of a column seem to be written.
pub(super) fn guess<'v>(kind: &FieldKind, values: impl Iterator<Item = &'v str> + Clone) -> Style {
    match kind {
        FieldKind::Date | FieldKind::DateTime => Style { dates: guess_dates(values), ..Style::default() },
        FieldKind::Number | FieldKind::Money => Style { decimal_comma: guess_comma(values), ..Style::default() },
        _ => Style::default(),
    }
}

/// A number over 12 cannot be a month. Where nothing decides, dots are European and slashes are American.
fn guess_dates<'v>(values: impl Iterator<Item = &'v str>) -> DateOrder {
    let (mut day, mut month, mut dots, mut year) = (0, 0, 0, 0);
    for value in values {
        let text = value.trim();
        let text = text.split([' ', 'T']).next().unwrap_or(text);
        let Some([first, second, _]) = parts(text) else { continue };
        year += i32::from(first > 31);
        day += i32::from((13..=31).contains(&first));
        month += i32::from((13..=31).contains(&second));
        dots += i32::from(text.contains('.'));
    }
    match () {
        () if year > 0 => DateOrder::YearMonthDay,
        () if day > 0 || month == 0 && dots > 0 => DateOrder::DayMonthYear,
        () => DateOrder::MonthDayYear,
    }
}

/// Whether a comma stands before decimals: it does where dots come before it, or where other than three digits follow.
fn guess_comma<'v>(values: impl Iterator<Item = &'v str>) -> bool {
    let (mut comma, mut point) = (0, 0);
    for value in values {
        match (value.rfind(','), value.rfind('.')) {
            (Some(at), Some(other)) if at > other => comma += 1,
            (Some(_) | None, Some(_)) => point += 1,
            (Some(at), None) => {
                let digits = value[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
                comma += i32::from(digits != 3);
            }
            (None, None) => {}
        }
    }
    comma > point
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_numbers_of_the_world_are_understood() {
        let style = |dates, decimal_comma| Style { dates, decimal_comma };
        let german = style(DateOrder::DayMonthYear, true);
        let american = style(DateOrder::MonthDayYear, false);
        let cases = [
            (german, FieldKind::Date, "31.1.2026", json!("2026-01-31")),
            (american, FieldKind::Date, "1/31/26", json!("2026-01-31")),
            (american, FieldKind::Date, "2026-01-31", json!("2026-01-31")),
            (german, FieldKind::Date, "2026年1月31日", json!("2026-01-31")),
            (american, FieldKind::DateTime, "1/31/2026 2:05 PM", json!("2026-01-31T14:05:00Z")),
            (american, FieldKind::DateTime, "2026-01-31T14:05:00+01:00", json!("2026-01-31T14:05:00+01:00")),
            (german, FieldKind::Number, "1.234,5", json!(1234.5)),
            (american, FieldKind::Number, "1,234.5", json!(1234.5)),
            (american, FieldKind::Number, "1e3", json!(1000.0)),
            (german, FieldKind::Money, "1.234,50 €", json!({ "amount": 1234.5, "currency": "EUR" })),
            (american, FieldKind::Money, "($12.00)", json!({ "amount": -12.0, "currency": "USD" })),
            (american, FieldKind::Money, "12", json!(12.0)),
            (american, FieldKind::Text, "1,234", json!("1,234")),
            (american, FieldKind::Date, "tomorrow", json!("tomorrow")),
        ];
        for (style, kind, text, expected) in cases {
            assert_eq!(style.apply(&kind, json!(text)), expected, "{text}");
        }
    }

    #[test]
    fn how_a_column_is_written_is_seen_from_its_values() {
        let dates = |values: &[&'static str]| guess(&FieldKind::Date, values.iter().copied()).dates;
        assert_eq!(dates(&["01/02/2026", "13/02/2026"]), DateOrder::DayMonthYear);
        assert_eq!(dates(&["01/02/2026", "01/13/2026"]), DateOrder::MonthDayYear);
        assert_eq!(dates(&["01.02.2026"]), DateOrder::DayMonthYear);
        assert_eq!(dates(&["2026-02-01"]), DateOrder::YearMonthDay);
        let comma = |values: &[&'static str]| guess(&FieldKind::Number, values.iter().copied()).decimal_comma;
        assert!(comma(&["1.234,5", "7"]) && comma(&["0,75"]));
        assert!(!comma(&["1,234"]) && !comma(&["1,234.50", "3.5"]) && !comma(&["12"]));
    }
}
