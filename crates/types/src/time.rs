//! Instants and spans in whole milliseconds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One second in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day of 24 hours in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A text that is not an instant or a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not an ISO 8601 instant with a zone.
    #[error("\"{0}\" is not an ISO 8601 instant such as 2026-01-31T12:00:00.000Z")]
    Instant(String),
    /// Not a span such as `30d`.
    #[error("\"{0}\" is not a span such as 90s, 30m, 12h, 30d or 4w")]
    Span(String),
}

/// Milliseconds since 1970-01-01T00:00:00Z; in JSON an ISO 8601 text in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Before every event.
    pub const MIN: Self = Self(i64::MIN);

    /// Reads an ISO 8601 text; a text without a zone is taken as UTC, as Segment does.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Instant(text.chars().take(64).collect());
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(instant.as_millisecond()));
        }
        let civil = text.parse::<jiff::civil::DateTime>().map_err(|_| wrong())?;
        let instant = jiff::tz::TimeZone::UTC.to_timestamp(civil).map_err(|_| wrong())?;
        Ok(Self(instant.as_millisecond()))
    }

    /// `self + span`, at the ends of the range clamped.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// `self - span`, at the ends of the range clamped.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The span from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            Self::parse(&text).map_err(de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

/// A span in milliseconds; in JSON and in conditions a text such as `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub i64);

impl Duration {
    /// Reads `90s`, `30m`, `12h`, `30d`, `4w` or `250ms`; the number is a positive whole one.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Span(text.chars().take(64).collect());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => SECOND_MS,
            "m" => MINUTE_MS,
            "h" => HOUR_MS,
            "d" => DAY_MS,
            "w" => 7 * DAY_MS,
            _ => return Err(wrong()),
        };
        let number: i64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(unit_ms).filter(|ms| *ms > 0).map(Self).ok_or_else(wrong)
    }

    /// This span in days, with its fraction.
    #[must_use]
    pub fn days(self) -> f64 {
        self.0 as f64 / DAY_MS as f64
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(7 * DAY_MS, "w"), (DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s")];
        // Weeks only from four on: people say 7d and 30d, and 4w.
        for (ms, unit) in units {
            if self.0 != 0 && self.0 % ms == 0 && (unit != "w" || self.0 >= 4 * ms) {
                return write!(f, "{}{unit}", self.0 / ms);
            }
        }
        write!(f, "{}ms", self.0)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            Self::parse(&text).map_err(de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_and_without_a_zone() {
        let at = Timestamp(1_291_192_000_000);
        assert_eq!(at.to_string(), "2010-12-01T08:26:40.000Z");
        for text in
            ["2010-12-01T08:26:40.000Z", "2010-12-01T08:26:40Z", "2010-12-01T09:26:40+01:00", "2010-12-01 08:26:40"]
        {
            assert_eq!(Timestamp::parse(text), Ok(at), "{text}");
        }
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn spans_are_read_and_shown_alike() {
        for text in ["90s", "30m", "12h", "30d", "7d", "4w", "250ms"] {
            assert_eq!(Duration::parse(text).map(|span| span.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "d", "0d", "-3d", "3x", "99999999999999999999d", "3 d"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }
}
