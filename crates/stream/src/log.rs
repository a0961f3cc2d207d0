//! The `Log` trait and the values that go in and out of it.

use std::{fmt, time::Duration};

use bytes::Bytes;
use rapport_types::{Offset, PartitionId, Timestamp};

use crate::{LogError, Ticket};

/// What the bookkeeping of one entry is charged with, in bytes, so that empty entries count against the limits too.
pub(crate) const ENTRY_OVERHEAD: usize = 64;
/// The most bytes of one commit, and so of one append, with [`ENTRY_OVERHEAD`] for each entry.
pub(crate) const COMMIT_BYTES: usize = 8 * 1024 * 1024;
/// The most entries of one commit, and so of one append.
pub(crate) const COMMIT_ENTRIES: usize = 20_000;

/// Entries that become durable together or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Append {
    /// The entries with their partitions; those of one partition get rising offsets in this order.
    pub entries: Vec<(PartitionId, Vec<u8>)>,
}

impl Append {
    /// One entry.
    pub fn one(partition: PartitionId, entry: Vec<u8>) -> Self {
        Self { entries: vec![(partition, entry)] }
    }

    /// What the append is charged with against the limits of queue and commit.
    pub fn cost(&self) -> usize {
        self.entries.iter().map(|(_, bytes)| bytes.len() + ENTRY_OVERHEAD).sum()
    }

    /// Refuses what no log takes; the cost of what it does take.
    pub(crate) fn admit(&self, partitions: u32) -> Result<usize, LogError> {
        if self.entries.is_empty() {
            return Err(LogError::Empty);
        }
        if let Some((partition, _)) = self.entries.iter().find(|(partition, _)| partition.0 >= partitions) {
            return Err(LogError::UnknownPartition { partition: *partition, partitions });
        }
        let (bytes, entries) = (self.cost(), self.entries.len());
        if bytes > COMMIT_BYTES || entries > COMMIT_ENTRIES {
            return Err(LogError::TooLarge { bytes, limit: COMMIT_BYTES, entries, entry_limit: COMMIT_ENTRIES });
        }
        Ok(bytes)
    }
}

/// Where the entries of an append are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The offset of each entry, in the order of [`Append::entries`].
    pub offsets: Vec<Offset>,
}

/// An entry as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the partition.
    pub offset: Offset,
    /// When the log took it, by the clock of the machine; never falls within a partition.
    pub appended_at: Timestamp,
    /// The entry. A slice of a larger buffer: copy it to keep it for long.
    pub bytes: Bytes,
}

/// The identity of one log for its whole life: a checkpoint made from one log is not valid for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub u128);

impl LogId {
    /// A new one, from the system's source of randomness.
    pub fn random() -> Result<Self, LogError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| LogError::io("making the id of a log", &error))?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What a walk over the whole log found sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The end of each partition.
    pub ends: Vec<Offset>,
    /// Entries that were read.
    pub entries: u64,
    /// Bytes of these entries.
    pub bytes: u64,
}

/// Counts since the log was opened, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Cost of the appends that wait for a commit, in bytes.
    pub queued_bytes: usize,
    /// Appends refused because the queue was full.
    pub refused_full: u64,
    /// Commits that became durable.
    pub commits: u64,
    /// Commits that failed, with all their appends.
    pub failed_commits: u64,
    /// Entries that became durable.
    pub entries: u64,
    /// Bytes of these entries.
    pub bytes: u64,
}

/// A partitioned, durable, append-only log.
pub trait Log: Send + Sync + 'static {
    /// The log's identity.
    fn id(&self) -> LogId;

    /// How many partitions it has; fixed for its life.
    fn partitions(&self) -> u32;

    /// Hands entries over; does not block. The ticket completes when all of them are durable or none will ever be.
    ///
    /// Refuses at once: [`LogError::Empty`], [`LogError::UnknownPartition`], [`LogError::TooLarge`],
    /// [`LogError::Full`] (queue at its limit), [`LogError::Poisoned`], [`LogError::Closed`]. The ticket may answer
    /// [`LogError::DiskFull`], [`LogError::Busy`] (nothing was kept) or [`LogError::Poisoned`] (unknown whether
    /// anything was kept; never acknowledged).
    fn append(&self, append: Append) -> Result<Ticket, LogError>;

    /// Durable entries from `from` on, contiguous and in order: at least one if there is one, and no more after
    /// `max_bytes` of them are together. Empty at the end; [`LogError::BeyondEnd`] behind it.
    fn read(&self, partition: PartitionId, from: Offset, max_bytes: usize) -> Result<Vec<Record>, LogError>;

    /// The offset that the next durable entry will have; 0 for a partition that the log does not have.
    fn end(&self, partition: PartitionId) -> Offset;

    /// Blocks until the end is beyond `beyond` or `timeout` has passed; the end as it is then.
    fn wait(&self, partition: PartitionId, beyond: Offset, timeout: Duration) -> Offset;

    /// `Ok` while the log takes appends; else why it does not.
    fn healthy(&self) -> Result<(), LogError>;

    /// Reads every stored entry and checks all that can be checked; the first damage is the error.
    fn verify(&self) -> Result<Verified, LogError>;

    /// Counts since the log was opened.
    fn statistics(&self) -> Statistics;
}
