//! One profile in memory, and its row in a checkpoint.
//!
//! A profile that was touched lately is held as a structure, others as the bytes of their row: 1,000,000 profiles start
//! in the time it takes to read their rows, and a quiet customer costs what the bytes cost. A row begins with a summary
//! that tells what lists and look-ups need, so that they never decode the rest. It is read where it stands: the row, one piece of
//! memory, is all that a quiet profile has.

use std::{borrow::Cow, ops::Deref};

use rapport_types::{CustomerId, CustomerIdRef, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smallvec::SmallVec;

use crate::profile::{self, Part, Profile};

/// A row ends with the CRC-32 of what comes before, because the database does not check its pages.
const CHECKSUM: usize = 4;

/// What lists and look-ups need of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary<'a> {
    /// The id by which the API names it.
    #[serde(borrow)]
    pub primary: CustomerIdRef<'a>,
    /// The ids that lead to it, the primary one left out.
    #[serde(borrow)]
    others: SmallVec<[CustomerIdRef<'a>; 1]>,
    /// See [`Profile::name`].
    #[serde(borrow, deserialize_with = "borrowed")]
    pub name: Option<Cow<'a, str>>,
    /// The time of its newest event.
    pub last_seen: Timestamp,
    /// The value of its first score.
    pub score: Option<f64>,
    /// Its timer.
    pub(crate) due: Option<Timestamp>,
}

/// A name where it stands; left to itself serde copies one that may be missing.
fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<&'a str>::deserialize(from)?.map(Cow::Borrowed))
}

impl<'a> Summary<'a> {
    /// Every id that leads to the profile, the primary one first.
    pub fn ids(&self) -> impl Iterator<Item = CustomerIdRef<'a>> {
        std::iter::once(self.primary).chain(self.others.iter().copied())
    }

    fn of(profile: &'a Profile) -> Self {
        Self {
            primary: (&profile.primary).into(),
            others: profile.ids.iter().filter(|id| **id != profile.primary).map(CustomerIdRef::from).collect(),
            name: profile.name(),
            last_seen: profile.last_seen,
            score: profile.scores.first().map(|score| score.value),
            due: profile.due,
        }
    }
}

#[derive(Debug)]
enum Body {
    Hot(Box<Profile>),
    Cold {
        /// Without its checksum.
        row: Box<[u8]>,
        /// None of the many that are customers by themselves.
        part: Option<Box<Part>>,
    },
}

/// One profile in memory.
#[derive(Debug)]
pub(crate) struct Slot {
    body: Body,
    /// Changed since the last checkpoint.
    pub(crate) dirty: bool,
    /// Touched since idle profiles were last looked for.
    pub(crate) touched: bool,
}

/// Why a row makes no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It is not as it was written.
    Damaged,
    /// Its profile has another version, and cannot be read without its definitions or by a newer program only.
    Version(u8),
}

/// A profile to read, borrowed or decoded for the purpose.
#[derive(Debug)]
pub enum ProfileRef<'a> {
    /// Held as a structure.
    Hot(&'a Profile),
    /// Decoded from its row.
    Cold(Box<Profile>),
}

impl Deref for ProfileRef<'_> {
    type Target = Profile;
    fn deref(&self) -> &Profile {
        match self {
            Self::Hot(profile) => profile,
            Self::Cold(profile) => profile,
        }
    }
}

impl Slot {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { body: Body::Hot(Box::new(profile)), dirty: false, touched: true }
    }

    /// A slot from the bytes of its row.
    pub(crate) fn restore(row: &[u8]) -> Result<Self, Unusable> {
        let bytes = unsealed(row).ok_or(Unusable::Damaged)?;
        let (_, rest) = postcard::take_from_bytes::<Summary<'_>>(bytes).map_err(|_| Unusable::Damaged)?;
        match rest.first() {
            Some(&(profile::VERSION | profile::VERSION_WITH_PART | profile::VERSION_WITHOUT_AWAITED)) => {
                let part = (rest[0] == profile::VERSION_WITH_PART).then(|| Box::new(decode(rest).part));
                Ok(Self { body: Body::Cold { row: bytes.into(), part }, dirty: false, touched: false })
            }
            Some(version) => Err(Unusable::Version(*version)),
            None => Err(Unusable::Damaged),
        }
    }

    /// The bytes of its row.
    pub(crate) fn row(&self) -> Vec<u8> {
        sealed(match &self.body {
            Body::Cold { row, .. } => row.to_vec(),
            Body::Hot(profile) => open_row(profile),
        })
    }

    pub(crate) fn part(&self) -> &Part {
        match &self.body {
            Body::Hot(profile) => &profile.part,
            Body::Cold { part, .. } => part.as_deref().unwrap_or(&Part::Whole),
        }
    }

    /// The joined customer that it is part of, and under which it is seen.
    pub(crate) fn head(&self) -> Option<&CustomerId> {
        match self.part() {
            Part::Of(ties) => ties.first().map(|tie| &tie.head),
            Part::Whole | Part::Joint => None,
        }
    }

    pub(crate) fn summary(&self) -> Summary<'_> {
        match &self.body {
            Body::Hot(profile) => Summary::of(profile),
            Body::Cold { row, .. } => split(row).0,
        }
    }

    /// Whether `id` leads to the profile, as far as the profile knows.
    pub(crate) fn has_id(&self, id: &CustomerId) -> bool {
        match &self.body {
            Body::Hot(profile) => profile.ids.binary_search(id).is_ok(),
            Body::Cold { row, .. } => split(row).0.ids().any(|known| known == id.into()),
        }
    }

    pub(crate) fn last_seen(&self) -> Timestamp {
        match &self.body {
            Body::Hot(profile) => profile.last_seen,
            Body::Cold { row, .. } => split(row).0.last_seen,
        }
    }

    pub(crate) fn due(&self) -> Option<Timestamp> {
        match &self.body {
            Body::Hot(profile) => profile.due,
            Body::Cold { row, .. } => split(row).0.due,
        }
    }

    pub(crate) fn profile(&self) -> ProfileRef<'_> {
        match &self.body {
            Body::Hot(profile) => ProfileRef::Hot(profile),
            Body::Cold { row, .. } => ProfileRef::Cold(Box::new(profile_of(row))),
        }
    }

    /// The profile to change.
    pub(crate) fn profile_mut(&mut self) -> &mut Profile {
        self.touched = true;
        if let Body::Cold { row, .. } = &self.body {
            self.body = Body::Hot(Box::new(profile_of(row)));
        }
        match &mut self.body {
            Body::Hot(profile) => profile,
            Body::Cold { .. } => unreachable!("it was made hot above"),
        }
    }

    pub(crate) fn into_profile(self) -> Profile {
        match self.body {
            Body::Hot(profile) => *profile,
            Body::Cold { row, .. } => profile_of(&row),
        }
    }

    pub(crate) fn is_hot(&self) -> bool {
        matches!(self.body, Body::Hot(_))
    }

    /// Holds the profile as bytes from now on.
    pub(crate) fn freeze(&mut self) {
        if let Body::Hot(profile) = &self.body {
            let part = (profile.part != Part::Whole).then(|| Box::new(profile.part.clone()));
            self.body = Body::Cold { row: open_row(profile).into(), part };
        }
    }

    /// Gives back spare memory of a profile that stays a structure.
    pub(crate) fn shrink(&mut self) {
        if let Body::Hot(profile) = &mut self.body {
            profile.shrink();
        }
    }
}

