//! The condition language: CEL syntax, our own checking, compact form and evaluation.
//!
//! The `cel` crate turns text into a syntax tree; everything after that is here. A [`Program`] is compiled once against
//! a [`Scope`] (which names, fields and host functions exist) and evaluated any number of times against an [`Environment`],
//! or asked of a database of records as SQL ([`Program::to_sql`]), which says the same.
//!
//! It is CEL's syntax with a smaller library: no macros but `has`, no maps, bytes, regular expressions or user types, and a
//! list stands only at the right of `in`. Texts have `search`, which is `contains` regardless of case ([`fold`]). All
//! numbers are `f64`, so whole numbers beyond 2^53 are rounded.
//!
//! Evaluation is total: it never panics, never fails and allocates nothing. What has no answer is *no value*
//! ([`Scalar::Null`]):
//! - a missing attribute, a JSON null, an operator on operands of the wrong kind, a division by zero, a result that is not
//!   finite, an index outside its list;
//! - no value compares unequal to everything, another no value included, and is neither smaller nor larger; only
//!   `x == null` and `!has(x)` are true of it;
//! - where true or false is needed, no value counts as false; arithmetic with it gives no value.
//!
//! Limits, each refused with its own message: a source of [`MAX_SOURCE`] bytes, [`MAX_NODES`] nodes, [`MAX_DEPTH`] levels.

mod compile;
mod error;
mod eval;
mod fold;
mod guard;
mod program;
mod scope;
mod sql;

pub use error::{ConditionError, Position};
pub use eval::{Environment, Scalar};
pub use fold::fold;
pub use program::Program;
pub use scope::{Call, Fields, Function, Literal, Parameter, Scope, Type};
pub use sql::{SqlBackend, SqlHost};

/// The longest source in bytes.
pub const MAX_SOURCE: usize = 4_096;
/// The most nodes of a condition: each name, constant, operator and call is one.
pub const MAX_NODES: usize = 256;
/// The deepest nesting, of brackets in the source as of the compiled tree.
pub const MAX_DEPTH: usize = 32;
