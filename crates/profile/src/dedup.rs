//! Which messages were seen in the last 7 days.
//!
//! Exact: a key is 128 bits of the source and message id, and every one of 7 days is held. Keys are kept by the day on
//! which they came, so that a day is forgotten as a whole; a repeat is therefore known for at least 7 and less than 8
//! days. Cost: 17 to 34 bytes a message in memory, 16 in a checkpoint.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use rapport_types::{DAY_MS, Timestamp};

/// How many days back a repeat is known for sure.
pub const DEDUP_DAYS: i64 = 7;

/// Keys are uniform already, so their low half is hash enough.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

type Keys = HashSet<u128, BuildHasherDefault<KeyHasher>>;

/// The messages of the last days.
#[derive(Debug, Default)]
pub(crate) struct Dedup {
    days: BTreeMap<i64, Keys>,
    newest: i64,
    /// Keys since the last checkpoint, with their day.
    fresh: Vec<(i64, u128)>,
}

/// Message keys of one day, as a checkpoint keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DedupChunk {
    /// From this instant on the keys need not be kept.
    pub expires_at: Timestamp,
    /// The keys, 16 bytes each, little-endian.
    pub keys: Vec<u8>,
}

impl Dedup {
    /// Notes a message that came at `received_at`; false if it is a repeat.
    pub(crate) fn insert(&mut self, key: u128, received_at: Timestamp) -> bool {
        let day = received_at.0.div_euclid(DAY_MS);
        if day > self.newest {
            self.newest = day;
            self.days = self.days.split_off(&(day - DEDUP_DAYS));
        }
        if self.days.iter().rev().any(|(_, keys)| keys.contains(&key)) {
            return false;
        }
        if day >= self.newest - DEDUP_DAYS {
            self.days.entry(day).or_default().insert(key);
            self.fresh.push((day, key));
        }
        true
    }

    /// How many keys are held.
    pub(crate) fn len(&self) -> usize {
        self.days.values().map(HashSet::len).sum()
    }

    /// The keys since the last call, by day.
    pub(crate) fn take_fresh(&mut self) -> Vec<DedupChunk> {
        let mut by_day: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
        for (day, key) in self.fresh.drain(..) {
            by_day.entry(day).or_default().extend_from_slice(&key.to_le_bytes());
        }
        let expires = |day: i64| Timestamp((day + DEDUP_DAYS + 1) * DAY_MS);
        by_day.into_iter().map(|(day, keys)| DedupChunk { expires_at: expires(day), keys }).collect()
    }

    /// Chunks that expired by this instant are of no use any more.
    pub(crate) fn forget_before(&self) -> Timestamp {
        Timestamp(self.newest * DAY_MS)
    }

    /// Takes a chunk of a checkpoint back in.
    pub(crate) fn restore(&mut self, chunk: &DedupChunk) {
        let day = chunk.expires_at.0.div_euclid(DAY_MS) - DEDUP_DAYS - 1;
        self.newest = self.newest.max(day);
        let keys = self.days.entry(day).or_default();
        keys.reserve(chunk.keys.len() / 16);
        keys.extend(chunk.keys.chunks_exact(16).map(|key| u128::from_le_bytes(key.try_into().expect("16 bytes"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_known_for_seven_days_and_forgotten_after_eight() {
        let mut dedup = Dedup::default();
        let day = |day: i64| Timestamp(day * DAY_MS + 5);
        assert!(dedup.insert(1, day(100)));
        assert!(!dedup.insert(1, day(100)));
        assert!(!dedup.insert(1, day(107)));
        assert!(dedup.insert(2, day(108)));
        assert!(dedup.insert(1, day(108)));
        assert_eq!(dedup.len(), 2);
    }

    #[test]
    fn a_checkpoint_brings_the_keys_back() {
        let mut dedup = Dedup::default();
        for key in 0..100 {
            dedup.insert(key << 64 | key, Timestamp(key as i64 * DAY_MS / 20));
        }
        let mut restored = Dedup::default();
        for chunk in dedup.take_fresh() {
            restored.restore(&chunk);
        }
        assert!(dedup.take_fresh().is_empty());
        assert_eq!(restored.len(), dedup.len());
        assert!(!restored.insert(0x63 << 64 | 0x63, Timestamp(5 * DAY_MS)));
    }
}
