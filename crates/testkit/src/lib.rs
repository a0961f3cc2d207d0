//! What tests and measurements need and the program does not: real servers of other makers, started for one process and
//! gone with it, however it ends.
//!
//! Nothing here is shipped: other crates name this one among their dev-dependencies only. Nothing is installed here;
//! `cargo xtask services` does that.

pub mod postgres;
