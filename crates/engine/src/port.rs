//! What the engine needs of the world, and what it tells it.

use std::time::Duration;

use rapport_decide::Effect;
use rapport_types::{Offset, PartitionId};

/// Where effects go. Called from the partitions' threads, in the order of each partition's log; must not block.
pub trait Sink: Send + Sync + 'static {
    /// Hands over the effects of durable entries. `index` counts the effects of one entry, so that
    /// `(partition, offset, index)` grows and names an effect for good. After a restart the same effects may come again.
    fn deliver(&self, partition: PartitionId, effects: &[(Offset, u32, Effect)]);

    /// The state was made anew under other definitions: whoever shows it should read it again.
    fn reset(&self);
}

/// How the engine runs.
#[derive(Debug, Clone, Copy)]
pub struct EngineOptions {
    /// A checkpoint is written after this time if anything changed.
    pub checkpoint_every: Duration,
    /// A checkpoint is written after this many entries of a partition.
    pub checkpoint_entries: u64,
    /// How many profiles of a partition stay structures; others are held as bytes.
    pub hot_profiles: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { checkpoint_every: Duration::from_secs(10), checkpoint_entries: 200_000, hot_profiles: 25_000 }
    }
}

/// What the engine is doing, for health pages and metrics.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// For each partition.
    pub partitions: Vec<PartitionFacts>,
}

/// What one partition's worker is doing.
#[derive(Debug, Clone, Default)]
pub struct PartitionFacts {
    /// The next entry to apply.
    pub next: u64,
    /// The log's end: `end - next` entries wait.
    pub end: u64,
    /// How long the oldest waiting entry has been in the log; zero if none waits.
    pub behind: Duration,
    /// Profiles in memory.
    pub profiles: u64,
    /// The entry up to which the newest checkpoint goes.
    pub checkpointed: u64,
    /// Effects handed over since the start.
    pub effects: u64,
    /// Why the worker stopped, if it did.
    pub stopped: Option<String>,
}
