//! Ids of records, users, roles and everything else that is kept here.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicI64, Ordering},
};

use rapport_types::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::RecordsError;

/// Crockford's base 32 in small letters: no i, l, o, u, which are mistaken for others.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Digits of an id as text.
const LENGTH: usize = 13;
/// Bits below the milliseconds.
const LOW_BITS: u32 = 20;

/// The id of a row: 43 bits of milliseconds since 1970, then 20 that tell rows of one millisecond apart, so that ids grow
/// with time and new rows come at the end of an index. As text and in JSON 13 digits of Crockford's base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(pub i64);

impl Id {
    /// The smallest id that can be made at an instant.
    pub fn first_at(at: Timestamp) -> Self {
        Self(at.0.clamp(0, i64::MAX >> LOW_BITS) << LOW_BITS)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; LENGTH];
        for (place, digit) in text.iter_mut().enumerate() {
            *digit = DIGITS[(self.0 >> (5 * (LENGTH - 1 - place)) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).expect("the digits are ASCII"))
    }
}

impl FromStr for Id {
    type Err = RecordsError;

    fn from_str(text: &str) -> Result<Self, RecordsError> {
        let wrong = || RecordsError::invalid("id", format!("an id has {LENGTH} letters and digits"));
        if text.len() != LENGTH {
            return Err(wrong());
        }
        let mut number: i64 = 0;
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|digit| *digit == byte.to_ascii_lowercase()).ok_or_else(wrong)?;
            number = number.checked_mul(32).and_then(|number| number.checked_add(digit as i64)).ok_or_else(wrong)?;
        }
        Ok(Self(number))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Id {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let text = utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[0-9a-hjkmnp-tv-z]{13}$"))
            .description(Some("13 digits of Crockford's base 32."));
        utoipa::openapi::Schema::from(text).into()
    }
}

impl utoipa::ToSchema for Id {}

/// Makes ids that grow within this process and, by their random part, do not meet those of another.
#[derive(Debug)]
pub(crate) struct Ids(AtomicI64);

impl Ids {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    /// A new id. Each step within a millisecond is random, so that two processes meet only by a chance of about one in
    /// a thousand for each row that both make in the same millisecond; the primary key refuses the second one then.
    pub(crate) fn next(&self, now: Timestamp) -> Result<Id, RecordsError> {
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(RecordsError::Random)?;
        Ok(self.step(now, random))
    }

    /// So many new ids, for which the system is asked once.
    pub(crate) fn several(&self, now: Timestamp, count: usize) -> Result<Vec<Id>, RecordsError> {
        let mut random = vec![[0; 4]; count];
        getrandom::fill(random.as_flattened_mut()).map_err(RecordsError::Random)?;
        Ok(random.into_iter().map(|random| self.step(now, random)).collect())
    }

    fn step(&self, now: Timestamp, random: [u8; 4]) -> Id {
        let random = i64::from(u32::from_le_bytes(random));
        let first = Id::first_at(now).0;
        let next = |last: i64| {
            if last < first { first | (random & 0x3_ffff) } else { last + 1 + (random & 0x3f) }
        };
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        Id(next(last.expect("the update always answers")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for number in [0, 1, 31, 32, 1_764_000_000_000 << 20, i64::MAX] {
            assert_eq!(Id(number).to_string().parse::<Id>().unwrap(), Id(number));
        }
        for wrong in ["", "0", "00000000000000", "z000000000000", "000000000000i", "0000000000é"] {
            assert!(wrong.parse::<Id>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_grow_also_where_the_clock_goes_back() {
        let ids = Ids::new();
        let mut made: Vec<Id> = [5, 5, 5, 4, 6, 3].map(|ms| ids.next(Timestamp(ms)).unwrap()).to_vec();
        made.extend(ids.several(Timestamp(100), 3).unwrap());
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
        assert!(made.len() == 9 && made[6] >= Id::first_at(Timestamp(100)));
    }
}
