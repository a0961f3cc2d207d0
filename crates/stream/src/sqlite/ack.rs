//! `log.ack`: how far senders were told that their entries are durable.
//!
//! SQLite ends its write-ahead log at the first frame whose checksum is wrong. A flipped bit there looks like a crash
//! in mid-write, and acknowledged entries would be gone without a word. This file is the second witness: after each
//! commit the ends of all partitions are written over the older of its two slots. It is never synced: after a loss of
//! power it may be behind the log, which only makes it a weaker witness, and it is never ahead of it. Two slots, so
//! that a write which is cut short leaves the previous one.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use rapport_types::Offset;

use crate::LogId;

pub(crate) const FILE: &str = "log.ack";
const MAGIC: &[u8; 8] = b"RAPACK\0\x01";
/// Magic, log id, sequence, number of partitions.
const HEAD: usize = 8 + 16 + 8 + 4;
const CRC: usize = 4;
/// Slots begin at multiples of this, so that no sector is part of both.
const ALIGN: usize = 4_096;

/// What the file said when the log was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is no file.
    Missing,
    /// There is one, but nothing in it can be trusted.
    Torn,
    /// At least one slot is sound.
    Sound {
        id: LogId,
        ends: Vec<Offset>,
        sequence: u64,
        /// The other slot holds something that is not sound, so `ends` may be the last but one.
        half: bool,
    },
}

/// Reads the file; an error only when the system refuses to.
pub(crate) fn read(directory: &Path) -> io::Result<Found> {
    let bytes = match std::fs::read(directory.join(FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    // The slots' size follows from the number of partitions, which only a sound slot tells: the second slot begins at
    // one of the aligned places, so look at them all.
    let mut best = Found::Torn;
    let mut unsound = false;
    for slot in bytes.chunks(ALIGN).enumerate().map(|(index, _)| &bytes[index * ALIGN..]) {
        match decode(slot) {
            Some((id, sequence, ends)) => {
                if !matches!(&best, Found::Sound { sequence: other, .. } if *other > sequence) {
                    best = Found::Sound { id, ends, sequence, half: false };
                }
            }
            None => unsound |= slot.starts_with(&MAGIC[..6]) || slot.iter().take(HEAD).any(|byte| *byte != 0),
        }
    }
    if let Found::Sound { half, ends, .. } = &mut best {
        // Large slots continue over several aligned places, which are no slots of their own.
        *half = unsound && stride(ends.len()) == ALIGN;
    }
    Ok(best)
}

fn decode(slot: &[u8]) -> Option<(LogId, u64, Vec<Offset>)> {
    let rest = slot.strip_prefix(MAGIC)?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (partitions, rest) = rest.split_first_chunk::<4>()?;
    let length = (u32::from_le_bytes(*partitions) as usize).checked_mul(8)?;
    let ends = rest.get(..length)?;
    let crc32 = rest.get(length..length + CRC)?;
    if crc32fast::hash(&slot[..HEAD + length]).to_le_bytes() != crc32 {
        return None;
    }
    let (ends, _) = ends.as_chunks::<8>();
    let ends = ends.iter().map(|end| Offset(u64::from_le_bytes(*end))).collect();
    Some((LogId(u128::from_le_bytes(*id)), u64::from_le_bytes(*sequence), ends))
}

fn stride(partitions: usize) -> usize {
    (HEAD + partitions * 8 + CRC).next_multiple_of(ALIGN)
}

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct AckFile {
    file: File,
    id: LogId,
    sequence: u64,
    buffer: Vec<u8>,
}

impl AckFile {
    /// Opens or makes the file and goes on after `sequence`.
    pub(crate) fn open(directory: &Path, id: LogId, sequence: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(directory.join(FILE))?;
        Ok(Self { file, id, sequence, buffer: Vec::new() })
    }

    /// Writes the ends, by one write at a fixed place.
    pub(crate) fn write(&mut self, ends: impl ExactSizeIterator<Item = Offset>) -> io::Result<()> {
        self.sequence += 1;
        let partitions = ends.len();
        self.buffer.clear();
        self.buffer.extend_from_slice(MAGIC);
        self.buffer.extend_from_slice(&self.id.0.to_le_bytes());
        self.buffer.extend_from_slice(&self.sequence.to_le_bytes());
        self.buffer.extend_from_slice(&(partitions as u32).to_le_bytes());
        for end in ends {
            self.buffer.extend_from_slice(&end.0.to_le_bytes());
        }
        let crc32 = crc32fast::hash(&self.buffer);
        self.buffer.extend_from_slice(&crc32.to_le_bytes());
        let slot = (self.sequence % 2) * stride(partitions) as u64;
        self.file.write_all_at(&self.buffer, slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: LogId = LogId(42);

    fn ends(value: u64, partitions: usize) -> Vec<Offset> {
        vec![Offset(value); partitions]
    }

    fn written(partitions: usize, times: u64) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let mut file = AckFile::open(directory.path(), ID, 0).unwrap();
        for value in 1..=times {
            file.write(ends(value, partitions).into_iter()).unwrap();
        }
        directory
    }

    #[test]
    fn the_latest_ends_are_found() {
        for partitions in [1, 4, 600, 4_096] {
            for times in 1..=5 {
                let directory = written(partitions, times);
                let sound = Found::Sound { id: ID, ends: ends(times, partitions), sequence: times, half: false };
                assert_eq!(read(directory.path()).unwrap(), sound);
            }
        }
    }

    #[test]
    fn missing_and_torn_files_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()).unwrap(), Found::Missing);
        std::fs::write(directory.path().join(FILE), b"").unwrap();
        assert_eq!(read(directory.path()).unwrap(), Found::Torn);
        std::fs::write(directory.path().join(FILE), b"RAPACK\0\x01 and no more").unwrap();
        assert_eq!(read(directory.path()).unwrap(), Found::Torn);
    }

    #[test]
    fn a_write_cut_short_leaves_the_one_before() {
        let directory = written(4, 4);
        let path = directory.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        // The fourth write went to the first slot.
        bytes[HEAD + 3] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let sound = Found::Sound { id: ID, ends: ends(3, 4), sequence: 3, half: true };
        assert_eq!(read(directory.path()).unwrap(), sound);
    }
}
