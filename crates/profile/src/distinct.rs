//! A set of different values, kept as hashes: 4 bytes a value over all time, 12 with a window, and fewer in a row.
//!
//! Values are told apart by 32 bits, so that two of them can count as one: of [`DISTINCT_MAX`] values in a set, 0.002 are
//! lost on the average, of 100 values one in a million sets loses one. It is part of the fold: every replay loses the same.
//!
//! Like every series it is a function of the set of events; beyond [`DISTINCT_MAX`] values it stops growing.

use rapport_types::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many different values a set holds; beyond it stays at this number.
pub(crate) const DISTINCT_MAX: usize = 4_096;

/// The different values of one series in one profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Distinct {
    /// Sorted.
    hashes: Vec<u32>,
    /// For each hash the newest tile in which it came; empty over all time.
    tiles: Vec<i64>,
}

impl Distinct {
    /// Adds a value that came in `tile`, which is none over all time.
    pub(crate) fn add(&mut self, hash: u32, tile: Option<i64>) {
        match (self.hashes.binary_search(&hash), tile) {
            (Ok(place), Some(tile)) => self.tiles[place] = self.tiles[place].max(tile),
            (Err(place), _) if self.hashes.len() < DISTINCT_MAX => {
                self.hashes.insert(place, hash);
                if let Some(tile) = tile {
                    self.tiles.insert(place, tile);
                }
            }
            (Ok(_), None) | (Err(_), _) => {}
        }
    }

    /// Takes the values of another set of the same series in.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (place, hash) in other.hashes.iter().enumerate() {
            self.add(*hash, other.tiles.get(place).copied());
        }
    }

    /// Forgets what is `retain` tiles older than the newest.
    pub(crate) fn forget(&mut self, retain: i64) {
        let Some(newest) = self.tiles.iter().max() else { return };
        let beyond = newest.saturating_sub(retain);
        if self.tiles.iter().all(|tile| *tile > beyond) {
            return;
        }
        let mut tiles = self.tiles.iter();
        self.hashes.retain(|_| tiles.next().is_some_and(|tile| *tile > beyond));
        self.tiles.retain(|tile| *tile > beyond);
    }

    /// How many values there are in all.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// How many values came in a tile later than `beyond`.
    pub(crate) fn len_beyond(&self, beyond: i64) -> usize {
        self.tiles.iter().filter(|tile| **tile > beyond).count()
    }

    /// The first instant after `at` at which a tile's values leave, where a tile leaves at `leaves(tile)`.
    pub(crate) fn next_loss(&self, at: Timestamp, leaves: impl Fn(i64) -> Option<i64>) -> Option<i64> {
        self.tiles.iter().filter_map(|tile| leaves(*tile)).filter(|instant| *instant > at.0).min()
    }

    /// The set in the rows `[hash, tile]` of the first format, whose hashes had 64 bits.
    pub(crate) fn from_rows(rows: &[i64], windowed: bool) -> Self {
        let mut set = Self::default();
        for row in rows.chunks_exact(2) {
            set.add((row[0] as u64 >> 32) as u32, windowed.then_some(row[1]));
        }
        set
    }

    /// Gives back spare memory.
    pub(crate) fn shrink(&mut self) {
        self.hashes.shrink_to_fit();
        self.tiles.shrink_to_fit();
    }
}

/// In a row: gaps between the sorted hashes, and how much older than the newest each tile is.
#[derive(Serialize, Deserialize)]
struct Packed {
    gaps: Vec<u32>,
    newest: Option<i64>,
    ages: Vec<u64>,
}

