//! What can go wrong in the engine.

use rapport_profile::RestoreError;
use rapport_store::StoreError;
use rapport_stream::LogError;
use rapport_types::{EntryError, Offset, PartitionId};

/// Every error of this crate.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The log could not be read or written.
    #[error("log: {0}")]
    Log(#[from] LogError),
    /// The checkpoint could not be read or written.
    #[error("checkpoint: {0}")]
    Store(std::sync::Arc<StoreError>),
    /// A checkpoint that cannot be read.
    #[error("{0}; {remedy}", remedy = remedy(.0))]
    Restore(#[from] RestoreError),
    /// The checkpoint is of another log, or the log lost what the checkpoint has seen.
    #[error(
        "the checkpoint of partition {partition} is at entry {checkpoint}, but the log ends at {log}: the log lost \
         entries or belongs to another state; restore log.db from a backup, or accept the loss and let `rapport repair` \
         make the state anew from the log that is there"
    )]
    Ahead {
        /// The partition.
        partition: u32,
        /// The checkpoint's next entry.
        checkpoint: u64,
        /// The log's end.
        log: u64,
    },
    /// An entry that a newer program wrote. Passing over it would lose what it says.
    #[error("entry {offset} of partition {partition}: {error}; install the version that wrote it, or a newer one")]
    NewerEntry {
        /// The partition.
        partition: u32,
        /// The entry's offset.
        offset: u64,
        /// What its first bytes say.
        error: EntryError,
    },
    /// Definitions in the log that do not compile; they were checked before they were appended.
    #[error(
        "definitions {version} in the log do not compile: {mistakes}; if a newer version of Rapport wrote them, install it"
    )]
    Definitions {
        /// Their version.
        version: u32,
        /// What is wrong, one mistake a line.
        mistakes: String,
    },
    /// A worker met a bug and stopped.
    #[error("the worker of partition {partition} stopped at entry {offset}: {what}")]
    Stopped {
        /// The partition.
        partition: u32,
        /// The entry at which it stopped.
        offset: u64,
        /// Why.
        what: String,
    },
}

impl EngineError {
    pub(crate) fn newer(partition: PartitionId, offset: Offset, error: EntryError) -> Self {
        Self::NewerEntry { partition: partition.0, offset: offset.0, error }
    }
}

fn remedy(error: &RestoreError) -> &'static str {
    match error {
        RestoreError::Newer { .. } => {
            "install the version that wrote it, or let `rapport repair` make the state anew for this one"
        }
        _ => "`rapport repair` makes the state anew from the log",
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(std::sync::Arc::new(error))
    }
}
