//! Decision trees and what is made of them. [`Tree`] is the one structure that learning, serving, explaining and exporting
//! share.

mod bins;
mod boosting;
mod fixed;
mod partition;
mod pieces;
mod structure;

pub use boosting::{Boosting, BoostingOptions, Direction, Loss};
pub use structure::{Node, Test, Tree};
