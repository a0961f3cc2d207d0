//! What is known of a customer, and the fold that keeps it current.
//!
//! The crate is pure: no clock, no I/O, no randomness, and nothing depends on the order of a hash map. The same
//! functions serve live traffic, replay, training sets and back-tests.
//!
//! - [`FeatureDefinition`] and [`FeatureSet`]: windowed features, declared and compiled.
//! - [`Profile`]: ids, attributes, series, and what was decided.
//! - [`PartitionState`]: all profiles of a partition; [`PartitionState::apply`] is the fold.
//! - [`Ledger`]: what became of every event.
//!
//! It is not the place for decisions: segments, scores and effects live in `decide`.

mod awaited;
mod dedup;
mod definition;
mod distinct;
mod feature;
mod filter;
mod fold;
mod index;
mod joints;
mod ledger;
mod profile;
mod series;
mod slot;
mod state;

pub use awaited::{AWAITED_MAX, Awaited, AwaitedMoment};
pub use dedup::{DEDUP_DAYS, DedupChunk};
pub use definition::{Aggregate, DefinitionError, FeatureDefinition, Title, Window};
pub use feature::{FeatureSet, FeatureValue};
pub use filter::EventFilter;
pub use fold::{Changes, Place, Touch};
pub use ledger::{DEAD_LETTERS_LISTED, DeadLetter, Ledger, LedgerLine};
pub use profile::{ATTRIBUTES_MAX, Attribute, IDS_MAX, POSITIONS_MAX, Position, Profile, Reason, Score};
pub use slot::{ProfileRef, Summary};
pub use state::{CheckpointParts, PartitionState, RestoreError};
