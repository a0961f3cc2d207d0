//! The words that every crate of Rapport shares: ids, values, time, events and log entries.
//!
//! It is the ground floor: no async, no I/O, no clock, and it stays small. What only one room needs lives in that room.
//!
//! Invariants:
//! - Everything that is written to disk here goes through [`Entry::encode`], which carries a format version.
//! - Time is a [`Timestamp`] in whole milliseconds; nothing in this crate asks what time it is.

mod entry;
mod event;
mod id;
mod time;
mod value;

pub use entry::{
    Absorb, Activation, DefinitionsChanged, Entry, EntryError, Forward, Joined, Link, Mark, Origin, Relay, Rollback,
    Share, Trial, TrialMode, Unlink,
};
pub use event::{Event, EventKind};
pub use id::{CustomerId, CustomerIdRef, Offset, PartitionId, SourceId, partition_of, stable_hash};
pub use time::{DAY_MS, Duration, HOUR_MS, MINUTE_MS, SECOND_MS, TimeError, Timestamp};
pub use value::{Object, Value};
