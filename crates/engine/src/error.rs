//! What can go wrong in the engine.

use rapport_profile::RestoreError;
use rapport_store::StoreError;
use rapport_stream::LogError;

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
    /// A checkpoint that does not decode; the state must be rebuilt from the log.
    #[error("{0}")]
    Restore(#[from] RestoreError),
    /// The checkpoint is of another log, or the log lost what the checkpoint has seen.
    #[error(
        "the checkpoint of partition {partition} is at entry {checkpoint}, but the log ends at {log}: the log lost \
         entries or belongs to another state"
    )]
    Ahead {
        /// The partition.
        partition: u32,
        /// The checkpoint's next entry.
        checkpoint: u64,
        /// The log's end.
        log: u64,
    },
    /// Definitions in the log that do not compile; they were checked before they were appended.
    #[error("definitions {version} in the log do not compile: {mistakes}")]
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

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(std::sync::Arc::new(error))
    }
}
