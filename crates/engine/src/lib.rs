//! Partition workers, checkpoints, timers and the dispatch of effects: where the pure fold meets I/O.
//!
//! The log is read, folded into the state in memory by a thread for each partition, and effects are handed to a
//! [`Sink`]. Checkpoints go to a store and only shorten the next start. It knows no HTTP, and it neither trains models
//! nor decides what they say.
//!
//! Limits: a reader waits for at most 256 entries of a partition to be folded; one checkpoint of a partition is on its
//! way at a time; a rebuild after a change of definitions holds all partitions until it is done.

mod cell;
mod checkpoint;
mod control;
mod digest;
mod engine;
mod error;
mod port;
mod read;
mod rebuild;
mod shared;
mod stock;
mod worker;

pub use control::{Earlier, EndedTrial};
pub use digest::{Digest, Rebuilt, rebuild_digest};
pub use engine::Engine;
pub use error::EngineError;
pub use port::{EngineOptions, Facts, PartitionFacts, Sink};
pub use read::{After, Listed, Order, Reader};
