//! Decision trees and what is made of them. [`Tree`] is the one structure that learning, serving, explaining and exporting
//! share.

mod structure;

pub use structure::{Node, Test, Tree};
