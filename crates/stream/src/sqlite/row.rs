//! A row of the file: a run of entries of one partition under one checksum.
//!
//! The bytes are each entry's length (four bytes, little endian) and the entry. The checksum covers the log's identity
//! and the row's place as well, so a sound row in the wrong place or from another log is not taken for a sound one;
//! with the checksum of the row before it, an old copy of a row is not either.

use bytes::Bytes;
use rapport_types::{Offset, PartitionId, Timestamp};

use crate::{LogId, Record};

/// From this size on a commit begins another row of the partition, so a read from the middle decodes little.
pub(crate) const ROW_BYTES: usize = 1024 * 1024;
/// Bytes before each entry.
const PREFIX: usize = 4;
/// Bits of a place that are the offset.
const OFFSET_BITS: u32 = 48;
/// The most partitions: what the places of a file leave room for, and far more than workers on one machine.
pub(crate) const MAX_PARTITIONS: u32 = 4_096;

/// The key of a row: the partition above, the offset below, so that one tree without a second index serves reads of
/// every partition in order.
pub(crate) fn place(partition: PartitionId, offset: Offset) -> i64 {
    (i64::from(partition.0) << OFFSET_BITS) | (offset.0 as i64)
}

/// The first and the last key that rows of a partition can have.
pub(crate) fn places(partition: PartitionId) -> (i64, i64) {
    (place(partition, Offset(0)), place(partition, Offset((1 << OFFSET_BITS) - 1)))
}

/// The offset in a key that lies within [`places`].
pub(crate) fn offset_of(place: i64) -> Offset {
    Offset(place as u64 & ((1 << OFFSET_BITS) - 1))
}

/// What a row says about itself, and its checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) partition: PartitionId,
    pub(crate) base: Offset,
    pub(crate) count: u32,
    pub(crate) appended_at: Timestamp,
    /// The checksum of the partition's row before this one, 0 for the first.
    pub(crate) previous_crc32: u32,
}

impl Header {
    /// The checksum (CRC-32 as in IEEE 802.3) of this header and the row's bytes.
    pub(crate) fn checksum(&self, id: LogId, bytes: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&id.0.to_le_bytes());
        hasher.update(&self.partition.0.to_le_bytes());
        hasher.update(&self.base.0.to_le_bytes());
        hasher.update(&self.count.to_le_bytes());
        hasher.update(&self.appended_at.0.to_le_bytes());
        hasher.update(&self.previous_crc32.to_le_bytes());
        hasher.update(bytes);
        hasher.finalize()
    }

    /// The offset after the row's last entry.
    pub(crate) fn end(&self) -> Offset {
        Offset(self.base.0 + u64::from(self.count))
    }
}

/// A row with the places of its entries, checked or made here.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) header: Header,
    pub(crate) crc32: u32,
    pub(crate) bytes: Bytes,
    /// Where each entry ends in `bytes`.
    ends: Vec<u32>,
}

impl Row {
    /// Takes what was stored apart; the error says what does not fit.
    pub(crate) fn decode(id: LogId, header: Header, crc32: u32, bytes: Vec<u8>) -> Result<Self, String> {
        let computed = header.checksum(id, &bytes);
        if computed != crc32 {
            return Err(format!("the checksum of the batch is {computed:08x}, it says {crc32:08x}"));
        }
        let mut ends = Vec::with_capacity((header.count as usize).min(bytes.len() / PREFIX));
        let mut at = 0;
        while let Some((prefix, rest)) = bytes[at..].split_first_chunk::<PREFIX>() {
            let length = u32::from_le_bytes(*prefix) as usize;
            if length > rest.len() {
                return Err(format!("entry {} of the batch reaches beyond its bytes", ends.len()));
            }
            at += PREFIX + length;
            ends.push(at as u32);
        }
        if at != bytes.len() || ends.len() != header.count as usize {
            return Err(format!("the batch has {} entries, it says {}", ends.len(), header.count));
        }
        Ok(Self { header, crc32, bytes: bytes.into(), ends })
    }

    /// Whether the entry at `offset` is here.
    pub(crate) fn holds(&self, offset: Offset) -> bool {
        self.header.base <= offset && offset < self.header.end()
    }

    /// What the row takes in memory, in bytes.
    pub(crate) fn cost(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<u32>() + size_of::<Self>()
    }

    /// Adds the entries from `from` on to `records` until the budget is used up; whether it can go on with the next row.
    pub(crate) fn collect(&self, from: Offset, budget: &mut Budget, records: &mut Vec<Record>) -> bool {
        let first = from.0.saturating_sub(self.header.base.0) as usize;
        for index in first..self.ends.len() {
            let begin = if index == 0 { 0 } else { self.ends[index - 1] as usize } + PREFIX;
            let end = self.ends[index] as usize;
            if !budget.take(end - begin) {
                return false;
            }
            records.push(Record {
                offset: Offset(self.header.base.0 + index as u64),
                appended_at: self.header.appended_at,
                bytes: self.bytes.slice(begin..end),
            });
        }
        true
    }
}

