//! What is kept besides the log: checkpoints of the state, the model registry, sources with their write keys.
//!
//! Everything about customers here can be made again from the log, so the database runs with `synchronous = NORMAL`: a power
//! cut may take the last checkpoints away, never tear one. What cannot be made again (keys, models) is written with a
//! full sync. The crate has no clock and no business rules.
//!
//! Invariants: a checkpoint is written whole or not at all; one that does not follow on the stored one is refused; no
//! secret is stored, only its BLAKE3 hash; what decides about customers is read back with a checksum or not at all.

mod access;
mod checkpoint;
mod checksum;
mod error;
mod models;
mod salvage;
mod secret;
mod sqlite;

pub use access::Source;
pub use checkpoint::{Checkpoint, CheckpointHead, CheckpointPart, CheckpointWrite, Chunk};
pub use error::{Fault, Retry, StoreError};
pub use models::{ModelOrigin, ModelRecord, NewModel};
pub use salvage::Salvaged;
pub use secret::Secret;
pub use sqlite::SqliteStore;