/// A row without its checksum: summary, profile.
fn open_row(profile: &Profile) -> Vec<u8> {
    let encoded = profile.encode();
    let row = Vec::with_capacity(encoded.len() + 128);
    let mut row = postcard::to_extend(&Summary::of(profile), row).expect("a summary in memory encodes");
    row.extend_from_slice(&encoded);
    row
}

/// The summary and the encoded profile of a row that [`Slot::restore`] accepted, or that was made here.
fn split(row: &[u8]) -> (Summary<'_>, &[u8]) {
    postcard::take_from_bytes(row).expect("a row whose checksum holds is as this program wrote it")
}

/// Bytes with their checksum behind them.
pub(crate) fn sealed(mut row: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&row);
    row.extend_from_slice(&sum.to_le_bytes());
    row
}

/// What [`sealed`] was given; none if something else is there.
pub(crate) fn unsealed(row: &[u8]) -> Option<&[u8]> {
    let (bytes, sum) = row.split_last_chunk::<CHECKSUM>()?;
    (crc32fast::hash(bytes).to_le_bytes() == *sum).then_some(bytes)
}

fn profile_of(row: &[u8]) -> Profile {
    decode(split(row).1)
}

/// The profile of a row that [`Slot::restore`] accepted: its checksum held.
fn decode(rest: &[u8]) -> Profile {
    Profile::decode(rest).expect("a row whose checksum holds is as this program wrote it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_held_as_bytes_writes_the_row_that_it_came_from() {
        let mut profile = Profile::new(CustomerId::User("u".into()));
        profile.add_id(CustomerId::Anonymous("a".into()));
        profile.last_seen = Timestamp(7);
        let mut slot = Slot::new(profile.clone());
        let row = slot.row();
        let restored = Slot::restore(&row).unwrap();
        assert!(!restored.is_hot());
        assert_eq!((restored.row(), &*restored.profile()), (row.clone(), &profile));
        slot.freeze();
        assert!(!slot.is_hot());
        assert_eq!(slot.row(), row);
        assert_eq!(slot.into_profile(), profile);
    }

    #[test]
    fn a_row_without_what_is_awaited_is_read() {
        let profile = Profile::new(CustomerId::User("u".into()));
        let row = Slot::new(profile.clone()).row();
        let (_, rest) = postcard::take_from_bytes::<Summary<'_>>(&row).unwrap();
        let version = row.len() - rest.len();
        // Nothing awaited is the last byte before the checksum.
        let mut old = row[..row.len() - CHECKSUM - 1].to_vec();
        old[version] = profile::VERSION_WITHOUT_AWAITED;
        old.extend_from_slice(&crc32fast::hash(&old).to_le_bytes());
        let slot = Slot::restore(&old).unwrap();
        assert_eq!((&*slot.profile(), slot.row()), (&profile, old), "and stays as it is until it changes");
    }

    #[test]
    fn a_row_of_another_version_is_refused_and_not_misread() {
        let row = Slot::new(Profile::new(CustomerId::User("u".into()))).row();
        let (_, rest) = postcard::take_from_bytes::<Summary<'_>>(&row).unwrap();
        let version = row.len() - rest.len();
        assert!(Slot::restore(&row).is_ok());
        for other in [1, 5] {
            let mut changed = row[..row.len() - CHECKSUM].to_vec();
            changed[version] = other;
            changed.extend_from_slice(&crc32fast::hash(&changed).to_le_bytes());
            assert_eq!(Slot::restore(&changed).unwrap_err(), Unusable::Version(other));
        }
        let mut damaged = row;
        damaged[version] = 1;
        assert_eq!(Slot::restore(&damaged).unwrap_err(), Unusable::Damaged);
    }
}
