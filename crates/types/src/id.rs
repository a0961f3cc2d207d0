//! Names of things: customers, partitions, positions in the log, sources.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A partition of the log, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct PartitionId(pub u32);

/// The position of an entry in its partition, from 0, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Offset(pub u64);

/// Where events come from; the number of a row in the store's table of sources, 0 for Rapport itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct SourceId(pub u32);

/// The name by which a customer is known outside: a known one (`userId`) or an anonymous one (`anonymousId`).
///
/// As text it is `user:<id>` or `anon:<id>`. Several of them may name one profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CustomerId {
    /// Given by the company: an account, a customer number.
    User(Box<str>),
    /// Given by a device or a browser before the person is known.
    Anonymous(Box<str>),
}

impl CustomerId {
    /// Whether the person behind it is known.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::User(_))
    }

    /// The id as its giver wrote it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) | Self::Anonymous(id) => id,
        }
    }

    /// Reads `user:<id>` or `anon:<id>`; a text with neither prefix is a known id.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some(("anon", id)) => Self::Anonymous(id.into()),
            Some(("user", id)) => Self::User(id.into()),
            _ => Self::User(text.into()),
        }
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        CustomerIdRef::from(self).fmt(f)
    }
}

/// A [`CustomerId`] whose text lies elsewhere. It is shown and encoded alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CustomerIdRef<'a> {
    /// As [`CustomerId::User`].
    User(&'a str),
    /// As [`CustomerId::Anonymous`].
    Anonymous(&'a str),
}

impl CustomerIdRef<'_> {
    /// The same with a text of its own.
    pub fn to_id(self) -> CustomerId {
        match self {
            Self::User(id) => CustomerId::User(id.into()),
            Self::Anonymous(id) => CustomerId::Anonymous(id.into()),
        }
    }
}

impl<'a> From<&'a CustomerId> for CustomerIdRef<'a> {
    fn from(id: &'a CustomerId) -> Self {
        match id {
            CustomerId::User(id) => Self::User(id),
            CustomerId::Anonymous(id) => Self::Anonymous(id),
        }
    }
}

impl fmt::Display for CustomerIdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Anonymous(id) => write!(f, "anon:{id}"),
        }
    }
}

/// The home of a customer's id among `partitions` partitions (at least 1).
///
/// It is part of the disk format: entries of one id stay in one partition for the life of a log.
pub fn partition_of(id: &CustomerId, partitions: u32) -> PartitionId {
    let kind = u8::from(id.is_known());
    let hash = stable_hash(std::iter::once(kind).chain(id.as_str().bytes()));
    PartitionId(((hash >> 32) % u64::from(partitions.max(1))) as u32)
}

/// A hash that is the same in every version and on every machine; for places that reach the disk. Not for secrets.
///
/// FNV-1a (Fowler, Noll, Vo 1991): dependency-free and quick on short keys; finished by a multiply-shift because its low
/// bits alone are weak.
pub fn stable_hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_shown_alike() {
        for text in ["user:17850", "anon:a-1", "user:with:colon"] {
            let id = CustomerId::parse(text);
            assert_eq!((id.to_string(), CustomerIdRef::from(&id).to_id()), (text.to_owned(), id));
        }
        assert_eq!(CustomerId::parse("17850"), CustomerId::User("17850".into()));
    }

    #[test]
    fn homes_are_stable_and_even() {
        let mut counts = [0_u32; 4];
        for n in 0..4_000 {
            counts[partition_of(&CustomerId::User(n.to_string().into()), 4).0 as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
        // A change of this value would scatter the customers of every existing log.
        assert_eq!(partition_of(&CustomerId::User("17850".into()), 1_000), PartitionId(405));
    }
}
