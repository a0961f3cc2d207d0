//! The partitioned log: whatever can change a decision is appended here first and is true from then on.
//!
//! It knows bytes, partitions and offsets. It does not know what an entry means, never drops or rewrites one, and has
//! no consumers' positions: a reader keeps its own offset beside its state.
//!
//! Two backends: [`MemoryLog`] for tests and trials, and the one of an installation, which keeps a SQLite file.
//! Both pass one conformance suite (`tests/conformance.rs`).
//!
//! Invariants, for every backend:
//! - Offsets of a partition start at 0 and have no gaps. Entries never change.
//! - All entries of one [`Append`] become durable together or not at all, and become visible at one moment.
//! - A [`Ticket`] succeeds, and a reader sees an entry, only after the entry is durable.
//! - Damage is an error at the place where it is met. A reader is never led past it.

mod error;
mod log;
mod memory;
mod sqlite;
mod ticket;

pub use error::{Fault, LogError, Retry};
pub use log::{Append, Appended, Log, LogId, Record, Statistics, Verified};
pub use memory::{MemoryHold, MemoryLog};
pub use sqlite::{SqliteHold, SqliteLog, SqliteLogOptions};
pub use ticket::Ticket;
