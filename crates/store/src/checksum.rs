//! Checksums (CRC-32 as in IEEE 802.3) of what is read back. They cover the place as well as the content, so a sound row
//! in the wrong place is not taken for a sound one.

use rapport_types::PartitionId;

/// A row of a checkpoint.
pub(crate) fn of_row(partition: PartitionId, key: u64, row: &[u8]) -> u32 {
    of(&[&partition.0.to_le_bytes(), &key.to_le_bytes(), row])
}

/// A chunk of a checkpoint.
pub(crate) fn of_chunk(partition: PartitionId, expires_at: i64, keys: &[u8]) -> u32 {
    of(&[&partition.0.to_le_bytes(), &expires_at.to_le_bytes(), keys])
}

/// The head of a checkpoint; `numbers` are its numbers in the order of their columns.
pub(crate) fn of_head(numbers: [u64; 5], meta: &[u8]) -> u32 {
    let numbers = numbers.map(u64::to_le_bytes);
    of(&[numbers.as_flattened(), meta])
}

/// A model's artifact.
pub(crate) fn of_model(score: &str, version: u32, artifact: &[u8]) -> u32 {
    of(&[score.as_bytes(), &version.to_le_bytes(), artifact])
}

fn of(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}
