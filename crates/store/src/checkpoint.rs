//! Checkpoints: what a start of the engine reads instead of the whole log.

use rapport_types::{Offset, PartitionId, Timestamp};

use crate::StoreError;

/// Message keys that expire together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// From this instant on they need not be kept.
    pub expires_at: Timestamp,
    /// The keys, 16 bytes each.
    pub keys: Vec<u8>,
}

/// What one checkpoint writes, all in one transaction.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointWrite<'a> {
    /// Whose checkpoint it is.
    pub partition: PartitionId,
    /// Where the stored checkpoint must be; 0 if there must be none.
    pub expected: Offset,
    /// The next entry to apply.
    pub next: Offset,
    /// The version of the definitions.
    pub version: u32,
    /// What belongs to the partition as a whole.
    pub meta: &'a [u8],
    /// How many rows the checkpoint has after this write.
    pub rows: u64,
    /// Rows to write.
    pub changed: &'a [(u64, Vec<u8>)],
    /// Rows to take away.
    pub deleted: &'a [u64],
    /// Message keys to add.
    pub chunks: &'a [Chunk],
    /// Chunks that expired by then are taken away.
    pub forget_before: Timestamp,
}

/// What a checkpoint says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointHead {
    /// The next entry to apply.
    pub next: Offset,
    /// The version of the definitions.
    pub version: u32,
    /// What belongs to the partition as a whole.
    pub meta: Vec<u8>,
}

/// A piece of a checkpoint that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointPart<'a> {
    /// A row with its key.
    Row(u64, &'a [u8]),
    /// Message keys.
    Chunk(Chunk),
}

/// Where checkpoints are kept.
pub trait Checkpoint: Send + Sync + 'static {
    /// What the checkpoint of a partition says of itself; none if there is none.
    fn head(&self, partition: PartitionId) -> Result<Option<CheckpointHead>, StoreError>;

    /// Reads a checkpoint: all rows by key, then all chunks, as of one moment. Several partitions may be read at once.
    /// [`StoreError::Damaged`] if it is not what was written; what came before may be wrong then.
    fn load(&self, partition: PartitionId, each: &mut dyn FnMut(CheckpointPart<'_>)) -> Result<(), StoreError>;

    /// Writes a checkpoint, whole or not at all; [`StoreError::Fenced`] if the stored one is not where it is expected.
    fn save(&self, write: &CheckpointWrite<'_>) -> Result<(), StoreError>;

    /// Takes the checkpoint of a partition away.
    fn reset(&self, partition: PartitionId) -> Result<(), StoreError>;

    /// Binds the store to a log by its id; [`StoreError::OtherLog`] if it is bound to another.
    fn bind(&self, log: u128) -> Result<(), StoreError>;
}