/// How many bytes a read may still take; the first entry is always within it.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    untouched: bool,
}

impl Budget {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { left: max_bytes, untouched: true }
    }

    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.untouched || bytes <= self.left;
        self.untouched = false;
        self.left = self.left.saturating_sub(bytes);
        fits
    }
}

/// Collects entries into a row.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Builder {
    /// Room for what is known to come, up to one row.
    pub(crate) fn reserve(&mut self, entries: usize, bytes: usize) {
        self.bytes.reserve((bytes + entries * PREFIX).min(ROW_BYTES));
        self.ends.reserve(entries.min(ROW_BYTES / PREFIX));
    }

    pub(crate) fn count(&self) -> u32 {
        self.ends.len() as u32
    }

    /// Whether an entry of this size belongs into the next row.
    pub(crate) fn is_full_for(&self, entry: usize) -> bool {
        !self.ends.is_empty() && self.bytes.len() + PREFIX + entry > ROW_BYTES
    }

    /// Adds an entry; its size is within an append's limit and so within 32 bits.
    pub(crate) fn push(&mut self, entry: &[u8]) {
        self.bytes.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(entry);
        self.ends.push(self.bytes.len() as u32);
    }

    /// The row; the header's count is the builder's.
    pub(crate) fn finish(&mut self, id: LogId, header: Header) -> Row {
        let built = std::mem::take(self);
        let crc32 = header.checksum(id, &built.bytes);
        Row { header, crc32, bytes: built.bytes.into(), ends: built.ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: LogId = LogId(7);

    fn header(count: u32) -> Header {
        Header {
            partition: PartitionId(1),
            base: Offset(10),
            count,
            appended_at: Timestamp(1_000),
            previous_crc32: 0xAB,
        }
    }

    fn row(entries: &[&[u8]]) -> Row {
        let mut builder = Builder::default();
        entries.iter().for_each(|entry| builder.push(entry));
        builder.finish(ID, header(entries.len() as u32))
    }

    #[test]
    fn entries_come_back_from_any_place_and_within_the_budget() {
        let made = row(&[b"one", b"", b"three"]);
        let read = Row::decode(ID, made.header, made.crc32, made.bytes.to_vec()).unwrap();
        let mut records = Vec::new();
        assert!(read.collect(Offset(11), &mut Budget::new(100), &mut records));
        let found: Vec<_> = records.iter().map(|record| (record.offset.0, &record.bytes[..])).collect();
        assert_eq!(found, [(11, &b""[..]), (12, b"three")]);
        records.clear();
        assert!(!read.collect(Offset(10), &mut Budget::new(0), &mut records));
        assert_eq!(records.len(), 2, "the first always, the empty one costs nothing, the third no more");
    }

    #[test]
    fn whatever_changes_is_noticed() {
        let made = row(&[b"one", b"two"]);
        let check = |id, header, crc32, bytes: Vec<u8>| Row::decode(id, header, crc32, bytes).is_ok();
        let bytes = made.bytes.to_vec();
        assert!(check(ID, made.header, made.crc32, bytes.clone()));
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert!(!check(ID, made.header, made.crc32, changed));
        }
        let header = made.header;
        assert!(!check(LogId(8), header, made.crc32, bytes.clone()));
        assert!(!check(ID, Header { partition: PartitionId(2), ..header }, made.crc32, bytes.clone()));
        assert!(!check(ID, Header { base: Offset(11), ..header }, made.crc32, bytes.clone()));
        assert!(!check(ID, Header { appended_at: Timestamp(1_001), ..header }, made.crc32, bytes.clone()));
        assert!(!check(ID, Header { previous_crc32: 0, ..header }, made.crc32, bytes.clone()));
        // A wrong count under a right checksum, as only a faulty writer could make it.
        let wrong = Header { count: 3, ..header };
        let error = Row::decode(ID, wrong, wrong.checksum(ID, &bytes), bytes.clone()).unwrap_err();
        assert_eq!(error, "the batch has 2 entries, it says 3");
        let short = bytes[..bytes.len() - 1].to_vec();
        let error = Row::decode(ID, header, header.checksum(ID, &short), short).unwrap_err();
        assert_eq!(error, "entry 1 of the batch reaches beyond its bytes");
    }

    #[test]
    fn places_keep_partitions_apart_and_offsets_in_order() {
        let last = PartitionId(MAX_PARTITIONS - 1);
        assert!(place(last, Offset(5)) > place(last, Offset(4)));
        assert!(places(PartitionId(0)).1 < places(PartitionId(1)).0);
        assert_eq!(offset_of(place(last, Offset(123_456))), Offset(123_456));
    }
}
