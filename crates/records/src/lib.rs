//! The CRM itself: objects as data, one generic implementation that gives every object everything.
//!
//! It is not the event path: it knows no profiles and no models. It knows no HTTP either. Everything is synchronous; the
//! server calls it on threads for blocking work.
//!
//! Invariants:
//! - No record is read or written without an [`Access`], which only a credential makes.
//! - A change is written with its line in the feed (`change`), in one transaction: audit, undo, search, live updates and the
//!   event log all go by that line.
//! - No text of a user becomes SQL: values are bound, names come from the schema.

mod access;
mod backup;
mod batch;
mod board;
mod contents;
mod convert;
mod copy;
mod database;
pub mod demo;
mod desk;
mod duplicates;
mod edit;
mod error;
pub mod export;
mod feed;
mod first;
mod ground;
mod id;
mod identities;
pub mod import;
mod lookup;
#[cfg(feature = "measuring")]
mod measuring;
mod merge;
mod migrate;
mod once;
mod owned;
pub mod people;
mod prune;
mod purge;
mod read;
mod record;
mod role;
mod rules;
pub mod schema;
pub mod search;
mod ties;
mod trash;
mod value;
mod views;
mod visible;

pub use access::{Access, Actor};
pub use backup::{RolledBack, SNAPSHOTS, back_up, look_through, roll_back};
pub use batch::{Batch, Kept, Undone};
pub use board::{BoardColumn, BoardQuery};
pub use contents::{Content, Swept, missing_contents};
pub use convert::{Conversion, Converted, NewDeal, Part, Proposal};
pub use copy::{TableSum, copy};
pub use database::{Backend, Database, Row, Tx};
pub use desk::{AuditQuery, Desk, Edited};
pub use duplicates::{Pair, Reason, Similar};
pub use edit::{EDITS, Edit, Fields, Values};
pub use error::{Fault, RecordsError, RowError};
pub use feed::{Change, Op};
pub use id::Id;
pub use identities::{Happened, Identity};
pub use lookup::Found;
pub use merge::Merged;
pub use once::Once;
pub use prune::Pruned;
pub use read::{AggregateQuery, Group, ListQuery, PAGE, Page, SKIP};
pub use record::Record;
pub use role::{Grant, Reach, Role, Verb};
pub use ties::Tie;
pub use views::{NewView, Shared, View, ViewChange, ViewDefinition, ViewKind};

#[cfg(test)]
mod tests;