impl Serialize for Distinct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut before = 0;
        let gap = |hash: &u32| hash - std::mem::replace(&mut before, *hash);
        let newest = self.tiles.iter().max().copied();
        let age = |tile: &i64| newest.unwrap_or_default().abs_diff(*tile);
        let (gaps, ages) = (self.hashes.iter().map(gap).collect(), self.tiles.iter().map(age).collect());
        Packed { gaps, newest, ages }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || de::Error::custom("a set of values that does not fit together");
        let Packed { gaps, newest, ages } = Packed::deserialize(deserializer)?;
        if newest.map_or(!ages.is_empty(), |_| ages.len() != gaps.len()) {
            return Err(wrong());
        }
        let newest = newest.unwrap_or_default();
        let (mut hashes, mut hash) = (Vec::with_capacity(gaps.len()), 0_u32);
        for gap in gaps {
            hash = hash.checked_add(gap).ok_or_else(wrong)?;
            hashes.push(hash);
        }
        let tile = |age: u64| newest.checked_sub_unsigned(age).ok_or_else(wrong);
        Ok(Self { hashes, tiles: ages.into_iter().map(tile).collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Order and repeats do not matter, a row brings the same set back, and merging gives what adding would have.
        #[test]
        fn a_set_is_a_function_of_what_was_added(
            values in prop::collection::vec((0_u32..50, -3_i64..40), 0..80), cut in 0_usize..80, windowed: bool,
        ) {
            let fill = |values: &mut dyn Iterator<Item = &(u32, i64)>| {
                let mut set = Distinct::default();
                for (value, tile) in values {
                    set.add(value.wrapping_mul(0x9e37_79b9), windowed.then_some(*tile));
                }
                set
            };
            let set = fill(&mut values.iter());
            prop_assert_eq!(&set, &fill(&mut values.iter().rev()));
            let row = postcard::to_allocvec(&set).unwrap();
            prop_assert_eq!(&set, &postcard::from_bytes::<Distinct>(&row).unwrap());
            let cut = cut.min(values.len());
            let mut merged = fill(&mut values[..cut].iter());
            merged.merge(&fill(&mut values[cut..].iter()));
            prop_assert_eq!(&set, &merged);
            let different: std::collections::BTreeSet<u32> = values.iter().map(|(value, _)| *value).collect();
            prop_assert_eq!(set.len(), different.len());
        }
    }

    #[test]
    fn old_tiles_are_forgotten_with_their_values() {
        let mut set = Distinct::default();
        for (hash, tile) in [(7, 10), (3, 12), (9, 15), (7, 11)] {
            set.add(hash, Some(tile));
        }
        set.forget(4);
        assert_eq!(set, Distinct { hashes: vec![3, 9], tiles: vec![12, 15] });
        assert_eq!((set.len_beyond(12), set.len_beyond(11)), (1, 2));
    }

    #[test]
    fn a_set_stops_growing_at_its_limit() {
        let mut set = Distinct::default();
        (0..2 * DISTINCT_MAX as u32).for_each(|hash| set.add(hash, None));
        assert_eq!(set.len(), DISTINCT_MAX);
    }

    #[test]
    fn a_row_that_does_not_fit_together_is_refused() {
        let packed = |gaps: Vec<u32>, newest, ages: Vec<u64>| {
            postcard::from_bytes::<Distinct>(&postcard::to_allocvec(&Packed { gaps, newest, ages }).unwrap()).is_err()
        };
        assert!(packed(vec![1, u32::MAX], None, vec![]));
        assert!(packed(vec![1, 2], Some(5), vec![0]));
        assert!(packed(vec![1], None, vec![0]));
        assert!(!packed(vec![1, 2], Some(5), vec![0, 3]));
    }

    #[test]
    fn rows_of_the_first_format_are_taken_over() {
        let rows = [i64::MIN, 4, -1, 5, 0x0000_0007_0000_0001, 6];
        let set = Distinct::from_rows(&rows, true);
        assert_eq!(set, Distinct { hashes: vec![7, 0x8000_0000, u32::MAX], tiles: vec![6, 4, 5] });
        assert_eq!(Distinct::from_rows(&rows, false).tiles, Vec::<i64>::new());
    }
}
